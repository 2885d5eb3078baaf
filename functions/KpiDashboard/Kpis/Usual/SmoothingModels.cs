namespace KpiDashboard.Kpis.Usual;

/// <summary>The simple models that a forecast is chosen from.</summary>
internal enum ForecastMethod
{
    /// <summary>The last value of each weekday, again and again.</summary>
    SeasonalNaive,

    /// <summary>Exponential smoothing with damped trend, ETS(A,Ad,·) on days freed of their weekday.</summary>
    DampedTrend,

    /// <summary>
    /// Theta: exponential smoothing with half of the linear slope (Assimakopoulos and Nikolopoulos 2000; Hyndman and Billah 2003).
    /// </summary>
    Theta,

    /// <summary>The mean of the three.</summary>
    Mean,

    /// <summary>The course of the same weeks a year ago, at today's level.</summary>
    LastYear,

    /// <summary>The mean of damped trend, theta and last year's course.</summary>
    MeanWithLastYear,
}

/// <summary>
/// All models at one moment: days go in one by one, and from what is known so far each gives the next days. Weekday factors are means that
/// forget; where values below zero occur they are differences instead. Smoothing parameters come from a small grid by the errors one and
/// seven days ahead so far: a grid gives the same on every machine, and an optimiser finds nothing better on days this noisy.
/// </summary>
internal sealed class SmoothingModels
{
    /// <summary>How many models there are.</summary>
    public const int Methods = 6;

    private const double Clip = 4, Forget = 0.99, WeekdayForget = 0.91, SlopeForget = 0.99;
    private const int Year = 364;

    private static readonly (double Level, double Trend, double Damping)[] Damped =
        [(0.05, 0.05, 0.97), (0.1, 0.05, 0.97), (0.2, 0.05, 0.97), (0.4, 0.05, 0.97), (0.2, 0.1, 0.9), (0.4, 0.1, 0.9), (0.7, 0.1, 0.9)];

    private static readonly double[] Simple = [0.05, 0.1, 0.2, 0.4, 0.7];

    private readonly DaySeries _series;
    private readonly bool _ratios;
    private readonly int _start;
    private readonly Smoother[] _damped = [.. Damped.Select(speed => new Smoother(speed.Level, speed.Trend, speed.Damping))];
    private readonly Smoother[] _simple = [.. Simple.Select(speed => new Smoother(speed, 0, 1))];
    private readonly double[] _lastOfWeekday = new double[7], _sumOfWeekday = new double[7], _weightOfWeekday = new double[7];
    private readonly double[] _factors = new double[7];
    private readonly double[] _sums;
    private readonly int[] _counts;
    private double _meanSize, _weight, _slopeN, _slopeX, _slopeY, _slopeXx, _slopeXy;

    /// <param name="series">The series.</param>
    /// <param name="start">First day that is learned from.</param>
    /// <param name="end">Last day that may be learned from.</param>
    public SmoothingModels(DaySeries series, int start, int end)
    {
        _series = series;
        _start = start;
        _ratios = true;
        for (var at = start; at <= end; at++)
        {
            if (series.IsLearned(at) && series.ValueAt(at) < 0) _ratios = false;
        }

        _sums = new double[end - start + 2];
        _counts = new int[end - start + 2];
        Array.Fill(_factors, _ratios ? 1 : 0);
    }

    /// <summary>Days that were learned from.</summary>
    public int Learned { get; private set; }

    /// <summary>The usual size of a day, whatever its sign: what errors are put in proportion to.</summary>
    public double Size => _weight > 0 ? _meanSize / _weight : 0;

    /// <summary>Whether weekdays are factors, and errors in proportion to what was forecast.</summary>
    public bool IsRatio => _ratios;

    /// <summary>Takes in the next day.</summary>
    public void Learn(int at)
    {
        var offset = at - _start;
        var learned = _series.IsLearned(at);
        var value = learned ? _series.ValueAt(at) : 0;
        _sums[offset + 1] = _sums[offset] + value;
        _counts[offset + 1] = _counts[offset] + (learned ? 1 : 0);
        if (!learned)
        {
            foreach (var smoother in _damped) smoother.Skip();
            foreach (var smoother in _simple) smoother.Skip();
            return;
        }

        var weekday = _series.WeekdayAt(at);
        var day = Free(value, weekday);
        foreach (var smoother in _damped) smoother.Learn(day, Learned >= 14);
        foreach (var smoother in _simple) smoother.Learn(day, Learned >= 14);
        // An outlier must not become the weekday's: what counts is the value as far as it is believed.
        var believed = Bind(Best(_simple).Believed, weekday);
        _sumOfWeekday[weekday] = WeekdayForget * _sumOfWeekday[weekday] + believed;
        _weightOfWeekday[weekday] = WeekdayForget * _weightOfWeekday[weekday] + 1;
        _lastOfWeekday[weekday] = value;
        _meanSize = Forget * _meanSize + Math.Abs(believed);
        _weight = Forget * _weight + 1;
        Learned++;
        if (Learned >= 14) Weigh();
        var (x, w) = ((double)offset, SlopeForget);
        (_slopeN, _slopeX, _slopeY) = (w * _slopeN + 1, w * _slopeX + x, w * _slopeY + Best(_simple).Believed);
        (_slopeXx, _slopeXy) = (w * _slopeXx + x * x, w * _slopeXy + x * Best(_simple).Believed);
    }

