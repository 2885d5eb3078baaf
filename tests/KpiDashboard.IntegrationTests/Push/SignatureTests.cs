using KpiDashboard.IntegrationTests.App;
using Xunit;

namespace KpiDashboard.IntegrationTests.Push;

/// <summary>Standard Webhooks signatures in place of a token, at the whole app.</summary>
[Collection(AppCollection.Name)]
public sealed class SignatureTests(AppFixture app)
{
    private const string Body = """{"connectors":["n8n"]}""";

    [Fact]
    public async Task A_signed_refresh_is_admitted_and_notes_when_the_token_was_used()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        var (id, _, secret) = await world.TokenAsync(tenant, "refresh");
        Assert.Equal(202, (await world.SignedAsync("webhooks/refresh", id, secret, Body)).Status);
        Assert.Equal(202, (await world.SignedAsync("webhooks/refresh", id, secret, "")).Status);
        Assert.True(await world.OneAsync<bool>("select last_used_at > now() - interval '1 minute' from api_tokens where id = @id", new { id }));
    }

    [Fact]
    public async Task Whatever_does_not_fit_is_401_and_told_alike()
    {
        await using var world = new PushWorld(app);
        var (own, other) = (await world.TenantAsync(), await world.TenantAsync());
        var (id, _, secret) = await world.TokenAsync(own, "refresh");
        var (otherId, _, otherSecret) = await world.TokenAsync(other, "refresh");
        var wrong = new Dictionary<string, (int Status, System.Text.Json.Nodes.JsonNode? Body)>
        {
            ["a tampered body"] = await world.SignedAsync("webhooks/refresh", id, secret, Body, sentBody: """{"connectors":["google-analytics"]}"""),
            ["another tenant's secret"] = await world.SignedAsync("webhooks/refresh", id, otherSecret, Body),
            ["another tenant's token"] = await world.SignedAsync("webhooks/refresh", otherId, secret, Body),
            ["an unknown token"] = await world.SignedAsync("webhooks/refresh", Guid.NewGuid(), secret, Body),
        };
        await world.Access.ExecuteAsync("update api_tokens set revoked_at = now() where id = @otherId", new { otherId });
        wrong["a revoked token"] = await world.SignedAsync("webhooks/refresh", otherId, otherSecret, Body);
        var (expiredId, _, expiredSecret) = await world.TokenAsync(own, "refresh");
        await world.Access.ExecuteAsync("update api_tokens set expires_at = now() where id = @expiredId", new { expiredId });
        wrong["a token that ran out"] = await world.SignedAsync("webhooks/refresh", expiredId, expiredSecret, Body);
        Assert.All(wrong, item => Assert.Equal((item.Key, 401), (item.Key, item.Value.Status)));
        Assert.Single(wrong.Values.Select(item => item.Body!["detail"]!.GetValue<string>()).Distinct());

        Assert.Equal(401, (await world.SignedAsync("webhooks/refresh", id, secret, Body, offset: -310)).Status);
        Assert.Equal(401, (await world.SignedAsync("webhooks/refresh", id, secret, Body, offset: 310)).Status);
        Assert.Equal(202, (await world.SignedAsync("webhooks/refresh", id, secret, Body, offset: -280)).Status);
    }

    [Fact]
    public async Task A_signature_goes_no_further_than_the_scopes_of_its_token_and_only_where_signatures_are_taken()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        var (id, _, secret) = await world.TokenAsync(tenant, "push", "read");
        Assert.Equal(403, (await world.SignedAsync("webhooks/refresh", id, secret, Body)).Status);
        Assert.Equal(403, (await world.SignedAsync("webhooks/n8n", id, secret, "[]")).Status);
        Assert.Equal(401, (await world.SignedAsync("push", id, secret, """{"readings":[]}""")).Status);
        await world.Access.ExecuteAsync("update tenants set delete_after = now() + interval '1 day' where id = @Id", tenant);
        var (refreshId, refreshSecret) = (Guid.NewGuid(), "");
        await world.Access.ExecuteAsync("update tenants set delete_after = null where id = @Id", tenant);
        (refreshId, _, refreshSecret) = await world.TokenAsync(tenant, "refresh");
        await world.Access.ExecuteAsync("update tenants set delete_after = now() + interval '1 day' where id = @Id", tenant);
        Assert.Equal(409, (await world.SignedAsync("webhooks/refresh", refreshId, refreshSecret, Body)).Status);
    }

    [Fact]
    public async Task A_message_that_is_sent_again_is_answered_as_before_and_does_nothing_whatever_key_it_brings()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        await world.Access.ExecuteAsync("insert into integrations (tenant_id, id, connector, display_name) values (@Id, gen_random_uuid(), 'n8n', 'n8n')", tenant);
        var (id, _, secret) = await world.TokenAsync(tenant, "refresh");
        var first = await world.SignedAsync("webhooks/refresh", id, secret, Body, "msg_1");
        Assert.Equal(202, first.Status);
        var run = first.Body!["runs"]![0]!["id"]!.GetValue<string>();
        await Eventually.TrueAsync(() => world.OneAsync<bool>("select status = 'failed' from sync_runs where id = @run::uuid", new { run }), TimeSpan.FromMinutes(1), "the run without an address fails");

        var again = await world.SignedAsync("webhooks/refresh", id, secret, Body, "msg_1", more: ("Idempotency-Key", Guid.NewGuid().ToString()));
        Assert.Equal(run, again.Body!["runs"]![0]!["id"]!.GetValue<string>());
        Assert.Equal(1, await world.OneAsync<int>("select count(*)::int from sync_runs where tenant_id = @Id", tenant));
        await world.SignedAsync("webhooks/refresh", id, secret, Body, "msg_2");
        Assert.Equal(2, await world.OneAsync<int>("select count(*)::int from sync_runs where tenant_id = @Id", tenant));
    }

    [Fact]
    public async Task Refreshes_are_limited_per_tenant_and_what_is_answered_from_memory_is_not()
    {
        await using var world = new PushWorld(app);
        var (tenant, other) = (await world.TenantAsync(), await world.TenantAsync());
        var (id, token, secret) = await world.TokenAsync(tenant, "refresh");
        Assert.Equal(202, (await world.SignedAsync("webhooks/refresh", id, secret, Body, "msg_first")).Status);
        var answers = new List<int>();
        for (var round = 0; round < 24; round++) answers.Add((await world.PostAsync(round % 2 == 0 ? "webhooks/refresh" : "sync/refresh", token, Body)).Status);
        Assert.All(answers.Take(19), status => Assert.Equal(202, status));
        Assert.Equal(429, answers[^1]);
        Assert.Equal(202, (await world.SignedAsync("webhooks/refresh", id, secret, Body, "msg_first")).Status);
        Assert.Equal(202, (await world.PostAsync("sync/refresh", other.Owner, Body)).Status);
    }
}
