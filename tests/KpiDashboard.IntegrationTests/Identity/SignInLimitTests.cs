using System.Net.Http.Json;
using Dapper;
using KpiDashboard.Identity;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.IntegrationTests.StartCommand;
using KpiDashboard.LocalHost.Embedded;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Identity;

[Collection(AccountsCollection.Name)]
[Trait("Clock", "none")]
public sealed class SignInLimitTests(AccountsApp app)
{
    [Fact]
    public async Task Whoever_hammers_an_account_locks_out_strangers_only_not_its_owners_browser_nor_the_way_by_mail()
    {
        var person = await app.NewPersonAsync();
        using var known = app.NewBrowser();
        Assert.Equal(200, (await known.LoginAsync(person.Email)).Status);
        Assert.Equal(204, (await known.PostAsync("logout")).Status);

        var attacks = new List<Answer>();
        // From another address each time: it is the account that is limited.
        for (var i = 0; i < 15; i++) attacks.Add(await app.NewBrowser().LoginAsync(person.Email, $"guess {i}"));
        Assert.Equal([.. Enumerable.Repeat(401, 10), .. Enumerable.Repeat(429, 5)], attacks.Select(attack => attack.Status));
        Assert.All(attacks.Skip(10), attack => Assert.InRange(attack.RetryAfter!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(90)));

        // A browser that nobody knows waits like an attacker, whatever it knows.
        using var stranger = app.NewBrowser();
        Assert.Equal(429, (await stranger.LoginAsync(person.Email)).Status);
        Assert.Equal(200, (await known.LoginAsync(person.Email)).Status);

        Assert.Equal(202, (await stranger.PostAsync("forgot-password", new { email = person.Email })).Status);
        var token = await app.TokenAsync(person.Email, "Set a new password");
        Assert.Equal(200, (await stranger.PostAsync("reset-password", new { token, password = "a quite different walrus" })).Status);
        await stranger.PostAsync("logout");
        Assert.Equal(200, (await stranger.LoginAsync(person.Email, "a quite different walrus")).Status);
        Assert.Equal(429, (await app.NewBrowser().LoginAsync(person.Email, "a quite different walrus")).Status);

        app.Time.Advance(TimeSpan.FromSeconds(91));
        Assert.Equal(200, (await app.NewBrowser().LoginAsync(person.Email, "a quite different walrus")).Status);
    }

    [Fact]
    public async Task A_known_browser_has_ten_wrong_attempts_of_its_own_and_is_known_for_its_account_only()
    {
        var (person, other) = (await app.NewPersonAsync(), await app.NewPersonAsync());
        using var browser = app.NewBrowser();
        await browser.LoginAsync(person.Email);
        for (var i = 0; i < 10; i++) Assert.Equal(401, (await browser.LoginAsync(person.Email, "guess")).Status);
        Assert.Equal(429, (await browser.LoginAsync(person.Email)).Status);
        // Its own attempts took nothing from other browsers.
        Assert.Equal(200, (await app.NewBrowser().LoginAsync(person.Email)).Status);

        for (var i = 0; i < 10; i++) Assert.Equal(401, (await app.NewBrowser().LoginAsync(other.Email, "guess")).Status);
        Assert.Equal(429, (await browser.LoginAsync(other.Email)).Status);
        using var forger = app.NewBrowser();
        forger.Cookies.Add(forger.Http.BaseAddress!, new System.Net.Cookie(KnownBrowsers.Cookie, "AXRoaXMtaXMtZm9yZ2Vk", "/api/auth"));
        Assert.Equal(429, (await forger.LoginAsync(other.Email)).Status);
    }

