using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.Demo.Simulation;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Demo.Google;

/// <summary>A property the simulator serves, and a refresh token that may read it.</summary>
internal sealed record GoogleProperty(IGa4Dataset Dataset, string RefreshToken)
{
    /// <summary>What it is called.</summary>
    public string Name { get; init; } = $"Property {Dataset.PropertyId}";

    /// <summary>The Analytics account that it is in.</summary>
    public string Account { get; init; } = "Simulated account";

    /// <summary>Whose the refresh token is.</summary>
    public string Owner { get; init; } = $"owner-{Dataset.PropertyId}@demo.example";
}

/// <summary>How a <see cref="GoogleSimulator"/> is set up.</summary>
internal sealed record GoogleSimulatorOptions
{
    /// <summary>0 picks a free port.</summary>
    public int Port { get; init; }

    /// <summary>What the app must present as <c>GoogleAnalytics:ClientId</c>.</summary>
    public string ClientId { get; init; } = "demo-client.apps.googleusercontent.com";

    /// <summary>What the app must present as <c>GoogleAnalytics:ClientSecret</c>.</summary>
    public string ClientSecret { get; init; } = "demo-secret";

    /// <summary>Served from the start; more by <see cref="GoogleSimulator.Add"/>.</summary>
    public IReadOnlyList<GoogleProperty> Properties { get; init; } = [];

    /// <summary>Lifetime of access tokens.</summary>
    public TimeSpan AccessTokenLifetime { get; init; } = TimeSpan.FromSeconds(3599);

    /// <summary>Answers in Google's habitual order (first metric, descending) even if asked for another: proves that a client relies on none.</summary>
    public bool IgnoreOrderBys { get; init; }
}

/// <summary>
/// Google's sign-in and token endpoint, the Admin API's list of properties and the GA4 Data API (<c>runReport</c>, <c>batchRunReports</c>) on 127.0.0.1: the parts that a dashboard uses, as the real ones behave
/// — rows without any value left out, numbers as text, no order of rows, thresholds, quotas, error bodies as recorded.
/// </summary>
internal sealed class GoogleSimulator : IAsyncDisposable
{
    private const int ConcurrentLimit = 10;

    // Allowances of a standard property; (name, limit, whether it lasts for a day instead of an hour).
    private static readonly (string Name, int Limit, bool Daily)[] Allowances =
    [
        ("tokensPerDay", 200_000, true), ("tokensPerHour", 40_000, false), ("tokensPerProjectPerHour", 14_000, false),
        ("serverErrorsPerProjectPerHour", 10, false), ("potentiallyThresholdedRequestsPerHour", 120, false),
    ];

    private static readonly HashSet<string> Metrics =
    [
        "sessions", "engagedSessions", "screenPageViews", "newUsers", "keyEvents", "totalUsers", "activeUsers", "active7DayUsers", "active28DayUsers",
        "averageSessionDuration", "sessionKeyEventRate", "totalRevenue", "transactions", "bounceRate", "engagementRate", "userEngagementDuration",
    ];

    private static readonly HashSet<string> FloatMetrics = ["averageSessionDuration", "sessionKeyEventRate", "totalRevenue", "bounceRate", "engagementRate", "userEngagementDuration"];
    private static readonly HashSet<string> UserMetrics = ["newUsers", "totalUsers", "activeUsers", "active7DayUsers", "active28DayUsers"];

    private static readonly HashSet<string> Dimensions = ["sessionDefaultChannelGroup", "deviceCategory", "country", "landingPage"];

    // What adds up over the values of a dimension, and the rates of those.
    private static readonly HashSet<string> Divisible = ["sessions", "engagedSessions", "keyEvents", "sessionKeyEventRate", "engagementRate", "bounceRate", "totalRevenue", "transactions"];

    private readonly GoogleSimulatorOptions options;
    private readonly TimeProvider time;
    private readonly ConcurrentDictionary<string, Property> properties = new();
    private readonly ConcurrentDictionary<string, (string Email, string Scope, DateTimeOffset Expires)> accessTokens = new();
    private SimulatorServer server = null!;
    private int issued;

    private GoogleSimulator(GoogleSimulatorOptions options, TimeProvider time)
    {
        this.options = options;
        this.time = time;
        Accounts = new GoogleAccounts(options, time);
        foreach (var property in options.Properties)
            Add(property);
    }

    /// <summary>For example <c>http://127.0.0.1:41234/</c>; the value of <c>GoogleAnalytics:DataApiUrl</c>.</summary>
    public Uri BaseAddress => server.BaseAddress;

    /// <summary>The value of <c>GoogleAnalytics:TokenUrl</c>.</summary>
    public Uri TokenUrl => new(BaseAddress, "token");

    /// <summary>Who may read what, and the page that asks for the consent.</summary>
    public GoogleAccounts Accounts { get; }

    /// <summary>Most accounts of one page of <c>accountSummaries</c>, whatever is asked for; Google's own is 200.</summary>
    public int AccountPageSize { get; set; } = 200;

