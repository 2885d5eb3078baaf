using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Dapper;
using KpiDashboard.Identity;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.LocalHost.Embedded;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using MimeKit;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Tenancy;

/// <summary>Businesses and people of a test's own in the running app.</summary>
internal sealed partial class Town(AppFixture app)
{
    private static readonly Lazy<string> Hash = new(() => Passwords.Hash(Password));

    /// <summary>Everybody's password.</summary>
    public const string Password = "a long enough passphrase";

    /// <summary>Where a business is when nothing else is said.</summary>
    public const string Zone = "Europe/Berlin";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>An address that nobody has.</summary>
    public static string Address() => $"p{Guid.NewGuid():N}@town.example";

    public async Task<Guid> TenantAsync(string name = "Bakery", string zone = Zone)
    {
        var tenant = Guid.NewGuid();
        await ExecuteAsync("insert into tenants (id, name, time_zone, currency) values (@tenant, @name, @zone, 'EUR')", new { tenant, name, zone });
        return tenant;
    }

    /// <summary>A person, a member of a tenant, with a client signed in there.</summary>
    public async Task<Person> PersonAsync(Guid tenant, string role, bool verified = true, bool secondFactor = false)
    {
        var (id, email) = (Guid.NewGuid(), Address());
        await ExecuteAsync(
            """
            insert into users (id, email, email_key, display_name, password_hash, email_verified_at, totp_enabled_at)
            values (@id, @email, @key, @name, @hash, case when @verified then now() end, case when @secondFactor then now() end)
            """,
            new { id, email, key = SessionEndpoints.EmailKey(email), name = $"The {role}", hash = Hash.Value, verified, secondFactor });
        await JoinAsync(tenant, id, role);
        return new Person(id, email, await EnterAsync(id, tenant));
    }

    public Task JoinAsync(Guid tenant, Guid user, string role) =>
        ExecuteAsync("insert into memberships (tenant_id, user_id, role) values (@tenant, @user, @role)", new { tenant, user, role });

    /// <summary>A client of a fresh session of a person in a tenant.</summary>
    public async Task<HttpClient> EnterAsync(Guid user, Guid tenant)
    {
        var session = Guid.NewGuid();
        await ExecuteAsync(
            """
            insert into sessions (id, user_id, method, created_at, authenticated_at, last_seen_at, expires_at, password_at, otp_at)
            select @session, id, 'password', now(), now(), now(), now() + interval '1 day', now(), totp_enabled_at from users where id = @user
            """,
            new { session, user });
        return As(app.Services.GetRequiredService<AccessTokens>().Issue(user, tenant, session));
    }

    /// <summary>A client with an access token.</summary>
    public HttpClient As(string token)
    {
        var client = app.Anonymous();
        client.DefaultRequestHeaders.Add("X-Kpi-Token", token);
        return client;
    }

    public async Task<int> ExecuteAsync(string sql, object parameters)
    {
        await using var connection = new NpgsqlConnection(app.OwnerConnectionString);
        return await connection.ExecuteAsync(sql, parameters);
    }

    public async Task<IReadOnlyList<T>> QueryAsync<T>(string sql, object parameters)
    {
        await using var connection = new NpgsqlConnection(app.OwnerConnectionString);
        return (await connection.QueryAsync<T>(sql, parameters)).AsList();
    }

    /// <summary>What the audit log of a tenant tells, the oldest first.</summary>
    public Task<IReadOnlyList<string>> AuditAsync(Guid tenant) =>
        QueryAsync<string>("select action from audit_log where tenant_id = @tenant order by at, action", new { tenant });

    public async Task<(string Role, bool Active)?> MembershipAsync(Guid tenant, Guid user) =>
        (await QueryAsync<(string, bool)>("select role, deactivated_at is null from memberships where tenant_id = @tenant and user_id = @user", new { tenant, user }))
            .Select(row => ((string, bool)?)row).SingleOrDefault();

    /// <summary>The newest mail to an address, once it arrived; not one that was seen before.</summary>
    public async Task<string> MailAsync(string address, string? not = null)
    {
        var folder = app.Services.GetRequiredService<IConfiguration>()[MailCatcherStage.FolderKey]!;
        string? text = null;
        await Eventually.TrueAsync(() =>
        {
            text = Directory.EnumerateFiles(folder, "*.eml").Order(StringComparer.Ordinal).Select(path => MimeMessage.Load(path))
                .Where(mail => mail.To.Mailboxes.Any(box => box.Address == address)).Select(mail => mail.TextBody).LastOrDefault(body => not is null || body != not);
            return Task.FromResult(text is not null && text != not);
        }, TimeSpan.FromMinutes(1), $"a mail to {address} arrives");
        return text!;
    }

    /// <summary>The secret of the link in a mail.</summary>
    public static string TokenIn(string mail) => Link().Match(mail).Groups[1].Value is { Length: > 40 } token ? token : throw new InvalidOperationException($"No link in: {mail}");

    [GeneratedRegex(@"/invitation#token=([A-Za-z0-9_-]+)")]
    private static partial Regex Link();
}

internal sealed record Person(Guid Id, string Email, HttpClient Client);

internal static class Asking
{
    /// <summary>Sends a request and returns status and JSON, whatever it is.</summary>
    public static async Task<(int Status, JsonNode? Body)> AskAsync(this HttpClient client, HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return ((int)response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    /// <summary>Sends a request that must be refused with a status; returns the sentence.</summary>
    public static async Task<string> RefusedAsync(this HttpClient client, int status, HttpMethod method, string path, object? body = null)
    {
        var answer = await client.AskAsync(method, path, body);
        Assert.True(answer.Status == status, $"{method} {path} answered {answer.Status} and not {status}: {answer.Body}");
        return answer.Body!["detail"]!.GetValue<string>();
    }

    /// <summary>Sends a request that must be done with 204.</summary>
    public static async Task DoneAsync(this HttpClient client, HttpMethod method, string path, object? body = null)
    {
        var answer = await client.AskAsync(method, path, body);
        Assert.True(answer.Status == 204, $"{method} {path} answered {answer.Status}: {answer.Body}");
    }
}
