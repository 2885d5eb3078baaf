using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using KpiDashboard.IntegrationTests.App;
using Xunit;

namespace KpiDashboard.IntegrationTests.Tenancy;

[Collection(SecondAppCollection.Name)]
public sealed class TenantsTests(AppFixture app)
{
    private readonly Town _town = new(app);

    private Task IntegrationAsync(Guid tenant, string connector, string status = "active", int failures = 0, string? error = null, bool fetched = true) => _town.ExecuteAsync(
        """
        insert into integrations (tenant_id, id, connector, display_name, status, consecutive_failures, last_error, fetched_at, complete_through)
        values (@tenant, gen_random_uuid(), @connector, @connector, @status, @failures, @error, case when @fetched then now() - interval '1 hour' end, case when @fetched then @yesterday end)
        """,
        new { tenant, connector, status, failures, error, fetched, yesterday = TestDays.Yesterday(Town.Zone) });

    [Fact]
    public async Task An_operator_sees_his_businesses_and_no_other_with_what_needs_him_first()
    {
        var names = new[] { "Well", "Empty", "Broken", "Slow" };
        var yesterday = TestDays.Yesterday(Town.Zone);
        var tenants = new Dictionary<string, Guid>();
        foreach (var name in names) tenants[name] = await _town.TenantAsync(name);
        var operatorOf = await _town.PersonAsync(tenants["Well"], "owner");
        foreach (var name in names.Skip(1)) await _town.JoinAsync(tenants[name], operatorOf.Id, "admin");
        var foreign = await _town.TenantAsync("Foreign");
        await IntegrationAsync(foreign, "n8n", "reconnect_needed");
        var gone = await _town.TenantAsync("Gone");
        await _town.JoinAsync(gone, operatorOf.Id, "admin");
        await _town.ExecuteAsync("update memberships set deactivated_at = now() where tenant_id = @gone", new { gone });
        await IntegrationAsync(tenants["Well"], "n8n");
        await IntegrationAsync(tenants["Broken"], "n8n", failures: 2, error: "It did not answer.");
        await IntegrationAsync(tenants["Broken"], "ga4", "reconnect_needed");
        await IntegrationAsync(tenants["Broken"], "shop");
        await IntegrationAsync(tenants["Slow"], "n8n", failures: 1, error: "It did not answer.");

        var list = (await operatorOf.Client.GetJsonAsync("api/tenants"))["tenants"]!.AsArray();
        Assert.Equal(["Broken trouble 3/2", "Slow attention 1/1", "Empty empty 0/0", "Well ok 1/0"],
            list.Select(entry => $"{entry!["name"]} {entry["health"]} {entry["integrations"]}/{entry["troubled"]}"));
        Assert.Equal("ga4 no longer lets us in. Numbers since then are missing, not zero. Connect it again.", (string)list[0]!["message"]!);
        Assert.Equal($"{yesterday:yyyy-MM-dd}", (string)list[3]!["completeThrough"]!);
        Assert.Null(list[3]!["message"]);

        using var first = await operatorOf.Client.GetAsync("api/tenants", TestContext.Current.CancellationToken);
        using var again = new HttpRequestMessage(HttpMethod.Get, "api/tenants") { Headers = { IfNoneMatch = { first.Headers.ETag! } } };
        using var answer = await operatorOf.Client.SendAsync(again, TestContext.Current.CancellationToken);
        Assert.Equal(304, (int)answer.StatusCode);
    }

