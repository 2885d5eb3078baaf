using System.Text.RegularExpressions;
using KpiDashboard.Access;
using KpiDashboard.IntegrationTests.App;
using Xunit;

namespace KpiDashboard.IntegrationTests.Access;

/// <summary>Two businesses with identical data: nothing of one shows in what the other is answered, and nothing that one does touches the other.</summary>
[Collection(AppCollection.Name)]
public sealed partial class CrossTenantTests(AppFixture app)
{
    // The businesses' numbers run for 50 days up to yesterday.
    private static readonly string Days = $"from={Day(29)}&to={Day(2)}";

    private static readonly Dictionary<string, string> Queries = new(StringComparer.Ordinal)
    {
        ["metrics/summary"] = $"?{Days}&compare=previous_period",
        ["metrics/history"] = $"?kpis=automation.executions,web.sessions,shop.revenue&from={Day(49)}&to={Day(0)}&grain=week",
        ["metrics/{key}/breakdown"] = $"?dimension=channel&{Days}&compare=previous_period",
        ["metrics/provenance"] = $"?kpi=web.sessions&date={Day(18)}",
        ["export"] = $"?{Days}&grain=week",
        ["insights/business"] = $"?from={Day(6)}&to={Day(0)}",
        ["annotations"] = $"?{Days}",
        ["automation/performance"] = $"?{Days}",
        ["automation/export/workflows"] = $"?{Days}",
        ["audit"] = $"?from={Day(18)}&to={Day(4)}",
        ["audit/export"] = $"?format=json&from={Day(18)}&to={Day(4)}",
        // An n8n is not connected by signing in; without it, each answer holds random numbers.
        ["integrations/google-analytics/authorize"] = "?integrationId={integration}",
        ["integrations/google-analytics/properties"] = "?grant={export}",
    };

    /// <summary>What works for a tenant; who operates the installation does so across them, by a key that nobody in a tenant has (AccessMatrixTests).</summary>
    private static IEnumerable<AppRoute> Guarded => AppRoute.All.Where(route => route.Required.Permission is not (Permission.Anonymous or Permission.Operate));

    [Fact]
    public async Task Every_read_answers_both_alike_and_names_nothing_of_the_other()
    {
        await using var world = new AccessWorld(app);
        var (one, two) = await PairAsync(world);
        var reads = Guarded.Where(route => route.Verb == "GET").ToList();
        Assert.True(reads.Count >= 20, $"Only {reads.Count} reads were found.");
        foreach (var route in reads)
        {
            var (first, second) = (await ReadAsync(one), await ReadAsync(two));
            Assert.Equal(first.Status, second.Status);
            Assert.True(first.Status is 200 or 409, $"{route}: {first.Status} {first.Body}");
            foreach (var trace in two.Traces) Assert.DoesNotContain(trace, first.Body, StringComparison.OrdinalIgnoreCase);
            foreach (var trace in one.Traces) Assert.DoesNotContain(trace, second.Body, StringComparison.OrdinalIgnoreCase);
            Assert.True(Neutral(first.Body, one) == Neutral(second.Body, two), $"{route} answers differently:\n{Neutral(first.Body, one)}\n{Neutral(second.Body, two)}");

            Task<(int Status, string Body)> ReadAsync(AccessTenant tenant) =>
                world.SendAsync("GET", Own(route.Path, tenant) + Queries.GetValueOrDefault(route.Path, "")
                    .Replace("{integration}", tenant.Integration.ToString(), StringComparison.Ordinal).Replace("{export}", tenant.Export.ToString(), StringComparison.Ordinal), tenant.OwnerToken);
        }
    }

