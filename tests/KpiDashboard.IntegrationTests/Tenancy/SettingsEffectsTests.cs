using System.Globalization;
using System.Text.Json.Nodes;
using KpiDashboard.Automation;
using KpiDashboard.IntegrationTests.App;
using Xunit;

namespace KpiDashboard.IntegrationTests.Tenancy;

/// <summary>What settings do to numbers. Executions of 40 days: one at noon and one at 23:30 UTC each day, which is the next day in Berlin.</summary>
[Collection(SecondAppCollection.Name)]
public sealed class SettingsEffectsTests(AppFixture app)
{
    private readonly Town _town = new(app);

    private static DateOnly Today => DateOnly.FromDateTime(DateTime.UtcNow);

    private async Task<(Person Owner, Guid Tenant)> BusinessAsync()
    {
        var tenant = await _town.TenantAsync(zone: "UTC");
        var owner = await _town.PersonAsync(tenant, "owner");
        await _town.ExecuteAsync(
            """
            insert into integrations (tenant_id, id, connector, display_name, schedule, sync_hour, next_due_at, fetched_at, complete_through, final_through, read_from, read_to, backfilled_at)
            values (@tenant, @tenant, 'n8n', 'n8n', 'daily', 4, @today::date + interval '30 hours', now(), @today - 1, @today - 3, @today - 40, @today, now());
            insert into integrations (tenant_id, id, connector, display_name, time_zone, currency, fetched_at, complete_through, final_through, read_from, read_to)
            values (@tenant, gen_random_uuid(), 'google-analytics', 'GA', 'America/New_York', 'USD', now(), @today - 1, @today - 3, @today - 40, @today);
            insert into sync_runs (tenant_id, id, integration_id, connector, trigger, status, queued_at, updated_at, finished_at)
            values (@tenant, gen_random_uuid(), @tenant, 'n8n', 'schedule', 'succeeded', now(), now(), now());
            insert into workflows (tenant_id, integration_id, workflow_id, name, active, minutes_saved, updated_at) values (@tenant, @tenant, 'w', 'W', true, 30, now());
            insert into workflow_prices (tenant_id, integration_id, workflow_id, from_day, minutes) values (@tenant, @tenant, 'w', '-infinity', 30);
            insert into executions (tenant_id, integration_id, execution_id, workflow_id, status, kind, started_at, stopped_at)
            select @tenant, @tenant, d || k, 'w', 'succeeded', 'production', d + k::interval, d + k::interval + interval '1 second'
            from (select (generate_series(@today::timestamp - interval '40 days', @today::timestamp - interval '1 day', interval '1 day') at time zone 'UTC') as d) days
            cross join unnest(array['12 hours', '23 hours 30 minutes']) k;
            insert into kpi_values (tenant_id, kpi, day, value, day_ended, first_seen_at, changed_at)
            select @tenant, 'shop.revenue', d, 100, true, now(), now() from generate_series(@today - 40, @today - 1, interval '1 day') d;
            """,
            new { tenant, today = Today });
        await app.Database.InTenantAsync(tenant, async tx =>
        {
            var readings = await AutomationWriter.RollUpAsync(tx, tenant, "UTC", Today.AddDays(-40), Today);
            await Kpis.KpiWriter.WriteAsync(tx, readings, tenant, Guid.NewGuid(), Today, DateTimeOffset.UtcNow);
        }, TestContext.Current.CancellationToken);
        return (owner, tenant);
    }

    private static async Task<IReadOnlyDictionary<string, (decimal? Before, decimal? After)>> PutAsync(Person owner, Action<JsonNode> change)
    {
        var settings = await owner.Client.GetJsonAsync("api/tenant");
        change(settings);
        return (await owner.Client.SendJsonAsync(HttpMethod.Put, "api/tenant", settings))["effects"]!.AsArray()
            .ToDictionary(effect => (string)effect!["kpi"]!, effect => ((decimal?)effect!["before"], (decimal?)effect["after"]), StringComparer.Ordinal);
    }

    [Fact]
    public async Task Labour_cost_shows_what_it_does_to_the_last_28_days_and_the_pages_agree()
    {
        var (owner, _) = await BusinessAsync();
        // 28 days × 2 successes × 30 minutes = 28 hours.
        var effects = await PutAsync(owner, settings => settings["hourlyLabourCost"] = 50);
        Assert.Equal(new Dictionary<string, (decimal?, decimal?)> { ["automation.value_saved"] = (null, 1400m) }, effects);
        effects = await PutAsync(owner, settings => settings["automationCostPerMonth"] = 100);
        Assert.Equal(["automation.roi"], effects.Keys);
        effects = await PutAsync(owner, settings => settings["hourlyLabourCost"] = 100);
        Assert.Equal((1400m, 2800m), effects["automation.value_saved"]);
        var page = await owner.Client.GetJsonAsync("api/automation/performance?range=last_28_days");
        Assert.Equal(2800m, (decimal)page["totals"]!["valueSaved"]!);
        Assert.Equal(effects["automation.roi"].After, (decimal)page["totals"]!["roi"]!);
        Assert.Empty(await PutAsync(owner, settings => settings["locale"] = "de-DE"));
    }

