using System.Net;
using KpiDashboard.Auditing;
using KpiDashboard.IntegrationTests.App;
using Xunit;

namespace KpiDashboard.IntegrationTests.Identity;

/// <summary>A session is worth what it proved, and lives as long as its one line of refresh tokens.</summary>
[Collection(AccountsCollection.Name)]
public sealed class SessionProofTests(AccountsApp app)
{
    [Fact]
    public async Task A_session_that_gave_only_the_password_stays_shut_out_when_a_factor_is_set_up_elsewhere_and_cannot_turn_it_off()
    {
        var person = await app.NewPersonAsync();
        using var old = app.NewBrowser();
        Assert.Equal(200, (await old.LoginAsync(person.Email)).Status);
        await app.SqlAsync("update tenants set require_second_factor = true where id = @Tenant", new { person.Tenant });
        Assert.Equal((403, "second-factor-required"), await GetAsync(old, "api/kpis"));

        var (secret, _) = await person.EnableSecondFactorAsync();
        // Where the code was given, all is open; the session of before proved nothing more than it did.
        Assert.Equal(200, (await GetAsync(person.Browser, "api/kpis")).Status);
        Assert.Equal((403, "second-factor-required"), await GetAsync(old, "api/kpis"));
        var refreshed = await old.PostAsync("refresh");
        Assert.True(refreshed.Body!["tenant"]!["secondFactorMissing"]!.GetValue<bool>());
        Assert.Equal((true, false), (refreshed.Body["user"]!["secondFactor"]!.GetValue<bool>(), refreshed.Body["user"]!["secondFactorProved"]!.GetValue<bool>()));

        // It was signed in a moment ago, and the password is right: still no code, so neither off nor new recovery codes, nor any other power.
        Assert.Equal(204, (await old.PostAsync("confirm", new { password = AccountsApp.Password })).Status);
        foreach (var attempt in new[]
        {
            await old.SendAsync(HttpMethod.Delete, "second-factor"), await old.PostAsync("second-factor/recovery-codes"), await old.SendAsync(HttpMethod.Delete, "me"),
        })
        {
            Assert.Equal((403, "confirm-identity"), (attempt.Status, attempt.Problem));
            Assert.NotNull(attempt.Body!["errors"]!["code"]);
        }

        Assert.Equal(400, (await old.PostAsync("confirm", new { code = "000000" })).Status);
        Assert.Equal(204, (await old.PostAsync("confirm", new { code = person.Code(secret) })).Status);
        Assert.Equal(200, (await GetAsync(old, "api/kpis")).Status);
        Assert.Equal(204, (await old.SendAsync(HttpMethod.Delete, "second-factor")).Status);
        // Off: the business that asks for one is shut again, for every session.
        Assert.Equal((403, "second-factor-required"), await GetAsync(person.Browser, "api/kpis"));
        // On again: another factor, which neither of them has given.
        app.Time.Advance(TimeSpan.FromSeconds(30));
        await person.EnableSecondFactorAsync();
        Assert.Equal(200, (await GetAsync(person.Browser, "api/kpis")).Status);
        Assert.Equal((403, "second-factor-required"), await GetAsync(old, "api/kpis"));
    }

    [Fact]
    public async Task Turning_the_factor_off_takes_a_code_of_the_last_fifteen_minutes_whatever_else_is_fresh()
    {
        var person = await app.NewPersonAsync();
        var (secret, recovery) = await person.EnableSecondFactorAsync();
        app.Time.Advance(TimeSpan.FromMinutes(16));
        await person.Browser.PostAsync("refresh");
        Assert.Equal(204, (await person.Browser.PostAsync("confirm", new { password = AccountsApp.Password })).Status);
        // The password is enough for what asks for the person, a code for what is about the factor.
        var refused = await person.Browser.SendAsync(HttpMethod.Delete, "second-factor");
        Assert.Equal((403, "confirm-identity"), (refused.Status, refused.Problem));
        Assert.Equal(409, (await person.Browser.SendAsync(HttpMethod.Delete, "me")).Status);
        Assert.Equal(204, (await person.Browser.PostAsync("confirm", new { code = recovery[0] })).Status);
        Assert.Equal(200, (await person.Browser.PostAsync("second-factor/recovery-codes")).Status);
        app.Time.Advance(TimeSpan.FromMinutes(14));
        await person.Browser.PostAsync("refresh");
        Assert.Equal(204, (await person.Browser.PostAsync("confirm", new { code = person.Code(secret) })).Status);
        Assert.Equal(204, (await person.Browser.SendAsync(HttpMethod.Delete, "second-factor")).Status);
        Assert.Equal(
            "otp password recovery",
            await app.QueryAsync<string>("select concat_ws(' ', case when otp_at is not null then 'otp' end, case when password_at is not null then 'password' end, case when recovery_at is not null then 'recovery' end) from sessions where user_id = @Id", new { person.Id }));
    }