    [Fact]
    public async Task An_id_of_the_other_is_answered_as_one_that_never_was_and_changes_nothing()
    {
        await using var world = new AccessWorld(app);
        var (one, two) = await PairAsync(world);
        var before = await world.FingerprintAsync(two.Id);
        var routes = Guarded.Where(route => route.Path.Contains("{id}", StringComparison.Ordinal)).ToList();
        Assert.True(routes.Count >= 10, $"Only {routes.Count} routes with an id were found.");
        foreach (var route in routes)
        {
            var body = route.ToString() == "PATCH kpis/custom/{id}" ? """{"name":"New"}"""
                : route.ToString() == "PATCH dashboards/{id}" ? """{"version":1,"name":"New"}"""
                : route.ToString() == "POST dashboards/{id}/shares" ? """{"label":"New","days":3}"""
                : route.ToString() == "PATCH integrations/{id}" ? """{"displayName":"New"}"""
                : route.ToString() == "PATCH goals/{id}" ? """{"target":5}"""
                : route.ToString() == "PATCH kpis/calculated/{id}" ? """{"name":"New"}"""
                : route.ToString() == "PATCH annotations/{id}" ? """{"text":"New"}"""
                : route.ToString() == "PATCH tokens/{id}" ? """{"allowedAddresses":["203.0.113.7"]}"""
                : route.ToString() == "POST insights/{id}/snooze" ? Snooze
                : route.Path.EndsWith("{workflowId}", StringComparison.Ordinal) ? """{"minutesSaved":3}"""
                : route.Verb == "PATCH" ? """{"role":"viewer"}""" : null;
            var unknown = await world.SendAsync(route.Verb, route.Path.Replace("{id}", Guid.NewGuid().ToString(), StringComparison.Ordinal).Replace("{shareId}", Guid.NewGuid().ToString(), StringComparison.Ordinal), one.OwnerToken, body);
            foreach (var id in new[] { two.Integration, two.Run, two.Token, two.Invitation, two.Export, two.OwnerId, two.OwnerSession, two.Id })
            {
                var other = await world.SendAsync(route.Verb, route.Path.Replace("{id}", id.ToString(), StringComparison.Ordinal).Replace("{shareId}", two.Run.ToString(), StringComparison.Ordinal), one.OwnerToken, body);
                Assert.Equal((route.ToString(), 404, WithoutTrace(unknown.Body)), (route.ToString(), other.Status, WithoutTrace(other.Body)));
            }
        }

        Assert.Equal(before, await world.FingerprintAsync(two.Id));
    }

