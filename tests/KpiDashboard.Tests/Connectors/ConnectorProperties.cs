using System.Globalization;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using KpiDashboard.Connectors;
using KpiDashboard.Connectors.GoogleAnalytics;
using KpiDashboard.Connectors.N8n;
using KpiDashboard.Demo.Datasets;

namespace KpiDashboard.Tests.Connectors;

/// <summary>What holds for all inputs.</summary>
public sealed class ConnectorProperties
{
    private static readonly string[] Zones =
        ["UTC", "America/Los_Angeles", "Europe/Berlin", "Pacific/Auckland", "Asia/Kolkata", "America/Santiago", "Africa/Cairo", "Pacific/Apia", "Australia/Lord_Howe"];

    private static IConnector Google { get; } = ConnectorHarness.Google((_, _) => throw new InvalidOperationException()).Connector;

    [Property(MaxTest = 300)]
    public bool A_date_as_Google_writes_it_is_read_back(DoNotSize<int> number)
    {
        var day = DateOnly.FromDayNumber((int)((uint)number.Item % (uint)DateOnly.MaxValue.DayNumber));
        return GoogleAnalyticsValues.TryParseDate(day.ToString("yyyyMMdd", CultureInfo.InvariantCulture), out var read) && read == day
            && !GoogleAnalyticsValues.TryParseDate(day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), out _);
    }

    [Property(MaxTest = 300)]
    public bool A_number_as_Google_writes_it_is_read_back_in_any_culture(decimal value, bool german)
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(german ? "de-DE" : "ar-SA");
            return GoogleAnalyticsValues.TryParseNumber(value.ToString(CultureInfo.InvariantCulture), out var read) && read == value;
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Property(MaxTest = 300)]
    public bool A_mean_in_double_precision_gives_the_total_back(DoNotSize<uint> sessionsOf, DoNotSize<uint> secondsOf)
    {
        // Google divides in double precision and we multiply again: the sum of seconds of a day must come back.
        var sessions = 1 + sessionsOf.Item % 5_000_000;
        var seconds = secondsOf.Item;
        var mean = ((double)seconds / sessions).ToString("R", CultureInfo.InvariantCulture);
        return GoogleAnalyticsValues.TryParseNumber(mean, out var read) && Math.Round(read * sessions, 3) == seconds;
    }

    [Property(MaxTest = 300)]
    public bool No_text_makes_the_parsers_throw(string? text)
    {
        _ = GoogleAnalyticsValues.TryParseDate(text, out _);
        _ = GoogleAnalyticsValues.TryParseNumber(text, out _);
        N8nValues.Instant(text);
        N8nValues.Status(text, null, false);
        N8nValues.Kind(text);
        N8nClient.ApiAddress(text);
        N8nValues.Id(JsonSerializer.SerializeToElement(text));
        return true;
    }

    [Property(MaxTest = 300)]
    public bool An_n8n_id_is_the_same_as_text_and_as_number(DoNotSize<long> number) =>
        N8nValues.Id(JsonSerializer.SerializeToElement(number.Item)) == N8nValues.Id(JsonSerializer.SerializeToElement(number.Item.ToString(CultureInfo.InvariantCulture)));

    [Property(MaxTest = 300)]
    public bool An_instant_as_n8n_writes_it_is_read_back(DoNotSize<long> ticks)
    {
        var milliseconds = (long)((ulong)ticks.Item % 4_000_000_000_000UL);
        var instant = DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
        return N8nValues.Instant(instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)) == instant;
    }

    [Property(MaxTest = 300)]
    public bool Slices_cover_the_window_once_newest_first(DoNotSize<int> start, DoNotSize<uint> length)
    {
        var from = DateOnly.FromDayNumber(700_000 + (int)((uint)start.Item % 40_000));
        var window = new DayWindow(from, from.AddDays((int)(length.Item % 1200)));

        var slices = Google.Slice(window);

        return slices[0].To == window.To && slices[^1].From == window.From
            && slices.Zip(slices.Skip(1)).All(pair => pair.Second.To.AddDays(1) == pair.First.From)
            && slices[0].Days <= 31 && slices.Skip(1).All(slice => slice.Days is >= 1 and <= 92)
            && slices.Sum(slice => slice.Days) == window.Days;
    }

    [Property(MaxTest = 300)]
    public bool A_final_day_ended_48_hours_ago_and_the_next_one_did_not(DoNotSize<uint> minutes, byte place)
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById(Zones[place % Zones.Length]);
        var now = new DateTimeOffset(2024, 1, 1, 0, 0, 0, TimeSpan.Zero).AddMinutes(minutes.Item % (4 * 525_600));
        var today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, zone).DateTime);
        var window = new DayWindow(today.AddDays(-10), today);

        var final = GoogleAnalyticsFreshness.FinalThrough(window, now, zone);
        var complete = GoogleAnalyticsFreshness.CompleteThrough(window, today, now, zone)!.Value;

        return EndOf(final, zone) <= now.AddHours(-48) && EndOf(final.AddDays(1), zone) > now.AddHours(-48)
            && EndOf(complete, zone) <= now.AddHours(-12) && EndOf(complete.AddDays(1), zone) > now.AddHours(-12)
            && final <= complete && complete < today;
    }

    [Property(MaxTest = 300)]
    public bool Nothing_is_complete_after_the_last_day_with_rows_or_after_the_window(DoNotSize<uint> minutes, byte daysBack, byte lastBack)
    {
        var now = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddMinutes(minutes.Item % 525_600);
        var to = DateOnly.FromDateTime(now.UtcDateTime).AddDays(-daysBack);
        var window = new DayWindow(to.AddDays(-300), to);
        var last = to.AddDays(-lastBack);

        var complete = GoogleAnalyticsFreshness.CompleteThrough(window, last, now, TimeZoneInfo.Utc);

        return complete <= to && complete <= last && GoogleAnalyticsFreshness.CompleteThrough(window, null, now, TimeZoneInfo.Utc) is null;
    }

    [Property(MaxTest = 40)]
    public bool A_generated_site_only_grows_within_a_day_and_shows_the_same_past(DoNotSize<uint> minutes, byte daysAgo)
    {
        var anchor = new DateTimeOffset(2026, 11, 19, 12, 0, 0, TimeSpan.Zero);
        var site = DemoWorld.NordlichtStudio(anchor);
        var now = anchor.AddMinutes(minutes.Item % 20_000);
        var day = DateOnly.FromDateTime(now.UtcDateTime).AddDays(-(daysAgo % 60));

        var first = site.Day(day, now);
        var later = site.Day(day, now.AddHours(5));
        return first is null || later is not null && later.Sessions >= first.Sessions && later.Revenue >= first.Revenue
            && first.EngagedSessions <= first.Sessions && first.NewUsers <= first.TotalUsers && first.TotalUsers <= first.Sessions && first.KeyEventSessions <= first.Sessions
            && site.Day(day, now) == first;
    }

    private static DateTimeOffset EndOf(DateOnly day, TimeZoneInfo zone)
    {
        // Found by search, independent of the code under test: first minute of any later local day.
        var instant = new DateTimeOffset(day.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero).AddHours(-16);
        while (DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(instant, zone).DateTime) <= day)
            instant = instant.AddMinutes(15);
        return instant;
    }
}