    [Fact]
    public async Task A_mail_tells_of_every_change_to_how_the_account_is_entered()
    {
        var person = await app.NewPersonAsync();
        await person.EnableSecondFactorAsync();
        await person.Browser.PostAsync("second-factor/recovery-codes");
        await person.Browser.SendAsync(HttpMethod.Delete, "second-factor");
        await person.Browser.PostAsync("change-password", new { currentPassword = AccountsApp.Password, newPassword = "a quite different walrus" });
        Assert.Equal(
            ["A second factor protects your account", "You have new recovery codes", "Your password was changed", "Your second factor was turned off"],
            (await app.MailsAsync(person.Email)).Select(mail => mail.Subject).Where(subject => subject != "Confirm your e-mail address").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task An_access_token_alone_never_becomes_a_sign_in_of_weeks()
    {
        var person = await app.NewPersonAsync();
        var second = (await person.Browser.Http.SendJsonAsync(HttpMethod.Post, "api/tenants", new { businessName = "Second" }))["tenant"]!["id"]!.GetValue<Guid>();
        using var thief = app.NewBrowser();
        thief.Use((await person.Browser.PostAsync("refresh")).Body!["accessToken"]!.GetValue<string>());
        var tokens = await CountAsync(person);
        foreach (var tenant in new[] { person.Tenant, second })
        {
            var answer = await thief.PostAsync("switch", new { tenantId = tenant });
            Assert.Equal(200, answer.Status);
            Assert.DoesNotContain(answer.SetCookies, cookie => cookie.StartsWith("kpi_refresh", StringComparison.Ordinal));
        }

        using var created = await thief.Http.SendAsync(
            new HttpRequestMessage(HttpMethod.Post, "api/tenants") { Content = System.Net.Http.Json.JsonContent.Create(new { businessName = "Third" }) }, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        Assert.False(created.Headers.Contains("Set-Cookie"));
        Assert.Equal(tokens, await CountAsync(person));
        // With the cookie of somebody else's session: that one is left alone, and none is made.
        var other = await app.NewPersonAsync();
        thief.Cookies.Add(thief.Http.BaseAddress!, new Cookie("kpi_refresh", other.Browser.Cookie("kpi_refresh"), "/api/auth"));
        Assert.Equal(200, (await thief.PostAsync("switch", new { tenantId = person.Tenant })).Status);
        Assert.Equal(tokens, await CountAsync(person));
        Assert.Equal(200, (await other.Browser.PostAsync("refresh")).Status);
    }

    [Fact]
    public async Task Switching_uses_the_refresh_token_up_for_the_next_of_the_same_line_and_a_new_business_takes_the_line_along()
    {
        var person = await app.NewPersonAsync();
        var second = (await person.Browser.Http.SendJsonAsync(HttpMethod.Post, "api/tenants", new { businessName = "Second" }))["tenant"]!["id"]!.GetValue<Guid>();
        // The cookie does not go to that route; what the browser holds goes on in the new business all the same.
        Assert.Equal(second, (await person.Browser.PostAsync("refresh")).Body!["tenant"]!["id"]!.GetValue<Guid>());
        var old = person.Browser.Cookie("kpi_refresh")!;
        Assert.Equal(200, (await person.Browser.PostAsync("switch", new { tenantId = person.Tenant })).Status);
        Assert.NotEqual(old, person.Browser.Cookie("kpi_refresh"));
        Assert.Equal(person.Tenant, (await person.Browser.PostAsync("refresh")).Body!["tenant"]!["id"]!.GetValue<Guid>());
        app.Time.Advance(TimeSpan.FromSeconds(11));
        using var thief = app.NewBrowser();
        thief.Cookies.Add(thief.Http.BaseAddress!, new Cookie("kpi_refresh", old, "/api/auth"));
        Assert.Equal(401, (await thief.PostAsync("refresh")).Status);
        Assert.Equal(401, (await person.Browser.PostAsync("refresh")).Status);
        Assert.Equal(1, await app.AuditedAsync(person.Tenant, AuditActions.TokenReused));
    }

    [Fact]
    public async Task Of_refreshes_that_run_beside_signing_out_everywhere_none_survives()
    {
        for (var round = 0; round < 3; round++)
        {
            var person = await app.NewPersonAsync();
            var browsers = await Task.WhenAll(Enumerable.Range(0, 10).Select(async _ =>
            {
                var browser = app.NewBrowser();
                Assert.Equal(200, (await browser.LoginAsync(person.Email)).Status);
                return browser;
            }));
            // Each cookie seven times: tabs of one browser do that within the ten seconds.
            var racing = browsers.SelectMany(browser => Enumerable.Repeat(browser.Cookie("kpi_refresh")!, 7)).Select(async cookie =>
            {
                using var tab = app.NewBrowser();
                tab.Cookies.Add(tab.Http.BaseAddress!, new Cookie("kpi_refresh", cookie, "/api/auth"));
                await Task.Delay(Random.Shared.Next(60), TestContext.Current.CancellationToken);
                var answer = await tab.PostAsync("refresh");
                Assert.True(answer.Status is 200 or 401, answer.ToString());
                return (Cookie: tab.Cookie("kpi_refresh"), Token: answer.Body?["accessToken"]?.GetValue<string>());
            }).ToList();
            var everywhere = Task.Run(async () =>
            {
                await Task.Delay(30, TestContext.Current.CancellationToken);
                Assert.Equal(204, (await person.Browser.PostAsync("logout-everywhere")).Status);
            }, TestContext.Current.CancellationToken);
            var got = await Task.WhenAll(racing);
            await everywhere;
            foreach (var (cookie, token) in got)
            {
                using var survivor = app.NewBrowser();
                survivor.Use(token);
                Assert.Equal(401, (await survivor.SendAsync(HttpMethod.Get, "me")).Status);
                if (string.IsNullOrEmpty(cookie)) continue;
                survivor.Cookies.Add(survivor.Http.BaseAddress!, new Cookie("kpi_refresh", cookie, "/api/auth"));
                Assert.Equal(401, (await survivor.PostAsync("refresh")).Status);
            }

            foreach (var browser in browsers) browser.Dispose();
        }
    }

    [Fact]
    public async Task A_sign_in_ends_after_ninety_days_however_much_it_is_used()
    {
        var person = await app.NewPersonAsync();
        using var browser = app.NewBrowser();
        await browser.LoginAsync(person.Email);
        var began = app.Time.GetUtcNow();
        for (var week = 1; week <= 12; week++)
        {
            app.Time.Advance(TimeSpan.FromDays(7));
            Assert.Equal(200, (await browser.PostAsync("refresh")).Status);
        }

        var cookie = browser.Cookies.GetCookies(new Uri(browser.Http.BaseAddress!, "api/auth/x")).Single(one => one.Name == "kpi_refresh");
        Assert.InRange(cookie.Expires.ToUniversalTime() - began.UtcDateTime, TimeSpan.FromDays(89.99), TimeSpan.FromDays(90.01));
        app.Time.Advance(TimeSpan.FromDays(6) - TimeSpan.FromMinutes(1));
        Assert.Equal(200, (await browser.PostAsync("refresh")).Status);
        var token = browser.Cookie("kpi_refresh");
        app.Time.Advance(TimeSpan.FromMinutes(1));
        // Neither the cookie nor an access token of a minute ago.
        Assert.Equal(401, (await browser.SendAsync(HttpMethod.Get, "me")).Status);
        using var again = app.NewBrowser();
        again.Cookies.Add(again.Http.BaseAddress!, new Cookie("kpi_refresh", token, "/api/auth"));
        var over = await again.PostAsync("refresh");
        Assert.Equal(401, over.Status);
        Assert.Contains("90 days ago", over.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("91")]
    public async Task A_setting_beyond_ninety_days_stops_the_start(string days)
    {
        var error = await Assert.ThrowsAnyAsync<Exception>(() => app.StartAsync("days" + days, "--set", $"Auth:SessionMaxDays={days}"));
        Assert.Contains("Auth:SessionMaxDays", error.ToString(), StringComparison.Ordinal);
    }

    private Task<int> CountAsync(Person person) => app.QueryAsync<int>("select count(*)::int from refresh_tokens where user_id = @Id", new { person.Id });

    private static async Task<(int Status, string? Problem)> GetAsync(Browser browser, string path)
    {
        using var response = await browser.Http.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return ((int)response.StatusCode, response.IsSuccessStatusCode ? null : System.Text.Json.Nodes.JsonNode.Parse(text)!["type"]!.GetValue<string>().Split('/')[^1]);
    }
}
