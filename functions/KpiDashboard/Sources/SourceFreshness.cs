using KpiDashboard.Kpis;
using KpiDashboard.Tenancy;

namespace KpiDashboard.Sources;

/// <summary>When a source of a kind has a day; by what that is seen, <see cref="KpiCatalogue.Pulses"/> says.</summary>
/// <param name="Settles">How long after its end a day may be missing without anything being wrong.</param>
/// <param name="Check">What a person should check of one that is read and has nothing.</param>
internal sealed record SourceRhythm(TimeSpan Settles, string Check);

/// <summary>
/// The one judgement of how fresh a source is; brief, health, insights, the list of sources, an agency's list of businesses and operators
/// have it from here. A day is missing when it is over for longer than such a source needs (its lag), by the clock of the source's own
/// zone, and not there. Of a source that is read on time, as many days in a row may be empty as it now and then has empty: what has no
/// visits at weekends is not broken on a Sunday. Pure.
/// </summary>
/// <param name="Status">Its state by itself.</param>
/// <param name="DueThrough">Through which day it should be complete; null where nothing is expected.</param>
/// <param name="MissingSince">First day that it should have and lacks; null where none is missing, or it never had any.</param>
/// <param name="Silent">It is read, and yet lacks days, or never had one.</param>
internal readonly record struct SourceFreshness(SourceStatus Status, DateOnly? DueThrough, DateOnly? MissingSince, bool Silent)
{
    /// <summary>How long a source may be without a day before that is worth a sentence: as rare as one such silence in so many.</summary>
    private const double OnceIn = 60;

    /// <summary>More empty days in a row are never usual.</summary>
    private const int MostUsual = 28;

    /// <summary>
    /// By connector. Google is done with a day 12 hours after its end, and may take 48
    /// (https://support.google.com/analytics/answer/11198161); n8n knows a day when it is over, and is read within a day.
    /// </summary>
    public static IReadOnlyDictionary<string, SourceRhythm> Rhythms { get; } = new Dictionary<string, SourceRhythm>(StringComparer.Ordinal)
    {
        ["google-analytics"] = new(
            TimeSpan.FromHours(48), "Check that the tracking code is on the site, and that this is the right property."),
        ["n8n"] = new(TimeSpan.FromHours(24), "Check that n8n still keeps its runs."),
    };

    /// <summary>Judges a source.</summary>
    public static SourceFreshness Of(SourceState source)
    {
        var status = source.Status();
        if (!source.IsConnected || !Rhythms.TryGetValue(source.Connector, out var rhythm)) return new(status, null, null, false);
        var zone = TimeZoneNames.Of(source.Zone);
        if (source.IsPushed)
        {
            // Nobody asks for its days: what it lacks is seen by how long it says nothing.
            if (status != SourceStatus.Late || source.CompleteThrough is not { } last) return new(status, null, null, false);
            var yesterday = LocalDay.Of(source.Now, zone).AddDays(-1);
            return new(status, yesterday, last < yesterday ? last.AddDays(1) : null, false);
        }

        // That a run goes on changes nothing of what the last one found.
        var read = (source with { Live = false, WaitsFor = null }).Status() == SourceStatus.Ok;
        if (source.FetchedAt is not { } fetched) return new(status, null, null, false);
        if (source.CompleteThrough is not { } complete) return new(status, null, null, read && source.BackfilledAt is not null);
        var due = LocalDay.Of((read ? fetched : source.Now) - rhythm.Settles, zone).AddDays(-1);
        var lacks = due.DayNumber - complete.DayNumber;
        if (lacks <= 0 || (read && lacks < FirstUnusual(source.DaysKnown, source.KnownFrom, complete)))
            return new(status, due, null, false);
        return new(status, due, complete.AddDays(1), read);
    }

    /// <summary>
    /// A number of the business's own that is sent to us day by day, judged as a source is: the first day that it should have by now and
    /// lacks, and the day through which it should be there; null where it says as much as it usually does, or too little for a rhythm.
    /// </summary>
    /// <param name="known">Days of the 91 up to its last one that came as they ended, and not long after.</param>
    /// <param name="since">The first of those.</param>
    /// <param name="last">Its last day.</param>
    /// <param name="today">The business's own day.</param>
    public static (DateOnly MissingSince, DateOnly DueThrough)? OfSent(int known, DateOnly since, DateOnly last, DateOnly today)
    {
        // What is told of a day may come in the course of the next.
        var due = today.AddDays(-2);
        return known < FewestSent || due.DayNumber - last.DayNumber < FirstUnusual(known, since, last) ? null : (last.AddDays(1), due);
    }

    /// <summary>What was sent on fewer days has no rhythm.</summary>
    private const int FewestSent = 7;

    /// <summary>
    /// How many empty days in a row are more than chance: as many as come once in <see cref="OnceIn"/> times when each day is empty as
    /// often as those were that came before the silence. One for a source that has every day.
    /// </summary>
    private static int FirstUnusual(int? daysKnown, DateOnly? knownFrom, DateOnly complete)
    {
        if ((daysKnown, knownFrom) is not ({ } known and > 0, { } since)) return 1;
        var days = complete.DayNumber - since.DayNumber + 1;
        // Half a day more than was seen: what was never empty may be.
        var share = (days - known + 0.5) / (days + 1);
        return Math.Clamp((int)Math.Ceiling(Math.Log(1 / OnceIn) / Math.Log(share)), 1, MostUsual);
    }
}
