using System.Diagnostics;
using System.Text;
using System.Text.Json;
using KpiDashboard.Access;
using KpiDashboard.Auditing;
using KpiDashboard.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KpiDashboard.IntegrationTests.Identity;

[Collection(AccountsCollection.Name)]
public sealed class AccountTests(AccountsApp app)
{
    [Fact]
    public async Task Registering_makes_a_business_an_owner_and_a_session_and_the_link_in_the_mail_proves_the_address()
    {
        using var browser = app.NewBrowser();
        var email = AccountsApp.NewEmail();
        var session = await browser.RegisterAsync(email);
        Assert.Equal(("owner", "Europe/London", "GBP", false), (
            session["tenant"]!["role"]!.GetValue<string>(), session["tenant"]!["timeZone"]!.GetValue<string>(), session["tenant"]!["currency"]!.GetValue<string>(), session["user"]!["emailVerified"]!.GetValue<bool>()));
        Assert.Equal(401, (await app.NewBrowser().LoginAsync(email)).Status);

        var token = await app.TokenAsync(email, "Confirm your e-mail address");
        Assert.Equal(204, (await browser.PostAsync("verify-email", new { token })).Status);
        Assert.True((await browser.SendAsync(HttpMethod.Get, "me")).Body!["user"]!["emailVerified"]!.GetValue<bool>());
        Assert.Equal(200, (await app.NewBrowser().LoginAsync(email)).Status);
        Assert.Equal((1, 1), (
            await app.AuditedAsync(session["tenant"]!["id"]!.GetValue<Guid>(), AuditActions.EmailVerified), await app.AuditedAsync(session["tenant"]!["id"]!.GetValue<Guid>(), AuditActions.Registered)));
        var again = await browser.PostAsync("verify-email", new { token });
        Assert.Equal((400, true), (again.Status, again.Body!["errors"]!["token"] is not null));
        Assert.Equal(409, (await browser.PostAsync("verify-email/resend")).Status);
    }

    [Fact]
    public async Task A_link_to_prove_an_address_needs_the_person_that_registered_so_nobody_proves_an_account_for_a_squatter()
    {
        using var squatter = app.NewBrowser();
        var email = AccountsApp.NewEmail();
        await squatter.RegisterAsync(email);
        var token = await app.TokenAsync(email, "Confirm your e-mail address");

        using var victim = app.NewBrowser();
        var asked = await victim.PostAsync("verify-email", new { token });
        Assert.Equal((401, "password-needed"), (asked.Status, asked.Problem));
        asked = await victim.PostAsync("verify-email", new { token, password = "what the victim would type" });
        Assert.Equal((401, "password-needed"), (asked.Status, asked.Problem));
        // Signed in as somebody else is no better.
        var stranger = await app.NewPersonAsync();
        Assert.Equal("password-needed", (await stranger.Browser.PostAsync("verify-email", new { token })).Problem);

        // The victim registers by itself and proves its own; the squatter's account stays out for good.
        await victim.RegisterAsync(email, "the victim's own walrus");
        var own = await app.TokenAsync(email, "Confirm your e-mail address");
        Assert.Equal(204, (await app.NewBrowser().PostAsync("verify-email", new { token = own, password = "the victim's own walrus" })).Status);
        var late = await squatter.PostAsync("verify-email", new { token });
        Assert.Equal((409, "conflict"), (late.Status, late.Problem));
        Assert.Equal(401, (await app.NewBrowser().LoginAsync(email)).Status);
        Assert.Equal(200, (await app.NewBrowser().LoginAsync(email, "the victim's own walrus")).Status);
    }

