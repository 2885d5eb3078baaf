namespace KpiDashboard.Kpis.Usual;

/// <summary>
/// The band of the usual. Days are put on a scale where their noise is even (between square root and logarithm); a local level with damped
/// trend and weekday offsets is followed by exponential smoothing, ETS(A,Ad,A), whose steps are clipped so that an outlier cannot drag it
/// along (as in Gelper, Fried and Croux, "Robust forecasting with exponential and Holt-Winters smoothing", 2010); how fast it follows is
/// chosen by its own past errors one day ahead; and the width is a quantile of those errors. So the band is as wide as the model was wrong
/// before, and no formula has to hold.
/// </summary>
/// <remarks>
/// The days of one calendar month share the day their learning begins (the first of a month, twelve months before), so that one pass serves
/// them all and a chart shows the very band that an alert judged by.
/// </remarks>
internal static class UsualBand
{
    /// <summary>From so many days on, five weeks, something is said.</summary>
    public const int FewestDays = 35;

    private const int FewestLearned = 28, FewestOfWeekday = 3, Settling = 14;

    /// <summary>Share of past errors that may lie outside: rarer than 1 day in 60 with room for what changes.</summary>
    private const double Tail = 1.0 / 80;

    /// <summary>Never narrower than this many robust standard deviations, nor than this share of the expected value.</summary>
    private const double FewestDeviations = 2.6, Narrowest = 0.1;

    /// <summary>
    /// Steps are clipped at so many mean deviations, and a day weighs so much less the next day when speeds are compared.
    /// </summary>
    private const double Clip = 4, Forget = 0.99;

    private const double Damping = 0.9, WeekdayStep = 0.1;

    /// <summary>Of level and trend; the slow ones serve small counts, the quick ones busy sites.</summary>
    private static readonly (double Level, double Trend)[] Speeds =
        [(0.05, 0), (0.1, 0), (0.2, 0), (0.2, 0.05), (0.35, 0), (0.35, 0.05), (0.5, 0), (0.7, 0)];

    /// <summary>What is usual for one day and what is said of it, from the days before it alone.</summary>
    public static UsualDay On(DaySeries series, DateOnly day) => Over(series, day, day)[0];