    /// <summary>Script of faults by property id (or <c>token</c>, <c>admin</c>, <c>revoke</c>) and counters of requests.</summary>
    public Faults Faults { get; } = new();

    /// <summary>Starts serving.</summary>
    public static async Task<GoogleSimulator> StartAsync(GoogleSimulatorOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        var simulator = new GoogleSimulator(options, time);
        simulator.server = await SimulatorServer.StartAsync(options.Port, simulator.HandleAsync, cancellationToken);
        return simulator;
    }

    /// <summary>What the app's configuration must hold to talk to this simulator.</summary>
    public IReadOnlyDictionary<string, string> Configuration() => new Dictionary<string, string>
    {
        ["GoogleAnalytics:DataApiUrl"] = BaseAddress.ToString(),
        ["GoogleAnalytics:AdminApiUrl"] = BaseAddress.ToString(),
        ["GoogleAnalytics:AuthorizeUrl"] = new Uri(BaseAddress, "o/oauth2/v2/auth").ToString(),
        ["GoogleAnalytics:RevokeUrl"] = new Uri(BaseAddress, "revoke").ToString(),
        ["GoogleAnalytics:TokenUrl"] = TokenUrl.ToString(),
        ["GoogleAnalytics:ClientId"] = options.ClientId,
        ["GoogleAnalytics:ClientSecret"] = options.ClientSecret,
    };

    /// <summary>Serves one more property, or another data set for the same one.</summary>
    public void Add(GoogleProperty property)
    {
        properties[property.Dataset.PropertyId] = new Property(property, time);
        Accounts.Add(property.Owner, property.Dataset.PropertyId);
        Accounts.AddRefreshToken(property.RefreshToken, property.Owner);
    }

    /// <summary>The owner withdraws the permission: refreshing answers <c>invalid_grant</c>, access tokens already issued go on until they expire.</summary>
    public void Revoke(string refreshToken) => Accounts.SetValid(refreshToken, false);

    /// <summary>The owner connects again.</summary>
    public void Restore(string refreshToken) => Accounts.SetValid(refreshToken, true);

    /// <summary>All access tokens issued so far are worthless now: the next report answers 401.</summary>
    public void ExpireAccessTokens() => accessTokens.Clear();

    /// <summary>From now on the property shows this value for the metric on that day; null takes the change back.</summary>
    public void SetValue(string propertyId, DateOnly day, string metric, decimal? value) => Find(propertyId).Set(day, metric, value);

    /// <summary>The property has no data for the day (any more), or has it again.</summary>
    public void SetMissing(string propertyId, DateOnly day, bool missing = true) => Find(propertyId).SetMissing(day, missing);

    /// <summary>What the property shows for the metric on that day now; null without data for that day.</summary>
    public decimal? Value(string propertyId, DateOnly day, string metric) => Find(propertyId).Value(day, metric, time.GetUtcNow());

    /// <summary>How a metric of that day divides now, by value of a dimension as Google writes it; rows that Google would withhold included. Empty without data for that day.</summary>
    public IReadOnlyDictionary<string, decimal> Split(string propertyId, DateOnly day, string dimension, string metric) =>
        Find(propertyId).Split(day, dimension, time.GetUtcNow()).ToDictionary(member => member.Name, member => member.Of(metric), StringComparer.Ordinal);

    /// <summary>Sets what is left of an allowance, for example <c>tokensPerHour</c>; at 0 requests are answered with 429.</summary>
    public void SetRemaining(string propertyId, string allowance, int remaining) => Find(propertyId).SetRemaining(allowance, remaining);

    /// <inheritdoc />
    public ValueTask DisposeAsync() => server.DisposeAsync();

    private Property Find(string propertyId) =>
        properties.TryGetValue(propertyId, out var property) ? property : throw new ArgumentException($"No property {propertyId} is simulated.", nameof(propertyId));

    private async Task HandleAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        if (path == "/token" && HttpMethods.IsPost(context.Request.Method))
        {
            await TokenAsync(context);
            return;
        }

        if (path == "/o/oauth2/v2/auth")
        {
            await (HttpMethods.IsPost(context.Request.Method) ? Accounts.AnswerAsync(context) : Accounts.AskAsync(context));
            return;
        }

        if (path == "/revoke" && HttpMethods.IsPost(context.Request.Method))
        {
            await RevokeAsync(context);
            return;
        }

        if (HttpMethods.IsGet(context.Request.Method) && (path == "/v1beta/accountSummaries" || path.StartsWith("/v1beta/properties/", StringComparison.Ordinal)))
        {
            await AdminAsync(context, path);
            return;
        }

        const string prefix = "/v1beta/properties/";
        if (path.StartsWith(prefix, StringComparison.Ordinal) && HttpMethods.IsPost(context.Request.Method) && path[prefix.Length..].Split(':') is [var id, var verb]
            && verb is "runReport" or "batchRunReports" && id.All(char.IsAsciiDigit))
        {
            await ReportsAsync(context, id, verb == "batchRunReports");
            return;
        }

