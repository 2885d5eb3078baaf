using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using KpiDashboard.IntegrationTests.App;
using Xunit;

namespace KpiDashboard.IntegrationTests.Push;

/// <summary>A source that is only pushed to is late by its own rhythm.</summary>
[Collection(AppCollection.Name)]
public sealed class PushRhythmTests(AppFixture app)
{
    private static string Run(int id, DateTimeOffset at) =>
        $$"""{"workflowId":"w1","executionId":{{id}},"status":"success","completedAt":"{{at.UtcDateTime.ToString("O", CultureInfo.InvariantCulture)}}"}""";

    /// <summary>
    /// Runs every so many hours for so many days, an outage of five days in the middle or none, and what is usual of that.
    /// </summary>
    [Theory]
    [InlineData(1, 27, false, 6)]
    [InlineData(24, 27, false, 38)]
    [InlineData(24, 27, true, 38)]
    [InlineData(72, 27, false, 110)]
    // A weekend cannot have been seen yet.
    [InlineData(1, 4, false, 98)]
    [InlineData(6, 10, false, 11)]
    public async Task How_long_it_is_usually_silent_is_learned_from_its_runs(int everyHours, int days, bool outage, int lateAfter)
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync("UTC");
        var (_, token, _) = await world.TokenAsync(tenant, "n8n");
        var now = DateTimeOffset.UtcNow;
        var runs = Enumerable.Range(0, days * 24 / everyHours).Select(number => now.AddHours(-number * everyHours).AddMinutes(-1))
            .Where(at => !outage || at < now.AddDays(-15) || at > now.AddDays(-10)).Select((at, number) => Run(number + 1, at));
        await world.PostAsync("webhooks/n8n", token, $"[{string.Join(',', runs)}]");
        var source = await SourceAsync(world, tenant);
        Assert.Equal(("ok", "learned", lateAfter), (source["status"]!.GetValue<string>(), source["rhythm"]!.GetValue<string>(), source["lateAfterHours"]!.GetValue<int>()));

        await SilentAsync(world, tenant, lateAfter - 1);
        Assert.Equal("ok", (await SourceAsync(world, tenant))["status"]!.GetValue<string>());
        await SilentAsync(world, tenant, lateAfter + 1);
        source = await SourceAsync(world, tenant);
        Assert.Equal("late", source["status"]!.GetValue<string>());
        Assert.Contains("has sent nothing for", source["message"]!.GetValue<string>(), StringComparison.Ordinal);
        // One judgement, wherever it is told: among the insights and in the list of businesses, too.
        var day = DateOnly.FromDateTime(DateTime.UtcNow);
        var (_, insights) = await world.GetAsync($"insights/business?from={day.AddDays(-7):yyyy-MM-dd}&to={day.AddDays(-1):yyyy-MM-dd}", tenant.Owner);
        Assert.Contains("has sent nothing for", insights!.ToJsonString(), StringComparison.Ordinal);
        var (_, tenants) = await world.GetAsync("tenants", tenant.Owner);
        Assert.Contains("has sent nothing for", tenants!["tenants"]![0]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
        // It speaks again, and all is well.
        await world.PostAsync("webhooks/n8n", token, Run(99_999, DateTimeOffset.UtcNow.AddMinutes(-1)));
        Assert.Equal("ok", (await SourceAsync(world, tenant))["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_person_can_say_how_long_it_may_be_silent_or_that_it_may_be_for_good()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync("UTC");
        var (_, token, _) = await world.TokenAsync(tenant, "n8n");
        await world.PostAsync("webhooks/n8n", token, Run(1, DateTimeOffset.UtcNow.AddMinutes(-1)));
        // Nothing was learned yet: a week and a day.
        var source = await SourceAsync(world, tenant);
        Assert.Equal(("learned", 192), (source["rhythm"]!.GetValue<string>(), source["lateAfterHours"]!.GetValue<int>()));
        var id = source["id"]!.GetValue<string>();

        Assert.Equal(200, (await PatchAsync(new { lateAfterHours = 3 })).Status);
        await SilentAsync(world, tenant, 4);
        Assert.Equal(("late", "fixed", 3), await StateAsync());
        Assert.Equal(200, (await PatchAsync(new { rhythm = "never" })).Status);
        await SilentAsync(world, tenant, 5000);
        Assert.Equal(("ok", "never", (int?)null), await StateAsync());
        Assert.Equal(200, (await PatchAsync(new { rhythm = "learned" })).Status);
        Assert.Equal(("late", "learned", 192), await StateAsync());
        Assert.Equal("integration.changed", await world.OneAsync<string>("select action from audit_log where tenant_id = @Id order by at desc limit 1", tenant));

        foreach (var (wrong, status) in new (object, int)[]
        {
            (new { lateAfterHours = 0 }, 400), (new { lateAfterHours = 2161 }, 400), (new { rhythm = "fixed" }, 400), (new { rhythm = "never", lateAfterHours = 5 }, 400), (new { rhythm = "weekly" }, 400),
        })
            Assert.Equal(status, (await PatchAsync(wrong)).Status);
        Assert.Equal(("late", "learned", 192), await StateAsync());

        // One that is read has a schedule instead.
        await world.Access.ExecuteAsync("update integrations set settings = '{}' where tenant_id = @Id; update tenants set data_version = data_version + 1 where id = @Id", tenant);
        Assert.Equal(409, (await PatchAsync(new { rhythm = "never" })).Status);
        Assert.Null((await SourceAsync(world, tenant))["rhythm"]);

        Task<(int Status, JsonNode? Body)> PatchAsync(object change) => world.SendAsync(HttpMethod.Patch, $"integrations/{id}", tenant.Owner, JsonContent.Create(change));

        async Task<(string, string, int?)> StateAsync()
        {
            var one = await SourceAsync(world, tenant);
            return (one["status"]!.GetValue<string>(), one["rhythm"]!.GetValue<string>(), one["lateAfterHours"]?.GetValue<int>());
        }
    }

    private static Task SilentAsync(PushWorld world, PushTenant tenant, int hours) => world.Access.ExecuteAsync(
        "update integrations set fetched_at = now() - make_interval(hours => @hours), complete_through = current_date - @hours / 24 - 1, final_through = current_date - @hours / 24 - 3 where tenant_id = @Id; update tenants set data_version = data_version + 1 where id = @Id",
        new { tenant.Id, hours });

    private static async Task<JsonNode> SourceAsync(PushWorld world, PushTenant tenant) =>
        (await world.GetAsync("integrations", tenant.Owner)).Body!["integrations"]![0]!;
}
