using System.Globalization;

namespace KpiDashboard.Benchmarks.Usual;

/// <summary>The series that methods are measured on: real ones, and small businesses that are drawn with a fixed seed.</summary>
public static class MeasuredData
{
    /// <summary>Six years of an academic site.</summary>
    public const string Website = "website_visitors_daily_2014_2020.csv";

    /// <summary>92 days of a shop.</summary>
    public const string Shop = "ga4_merch_daily.csv";

    /// <summary>The first of the drawn days, a Monday.</summary>
    private static readonly DateOnly Drawn = new(2022, 1, 3);

    /// <summary>Reads columns of a file with a header and a first column <c>date</c>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="amounts">Columns that are money.</param>
    public static IReadOnlyList<MeasuredSeries> Read(string path, params string[] amounts)
    {
        var rows = File.ReadLines(path).Where(line => line.Length > 0).Select(line => line.Split(',')).ToList();
        var first = DateOnly.ParseExact(rows[1][0], "yyyy-MM-dd", CultureInfo.InvariantCulture);
        for (var row = 1; row < rows.Count; row++)
        {
            if (DateOnly.ParseExact(rows[row][0], "yyyy-MM-dd", CultureInfo.InvariantCulture) != first.AddDays(row - 1))
                throw new InvalidDataException($"{path}: row {row + 1} does not follow the day before.");
        }

        return [.. rows[0].Skip(1).Select((name, column) => new MeasuredSeries(
            name, amounts.Contains(name, StringComparer.Ordinal) ? MeasuredNature.Amount : MeasuredNature.Count, first,
            [.. rows.Skip(1).Select(row => double.Parse(row[column + 1], CultureInfo.InvariantCulture))]))];
    }

    /// <summary>Counts of a small business: so many a day on average, fewer at weekends, by chance (Poisson).</summary>
    public static MeasuredSeries Small(double mean, int days = 1500, ulong seed = 7)
    {
        var random = new SplitMix(seed + (ulong)(mean * 1000));
        var values = new double[days];
        for (var day = 0; day < days; day++) values[day] = Poisson(random, mean * (day % 7 >= 5 ? 0.6 : 1.16));
        return new MeasuredSeries(string.Create(CultureInfo.InvariantCulture, $"Poisson({mean})"), MeasuredNature.Count, Drawn, values);
    }

    /// <summary>Money of a small shop: so many orders a day, each of another size.</summary>
    public static MeasuredSeries Money(double orders, int days = 1500, ulong seed = 11)
    {
        var random = new SplitMix(seed + (ulong)(orders * 1000));
        var values = new double[days];
        for (var day = 0; day < days; day++)
        {
            for (var left = Poisson(random, orders); left > 0; left--)
                values[day] += Math.Round(40 * Math.Exp(0.6 * Normal(random)), 2);
        }

        var name = string.Create(CultureInfo.InvariantCulture, $"money of {orders} orders");
        return new MeasuredSeries(name, MeasuredNature.Amount, Drawn, values);
    }

    /// <summary>A conversion rate: orders by chance among so many sessions.</summary>
    public static MeasuredSeries Share(double sessions, double share, int days = 1500, ulong seed = 13)
    {
        var random = new SplitMix(seed);
        var values = new double[days];
        for (var day = 0; day < days; day++) values[day] = Poisson(random, sessions * share) / sessions;
        return new MeasuredSeries("conversion rate", MeasuredNature.Rate, Drawn, values);
    }

    private static int Poisson(SplitMix random, double mean)
    {
        var (limit, product, count) = (Math.Exp(-mean), random.NextUnit(), 0);
        for (; product > limit; count++) product *= random.NextUnit();
        return count;
    }

    private static double Normal(SplitMix random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextUnit())) * Math.Cos(2 * Math.PI * random.NextUnit());
}
