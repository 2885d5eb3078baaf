using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using KpiDashboard.Api;
using KpiDashboard.IntegrationTests.Access;
using Xunit;

namespace KpiDashboard.IntegrationTests.App;

/// <summary>
/// Every kind of code unit that is no text, at every place where a route takes text, read from the OpenAPI document so that a new route is tried too: an answer of the
/// 200s to 400s, never a fault of ours.
/// </summary>
[Collection(AppCollection.Name)]
public sealed class TextDoorTests(AppFixture app)
{
    // As they stand within the quotes of JSON, as bytes.
    private static readonly (string Name, string Json)[] Bodies =
    [
        ("NUL", @"\u0000"), ("lone high surrogate", @"\ud83d"), ("lone low surrogate", @"\ude00"), ("pair the wrong way round", @"\ude00\ud83d"),
        ("raw surrogate", "\u00ED\u00A0\u0080"), ("overlong NUL", "\u00C0\u0080"), ("no UTF-8", "\u00FF"), ("cut off", "\u00E2\u0082"),
        ("noncharacters", @"\ufffe\uffff"), ("emoji", @"\ud83d\ude00"), ("raw NUL", "\0"),
    ];

    // As they stand in an address.
    private static readonly string[] Addresses = ["%00", "a%00b", "%ED%A0%80", "%C0%80", "%FF", "%E2%82", "%EF%BF%BE", "%F0%9F%98%80", "%u0000", "%5Cu0000"];

    private static readonly JsonObject Document = OpenApiDocument.Create(typeof(Functions.App).Assembly, Tests.Shared.Contributed.ApiParts);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_route_fails_at_text_that_is_none_wherever_it_takes_some()
    {
        await using var world = new AccessWorld(app);
        var tenant = await world.TenantAsync("textdoor" + Guid.NewGuid().ToString("N")[..8]);
        using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = app.Address, Timeout = TimeSpan.FromSeconds(60) };
        var (faults, sent, bodies) = (new List<string>(), 0, 0);
        foreach (var (path, item) in Document["paths"]!.AsObject())
        {
            foreach (var (verb, operation) in item!.AsObject())
            {
                // Somebody new each time: some of what is called here ends a session.
                var person = await world.PersonAsync(tenant.Id, "owner");
                var parameters = (operation!["parameters"]?.AsArray() ?? []).Select(parameter => (Name: parameter!["name"]!.GetValue<string>(), In: parameter["in"]!.GetValue<string>())).ToList();
                var plain = parameters.Where(parameter => parameter.In == "path").Aggregate(path, (all, parameter) => all.Replace($"{{{parameter.Name}}}", tenant.Integration.ToString(), StringComparison.Ordinal));
                var content = operation["requestBody"]?["content"]?.AsObject().First();
                foreach (var bad in Addresses)
                {
                    foreach (var query in parameters.Where(parameter => parameter.In == "query")) await TryAsync($"{plain}?{query.Name}={bad}", "{}"u8.ToArray());
                    foreach (var segment in parameters.Where(parameter => parameter.In == "path"))
                        await TryAsync(path.Replace($"{{{segment.Name}}}", bad, StringComparison.Ordinal).Replace("{", "", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal), "{}"u8.ToArray());
                }

                if (content is not { } taken) continue;
                bodies++;
                foreach (var (_, unit) in Bodies)
                {
                    await TryAsync(plain, taken.Key.Contains("json", StringComparison.Ordinal)
                        ? Encoding.Latin1.GetBytes(Sample(taken.Value!["schema"]!, "x" + unit))
                        : Encoding.Latin1.GetBytes($"date;custom.{unit}\n2026-11-20;{unit}\n"));
                    // And where a list is taken in place of one.
                    if (path.EndsWith("webhooks/n8n", StringComparison.Ordinal)) await TryAsync(plain, Encoding.Latin1.GetBytes($"[{Sample(taken.Value!["schema"]!, unit)}]"));
                    await TryAsync(plain, Encoding.Latin1.GetBytes($$"""{"x{{unit}}":"y"}"""));
                }

                async Task TryAsync(string address, byte[] body)
                {
                    using var request = new HttpRequestMessage(new HttpMethod(verb.ToUpperInvariant()), new Uri(app.Address, address));
                    request.Headers.Add("X-Kpi-Token", person.Token);
                    if (verb is not ("get" or "delete"))
                    {
                        request.Content = new ByteArrayContent(body);
                        request.Content.Headers.ContentType = new MediaTypeHeaderValue(content?.Key ?? "application/json");
                    }

                    using var response = await client.SendAsync(request, Cancel);
                    sent++;
                    // 503 says that something is not set up in this installation, whatever the text.
                    if ((int)response.StatusCode >= 500 && response.StatusCode != HttpStatusCode.ServiceUnavailable)
                        faults.Add($"{verb} {address} {Convert.ToHexString(body)[..Math.Min(120, body.Length * 2)]}: {(int)response.StatusCode}");
                }
            }
        }