        await ErrorAsync(context, 404, "NOT_FOUND", "The requested URL was not found on this server.");
    }

    private async Task TokenAsync(HttpContext context)
    {
        var fault = Faults.Take("token");
        if (await SimulatorServer.MisbehaveAsync(context, fault))
            return;
        var form = context.Request.HasFormContentType ? await context.Request.ReadFormAsync(context.RequestAborted) : FormCollection.Empty;
        Task Refuse(int status, string error, string description) => SimulatorServer.WriteAsync(context, status, json =>
        {
            json.WriteStartObject();
            json.WriteString("error", error);
            json.WriteString("error_description", description);
            json.WriteEndObject();
        });
        var (given, error, description) = Accounts.Exchange(form, TokenUrl.ToString());
        if (given is null)
        {
            await Refuse(error == "invalid_client" ? 401 : 400, error!, description!);
            return;
        }

        var token = $"ya29.simulated-{Interlocked.Increment(ref issued)}-{Guid.NewGuid():N}";
        accessTokens[token] = (given.Email, given.Scope, time.GetUtcNow() + options.AccessTokenLifetime);
        await SimulatorServer.WriteAsync(context, 200, json =>
        {
            json.WriteStartObject();
            json.WriteString("access_token", token);
            json.WriteNumber("expires_in", (int)options.AccessTokenLifetime.TotalSeconds);
            json.WriteString("scope", given.Scope);
            json.WriteString("token_type", "Bearer");
            if (given.RefreshToken is not null) json.WriteString("refresh_token", given.RefreshToken);
            if (given.IdToken is not null) json.WriteString("id_token", given.IdToken);
            json.WriteEndObject();
        }, fault);
    }

    /// <summary>Ends everything that the account of a refresh token ever allowed, as Google does.</summary>
    private async Task RevokeAsync(HttpContext context)
    {
        if (await SimulatorServer.MisbehaveAsync(context, Faults.Take("revoke")))
            return;
        var form = context.Request.HasFormContentType ? await context.Request.ReadFormAsync(context.RequestAborted) : FormCollection.Empty;
        var email = Accounts.RevokeAll(form["token"].ToString());
        foreach (var (token, _) in accessTokens.Where(access => access.Value.Email == email))
            accessTokens.TryRemove(token, out _);
        await SimulatorServer.WriteAsync(context, email is null ? 400 : 200, json =>
        {
            json.WriteStartObject();
            if (email is null) json.WriteString("error", "invalid_token");
            json.WriteEndObject();
        });
    }

    /// <summary>The account behind the access token; null after it was answered that there is none.</summary>
    private async Task<string?> AccountAsync(HttpContext context)
    {
        var authorization = context.Request.Headers.Authorization.ToString();
        if (!authorization.StartsWith("Bearer ", StringComparison.Ordinal))
        {
            await ErrorAsync(context, 401, "UNAUTHENTICATED",
                "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.");
            return null;
        }

        if (!accessTokens.TryGetValue(authorization["Bearer ".Length..], out var access) || time.GetUtcNow() >= access.Expires)
        {
            await ErrorAsync(context, 401, "UNAUTHENTICATED",
                "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.");
            return null;
        }

        if (access.Scope.Split(' ').Contains(GoogleAccounts.ReadScope))
            return access.Email;
        await ErrorAsync(context, 403, "PERMISSION_DENIED", "Request had insufficient authentication scopes.");
        return null;
    }

    /// <summary>The Admin API: all accounts with their properties, by pages, and one property.</summary>
    private async Task AdminAsync(HttpContext context, string path)
    {
        var fault = Faults.Take("admin");
        if (await SimulatorServer.MisbehaveAsync(context, fault) || await AccountAsync(context) is not { } email)
            return;
        if (path.StartsWith("/v1beta/properties/", StringComparison.Ordinal))
        {
            var id = path["/v1beta/properties/".Length..];
            if (!properties.TryGetValue(id, out var one) || !Accounts.MayRead(email, id))
            {
                await ErrorAsync(context, 403, "PERMISSION_DENIED", "The caller does not have permission");
                return;
            }

            await SimulatorServer.WriteAsync(context, 200, json =>
            {
                json.WriteStartObject();
                json.WriteString("name", $"properties/{id}");
                json.WriteString("displayName", one.Name);
                json.WriteString("timeZone", one.Dataset.TimeZone);
                json.WriteString("currencyCode", one.Dataset.Currency);
                json.WriteEndObject();
            }, fault);
            return;
        }

        var accounts = Accounts.Properties(email).Where(properties.ContainsKey).Select(id => (Id: id, Property: properties[id]))
            .GroupBy(entry => entry.Property.Account).OrderBy(account => account.Key, StringComparer.Ordinal).ToList();
        var size = Math.Min(AccountPageSize, int.TryParse(context.Request.Query["pageSize"], NumberStyles.None, CultureInfo.InvariantCulture, out var asked) && asked > 0 ? asked : 50);
        var from = int.TryParse(context.Request.Query["pageToken"], NumberStyles.None, CultureInfo.InvariantCulture, out var token) ? token : 0;
        await SimulatorServer.WriteAsync(context, 200, json =>
        {
            json.WriteStartObject();
            // proto3 JSON leaves an empty list out.
            var page = accounts.Skip(from).Take(size).ToList();
            if (page.Count > 0)
            {
                json.WriteStartArray("accountSummaries");
                foreach (var account in page)
                {
                    json.WriteStartObject();
                    json.WriteString("displayName", account.Key);
                    json.WriteStartArray("propertySummaries");
                    foreach (var (id, property) in account)
                    {
                        json.WriteStartObject();
                        json.WriteString("property", $"properties/{id}");
                        json.WriteString("displayName", property.Name);
                        json.WriteString("propertyType", "PROPERTY_TYPE_ORDINARY");
                        json.WriteEndObject();
                    }

                    json.WriteEndArray();
                    json.WriteEndObject();
                }

                json.WriteEndArray();
            }

            if (from + size < accounts.Count) json.WriteString("nextPageToken", (from + size).ToString(CultureInfo.InvariantCulture));
            json.WriteEndObject();
        }, fault);
    }

    private async Task ReportsAsync(HttpContext context, string id, bool batch)
    {
        var fault = Faults.Take(id);
        if (await SimulatorServer.MisbehaveAsync(context, fault))
            return;

        if (await AccountAsync(context) is not { } email)
            return;
        var now = time.GetUtcNow();
        if (!properties.TryGetValue(id, out var property) || !Accounts.MayRead(email, id))
        {
            await ErrorAsync(context, 403, "PERMISSION_DENIED",
                "User does not have sufficient permissions for this property. To learn more about Property ID, see https://developers.google.com/analytics/devguides/reporting/data/v1/property-id.");
            return;
        }

        if (property.Exhausted(now) is { } exhausted)
        {
            await ErrorAsync(context, 429, "RESOURCE_EXHAUSTED", exhausted);
            return;
        }

        if (!property.Enter())
        {
            await ErrorAsync(context, 429, "RESOURCE_EXHAUSTED", "Exhausted concurrent requests quota.");
            return;
        }

        try
        {
            JsonDocument body;
            try
            {
                body = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
            }
            catch (JsonException)
            {
                await ErrorAsync(context, 400, "INVALID_ARGUMENT", "Invalid JSON payload received. Unexpected end of string.");
                return;
            }

            using (body)
                await AnswerAsync(context, property, body.RootElement, batch, fault, SimulatorServer.Now(context, fault, time));
        }
        finally
        {
            property.Leave();
        }
    }

    private async Task AnswerAsync(HttpContext context, Property property, JsonElement body, bool batch, Fault? fault, DateTimeOffset now)
    {
        var queries = new List<Query>();
        JsonElement[] requests = batch ? body.TryGetProperty("requests", out var list) ? [.. list.EnumerateArray()] : [] : [body];
        if (batch && requests.Length is 0 or > 5)
        {
            await ErrorAsync(context, 400, "INVALID_ARGUMENT", $"Batch requests are limited to 5 nested requests. This batch is for {requests.Length} requests.");
            return;
        }

        foreach (var request in requests)
        {
            var (query, error) = Query.Read(request, property.Today(now));
            if (query is null)
            {
                await ErrorAsync(context, 400, "INVALID_ARGUMENT", error!);
                return;
            }

            queries.Add(query);
        }

        await SimulatorServer.WriteAsync(context, 200, json =>
        {
            if (batch)
            {
                json.WriteStartObject();
                json.WriteStartArray("reports");
            }

            foreach (var query in queries)
                WriteReport(json, property, query, fault, now);
            if (batch)
            {
                json.WriteEndArray();
                json.WriteString("kind", "analyticsData#batchRunReports");
                json.WriteEndObject();
            }
        }, fault);
    }

    private void WriteReport(Utf8JsonWriter json, Property property, Query query, Fault? fault, DateTimeOffset now)
    {
        var rows = Rows(property, query, fault as Fault.EmptyDays, now);
        json.WriteStartObject();
        if (query.Dated)
        {
            json.WriteStartArray("dimensionHeaders");
            WriteNamed(json, "date", null);
            if (query.Dimension is not null)
                WriteNamed(json, query.Dimension, null);
            json.WriteEndArray();
        }

        json.WriteStartArray("metricHeaders");
        foreach (var metric in query.Metrics)
            WriteNamed(json, metric, metric is "averageSessionDuration" ? "TYPE_SECONDS" : metric is "totalRevenue" ? "TYPE_CURRENCY" : FloatMetrics.Contains(metric) ? "TYPE_FLOAT" : "TYPE_INTEGER");
        json.WriteEndArray();

        // An empty page has no "rows" at all, and a report without any row no "rowCount" either: proto3 JSON leaves defaults out.
        var page = rows.Skip(fault is Fault.DuplicatedPage ? 0 : query.Offset).Take(query.Limit).ToList();
        if (fault is Fault.DuplicatedPage && query.Offset == 0)
            page = [.. page.SelectMany(row => new[] { row, row })];
        if (page.Count > 0)
        {
            json.WriteStartArray("rows");
            foreach (var (day, member, values) in page)
            {
                json.WriteStartObject();
                if (query.Dated)
                {
                    json.WriteStartArray("dimensionValues");
                    WriteValue(json, day.ToString("yyyyMMdd", CultureInfo.InvariantCulture));
                    if (member is not null)
                        WriteValue(json, member);
                    json.WriteEndArray();
                }

                json.WriteStartArray("metricValues");
                for (var i = 0; i < values.Length; i++)
                    WriteValue(json, Text(query.Metrics[i], values[i]));
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        if (rows.Count > 0)
            json.WriteNumber("rowCount", rows.Count);
        json.WriteStartObject("metadata");
        json.WriteString("currencyCode", property.Dataset.Currency);
        json.WriteString("timeZone", property.Dataset.TimeZone);
        if (property.Dataset.UserThreshold > 0)
            json.WriteBoolean("subjectToThresholding", true);
        json.WriteEndObject();
        var tokens = 2 + rows.Count / 20;
        var allowances = property.Spend(tokens, property.Dataset.UserThreshold > 0 && query.Metrics.Any(UserMetrics.Contains), now);
        if (query.ReturnQuota)
        {
            json.WriteStartObject("propertyQuota");
            foreach (var (name, consumed, remaining) in allowances)
            {
                json.WriteStartObject(name);
                if (consumed > 0)
                    json.WriteNumber("consumed", consumed);
                if (remaining > 0)
                    json.WriteNumber("remaining", remaining);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        json.WriteString("kind", "analyticsData#runReport");
        json.WriteEndObject();
    }

    private List<(DateOnly Day, string? Member, decimal[] Values)> Rows(Property property, Query query, Fault.EmptyDays? without, DateTimeOffset now)
    {
        var withholds = query.Metrics.Any(UserMetrics.Contains) ? property.Dataset.UserThreshold : 0;
        var rows = new List<(DateOnly Day, string? Member, decimal[] Values)>();
        for (var day = query.From; day <= query.To; day = day.AddDays(1))
        {
            if (without is not null && day >= without.From && day <= without.To)
                continue;
            if (query.Dimension is not null)
            {
                // A row of so few visits would tell of single people.
                rows.AddRange(property.Split(day, query.Dimension, now)
                    .Where(member => property.Dataset.UserThreshold == 0 || member.Sessions * 4 >= property.Dataset.UserThreshold)
                    .Select(member => (day, (string?)member.Name, query.Metrics.Select(member.Of).ToArray()))
                    .Where(row => row.Item3.Any(value => value != 0)));
                continue;
            }

            var values = query.Metrics.Select(metric => property.Value(day, metric, now) ?? 0).ToArray();
            if (values.All(value => value == 0) && !(query.KeepEmptyRows && property.Value(day, "sessions", now) is not null))
                continue;
            if (withholds > 0 && property.Value(day, "totalUsers", now) is { } users && users < withholds)
                continue;
            rows.Add((day, null, values));
        }

        if (!query.Dated)
            return Totals(property, query, rows, now);

        // Google's habit where nothing is asked for; stable, but not by date.
        if (options.IgnoreOrderBys || !query.ByDate)
            rows = [.. rows.OrderByDescending(row => row.Values[0]).ThenBy(row => row.Day.DayNumber * 7919 % 1009).ThenBy(row => row.Member, StringComparer.Ordinal)];
        else if (query.Descending)
            rows.Reverse();
        return rows;
    }

    /// <summary>One row for the whole range: sums; for means, rates and users what the days allow to say.</summary>
    private static List<(DateOnly Day, string? Member, decimal[] Values)> Totals(
        Property property, Query query, List<(DateOnly Day, string? Member, decimal[] Values)> rows, DateTimeOffset now)
    {
        if (rows.Count == 0)
            return [];
        var sessions = rows.Sum(row => property.Value(row.Day, "sessions", now) ?? 0);
        var totals = new decimal[query.Metrics.Length];
        for (var i = 0; i < totals.Length; i++)
        {
            totals[i] = query.Metrics[i] switch
            {
                "averageSessionDuration" or "sessionKeyEventRate" or "bounceRate" or "engagementRate" => sessions == 0 ? 0
                    : rows.Sum(row => row.Values[i] * (property.Value(row.Day, "sessions", now) ?? 0)) / sessions,

                // The Merchandise Store's 319,066 daily users of a quarter were 270,154 people.
                "totalUsers" or "activeUsers" => Math.Max(rows.Max(row => row.Values[i]), Math.Round(rows.Sum(row => row.Values[i]) * 0.847m)),
                "active7DayUsers" or "active28DayUsers" => rows[^1].Values[i],
                _ => rows.Sum(row => row.Values[i]),
            };
        }

        return totals.All(value => value == 0) ? [] : [(query.To, null, totals)];
    }

    private static string Text(string metric, decimal value) =>
        FloatMetrics.Contains(metric) && metric != "totalRevenue"
            ? ((double)value).ToString("R", CultureInfo.InvariantCulture)
            : value.ToString("0.######", CultureInfo.InvariantCulture);

    private static void WriteNamed(Utf8JsonWriter json, string name, string? type)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        if (type is not null)
            json.WriteString("type", type);
        json.WriteEndObject();
    }

    private static void WriteValue(Utf8JsonWriter json, string value)
    {
        json.WriteStartObject();
        json.WriteString("value", value);
        json.WriteEndObject();
    }

    private static Task ErrorAsync(HttpContext context, int code, string status, string message) => SimulatorServer.WriteAsync(context, code, json =>
    {
        json.WriteStartObject();
        json.WriteStartObject("error");
        json.WriteNumber("code", code);
        json.WriteString("message", message);
        json.WriteString("status", status);
        json.WriteEndObject();
        json.WriteEndObject();
    });

    /// <summary>A request that makes sense.</summary>
    private sealed record Query(string[] Metrics, bool Dated, string? Dimension, DateOnly From, DateOnly To, int Offset, int Limit, bool ByDate, bool Descending, bool KeepEmptyRows, bool ReturnQuota)
    {
        public static (Query? Query, string? Error) Read(JsonElement json, DateOnly today)
        {
            if (json.ValueKind != JsonValueKind.Object)
                return (null, "Invalid JSON payload received.");
            var metrics = Names(json, "metrics", "name");
            var dimensions = Names(json, "dimensions", "name");
            if (metrics.Length == 0)
                return (null, "Requests must have at least one metric.");
            if (metrics.Length > 10)
                return (null, $"Requests are limited to 10 metrics within a nested request. This request is for {metrics.Length} metrics.");
            if (metrics.FirstOrDefault(metric => !GoogleSimulator.Metrics.Contains(metric)) is { } unknown)
                return (null, $"Field {unknown} is not a valid metric. For a list of valid dimensions and metrics, see https://developers.google.com/analytics/devguides/reporting/data/v1/api-schema ");
            if (dimensions.FirstOrDefault(dimension => dimension != "date" && !Dimensions.Contains(dimension)) is { } other)
                return (null, $"Field {other} is not a valid dimension. For a list of valid dimensions and metrics, see https://developers.google.com/analytics/devguides/reporting/data/v1/api-schema ");
            var divides = dimensions.Where(Dimensions.Contains).ToArray();
            if (divides.Length > 1 || divides.Length == 1 && !dimensions.Contains("date"))
                return (null, "This simulator divides by one dimension and by date.");
            if (divides.Length == 1 && metrics.FirstOrDefault(metric => !Divisible.Contains(metric)) is { } whole)
                return (null, $"This simulator does not divide {whole}.");
            if (!json.TryGetProperty("dateRanges", out var ranges) || ranges.ValueKind != JsonValueKind.Array || ranges.GetArrayLength() != 1)
                return (null, "Requests must have exactly one date range here.");
            if (Day(ranges[0], "startDate", today) is not { } from || Day(ranges[0], "endDate", today) is not { } to)
                return (null, "Invalid startDate or endDate. Dates must be YYYY-MM-DD, yesterday, today, or NdaysAgo.");
            if (to < from)
                return (null, "The endDate must be on or after the startDate.");
            var limit = Number(json, "limit") ?? 10_000;
            var offset = Number(json, "offset") ?? 0;
            if (limit is < 1 or > 250_000 || offset is < 0 or > int.MaxValue)
                return (null, "Invalid limit or offset.");
            var byDate = json.TryGetProperty("orderBys", out var orders) && orders.ValueKind == JsonValueKind.Array && orders.GetArrayLength() > 0
                && orders[0].TryGetProperty("dimension", out var dimension0) && dimension0.TryGetProperty("dimensionName", out var name) && name.ValueEquals("date");
            var descending = byDate && Flag(orders[0], "desc");
            return (new Query(
                metrics, dimensions.Length > 0, divides.Length == 1 ? divides[0] : null, from, to, (int)offset, (int)limit, byDate, descending, Flag(json, "keepEmptyRows"), Flag(json, "returnPropertyQuota")), null);
        }

        private static string[] Names(JsonElement json, string list, string field) =>
            json.TryGetProperty(list, out var items) && items.ValueKind == JsonValueKind.Array
                ? [.. items.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Object && item.TryGetProperty(field, out var name) ? name.ToString() : "")]
                : [];

        private static bool Flag(JsonElement json, string name) => json.TryGetProperty(name, out var flag) && flag.ValueKind == JsonValueKind.True;

        // 64-bit integers travel as text, and Google takes them as numbers too.
        private static long? Number(JsonElement json, string name) =>
            json.TryGetProperty(name, out var value) && long.TryParse(value.ToString(), NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : null;

        private static DateOnly? Day(JsonElement range, string name, DateOnly today)
        {
            var text = range.ValueKind == JsonValueKind.Object && range.TryGetProperty(name, out var value) ? value.ToString() : "";
            if (text == "today")
                return today;
            if (text == "yesterday")
                return today.AddDays(-1);
            if (text.EndsWith("daysAgo", StringComparison.Ordinal) && int.TryParse(text[..^"daysAgo".Length], NumberStyles.None, CultureInfo.InvariantCulture, out var days) && days < 4000)
                return today.AddDays(-days);
            return DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : null;
        }
    }

    /// <summary>A value of a dimension on a day.</summary>
    private sealed record Member(string Name, decimal Sessions, decimal Engaged, decimal WithKeyEvent, decimal KeyEvents, decimal Revenue, decimal Orders)
    {
        public decimal Of(string metric) => metric switch
        {
            "sessions" => Sessions,
            "engagedSessions" => Engaged,
            "keyEvents" => KeyEvents,
            "totalRevenue" => Revenue,
            "transactions" => Orders,
            "sessionKeyEventRate" => Sessions == 0 ? 0 : WithKeyEvent / Sessions,
            "engagementRate" => Sessions == 0 ? 0 : Engaged / Sessions,
            "bounceRate" => Sessions == 0 ? 0 : 1 - Engaged / Sessions,
            _ => throw new ArgumentException($"{metric} is not divided.", nameof(metric)),
        };
    }

    /// <summary>A property with what tests changed in it and what has been spent of its allowances.</summary>
    private sealed class Property(GoogleProperty served, TimeProvider time)
    {
        private readonly TimeZoneInfo zone = TimeZoneInfo.FindSystemTimeZoneById(served.Dataset.TimeZone);
        private readonly ConcurrentDictionary<(DateOnly, string), decimal> changes = new();
        private readonly ConcurrentDictionary<DateOnly, bool> missing = new();
        private readonly ConcurrentDictionary<DateOnly, Ga4Day?> settled = new();
        private readonly Lock gate = new();
        private readonly Dictionary<string, int> spent = [];
        private long hour = time.GetUtcNow().ToUnixTimeSeconds() / 3600;
        private DateOnly day = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime.AddHours(-8));
        private int inside;

        public IGa4Dataset Dataset => served.Dataset;

        public string Name => served.Name;

        public string Account => served.Account;

        public DateOnly Today(DateTimeOffset now) => Zoned.Day(now, zone);

        public void Set(DateOnly on, string metric, decimal? value)
        {
            if (!Metrics.Contains(metric))
                throw new ArgumentException($"{metric} is not a metric.", nameof(metric));
            if (value is { } changed)
                changes[(on, metric)] = changed;
            else
                changes.TryRemove((on, metric), out _);
        }

        public void SetMissing(DateOnly on, bool isMissing)
        {
            if (isMissing)
                missing[on] = true;
            else
                missing.TryRemove(on, out _);
        }

        public decimal? Value(DateOnly on, string metric, DateTimeOffset now)
        {
            if (missing.ContainsKey(on))
                return null;
            if (changes.TryGetValue((on, metric), out var changed))
                return changed;
            var figures = Figures(on, now);
            if (metric is "active7DayUsers" or "active28DayUsers")
            {
                // They go on through an outage, but not before the first visitor or after today.
                return on <= Today(now) && Distinct(on, metric == "active7DayUsers" ? 7 : 28, now) is > 0 and var users ? users : null;
            }

            if (figures is null)
                return null;
            decimal PerSession(decimal value) => figures.Sessions == 0 ? 0 : value / figures.Sessions;
            return metric switch
            {
                "sessions" => figures.Sessions,
                "engagedSessions" => figures.EngagedSessions,
                "screenPageViews" => figures.PageViews,
                "newUsers" => figures.NewUsers,
                "keyEvents" => figures.KeyEvents,
                "totalUsers" => figures.TotalUsers,
                "activeUsers" => figures.ActiveUsers,
                "averageSessionDuration" => PerSession(figures.SessionSeconds),
                "sessionKeyEventRate" => PerSession(figures.KeyEventSessions),
                "totalRevenue" => figures.Revenue,
                "transactions" => figures.Transactions,
                "bounceRate" => 1 - PerSession(figures.EngagedSessions),
                "engagementRate" => PerSession(figures.EngagedSessions),
                "userEngagementDuration" => figures.SessionSeconds,
                _ => throw new ArgumentException($"{metric} is not a metric.", nameof(metric)),
            };
        }

        /// <summary>How a day divides: what the property shows for it, dealt out by the data set's proportions, so that the rows add up to it exactly.</summary>
        public IReadOnlyList<Member> Split(DateOnly on, string dimension, DateTimeOffset now)
        {
            if (Value(on, "sessions", now) is not { } sessions)
                return [];
            decimal All(string metric) => Value(on, metric, now) ?? 0;
            var shares = Dataset.Shares(dimension, on);
            var visits = Apportion.Of(sessions, [.. shares.Select(share => share.Sessions)]);
            double[] keen = [.. shares.Select((share, index) => (double)visits[index] * share.KeyEvents)];
            var engaged = Apportion.Of(All("engagedSessions"), [.. shares.Select((share, index) => (double)visits[index] * share.Engagement)]);
            // A rate times the sessions, as whoever reads it has to do it.
            var with = Apportion.Of(Math.Round(All("sessionKeyEventRate") * sessions, MidpointRounding.AwayFromZero), keen);
            var events = Apportion.Of(All("keyEvents"), [.. with.Select(count => (double)count)]);
            var orders = Apportion.Of(All("transactions"), [.. shares.Select((share, index) => share.Orders ?? keen[index])]);
            var revenue = Apportion.Of(All("totalRevenue"), [.. shares.Select((share, index) => share.Revenue ?? (double)orders[index])], 0.01m);
            return [.. shares.Select((share, index) => new Member(share.Name, visits[index], engaged[index], with[index], events[index], revenue[index], orders[index]))];
        }

        /// <summary>Different people of some days: between the busiest day and the sum. The longer, the more of them come again.</summary>
        private int Distinct(DateOnly last, int days, DateTimeOffset now)
        {
            var sum = 0;
            var most = 0;
            var distinct = 0;
            for (var back = 0; back < days; back++)
            {
                if (missing.ContainsKey(last.AddDays(-back)) || Figures(last.AddDays(-back), now) is not { } figures)
                    continue;
                sum += figures.ActiveUsers;
                most = Math.Max(most, figures.ActiveUsers);
                if (back == 6)
                    distinct = Math.Max(most, (int)(sum * 0.93));
            }

            return Math.Max(Math.Max(most, distinct), (int)(sum * (days <= 7 ? 0.93 : 0.88)));
        }

        /// <summary>Days that ended more than two days ago do not change any more and are kept.</summary>
        private Ga4Day? Figures(DateOnly on, DateTimeOffset now)
        {
            if (settled.TryGetValue(on, out var known))
                return known;
            var figures = Dataset.Day(on, now);
            if (Today(now).DayNumber - on.DayNumber > 3)
                settled[on] = figures;
            return figures;
        }

        public bool Enter()
        {
            if (Interlocked.Increment(ref inside) <= ConcurrentLimit)
                return true;
            Interlocked.Decrement(ref inside);
            return false;
        }

        public void Leave() => Interlocked.Decrement(ref inside);

        public void SetRemaining(string allowance, int remaining)
        {
            lock (gate)
                spent[allowance] = Allowances.Single(known => known.Name == allowance).Limit - remaining;
        }

        public string? Exhausted(DateTimeOffset now)
        {
            lock (gate)
            {
                Refill(now);
                foreach (var (name, limit, _) in Allowances)
                {
                    if (limit - spent.GetValueOrDefault(name) > 0)
                        continue;
                    return name switch
                    {
                        "tokensPerDay" => "Exhausted property tokens per day. These quota tokens will return at midnight Pacific time.",
                        "tokensPerHour" => "Exhausted property tokens per hour. These quota tokens will return in under an hour.",
                        "tokensPerProjectPerHour" => "Exhausted property tokens for a project per hour. These quota tokens will return in under an hour.",
                        "serverErrorsPerProjectPerHour" => "Exhausted server errors quota. This quota will refresh in under an hour.",
                        _ => "Exhausted potentially thresholded requests quota. This quota will refresh in under an hour.",
                    };
                }

                return null;
            }
        }

        public List<(string Name, int Consumed, int Remaining)> Spend(int tokens, bool thresholded, DateTimeOffset now)
        {
            lock (gate)
            {
                Refill(now);
                var result = new List<(string, int, int)>();
                foreach (var (name, limit, _) in Allowances)
                {
                    var cost = name switch { "serverErrorsPerProjectPerHour" => 0, "potentiallyThresholdedRequestsPerHour" => thresholded ? 1 : 0, _ => tokens };
                    var total = spent[name] = spent.GetValueOrDefault(name) + cost;
                    result.Add((name, cost, Math.Max(0, limit - total)));
                }

                result.Add(("concurrentRequests", 0, ConcurrentLimit));
                return result;
            }
        }

        private void Refill(DateTimeOffset now)
        {
            if (now.ToUnixTimeSeconds() / 3600 is var thisHour && thisHour != hour)
            {
                hour = thisHour;
                foreach (var (name, _, daily) in Allowances)
                {
                    if (!daily)
                        spent.Remove(name);
                }
            }

            // Midnight Pacific in truth; a fixed eight hours is near enough here.
            if (DateOnly.FromDateTime(now.UtcDateTime.AddHours(-8)) is var today && today != day)
            {
                day = today;
                spent.Remove("tokensPerDay");
            }
        }
    }
}
