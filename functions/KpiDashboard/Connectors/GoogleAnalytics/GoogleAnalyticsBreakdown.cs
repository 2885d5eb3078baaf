using KpiDashboard.Security;
using System.Globalization;
using System.Text.RegularExpressions;
using KpiDashboard.Kpis;

namespace KpiDashboard.Connectors.GoogleAnalytics;

/// <summary>
/// One report by date and a dimension: what is asked, and what of the answer is kept. Only what adds up is divided: sessions, engaged sessions, key events, sales.
/// Users are not, because one person counts under several values. Pure.
/// </summary>
internal static partial class GoogleAnalyticsBreakdown
{
    /// <summary>Longest name that is kept, in UTF-16 units; the database takes as many characters.</summary>
    public const int MaxName = 200;

    /// <summary>What Google calls it when it does not know.</summary>
    public const string NotSet = "(not set)";

    private static readonly string[] Metrics = ["sessions", "engagedSessions", "keyEvents", "sessionKeyEventRate", "totalRevenue", "transactions"];

    private static readonly OrderBy[] ByMostSessions = [new(Metric: new OrderByMetric("sessions"), Desc: true)];

    /// <summary>Google's names of the dimensions.</summary>
    public static IReadOnlyList<(BreakdownDimension Dimension, string Field)> Fields { get; } =
    [
        (BreakdownDimension.Channel, "sessionDefaultChannelGroup"),
        (BreakdownDimension.Device, "deviceCategory"),
        (BreakdownDimension.Country, "country"),
        // Without the query, which may hold anything; landingPagePlusQueryString is another field.
        (BreakdownDimension.LandingPage, "landingPage"),
    ];

