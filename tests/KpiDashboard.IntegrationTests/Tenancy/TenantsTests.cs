using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Dapper;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.Tests.Shared;
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
            m as (insert into memberships (tenant_id, user_id, role) select id, @Id, 'admin' from t),
            i as (insert into integrations (tenant_id, id, connector, display_name, fetched_at, complete_through)
                select id, gen_random_uuid(), c, c, now(), @yesterday from t cross join unnest(array['n8n', 'google-analytics']) with ordinality as u (c, n) order by n)
            select 1;

            """ + ManyValues.Insert(
            """
            select t.id, case when k like 'automation.%' then 1 else 2 end, k, @yesterday - n, (100 + n)::numeric
            from tenants t join memberships m on m.tenant_id = t.id and m.user_id = @Id and t.name like 'Client %'
            cross join unnest(array['shop.revenue', 'automation.time_saved', 'web.sessions', 'automation.failed']) k cross join generate_series(0, 27) n
            """),
            new { agency.Id, yesterday = TestDays.Yesterday(Town.Zone) });
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
        Assert.Equal(499, list.Count(entry => entry!["numbers"]?["revenue"] is not null
            && entry["numbers"]!["minutesSavedChange"] is not null));
        TestContext.Current.SendDiagnosticMessage($"GET tenants, 500 businesses: {string.Join(", ", times.Select(time => time.ToString("0.0", CultureInfo.InvariantCulture)))} ms");
        TestContext.Current.TestOutputHelper!.WriteLine($"GET tenants, 500 businesses: {string.Join(", ", times.Select(time => time.ToString("0.0", CultureInfo.InvariantCulture)))} ms");
    }

    /// <summary>Two sources and sixteen weeks: as usual, and in the last week so many times as much.</summary>
    private async Task MeasuredAsync(Guid tenant, decimal lastWeek)
    {
        var yesterday = TestDays.Yesterday(Town.Zone);
        await _town.ExecuteAsync(
            """
            insert into integrations (tenant_id, id, connector, display_name, fetched_at, complete_through, final_through, read_from, backfilled_at, currency)
            select @tenant, gen_random_uuid(), c, c, now() - interval '1 hour', @yesterday, @yesterday, @yesterday - 112, now(), 'EUR'
            from unnest(array['google-analytics', 'n8n']) c;
            insert into kpi_values (tenant_id, kpi, day, value, day_ended, first_seen_at, changed_at)
            select @tenant, k, d::date, case when d > @yesterday - 7 then round(1000 * @lastWeek) else 1000 end, true, now(), now()
            from generate_series(@yesterday::timestamp - interval '112 days', @yesterday, interval '1 day') d
            cross join unnest(array['web.sessions', 'shop.revenue', 'shop.transactions', 'automation.failed', 'automation.time_saved']) k
            """,
            new { tenant, yesterday, lastWeek });
    }

    /// <summary>Has the timer work out and keep what lists tell of the person's businesses, as of now.</summary>
    private async Task TickAsync(Person person)
    {
        using var host = app.Anonymous();
        host.DefaultRequestHeaders.Add("x-functions-key", AppFixture.MasterKey);
        using var tick = await host.PostAsync(
            "admin/functions/ScheduleSyncs", new StringContent("{}", System.Text.Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);
        Assert.Equal(202, (int)tick.StatusCode);
        await using var owner = new Npgsql.NpgsqlConnection(app.OwnerConnectionString);
        await Eventually.TrueAsync(
            async () => await owner.ExecuteScalarAsync<long>(
                """
                select count(*) from memberships m join tenants t on t.id = m.tenant_id
                where m.user_id = @Id and t.health_version is distinct from t.data_version
                  and exists (select from integrations i where i.tenant_id = t.id)
                """,
                new { person.Id }) == 0,
            TimeSpan.FromMinutes(1), "the timer worked the scores out");
    }

    private static async Task<JsonArray> ListAsync(Person person) => (await person.Client.GetJsonAsync("api/tenants"))["tenants"]!.AsArray();

    [Fact]
    public async Task A_list_of_businesses_tells_the_score_that_each_overview_tells_and_as_of_when_where_one_changed_since()
    {
        // One more than are worked out at once.
        const int Businesses = 13;
        var tenants = new Dictionary<Guid, decimal>();
        for (var n = 0; n < Businesses; n++)
        {
            var tenant = await _town.TenantAsync($"Scored {n:00}");
            tenants[tenant] = 1 - (0.04m * n);
            await MeasuredAsync(tenant, tenants[tenant]);
        }

        var empty = await _town.TenantAsync("Without sources");
        var person = await _town.PersonAsync(empty, "owner");
        foreach (var tenant in tenants.Keys) await _town.JoinAsync(tenant, person.Id, "viewer");
        async Task<int> OverviewAsync(Guid tenant)
        {
            var session = (await person.Client.AskAsync(HttpMethod.Post, "api/auth/switch", new { tenantId = tenant })).Body!;
            return (int)(await _town.As((string)session["accessToken"]!).GetJsonAsync("api/insights/business?range=last_28_days"))["healthScore"]!["score"]!;
        }

        var overviews = new Dictionary<Guid, int>();
        foreach (var tenant in tenants.Keys) overviews[tenant] = await OverviewAsync(tenant);
        Assert.Equal(100, overviews.Values.Max());
        Assert.True(overviews.Values.Distinct().Count() > 5, string.Join(", ", overviews.Values));

        // The timer works them out, and the list has them all, as of now.
        await TickAsync(person);
        var list = await ListAsync(person);
        Assert.Null(list.Single(entry => (Guid)entry!["id"]! == empty)!["score"]);
        foreach (var (tenant, score) in overviews)
        {
            var entry = list.Single(one => (Guid)one!["id"]! == tenant)!["score"]!;
            Assert.Equal((score, $"{TestDays.Yesterday(Town.Zone):yyyy-MM-dd}"), ((int)entry["value"]!, (string)entry["day"]!));
            Assert.Equal(score switch { >= 80 => "good", >= 60 => "fair", >= 40 => "weak", _ => "poor" }, (string)entry["word"]!);
        }

        // Nobody works one out while somebody holds its row; the app's own timer may come at any moment.
        await using var holder = new Npgsql.NpgsqlConnection(app.OwnerConnectionString);
        await holder.OpenAsync(TestContext.Current.CancellationToken);
        await using var held = await holder.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await holder.ExecuteAsync("select 1 from tenants where id = any(@ids) for key share", new { ids = tenants.Keys.ToArray() }, held);

        // All of them change: twelve are told as of now, and one by the score that was, with when that was. The next tick tells them all.
        await _town.ExecuteAsync(
            """
            update kpi_values set value = value / 2 where tenant_id = any(@ids) and kpi in ('shop.revenue', 'web.sessions') and day > @yesterday - 7;
            update tenants set data_version = data_version + 1 where id = any(@ids)
            """,
            new { ids = tenants.Keys.ToArray(), yesterday = TestDays.Yesterday(Town.Zone) });
        list = await ListAsync(person);
        var old = Assert.Single(list, entry => entry!["score"]?["at"] is not null)!;
        Assert.Equal(overviews[(Guid)old["id"]!], (int)old["score"]!["value"]!);
        Assert.All(list.Where(entry => entry!["score"] is { } score && score["at"] is null), entry =>
            Assert.True((int)entry!["score"]!["value"]! < overviews[(Guid)entry["id"]!]));
        await held.RollbackAsync(TestContext.Current.CancellationToken);
        await TickAsync(person);
        list = await ListAsync(person);
        foreach (var tenant in tenants.Keys)
            Assert.Equal(await OverviewAsync(tenant), (int)list.Single(one => (Guid)one!["id"]! == tenant)!["score"]!["value"]!);
    }

    [Fact]
    public async Task A_list_of_businesses_tells_what_has_not_worked_since_when_first_and_no_more_once_it_works()
    {
        var (shop, studio) = (await _town.TenantAsync("Shop"), await _town.TenantAsync("Atelier"));
        var person = await _town.PersonAsync(shop, "owner");
        await _town.JoinAsync(studio, person.Id, "viewer");
        await MeasuredAsync(shop, 1);
        await MeasuredAsync(studio, 1);
        var yesterday = TestDays.Yesterday(Town.Zone);
        // Order sync worked five days ago and failed since; Backup works; Report never worked and failed less often.
        await _town.ExecuteAsync(
            """
            insert into workflows (tenant_id, integration_id, workflow_id, name, active, updated_at)
            select @shop, i.id, w, n, true, now() from integrations i
            cross join (values ('a', 'Order sync'), ('b', 'Backup'), ('c', 'Report')) v (w, n)
            where i.tenant_id = @shop and i.connector = 'n8n';
            insert into automation_daily (tenant_id, integration_id, day, workflow_id, executions, succeeded, failed)
            select @shop, i.id, @yesterday - back, w, good + bad, good, bad from integrations i
            cross join (values ('a', 4, 1, 0), ('a', 3, 0, 2), ('a', 1, 0, 5), ('b', 1, 3, 1), ('c', 2, 0, 2)) v (w, back, good, bad)
            where i.tenant_id = @shop and i.connector = 'n8n'
            """,
            new { shop, yesterday });
        await TickAsync(person);
        var list = await ListAsync(person);
        Assert.Equal(["Shop", "Atelier"], list.Select(entry => (string)entry!["name"]!));
        Assert.Equal(
            ("trouble", string.Create(CultureInfo.InvariantCulture, $"“Order sync” has not worked since {yesterday.AddDays(-3):d MMM yyyy}, and 1 more has not.")),
            ((string)list[0]!["health"]!, (string)list[0]!["message"]!));
        Assert.Equal(("ok", null), ((string)list[1]!["health"]!, (string?)list[1]!["message"]));

        await _town.ExecuteAsync(
            """
            insert into automation_daily (tenant_id, integration_id, day, workflow_id, executions, succeeded, failed)
            select @shop, i.id, @yesterday, w, 1, 1, 0 from integrations i cross join unnest(array['a', 'c']) w where i.tenant_id = @shop and i.connector = 'n8n';
            update tenants set data_version = data_version + 1 where id = @shop
            """,
            new { shop, yesterday });
        await TickAsync(person);
        Assert.All(await ListAsync(person), entry => Assert.Equal("ok", (string)entry!["health"]!));
    }

    [Fact]
    public async Task A_score_is_never_one_of_another_persons_business()
    {
        var (own, foreign) = (await _town.TenantAsync("Own"), await _town.TenantAsync("Foreign"));
        var person = await _town.PersonAsync(own, "owner");
        await MeasuredAsync(own, 1);
        await MeasuredAsync(foreign, 1);
        await _town.ExecuteAsync(
            "update tenants set health_score = 7, health_day = '2020-01-01', health_version = data_version, health_at = now() where id = @foreign", new { foreign });
        Assert.Equal("Own", (string)Assert.Single(await ListAsync(person))!["name"]!);
        Assert.Empty(await app.Database.QueryAsync<Guid>(
            "select tenant_id from list_scores_of(@Id) where tenant_id = @foreign", new { person.Id, foreign }, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_list_of_businesses_tells_revenue_hours_and_since_when_days_are_missing_of_those_that_the_person_belongs_to()
    {
        var (shop, quiet) = (await _town.TenantAsync("Shop"), await _town.TenantAsync("Quiet"));
        var person = await _town.PersonAsync(shop, "owner");
        await _town.JoinAsync(quiet, person.Id, "viewer");
        var yesterday = TestDays.Yesterday(Town.Zone);
        foreach (var (tenant, through) in new[] { (shop, yesterday), (quiet, yesterday.AddDays(-6)) })
        {
            await _town.ExecuteAsync(
                """
                insert into integrations (tenant_id, id, connector, display_name, fetched_at, complete_through, final_through, read_from, backfilled_at, currency)
                select @tenant, gen_random_uuid(), c, d, now() - interval '1 hour', case c when 'n8n' then @yesterday else @through end, @through, @yesterday - 60, now(), k
                from (values ('google-analytics', 'Google Analytics', 'USD'), ('n8n', 'n8n', null)) v (c, d, k)
                """,
                new { tenant, through, yesterday });
            await _town.ExecuteAsync(
                """
                insert into kpi_values (tenant_id, kpi, day, value, day_ended, first_seen_at, changed_at)
                select @tenant, k, d::date, case when d > @yesterday - 7 then 150 else 100 end, true, now(), now()
                from generate_series(@yesterday::timestamp - interval '60 days', @yesterday, interval '1 day') d
                cross join unnest(array['web.sessions', 'shop.revenue', 'automation.failed', 'automation.time_saved']) k
                where k like 'automation%' or d <= @through
                """,
                new { tenant, through, yesterday });
        }

        var list = (await person.Client.GetJsonAsync("api/tenants"))["tenants"]!.AsArray();
        Assert.Equal(["Quiet attention", "Shop ok"], list.Select(entry => $"{entry!["name"]} {entry["health"]}"));
        var numbers = list[1]!["numbers"]!;
        Assert.Equal(
            (1050m, 0.5m, "USD", 1050m, 0.5m), ((decimal)numbers["revenue"]!, (decimal)numbers["revenueChange"]!,
                (string)numbers["currency"]!, (decimal)numbers["minutesSaved"]!, (decimal)numbers["minutesSavedChange"]!));
        Assert.Null(list[1]!["missingSince"]);
        // Six days are missing of its revenue: what there is, and no percentage; and its automations go on.
        var missing = yesterday.AddDays(-5);
        Assert.Equal($"{missing:yyyy-MM-dd}", (string)list[0]!["missingSince"]!);
        Assert.Equal(FormattableString.Invariant($"Google Analytics is read on time, but has no data since {missing:d MMM yyyy}."),
            (string)list[0]!["message"]!);
        Assert.Null(list[0]!["numbers"]!["revenueChange"]);
        Assert.True((decimal)list[0]!["numbers"]!["minutesSaved"]! > 700);

        // The same judgement everywhere: the brief's first sentence, the source's own state, and what operators see.
        var client = (await person.Client.AskAsync(HttpMethod.Post, "api/auth/switch", new { tenantId = quiet })).Body!;
        var inside = _town.As((string)client["accessToken"]!);
        var summary = await inside.GetJsonAsync("api/metrics/summary?with=insights");
        Assert.StartsWith($"Google Analytics has no data since {missing.ToString("d MMM yyyy", CultureInfo.InvariantCulture)}",
            (string)summary["insights"]!["brief"]![0]!["text"]!, StringComparison.Ordinal);
        Assert.Equal("source_silent", (string)summary["insights"]!["insights"]![0]!["rule"]!);
        var analytics = summary["freshness"]!.AsArray().Single(source => (string)source!["connector"]! == "google-analytics")!;
        Assert.Equal((true, $"{missing:yyyy-MM-dd}"), ((bool)analytics["silent"]!, (string)analytics["missingSince"]!));
        Assert.True(string.CompareOrdinal((string)summary["to"]!, $"{missing:yyyy-MM-dd}") >= 0);
        Assert.NotEqual(100, (int)summary["insights"]!["healthScore"]!["parts"]!.AsArray().Single(part =>
            (string)part!["key"]! == "data")!["score"]!);
        var listed = (await inside.GetJsonAsync("api/integrations"))["integrations"]!.AsArray().Single(source =>
            (string)source!["connector"]! == "google-analytics")!;
        Assert.True((bool)listed["silent"]!);
        using var ops = app.Anonymous();
        ops.DefaultRequestHeaders.Add("x-functions-key", AppFixture.MasterKey);
        var operators = (await ops.GetJsonAsync("api/ops/integrations?state=silent&limit=200"))["integrations"]!.AsArray();
        Assert.Equal("google-analytics", (string)operators.Single(entry => (Guid)entry!["tenantId"]! == quiet)!["connector"]!);
        Assert.DoesNotContain(operators, entry => (Guid)entry!["tenantId"]! == shop);
        Assert.Contains((await ops.GetJsonAsync("api/ops/overview"))["integrations"]!.AsArray(), entry =>
            (string)entry!["state"]! == "silent" && (long)entry["count"]! > 0);
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
    public async Task An_owner_puts_six_numbers_on_top_in_an_order_and_whoever_says_nothing_of_them_changes_nothing()
    {
        var tenant = await _town.TenantAsync();
        var owner = await _town.PersonAsync(tenant, "owner");
        var settings = await owner.Client.GetJsonAsync("api/tenant");
        Assert.Empty(settings["headline"]!.AsArray());
        settings["headline"] = new JsonArray("web.sessions", "shop.revenue");
        await owner.Client.SendJsonAsync(HttpMethod.Put, "api/tenant", settings);
        Assert.Equal(["web.sessions", "shop.revenue"], (await owner.Client.GetJsonAsync("api/metrics/summary"))["headline"]!.AsArray()
            .Select(key => (string)key!));
        settings = await owner.Client.GetJsonAsync("api/tenant");
        settings.AsObject().Remove("headline");
        settings["name"] = "Renamed";
        var kept = await owner.Client.SendJsonAsync(HttpMethod.Put, "api/tenant", settings);
        Assert.Equal(2, kept["settings"]!["headline"]!.AsArray().Count);
        foreach (var wrong in new[] { new JsonArray("no.such"), ["web.sessions", "web.sessions"], [.. Enumerable.Range(0, 7).Select(n =>
            JsonValue.Create($"k{n}"))] })
        {
            settings["headline"] = wrong;
            var answer = await owner.Client.AskAsync(HttpMethod.Put, "api/tenant", settings);
            Assert.Equal((400, "headline"), (answer.Status, answer.Body!["errors"]!.AsObject().Single().Key));
        }

        settings["headline"] = new JsonArray();
        await owner.Client.SendJsonAsync(HttpMethod.Put, "api/tenant", settings);
        Assert.Empty((await owner.Client.GetJsonAsync("api/tenant"))["headline"]!.AsArray());
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
