using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using KpiDashboard.Identity;
using Microsoft.AspNetCore.WebUtilities;
using Xunit;

namespace KpiDashboard.IntegrationTests.Identity;

/// <summary>Signing in through real OpenID providers, as a browser does it, and through ones that misbehave.</summary>
public sealed class OidcTests(OidcFixture app) : IClassFixture<OidcFixture>, IAsyncLifetime
{
    private readonly string _subject = Guid.NewGuid().ToString("N");

    private string Email => $"{_subject}@kpi.test";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        app.Clock.Ahead = TimeSpan.Zero;
        foreach (var provider in new[] { "company", "lean" }) await app.MisbehavesAsync(provider, "");
    }

    [Fact]
    public async Task The_page_learns_which_providers_there_are_and_nothing_else_about_them()
    {
        using var http = new HttpClient { BaseAddress = app.Address };

        Assert.Equal(
            """{"providers":[{"key":"lean","name":"Lean"},{"key":"nobody","name":"Nobody"},{"key":"company","name":"The Company"}]}""",
            await http.GetStringAsync(new Uri("api/auth/providers", UriKind.Relative), Ct));
    }

    [Theory]
    [InlineData("company")]
    [InlineData("lean")]
    public async Task A_verified_address_of_an_account_signs_in_links_once_and_is_audited(string provider)
    {
        var user = await app.AccountAsync(Email);
        await app.KnowsAsync(provider, _subject, Email.ToUpperInvariant(), true);
        var browser = new Browser(app);

        Assert.Equal("/overview?range=7d", await browser.SignInAsync(provider, _subject, "/overview?range=7d"));

        var session = await browser.RefreshAsync();
        Assert.Equal((user.ToString(), Email), (session["user"]!["id"]!.GetValue<string>(), session["user"]!["email"]!.GetValue<string>()));
        Assert.False(browser.Cookies.ContainsKey(OidcEndpoints.StateCookie));
        Assert.Equal("/", await new Browser(app).SignInAsync(provider, _subject));
        Assert.Equal([[app.Issuer(provider), user]], await app.RowsAsync("select issuer, user_id from user_identities where subject = $1", _subject));
        Assert.Equal(
            [["account.sign_in_linked", $$"""{"issuer": "{{app.Issuer(provider)}}", "provider": "{{provider}}"}"""], ["session.opened", $$"""{"method": "oidc:{{provider}}"}"""], ["session.opened", $$"""{"method": "oidc:{{provider}}"}"""]],
            await app.RowsAsync("select action, after::text from audit_log where actor_id = $1 and action <> 'tenant.created' order by id", user));
    }

    [Fact]
    public async Task What_goes_to_the_provider_is_code_with_PKCE_and_the_callback_of_the_setting_whatever_the_Host_header_says()
    {
        using var http = Browser.Client(app.Address);
        using var request = new HttpRequestMessage(HttpMethod.Get, "api/auth/oidc/company/start");
        request.Headers.Host = "evil.example";
        using var response = await http.SendAsync(request, Ct);

        Assert.Equal(HttpStatusCode.Found, response.StatusCode);
        var query = QueryHelpers.ParseQuery(response.Headers.Location!.Query);
        Assert.StartsWith(app.Issuer("company") + "/auth?", response.Headers.Location.AbsoluteUri, StringComparison.Ordinal);
        Assert.Equal(("code", "S256", OidcFixture.Page + "/api/auth/oidc/company/callback"), (query["response_type"].ToString(), query["code_challenge_method"].ToString(), query["redirect_uri"].ToString()));
        Assert.All(new[] { "state", "nonce", "code_challenge" }, name => Assert.Equal(43, query[name].ToString().Length));
        var cookie = Assert.Single(response.Headers.GetValues("Set-Cookie"));
        Assert.StartsWith("kpi_oidc=", cookie, StringComparison.Ordinal);
        Assert.Contains("; path=/api/auth; secure; samesite=lax; httponly", cookie, StringComparison.OrdinalIgnoreCase);
        // Sealed: nothing in it can be read.
        Assert.DoesNotContain(query["state"].ToString(), cookie, StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_the_first_time_the_subject_counts_even_when_the_address_changed_to_an_unverified_one_or_to_that_of_another_account()
    {
        var user = await app.AccountAsync(Email);
        await app.AccountAsync("other-" + Email);
        await app.KnowsAsync("company", _subject, Email, true);
        await new Browser(app).SignInAsync("company", _subject);

        foreach (var (email, verified) in new[] { ("renamed-" + Email, false), ("other-" + Email, true) })
        {
            await app.KnowsAsync("company", _subject, email, verified);
            var browser = new Browser(app);
            Assert.Equal("/", await browser.SignInAsync("company", _subject));
            Assert.Equal(user.ToString(), (await browser.RefreshAsync())["user"]!["id"]!.GetValue<string>());
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(null)]
    [InlineData("false")]
    [InlineData(1)]
    public async Task An_unverified_address_never_links_and_makes_no_account(object? verified)
    {
        await app.AccountAsync(Email);
        await app.KnowsAsync("company", _subject, Email, verified);
        await app.KnowsAsync("company", "new" + _subject, "new-" + Email, verified);

        foreach (var subject in new[] { _subject, "new" + _subject })
        {
            var browser = new Browser(app);
            Assert.Equal("/sign-in?problem=unverified", await browser.SignInAsync("company", subject));
            Assert.Empty(browser.Cookies);
        }

        Assert.Empty(await app.RowsAsync("select 1 from user_identities where subject like $1", "%" + _subject));
    }

    [Fact]
    public async Task An_address_that_an_account_only_claims_is_not_linked_to_it()
    {
        var squatter = await app.AccountAsync(Email, verified: false);
        await app.KnowsAsync("company", _subject, Email, true);
        var browser = new Browser(app);

        Assert.Equal("/register?provider=company", await browser.SignInAsync("company", _subject));
        var session = await browser.SendAsync(HttpMethod.Post, "auth/oidc/register", new { businessName = "The real one" });

        Assert.NotEqual(squatter.ToString(), session["user"]!["id"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("company")]
    [InlineData("lean")]
    public async Task Somebody_new_registers_with_the_address_that_the_provider_proved(string provider)
    {
        await app.KnowsAsync(provider, _subject, Email, true, "Nora New");
        var browser = new Browser(app);

        Assert.Equal($"/register?provider={provider}", await browser.SignInAsync(provider, _subject));
        Assert.Equal([OidcEndpoints.SignUpCookie], browser.Cookies.Keys);
        var pending = await browser.SendAsync(HttpMethod.Get, "auth/oidc/pending");
        Assert.Equal((provider, Email, "Nora New"), (pending["provider"]!.GetValue<string>(), pending["email"]!.GetValue<string>(), pending["displayName"]!.GetValue<string>()));
        Assert.Contains("'businessName'", await browser.ProblemAsync(HttpMethod.Post, "auth/oidc/register", 400, new { businessName = " " }), StringComparison.Ordinal);
        var copied = new Browser(app, browser.Cookies);
        var session = await browser.SendAsync(HttpMethod.Post, "auth/oidc/register", new { businessName = "Nora's", timeZone = "Europe/Berlin", currency = "CHF" }, 201);

        Assert.Equal(
            (Email, "Nora New", true, false, "Nora's", "owner", "Europe/Berlin", "CHF"),
            (session["user"]!["email"]!.GetValue<string>(), session["user"]!["displayName"]!.GetValue<string>(), session["user"]!["emailVerified"]!.GetValue<bool>(),
                session["user"]!["hasPassword"]!.GetValue<bool>(), session["tenant"]!["name"]!.GetValue<string>(), session["tenant"]!["role"]!.GetValue<string>(),
                session["tenant"]!["timeZone"]!.GetValue<string>(), session["tenant"]!["currency"]!.GetValue<string>()));
        Assert.False(browser.Cookies.ContainsKey(OidcEndpoints.SignUpCookie));
        await browser.RefreshAsync();
        Assert.Contains("already", await copied.ProblemAsync(HttpMethod.Post, "auth/oidc/register", 409, new { businessName = "Twice" }), StringComparison.Ordinal);
        Assert.Equal("/", await new Browser(app).SignInAsync(provider, _subject));
    }

    [Fact]
    public async Task Without_a_proved_address_or_too_late_nobody_registers()
    {
        var browser = new Browser(app);
        await browser.ProblemAsync(HttpMethod.Get, "auth/oidc/pending", 404);
        await browser.ProblemAsync(HttpMethod.Post, "auth/oidc/register", 404, new { businessName = "Mine" });
        // A cookie of the other kind is none, nor is one that was made up.
        await app.KnowsAsync("company", _subject, Email, true);
        await browser.StartAsync("company");
        await new Browser(app, new() { [OidcEndpoints.SignUpCookie] = browser.Cookies[OidcEndpoints.StateCookie] }).ProblemAsync(HttpMethod.Get, "auth/oidc/pending", 404);
        await new Browser(app, new() { [OidcEndpoints.SignUpCookie] = "bm90aGluZw" }).ProblemAsync(HttpMethod.Get, "auth/oidc/pending", 404);

        await browser.SignInAsync("company", _subject);
        app.Clock.Ahead = TimeSpan.FromMinutes(11);

        await browser.ProblemAsync(HttpMethod.Post, "auth/oidc/register", 404, new { businessName = "Mine" });
        Assert.Empty(await app.RowsAsync("select 1 from users where email = $1", Email));
    }

    [Fact]
    public async Task A_deactivated_account_and_one_without_a_business_are_told_so()
    {
        var user = await app.AccountAsync(Email);
        await app.KnowsAsync("company", _subject, Email, true);
        await new Browser(app).SignInAsync("company", _subject);
        await app.RowsAsync("delete from memberships where user_id = $1", user);
        var browser = new Browser(app);
        Assert.Equal("/sign-in?problem=no-account", await browser.SignInAsync("company", _subject));
        await app.RowsAsync("update users set disabled_at = now() where id = $1", user);
        Assert.Equal("/sign-in?problem=deactivated", await browser.SignInAsync("company", _subject));
        await app.RowsAsync("delete from user_identities where user_id = $1", user);
        Assert.Equal("/sign-in?problem=deactivated", await browser.SignInAsync("company", _subject));

        Assert.Empty(browser.Cookies);
        Assert.Empty(await app.RowsAsync("select 1 from user_identities where user_id = $1", user));
    }

    [Fact]
    public async Task Who_says_no_at_the_provider_is_back_at_the_sign_in()
    {
        var browser = new Browser(app);

        Assert.Equal("/sign-in?problem=cancelled", await browser.SignInAsync("company", "nobody"));
        Assert.Empty(browser.Cookies);
    }

    [Fact]
    public async Task A_callback_with_another_state_without_the_cookie_too_late_or_for_another_provider_signs_nobody_in()
    {
        await app.AccountAsync(Email);
        await app.KnowsAsync("company", _subject, Email, true);
        await Expired((callback, browser) => browser.CallbackAsync(new Uri(callback.AbsoluteUri.Replace("state=", "state=x", StringComparison.Ordinal))));
        await Expired((callback, browser) => browser.CallbackAsync(new Uri(callback.AbsoluteUri + "&state=second")));
        await Expired((callback, _) => new Browser(app).CallbackAsync(callback));
        await Expired((callback, browser) => browser.CallbackAsync(new Uri(callback.AbsoluteUri.Replace("/company/", "/lean/", StringComparison.Ordinal))));
        await Expired(async (callback, browser) =>
        {
            await browser.StartAsync("company");
            return await browser.CallbackAsync(callback);
        });
        await Expired((callback, browser) =>
        {
            app.Clock.Ahead = TimeSpan.FromMinutes(11);
            return browser.CallbackAsync(callback);
        });

        Assert.Empty(await app.RowsAsync("select 1 from user_identities where subject = $1", _subject));

        async Task Expired(Func<Uri, Browser, Task<string>> attempt)
        {
            var browser = new Browser(app);
            var callback = await Browser.AtProviderAsync(await browser.StartAsync("company"), _subject);
            Assert.Equal("/sign-in?problem=expired", await attempt(callback, browser));
            Assert.False(browser.Cookies.ContainsKey(Sessions.Cookie));
        }
    }

    [Fact]
    public async Task A_callback_works_once_even_with_a_copy_of_the_cookie()
    {
        await app.AccountAsync(Email);
        await app.KnowsAsync("company", _subject, Email, true);
        var browser = new Browser(app);
        var callback = await Browser.AtProviderAsync(await browser.StartAsync("company"), _subject);
        var thief = new Browser(app, browser.Cookies);

        Assert.Equal("/", await browser.CallbackAsync(callback));
        Assert.Equal("/sign-in?problem=expired", await browser.CallbackAsync(callback));
        Assert.Equal("/sign-in?problem=expired", await thief.CallbackAsync(callback));
        Assert.Empty(thief.Cookies);
    }

    [Theory]
    [InlineData("iss=https%3A%2F%2Fevil.example&code=x")]
    [InlineData("error=server_error&error_description=%3Cscript%3Ealert(1)%3C%2Fscript%3E")]
    [InlineData("code=")]
    [InlineData("code=a&code=b")]
    [InlineData("nothing=here")]
    public async Task An_answer_of_the_provider_that_makes_no_sense_is_its_problem_and_its_text_is_not_passed_on(string query)
    {
        var browser = new Browser(app);
        var state = QueryHelpers.ParseQuery((await browser.StartAsync("company")).Query)["state"];

        Assert.Equal("/sign-in?problem=provider", await browser.CallbackAsync(new Uri($"{OidcFixture.Page}/api/auth/oidc/company/callback?state={state}&{query}")));
        Assert.Empty(browser.Cookies);
    }

    [Theory]
    [InlineData("nonce")]
    [InlineData("no-nonce")]
    [InlineData("audience")]
    [InlineData("azp")]
    [InlineData("many-audiences")]
    [InlineData("issuer")]
    [InlineData("expired")]
    [InlineData("no-expiry")]
    [InlineData("stale")]
    [InlineData("at-hash")]
    [InlineData("no-subject")]
    [InlineData("tampered")]
    [InlineData("none")]
    [InlineData("hs256")]
    [InlineData("foreign-key")]
    [InlineData("unknown-key")]
    [InlineData("garbage")]
    public async Task A_token_that_is_not_right_signs_nobody_in(string mode)
    {
        await app.AccountAsync(Email);
        await app.KnowsAsync("company", _subject, Email, true);
        await app.MisbehavesAsync("company", mode);
        var browser = new Browser(app);

        Assert.Equal("/sign-in?problem=provider", await browser.SignInAsync("company", _subject));
        Assert.Empty(browser.Cookies);
        Assert.Empty(await app.RowsAsync("select 1 from user_identities where subject = $1", _subject));
        // The same person at the same provider, once it behaves.
        await app.MisbehavesAsync("company", "");
        Assert.Equal("/", await browser.SignInAsync("company", _subject));
    }

    [Fact]
    public async Task A_key_that_was_rolled_is_read_at_once_but_made_up_keys_make_nobody_read_more_than_once_a_minute()
    {
        await app.AccountAsync(Email);
        await app.KnowsAsync("company", _subject, Email, true);
        Assert.Equal("/", await new Browser(app).SignInAsync("company", _subject));
        app.Clock.Ahead = TimeSpan.FromMinutes(2);
        var before = await app.KeysReadAsync("company");
        Assert.Equal("/", await new Browser(app).SignInAsync("company", _subject));
        Assert.Equal(before, await app.KeysReadAsync("company"));

        await app.RollsKeysAsync("company");
        Assert.Equal("/", await new Browser(app).SignInAsync("company", _subject));
        Assert.Equal(before + 1, await app.KeysReadAsync("company"));

        await app.MisbehavesAsync("company", "unknown-key");
        for (var i = 0; i < 3; i++) Assert.Equal("/sign-in?problem=provider", await new Browser(app).SignInAsync("company", _subject));
        Assert.Equal(before + 1, await app.KeysReadAsync("company"));
        app.Clock.Ahead = TimeSpan.FromMinutes(4);
        for (var i = 0; i < 3; i++) Assert.Equal("/sign-in?problem=provider", await new Browser(app).SignInAsync("company", _subject));
        Assert.Equal(before + 2, await app.KeysReadAsync("company"));
    }

    [Fact]
    public async Task A_provider_that_is_down_is_503_for_programs_and_a_sentence_on_the_page_for_people()
    {
        var browser = new Browser(app);
        Assert.Contains("Nobody does not answer", await browser.ProblemAsync(HttpMethod.Get, "auth/oidc/nobody/start", 503), StringComparison.Ordinal);
        using var http = Browser.Client(app.Address);
        using var request = new HttpRequestMessage(HttpMethod.Get, "api/auth/oidc/nobody/start");
        request.Headers.Add("Accept", "text/html,application/xhtml+xml");
        using var response = await http.SendAsync(request, Ct);
        Assert.Equal((HttpStatusCode.Found, OidcFixture.Page + "/sign-in?problem=provider"), (response.StatusCode, response.Headers.Location!.AbsoluteUri));

        // It goes down while the person is there.
        var callback = await Browser.AtProviderAsync(await browser.StartAsync("lean"), _subject);
        await app.MisbehavesAsync("lean", "down");
        Assert.Equal("/sign-in?problem=provider", await browser.CallbackAsync(callback));
        Assert.Empty(browser.Cookies);
    }

    [Theory]
    [InlineData("start")]
    [InlineData("callback")]
    public async Task An_unknown_provider_is_404(string what) =>
        Assert.Contains("no such sign-in provider", await new Browser(app).ProblemAsync(HttpMethod.Get, $"auth/oidc/Company/{what}", 404), StringComparison.Ordinal);

    [Theory]
    [InlineData("https://evil.example/")]
    [InlineData("//evil.example")]
    [InlineData("/\\evil.example")]
    [InlineData("\\\\evil.example")]
    [InlineData("/\t/evil.example")]
    [InlineData("\n//evil.example")]
    [InlineData("javascript:alert(1)")]
    [InlineData("evil.example")]
    [InlineData("/a\r\nSet-Cookie: x=y")]
    [InlineData("/ä")]
    public async Task Only_a_path_of_the_page_is_returned_to(string returnTo)
    {
        var path = $"auth/oidc/company/start?returnTo={Uri.EscapeDataString(returnTo)}";
        Assert.Contains("'returnTo'", await new Browser(app).ProblemAsync(HttpMethod.Get, path, 400), StringComparison.Ordinal);
        Assert.Contains("'returnTo'", await new Browser(app).ProblemAsync(HttpMethod.Get, "auth/oidc/company/start?returnTo=/a&returnTo=/b", 400), StringComparison.Ordinal);
    }

    /// <summary>A browser that keeps cookies and shows where it is sent.</summary>
    private sealed class Browser(OidcFixture app, Dictionary<string, string>? cookies = null)
    {
        public Dictionary<string, string> Cookies { get; } = cookies is null ? [] : new(cookies);

        public static HttpClient Client(Uri address) => new(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = address };

        /// <summary>The whole way; returns where on our page it ends.</summary>
        public async Task<string> SignInAsync(string provider, string who, string? returnTo = null) =>
            await CallbackAsync(await AtProviderAsync(await StartAsync(provider, returnTo), who));

        public async Task<Uri> StartAsync(string provider, string? returnTo = null)
        {
            using var response = await GetAsync($"api/auth/oidc/{provider}/start" + (returnTo is null ? "" : $"?returnTo={Uri.EscapeDataString(returnTo)}"));
            Assert.Equal(HttpStatusCode.Found, response.StatusCode);
            Assert.Equal("no-store", response.Headers.CacheControl!.ToString());
            return response.Headers.Location!;
        }

        /// <summary>What happens at the provider, up to the address that it sends the browser back to.</summary>
        public static async Task<Uri> AtProviderAsync(Uri address, string who)
        {
            using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() });
            while (address.Host != new Uri(OidcFixture.Page).Host)
            {
                if (address.AbsolutePath.StartsWith("/interaction/", StringComparison.Ordinal)) address = new Uri($"{address.AbsoluteUri}?as={who}");
                using var response = await http.GetAsync(address, Ct);
                Assert.True(response.Headers.Location is not null, $"{address} answered {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(Ct)}");
                address = new Uri(address, response.Headers.Location);
            }

            return address;
        }

        public async Task<string> CallbackAsync(Uri callback)
        {
            using var response = await GetAsync(callback.PathAndQuery.TrimStart('/'));
            Assert.True(response.StatusCode == HttpStatusCode.Found, $"{(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(Ct)}");
            Assert.Equal("no-store", response.Headers.CacheControl!.ToString());
            Assert.StartsWith(OidcFixture.Page + "/", response.Headers.Location!.AbsoluteUri, StringComparison.Ordinal);
            return response.Headers.Location.AbsoluteUri[OidcFixture.Page.Length..];
        }

        public Task<JsonNode> RefreshAsync() => SendAsync(HttpMethod.Post, "auth/refresh");

        public async Task<JsonNode> SendAsync(HttpMethod method, string path, object? body = null, int? status = null)
        {
            using var response = await RequestAsync(method, "api/" + path, body);
            var text = await response.Content.ReadAsStringAsync(Ct);
            Assert.True(status is null ? response.IsSuccessStatusCode : (int)response.StatusCode == status, $"{(int)response.StatusCode}: {text}");
            return JsonNode.Parse(text)!;
        }

        public async Task<string> ProblemAsync(HttpMethod method, string path, int status, object? body = null)
        {
            using var response = await RequestAsync(method, "api/" + path, body);
            var text = await response.Content.ReadAsStringAsync(Ct);
            Assert.True((int)response.StatusCode == status, $"{(int)response.StatusCode}: {text}");
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
            return JsonNode.Parse(text)!["detail"]!.GetValue<string>();
        }

        private Task<HttpResponseMessage> GetAsync(string path) => RequestAsync(HttpMethod.Get, path, null);

        private async Task<HttpResponseMessage> RequestAsync(HttpMethod method, string path, object? body)
        {
            using var http = Client(app.Address);
            using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
            if (Cookies.Count > 0) request.Headers.Add("Cookie", string.Join("; ", Cookies.Select(cookie => $"{cookie.Key}={cookie.Value}")));
            var response = await http.SendAsync(request, Ct);
            foreach (var line in response.Headers.TryGetValues("Set-Cookie", out var set) ? set : [])
            {
                var (name, value) = (line[..line.IndexOf('=')], line[(line.IndexOf('=') + 1)..].Split(';')[0]);
                if (value.Length == 0) Cookies.Remove(name);
                else Cookies[name] = value;
            }

            return response;
        }
    }
}
