namespace KpiDashboard.Kpis.Usual;

/// <summary>
/// A scale on which the noise of a day is even. Counts: the variance-stabilising transform of a count with extra variation (negative
/// binomial), a square root for few and a logarithm for many; amounts and rates: the inverse hyperbolic sine of a tenth of their own usual
/// size, a logarithm that knows zero and refunds, and that comes out the same in whatever currency.
/// </summary>
internal readonly struct EvenScale
{
    /// <summary>Relative noise of one day in a busy count: from its inverse square on, 100 a day, noise grows in proportion.</summary>
    private const double Extra = 0.1, Anscombe = 0.375;

    private readonly bool _count;
    private readonly double _unit;

    private EvenScale(bool count, double unit)
    {
        _count = count;
        _unit = unit;
    }

    /// <summary>The scale of a series.</summary>
    /// <param name="series">The series.</param>
    /// <param name="first">The days that its usual size is taken from.</param>
    public static EvenScale For(DaySeries series, IReadOnlyList<int> first)
    {
        if (series.Nature == SeriesNature.Count) return new EvenScale(true, 1);
        var sizes = first.Select(at => Math.Abs(series.ValueAt(at))).Where(size => size > 0).Order().ToArray();
        return new EvenScale(false, sizes.Length == 0 ? 1 : 0.2 * UsualBand.MedianOfSorted(sizes));
    }

    /// <summary>A value on the even scale.</summary>
    public double To(double value) =>
        _count ? 2 / Extra * Math.Asinh(Extra * Math.Sqrt(Math.Max(0, value) + Anscombe)) : Math.Asinh(value / _unit);

    /// <summary>Back again.</summary>
    public double From(double even)
    {
        if (!_count) return _unit * Math.Sinh(Math.Clamp(even, -600, 600));
        var root = Math.Sinh(Math.Clamp(even * Extra / 2, 0, 300)) / Extra;
        return Math.Max(0, root * root - Anscombe);
    }
}
