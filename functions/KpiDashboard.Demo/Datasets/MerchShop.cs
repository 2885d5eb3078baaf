using System.Globalization;

namespace KpiDashboard.Demo.Datasets;

/// <summary>
/// The Google Merchandise Store, 87 of its 92 real days: sessions, users, purchases and revenue are the real ones. The last five are left out, because their revenue
/// never arrived (69 purchases, 128 USD) and would be the first thing that anybody sees. Engagement, page views, new users, sign-ups and
/// durations are not published; they are made up from the sessions. How the days divide by channel is real as well: visits, purchases and revenue. By device, country
/// and landing page nothing is published, and nothing is made up.
/// </summary>
internal sealed class MerchShop(DateTimeOffset anchor) : ReplayedSite(s_rows, "America/Los_Angeles", anchor, Round)
{
    /// <summary>Days at the end of the file whose revenue is not there.</summary>
    internal const int Broken = 5;

    private const int Seed = 11;

    private static readonly List<(DateOnly, decimal[])> s_rows = [.. EmbeddedCsv.Read("ga4_merch_daily.csv").SkipLast(Broken)];

    // Twelve weeks: the whole weeks that the days are enough for.
    private const int Round = 84;

    // Columns behind the date.
    private const int Users = 0, Sessions = 1, PurchaseSessions = 5, PurchaseEvents = 8, Revenue = 9;

    public override string PropertyId => "213025502";
    public override string Currency => "USD";

    /// <summary>
    /// Orders of a day by real figures, come or not. Before the first known day it is the same weekday of the known quarter: only for what is made up from orders.
    /// </summary>
    public int Orders(DateOnly day)
    {
        var index = day.DayNumber - First.DayNumber;
        return (int)Values(Row(day) ?? (index % Round + Round) % Round)[PurchaseEvents];
    }

    // What the file calls "Other" are visits whose source was deleted or lumped together: Google's name for those that no channel fits is "Unassigned".
    private static readonly ILookup<DateOnly, Ga4Share> Channels = EmbeddedCsv.ReadText("ga4_merch_daily_by_channel.csv")
        .Select(row => (row.Day, Channel: row.Cells[2] == "Other" ? "Unassigned" : row.Cells[2], Visits: Number(row.Cells[3]), Orders: Number(row.Cells[5]), Revenue: Number(row.Cells[6])))
        .GroupBy(row => (row.Day, row.Channel))
        .ToLookup(group => group.Key.Day, group => new Ga4Share(group.Key.Channel, group.Sum(row => row.Visits)) { Orders = group.Sum(row => row.Orders), Revenue = group.Sum(row => row.Revenue) });

    private static double Number(string cell) => double.Parse(cell, CultureInfo.InvariantCulture);

    protected override IReadOnlyList<Ga4Share>? SharesOf(string dimension, DateOnly row)
    {
        if (dimension != "sessionDefaultChannelGroup")
            return null;
        // Some visits have no event that began them; then nothing tells where they came from.
        var told = Channels[row].ToList();
        var without = (double)Values(row.DayNumber - FirstRow.DayNumber)[Sessions] - told.Sum(share => share.Sessions);
        return [.. told, new Ga4Share("(not set)", Math.Max(0, without)) { Orders = 0, Revenue = 0 }];
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
