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

internal sealed record OrderBy(OrderByDimension Dimension);

internal sealed record OrderByDimension(string DimensionName);

internal sealed record BatchRunReportsResponse
{
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
}

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
[JsonSerializable(typeof(IReadOnlyList<ReportLineage>))]
internal sealed partial class GoogleAnalyticsJson : JsonSerializerContext;