    [Theory]
    [InlineData("GET", "sync/runs?integrationId={integration}", null)]
    [InlineData("GET", "audit?actor={owner}", null)]
    [InlineData("GET", "audit/export?format=csv&actor={owner}", null)]
    [InlineData("POST", "auth/switch", """{"tenantId":"{tenant}"}""")]
    [InlineData("POST", "tenant/transfer-ownership", """{"userId":"{owner}"}""")]
    public async Task An_id_of_the_other_in_a_query_or_a_body_is_answered_as_one_that_never_was(string verb, string path, string? body)
    {
        await using var world = new AccessWorld(app);
        var (one, two) = await PairAsync(world);
        var before = await world.FingerprintAsync(two.Id);
        var other = await world.SendAsync(verb, Put(path, two.Integration, two.OwnerId, two.Id)!, one.OwnerToken, Put(body, two.Integration, two.OwnerId, two.Id));
        var unknown = await world.SendAsync(verb, Put(path, Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid())!, one.OwnerToken, Put(body, Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid()));
        Assert.Equal((unknown.Status, WithoutTrace(unknown.Body)), (other.Status, WithoutTrace(other.Body)));
        Assert.True(verb == "GET" ? other.Status == 200 : other.Status == 404, $"{other.Status} {other.Body}");
        Assert.Equal(before, await world.FingerprintAsync(two.Id));

        static string? Put(string? text, Guid integration, Guid owner, Guid tenant) => text?
            .Replace("{integration}", integration.ToString(), StringComparison.Ordinal).Replace("{owner}", owner.ToString(), StringComparison.Ordinal)
            .Replace("{tenant}", tenant.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whatever_an_owner_does_in_one_is_audited_there_and_leaves_every_row_of_the_other_as_it_was()
    {
        await using var world = new AccessWorld(app);
        var (one, two) = await PairAsync(world);
        var before = await world.FingerprintAsync(two.Id);
        var (done, silent) = (0, new List<string>());
        async Task<int> EntriesAsync() => (await world.QueryAsync<int>("select count(*)::int from audit_log where tenant_id = @Id", new { one.Id })).Single();
        // What ends the person or the session comes last.
        foreach (var route in Guarded.Where(route => route.Verb != "GET").OrderBy(route => route.ToString() switch
        {
            "DELETE dashboards/{id}" => 1,
            "POST tenant/deletion" => 1,
            "DELETE tenant/deletion" => 2,
            "DELETE auth/me" or "POST auth/logout-everywhere" or "POST tenant/leave" => 3,
            _ => 0,
        }))
        {
            var person = await world.PersonAsync(one.Id, "owner");
            var entries = await EntriesAsync();
            var (status, body) = await world.SendAsync(route.Verb, Own(route.Path, one), person.Token, Body(route, one));
            Assert.True(status < 500, $"{route}: {status} {body}");
            if (status >= 300) continue;
            done++;
            // Whatever needs more than reading and refreshing is in the audit log.
            if (route.Required.Permission.ToString().StartsWith("Manage", StringComparison.Ordinal) && await EntriesAsync() == entries) silent.Add(route.ToString());
        }

        Assert.Empty(silent);

        Assert.True(done >= 15, $"Only {done} writes were accepted; the test would prove little.");
        Assert.Equal(before, await world.FingerprintAsync(two.Id));
    }

    [Fact]
    public async Task Who_only_claims_an_address_of_the_other_changes_nothing_of_its_log_by_any_route_or_job()
    {
        await using var world = new AccessWorld(app);
        var (one, two) = await PairAsync(world);
        var before = await KeptAsync();
        Assert.All(before, print => Assert.False(print.StartsWith("0 ", StringComparison.Ordinal)));
        foreach (var route in Guarded.Where(route => route.Verb != "GET"))
        {
            // A business of its own for each, in which the claimant is the only one, so that deleting it takes the account along.
            var own = Guid.NewGuid();
            await world.ExecuteAsync("insert into tenants (id, name, time_zone, currency) values (@own, 'Renamed', 'Europe/Berlin', 'EUR')", new { own });
            var claimant = await world.PersonAsync(own, "owner");
            await world.ExecuteAsync(
                "update users set email_verified_at = null, email = @email, email_key = upper(@email) where id = @Id", new { claimant.Id, email = $"owner-{two.Marker}@x.example" });
            var (status, body) = await world.SendAsync(route.Verb, Own(route.Path, one with { Id = own }), claimant.Token, Body(route, one with { Id = own }));
            Assert.True(status < 500, $"{route}: {status} {body}");
            await world.ExecuteAsync("update tenants set delete_after = now() - interval '1 minute' where id = @own", new { own });
        }

        await ((KpiDashboard.Privacy.Housekeeping)app.Services.GetService(typeof(KpiDashboard.Privacy.Housekeeping))!).RunAsync(TestContext.Current.CancellationToken);
        // Left are those of whom it was asked to make another business, and to join the demonstration: they belong there.
        Assert.True((await world.QueryAsync<Guid>("select id from users where email = @email and email_verified_at is null", new { email = $"owner-{two.Marker}@x.example" })).Count <= 2);
        Assert.Equal(before, await KeptAsync());

        async Task<IReadOnlyList<string>> KeptAsync()
        {
            var prints = await world.FingerprintAsync(two.Id);
            return [.. new[] { "audit_log", "invitations", "memberships", "api_tokens", "tenant_exports" }.Select(table => prints[table])];
        }
    }

    private static async Task<(AccessTenant One, AccessTenant Two)> PairAsync(AccessWorld world)
    {
        // Markers of equal length, so that lengths of bodies can be compared as well.
        var tail = Guid.NewGuid().ToString("N")[..10];
        return (await world.TenantAsync("kx" + tail), await world.TenantAsync("ky" + tail));
    }

    /// <summary>The route with an id of the right kind.</summary>
    internal static string Own(string path, AccessTenant tenant) => path
        .Replace("{workflowId}", "w", StringComparison.Ordinal)
        // As its source calls it: each n8n counts from 1.
        .Replace("automation/executions/{id}", "automation/executions/1", StringComparison.Ordinal)
        .Replace("{key}", "web.sessions", StringComparison.Ordinal).Replace("{shareId}", tenant.Run.ToString(), StringComparison.Ordinal).Replace("{id}", (path switch
        {
            _ when path.StartsWith("integrations/{id}", StringComparison.Ordinal) => tenant.Integration,
            "sync/runs/{id}" => tenant.Run,
            _ when path.StartsWith("dashboards/{id}", StringComparison.Ordinal) => tenant.Token,
            "tokens/{id}" or "kpis/custom/{id}" or "goals/{id}" or "kpis/calculated/{id}" or "annotations/{id}" or "insights/{id}/dismiss" => tenant.Token,
            "imports/{id}" => tenant.Export,
            "auth/sessions/{id}" => tenant.OwnerSession,
            "members/{id}" => tenant.OtherOwnerId,
            _ when path.StartsWith("members/invitations", StringComparison.Ordinal) => tenant.Invitation,
            _ when path.StartsWith("tenant/exports", StringComparison.Ordinal) => tenant.Export,
            _ => Guid.Empty,
        }).ToString(), StringComparison.Ordinal);

    private static string Snooze => $$"""{"until":"{{DateTime.UtcNow.AddDays(5):yyyy-MM-dd}}"}""";

    internal static string Body(AppRoute route, AccessTenant tenant) => route.ToString() switch
    {
        "PATCH auth/me" => """{"displayName":"New name"}""",
        "POST auth/switch" => $$"""{"tenantId":"{{tenant.Id}}"}""",
        "POST tenants" => """{"businessName":"Another"}""",
        "PUT tenant" => """{"name":"Renamed","timeZone":"Asia/Tokyo","currency":"JPY","locale":"ja-JP","weekStart":0,"fiscalYearStartMonth":4,"hourlyLabourCost":55,"automationCostPerMonth":10,"requireSecondFactor":false}""",
        "POST tenant/transfer-ownership" => $$"""{"userId":"{{tenant.OtherOwnerId}}"}""",
        "PATCH members/{id}" => """{"role":"admin"}""",
        "POST members/invitations" => """{"email":"new@x.example","role":"viewer"}""",
        "POST tokens" => """{"name":"t","scopes":["read"]}""",
        "PATCH tokens/{id}" => """{"allowedAddresses":["203.0.113.7"]}""",
        "POST kpis/custom" => """{"key":"custom.more","name":"More","unit":"count","direction":"up","aggregation":"sum"}""",
        "PATCH integrations/{id}" => """{"displayName":"Renamed","schedule":"hourly"}""",
        "PATCH integrations/{id}/workflows/{workflowId}" => """{"minutesSaved":3}""",
        "PATCH kpis/custom/{id}" => """{"name":"Renamed"}""",
        "POST dashboards" => """{"name":"Board","tiles":[{"id":"a","kind":"kpi","width":3,"height":1,"kpi":"web.sessions"}],"shared":true}""",
        "PATCH dashboards/{id}" => """{"version":1,"name":"Renamed"}""",
        "POST dashboards/{id}/shares" => """{"label":"Hall","days":7}""",
        "POST goals" => """{"kpi":"web.sessions","target":100,"rhythm":"week"}""",
        "PATCH goals/{id}" => """{"target":300}""",
        "POST kpis/calculated" => """{"key":"calc.more","name":"More","formula":"web.sessions * 2","unit":"count","direction":"up"}""",
        "POST kpis/calculated/preview" => """{"formula":"web.sessions * 2","unit":"count"}""",
        "PATCH kpis/calculated/{id}" or "PATCH annotations/{id}" => route.Path[0] == 'k' ? """{"name":"Renamed"}""" : """{"text":"Renamed"}""",
        "POST annotations" => $$"""{"text":"A note","from":"{{Day(17)}}"}""",
        "POST insights/{id}/snooze" => Snooze,
        "POST push" => $$"""{"readings":[{"kpi":"custom.own","date":"{{Day(17)}}","value":3}]}""",
        "POST tenant/deletion" => """{"name":"Renamed"}""",
        _ => "{}",
    };

    /// <summary>What must be equal for both: without the ids and the marker of each, and without instants of this moment.</summary>
    private static string Neutral(string body, AccessTenant tenant)
    {
        foreach (var trace in tenant.Traces) body = body.Replace(trace, "…", StringComparison.OrdinalIgnoreCase);
        // Rows that this very reading made (an export notes itself) have ids and times of their own.
        return Times().Replace(Ids().Replace(body, "id"), "time");
    }

    private static string Day(int beforeYesterday) => $"{AccessWorld.Yesterday.AddDays(-beforeYesterday):yyyy-MM-dd}";

    private static string WithoutTrace(string body) => Trace().Replace(body, "");

    [GeneratedRegex("\"traceId\":\"[^\"]*\"")]
    private static partial Regex Trace();

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}")]
    private static partial Regex Ids();

    [GeneratedRegex(@"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^""]*")]
    private static partial Regex Times();
}
