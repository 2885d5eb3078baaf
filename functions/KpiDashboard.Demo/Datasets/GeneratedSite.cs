namespace KpiDashboard.Demo.Datasets;

/// <summary>What a made-up site is like.</summary>
internal sealed record SiteProfile
{
    public required string PropertyId { get; init; }
    public required string TimeZone { get; init; }
    public required string Currency { get; init; }

    /// <summary>Which chance; two sites with different seeds have nothing in common.</summary>
    public required int Seed { get; init; }

    /// <summary>Sessions of an average day at the moment the site is made.</summary>
    public required double Sessions { get; init; }

    /// <summary>Monday to Sunday, one being average.</summary>
    public double[] Weekdays { get; init; } = [1.12, 1.15, 1.12, 1.08, 1.0, 0.72, 0.81];

    /// <summary>Growth a year, 0.25 for a quarter.</summary>
    public double Growth { get; init; }

    /// <summary>Swing of the year around its mean, strongest in late November.</summary>
    public double Season { get; init; }

    /// <summary>Chance of a day, ± this part.</summary>
    public double Spread { get; init; } = 0.12;

    /// <summary>Orders a session; 0 for no shop.</summary>
    public double OrderRate { get; init; }

    /// <summary>Value of an average order.</summary>
    public double OrderValue { get; init; }

    /// <summary>Key events a session besides orders (enquiries, sign-ups); 0 for none.</summary>
    public double EnquiryRate { get; init; }

    public int UserThreshold { get; init; }

    /// <summary>No fewer and no more sessions a day, if set.</summary>
    public (int Least, int Most)? Bounds { get; init; }

    /// <summary>By what its days divide, by Google's name of the dimension; chance moves the proportions a little from day to day.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<Ga4Share>> Shares { get; init; } = new Dictionary<string, IReadOnlyList<Ga4Share>>();

    /// <summary>Days without tracking, as days before the site is made: (first, last), for example (36, 34).</summary>
    public (int First, int Last)? Outage { get; init; }

    /// <summary>A day with four times the visitors, as days before the site is made.</summary>
    public int? Spike { get; init; }

    /// <summary>How many days before the site is made its tracking began.</summary>
    public int History { get; init; } = 800;
}

/// <summary>A made-up site with weekday shape, season, growth and incidents. Today is partial by the hour; the two days before are still being corrected upwards.</summary>
internal sealed class GeneratedSite(SiteProfile profile, DateTimeOffset anchor) : IGa4Dataset
{
    private readonly TimeZoneInfo zone = TimeZoneInfo.FindSystemTimeZoneById(profile.TimeZone);
    private readonly DateOnly anchorDay = Zoned.Day(anchor, TimeZoneInfo.FindSystemTimeZoneById(profile.TimeZone));

    public string PropertyId => profile.PropertyId;
    public string TimeZone => profile.TimeZone;
    public string Currency => profile.Currency;
    public int UserThreshold => profile.UserThreshold;

    public Ga4Day? Day(DateOnly day, DateTimeOffset now)
    {
        var daysAgo = anchorDay.DayNumber - day.DayNumber;
        if (daysAgo > profile.History || profile.Outage is { } outage && daysAgo <= outage.First && daysAgo >= outage.Last)
            return null;
        var known = Known(day, now);
        if (known <= 0)
            return null;

        var whole = Whole(day, daysAgo);
        var sessions = (int)Math.Round(whole * known);
        if (sessions == 0)
            return null;

        // Ratios of the day do not depend on how much of it is known, so every figure only grows.
        var id = day.DayNumber;
        var users = Math.Min(sessions, (int)Math.Ceiling(sessions * Noise.Between(0.83, 0.89, profile.Seed, id, 2)));
        var orders = (int)(sessions * profile.OrderRate * Noise.Between(0.75, 1.25, profile.Seed, id, 3));
        var enquiries = (int)(sessions * profile.EnquiryRate * Noise.Between(0.6, 1.4, profile.Seed, id, 4));
        return new Ga4Day
        {
            Sessions = sessions,
            EngagedSessions = (int)(sessions * Noise.Between(0.55, 0.63, profile.Seed, id, 5)),
            PageViews = (int)(sessions * Noise.Between(2.9, 3.6, profile.Seed, id, 6)),
            TotalUsers = users,
            ActiveUsers = Math.Min(users, (int)Math.Ceiling(users * Noise.Between(0.96, 1.0, profile.Seed, id, 7))),
            NewUsers = (int)(users * Noise.Between(0.6, 0.72, profile.Seed, id, 8)),
            KeyEvents = orders + enquiries,
            KeyEventSessions = Math.Min(sessions, orders + (int)Math.Ceiling(enquiries * 0.9)),
            SessionSeconds = (long)(sessions * Noise.Between(104, 149, profile.Seed, id, 9)),
            Transactions = orders,
            Revenue = Math.Round((decimal)(orders * profile.OrderValue * Noise.Between(0.85, 1.18, profile.Seed, id, 10)), 2),
        };
    }

    public IReadOnlyList<Ga4Share> Shares(string dimension, DateOnly day) =>
        profile.Shares.TryGetValue(dimension, out var shares)
            ? [.. shares.Select((share, index) => share with { Sessions = share.Sessions * Noise.Between(0.75, 1.25, profile.Seed, day.DayNumber, 1000 + 100 * dimension.Length + index) })]
            : Ga4Share.Unknown;

    private double Whole(DateOnly day, int daysAgo)
    {
        var growth = Math.Pow(1 + profile.Growth, -daysAgo / 365.25);
        var season = 1 + profile.Season * Math.Cos((day.DayOfYear - 330) / 365.25 * 2 * Math.PI);
        var weekday = profile.Weekdays[((int)day.DayOfWeek + 6) % 7];
        var chance = Noise.Between(1 - profile.Spread, 1 + profile.Spread, profile.Seed, day.DayNumber, 1);
        var spike = profile.Spike == daysAgo ? 4 : 1;
        var sessions = profile.Sessions * growth * season * weekday * chance * spike;
        return profile.Bounds is { } bounds ? Math.Clamp(sessions, bounds.Least, bounds.Most) : sessions;
    }

    /// <summary>How much of a day Google shows: of today what has happened up to three hours ago, then 94 % rising to all of it 48 hours after its end.</summary>
    private double Known(DateOnly day, DateTimeOffset now)
    {
        var start = Zoned.At(day, TimeSpan.Zero, zone);
        var end = Zoned.At(day.AddDays(1), TimeSpan.Zero, zone);
        if (now >= end.AddHours(48))
            return 1;
        if (now >= end.AddHours(3))
            return 0.94 + 0.06 * Math.Floor((now - end).TotalHours) / 48;
        var hours = Math.Floor((now - start).TotalHours - 3);
        return hours <= 0 ? 0 : 0.94 * Math.Min(1, hours / (end - start).TotalHours);
    }
}
