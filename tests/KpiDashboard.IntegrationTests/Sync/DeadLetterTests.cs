using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KpiDashboard.IntegrationTests.Sync;

public sealed class DeadLetterTests(PostgresFixture postgres)
{
    [Fact]
    public async Task Dead_runs_of_all_tenants_and_kept_messages_are_listed_newest_first_page_by_page()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var tenants = new List<Guid>();
        for (var i = 0; i < 5; i++)
        {
            tenants.Add((await KillRunAsync(engine)).Tenant);
            engine.Time.Advance(TimeSpan.FromMinutes(1));
            await engine.DeadLetters.HandleAsync("sync-n8n-poison", $"{{broken {i}", TestContext.Current.CancellationToken);
        }

        // Of the same instant: the key decides.
        await engine.DeadLetters.HandleAsync("sync-n8n-poison", "null", TestContext.Current.CancellationToken);

        var (all, cursor, pages) = (new List<JsonNode>(), "", 0);
        do
        {
            var page = await ListAsync(engine, $"?limit=3{(cursor.Length > 0 ? $"&cursor={cursor}" : "")}");
            all.AddRange(page["deadLetters"]!.AsArray().Select(entry => entry!));
            cursor = (string?)page["nextCursor"] ?? "";
            pages++;
        }
        while (cursor.Length > 0);

        Assert.Equal((4, 11), (pages, all.Count));
        Assert.Equal(11, all.Select(entry => (string)entry["id"]!).Distinct().Count());
        var instants = all.Select(entry => (DateTimeOffset)entry["at"]!).ToList();
        Assert.Equal(instants.OrderDescending(), instants);
        Assert.Equal(tenants.ToHashSet(), all.Where(entry => (string)entry["kind"]! == "run").Select(entry => (Guid)entry["tenantId"]!).ToHashSet());
        Assert.Equal(6, all.Count(entry => (string)entry["kind"]! == "message" && entry["body"] is not null && (string)entry["queue"]! == "sync-n8n-poison"));
    }

    [Fact]
    public async Task A_requeued_run_goes_on_as_its_next_step_succeeds_and_is_not_doubled_by_asking_twice()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var read = new ScriptedConnector().Fetch;
        var (tenant, run) = await KillRunAsync(engine);
        var (other, dead) = await KillRunAsync(engine);
        engine.Connector.Fetch = read;

        Assert.Equal(["requeued", "unknown"], await RequeueAsync(engine, $$"""{"runIds":["{{run}}","{{Guid.NewGuid()}}"]}"""));
        Assert.Equal("queued", (await engine.LastRunAsync(tenant)).Status);
        Assert.Equal(["not_dead"], await RequeueAsync(engine, $$"""{"runIds":["{{run}}","{{run}}"]}"""));
        Assert.Equal(1, engine.Queue.Count);
        // The messages of the run's first life change nothing.
        foreach (var (message, _) in engine.Queue.Sent.Where(sent => sent.Message.RunId == run && sent.Message.Step == 0).ToList()) engine.Queue.Put(message);
        await engine.DrainAsync();

        Assert.Equal("succeeded", (await engine.LastRunAsync(tenant)).Status);
        Assert.Equal([(1, 10m, 10m)], await engine.QueryAsync<(int, decimal, decimal)>(tenant,
            "select (select count(*) from sync_runs where tenant_id = @tenant)::int, min(value), max(value) from kpi_values where tenant_id = @tenant"));
        Assert.Equal([0], await engine.QueryAsync<int>(tenant, "select consecutive_failures from integrations where tenant_id = @tenant"));
        // Nobody asked for this one.
        Assert.Equal("dead", (await engine.LastRunAsync(other)).Status);
        Assert.Equal([dead.ToString()], (await ListAsync(engine, ""))["deadLetters"]!.AsArray().Select(entry => (string)entry!["id"]!));
    }

    [Fact]
    public async Task A_run_that_a_newer_one_replaces_or_whose_integration_is_off_is_not_brought_back()
    {
        await using var engine = await Engine.StartAsync(postgres);
        var (tenant, replaced) = await KillRunAsync(engine);
        var (off, paused) = await KillRunAsync(engine);
        var (going, leaving) = await KillRunAsync(engine);
        engine.Time.Advance(TimeSpan.FromSeconds(1));
        await engine.Refresh.StartAsync(tenant, null, "manual", null, TestContext.Current.CancellationToken);
        await engine.ExecuteAsOwnerAsync("update integrations set status = 'paused' where tenant_id = @off", new { off });
        await engine.ExecuteAsOwnerAsync("update tenants set delete_after = now() where id = @going", new { going });

        Assert.Equal(["superseded", "inactive", "inactive"], await RequeueAsync(engine, $$"""{"runIds":["{{replaced}}","{{paused}}","{{leaving}}"]}"""));
        Assert.Equal([("dead", 1), ("queued", 1)], await engine.QueryAsync<(string, int)>(tenant, "select status, count(*)::int from sync_runs where tenant_id = @tenant group by 1 order by 1"));
    }

    [Fact]
    public async Task A_kept_message_goes_back_to_its_queue_as_it_was_once()
    {
        await using var engine = await Engine.StartAsync(postgres);
        await engine.DeadLetters.HandleAsync("sync-n8n-poison", "{broken", TestContext.Current.CancellationToken);
        var id = (string)(await ListAsync(engine, ""))["deadLetters"]![0]!["id"]!;
        Assert.Equal(["requeued"], await RequeueAsync(engine, $$"""{"deadLetterIds":[{{id}}]}"""));
        Assert.Equal(["unknown"], await RequeueAsync(engine, $$"""{"deadLetterIds":[{{id}}]}"""));
        Assert.Equal([("sync-n8n", "{broken")], engine.Queue.Texts);
        Assert.Empty((await ListAsync(engine, ""))["deadLetters"]!.AsArray());
        await engine.ExecuteAsOwnerAsync("do $$ begin assert (select count(*) from dead_letters) = 1; end $$");
    }

    [Theory]
    [InlineData("{}", "deadLetterIds")]
    [InlineData("""{"runIds":[]}""", "deadLetterIds")]
    [InlineData("""{"runIds":["x"]}""", "runIds")]
    [InlineData("""{"runs":[]}""", "runs")]
    public async Task Bad_input_is_named(string body, string field)
    {
        await using var engine = await Engine.StartAsync(postgres);
        var problem = await Assert.ThrowsAsync<Api.ApiProblem>(() => RequeueAsync(engine, body));
        using var written = new MemoryStream();
        var context = new DefaultHttpContext { Response = { Body = written } };
        await problem.WriteAsync(context.Response, TestContext.Current.CancellationToken);
        Assert.Equal(400, context.Response.StatusCode);
        Assert.Contains(field, Encoding.UTF8.GetString(written.ToArray()), StringComparison.Ordinal);
    }

    private static async Task<(Guid Tenant, Guid Run)> KillRunAsync(Engine engine)
    {
        engine.Connector.Fetch = (_, _, _) => throw new InvalidOperationException("a bug");
        var (tenant, _) = await engine.AddTenantAsync();
        await engine.Refresh.StartAsync(tenant, null, "manual", null, TestContext.Current.CancellationToken);
        await engine.DrainAsync();
        Assert.Equal("dead", (await engine.LastRunAsync(tenant)).Status);
        return (tenant, (await engine.QueryAsync<Guid>(tenant, "select id from sync_runs where tenant_id = @tenant"))[0]);
    }

    private static async Task<JsonNode> ListAsync(Engine engine, string query)
    {
        var context = Context();
        context.Request.QueryString = new QueryString(query);
        return await AnswerAsync(context, await engine.Ops.ListAsync(context.Request, TestContext.Current.CancellationToken));
    }

    private static async Task<IEnumerable<string>> RequeueAsync(Engine engine, string body)
    {
        var context = Context();
        context.Request.Method = "POST";
        context.Request.ContentType = "application/json";
        context.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes(body));
        context.Request.ContentLength = body.Length;
        var answer = await AnswerAsync(context, await engine.Ops.RequeueAsync(context.Request, TestContext.Current.CancellationToken));
        return answer["outcomes"]!.AsArray().Select(outcome => (string)outcome!["outcome"]!).ToList();
    }

    private static DefaultHttpContext Context() => new() { RequestServices = new ServiceCollection().AddLogging().BuildServiceProvider(), Response = { Body = new MemoryStream() } };

    private static async Task<JsonNode> AnswerAsync(DefaultHttpContext context, IResult result)
    {
        await result.ExecuteAsync(context);
        return JsonNode.Parse(((MemoryStream)context.Response.Body).ToArray())!;
    }
}

