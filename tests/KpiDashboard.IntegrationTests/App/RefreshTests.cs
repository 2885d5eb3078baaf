using System.Net;
using System.Net.Http.Json;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.Demo.Seeding;
using Xunit;

namespace KpiDashboard.IntegrationTests.App;

[Collection(SecondAppCollection.Name)]
public sealed class RefreshTests(AppFixture app)
{
    private static readonly string Kiwi = "Kiwi Plumbing";

    [Fact]
    public async Task A_webhook_refresh_is_answered_202_with_run_ids_and_the_numbers_change_with_the_source()
    {
        using var owner = await app.SignInAsync(Kiwi);
        var token = (await owner.SendJsonAsync(HttpMethod.Post, "api/tokens", new { name = "shop", scopes = new[] { "refresh" } }))["token"]!.GetValue<string>();
        using var machine = app.Anonymous();
        machine.DefaultRequestHeaders.Authorization = new("Bearer", token);
        var property = DemoWorld.Tenants.Single(tenant => tenant.Name == Kiwi).Ga4PropertyId;
        var yesterday = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(DateTimeOffset.UtcNow, TimeZoneInfo.FindSystemTimeZoneById("Pacific/Auckland")).DateTime).AddDays(-1);
        var before = await SessionsAsync();

        app.Demo.Google!.SetValue(property, yesterday, "sessions", before + 1000);
        using var answer = await machine.PostAsync(new Uri("api/webhooks/refresh", UriKind.Relative), null, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var runs = await machine.RefreshAsync("api/webhooks/refresh", owner);

        Assert.Single(runs);
        Assert.Equal("succeeded", runs[0]["status"]!.GetValue<string>());
        Assert.Equal(before + 1000, await SessionsAsync());
        var restated = await app.Database.InTenantAsync(DemoSeeder.TenantId(Kiwi), tx => tx.QueryAsync<(decimal Old, decimal New)>(
            "select old_value, new_value from kpi_restatements where tenant_id = @tenant and kpi = 'web.sessions' and day = @yesterday", new { yesterday }), TestContext.Current.CancellationToken);
        Assert.Equal([(before, before + 1000)], restated);

        async Task<decimal> SessionsAsync() => (await owner.GetJsonAsync($"api/metrics/history?kpis=web.sessions&from={yesterday:yyyy-MM-dd}&to={yesterday:yyyy-MM-dd}"))["series"]![0]!["points"]![0]!["value"]!.GetValue<decimal>();
    }

    [Fact]
    public async Task The_timer_enqueues_what_is_due_and_the_queue_function_reads_it()
    {
        using var client = await app.SignInAsync("Open Lectures");
        var tenant = DemoSeeder.TenantId("Open Lectures");
        await app.Database.InTenantAsync(tenant, tx => tx.ExecuteAsync("update integrations set next_due_at = now() - interval '1 minute' where tenant_id = @tenant"), TestContext.Current.CancellationToken);

        using var admin = app.Anonymous();
        admin.DefaultRequestHeaders.Add("x-functions-key", AppFixture.MasterKey);
        using var answer = await admin.PostAsJsonAsync("admin/functions/ScheduleSyncs", new { input = "" }, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);

        await Eventually.TrueAsync(async () => (await client.GetJsonAsync("api/sync/runs?status=succeeded"))["runs"]!.AsArray().Any(run => run!["trigger"]!.GetValue<string>() == "schedule"), TimeSpan.FromMinutes(1), "the scheduled run succeeds");
        var due = await app.Database.InTenantAsync(tenant, tx => tx.QuerySingleAsync<DateTimeOffset>("select next_due_at from integrations where tenant_id = @tenant"), TestContext.Current.CancellationToken);
        Assert.True(due > DateTimeOffset.UtcNow, $"It is due at {due:O}.");
    }

    [Fact]
    public async Task An_idempotency_key_answers_with_the_runs_of_the_first_time()
    {
        using var client = await app.SignInAsync("Open Lectures");
        client.DefaultRequestHeaders.Add("Idempotency-Key", Guid.NewGuid().ToString());
        var first = await client.RefreshAsync();
        var second = await client.SendJsonAsync(HttpMethod.Post, "api/sync/refresh");
        Assert.Equal(first.Select(run => run["id"]!.ToString()), second["runs"]!.AsArray().Select(run => run!["id"]!.ToString()));
    }

    [Fact]
    public async Task A_viewer_may_read_but_not_refresh()
    {
        using var client = await app.SignInAsync(email: DemoSeeder.ViewerEmail);
        Assert.Equal("Merch Shop", (await client.GetJsonAsync("api/auth/me"))["tenant"]!["name"]!.GetValue<string>());
        using var response = await client.PostAsJsonAsync("api/sync/refresh", new { }, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task A_broken_sign_in_at_the_provider_is_said_in_words_and_stops_nothing_else()
    {
        const string Studio = "Nordlicht Studio";
        using var client = await app.SignInAsync(Studio);
        var tenant = DemoWorld.Tenants.Single(entry => entry.Name == Studio);
        app.Demo.Google!.Revoke(tenant.GoogleRefreshToken);
        app.Demo.Google.ExpireAccessTokens();
        try
        {
            var runs = await client.RefreshAsync();
            Assert.Equal("failed", runs.Single(run => run["connector"]!.GetValue<string>() == "google-analytics")["status"]!.GetValue<string>());
            Assert.Equal("succeeded", runs.Single(run => run["connector"]!.GetValue<string>() == "n8n")["status"]!.GetValue<string>());
            var integration = (await client.GetJsonAsync("api/integrations"))["integrations"]!.AsArray().Single(entry => entry!["connector"]!.GetValue<string>() == "google-analytics")!;
            Assert.Equal("reconnect_needed", integration["status"]!.GetValue<string>());
            Assert.NotEmpty(integration["message"]!.GetValue<string>());
            // What was read before stays.
            Assert.True((await client.GetJsonAsync("api/metrics/summary"))["kpis"]!.AsArray().Single(kpi => kpi!["key"]!.GetValue<string>() == "web.sessions")!["value"]!.GetValue<decimal>() > 0);
        }
        finally
        {
            app.Demo.Google.Restore(tenant.GoogleRefreshToken);
            await app.Database.InTenantAsync(DemoSeeder.TenantId(Studio), tx => tx.ExecuteAsync("update integrations set status = 'active', status_message = null where tenant_id = @tenant"), CancellationToken.None);
        }
    }
}
