using System.Buffers.Binary;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KpiDashboard.BrowserTests.App;
using KpiDashboard.Demo.Seeding;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace KpiDashboard.BrowserTests;

/// <summary>The pages that need no session: register, confirm an address, passwords, codes, invitations.</summary>
[Collection<FirstApp>]
public sealed class AccountPagesTests(AppFixture app)
{
    /// <summary>States of the pages to look at. What the API says in them is given here, so that each can be looked at whatever else happened before.</summary>
    private static readonly Dictionary<string, State> s_states = new()
    {
        ["sign-in-providers"] = new("/sign-in?problem=cancelled", "The sign-in was cancelled at the provider.")
        {
            Answers = { ["auth/providers"] = (200, """{"providers":[{"key":"google","name":"Google"},{"key":"entra","name":"Microsoft"}]}""") },
            Shown = "Continue with Microsoft",
        },
        ["code"] = new("/sign-in/code", "Your authenticator app shows six digits"),
        ["recovery-code"] = new("/sign-in/code", "One of the codes that you kept") { Press = "Use a recovery code instead" },
        ["register"] = new("/register", "Common passwords are refused"),
        ["register-region"] = new("/register", "Currency") { Press = "Change" },
        ["register-provider"] = new("/register?provider=google", "You register through Google, as anna@example.com.")
        {
            Answers = { ["auth/oidc/pending"] = (200, """{"provider":"google","providerName":"Google","email":"anna@example.com","displayName":"Anna Smith"}""") },
        },
        ["verify-email-password"] = new("/verify-email#token=t", "enter its password") { Answers = { ["auth/verify-email"] = (401, Problem("password-needed", "Enter the password.")) } },
        ["verify-email-used"] = new("/verify-email#token=t", "This link was used already.")
        {
            Answers = { ["auth/verify-email"] = (400, """{"type":"https://kpi-dashboard.example/problems/validation","detail":"This link was used already.","errors":{"token":["This link was used already."]}}""") },
        },
        ["verify-email-done"] = new("/verify-email#token=t", "Your address is confirmed") { Answers = { ["auth/verify-email"] = (204, "") } },
        ["link-incomplete"] = new("/reset-password", "This link is incomplete"),
        ["forgot-password"] = new("/forgot-password", "You get a link to choose a new password."),
        ["reset-password"] = new("/reset-password#token=t", "signed out everywhere else"),
        ["invitation-account"] = new("/invitation#token=t", "Otto Owner invited you as an admin.") { Answers = { ["auth/invitation"] = (200, Invitation(hasAccount: true)) } },
        ["invitation-new"] = new("/invitation#token=t", "An account is made for anna@example.com.") { Answers = { ["auth/invitation"] = (200, Invitation(hasAccount: false)) } },
        ["invitation-over"] = new("/invitation#token=t", "This invitation no longer works") { Answers = { ["auth/invitation"] = (404, Problem("not-found", "This invitation is over.")) } },
    };

