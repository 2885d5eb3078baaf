using System.Globalization;

namespace KpiDashboard.Demo.Datasets;

/// <summary>What a GA4 property knows. The simulator turns it into reports.</summary>
internal interface IGa4Dataset
{
    /// <summary>Digits only.</summary>
    string PropertyId { get; }

    /// <summary>IANA name; days are days there.</summary>
    string TimeZone { get; }

    /// <summary>ISO 4217.</summary>
    string Currency { get; }

    /// <summary>Google withholds rows with user figures of days with fewer total users than this; 0 for never.</summary>
    int UserThreshold { get; }

    /// <summary>A day as the property shows it at this moment; null if it has no data for it. 7- and 28-day users are derived from it.</summary>
    Ga4Day? Day(DateOnly day, DateTimeOffset now);

    /// <summary>
    /// How the day divides by a dimension of GA4 (<c>deviceCategory</c>, …), as proportions: the simulator deals the day's figures out by them, so that the rows add up to
    /// them whatever was changed. A set that knows nothing of a dimension gives one share that says so.
    /// </summary>
    IReadOnlyList<Ga4Share> Shares(string dimension, DateOnly day);
}

/// <summary>A value of a dimension and its part of a day; proportions, not figures.</summary>
/// <param name="Name">As Google writes it.</param>
/// <param name="Sessions">Part of the sessions.</param>
internal sealed record Ga4Share(string Name, double Sessions)
{
    /// <summary>What Google says where it cannot tell.</summary>
    public static IReadOnlyList<Ga4Share> Unknown { get; } = [new("(data not available)", 1)];

    /// <summary>How much more, or less, than others a session of it is engaged.</summary>
    public double Engagement { get; init; } = 1;

    /// <summary>The same of sessions with a key event.</summary>
    public double KeyEvents { get; init; } = 1;

    /// <summary>Part of the orders; null: goes with sessions and key events.</summary>
    public double? Orders { get; init; }

    /// <summary>Part of the revenue; null: goes with the orders.</summary>
    public double? Revenue { get; init; }
}

/// <summary>Deals a figure out.</summary>
internal static class Apportion
{
    /// <summary>
    /// Parts in proportion to weights that add up to the total exactly, each a multiple of the unit: the largest remainders get what is left over. Nothing goes to a weight of 0
    /// while another has any.
    /// </summary>
    public static decimal[] Of(decimal total, IReadOnlyList<double> weights, decimal unit = 1)
    {
        var sum = weights.Sum();
        if (sum <= 0) return [.. weights.Select((_, index) => index == 0 ? total : 0)];
        decimal[] exact = [.. weights.Select(weight => total * (decimal)(weight / sum))];
        decimal[] parts = [.. exact.Select(part => Math.Floor(part / unit) * unit)];
        var left = total - parts.Sum();
        foreach (var index in Enumerable.Range(0, parts.Length).Where(index => weights[index] > 0).OrderByDescending(index => exact[index] - parts[index]).ThenByDescending(index => weights[index]))
        {
            var step = Math.Min(unit, left);
            if (step <= 0) break;
            parts[index] += step;
            left -= step;
        }

        return parts;
    }
}

/// <summary>The figures of one day in additive form.</summary>
internal sealed record Ga4Day
{
    public required int Sessions { get; init; }
    public required int EngagedSessions { get; init; }
    public required int PageViews { get; init; }
    public required int TotalUsers { get; init; }
    public required int ActiveUsers { get; init; }
    public required int NewUsers { get; init; }
    public int KeyEvents { get; init; }
    public int KeyEventSessions { get; init; }
    public required long SessionSeconds { get; init; }
    public decimal Revenue { get; init; }
    public int Transactions { get; init; }
}

/// <summary>Comma-separated files without quotes, embedded in this assembly.</summary>
internal static class EmbeddedCsv
{
    /// <summary>Rows below the header: the day in the first column, numbers in the others.</summary>
    public static IReadOnlyList<(DateOnly Day, decimal[] Values)> Read(string file) =>
        [.. ReadText(file).Select(row => (row.Day, row.Cells.Select(cell => decimal.Parse(cell, CultureInfo.InvariantCulture)).ToArray()))];

    /// <summary>Rows below the header: the day in the first column, texts in the others.</summary>
    public static IReadOnlyList<(DateOnly Day, string[] Cells)> ReadText(string file)
    {
        var assembly = typeof(EmbeddedCsv).Assembly;
        using var stream = assembly.GetManifestResourceStream($"KpiDashboard.Demo.Data.{file}")
            ?? throw new InvalidOperationException($"{file} is not embedded in {assembly.GetName().Name}.");
        using var reader = new StreamReader(stream);
        reader.ReadLine();
        var rows = new List<(DateOnly, string[])>();
        while (reader.ReadLine() is { } line)
        {
            if (line.Length == 0)
                continue;
            var cells = line.Split(',');
            rows.Add((DateOnly.ParseExact(cells[0], "yyyy-MM-dd", CultureInfo.InvariantCulture), cells[1..]));
        }

        return rows;
    }
}