    /// <summary>The same for each day of a range, each from the days before it alone.</summary>
    /// <param name="series">What is known.</param>
    /// <param name="from">First day.</param>
    /// <param name="to">Last day; may lie after the last day that is known.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range is empty or longer than <see cref="DaySeries.MaxDays"/>.</exception>
    public static IReadOnlyList<UsualDay> Over(DaySeries series, DateOnly from, DateOnly to)
    {
        var length = to.DayNumber - from.DayNumber + 1;
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1, nameof(to));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, DaySeries.MaxDays, nameof(to));
        var days = new List<UsualDay>(length);
        for (var start = from; start <= to;)
        {
            var monthEnd = new DateOnly(start.Year, start.Month, DateTime.DaysInMonth(start.Year, start.Month));
            var end = monthEnd < to ? monthEnd : to;
            var month = new DateOnly(start.Year, start.Month, 1);
            var learnFrom = start.Year > 1 ? series.IndexOf(month.AddMonths(-12)) : 0;
            new Pass(series, Math.Max(0, learnFrom), series.IndexOf(month)).Judge(series.IndexOf(start), series.IndexOf(end), days);
            start = end.AddDays(1);
        }

        return days;
    }

    /// <summary>The median of sorted numbers.</summary>
    internal static double MedianOfSorted(ReadOnlySpan<double> sorted) =>
        sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;

    private static double Median(List<double> values)
    {
        values.Sort();
        return MedianOfSorted(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(values));
    }

    /// <summary>One pass over the days from the first that is learned to the last that is judged.</summary>
    private sealed class Pass
    {
        private readonly DaySeries _series;
        private readonly int _start;
        private readonly EvenScale _scale;
        private readonly Follower[] _followers = [];
        private readonly int[] _ofWeekday = new int[7];
        private int _learned, _gap, _zeros, _zeroDays, _longestZeros, _secondZeros;
        private double _expectedBeforeZeros;

        public Pass(DaySeries series, int learnFrom, int month)
        {
            // Before anything happened there is nothing to learn: a shop that opens in May had no usual April. Where nothing has happened
            // yet, nothing is the usual.
            _series = series;
            _start = learnFrom;
            while (_start < month && !(series.IsLearned(_start) && series.ValueAt(_start) != 0)) _start++;
            if (_start >= month) _start = learnFrom;
            var first = new List<int>(FewestLearned);
            for (var at = _start; at < series.Count && first.Count < FewestLearned; at++)
            {
                if (series.IsLearned(at)) first.Add(at);
            }

            if (first.Count < FewestLearned) return;
            _scale = EvenScale.For(series, first);
            var days = first.ConvertAll(at => _scale.To(series.ValueAt(at)));
            var level = Median([.. days]);
            var offsets = new double[7];
            for (var weekday = 0; weekday < 7; weekday++)
            {
                var own = days.Where((_, i) => series.WeekdayAt(first[i]) == weekday).ToList();
                if (own.Count > 0) offsets[weekday] = Median(own) - level;
            }

            level = Median([.. days.Select((day, i) => day - offsets[series.WeekdayAt(first[i])])]);
            _followers = [.. Speeds.Select(speed => new Follower(speed.Level, speed.Trend, level, offsets, series.Count - _start))];
        }

        public void Judge(int from, int to, List<UsualDay> days)
        {
            for (var at = Math.Min(_start, from); at <= to; at++)
            {
                var best = at >= _start && _followers.Length > 0 ? Best() : null;
                var zeros = ZerosWith(at, best);
                if (at >= from) days.Add(Judge(at, best, zeros));
                if (best is not null) Learn(at);
            }
        }

        private Follower Best()
        {
            var best = _followers[0];
            foreach (var follower in _followers)
            {
                if (follower.Cost < best.Cost) best = follower;
            }

            return best;
        }

        /// <summary>How many zeros in a row end with this day; rates have none that mean anything.</summary>
        private int ZerosWith(int at, Follower? best)
        {
            if (_series.Nature == SeriesNature.Rate || best is null || !_series.IsComplete(at) || _series.ValueAt(at) != 0) return 0;
            if (_zeros == 0) _expectedBeforeZeros = _scale.From(best.Level);
            return _zeros + 1;
        }

        private UsualDay Judge(int at, Follower? best, int zeros)
        {
            var day = _series.First.AddDays(at);
            double? value = double.IsNaN(_series.ValueAt(at)) ? null : _series.ValueAt(at);
            var weekday = _series.WeekdayAt(at);
            if (best is null || _learned < FewestLearned || at - _start < FewestDays)
                return NotJudged(NotJudgedReason.TooLittleHistory);
            if (_ofWeekday[weekday] < FewestOfWeekday)
                return NotJudged(NotJudgedReason.TooFewOfWeekday);

            var (expected, low, high) = Band(best, weekday);
            var reason = Why(at, NotJudgedReason.None);
            if (reason != NotJudgedReason.None)
                return new UsualDay(day, value, expected, low, high, UsualVerdict.NotJudged, reason, _learned);

            var drought = IsDrought(zeros);
            var verdict = value < low || drought ? UsualVerdict.Below : value > high ? UsualVerdict.Above : UsualVerdict.Usual;
            return new UsualDay(
                day, value, expected, low, high, verdict, NotJudgedReason.None, _learned, drought && !(value < low) ? zeros : 0);

            UsualDay NotJudged(NotJudgedReason why) =>
                new(day, value, null, null, null, UsualVerdict.NotJudged, Why(at, why), _learned);
        }

        /// <summary>
        /// Few a day: one zero is usual, a week of them is not. Unusual is what is longer than ever but once (that once may have been a
        /// fault), and by chance rarer than once in ten thousand times: a zero has the chance e^-expected of a count, and of an amount the
        /// share of zeros so far.
        /// </summary>
        private bool IsDrought(int zeros)
        {
            if (zeros < _secondZeros + 2) return false;
            var each = _series.Nature == SeriesNature.Count ? _expectedBeforeZeros : -Math.Log((_zeroDays + 1.0) / (_learned + 2.0));
            return zeros * each > 9;
        }

        private NotJudgedReason Why(int at, NotJudgedReason otherwise) =>
            double.IsNaN(_series.ValueAt(at)) ? NotJudgedReason.NoValue
            : _series.IsPartial(at) ? NotJudgedReason.Partial
            : _series.IsSpecial(at) && otherwise == NotJudgedReason.None ? NotJudgedReason.SpecialDay : otherwise;

        private (double Expected, double Low, double High) Band(Follower best, int weekday)
        {
            var at = best.Expect(weekday);
            var (below, above) = best.Width();
            // The level is older after a gap.
            var aged = Math.Sqrt(1 + best.Speed * best.Speed * Math.Max(0, _gap - 1));
            var (expected, low, high) = (_scale.From(at), _scale.From(at - below * aged), _scale.From(at + above * aged));
            if (_series.Nature == SeriesNature.Count)
            {
                var (few, many) = CountingNoise.Band(expected);
                // A count that is steadier than chance (a job that runs 24 times a day) is judged by its own steadiness.
                var steady = best.Errors >= 56 && high - low < (many - few) / 2;
                (low, high) = steady ? (Math.Min(low, expected - 0.5), Math.Max(high, expected + 1.5))
                    : (Math.Min(low, few), Math.Max(high, many));
            }

            var least = Narrowest * Math.Abs(expected);
            (low, high) = (Math.Min(low, expected - least), Math.Max(high, expected + least));
            if (_series.Nature == SeriesNature.Count) low = Math.Max(0, low);
            return (Rounded(expected), Rounded(low), Rounded(high));
        }

        /// <summary>
        /// The first 32 binary digits (nine or ten decimal ones): logarithms and sines differ in their last digits from one machine to
        /// another, and the same days must give the same band on each.
        /// </summary>
        private static double Rounded(double value)
        {
            const long unit = 1L << 20;
            return BitConverter.Int64BitsToDouble((BitConverter.DoubleToInt64Bits(value) + unit / 2) & ~(unit - 1));
        }

        private void Learn(int at)
        {
            if (_series.IsLearned(at))
            {
                var (value, weekday) = (_series.ValueAt(at), _series.WeekdayAt(at));
                var day = _scale.To(value);
                foreach (var follower in _followers) follower.Learn(day, weekday, keepError: _learned >= Settling);
                _learned++;
                _ofWeekday[weekday]++;
                _gap = 0;
                CountZeros(value == 0);
                return;
            }

            foreach (var follower in _followers) follower.Skip();
            _gap++;
        }

        private void CountZeros(bool isZero)
        {
            if (isZero)
            {
                _zeros++;
                _zeroDays++;
                return;
            }

            _secondZeros = Math.Max(_secondZeros, Math.Min(_zeros, _longestZeros));
            _longestZeros = Math.Max(_longestZeros, _zeros);
            _zeros = 0;
        }
    }

    /// <summary>One speed of following: its state, and the errors that it made.</summary>
    private sealed class Follower(double speed, double trendSpeed, double level, double[] offsets, int capacity)
    {
        private readonly double[] _offsets = [.. offsets];
        private readonly double[] _errors = new double[Math.Max(capacity, 1)];
        private double _trend, _deviation = double.NaN, _level = level;
        private int _sorted;

        public double Speed => speed;

        public double Level => _level;

        public double Cost { get; private set; }

        public int Errors { get; private set; }

        public double Expect(int weekday) => _level + _trend + _offsets[weekday];

        public void Learn(double day, int weekday, bool keepError)
        {
            var error = day - Expect(weekday);
            var size = Math.Abs(error);
            if (keepError) Keep(error);
            if (double.IsNaN(_deviation)) _deviation = size;
            var clipped = keepError && size > Clip * _deviation ? Math.CopySign(Clip * _deviation, error) : error;
            Cost = Forget * Cost + Math.Abs(clipped);
            _deviation = Math.Max(0.97 * _deviation + 0.03 * Math.Min(size, Math.Max(3 * _deviation, 1e-9)), size * 1e-3);
            _level += _trend + speed * clipped;
            _trend = Damping * (_trend + speed * trendSpeed * clipped);
            _offsets[weekday] += WeekdayStep * (1 - speed) * clipped;
        }

        public void Skip()
        {
            _level += _trend;
            _trend *= Damping;
        }

        /// <summary>How far below and above what is expected the band reaches, on the even scale.</summary>
        public (double Below, double Above) Width()
        {
            var sorted = Sorted();
            if (sorted.Length == 0) return (0, 0);
            var outside = (int)(Tail / 2 * (sorted.Length + 1));
            var (below, above) = (-sorted[outside], sorted[^(outside + 1)]);
            // Of few errors the greatest says little of how great they become, on either side.
            var few = Math.Max(0, 40.0 / sorted.Length - 0.33);
            if (few > 0) below = above = Math.Max(below, above);
            var deviation = 1.4826 * (sorted[(int)(0.75 * (sorted.Length - 1))] - sorted[(int)(0.25 * (sorted.Length - 1))]) / 2;
            var least = (FewestDeviations + few) * deviation;
            return (Math.Max(below, least), Math.Max(above, least));
        }

        private void Keep(double error) => _errors[Errors++] = error;

        /// <summary>The errors in order. They are asked for of one follower at the end of most days' passes: sorting waits until then.</summary>
        private Span<double> Sorted()
        {
            if (Errors - _sorted > 16)
            {
                _errors.AsSpan(0, Errors).Sort();
                _sorted = Errors;
            }

            for (; _sorted < Errors; _sorted++)
            {
                var error = _errors[_sorted];
                var at = _errors.AsSpan(0, _sorted).BinarySearch(error);
                if (at < 0) at = ~at;
                _errors.AsSpan(at, _sorted - at).CopyTo(_errors.AsSpan(at + 1));
                _errors[at] = error;
            }

            return _errors.AsSpan(0, Errors);
        }
    }
}
