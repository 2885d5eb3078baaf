using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.Webhooks;
using Xunit;

namespace KpiDashboard.IntegrationTests.Push;

/// <summary>What a business is told of what was pushed to it, and from where its tokens may be used.</summary>
[Collection(AppCollection.Name)]
public sealed class PushLogTests(AppFixture app)
{
    private static readonly string Yesterday = DateTimeOffset.UtcNow.AddDays(-1).ToString("O", CultureInfo.InvariantCulture);

    private static string Event(string id, string status = "success") => $$"""{"workflowId":"w1","workflowName":"Orders","executionId":"{{id}}","status":"{{status}}","completedAt":"{{Yesterday}}"}""";

    [Fact]
    public async Task Accepted_and_rejected_events_are_listed_with_their_reasons_and_nothing_of_what_stood_in_them()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        var (id, token, _) = await world.TokenAsync(tenant, "n8n");
        await world.PostAsync("webhooks/n8n", token, $"[{Event("1")},{Event("1")},{{\"workflowId\":\"w1\",\"executionId\":\"2\",\"status\":\"sk_live_4eC39HqLyjWDarjtT1zdp7dc\",\"card\":\"4111111111111111\"}}]");
        await world.PostAsync("webhooks/n8n", token, "{", ("Idempotency-Key", "broken"));
        await world.PostAsync("webhooks/n8n", token, "{}");

        var entries = await LogAsync(world, tenant, "");
        Assert.Equal(
            ["rejected - - -", "rejected - - -", "accepted 1 w1 succeeded", "unchanged 1 w1 succeeded", "rejected 2 w1 -"],
            entries.Select(entry => $"{entry["outcome"]} {entry["executionId"]?.ToString() ?? "-"} {entry["workflowId"]?.ToString() ?? "-"} {entry["state"]?.ToString() ?? "-"}"));
        Assert.All(entries, entry => Assert.Equal(("machine", id), (entry["token"]!.GetValue<string>(), entry["tokenId"]!.GetValue<Guid>())));
        Assert.All(entries, entry => Assert.NotEmpty(entry["address"]!.GetValue<string>()));
        Assert.Equal("Orders", entries[2]["workflowName"]!.GetValue<string>());
        Assert.Contains("'status'", entries[4]["reason"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal([0, 1, 1, 1, 1], entries.Select(entry => entry["events"]!.GetValue<int>()).Order());

        var everything = string.Join('\n', await world.Access.QueryAsync<string>("select row_to_json(l)::text from push_log l where tenant_id = @Id", tenant));
        foreach (var payload in new[] { "4111", "4eC39", "card", token }) Assert.DoesNotContain(payload, everything, StringComparison.Ordinal);

        // Only what went wrong; page by page; only for whoever may see the tokens.
        Assert.Equal(3, (await LogAsync(world, tenant, "?outcome=rejected")).Count);
        var (_, first) = await world.GetAsync("push/log?limit=2", tenant.Owner);
        var (_, second) = await world.GetAsync($"push/log?limit=3&cursor={first!["nextCursor"]}", tenant.Owner);
        Assert.Equal(
            entries.Select(entry => entry["id"]!.GetValue<string>()),
            first["entries"]!.AsArray().Concat(second!["entries"]!.AsArray()).Select(entry => entry!["id"]!.GetValue<string>()));
        Assert.Null(second["nextCursor"]);
        Assert.Equal(400, (await world.GetAsync("push/log?cursor=x", tenant.Owner)).Status);
        Assert.Equal(400, (await world.GetAsync("push/log?outcome=gone", tenant.Owner)).Status);
        Assert.Equal(403, (await world.GetAsync("push/log", token)).Status);
        var other = await world.TenantAsync();
        Assert.Empty(await LogAsync(world, other, ""));
    }

    [Fact]
    public async Task A_repeated_request_is_told_once_and_a_large_one_in_few_lines()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        var (_, token, _) = await world.TokenAsync(tenant, "n8n");
        foreach (var _ in new int[2]) await world.PostAsync("webhooks/n8n", token, Event("1"), ("Idempotency-Key", "once"));
        Assert.Single(await LogAsync(world, tenant, ""));

        await world.PostAsync("webhooks/n8n", token, $"[{string.Join(',', Enumerable.Range(2, 400).Select(number => Event(number.ToString(CultureInfo.InvariantCulture))).Concat(Enumerable.Repeat("{}", 500)))}]");
        Assert.Equal(
            [("accepted", 101, 401), ("rejected", 100, 500)],
            await world.Access.QueryAsync<(string, int, int)>(
                "select outcome, count(*)::int, sum(events)::int from push_log where tenant_id = @Id group by 1 order by 1", tenant));

        // Who tries on and on with what is refused as a whole fills no log.
        foreach (var _ in new int[5]) Assert.Equal(400, (await world.PostAsync("webhooks/n8n", token, "5")).Status);
        Assert.Equal(1, await world.OneAsync<int>("select count(*)::int from push_log where tenant_id = @Id and position = -1", tenant));
    }