    [Fact]
    public async Task Another_time_zone_moves_executions_to_their_new_days_at_once_without_calling_it_a_restatement()
    {
        var (owner, tenant) = await BusinessAsync();
        var neighbour = (await BusinessAsync()).Tenant;
        // Told in days that are no more after the move.
        await _town.ExecuteAsync(
            """
            insert into kpi_restatements (tenant_id, source, kpi, day, old_value, new_value, at) values (@tenant, 1, 'automation.executions', @day, 1, 2, now()), (@tenant, 2, 'shop.revenue', @day, 99, 100, now())
            """,
            new { tenant, day = Today.AddDays(-10) });
        var revenue = await ValuesAsync(tenant, "shop.revenue");
        var next = Today.AddDays(-40);
        await PutAsync(owner, settings => settings["timeZone"] = "Asia/Tokyo");

        // UTC+9, no daylight saving: noon stays, 23:30 moves to the next day; the first whole day is one later.
        var executions = await ValuesAsync(tenant, "automation.executions");
        Assert.DoesNotContain(next, executions.Keys);
        Assert.All(executions.Where(value => value.Key < Today), value => Assert.Equal(2m, value.Value));
        Assert.Equal(1m, executions[Today]);
        Assert.Equal(revenue, await ValuesAsync(tenant, "shop.revenue"));
        Assert.Equal(["shop.revenue"], await _town.QueryAsync<string>("select kpi from kpi_restatements where tenant_id = @tenant", new { tenant }));
        Assert.Equal(executions.Keys.Where(day => executions[day] > 0).Order(), await _town.QueryAsync<DateOnly>("select day from automation_daily where tenant_id = @tenant order by day", new { tenant }));

        // n8n's clocks move to whole days of the new zone, the property's stay.
        Assert.Equal([(Today.AddDays(-1), Today.AddDays(-40)), (Today.AddDays(-1), Today.AddDays(-39))], (await _town.QueryAsync<(DateOnly, DateOnly)>(
            "select complete_through, read_from from integrations where tenant_id = @tenant order by connector", new { tenant }))
            .Select(row => (row.Item1, row.Item2)));
        // The days of another business stay.
        Assert.Equal(Today.AddDays(-40), (await ValuesAsync(neighbour, "automation.executions")).Keys.Min());
    }

    [Fact]
    public async Task Moving_there_and_back_ends_where_it_began()
    {
        var (owner, tenant) = await BusinessAsync();
        var before = await ValuesAsync(tenant, "automation.executions");
        await PutAsync(owner, settings => settings["timeZone"] = "Asia/Tokyo");
        Assert.NotEqual(before, await ValuesAsync(tenant, "automation.executions"));
        await PutAsync(owner, settings => settings["timeZone"] = "UTC");
        var after = await ValuesAsync(tenant, "automation.executions");
        // The day that both moves cut in half is not whole any more, and so not claimed.
        Assert.All(after, value => Assert.Equal(before[value.Key], value.Value));
        Assert.InRange(before.Count - after.Count, 0, 2);
        Assert.Empty(await _town.QueryAsync<string>("select kpi from kpi_restatements where tenant_id = @tenant", new { tenant }));
        var audit = await _town.QueryAsync<string>("select after ->> 'timeZone' from audit_log where tenant_id = @tenant order by at, action", new { tenant });
        Assert.Equal(["Asia/Tokyo", "UTC"], audit);
    }

    [Fact]
    public async Task Daily_syncs_move_to_the_new_local_hour_and_never_get_later_than_planned()
    {
        var (owner, tenant) = await BusinessAsync();
        await _town.ExecuteAsync("update integrations set next_due_at = now() + interval '3 days' where tenant_id = @tenant", new { tenant });
        await PutAsync(owner, settings => settings["timeZone"] = "Asia/Tokyo");
        var moved = await DueAsync(tenant);
        // 4 o'clock in Tokyo is 19:00 UTC, and a jitter of at most half an hour.
        Assert.InRange(moved.TimeOfDay, TimeSpan.FromHours(19), TimeSpan.FromHours(19.5));
        Assert.InRange(moved - DateTime.UtcNow, TimeSpan.Zero, TimeSpan.FromHours(24.5));

        // What is due in a minute stays so: a setting makes no number late.
        var soon = (await _town.QueryAsync<DateTime>(
            "update integrations set next_due_at = now() + interval '1 minute' where tenant_id = @tenant and connector = 'n8n' returning next_due_at", new { tenant })).Single();
        await PutAsync(owner, settings => settings["timeZone"] = "UTC");
        Assert.True(await DueAsync(tenant) <= soon.ToUniversalTime());
    }