    public static TheoryData<string> Pages { get; } = [.. s_states.Keys];

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task Axe_finds_nothing_and_nothing_is_wider_than_the_screen(string name)
    {
        var state = s_states[name];
        foreach (var screen in Looks.Screens)
        {
            await using var visit = await app.VisitAsync(screen);
            await GiveAsync(visit.Page, "auth/providers", (200, """{"providers":[]}"""));
            foreach (var (path, answer) in state.Answers) await GiveAsync(visit.Page, path, answer);
            await visit.Page.GotoAsync(state.Path);
            if (state.Press is { } button) await visit.Page.GetByRole(AriaRole.Button, new() { Name = button }).ClickAsync();
            await Expect(visit.Page.GetByText(state.Says).First).ToBeVisibleAsync();
            if (state.Shown is { } shown) await Expect(visit.Page.GetByText(shown)).ToBeVisibleAsync();

            await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveCountAsync(1);
            Assert.DoesNotContain("token", visit.Page.Url, StringComparison.Ordinal);
            await visit.InBothThemesAsync($"account-{name}");
            await visit.TargetsAreLargeAsync();
            // What the given answers say is no complaint.
            Assert.All(visit.Complaints, said => Assert.Contains("status of 4", said, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Whoever_registers_sees_the_new_business_and_confirms_the_address_once_by_the_link_in_the_mail()
    {
        var email = MailBox.FreshAddress();
        await using var visit = await app.VisitAsync(Screen.Phone);
        await visit.Page.GotoAsync("/sign-in");
        await visit.Page.GetByRole(AriaRole.Link, new() { Name = "Register" }).ClickAsync();
        await Expect(visit.Page.GetByText("Days end at midnight in London, money is in GBP.")).ToBeVisibleAsync();
        await visit.Page.GetByLabel("Your name").FillAsync("Anna Smith");
        await visit.Page.GetByLabel("Name of the business").FillAsync("Smith & Daughters");
        await visit.Page.GetByLabel("E-mail address").FillAsync(email);
        var password = visit.Page.GetByRole(AriaRole.Textbox, new() { Name = "Password" });
        await password.FillAsync("password");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Register" }).ClickAsync();

        // A password that everybody knows is refused at its field, in words, and nothing that was entered is lost.
        await Expect(password).ToBeFocusedAsync();
        await Expect(password).ToHaveAttributeAsync("aria-invalid", "true");
        await password.FillAsync(MailBox.Password);
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Register" }).ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToContainTextAsync("Smith & Daughters");

        var link = await app.LinkAsync(email, "verify-email");
        await visit.Page.GotoAsync(link);
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "Your address is confirmed" })).ToBeVisibleAsync();
        await visit.Page.GetByRole(AriaRole.Link, new() { Name = "Go to the overview" }).ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToContainTextAsync("Smith & Daughters");

        await using var later = await app.VisitAsync(Screen.Desktop);
        await later.Page.GotoAsync(link);
        await Expect(later.Page.GetByRole(AriaRole.Heading, new() { Name = "The address could not be confirmed" })).ToBeVisibleAsync();
        await Expect(later.Page).ToHaveURLAsync(new Regex("/verify-email$"));
    }

    [Fact]
    public async Task Who_is_not_signed_in_confirms_the_address_with_the_password_of_the_account()
    {
        var email = MailBox.FreshAddress();
        using var _ = await app.RegisterAsync(email);
        await using var visit = await app.VisitAsync(Screen.Phone);
        await visit.Page.GotoAsync(await app.LinkAsync(email, "verify-email"));
        var form = visit.Page.GetByRole(AriaRole.Form, new() { Name = "Confirm your address" });
        await form.GetByRole(AriaRole.Textbox, new() { Name = "Password" }).FillAsync("not it at all");
        await form.GetByRole(AriaRole.Button, new() { Name = "Confirm" }).ClickAsync();
        await Expect(form.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await form.GetByRole(AriaRole.Textbox, new() { Name = "Password" }).FillAsync(MailBox.Password);
        await form.GetByRole(AriaRole.Button, new() { Name = "Confirm" }).ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "Your address is confirmed" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Who_cannot_sign_in_may_have_the_confirmation_sent_again_and_gets_the_same_answer_for_any_address()
    {
        var (waiting, confirmed, unknown) = (MailBox.FreshAddress(), MailBox.FreshAddress(), MailBox.FreshAddress());
        using var first = await app.RegisterAsync(waiting);
        using var second = await ConfirmedAsync(confirmed);
        await using var visit = await app.VisitAsync(Screen.Phone);
        var answers = new List<string>();
        foreach (var address in new[] { waiting, confirmed, unknown })
        {
            await visit.Page.GotoAsync("/sign-in");
            await visit.FillInAsync(address, "not the right words");
            await Expect(visit.SignInForm.GetByRole(AriaRole.Alert)).ToContainTextAsync("or the address has not been confirmed yet");
            var asked = visit.Page.WaitForResponseAsync("**/api/auth/verify-email/request");
            await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Send the confirmation mail again" }).ClickAsync();
            var answer = await asked;
            await Expect(visit.SignInForm.GetByRole(AriaRole.Status)).ToHaveTextAsync(
                $"If {address} waits to be confirmed, a mail is on its way. Open its link and enter your password; then sign in.");
            answers.Add($"{answer.Status} {await answer.TextAsync()}");
            if (address == waiting) await visit.InAllLooksAsync("sign-in-sent-again");
        }

        Assert.Single(answers.Distinct(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_forgotten_password_is_replaced_by_mail_and_an_unknown_address_gets_the_same_answer()
    {
        var (email, unknown) = (MailBox.FreshAddress(), MailBox.FreshAddress());
        using var _ = await ConfirmedAsync(email);
        await using var visit = await app.VisitAsync(Screen.Phone);
        foreach (var address in new[] { unknown, email })
        {
            await visit.Page.GotoAsync("/sign-in");
            await visit.FollowAsync("Forgot password?", "Forgot your password?");
            await visit.Page.GetByLabel("E-mail address").FillAsync(address);
            await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Send the link" }).ClickAsync();
            await Expect(visit.Page.GetByText($"If {address} has an account, a mail is on its way.")).ToBeVisibleAsync();
        }

        const string Replaced = "nine loud herons argue";
        await visit.Page.GotoAsync(await app.LinkAsync(email, "reset-password"));
        await visit.Page.GetByRole(AriaRole.Textbox, new() { Name = "New password" }).FillAsync(Replaced);
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Save and sign in" }).ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToContainTextAsync("Own Test Shop");

        await using var other = await app.VisitAsync(Screen.Desktop);
        await other.Page.GotoAsync("/sign-in");
        await other.FillInAsync(email, MailBox.Password);
        await Expect(other.Page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await other.FillInAsync(email, Replaced);
        await Expect(other.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToContainTextAsync("Own Test Shop");
    }

    [Fact]
    public async Task With_a_second_factor_the_code_is_asked_for_and_the_page_that_was_wanted_comes_after_it()
    {
        var email = MailBox.FreshAddress();
        using var http = await ConfirmedAsync(email);
        var setup = await SendAsync(http, "auth/second-factor/setup", new { });
        var secret = Base32(setup["secret"]!.GetValue<string>());
        await SendAsync(http, "auth/second-factor/enable", new { code = Code(secret, 0) });

        await using var visit = await app.VisitAsync(Screen.Phone);
        await visit.Page.GotoAsync("/automation");
        await visit.FillInAsync(email, MailBox.Password);
        var code = visit.Page.GetByLabel("Six-digit code");
        await Expect(code).ToBeFocusedAsync();
        // Six digits are enough: nothing needs to be pressed.
        await code.FillAsync(Code(secret, 40));
        await Expect(visit.Page.GetByRole(AriaRole.Form, new() { Name = "Enter your code" }).Locator("[aria-invalid], [role=alert]").First).ToBeVisibleAsync();
        await Expect(code).ToHaveValueAsync("");
        var right = Code(secret, 1);
        await code.FillAsync($"{right[..3]} {right[3..]}");
        await Expect(visit.Page).ToHaveURLAsync(new Regex("/automation$"));
    }

    [Fact]
    public async Task A_code_without_a_sign_in_before_it_leads_back_to_the_sign_in()
    {
        await using var visit = await app.VisitAsync(Screen.Phone);
        await visit.Page.GotoAsync("/sign-in/code");
        await visit.Page.GetByLabel("Six-digit code").FillAsync("123456");
        await Expect(visit.SignInForm).ToBeVisibleAsync();
        await Expect(visit.SignInForm.GetByRole(AriaRole.Status)).ToHaveTextAsync("That sign-in took too long. Start it again.");
    }

    [Fact]
    public async Task Signing_in_never_leads_to_another_site()
    {
        await using var visit = await app.VisitAsync(Screen.Desktop);
        await visit.Page.GotoAsync("/sign-in?returnTo=%2F%2Fevil.example%2F");
        await visit.FillInAsync(DemoSeeder.OwnerEmail, DemoSeeder.Password);
        await Expect(visit.Tile("Sessions")).ToBeVisibleAsync();
        Assert.Equal(app.Address, new Uri(visit.Page.Url));
    }

    [Fact]
    public async Task An_invitation_for_somebody_else_says_so_and_signing_out_goes_on_with_it()
    {
        await using var visit = await app.VisitAsync(Screen.Phone);
        await GiveAsync(visit.Page, "auth/invitation", (200, Invitation(hasAccount: true)));
        await visit.SignInAsync();
        await visit.Page.GotoAsync("/invitation#token=t");
        await Expect(visit.Page.GetByText($"This invitation is for anna@example.com, but you are signed in as {DemoSeeder.OwnerEmail}.")).ToBeVisibleAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out and go on" }).ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in and join" })).ToBeVisibleAsync();
    }

    private static string Problem(string type, string detail) => $$"""{"type":"https://kpi-dashboard.example/problems/{{type}}","detail":"{{detail}}"}""";

    private static string Invitation(bool hasAccount) =>
        $$"""{"businessName":"Nordlicht Studio","email":"anna@example.com","role":"admin","invitedBy":"Otto Owner","hasAccount":{{(hasAccount ? "true" : "false")}},"expiresAt":"2099-01-01T00:00:00Z"}""";

    private static Task GiveAsync(IPage page, string path, (int Status, string Body) answer) => page.RouteAsync(
        $"**/api/{path}",
        route => route.FulfillAsync(new() { Status = answer.Status, Body = answer.Body, ContentType = answer.Status < 400 ? "application/json" : "application/problem+json" }));

    /// <summary>Registers and confirms the address: only then can its password be used, or replaced.</summary>
    private async Task<HttpClient> ConfirmedAsync(string email)
    {
        var http = await app.RegisterAsync(email);
        var link = await app.LinkAsync(email, "verify-email");
        using var response = await http.PostAsJsonAsync("api/auth/verify-email", new { token = link[(link.IndexOf('=', StringComparison.Ordinal) + 1)..] }, TestContext.Current.CancellationToken);
        response.EnsureSuccessStatusCode();
        return http;
    }

    private static async Task<JsonNode> SendAsync(HttpClient http, string path, object body)
    {
        using var response = await http.PostAsJsonAsync($"api/{path}", body, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, $"POST {path} answered {(int)response.StatusCode}: {text}");
        return JsonNode.Parse(text)!;
    }

    /// <summary>The code of an authenticator app (RFC 6238) so many steps of 30 seconds from now.</summary>
    private static string Code(byte[] secret, int stepsAhead)
    {
        var counter = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(counter, DateTimeOffset.UtcNow.ToUnixTimeSeconds() / 30 + stepsAhead);
#pragma warning disable CA5350 // RFC 6238: authenticator apps know SHA-1 only.
        var hash = HMACSHA1.HashData(secret, counter);
#pragma warning restore CA5350
        var number = BinaryPrimitives.ReadInt32BigEndian(hash.AsSpan(hash[^1] & 0xf)) & int.MaxValue;
        return (number % 1_000_000).ToString("000000", System.Globalization.CultureInfo.InvariantCulture);
    }

    private static byte[] Base32(string text)
    {
        var (bytes, buffer, bits) = (new List<byte>(), 0, 0);
        foreach (var letter in text.TrimEnd('='))
        {
            buffer = (buffer << 5 | "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".IndexOf(letter, StringComparison.Ordinal)) & 0xffff;
            if ((bits += 5) < 8) continue;
            bytes.Add((byte)(buffer >> (bits -= 8)));
        }

        return [.. bytes];
    }

    private sealed record State(string Path, string Says)
    {
        public Dictionary<string, (int Status, string Body)> Answers { get; } = [];

        /// <summary>A button to press first.</summary>
        public string? Press { get; init; }

        /// <summary>What arrives last.</summary>
        public string? Shown { get; init; }
    }
}