    /// <summary>Forecasts of the days after the last that went in, by every model.</summary>
    /// <param name="at">The last day that went in.</param>
    /// <param name="length">How many days.</param>
    /// <param name="days">By model, at least so many days; filled in.</param>
    /// <returns>Whether the models that look at last year can say something yet; the others always can.</returns>
    public bool Forecast(int at, int length, double[][] days)
    {
        var (damped, simple, slope) = (Best(_damped), Best(_simple), Slope());
        var (level, trend) = (damped.Level, damped.Trend);
        var isYear = TryLastYear(at, days[(int)ForecastMethod.LastYear].AsSpan(0, length));
        for (var lead = 1; lead <= length; lead++)
        {
            var (i, weekday) = (lead - 1, _series.WeekdayAt(at + lead));
            level += trend;
            trend *= damped.Damping;
            var naive = Possible(_lastOfWeekday[weekday]);
            var smoothed = Possible(Bind(level, weekday));
            var theta = Possible(Bind(simple.Level + slope * (i + 1 / simple.Speed), weekday));
            if (_weightOfWeekday[weekday] == 0)
            {
                // Never measured on this weekday: nothing is to come.
                foreach (var method in days) method[i] = 0;
                continue;
            }

            days[(int)ForecastMethod.SeasonalNaive][i] = naive;
            days[(int)ForecastMethod.DampedTrend][i] = smoothed;
            days[(int)ForecastMethod.Theta][i] = theta;
            days[(int)ForecastMethod.Mean][i] = (naive + smoothed + theta) / 3;
            if (isYear) days[(int)ForecastMethod.MeanWithLastYear][i] = (smoothed + theta + days[(int)ForecastMethod.LastYear][i]) / 3;
        }

        return isYear;
    }

    private double Possible(double value) => _ratios ? Math.Max(0, value) : value;

    private double Slope()
    {
        var spread = _slopeN * _slopeXx - _slopeX * _slopeX;
        if (Learned < 28 || spread <= 0) return 0;
        // Half of the slope is theta; of a short history it is taken for less, for it is mostly chance.
        return (_slopeN * _slopeXy - _slopeX * _slopeY) / spread / 2 * Learned / (Learned + 200);
    }

    /// <summary>Last year's seven days around the day, times what the last four weeks are to the same four weeks a year ago.</summary>
    private bool TryLastYear(int at, Span<double> days)
    {
        if (!_ratios || MeanOf(at - 27, at) is not { } now || MeanOf(at - Year - 27, at - Year) is not { } then || then <= 0) return false;
        var growth = now / then;
        for (var lead = 1; lead <= days.Length; lead++)
        {
            var middle = at + lead - Year;
            if (MeanOf(middle - 3, Math.Min(middle + 3, at)) is not { } week) return false;
            days[lead - 1] = Bind(week * growth, _series.WeekdayAt(at + lead));
        }

        return true;
    }

    private double? MeanOf(int from, int to)
    {
        if (from < _start) return null;
        var count = _counts[to - _start + 1] - _counts[from - _start];
        return count * 2 < to - from + 1 ? null : (_sums[to - _start + 1] - _sums[from - _start]) / count;
    }

    private double Free(double value, int weekday) =>
        !_ratios ? value - _factors[weekday] : _factors[weekday] > 0.05 ? value / _factors[weekday] : Best(_simple).Level;

    private double Bind(double level, int weekday) => _ratios ? level * _factors[weekday] : level + _factors[weekday];

    private void Weigh()
    {
        var (mean, known) = (0.0, 0);
        for (var weekday = 0; weekday < 7; weekday++)
        {
            if (_weightOfWeekday[weekday] == 0) continue;
            mean += _sumOfWeekday[weekday] / _weightOfWeekday[weekday];
            known++;
        }

        mean /= known;
        for (var weekday = 0; weekday < 7; weekday++)
        {
            if (_weightOfWeekday[weekday] == 0) continue;
            var own = _sumOfWeekday[weekday] / _weightOfWeekday[weekday];
            _factors[weekday] = !_ratios ? own - mean : mean > 0 ? own / mean : 1;
        }
    }

    private static Smoother Best(Smoother[] smoothers)
    {
        var best = smoothers[0];
        foreach (var smoother in smoothers)
        {
            if (smoother.Cost < best.Cost) best = smoother;
        }

        return best;
    }

    /// <summary>Exponential smoothing with clipped steps, at one speed.</summary>
    private sealed class Smoother(double speed, double trendSpeed, double damping)
    {
        private readonly double _trendInAWeek = damping < 1 ? (1 - Math.Pow(damping, 7)) / (1 - damping) : 0;
        private readonly double[] _weekAhead = new double[7];
        private double _deviation;
        private int _at, _learned;

        public double Speed => speed;

        public double Damping => damping;

        public double Level { get; private set; }

        public double Trend { get; private set; }

        public double Cost { get; private set; }

        /// <summary>The last day, as far as it is believed.</summary>
        public double Believed { get; private set; }

        public void Learn(double day, bool clip)
        {
            if (_learned++ == 0) Level = day;
            var error = day - Level - Trend;
            var size = Math.Abs(error);
            if (clip && size > Clip * _deviation) error = Math.CopySign(Clip * _deviation, error);
            Believed = Level + Trend + error;
            if (_learned > 14) Cost = Forget * Cost + Math.Abs(error) + Math.Abs(Believed - _weekAhead[_at]);
            _deviation = _learned < 14 ? _deviation + (size - _deviation) / _learned
                : Math.Max(0.97 * _deviation + 0.03 * Math.Min(size, 3 * _deviation), size * 1e-3);
            Level += Trend + Math.Max(speed, 1.0 / _learned) * error;
            Trend = damping * (Trend + speed * trendSpeed * error);
            Remember();
        }

        public void Skip()
        {
            Level += Trend;
            Trend *= damping;
            Remember();
        }

        private void Remember()
        {
            _weekAhead[_at] = Level + Trend * _trendInAWeek;
            _at = _at == 6 ? 0 : _at + 1;
        }
    }
}
