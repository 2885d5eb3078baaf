namespace KpiDashboard.Kpis.Usual;

/// <summary>
/// How wrong forecasts were, sorted: what an interval and a probability are read from. Both are read from the same line through the errors,
/// so they agree.
/// </summary>
internal sealed class ErrorDistribution
{
    private readonly double[] _errors;
    private readonly double _reach;

    /// <param name="errors">Relative errors, (actual − forecast) ÷ forecast, in any order; at least one.</param>
    /// <param name="widen">Factor on all of them, for what was learned of a shorter stretch.</param>
    public ErrorDistribution(IEnumerable<double> errors, double widen = 1)
    {
        _errors = [.. errors.Select(error => error * widen)];
        Array.Sort(_errors);
        _reach = (_errors[^1] - _errors[0]) / 2;
    }

    /// <summary>How many errors there are.</summary>
    public int Count => _errors.Length;

    /// <summary>
    /// The error that the given share of forecasts stays below: straight lines between the sorted errors, one more on either side.
    /// </summary>
    public double Quantile(double share)
    {
        var place = share * (Count + 1) - 1;
        if (place <= -1) return _errors[0] - _reach;
        if (place >= Count) return _errors[^1] + _reach;
        var lower = (int)Math.Floor(place);
        return Knot(lower) + (place - lower) * (Knot(lower + 1) - Knot(lower));
    }

    /// <summary>The share of forecasts whose error was at most this.</summary>
    public double ShareUpTo(double error) => Share(error, knot => knot <= error);

    /// <summary>
    /// The share of forecasts whose error was below this; less than <see cref="ShareUpTo"/> where many had exactly this error.
    /// </summary>
    public double ShareBelow(double error) => Share(error, knot => knot < error);

    private double Share(double error, Func<double, bool> isWithin)
    {
        if (!isWithin(Knot(-1))) return 0;
        if (isWithin(Knot(Count))) return 1;
        var (low, high) = (-1, Count);
        while (high - low > 1)
        {
            var middle = (low + high) / 2;
            if (isWithin(Knot(middle))) low = middle;
            else high = middle;
        }

        var width = Knot(high) - Knot(low);
        return (low + 1 + (width > 0 ? (error - Knot(low)) / width : 0)) / (Count + 1);
    }

    private double Knot(int at) => at < 0 ? _errors[0] - _reach : at >= Count ? _errors[^1] + _reach : _errors[at];
}
