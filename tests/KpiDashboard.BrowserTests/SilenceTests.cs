using System.Globalization;
using System.Text.RegularExpressions;
using KpiDashboard.BrowserTests.App;
using KpiDashboard.Demo.Seeding;
using KpiDashboard.Tests.Shared;
using Microsoft.Playwright;
using Npgsql;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>A source that is read on time and yet has no data for days is news, and the first that every page says.</summary>
[Collection<FirstApp>]
public sealed class SilenceTests(AppFixture app)
{
    private const int Silent = 6;

    [Theory]
    [InlineData(nameof(Screen.Phone))]
    [InlineData(nameof(Screen.Desktop))]
    public async Task What_has_fallen_silent_is_the_first_sentence_of_overview_insights_sources_and_businesses(string screen)
    {
        var tenant = Guid.NewGuid();
        await MakeAsync(tenant, $"Quiet {screen}");
        try
        {
            var since = DateOnly.FromDateTime(DateTime.UtcNow).AddDays(1 - Silent).ToString("d MMM", CultureInfo.InvariantCulture);
            await using var visit = await app.VisitAsync(screen == nameof(Screen.Phone) ? Screen.Phone : Screen.Desktop);
            await visit.SignInAsync("/", tenant);
            var page = visit.Page;
            await Expect(page.GetByRole(AriaRole.Region, new() { Name = "In short" }).Or(page.Locator("section[aria-label]").First)
                .GetByRole(AriaRole.Link).Filter(new() { HasText = $"Google Analytics has no data since {since}" }).First).ToBeVisibleAsync();
            await visit.InBothThemesAsync("silent-overview");

            await page.GotoAsync("/insights");
            await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync($"Google Analytics has no data since {since}");
            await visit.InBothThemesAsync("silent-insights");

            await page.GotoAsync("/integrations");
            await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync(new Regex($"no (new )?data.*{since}|{since}.*no data", RegexOptions.IgnoreCase));
            await visit.InBothThemesAsync("silent-integrations");

            await page.GotoAsync("/businesses");
            await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync($"has no data since {since}");
            await visit.InBothThemesAsync("silent-businesses");

            // And whoever operates the installation sees how many are, and whose.
            await page.GotoAsync("/ops");
            await page.GetByLabel("Function key").FillAsync(app.FunctionKey);
            await page.Keyboard.PressAsync("Enter");
            var states = page.GetByRole(AriaRole.Region, new() { Name = "Sources by state", Exact = true });
            var count = states.GetByRole(AriaRole.Button, new() { NameRegex = new Regex("google-analytics.*without new days", RegexOptions.IgnoreCase) });
            await Expect(count).ToBeVisibleAsync();
            await visit.InBothThemesAsync("silent-ops");
            await count.ClickAsync();
            await Expect(states.GetByText(tenant.ToString())).ToBeVisibleAsync();
            await visit.InBothThemesAsync("silent-ops-sources");
        }
        finally
        {
            await ExecuteAsync("delete from tenants where id = @tenant", tenant);
        }
    }

    /// <summary>Two sources that are read hourly: automations go on, visits stop.</summary>
    private async Task MakeAsync(Guid tenant, string name)
    {
        var yesterday = DateOnly.FromDateTime(DateTime.UtcNow).AddDays(-1);
        await ExecuteAsync(
            """
            with t as (insert into tenants (id, name, time_zone, currency, hourly_labour_cost) values (@tenant, @name, 'Etc/UTC', 'EUR', 40) returning id),
            m as (insert into memberships (tenant_id, user_id, role) select t.id, u.id, 'owner' from t, users u where u.email_key = @owner)
            insert into integrations (tenant_id, id, connector, display_name, next_due_at, fetched_at, complete_through, final_through, read_from, backfilled_at, currency)
            select t.id, gen_random_uuid(), c, d, now() + interval '1 day', now() - interval '1 hour',
                   case c when 'n8n' then @yesterday else @yesterday - @silent + 1 end, @yesterday - @silent, @yesterday - 60, now(), k
            from t, (values ('google-analytics', 'Google Analytics', 'EUR'), ('n8n', 'n8n', null)) v (c, d, k)
            """,
            tenant, ("name", name), ("owner", DemoSeeder.OwnerEmail.ToUpperInvariant()), ("yesterday", yesterday), ("silent", Silent));
        await ExecuteAsync(
            ManyValues.Insert(
                """
                select i.tenant_id, i.source::int, k, d::date, (80 + extract(day from d)::int)::numeric
                from integrations i
                cross join generate_series(@yesterday::timestamp - interval '60 days', @yesterday, interval '1 day') d
                cross join unnest(case i.connector when 'n8n'
                    then array['automation.executions', 'automation.succeeded', 'automation.failed', 'automation.time_saved']
                    else array['web.sessions', 'web.active_users', 'web.page_views', 'shop.revenue', 'shop.transactions'] end) k
                where i.tenant_id = @tenant and (i.connector = 'n8n' or d <= @yesterday - @silent + 1)
                """),
            tenant, ("yesterday", yesterday), ("silent", Silent));
    }

    private async Task ExecuteAsync(string sql, Guid tenant, params (string Name, object Value)[] parameters)
    {
        await using var owner = NpgsqlDataSource.Create(app.OwnerConnectionString);
        await using var command = owner.CreateCommand(sql);
        command.Parameters.AddWithValue("tenant", tenant);
        foreach (var (name, value) in parameters) command.Parameters.AddWithValue(name, value);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