    [Fact]
    public async Task What_is_older_than_30_days_is_forgotten()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        var (_, token, _) = await world.TokenAsync(tenant, "n8n");
        await world.PostAsync("webhooks/n8n", token, $"[{Event("1")},{Event("2")}]");
        await world.Access.ExecuteAsync("update push_log set at = at - interval '31 days' where tenant_id = @Id and position = 0", tenant);
        await PushLog.PurgeAsync(app.Database, DateTimeOffset.UtcNow, TestContext.Current.CancellationToken);
        Assert.Equal(["2"], await world.Access.QueryAsync<string>("select execution_id from push_log where tenant_id = @Id", tenant));
    }

    [Fact]
    public async Task A_token_is_only_good_from_where_it_may_be_used()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        var made = await world.SendAsync(HttpMethod.Post, "tokens", tenant.Owner, JsonContent.Create(new { name = "elsewhere", scopes = new[] { "n8n", "read", "refresh" }, allowedAddresses = new[] { "203.0.113.0/24", "2001:db8::5" } }));
        Assert.Equal(201, made.Status);
        var (id, token, secret) = (made.Body!["id"]!.GetValue<Guid>(), made.Body["token"]!.GetValue<string>(), made.Body["signingSecret"]!.GetValue<string>());

        // From here it is good for nothing, signed or not, whatever it asks for, and it was not "used".
        var (status, body) = await world.PostAsync("webhooks/n8n", token, Event("1"));
        Assert.Equal(403, status);
        Assert.Contains("may not be used from", body!["detail"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(403, (await world.SignedAsync("webhooks/n8n", id, secret, Event("1"))).Status);
        Assert.Equal(403, (await world.GetAsync("kpis", token)).Status);
        // No header makes an address of somebody else's, here where no proxy stands in front.
        using (var client = new HttpClient { BaseAddress = app.Address })
        {
            string[] headers =
                ["X-Forwarded-For", "X-Original-For", "Forwarded", "X-Real-IP", "CLIENT-IP", "X-Client-IP", "X-Azure-ClientIP"];
            foreach (var header in headers)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, "api/kpis");
                request.Headers.Add("X-Kpi-Token", token);
                request.Headers.Add(header, header == "Forwarded" ? "for=203.0.113.7" : "203.0.113.7");
                using var forged = await client.SendAsync(request, TestContext.Current.CancellationToken);
                Assert.Equal((header, HttpStatusCode.Forbidden), (header, forged.StatusCode));
            }
        }

        Assert.Equal(403, (await world.PostAsync("webhooks/refresh", token, "{}")).Status);
        Assert.Equal((0, null), await world.OneAsync<(int, DateTimeOffset?)>(
            "select (select count(*)::int from executions where tenant_id = @Id), last_used_at from api_tokens where tenant_id = @Id", tenant));
        // A signature that does not fit tells nobody where it would have been good from.
        Assert.Equal(401, (await world.SignedAsync("webhooks/n8n", id, secret, Event("1"), sentBody: Event("2"))).Status);

        // The owner sees that it was tried, and from where; then lets that address in.
        var refused = Assert.Single(await LogAsync(world, tenant, ""));
        Assert.Equal(("rejected", "elsewhere"), (refused["outcome"]!.GetValue<string>(), refused["token"]!.GetValue<string>()));
        var from = refused["address"]!.GetValue<string>();
        Assert.Contains(from, refused["reason"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(["203.0.113.0/24", "2001:db8::5/128"], await AllowedAsync());
        var changed = await world.SendAsync(HttpMethod.Patch, $"tokens/{id}", tenant.Owner, JsonContent.Create(new { allowedAddresses = new[] { "203.0.113.0/24", from } }));
        Assert.Equal(200, changed.Status);
        Assert.Equal(2, (await AllowedAsync()).Length);
        Assert.Equal(200, (await world.PostAsync("webhooks/n8n", token, Event("1"))).Status);
        Assert.Equal(200, (await world.SignedAsync("webhooks/n8n", id, secret, Event("2"))).Status);
        Assert.Equal("token.changed", await world.OneAsync<string>("select action from audit_log where tenant_id = @Id order by at desc limit 1", tenant));

        // Nobody else's token, no address that is none, nothing half-written.
        Assert.Equal(400, (await world.SendAsync(HttpMethod.Patch, $"tokens/{id}", tenant.Owner, JsonContent.Create(new { allowedAddresses = new[] { from, "203.0.113.7/24" } }))).Status);
        var wrong = await world.SendAsync(HttpMethod.Post, "tokens", tenant.Owner, JsonContent.Create(new { name = "x", scopes = new[] { "n8n" }, allowedAddresses = new[] { "everywhere" } }));
        Assert.Equal(400, wrong.Status);
        Assert.Contains("everywhere", wrong.Body!["errors"]!["allowedAddresses"]![0]!.GetValue<string>(), StringComparison.Ordinal);
        var other = await world.TenantAsync();
        Assert.Equal(404, (await world.SendAsync(HttpMethod.Patch, $"tokens/{id}", other.Owner, JsonContent.Create(new { allowedAddresses = Array.Empty<string>() }))).Status);
        Assert.Equal(2, (await AllowedAsync()).Length);
        Assert.Equal(200, (await world.SendAsync(HttpMethod.Patch, $"tokens/{id}", tenant.Owner, JsonContent.Create(new { allowedAddresses = Array.Empty<string>() }))).Status);
        Assert.Empty(await AllowedAsync());

        async Task<string[]> AllowedAsync()
        {
            var (_, list) = await world.GetAsync("tokens", tenant.Owner);
            return [.. list!["tokens"]![0]!["allowedAddresses"]!.AsArray().Select(one => one!.GetValue<string>())];
        }
    }

    [Theory]
    [InlineData("revoked_at = now()", 401)]
    [InlineData("expires_at = now() - interval '1 minute'", 401)]
    [InlineData("scopes = '{read}'", 403)]
    public async Task A_token_that_is_good_no_more_is_told_of_and_the_log_is_no_way_in(string change, int expected)
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        var (id, token, _) = await world.TokenAsync(tenant, "n8n");
        await world.Access.ExecuteAsync($"update api_tokens set {change} where tenant_id = @Tenant and id = @id", new { Tenant = tenant.Id, id });
        foreach (var _ in new int[3]) Assert.Equal(expected, (await world.PostAsync("webhooks/n8n", token, Event("1"))).Status);
        var entry = Assert.Single(await LogAsync(world, tenant, ""));
        Assert.Equal(("rejected", 0), (entry["outcome"]!.GetValue<string>(), entry["events"]!.GetValue<int>()));
        Assert.Equal(401, (await world.PostAsync("webhooks/n8n", "kpi_nobodys", Event("1"))).Status);
    }

    private static async Task<List<JsonNode>> LogAsync(PushWorld world, PushTenant tenant, string query)
    {
        var (status, body) = await world.GetAsync("push/log" + query, tenant.Owner);
        Assert.Equal(200, status);
        return [.. body!["entries"]!.AsArray().Select(entry => entry!)];
    }
}