    [Fact]
    public async Task A_step_that_is_under_way_when_the_zone_changes_loses_its_lease_and_its_run_starts_over()
    {
        var (owner, tenant) = await BusinessAsync();
        var run = Guid.NewGuid();
        await _town.ExecuteAsync(
            """
            insert into sync_runs (tenant_id, id, integration_id, connector, trigger, status, step, window_from, window_to, slices_done, slices_total, checkpoint, queued_at, enqueued_at, updated_at)
            values (@tenant, @run, @tenant, 'n8n', 'manual', 'running', 3, @today - 30, @today, 1, 2, 'c', now(), now(), now());
            update integrations set lease_token = gen_random_uuid(), lease_until = now() + interval '1 hour' where tenant_id = @tenant;
            """,
            new { tenant, run, today = Today });
        await PutAsync(owner, settings => settings["timeZone"] = "Asia/Tokyo");
        Assert.Equal([("google-analytics", true), ("n8n", false)], await _town.QueryAsync<(string, bool)>(
            "select connector, lease_token is not null from integrations where tenant_id = @tenant order by connector", new { tenant }));
        // Not enqueued: the sweeper sends it again.
        Assert.Equal((4, true, 0, true), (await _town.QueryAsync<(int, bool, int, bool)>(
            "select step, window_from is null and checkpoint is null, slices_done, enqueued_at is null from sync_runs where id = @run", new { run })).Single());
    }

    [Fact]
    public async Task Another_currency_converts_nothing_and_a_providers_money_keeps_the_providers_name()
    {
        var (owner, _) = await BusinessAsync();
        await PutAsync(owner, settings => settings["hourlyLabourCost"] = 50);
        var effects = await PutAsync(owner, settings => settings["currency"] = "CHF");
        Assert.Empty(effects);
        var kpis = (await owner.Client.GetJsonAsync("api/metrics/summary?range=last_28_days"))["kpis"]!.AsArray()
            .ToDictionary(kpi => (string)kpi!["key"]!, kpi => ((string?)kpi!["currency"], (decimal?)kpi["value"]), StringComparer.Ordinal);
        Assert.Equal(("USD", 2800m), kpis["shop.revenue"]);
        Assert.Equal(("CHF", 1400m), kpis["automation.value_saved"]);
        Assert.Null(kpis["automation.executions"].Item1);
        var history = await owner.Client.GetJsonAsync("api/metrics/history?kpis=shop.revenue&range=last_28_days");
        Assert.Equal("USD", (string)history["series"]![0]!["currency"]!);
    }

    [Theory]
    // Berlin's day begins at 22:00 UTC the day before in summer: the same date is whole in UTC. Tokyo's began before: not.
    [InlineData("2026-07-10", "Europe/Berlin", "UTC", "2026-07-10", "2026-07-09")]
    [InlineData("2026-07-10", "UTC", "Europe/Berlin", "2026-07-11", "2026-07-10")]
    [InlineData("2026-07-10", "UTC", "Asia/Tokyo", "2026-07-11", "2026-07-10")]
    [InlineData("2026-07-10", "UTC", "America/Los_Angeles", "2026-07-10", "2026-07-09")]
    [InlineData("2026-07-10", "UTC", "Africa/Abidjan", "2026-07-10", "2026-07-10")]
    [InlineData("2026-03-29", "Europe/Berlin", "Europe/London", "2026-03-29", "2026-03-28")]
    public async Task Whole_days_of_one_zone_within_those_of_another(string day, string from, string to, string first, string last)
    {
        var row = (await _town.QueryAsync<(DateOnly, DateOnly)>(
            "select first_whole_day(@day::date, @from, @to), last_whole_day(@day::date, @from, @to)", new { day, from, to })).Single();
        Assert.Equal((first, last), (row.Item1.ToString("O", CultureInfo.InvariantCulture), row.Item2.ToString("O", CultureInfo.InvariantCulture)));
    }

    private async Task<IReadOnlyDictionary<DateOnly, decimal>> ValuesAsync(Guid tenant, string kpi) =>
        (await _town.QueryAsync<(DateOnly Day, decimal Value)>("select day, value from kpi_values where tenant_id = @tenant and kpi = @kpi order by day", new { tenant, kpi }))
            .ToDictionary(row => row.Day, row => row.Value);

    private async Task<DateTime> DueAsync(Guid tenant) =>
        (await _town.QueryAsync<DateTime>("select next_due_at from integrations where tenant_id = @tenant and connector = 'n8n'", new { tenant })).Single().ToUniversalTime();
}