    /// <summary>
    /// Asks for the rows with most sessions: twice as many as are kept of as many days, because days differ. What does not come is told from the total of the day.
    /// </summary>
    public static RunReportRequest Ask(string field, DayWindow window) => new()
    {
        Dimensions = [new NamedField("date"), new NamedField(field)],
        Metrics = [.. Metrics.Select(name => new NamedField(name))],
        DateRanges = [new DateRange(window.From.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), window.To.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture))],
        OrderBys = ByMostSessions,
        Limit = 2 * Breakdowns.MostPerDay * window.Days,
    };

    /// <summary>Reads an answer.</summary>
    /// <param name="report">The answer.</param>
    /// <param name="dimension">By what it divides.</param>
    /// <param name="field">Google's name of that.</param>
    /// <param name="sessions">
    /// The days to tell of (rows of others are passed over) with their sessions, as far as these were read at the same time. Of a day with sessions but without any row nothing
    /// is told, because Google answers with nothing now and then: it is asked for again, then without its sessions, and what is empty then is believed.
    /// </param>
    /// <param name="sells">Sales are told.</param>
    /// <param name="counts">Key events are told.</param>
    /// <returns>The days, or what is wrong with the answer.</returns>
    public static (IReadOnlyList<BreakdownReading> Days, string? Fault) Read(
        RunReportResponse report, BreakdownDimension dimension, string field, IReadOnlyDictionary<DateOnly, decimal?> sessions, bool sells, bool counts)
    {
        var thresholded = GoogleAnalyticsReport.Flag(report.Metadata, "subjectToThresholding");
        var whole = !thresholded && !GoogleAnalyticsReport.Flag(report.Metadata, "dataLossFromOtherRow") && !(report.RowCount > (report.Rows?.Count ?? 0));
        if (report.Fault is not null) return ([], report.Fault);
        if (report.Rows is not { Count: > 0 } && report.RowCount > 0) return ([], "left rows out");

        var read = sessions.Keys.ToDictionary(day => day, _ => new Dictionary<string, decimal[]>(StringComparer.Ordinal));
        var lumped = new HashSet<DateOnly>();
        var seen = new HashSet<(DateOnly, string)>();
        if (report.Rows is { Count: > 0 } rows)
        {
            var (dateAt, memberAt) = (GoogleAnalyticsReport.IndexOfHeader(report.DimensionHeaders, "date"), GoogleAnalyticsReport.IndexOfHeader(report.DimensionHeaders, field));
            if (dateAt < 0 || memberAt < 0) return ([], "left a dimension out");
            int[] columns = [.. Metrics.Select(metric => GoogleAnalyticsReport.IndexOfHeader(report.MetricHeaders, metric))];
            if (columns.Any(column => column < 0)) return ([], "left a metric out");
            foreach (var row in rows)
            {
                var values = new decimal[columns.Length];
                for (var i = 0; i < columns.Length; i++)
                {
                    if (!GoogleAnalyticsValues.TryParseNumber(GoogleAnalyticsReport.ValueAt(row?.MetricValues, columns[i]), out values[i])) return ([], "sent a number that cannot be read");
                }

                var (date, member) = (GoogleAnalyticsReport.ValueAt(row?.DimensionValues, dateAt), GoogleAnalyticsReport.ValueAt(row?.DimensionValues, memberAt) ?? "");
                if (GoogleAnalyticsValues.IsPlaceholder(date)) continue;
                if (!GoogleAnalyticsValues.TryParseDate(date, out var day)) return ([], "sent a date that cannot be read");
                if (!read.TryGetValue(day, out var members)) continue;
                if (!seen.Add((day, member))) return ([], "sent a row twice");
                if (member == "(other)")
                {
                    // Google's own "everything else": not a value, and what is in it is not known.
                    lumped.Add(day);
                    continue;
                }

                // A rate cannot be added up; its numerator can.
                values[3] = Math.Round(Math.Clamp(values[3], 0, 1) * Math.Clamp(values[0], 0, int.MaxValue), MidpointRounding.AwayFromZero);
                var name = NameOf(dimension, member);
                if (!members.TryGetValue(name, out var sums)) members[name] = values;
                else for (var i = 0; i < sums.Length; i++) sums[i] += values[i];
            }
        }

        return ([.. read
            .Where(day => day.Value.Count > 0 || lumped.Contains(day.Key) || thresholded || sessions[day.Key] is not > 0)
            .OrderBy(day => day.Key)
            .Select(day => new BreakdownReading(
                dimension, day.Key,
                day.Value.OrderByDescending(member => member.Value[0]).ThenByDescending(member => member.Value[4]).ThenBy(member => member.Key, StringComparer.Ordinal).Take(Breakdowns.MostPerDay)
                    .ToDictionary(member => member.Key, member => (IReadOnlyDictionary<string, decimal>)Parts(member.Value, sells, counts), StringComparer.Ordinal),
                IsWhole: whole && (day.Value.Count is > 0 and <= Breakdowns.MostPerDay || sessions[day.Key] == 0) && !lumped.Contains(day.Key), Withheld: thresholded))], null);
    }

    /// <summary>The name under which a value is kept: never empty, of limited length, and a page's without query, fragment or anybody's e-mail address.</summary>
    public static string NameOf(BreakdownDimension dimension, string value)
    {
        var name = PlainText.Clean(string.Concat(value.Where(letter => !char.IsControl(letter)))).Trim();
        if (dimension == BreakdownDimension.LandingPage)
        {
            // Sites put what they like into addresses; what they should not have must not spread.
            name = Address().Replace(name.Split('?', '#')[0], "[email]");
        }

        if (name.Length == 0) return NotSet;
        if (name.Length <= MaxName) return name;
        // Not through the middle of a letter that takes two.
        var cut = char.IsHighSurrogate(name[MaxName - 2]) ? MaxName - 2 : MaxName - 1;
        return name[..cut] + "…";
    }

    private static Dictionary<string, decimal> Parts(decimal[] values, bool sells, bool counts)
    {
        var parts = new Dictionary<string, decimal>(StringComparer.Ordinal) { ["web.sessions"] = values[0], ["web.engaged_sessions"] = values[1] };
        if (counts) (parts["web.key_events"], parts["web.key_event_sessions"]) = (values[2], values[3]);
        if (sells) (parts["shop.revenue"], parts["shop.transactions"]) = (Math.Round(values[4], 6), values[5]);
        return parts;
    }

    // "%40" and "%2540" are an @ that was escaped once and twice.
    [GeneratedRegex(@"[^/\s@&=;,:]+(?:@|%(?:25)*40)[^/\s@&=;,:]+", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex Address();
}
