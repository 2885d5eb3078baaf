namespace KpiDashboard.Demo.Datasets;

/// <summary>
/// A real academic site, its last 26 months: page views, users and new users are the real ones, sessions and engagement are made up from the users. No shop, no key events.
/// </summary>
internal sealed class OpenLectures(DateTimeOffset anchor) : ReplayedSite(s_rows, "Europe/London", anchor, Round)
{
    // 52 weeks: the same weekday of the year before.
    private const int Round = 364;

    private const int Seed = 12;

    private static readonly List<(DateOnly, decimal[])> s_rows = LastMonths();

    // Columns behind the date.
    private const int PageLoads = 0, UniqueVisits = 1, FirstTimeVisits = 2;

    public override string PropertyId => "284410077";
    public override string Currency => "GBP";

    private static List<(DateOnly, decimal[])> LastMonths()
    {
        var all = EmbeddedCsv.Read("website_visitors_daily_2014_2020.csv");
        var first = all[^1].Day.AddMonths(-26);
        return [.. all.Where(row => row.Day > first)];
    }

    protected override Ga4Day Figures(int index, decimal[] values)
    {
        var users = (int)values[UniqueVisits];
        var sessions = Math.Min((int)values[PageLoads], (int)(users * Noise.Between(1.06, 1.13, Seed, index, 1)));
        return new Ga4Day
        {
            Sessions = sessions,
            EngagedSessions = (int)(sessions * Noise.Between(0.47, 0.55, Seed, index, 2)),
            PageViews = (int)values[PageLoads],
            TotalUsers = users,
            ActiveUsers = users,
            NewUsers = (int)values[FirstTimeVisits],
            SessionSeconds = (long)(sessions * Noise.Between(96, 131, Seed, index, 3)),
        };
    }
}