        Assert.True(faults.Count == 0, $"{faults.Count} of {sent}:\n{string.Join('\n', faults.Take(30))}");
        Assert.True(sent > 1000 && bodies > 30, $"{sent} requests, {bodies} bodies");
    }

    [Theory]
    [InlineData("User-Agent", 399)]
    [InlineData("User-Agent", 0)]
    [InlineData("Idempotency-Key", 127)]
    [InlineData("Idempotency-Key", 0)]
    [InlineData("X-Forwarded-For", 0)]
    [InlineData("traceparent", 0)]
    [InlineData("Cookie", 0)]
    [InlineData("If-None-Match", 0)]
    public async Task A_header_with_anything_in_it_is_no_fault_of_ours(string name, int before)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false, RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1 }) { BaseAddress = app.Address };
        foreach (var odd in new[] { "\u00F0\u009F\u0098\u0080", "\u00ED\u00A0\u0080", "\u00FF", "\u00C0\u0080", "\u0001", "kpi_refresh=\u00FF" })
        {
            foreach (var (verb, path) in new[] { ("POST", "api/auth/login"), ("GET", "api/kpis"), ("POST", "api/push") })
            {
                using var request = new HttpRequestMessage(new HttpMethod(verb), path);
                request.Headers.TryAddWithoutValidation(name, new string('a', before) + odd);
                if (verb == "POST") request.Content = new StringContent("""{"email":"nobody@x.example","password":"wrong"}""", Encoding.UTF8, "application/json");
                try
                {
                    using var response = await client.SendAsync(request, Cancel);
                    Assert.True((int)response.StatusCode < 500, $"{verb} {path}: {(int)response.StatusCode} at {name} with {Convert.ToHexString(Encoding.Latin1.GetBytes(odd))}");
                }
                catch (HttpRequestException)
                {
                    // Not even sent, or the server closed the connection on what is no header.
                }
            }
        }
    }

    /// <summary>JSON of a schema with a text in every place that takes any.</summary>
    private static string Sample(JsonNode schema, string text, int depth = 0)
    {
        if (depth > 6) return "null";
        if (schema["$ref"] is { } reference) return Sample(Document["components"]!["schemas"]![reference.GetValue<string>().Split('/')[^1]]!, text, depth + 1);
        if (schema["anyOf"] is JsonArray any) return Sample(any[0]!, text, depth + 1);
        if (schema["enum"] is JsonArray words) return $"\"{words[0]!.GetValue<string>()}\"";
        return (schema["type"] is JsonArray types ? types[0]!.GetValue<string>() : schema["type"]?.GetValue<string>()) switch
        {
            "object" => schema["properties"] is JsonObject properties
                ? $"{{{string.Join(',', properties.Select(property => $"\"{property.Key}\":{Sample(property.Value!, text, depth + 1)}"))}}}"
                : $$"""{"a":"{{text}}","{{text}}":"b"}""",
            "array" => $"[{Sample(schema["items"]!, text, depth + 1)}]",
            "integer" or "number" => "1",
            "boolean" => "true",
            "string" => schema["format"]?.GetValue<string>() switch
            {
                "date" => "\"2026-11-20\"",
                "date-time" => "\"2026-11-20T10:00:00Z\"",
                "uuid" => $"\"{Guid.Empty}\"",
                _ => $"\"{text}\"",
            },
            _ => $"\"{text}\"",
        };
    }
}