    [Fact]
    public async Task Registering_with_a_known_address_answers_the_same_and_only_the_mail_says_that_there_is_an_account()
    {
        var known = await app.NewPersonAsync();
        var (one, other) = (await app.NewBrowser().PostAsync("register", Body(known.Email)), await app.NewBrowser().PostAsync("register", Body(AccountsApp.NewEmail())));
        Assert.Equal((201, 201), (one.Status, other.Status));
        Assert.Equal(Shape(other.Body!), Shape(one.Body!));
        var mail = (await app.MailsAsync(known.Email))[^1];
        Assert.Equal("You have an account already", mail.Subject);
        Assert.DoesNotContain("token=", mail.TextBody + mail.HtmlBody, StringComparison.Ordinal);
        Assert.NotEqual(known.Id, one.Body!["user"]!["id"]!.GetValue<Guid>());

        static object Body(string email) => new { email, password = AccountsApp.Password, displayName = "D", businessName = "Shop" };

        static string Shape(System.Text.Json.Nodes.JsonNode body) =>
            string.Join(' ', body.AsObject().Select(member => $"{member.Key}:{(member.Value is System.Text.Json.Nodes.JsonObject inner ? string.Join(',', inner.Where(m => m.Key is not ("id" or "email")).Select(m => m.Key + m.Value?.ToJsonString())) : "")}"));
    }

