namespace KpiDashboard.Demo.Datasets;

/// <summary>
/// The Google Merchandise Store, 92 real days: sessions, users, purchases and revenue are the real ones. Engagement, page views, new users, sign-ups and
/// durations are not published; they are made up from the sessions.
/// </summary>
internal sealed class MerchShop(DateTimeOffset anchor) : ReplayedSite(EmbeddedCsv.Read("ga4_merch_daily.csv"), "America/Los_Angeles", anchor)
{
    private const int Seed = 11;

    // Columns behind the date.
    private const int Users = 0, Sessions = 1, PurchaseSessions = 5, PurchaseEvents = 8, Revenue = 9;

    public override string PropertyId => "213025502";
    public override string Currency => "USD";

    /// <summary>Orders of a day by real figures. Before the first known day it is the same weekday of the known quarter: only for what is made up from orders.</summary>
    public int Orders(DateOnly day)
    {
        // 91 = 13 weeks.
        var index = ((day.DayNumber - First.DayNumber) % 91 + 91) % 91;
        return (int)Values(day == Last ? 91 : index)[PurchaseEvents];
    }

    protected override Ga4Day Figures(int index, decimal[] values)
    {
        var sessions = (int)values[Sessions];
        var users = (int)values[Users];
        var signUps = (int)(sessions * Noise.Between(0.003, 0.006, Seed, index, 4));
        return new Ga4Day
        {
            Sessions = sessions,
            EngagedSessions = (int)(sessions * Noise.Between(0.54, 0.61, Seed, index, 1)),
            PageViews = (int)(sessions * Noise.Between(3.9, 4.7, Seed, index, 2)),
            TotalUsers = users,
            ActiveUsers = users,
            NewUsers = (int)(users * Noise.Between(0.74, 0.82, Seed, index, 3)),

            // GA4 counts a purchase as a key event by default; newsletter sign-ups come on top.
            KeyEvents = (int)values[PurchaseEvents] + signUps,
            KeyEventSessions = Math.Min(sessions, (int)values[PurchaseSessions] + signUps),
            SessionSeconds = (long)(sessions * Noise.Between(138, 187, Seed, index, 5)),
            Revenue = values[Revenue],
            Transactions = (int)values[PurchaseEvents],
        };
    }
}