/// <summary>The same over HTTP, where the host asks for its key.</summary>
[Collection(SecondAppCollection.Name)]
public sealed class OpsRoutesTests(AppFixture app)
{
    [Fact]
    public async Task Ops_routes_answer_to_a_function_key_and_to_no_token_of_anybody()
    {
        using var owner = await app.SignInAsync();
        using var anonymous = app.Anonymous();
        foreach (var (verb, path) in new[] { (HttpMethod.Get, "api/ops/dead-letters"), (HttpMethod.Post, "api/ops/requeue"), (HttpMethod.Get, "api/ops/overview"), (HttpMethod.Get, "api/ops/integrations"), (HttpMethod.Get, "api/ops/host") })
        {
            foreach (var (client, key) in new[] { (anonymous, (string?)null), (owner, null), (owner, "wrong"), (anonymous, "") })
            {
                using var response = await SendAsync(client, verb, path, key);
                Assert.Equal((HttpStatusCode.Unauthorized, ""), (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)));
            }
        }

        using var list = await SendAsync(anonymous, HttpMethod.Get, "api/ops/dead-letters", AppFixture.MasterKey);
        Assert.Equal(HttpStatusCode.OK, list.StatusCode);
        Assert.NotNull(JsonNode.Parse(await list.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!["deadLetters"]);
        using var requeue = await SendAsync(anonymous, HttpMethod.Post, "api/ops/requeue", AppFixture.MasterKey);
        Assert.Equal(HttpStatusCode.BadRequest, requeue.StatusCode);
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, HttpMethod verb, string path, string? key)
    {
        using var request = new HttpRequestMessage(verb, path);
        if (verb == HttpMethod.Post) request.Content = new StringContent("{}", Encoding.UTF8, "application/json");
        if (key is not null) request.Headers.TryAddWithoutValidation("x-functions-key", key);
        return await client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
