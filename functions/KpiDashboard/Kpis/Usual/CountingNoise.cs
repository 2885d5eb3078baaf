namespace KpiDashboard.Kpis.Usual;

/// <summary>What chance alone makes of a count.</summary>
internal static class CountingNoise
{
    /// <summary>Chance leaves the band on either side on fewer days than this.</summary>
    private const double Tail = 1.0 / 500;

    /// <summary>Nothing expected is never quite nothing: the first sale is no fault.</summary>
    private const double Least = 0.5;

    /// <summary>The least and the greatest count that chance explains where so many are expected (Poisson).</summary>
    /// <param name="expected">How many are expected; not negative.</param>
    public static (double Low, double High) Band(double expected)
    {
        var mean = Math.Max(expected, Least);
        if (mean > 200)
        {
            var width = 2.88 * Math.Sqrt(mean);
            return (mean - width, mean + width);
        }

        var (chance, sum, count) = (Math.Exp(-mean), 0.0, 0);
        var low = 0;
        while (true)
        {
            sum += chance;
            if (sum <= Tail) low = count + 1;
            if (1 - sum <= Tail) return (Math.Min(low, mean), count);
            count++;
            chance *= mean / count;
        }
    }
}