    [Fact]
    public async Task Five_hundred_businesses_are_listed_by_one_query()
    {
        var home = await _town.TenantAsync("Home");
        var agency = await _town.PersonAsync(home, "owner");
        await _town.ExecuteAsync(
            """
            with t as (insert into tenants (id, name, time_zone, currency) select gen_random_uuid(), 'Client ' || n, 'Europe/Berlin', 'EUR' from generate_series(1, 499) n returning id),
            m as (insert into memberships (tenant_id, user_id, role) select id, @Id, 'admin' from t)
            insert into integrations (tenant_id, id, connector, display_name, fetched_at) select id, gen_random_uuid(), c, c, now() from t cross join unnest(array['n8n', 'google-analytics']) c
            """,
            new { agency.Id });
        var times = new List<double>();
        JsonArray list = [];
        for (var i = 0; i < 6; i++)
        {
            var started = Stopwatch.GetTimestamp();
            list = (await agency.Client.GetJsonAsync("api/tenants"))["tenants"]!.AsArray();
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        Assert.Equal(500, list.Count);
        Assert.Equal(499, list.Count(entry => (string)entry!["health"]! == "ok" && (int)entry["integrations"]! == 2));
        TestContext.Current.SendDiagnosticMessage($"GET tenants, 500 businesses: {string.Join(", ", times.Select(time => time.ToString("0.0", CultureInfo.InvariantCulture)))} ms");
        TestContext.Current.TestOutputHelper!.WriteLine($"GET tenants, 500 businesses: {string.Join(", ", times.Select(time => time.ToString("0.0", CultureInfo.InvariantCulture)))} ms");
    }

    [Fact]
    public async Task Another_business_is_made_with_its_maker_as_owner_and_the_session_goes_on_in_it()
    {
        var tenant = await _town.TenantAsync();
        var person = await _town.PersonAsync(tenant, "viewer");
        var answer = await person.Client.AskAsync(HttpMethod.Post, "api/tenants", new { businessName = " Second ", timeZone = "Asia/Tokyo", currency = "JPY" });
        Assert.Equal(201, answer.Status);
        var made = answer.Body!["tenant"]!;
        Assert.Equal(("Second", "owner", "Asia/Tokyo", "JPY"), ((string)made["name"]!, (string)made["role"]!, (string)made["timeZone"]!, (string)made["currency"]!));
        Assert.Single(await _town.QueryAsync<Guid>("select id from sessions where user_id = @Id", new { person.Id }));
        await _town.As((string)answer.Body["accessToken"]!).GetJsonAsync("api/members");
        Assert.Equal(["tenant.created"], await _town.AuditAsync((Guid)made["id"]!));

        var bad = await person.Client.AskAsync(HttpMethod.Post, "api/tenants", new { businessName = "", timeZone = "Mars/Base", currency = "XXX" });
        Assert.Equal((400, "businessName currency timeZone"), (bad.Status, string.Join(' ', bad.Body!["errors"]!.AsObject().Select(error => error.Key).Order(StringComparer.Ordinal))));
        for (var i = 0; i < 9; i++) Assert.Equal(201, (await person.Client.AskAsync(HttpMethod.Post, "api/tenants", new { businessName = "More" })).Status);
        Assert.Equal(429, (await person.Client.AskAsync(HttpMethod.Post, "api/tenants", new { businessName = "Too many" })).Status);
    }

    [Fact]
    public async Task Everybody_reads_the_table_of_roles()
    {
        var tenant = await _town.TenantAsync();
        var viewer = await _town.PersonAsync(tenant, "viewer");
        var table = await viewer.Client.GetJsonAsync("api/roles");
        Assert.Equal(["owner", "admin", "member", "viewer"], table["roles"]!.AsArray().Select(role => (string)role!["role"]!));
        Assert.Equal(["signed_in", "read", "keep_dashboards"], table["roles"]![3]!["permissions"]!.AsArray().Select(key => (string)key!));
        Assert.All(table["permissions"]!.AsArray(), permission => Assert.NotEmpty((string)permission!["description"]!));
        Assert.Subset(
            table["permissions"]!.AsArray().Select(permission => (string)permission!["key"]!).ToHashSet(),
            table["roles"]!.AsArray().SelectMany(role => role!["permissions"]!.AsArray()).Select(key => (string)key!).ToHashSet());
    }

    [Fact]
    public async Task Settings_are_changed_whole_audited_with_what_changed_alone_and_seen_at_once()
    {
        var (tenant, other) = (await _town.TenantAsync(), await _town.TenantAsync("Other"));
        var owner = await _town.PersonAsync(tenant, "owner");
        var neighbour = await _town.PersonAsync(other, "owner");
        using var before = await owner.Client.GetAsync("api/tenant", TestContext.Current.CancellationToken);
        var settings = await owner.Client.GetJsonAsync("api/tenant");
        var same = await owner.Client.SendJsonAsync(HttpMethod.Put, "api/tenant", settings);
        Assert.Empty(same["effects"]!.AsArray());
        Assert.Empty(await _town.AuditAsync(tenant));

        settings["name"] = " New name ";
        settings["weekStart"] = 0;
        settings["hourlyLabourCost"] = 45.5;
        var answer = await owner.Client.SendJsonAsync(HttpMethod.Put, "api/tenant", settings);
        Assert.Equal("New name", (string)answer["settings"]!["name"]!);
        Assert.Equal(("""{"name": "Bakery", "weekStart": 1, "hourlyLabourCost": null}""", """{"name": "New name", "weekStart": 0, "hourlyLabourCost": 45.5}"""),
            (await _town.QueryAsync<(string, string)>("select before::text, after::text from audit_log where tenant_id = @tenant", new { tenant })).Single());
        using var again = new HttpRequestMessage(HttpMethod.Get, "api/tenant") { Headers = { IfNoneMatch = { before.Headers.ETag! } } };
        using var fresh = await owner.Client.SendAsync(again, TestContext.Current.CancellationToken);
        Assert.Equal(200, (int)fresh.StatusCode);
        Assert.Equal("Other", (string)(await neighbour.Client.GetJsonAsync("api/tenant"))["name"]!);
    }

    [Fact]
    public async Task Every_wrong_setting_is_named_and_nothing_is_changed_and_members_may_look_only()
    {
        var tenant = await _town.TenantAsync();
        var owner = await _town.PersonAsync(tenant, "owner");
        var wrong = new
        {
            name = "",
            timeZone = "W. Europe Standard Time",
            currency = "EURO",
            locale = "x",
            weekStart = 7,
            fiscalYearStartMonth = 0,
            hourlyLabourCost = -1,
            automationCostPerMonth = 1.001,
            requireSecondFactor = false,
        };
        var answer = await owner.Client.AskAsync(HttpMethod.Put, "api/tenant", wrong);
        Assert.Equal(400, answer.Status);
        Assert.Equal(
            ["automationCostPerMonth", "currency", "fiscalYearStartMonth", "hourlyLabourCost", "locale", "name", "timeZone", "weekStart"],
            answer.Body!["errors"]!.AsObject().Select(error => error.Key).Order(StringComparer.Ordinal));
        Assert.Equal("Bakery", (string)(await owner.Client.GetJsonAsync("api/tenant"))["name"]!);
        var member = await _town.PersonAsync(tenant, "member");
        var settings = await member.Client.GetJsonAsync("api/tenant");
        await member.Client.RefusedAsync(403, HttpMethod.Put, "api/tenant", settings);
    }

    [Fact]
    public async Task A_second_factor_is_demanded_of_all_only_by_one_who_has_it()
    {
        var tenant = await _town.TenantAsync();
        var without = await _town.PersonAsync(tenant, "owner");
        var with = await _town.PersonAsync(tenant, "owner", secondFactor: true);
        var settings = await without.Client.GetJsonAsync("api/tenant");
        settings["requireSecondFactor"] = true;
        Assert.Contains("lock you out", await without.Client.RefusedAsync(409, HttpMethod.Put, "api/tenant", settings), StringComparison.Ordinal);
        await without.Client.GetJsonAsync("api/integrations");
        await with.Client.SendJsonAsync(HttpMethod.Put, "api/tenant", settings);
        var refused = await without.Client.AskAsync(HttpMethod.Get, "api/integrations");
        Assert.EndsWith("/second-factor-required", (string)refused.Body!["type"]!, StringComparison.Ordinal);
        await with.Client.GetJsonAsync("api/integrations");
    }
}
