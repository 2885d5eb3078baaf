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
    public static IReadOnlyList<(DateOnly Day, decimal[] Values)> Read(string file)
    {
        var assembly = typeof(EmbeddedCsv).Assembly;
        using var stream = assembly.GetManifestResourceStream($"KpiDashboard.Demo.Data.{file}")
            ?? throw new InvalidOperationException($"{file} is not embedded in {assembly.GetName().Name}.");
        using var reader = new StreamReader(stream);
        reader.ReadLine();
        var rows = new List<(DateOnly, decimal[])>();
        while (reader.ReadLine() is { } line)
        {
            if (line.Length == 0)
                continue;
            var cells = line.Split(',');
            rows.Add((
                DateOnly.ParseExact(cells[0], "yyyy-MM-dd", CultureInfo.InvariantCulture),
                [.. cells.Skip(1).Select(cell => decimal.Parse(cell, CultureInfo.InvariantCulture))]));
        }

        return rows;
    }
}
