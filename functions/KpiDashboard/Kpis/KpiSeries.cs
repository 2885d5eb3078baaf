namespace KpiDashboard.Kpis;

/// <summary>The days of one stored KPI of one source: a column of values, and of which of them are known.</summary>
/// <remarks>
/// A range is added up from running sums where these are exact: where all days have as many decimals as each other and all of them together fit
/// into 18 digits, as counts and money do. Otherwise its days are added one by one; the result is the same, to the last digit and decimal place.
/// </remarks>
internal sealed class KpiSeries(short source, int days)
{
    // Of shorter ranges the days are added as quickly.
    private const int Short = 4;

    // Sums of at most so many units stay exact in a long.
    private const decimal Exact = 1_000_000_000_000_000_000m;

    private readonly decimal[] _values = new decimal[days];
    private readonly bool[] _known = new bool[days];
    private long[]? _running;
    private byte _scale;
    private bool _looked;

    /// <summary>Number of the source.</summary>
    public short Source => source;

    /// <summary>The value of a day; null where there is none.</summary>
    public decimal? this[int index] => _known[index] ? _values[index] : null;

    /// <summary>Whether a day has a value.</summary>
    public bool IsKnown(int index) => _known[index];

    /// <summary>The value of a day; 0 where there is none.</summary>
    public decimal Value(int index) => _values[index];

    /// <summary>Sets the value of a day.</summary>
    public void Set(int index, decimal value)
    {
        (_values[index], _known[index]) = (value, true);
        (_running, _looked) = (null, false);
    }

    /// <summary>The sum of the known days of a range, both ends included.</summary>
    /// <exception cref="OverflowException">It has more digits than a decimal.</exception>
    public decimal Sum(int first, int last)
    {
        if (last - first >= Short && Running() is { } running)
        {
            var sum = running[last + 1] - running[first];
            var (low, high) = unchecked(((int)Math.Abs(sum), (int)(Math.Abs(sum) >> 32)));
            // Of a range without any day it is a plain 0, as nothing was added.
            return sum == 0 && !AnyKnown(first, last) ? 0m : new decimal(low, high, 0, sum < 0, _scale);
        }

        var total = 0m;
        for (var index = first; index <= last; index++)
        {
            if (_known[index]) total += _values[index];
        }

        return total;
    }

    /// <summary>These days, and where there is none, those of another source.</summary>
    public KpiSeries Or(KpiSeries other)
    {
        var both = new KpiSeries(source, days);
        for (var index = 0; index < days; index++)
        {
            if (_known[index]) both.Set(index, _values[index]);
            else if (other._known[index]) both.Set(index, other._values[index]);
        }

        return both;
    }

    private bool AnyKnown(int first, int last)
    {
        for (var index = first; index <= last; index++)
        {
            if (_known[index]) return true;
        }

        return false;
    }

    /// <summary>Running sums in units of the last decimal place; null where they would not be exact.</summary>
    private long[]? Running()
    {
        if (_looked) return _running;
        _looked = true;
        byte? scale = null;
        var sums = new long[days + 1];
        decimal size = 0;
        for (var index = 0; index < days; index++)
        {
            sums[index + 1] = sums[index];
            if (!_known[index]) continue;
            var value = _values[index];
            scale ??= value.Scale;
            if (value.Scale != scale || Math.Abs(value) >= Exact) return null;
            var units = Units(value, scale.Value);
            if ((size += Math.Abs(units)) >= Exact) return null;
            sums[index + 1] += (long)units;
        }

        _scale = scale ?? 0;
        return _running = sums;
    }

    private static decimal Units(decimal value, byte scale)
    {
        Span<int> bits = stackalloc int[4];
        decimal.GetBits(value, bits);
        // The same digits without their decimal point.
        return scale == 0 ? value : new decimal(bits[0], bits[1], bits[2], value < 0, 0);
    }
}