    [Fact]
    public async Task Two_people_who_share_a_browser_are_both_known_there()
    {
        var (one, other) = (await app.NewPersonAsync(), await app.NewPersonAsync());
        using var browser = app.NewBrowser();
        foreach (var person in (Person[])[one, other]) Assert.Equal(200, (await browser.LoginAsync(person.Email)).Status);
        foreach (var person in (Person[])[one, other])
        {
            for (var i = 0; i < 10; i++) await app.NewBrowser().LoginAsync(person.Email, "guess");
            Assert.Equal(429, (await app.NewBrowser().LoginAsync(person.Email)).Status);
            Assert.Equal(200, (await browser.LoginAsync(person.Email)).Status);
        }

        var cookie = (await browser.LoginAsync(one.Email)).SetCookies.Single(text => text.StartsWith("kpi_device=", StringComparison.Ordinal));
        Assert.Contains("path=/api/auth", cookie, StringComparison.Ordinal);
        Assert.Contains("httponly", cookie, StringComparison.Ordinal);
        Assert.Contains("samesite=strict", cookie, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fifty_wrong_attempts_from_one_address_are_the_limit_over_all_accounts_and_right_ones_cost_nothing()
    {
        var person = await app.NewPersonAsync();
        var address = app.NewAddress();
        for (var i = 0; i < 5; i++) Assert.Equal(200, (await app.NewBrowser(address).LoginAsync(person.Email)).Status);

        var wrong = await Task.WhenAll(Enumerable.Range(0, 55).Select(_ => app.NewBrowser(address).LoginAsync(AccountsApp.NewEmail(), "guess")));
        Assert.Equal((50, 5), (wrong.Count(answer => answer.Status == 401), wrong.Count(answer => answer.Status == 429)));
        Assert.Equal(429, (await app.NewBrowser(address).LoginAsync(person.Email)).Status);
        Assert.Equal(200, (await app.NewBrowser().LoginAsync(person.Email)).Status);
    }

    [Fact]
    public async Task One_password_on_many_accounts_is_stopped_from_however_many_addresses_it_is_tried()
    {
        var person = await app.NewPersonAsync();
        using var known = app.NewBrowser();
        await known.LoginAsync(person.Email);
        var password = $"sprayed {Guid.NewGuid():N}";
        var statuses = new List<int>();
        for (var i = 0; i < 230; i++) statuses.Add((await app.NewBrowser().LoginAsync(AccountsApp.NewEmail(), password)).Status);
        // 200, and those that came back meanwhile: one in 18 seconds.
        Assert.All(statuses.Take(200), status => Assert.Equal(401, status));
        Assert.InRange(statuses.Count(status => status == 429), 1, 30);
        // Nobody else is held back: not at another password, and not at a browser that is known, whatever is typed there.
        Assert.Equal(200, (await app.NewBrowser().LoginAsync(person.Email)).Status);
        Assert.Equal(401, (await known.LoginAsync(person.Email, password)).Status);
        Assert.Equal(200, (await known.LoginAsync(person.Email)).Status);
    }

    [Fact]
    public async Task A_browser_that_is_known_is_not_locked_out_by_whoever_shares_its_address()
    {
        var person = await app.NewPersonAsync();
        var address = app.NewAddress();
        using var known = app.NewBrowser(address);
        Assert.Equal(200, (await known.LoginAsync(person.Email)).Status);
        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => app.NewBrowser(address).LoginAsync(AccountsApp.NewEmail(), $"guess {Guid.NewGuid():N}")));
        Assert.Equal(429, (await app.NewBrowser(address).LoginAsync(AccountsApp.NewEmail(), "guess")).Status);
        Assert.Equal(200, (await known.LoginAsync(person.Email)).Status);
    }

    [Fact]
    public async Task Where_the_address_is_not_known_nobody_locks_out_everybody_and_a_new_header_each_time_gets_nobody_further()
    {
        var unknown = await app.StartAsync(
            // A week, so that nothing grows back while the test runs.
            "unknown-address", "--set", "Http:Proxies=0", "--set", "Limits:SignInPasswordAlone:Period=7.00:00:00", "--set", "Limits:SignInAccount:Period=7.00:00:00");
        var person = await app.NewPersonAsync();
        const string everybody = "198.51.100.77";
        // 60 wrong attempts and 15 registrations, all from the one address that all visitors have there.
        var password = $"sprayed {Guid.NewGuid():N}";
        var statuses = new List<int>();
        for (var i = 0; i < 60; i++) statuses.Add((await app.NewBrowser(everybody, unknown).LoginAsync(AccountsApp.NewEmail(), i % 2 == 0 ? $"guess {i} {Guid.NewGuid():N}" : password)).Status);
        Assert.All(statuses, status => Assert.Equal(401, status));
        for (var i = 0; i < 15; i++) await app.NewBrowser(everybody, unknown).RegisterAsync(AccountsApp.NewEmail());
        Assert.Equal(200, (await app.NewBrowser(everybody, unknown).LoginAsync(person.Email)).Status);
        Assert.Equal(202, (await app.NewBrowser(everybody, unknown).PostAsync("forgot-password", new { email = person.Email })).Status);

        // Another address with each request: what is tried, and on what, is limited all the same.
        statuses.Clear();
        for (var i = 0; i < 40; i++) statuses.Add((await app.NewBrowser(app: unknown).LoginAsync(AccountsApp.NewEmail(), password)).Status);
        Assert.Equal((20, 20), (statuses.Count(status => status == 401), statuses.Count(status => status == 429)));
        statuses.Clear();
        for (var i = 0; i < 15; i++) statuses.Add((await app.NewBrowser(app: unknown).LoginAsync(person.Email, $"guess {i} {Guid.NewGuid():N}")).Status);
        Assert.Equal((10, 5), (statuses.Count(status => status == 401), statuses.Count(status => status == 429)));
        statuses.Clear();
        var mailbox = $"one{Guid.NewGuid():N}";
        for (var i = 0; i < 15; i++)
        {
            statuses.Add((await app.NewBrowser(app: unknown).PostAsync(
                "register", new { email = $"{mailbox}+{i}@example.com", password = AccountsApp.Password, displayName = "D", businessName = "B" })).Status);
        }

        Assert.Equal((10, 5), (statuses.Count(status => status == 201), statuses.Count(status => status == 429)));
        Assert.InRange(await app.QueryAsync<int>(
            "select count(*)::int from users u join account_tokens t on t.user_id = u.id where u.email like @like", new { like = mailbox + "%" }), 0, 3);
    }

