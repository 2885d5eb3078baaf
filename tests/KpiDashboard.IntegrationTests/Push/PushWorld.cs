using System.Globalization;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using KpiDashboard.IntegrationTests.Access;
using KpiDashboard.IntegrationTests.App;
using Xunit;

namespace KpiDashboard.IntegrationTests.Push;

/// <summary>A business without anything in it, its owner's session and a client.</summary>
internal sealed record PushTenant(Guid Id, string Owner);

/// <summary>Makes empty businesses and talks to the whole app as their machines do.</summary>
internal sealed class PushWorld(AppFixture app) : IAsyncDisposable
{
    private readonly HttpClient _client = new(new NamesBusiness(new HttpClientHandler { UseCookies = false })) { BaseAddress = app.Address };

    public AccessWorld Access { get; } = new(app);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async Task<PushTenant> TenantAsync(string zone = "Europe/Berlin")
    {
        var id = Guid.NewGuid();
        await Access.ExecuteAsync("insert into tenants (id, name, time_zone, currency, created_at) values (@id, 'Push ' || @id::text, @zone, 'EUR', now())", new { id, zone });
        return new PushTenant(id, (await Access.PersonAsync(id, "owner")).Token);
    }

    /// <summary>A token made through the API, with its signing secret.</summary>
    public async Task<(Guid Id, string Token, string Secret)> TokenAsync(PushTenant tenant, params string[] scopes)
    {
        var (status, body) = await SendAsync(HttpMethod.Post, "tokens", tenant.Owner, JsonContent.Create(new { name = "machine", scopes }));
        Assert.True(status == 201, body?.ToJsonString());
        return (body!["id"]!.GetValue<Guid>(), body["token"]!.GetValue<string>(), body["signingSecret"]!.GetValue<string>());
    }

    public async Task KpiAsync(PushTenant tenant, string key, string aggregation = "sum")
    {
        var (status, body) = await SendAsync(HttpMethod.Post, "kpis/custom", tenant.Owner, JsonContent.Create(new { key, name = "Of " + key, unit = "count", direction = "up", aggregation }));
        Assert.True(status == 201, body?.ToJsonString());
    }

    public async Task<(int Status, JsonNode? Body)> SendAsync(HttpMethod method, string path, string? token, HttpContent? content = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, "api/" + path) { Content = content };
        if (token is not null) request.Headers.Add("X-Kpi-Token", token);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        using var response = await _client.SendAsync(request, Cancel);
        var text = await response.Content.ReadAsStringAsync(Cancel);
        return ((int)response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    public Task<(int Status, JsonNode? Body)> GetAsync(string path, string token) => SendAsync(HttpMethod.Get, path, token);

    public Task<(int Status, JsonNode? Body)> PostAsync(string path, string? token, string json, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Post, path, token, new StringContent(json, Encoding.UTF8, "application/json"), headers);

    public Task<(int Status, JsonNode? Body)> FileAsync(PushTenant tenant, string query, string csv, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Post, "import?" + query, tenant.Owner, new StringContent(csv, Encoding.UTF8, "text/csv"), headers);

    /// <summary>Signs as the specification says, apart from the product's code.</summary>
    public Task<(int Status, JsonNode? Body)> SignedAsync(
        string path, Guid token, string secret, string json, string? id = null, long offset = 0, string? sentBody = null, params (string Name, string Value)[] more)
    {
        id ??= "msg_" + Guid.NewGuid().ToString("N");
        var timestamp = (DateTimeOffset.UtcNow.ToUnixTimeSeconds() + offset).ToString(CultureInfo.InvariantCulture);
        var signature = Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(secret["whsec_".Length..]), Encoding.UTF8.GetBytes($"{id}.{timestamp}.{json}")));
        return PostAsync(
            $"{path}?token={token}", null, sentBody ?? json, [("webhook-id", id), ("webhook-timestamp", timestamp), ("webhook-signature", "v1,Zm9v v1," + signature), .. more]);
    }

    /// <summary>Waits until an import is over.</summary>
    public async Task<JsonNode> ImportedAsync(PushTenant tenant, JsonNode import, Action<JsonNode>? look = null)
    {
        JsonNode? state = null;
        await Eventually.TrueAsync(async () =>
        {
            // A test that kills connections may kill that of the question.
            (var status, state) = await GetAsync($"imports/{import["id"]}", tenant.Owner);
            if (status != 200) return false;
            look?.Invoke(state!);
            return state!["status"]!.GetValue<string>() is "succeeded" or "failed";
        }, TimeSpan.FromMinutes(3), $"import {import["id"]} ends");
        return state!;
    }

    public async Task<T> OneAsync<T>(string sql, object parameters) => (await Access.QueryAsync<T>(sql, parameters)).Single();

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await Access.DisposeAsync();
    }
}