    [Theory]
    [InlineData("email", "nobody", AccountsApp.Password, "Shop", "UTC", "EUR")]
    [InlineData("password", "a@example.com", "short", "Shop", "UTC", "EUR")]
    [InlineData("password", "a@example.com", "password123", "Shop", "UTC", "EUR")]
    [InlineData("password", "annabel.lee@example.com", "Annabel.Lee2026", "Shop", "UTC", "EUR")]
    [InlineData("businessName", "a@example.com", AccountsApp.Password, "", "UTC", "EUR")]
    [InlineData("timeZone", "a@example.com", AccountsApp.Password, "Shop", "Moon/Crater", "EUR")]
    [InlineData("currency", "a@example.com", AccountsApp.Password, "Shop", "UTC", "XXX")]
    public async Task A_registration_that_is_wrong_says_which_field_and_leaves_nothing(string field, string email, string password, string businessName, string timeZone, string currency)
    {
        var before = await app.QueryAsync<int>("select (select count(*) from users)::int + (select count(*) from tenants)::int", new { });
        var answer = await app.NewBrowser().PostAsync("register", new { email, password, displayName = "Somebody", businessName, timeZone, currency });
        Assert.Equal(400, answer.Status);
        Assert.StartsWith($"'{field}'", answer.Body!["errors"]![field]![0]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(before, await app.QueryAsync<int>("select (select count(*) from users)::int + (select count(*) from tenants)::int", new { }));
    }

    [Fact]
    public async Task Ten_registrations_an_hour_come_from_one_network_address()
    {
        var address = app.NewAddress();
        for (var i = 0; i < 10; i++) await app.NewBrowser(address).RegisterAsync(AccountsApp.NewEmail());
        var answer = await app.NewBrowser(address).PostAsync("register", new { email = AccountsApp.NewEmail(), password = AccountsApp.Password, displayName = "D", businessName = "B" });
        Assert.Equal(429, answer.Status);
        Assert.InRange(answer.RetryAfter!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(6));
    }

    [Fact]
    public async Task A_forgotten_password_is_replaced_by_the_link_once_signs_everybody_out_and_this_browser_in()
    {
        var person = await app.NewPersonAsync();
        using var elsewhere = app.NewBrowser();
        await elsewhere.LoginAsync(person.Email);
        using var browser = app.NewBrowser();
        Assert.Equal(202, (await browser.PostAsync("forgot-password", new { email = person.Email.ToUpperInvariant() })).Status);
        Assert.Equal(202, (await browser.PostAsync("forgot-password", new { email = person.Email })).Status);
        var tokens = (await app.MailsAsync(person.Email)).Where(mail => mail.Subject == "Set a new password").Select(mail => mail.TextBody!.Split("#token=")[1][..43]).ToList();
        Assert.Equal(2, tokens.Distinct().Count());

        // A password that is refused does not cost the link.
        var refused = await browser.PostAsync("reset-password", new { token = tokens[0], password = "Ada Lovelace 1" });
        Assert.Equal((400, true), (refused.Status, refused.Body!["errors"]!["password"] is not null));
        var done = await browser.PostAsync("reset-password", new { token = tokens[0], password = "a quite different walrus" });
        Assert.True(done.Status == 200, done.ToString());
        Assert.Equal(person.Id, done.Body!["user"]!["id"]!.GetValue<Guid>());
        Assert.Equal((200, 401, 401), ((await browser.SendAsync(HttpMethod.Get, "me")).Status, (await elsewhere.SendAsync(HttpMethod.Get, "me")).Status, (await elsewhere.PostAsync("refresh")).Status));
        // Neither link works any more, not even the one that was not used.
        foreach (var token in tokens) Assert.Equal(400, (await browser.PostAsync("reset-password", new { token, password = "yet another walrus" })).Status);
        Assert.Equal((401, 200), ((await app.NewBrowser().LoginAsync(person.Email)).Status, (await app.NewBrowser().LoginAsync(person.Email, "a quite different walrus")).Status));
        Assert.Equal(1, await app.AuditedAsync(person.Tenant, AuditActions.PasswordReset));
        Assert.Contains(await app.MailsAsync(person.Email), mail => mail.Subject == "Your password was changed");
    }

    [Fact]
    public async Task A_link_to_set_a_new_password_is_too_old_after_an_hour()
    {
        var person = await app.NewPersonAsync();
        await app.NewBrowser().PostAsync("forgot-password", new { email = person.Email });
        var token = await app.TokenAsync(person.Email, "Set a new password");
        app.Time.Advance(TimeSpan.FromMinutes(61));
        Assert.Equal(400, (await app.NewBrowser().PostAsync("reset-password", new { token, password = "a quite different walrus" })).Status);
        Assert.Equal(200, (await app.NewBrowser().LoginAsync(person.Email)).Status);
    }

    [Fact]
    public async Task Nobody_learns_whether_an_address_is_known_by_asking_for_a_new_password_and_unknown_ones_get_no_mail()
    {
        var unproved = await app.NewPersonAsync(verified: false);
        var nobody = AccountsApp.NewEmail();
        foreach (var email in (string[])[unproved.Email, nobody])
        {
            var answer = await app.NewBrowser().PostAsync("forgot-password", new { email });
            Assert.Equal((202, null), (answer.Status, answer.Body));
        }

        Assert.Empty(await app.MailsAsync(nobody));
        Assert.DoesNotContain(await app.MailsAsync(unproved.Email), mail => mail.Subject == "Set a new password");
    }

    [Fact]
    public async Task A_mailbox_gets_three_links_an_hour_and_the_fourth_request_is_answered_the_same()
    {
        var person = await app.NewPersonAsync();
        for (var i = 0; i < 3; i++) Assert.Equal(202, (await app.NewBrowser().PostAsync("forgot-password", new { email = person.Email })).Status);
        Assert.Equal(202, (await app.NewBrowser().PostAsync("forgot-password", new { email = person.Email })).Status);
        Assert.Equal(3, (await app.MailsAsync(person.Email)).Count(mail => mail.Subject == "Set a new password"));
        // Whoever did that has not kept its owner out: each of the links works.
        var token = await app.TokenAsync(person.Email, "Set a new password");
        Assert.Equal(200, (await app.NewBrowser().PostAsync("reset-password", new { token, password = "a quite different walrus" })).Status);
    }

    [Fact]
    public async Task Registering_with_an_address_does_not_keep_mails_to_reset_its_password_away()
    {
        var person = await app.NewPersonAsync(verified: false);
        Assert.Single(await app.MailsAsync(person.Email));
        await app.SqlAsync("update users set email_verified_at = now() where id = @Id", new { person.Id });
        for (var i = 0; i < 5; i++) await app.NewBrowser().RegisterAsync(person.Email);
        await app.NewBrowser().PostAsync("forgot-password", new { email = person.Email });
        var mails = await app.MailsAsync(person.Email);
        // One of its own registration; three mails an hour at most say that somebody registered.
        Assert.Equal((3, 1), (mails.Count(mail => mail.Subject is "You have an account already" or "Confirm your e-mail address"), mails.Count(mail => mail.Subject == "Set a new password")));
    }

    [Fact]
    public async Task Changing_the_password_needs_the_old_one_and_ends_every_other_session()
    {
        var person = await app.NewPersonAsync();
        using var elsewhere = app.NewBrowser();
        await elsewhere.LoginAsync(person.Email);
        var wrong = await person.Browser.PostAsync("change-password", new { currentPassword = "guess", newPassword = "a quite different walrus" });
        Assert.Equal((400, true), (wrong.Status, wrong.Body!["errors"]!["currentPassword"] is not null));
        var weak = await person.Browser.PostAsync("change-password", new { currentPassword = AccountsApp.Password, newPassword = "Analytical Engines!" });
        Assert.Equal((400, true), (weak.Status, weak.Body!["errors"]!["newPassword"] is not null));
        Assert.Equal(204, (await person.Browser.PostAsync("change-password", new { currentPassword = AccountsApp.Password, newPassword = "a quite different walrus" })).Status);
        Assert.Equal((200, 401), ((await person.Browser.SendAsync(HttpMethod.Get, "me")).Status, (await elsewhere.SendAsync(HttpMethod.Get, "me")).Status));
        Assert.Equal((200, 401), ((await person.Browser.PostAsync("refresh")).Status, (await elsewhere.PostAsync("refresh")).Status));
        Assert.Equal((200, 401), ((await app.NewBrowser().LoginAsync(person.Email, "a quite different walrus")).Status, (await app.NewBrowser().LoginAsync(person.Email)).Status));
        Assert.Equal(1, await app.AuditedAsync(person.Tenant, AuditActions.PasswordChanged));
        Assert.Contains(await app.MailsAsync(person.Email), mail => mail.Subject == "Your password was changed");
    }

    [Fact]
    public async Task Guessing_the_password_of_a_session_that_was_left_open_is_limited_too()
    {
        var person = await app.NewPersonAsync();
        for (var i = 0; i < 10; i++) Assert.Equal(400, (await person.Browser.PostAsync("change-password", new { currentPassword = $"guess {i}", newPassword = "a quite different walrus" })).Status);
        Assert.Equal(429, (await person.Browser.PostAsync("change-password", new { currentPassword = AccountsApp.Password, newPassword = "a quite different walrus" })).Status);
        Assert.Equal(429, (await person.Browser.PostAsync("confirm", new { password = AccountsApp.Password })).Status);
    }

    [Fact]
    public async Task An_account_without_a_password_is_told_how_to_get_one_and_confirms_with_a_code()
    {
        var person = await app.NewPersonAsync();
        await app.SqlAsync("update users set password_hash = null where id = @Id", new { person.Id });
        var answer = await person.Browser.PostAsync("change-password", new { currentPassword = "x", newPassword = "a quite different walrus" });
        Assert.Equal(409, answer.Status);
        Assert.Contains("Forgot password", answer.Detail, StringComparison.Ordinal);
        Assert.Equal(409, (await person.Browser.PostAsync("confirm", new { password = "x" })).Status);

        var (secret, _) = await person.EnableSecondFactorAsync();
        app.Time.Advance(TimeSpan.FromMinutes(14));
        await person.Browser.PostAsync("refresh");
        app.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal("confirm-identity", (await person.Browser.PostAsync("second-factor/recovery-codes")).Problem);
        Assert.Equal(400, (await person.Browser.PostAsync("confirm", new { code = "000000" })).Status);
        Assert.Equal(204, (await person.Browser.PostAsync("confirm", new { code = person.Code(secret) })).Status);
        Assert.Equal(200, (await person.Browser.PostAsync("second-factor/recovery-codes")).Status);
    }

    [Fact]
    public async Task Confirming_with_the_password_opens_what_asks_for_a_fresh_sign_in()
    {
        var person = await app.NewPersonAsync();
        app.Time.Advance(TimeSpan.FromMinutes(14));
        await person.Browser.PostAsync("refresh");
        app.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal((403, "confirm-identity"), ((await person.Browser.PostAsync("second-factor/setup")) is var asked ? (asked.Status, asked.Problem) : default));
        Assert.Equal(400, (await person.Browser.PostAsync("confirm", new { password = "guess" })).Status);
        Assert.Equal(400, (await person.Browser.PostAsync("confirm", new { code = "123456" })).Status);
        Assert.Equal(204, (await person.Browser.PostAsync("confirm", new { password = AccountsApp.Password })).Status);
        Assert.Equal(200, (await person.Browser.PostAsync("second-factor/setup")).Status);
    }

    [Fact]
    public async Task A_person_may_change_its_name_and_only_to_one()
    {
        var person = await app.NewPersonAsync();
        Assert.Equal(204, (await person.Browser.SendAsync(HttpMethod.Patch, "me", new { displayName = " Ada King " })).Status);
        Assert.Equal("Ada King", (await person.Browser.SendAsync(HttpMethod.Get, "me")).Body!["user"]!["displayName"]!.GetValue<string>());
        Assert.Equal(400, (await person.Browser.SendAsync(HttpMethod.Patch, "me", new { displayName = " " })).Status);
    }

    [Fact]
    public async Task Signing_in_renews_a_hash_that_was_made_with_other_parameters()
    {
        var person = await app.NewPersonAsync();
        var old = Passwords.Hash(AccountsApp.Password, new PasswordCost(8192, 1, 1));
        await app.SqlAsync("update users set password_hash = @old where id = @Id", new { old, person.Id });
        Assert.Equal(200, (await app.NewBrowser().LoginAsync(person.Email)).Status);
        Assert.StartsWith("$argon2id$v=19$m=19456,t=2,p=1$", await app.QueryAsync<string>("select password_hash from users where id = @Id", new { person.Id }), StringComparison.Ordinal);
        Assert.Equal(200, (await app.NewBrowser().LoginAsync(person.Email)).Status);
    }

    [Fact]
    public async Task A_known_and_an_unknown_address_cost_the_same_hashes_and_statements_whatever_is_asked()
    {
        var person = await app.NewPersonAsync();
        var nobody = AccountsApp.NewEmail();
        var (sessions, accounts) = (app.Services.GetRequiredService<SessionEndpoints>(), app.Services.GetRequiredService<AccountEndpoints>());

        await SameAsync(1, email => new { email, password = "a guess that is wrong" }, sessions.LoginAsync);
        await SameAsync(0, email => new { email }, accounts.ForgotPasswordAsync);
        await SameAsync(1, email => new { email, password = AccountsApp.Password, displayName = "D", businessName = "B" }, accounts.RegisterAsync);

        async Task SameAsync(int hashes, Func<string, object> body, Func<HttpRequest, CancellationToken, Task<IResult>> work)
        {
            var known = await WorkAsync(body(person.Email), work);
            var unknown = await WorkAsync(body(nobody), work);
            Assert.Equal(hashes, known.Hashes);
            Assert.NotEmpty(known.Statements);
            Assert.Equal(known.Hashes, unknown.Hashes);
            Assert.Equal(known.Statements, unknown.Statements);
        }
    }

    /// <summary>What a request does: how many passwords it hashes, and the statements that it sends to the database.</summary>
    private async Task<(long Hashes, IReadOnlyList<string> Statements)> WorkAsync(object body, Func<HttpRequest, CancellationToken, Task<IResult>> work)
    {
        var hasher = app.Services.GetRequiredService<PasswordHasher>();
        var statements = new List<string>();
        using var activity = new Activity("the request").SetIdFormat(ActivityIdFormat.W3C);
        var trace = default(ActivityTraceId);
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Npgsql",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = stopped =>
            {
                if (stopped.TraceId != trace) return;
                // A mail that was queued is sent in the same trace, by somebody else.
                var root = stopped;
                while (root.Parent is { } parent) root = parent;
                if (root != activity) return;
                // Whether the pool had a connection at hand says nothing of what was asked.
                if ((stopped.GetTagItem("db.query.text") ?? stopped.GetTagItem("db.statement"))?.ToString() is not { } statement) return;
                lock (statements) statements.Add(statement);
            },
        };
        ActivitySource.AddActivityListener(listener);
        activity.Start();
        trace = activity.TraceId;
        var context = new DefaultHttpContext { RequestServices = app.Services };
        context.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(body)));
        context.Request.ContentType = "application/json";
        context.Features.Set(new ForwardedChain(app.NewAddress()));
        var before = hasher.Derived;
        try
        {
            await work(context.Request, TestContext.Current.CancellationToken);
        }
        catch (Api.ApiProblem problem)
        {
            Assert.Equal(401, problem.Status);
        }

        return (hasher.Derived - before, statements);
    }
}