    [Fact]
    public async Task Many_right_sign_ins_never_use_the_allowance_up()
    {
        var person = await app.NewPersonAsync();
        var address = app.NewAddress();
        for (var i = 0; i < 15; i++) Assert.Equal(200, (await app.NewBrowser(address).LoginAsync(person.Email)).Status);
    }
}

/// <summary>Two processes of the start command on one database.</summary>
[Trait("Clock", "none")]
public sealed class TwoProcessesTests(PostgresFixture postgres) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Fifty_parallel_wrong_sign_ins_to_two_processes_are_limited_to_ten_as_to_one_for_a_known_and_an_unknown_account_alike()
    {
        var database = await postgres.CreateDatabaseAsync(Cancelled);
        // Of their own: on the shared queues they would take other tests' messages.
        await using var storage = await EmbeddedAzurite.StartAsync(new() { DataDirectory = _folder["azurite"], InMemory = true }, Cancelled);
        await using var one = Start("one", database, storage.ConnectionString);
        await one.ReadyAsync();
        await using var two = Start("two", database, storage.ConnectionString);
        await two.ReadyAsync();
        Assert.NotEqual(one.Id, two.Id);
        await using (var connection = new NpgsqlConnection(database.AdminConnectionString))
        {
            await connection.ExecuteAsync(
                "insert into users (id, email, email_key, display_name, password_hash, email_verified_at) values (@id, 'known@example.com', @key, 'K', @hash, now())",
                new { id = Guid.NewGuid(), key = SessionEndpoints.EmailKey("known@example.com"), hash = Passwords.Hash(AccountsApp.Password) });
        }

        using HttpClient first = new() { BaseAddress = await one.ListensAsync() }, second = new() { BaseAddress = await two.ListensAsync() };
        foreach (var email in (string[])["known@example.com", "unknown@example.com"])
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => GuessAsync(i % 2 == 0 ? first : second, email, i)));
            Assert.Equal("401 × 10, 429 × 40", string.Join(", ", answers.GroupBy(answer => answer.Status).OrderBy(group => group.Key).Select(group => $"{group.Key} × {group.Count()}")));
            Assert.All(answers.Where(answer => answer.Status == 429), answer => Assert.InRange(answer.RetryAfter!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)));
        }
    }

    private static async Task<(int Status, TimeSpan? RetryAfter)> GuessAsync(HttpClient app, string email, int i)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "api/auth/login") { Content = JsonContent.Create(new { email, password = $"guess {i}" }) };
        request.Headers.Add("X-Forwarded-For", $"198.51.100.{i}");
        using var response = await app.SendAsync(request, Cancelled);
        return ((int)response.StatusCode, response.Headers.RetryAfter?.Delta);
    }

    // A week, so that nothing grows back while the test runs.
    private StartedApp Start(string name, TestDatabase database, string storage)
    {
        Directory.CreateDirectory(_folder[name]);
        TestSecrets.Write(_folder[name]);
        return StartedApp.Start(
            _folder[name], "--no-demo", "--set", $"ConnectionStrings:Postgres={database.AdminConnectionString}", "--set", $"AzureWebJobsStorage={storage}", "--set", "Mail:Skip=true", "--set", "AzureWebJobs.SendMail.Disabled=true",
            "--set", "Http:Proxies=1", "--set", "Limits:SignInAccount:Permits=10", "--set", "Limits:SignInAccount:Period=7.00:00:00");
    }
}
