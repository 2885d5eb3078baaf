using KpiDashboard.Auditing;
using KpiDashboard.Identity;
using Xunit;

namespace KpiDashboard.IntegrationTests.Identity;

[Collection(AccountsCollection.Name)]
public sealed class SecondFactorTests(AccountsApp app)
{
    [Fact]
    public async Task Once_it_is_on_a_password_alone_opens_nothing_and_the_code_of_the_app_does()
    {
        var person = await app.NewPersonAsync();
        var setup = (await person.Browser.PostAsync("second-factor/setup")).Body!;
        Assert.StartsWith($"otpauth://totp/KPI%20Dashboard:{Uri.EscapeDataString(person.Email)}?secret={setup["secret"]}&", setup["uri"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal((400, false), ((await person.Browser.PostAsync("second-factor/enable", new { code = "000000" })).Status, await IsOnAsync(person)));
        // Until a code was entered, signing in asks for none.
        Assert.Equal(200, (await app.NewBrowser().LoginAsync(person.Email)).Status);
        var (secret, recovery) = await person.EnableSecondFactorAsync();
        Assert.Equal(10, recovery.Distinct().Count());
        Assert.All(recovery, code => Assert.Matches("^[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}$", code));
        Assert.Equal(409, (await person.Browser.PostAsync("second-factor/setup")).Status);
        Assert.Contains(await app.MailsAsync(person.Email), mail => mail.Subject == "A second factor protects your account");
        Assert.Equal(1, await app.AuditedAsync(person.Tenant, AuditActions.SecondFactorEnabled));

        using var browser = app.NewBrowser();
        var first = await browser.LoginAsync(person.Email);
        Assert.Equal((401, "second-factor"), (first.Status, first.Problem));
        // The cookie is there although the answer is a problem, and it is for scripts neither to read nor to send elsewhere.
        var cookie = Assert.Single(first.SetCookies, text => text.StartsWith("kpi_challenge=", StringComparison.Ordinal));
        Assert.Contains("path=/api/auth", cookie, StringComparison.Ordinal);
        Assert.Contains("httponly", cookie, StringComparison.Ordinal);
        Assert.Contains("samesite=lax", cookie, StringComparison.Ordinal);
        Assert.Null(browser.Cookie("kpi_refresh"));
        Assert.Equal(401, (await browser.SendAsync(HttpMethod.Get, "me")).Status);

        Assert.Equal((400, "validation"), (await browser.PostAsync("second-factor", new { code = "000000" })) is var wrong ? (wrong.Status, wrong.Problem) : default);
        var done = await browser.PostAsync("second-factor", new { code = person.Code(secret) });
        Assert.True(done.Status == 200, done.ToString());
        Assert.Equal(200, (await browser.SendAsync(HttpMethod.Get, "me")).Status);
        Assert.Null(browser.Cookie("kpi_challenge"));
    }

    [Theory]
    [InlineData(-1, true)]
    [InlineData(1, true)]
    [InlineData(-3, false)]
    [InlineData(3, false)]
    public async Task A_clock_may_be_half_a_minute_off_and_no_more(int steps, bool taken)
    {
        var person = await app.NewPersonAsync();
        var (secret, _) = await person.EnableSecondFactorAsync();
        app.Time.Advance(TimeSpan.FromSeconds(60));
        using var browser = app.NewBrowser();
        await browser.LoginAsync(person.Email);
        Assert.Equal(taken ? 200 : 400, (await browser.PostAsync("second-factor", new { code = person.Code(secret, steps) })).Status);
    }

    [Fact]
    public async Task A_code_works_once_and_no_older_one_after_it_even_for_ten_at_once()
    {
        var person = await app.NewPersonAsync();
        var (secret, _) = await person.EnableSecondFactorAsync();
        app.Time.Advance(TimeSpan.FromSeconds(60));
        var (code, older) = (person.Code(secret), person.Code(secret, -1));
        var browsers = Enumerable.Range(0, 9).Select(_ => app.NewBrowser()).ToList();
        foreach (var browser in browsers) await browser.LoginAsync(person.Email);
        var answers = await Task.WhenAll(browsers.Select(browser => browser.PostAsync("second-factor", new { code })));
        Assert.Equal(1, answers.Count(answer => answer.Status == 200));
        Assert.Equal(8, answers.Count(answer => answer.Status == 400));
        using var late = app.NewBrowser();
        await late.LoginAsync(person.Email);
        Assert.Equal(400, (await late.PostAsync("second-factor", new { code = older })).Status);
    }

    [Fact]
    public async Task A_sign_in_that_waits_for_its_code_is_good_for_one_session_and_five_minutes()
    {
        var person = await app.NewPersonAsync();
        var (secret, recovery) = await person.EnableSecondFactorAsync();
        using var browser = app.NewBrowser();
        await browser.LoginAsync(person.Email);
        var captured = browser.Cookie("kpi_challenge")!;
        Assert.Equal(200, (await browser.PostAsync("second-factor", new { code = person.Code(secret) })).Status);

        using var thief = app.NewBrowser();
        Put(thief, "kpi_challenge", captured);
        Assert.Equal((401, "unauthorized"), (await thief.PostAsync("second-factor", new { code = recovery[0] })) is var again ? (again.Status, again.Problem) : default);
        // Nor was the code used up by that.
        Assert.Equal(10, (await browser.SendAsync(HttpMethod.Get, "second-factor")).Body!["recoveryCodesLeft"]!.GetValue<int>());

        using var slow = app.NewBrowser();
        await slow.LoginAsync(person.Email);
        var cookie = slow.Cookie("kpi_challenge")!;
        app.Time.Advance(TimeSpan.FromMinutes(5));
        Put(slow, "kpi_challenge", cookie);
        Assert.Equal((401, "unauthorized"), (await slow.PostAsync("second-factor", new { code = person.Code(secret) })) is var late ? (late.Status, late.Problem) : default);
        Put(slow, "kpi_challenge", "nonsense");
        Assert.Equal(401, (await slow.PostAsync("second-factor", new { code = person.Code(secret) })).Status);
        Assert.Equal(401, (await app.NewBrowser().PostAsync("second-factor", new { code = person.Code(secret) })).Status);
    }

    [Fact]
    public async Task A_recovery_code_signs_in_once_however_it_is_typed_and_new_ones_replace_the_old()
    {
        var person = await app.NewPersonAsync();
        var (_, recovery) = await person.EnableSecondFactorAsync();
        Assert.Equal(200, await SignInAsync($" {recovery[0].ToUpperInvariant().Replace("-", " ", StringComparison.Ordinal)} "));
        Assert.Equal(400, await SignInAsync(recovery[0]));
        Assert.Equal(9, (await person.Browser.SendAsync(HttpMethod.Get, "second-factor")).Body!["recoveryCodesLeft"]!.GetValue<int>());
        Assert.Equal(1, await app.AuditedAsync(person.Tenant, AuditActions.RecoveryCodeUsed));

        var fresh = (await person.Browser.PostAsync("second-factor/recovery-codes")).Body!["recoveryCodes"]!.AsArray().Select(code => code!.GetValue<string>()).ToList();
        Assert.Equal(10, fresh.Except(recovery).Count());
        Assert.Equal((400, 200), (await SignInAsync(recovery[1]), await SignInAsync(fresh[0])));
        Assert.Equal(1, await app.AuditedAsync(person.Tenant, AuditActions.RecoveryCodesMade));
        // What is kept is of no use to whoever reads the database: Argon2id, as ASVS 6.5.2 asks for secrets of less than 112 bits.
        Assert.Equal(10, await app.QueryAsync<int>("select count(*)::int from recovery_codes where user_id = @Id and code_hash like '$argon2id$v=19$m=19456,t=2,p=1$%'", new { person.Id }));

        async Task<int> SignInAsync(string code)
        {
            using var browser = app.NewBrowser();
            await browser.LoginAsync(person.Email);
            return (await browser.PostAsync("second-factor", new { code })).Status;
        }
    }

    [Fact]
    public async Task Ten_wrong_codes_are_the_limit_of_an_account_over_all_browsers()
    {
        var person = await app.NewPersonAsync();
        var (secret, _) = await person.EnableSecondFactorAsync();
        var statuses = new List<int>();
        for (var i = 0; i < 12; i++)
        {
            using var browser = app.NewBrowser();
            await browser.LoginAsync(person.Email);
            statuses.Add((await browser.PostAsync("second-factor", new { code = "not-a-code-1" })).Status);
        }

        Assert.Equal([.. Enumerable.Repeat(400, 10), 429, 429], statuses);
        app.Time.Advance(TimeSpan.FromMinutes(15));
        using var owner = app.NewBrowser();
        await owner.LoginAsync(person.Email);
        Assert.Equal(200, (await owner.PostAsync("second-factor", new { code = person.Code(secret) })).Status);
    }

    [Fact]
    public async Task A_new_password_by_mail_does_not_get_around_it()
    {
        var person = await app.NewPersonAsync();
        var (secret, _) = await person.EnableSecondFactorAsync();
        using var thief = app.NewBrowser();
        await thief.LoginAsync(person.Email);
        using var browser = app.NewBrowser();
        await browser.PostAsync("forgot-password", new { email = person.Email });
        var token = await app.TokenAsync(person.Email, "Set a new password");
        var reset = await browser.PostAsync("reset-password", new { token, password = "a quite different walrus" });
        Assert.Equal((401, "second-factor"), (reset.Status, reset.Problem));
        Assert.Null(browser.Cookie("kpi_refresh"));
        // Whoever waited for a code with the old password waits for nothing.
        Assert.Equal((401, "unauthorized"), (await thief.PostAsync("second-factor", new { code = person.Code(secret) })) is var late ? (late.Status, late.Problem) : default);
        Assert.Equal(200, (await browser.PostAsync("second-factor", new { code = person.Code(secret) })).Status);
    }

    [Fact]
    public async Task Turned_off_the_password_is_enough_again_and_nothing_of_it_is_left()
    {
        var person = await app.NewPersonAsync();
        await person.EnableSecondFactorAsync();
        Assert.Equal(204, (await person.Browser.SendAsync(HttpMethod.Delete, "second-factor")).Status);
        Assert.Equal(409, (await person.Browser.SendAsync(HttpMethod.Delete, "second-factor")).Status);
        Assert.Equal(409, (await person.Browser.PostAsync("second-factor/recovery-codes")).Status);
        Assert.Equal(200, (await app.NewBrowser().LoginAsync(person.Email)).Status);
        Assert.Equal(0, await app.QueryAsync<int>(
            "select (select count(*) from recovery_codes where user_id = @Id)::int + (select count(*) from users where id = @Id and (totp_secret is not null or totp_last_step is not null))::int", new { person.Id }));
        Assert.Equal(1, await app.AuditedAsync(person.Tenant, AuditActions.SecondFactorDisabled));
    }

    [Fact]
    public async Task The_secret_is_sealed_for_its_owner()
    {
        var person = await app.NewPersonAsync();
        var secret = (await person.Browser.PostAsync("second-factor/setup")).Body!["secret"]!.GetValue<string>();
        var kept = await app.QueryAsync<byte[]>("select totp_secret from users where id = @Id", new { person.Id });
        Assert.DoesNotContain(secret, System.Text.Encoding.Latin1.GetString(kept), StringComparison.Ordinal);
        var sealer = (Security.SecretSealer)app.Services.GetService(typeof(Security.SecretSealer))!;
        Assert.Equal(secret, sealer.Open(kept, SecondFactors.Purpose(person.Id)));
        Assert.ThrowsAny<System.Security.Cryptography.CryptographicException>(() => sealer.Open(kept, SecondFactors.Purpose(Guid.NewGuid())));
    }

    private static async Task<bool> IsOnAsync(Person person) => (await person.Browser.SendAsync(HttpMethod.Get, "second-factor")).Body!["enabled"]!.GetValue<bool>();

    private static void Put(Browser browser, string name, string value) =>
        browser.Cookies.Add(browser.Http.BaseAddress!, new System.Net.Cookie(name, value, "/api/auth"));
}
