using System.Text.Json.Nodes;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.Demo.Seeding;
using KpiDashboard.IntegrationTests.Tenancy;
using Xunit;

namespace KpiDashboard.IntegrationTests.App;

/// <summary>What is told in several places is one number.</summary>
[Collection(AppCollection.Name)]
public sealed class OneStoryTests(AppFixture app)
{
    public static TheoryData<string, string> Questions()
    {
        var data = new TheoryData<string, string>();
        foreach (var tenant in DemoWorld.Tenants)
        {
            foreach (var range in new[] { "last_7_days", "last_28_days", "last_90_days" }) data.Add(tenant.Name, range);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Questions))]
    public async Task Overview_automation_page_and_return_tell_the_same_hours_worth_and_cost_of_the_same_days(string tenant, string range)
    {
        using var client = await app.SignInAsync(tenant);
        var overview = await client.GetJsonAsync($"api/metrics/summary?range={range}&compare=previous_period&with=insights");
        var page = await client.GetJsonAsync($"api/automation/performance?range={range}&compare=previous_period");
        // The link of the overview's sentence names its days.
        var linked = await client.GetJsonAsync($"api/automation/performance?from={overview["from"]}&to={overview["to"]}&compare=previous_period");
        foreach (var field in new[] { "from", "to", "compareFrom", "compareTo", "currency" }) Assert.Equal((string?)overview[field], (string?)page[field]);

        JsonNode? Of(string key) => overview["kpis"]!.AsArray().SingleOrDefault(kpi => (string)kpi!["key"]! == key);
        var totals = page["totals"]!;
        Assert.Equal(totals.ToJsonString(), linked["totals"]!.ToJsonString());
        foreach (var (kpi, field) in new[]
        {
            ("automation.executions", "executions"), ("automation.success_rate", "successRate"), ("automation.time_saved", "timeSavedMinutes"),
            ("automation.value_saved", "valueSaved"), ("automation.roi", "roi"),
        })
        {
            Assert.Equal((decimal?)Of(kpi)?["value"], (decimal?)totals[field]);
        }

        // The arithmetic that stands on the page: (worth − cost) ÷ cost, and hours by what an hour costs.
        if ((decimal?)totals["roi"] is not { } roi) return;
        var (worth, cost) = ((decimal)totals["valueSaved"]!, (decimal)totals["cost"]!);
        Assert.Equal((worth - cost) / cost, roi, 6);
        Assert.Equal((decimal)totals["timeSavedMinutes"]! / 60 * (decimal)page["hourlyLabourCost"]!, worth, 6);
        // The overview makes the cost of its sentence from these two.
        Assert.Equal(cost, (decimal)Of("automation.value_saved")!["value"]! / ((decimal)Of("automation.roi")!["value"]! + 1), 4);
    }

    [Fact]
    public async Task What_a_new_labour_cost_changes_is_told_of_the_days_of_the_pages_also_where_automations_are_known_a_day_sooner()
    {
        const string Later =
            """
            update integrations set complete_through = complete_through - @days, final_through = final_through - @days
            where connector = 'google-analytics' and tenant_id = @tenant;
            update tenants set data_version = data_version + 1 where id = @tenant
            """;
        var town = new Town(app);
        var tenant = DemoSeeder.TenantId("Merch Shop");
        using var client = await app.SignInAsync("Merch Shop");
        var settings = await client.GetJsonAsync("api/tenant");
        var wanted = settings.DeepClone();
        wanted["hourlyLabourCost"] = (decimal)settings["hourlyLabourCost"]! * 2;
        await town.ExecuteAsync(Later, new { tenant, days = 2 });
        try
        {
            async Task<decimal> WorthAsync() =>
                (decimal)(await client.GetJsonAsync("api/automation/performance?range=last_28_days"))["totals"]!["valueSaved"]!;
            var before = await WorthAsync();
            var saved = await client.AskAsync(HttpMethod.Put, "api/tenant", wanted);
            Assert.Equal(200, saved.Status);
            var effect = saved.Body!["effects"]!.AsArray().Single(one => (string)one!["kpi"]! == "automation.value_saved")!;
            Assert.Equal((before, await WorthAsync()), ((decimal)effect["before"]!, (decimal)effect["after"]!));
        }
        finally
        {
            await town.ExecuteAsync(Later, new { tenant, days = -2 });
            await client.AskAsync(HttpMethod.Put, "api/tenant", settings);
        }
    }

    [Fact]
    public async Task At_least_two_of_them_tell_a_return()
    {
        var told = 0;
        foreach (var tenant in DemoWorld.Tenants)
        {
            using var client = await app.SignInAsync(tenant.Name);
            if ((await client.GetJsonAsync("api/automation/performance?range=last_28_days"))["totals"]!["roi"] is not null) told++;
        }

        Assert.True(told >= 2, $"Only {told} of the demonstration's businesses tell a return.");
    }

    [Fact]
    public async Task An_own_number_that_is_no_longer_sent_is_the_first_sentence_and_one_that_was_imported_once_is_none()
    {
        var town = new Town(app);
        var tenant = await town.TenantAsync("Own numbers");
        var owner = await town.PersonAsync(tenant, "owner");
        var today = TestDays.Today(Town.Zone);
        foreach (var key in new[] { "custom.parcels", "custom.ledger", "custom.lively" })
        {
            var made = await owner.Client.AskAsync(HttpMethod.Post, "api/kpis/custom", new { key, name = key["custom.".Length..], description = "", unit = "count", direction = "up", aggregation = "sum" });
            Assert.Equal(201, made.Status);
        }

        // Forty days that each came on the next; the last six of one are missing. What was imported came in one file.
        await town.ExecuteAsync(
            """
            insert into kpi_values (tenant_id, kpi, day, value, day_ended, run_id, first_seen_at, changed_at)
            select @tenant, k.kpi, d::date, 100, true, k.run, case when k.run is null then d + interval '1 day' else now() end, now()
            from (values ('custom.parcels', 8, null::uuid), ('custom.ledger', 8, gen_random_uuid()), ('custom.lively', 2, null)) k (kpi, back, run)
            cross join generate_series(@today::timestamp - interval '47 days', @today::timestamp - interval '1 day', interval '1 day') d
            where d <= @today::timestamp - make_interval(days => k.back)
            """,
            new { tenant, today });
        await town.ExecuteAsync("update tenants set data_version = data_version + 1 where id = @tenant", new { tenant });
        var insights = await owner.Client.GetJsonAsync("api/insights/business");
        var since = today.AddDays(-7).ToString("d MMM yyyy", System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(
            $"parcels has had no value since {since}, longer than is usual for it: 6 days are missing, not zero. Check that what sends it still runs.",
            (string)insights["brief"]![0]!["text"]!);
        var found = Assert.Single(insights["insights"]!.AsArray(), insight => (string)insight!["rule"]! == "own_number_silent")!;
        Assert.Equal(("/metrics/custom.parcels", "trouble"), ((string)found["path"]!, (string)found["severity"]!));
    }
}
