using System.Globalization;
using System.Text.Json;

namespace KpiDashboard.Connectors.GoogleAnalytics;

/// <summary>One report put together from its pages: a table of days and metrics. Collects, checks, and knows what it could not read.</summary>
internal sealed class GoogleAnalyticsReport(IReadOnlyList<string> metrics)
{
    private readonly Dictionary<DateOnly, decimal[]> days = [];
    private int rowsTaken;

    /// <summary>Days with a row. GA4 leaves out rows whose metrics are all zero, and days it knows nothing of.</summary>
    public IReadOnlyDictionary<DateOnly, decimal[]> Days => days;

    /// <summary>Google withheld small numbers: a missing row may hide one.</summary>
    public bool Thresholded { get; private set; }

    /// <summary>Rows of the whole report as Google counts them, rows of all pages so far.</summary>
    public long RowsTaken => rowsTaken;

    /// <summary>More pages are to be asked for.</summary>
    public bool Incomplete { get; private set; } = true;

    /// <summary>Value of a metric on a day; null if the day has no row.</summary>
    public decimal? this[DateOnly day, string metric] =>
        days.TryGetValue(day, out var values) ? values[IndexOf(metric)] : null;

    /// <summary>Sum over a metric of a report without the date dimension (its single row), or null without rows.</summary>
    public decimal[]? Total { get; private set; }

    /// <summary>Takes a page. Returns null if all is well, otherwise what is wrong with it.</summary>
    public string? Take(RunReportResponse page, DayWindow window, bool dated)
    {
        Thresholded |= Flag(page.Metadata, "subjectToThresholding");
        if (!dated) Incomplete = false;
        if (page.Fault is not null) return page.Fault;
        if (page.Rows is not { Count: > 0 } rows)
        {
            // A page without rows although Google counts more of them: stopping here would report holes as knowledge.
            Incomplete = false;
            return page.RowCount > rowsTaken ? "left rows out" : null;
        }

        var columns = new int[metrics.Count];
        for (var i = 0; i < metrics.Count; i++)
        {
            columns[i] = IndexOfHeader(page.MetricHeaders, metrics[i]);
            if (columns[i] < 0)
                return "left a metric out";
        }

        var dateColumn = dated ? IndexOfHeader(page.DimensionHeaders, "date") : 0;
        if (dateColumn < 0)
            return "left the date out";
        foreach (var row in rows)
        {
            var values = new decimal[columns.Length];
            for (var i = 0; i < columns.Length; i++)
            {
                if (!GoogleAnalyticsValues.TryParseNumber(ValueAt(row?.MetricValues, columns[i]), out values[i]))
                    return "sent a number that cannot be read";
            }

            rowsTaken++;
            if (!dated)
            {
                Total = values;
                continue;
            }

            var text = ValueAt(row?.DimensionValues, dateColumn);
            if (GoogleAnalyticsValues.IsPlaceholder(text))
                continue;
            if (!GoogleAnalyticsValues.TryParseDate(text, out var day))
                return "sent a date that cannot be read";
            if (day < window.From || day > window.To)
                continue;
            // A day twice means that the pages overlapped because rows came or went in between; then another one is missing.
            if (!days.TryAdd(day, values))
                return "sent a day twice";
        }

        Incomplete = page.RowCount > rowsTaken;
        return null;
    }

    /// <summary>The provider says that the report rests on a sample.</summary>
    internal static bool IsSampled(JsonElement? metadata) =>
        metadata is { ValueKind: JsonValueKind.Object } m
        && m.TryGetProperty("samplingMetadatas", out var sampling) && sampling.ValueKind == JsonValueKind.Array && sampling.GetArrayLength() > 0;

    /// <summary>A flag of the metadata that is there and true.</summary>
    internal static bool Flag(JsonElement? metadata, string name) =>
        metadata is { ValueKind: JsonValueKind.Object } m && m.TryGetProperty(name, out var flag) && flag.ValueKind == JsonValueKind.True;

    /// <summary>A text of the metadata, or null.</summary>
    internal static string? Text(JsonElement? metadata, string name) =>
        metadata is { ValueKind: JsonValueKind.Object } m && m.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String
        && text.GetString() is { Length: > 0 } value ? value : null;

    private int IndexOf(string metric)
    {
        for (var i = 0; i < metrics.Count; i++)
        {
            if (metrics[i] == metric)
                return i;
        }

        throw new ArgumentException($"The report has no metric {metric}.", nameof(metric));
    }

    /// <summary>Which column holds it; −1 for none.</summary>
    internal static int IndexOfHeader(IReadOnlyList<NamedHeader>? headers, string name)
    {
        for (var i = 0; i < (headers?.Count ?? 0); i++)
        {
            if (headers![i]?.Name == name)
                return i;
        }

        return -1;
    }

    /// <summary>A cell, or null.</summary>
    internal static string? ValueAt(IReadOnlyList<ReportValue>? values, int index) => index < (values?.Count ?? 0) ? values![index]?.Value : null;
}

/// <summary>How GA4 writes dates and numbers: always as text, always the same for every language.</summary>
internal static class GoogleAnalyticsValues
{
    /// <summary><c>YYYYMMDD</c>, a day in the property's time zone.</summary>
    internal static bool TryParseDate(string? text, out DateOnly day) =>
        DateOnly.TryParseExact(text, "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out day);

    /// <summary>A non-negative or negative number with a point; GA4 uses exponents for tiny ratios. No blanks, no thousands marks, no NaN.</summary>
    internal static bool TryParseNumber(string? text, out decimal value) =>
        decimal.TryParse(
            text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out value);

    /// <summary>GA4's stand-ins for "all the rest" and "unknown", which can take the place of any dimension value.</summary>
    internal static bool IsPlaceholder(string? text) => text is "(other)" or "(not set)" or "";
}
