using System.Text.Json;
using System.Text.Json.Serialization;

namespace KpiDashboard.Connectors.GoogleAnalytics;

// What goes to and comes from Google, as far as it is used. Google adds fields at will: unknown ones are ignored, all may be missing.

internal sealed record BatchRunReportsRequest(IReadOnlyList<RunReportRequest> Requests);

internal sealed record RunReportRequest
{
    public IReadOnlyList<NamedField>? Dimensions { get; init; }
    public required IReadOnlyList<NamedField> Metrics { get; init; }
    public required IReadOnlyList<DateRange> DateRanges { get; init; }
    public IReadOnlyList<OrderBy>? OrderBys { get; init; }

    /// <summary>64-bit integers travel as strings in Google's JSON.</summary>
    [JsonNumberHandling(JsonNumberHandling.WriteAsString)]
    public long? Offset { get; init; }

    [JsonNumberHandling(JsonNumberHandling.WriteAsString)]
    public required long Limit { get; init; }

    public bool ReturnPropertyQuota { get; init; } = true;
}

internal sealed record NamedField(string Name);

internal sealed record DateRange(string StartDate, string EndDate);

internal sealed record OrderBy(OrderByDimension? Dimension = null, OrderByMetric? Metric = null, bool? Desc = null);

internal sealed record OrderByMetric(string MetricName);

internal sealed record OrderByDimension(string DimensionName);

internal sealed record BatchRunReportsResponse
{
    /// <summary>In the order of the questions.</summary>
    [JsonConverter(typeof(ReportsConverter))]
    public IReadOnlyList<RunReportResponse>? Reports { get; init; }
}

internal sealed record RunReportResponse
{
    public IReadOnlyList<NamedHeader>? DimensionHeaders { get; init; }
    public IReadOnlyList<NamedHeader>? MetricHeaders { get; init; }

    /// <summary>Left out altogether when the report is empty.</summary>
    public IReadOnlyList<ReportRow>? Rows { get; init; }

    public int? RowCount { get; init; }

    /// <summary>Kept whole, for provenance.</summary>
    public JsonElement? Metadata { get; init; }

    public JsonElement? PropertyQuota { get; init; }

    /// <summary>What is wrong with it, where it is no report at all; null for one that is.</summary>
    [JsonIgnore]
    public string? Fault { get; init; }
}

/// <summary>Reads each report by itself: one that is no report costs what depends on it, and not its neighbours.</summary>
internal sealed class ReportsConverter : JsonConverter<IReadOnlyList<RunReportResponse>>
{
    public override IReadOnlyList<RunReportResponse>? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        if (document.RootElement.ValueKind != JsonValueKind.Array) throw new JsonException("reports is no list.");
        return [.. document.RootElement.EnumerateArray().Select(One)];
    }

    public override void Write(Utf8JsonWriter writer, IReadOnlyList<RunReportResponse> value, JsonSerializerOptions options) =>
        throw new NotSupportedException("Reports are only read.");

    private static RunReportResponse One(JsonElement element)
    {
        try
        {
            // A report that was left out stays null, as any reader of JSON has it.
            return element.Deserialize(GoogleAnalyticsJson.Default.RunReportResponse)!;
        }
        catch (JsonException)
        {
            return new RunReportResponse { Fault = "sent a report that cannot be read" };
        }
    }
}

internal sealed record NamedHeader(string? Name);

internal sealed record ReportRow(IReadOnlyList<ReportValue>? DimensionValues, IReadOnlyList<ReportValue>? MetricValues);

internal sealed record ReportValue(string? Value);

internal sealed record GoogleErrorEnvelope(GoogleError? Error);

internal sealed record GoogleError(int? Code, string? Message, string? Status, IReadOnlyList<GoogleErrorDetail>? Details);

internal sealed record GoogleErrorDetail(string? Reason);

internal sealed record GoogleTokenAnswer
{
    [JsonPropertyName("access_token")]
    public string? AccessToken { get; init; }

    /// <summary>Seconds.</summary>
    [JsonPropertyName("expires_in")]
    public double? ExpiresIn { get; init; }

    /// <summary>What was granted, separated by blanks.</summary>
    [JsonPropertyName("scope")]
    public string? Scope { get; init; }

    [JsonPropertyName("error")]
    public string? Error { get; init; }

    /// <summary>With a code only.</summary>
    [JsonPropertyName("refresh_token")]
    public string? RefreshToken { get; init; }

    /// <summary>With a code only.</summary>
    [JsonPropertyName("id_token")]
    public string? IdToken { get; init; }

    /// <summary>Says nothing, so that no log can.</summary>
    public override string ToString() => nameof(GoogleTokenAnswer);
}

/// <summary>A service account's key file, as far as it counts.</summary>
internal sealed record KeyFile
{
    [JsonPropertyName("type")]
    public string? Type { get; init; }

    [JsonPropertyName("client_email")]
    public string? ClientEmail { get; init; }

    [JsonPropertyName("private_key")]
    public string? PrivateKey { get; init; }

    [JsonPropertyName("private_key_id")]
    public string? PrivateKeyId { get; init; }

    /// <summary>Says nothing, so that no log can.</summary>
    public override string ToString() => nameof(KeyFile);
}

internal sealed record AccountSummariesAnswer(IReadOnlyList<AccountSummary>? AccountSummaries, string? NextPageToken);

internal sealed record AccountSummary(string? DisplayName, IReadOnlyList<PropertySummary>? PropertySummaries);

/// <summary><c>property</c>: <c>properties/123</c>.</summary>
internal sealed record PropertySummary(string? Property, string? DisplayName);

internal sealed record PropertyAnswer(string? DisplayName);

/// <summary>Settings as they are stored, besides what a person may override.</summary>
internal sealed record StoredSettings(string PropertyId, string? PropertyName, string? Account, GrantKind Grant);

/// <summary>What is kept of an answer's side information, one entry a report.</summary>
internal sealed record ReportLineage(int? RowCount, JsonElement? Metadata, JsonElement? PropertyQuota);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.AllowReadingFromString,
    MaxDepth = 32)]
[JsonSerializable(typeof(BatchRunReportsRequest))]
[JsonSerializable(typeof(BatchRunReportsResponse))]
[JsonSerializable(typeof(RunReportResponse))]
[JsonSerializable(typeof(GoogleErrorEnvelope))]
[JsonSerializable(typeof(GoogleTokenAnswer))]
[JsonSerializable(typeof(GoogleCredentials))]
[JsonSerializable(typeof(KeyFile))]
[JsonSerializable(typeof(AccountSummariesAnswer))]
[JsonSerializable(typeof(PropertyAnswer))]
[JsonSerializable(typeof(StoredSettings))]
[JsonSerializable(typeof(IReadOnlyList<ReportLineage>))]
internal sealed partial class GoogleAnalyticsJson : JsonSerializerContext;
