namespace KpiDashboard.Kpis.Usual;

/// <summary>
/// Makes forecasts: every model is run over the past day by day, forecasts from there, and is compared with what came (rolling origin). At
/// each origin the model is the one that had been best until then, so the errors kept are those that a reader would have met, the choice
/// included; intervals and probabilities are read from them, for the very stretch of days that is asked for. Nothing is drawn by chance:
/// the same days give the same forecast.
/// </summary>
internal sealed class Forecaster
{
    /// <summary>Fewer weeks give no forecast.</summary>
    public const int FewestWeeks = 8;

    /// <summary>As far as a forecast may reach: a quarter, and a month more.</summary>
    public const int MostDays = 123;

    /// <summary>With more days missing at the end there is no forecast.</summary>
    public const int MostMissingAtEnd = 14;

    private const int Warming = 28, Judged = 28, MostOrigins = 180, FewestOrigins = 8;
    /// <summary>Sums over all days that are looked at stay within what a decimal holds.</summary>
    private const double Greatest = 5e25;

    private const double Forget = 0.99, Floor = 0.05;

    /// <summary>
    /// The mean of the simple models holds unless another was wrong by so much less: a choice by few days is half chance.
    /// </summary>
    private const double Convincing = 0.96;

    /// <summary>
    /// What last year's course costs, of what the worst model costs, where no backtest can tell: most businesses have a year.
    /// </summary>
    private const double YearUntested = 0.7;

    private readonly DaySeries _series;
    private readonly ForecastSpan _span;
    private readonly int _start, _last, _days;
    private readonly List<Origin> _origins = [];
    private bool _ratios;
    private double _size;

    private Forecaster(DaySeries series, ForecastSpan span, int start, int last, int days) =>
        (_series, _span, _start, _last, _days) = (series, span, start, last, days);

    /// <summary>Forecasts the days after the last complete one.</summary>
    /// <param name="series">What is known.</param>
    /// <param name="lastComplete">The last day that is complete; what comes after it is not looked at.</param>
    /// <param name="to">The last day to forecast.</param>
    /// <param name="span">How days become a period.</param>
    /// <exception cref="ArgumentOutOfRangeException">The last day to forecast is no later than the last complete one, or too far
    /// ahead.</exception>
    public static Forecast Make(DaySeries series, DateOnly lastComplete, DateOnly to, ForecastSpan span = ForecastSpan.Sum)
    {
        var days = to.DayNumber - lastComplete.DayNumber;
        ArgumentOutOfRangeException.ThrowIfLessThan(days, 1, nameof(to));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(days, MostDays, nameof(to));
        if (series.Nature == SeriesNature.Rate) return new Forecast(NoForecastReason.RatioWithoutParts);
        var last = series.IndexOf(lastComplete);
        var start = 0;
        while (start < series.Count && !series.IsLearned(start)) start++;
        if (series.Count == 0 || start > last || start >= series.Count) return new Forecast(NoForecastReason.NotMeasurable);
        if (last >= series.Count + MostMissingAtEnd) return new Forecast(NoForecastReason.NoRecentDays);
        var (learned, newest) = (0, start);
        for (var at = start; at <= last; at++)
        {
            if (!series.IsLearned(at)) continue;
            if (Math.Abs(series.ValueAt(at)) > Greatest) return new Forecast(NoForecastReason.NotMeasurable);
            learned++;
            newest = at;
        }

        if (last - start + 1 < FewestWeeks * 7 || learned < FewestWeeks * 5) return new Forecast(NoForecastReason.TooLittleHistory);
        if (last - newest > MostMissingAtEnd) return new Forecast(NoForecastReason.NoRecentDays);
        return new Forecaster(series, span, start, last, days).Run();
    }

    /// <summary>A number with as many digits as forecasts have; sums of them are exact.</summary>
    internal static decimal Rounded(double value) => Math.Round((decimal)Math.Clamp(double.IsNaN(value) ? 0 : value, -7e28, 7e28), 4);

    private static decimal RoundedDay(double value) => Rounded(Math.Clamp(value, -Greatest, Greatest));

    /// <summary>See <see cref="Forecast.Over"/>.</summary>
    internal PeriodForecast Over(IReadOnlyList<ForecastPoint> points, DateOnly from, DateOnly to)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(from, to);
        ArgumentOutOfRangeException.ThrowIfLessThan(to, points[0].Day);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(to, points[^1].Day);
        var (known, missing, knownDays) = (0m, 0, 0);
        for (var at = _series.IndexOf(from); at <= _last && from <= to; at++)
        {
            if (_series.IsComplete(at))
            {
                known += (decimal)Math.Clamp(_series.ValueAt(at), -Greatest, Greatest);
                knownDays++;
            }
            else
            {
                missing++;
            }
        }

        var first = Math.Max(1, from.DayNumber - points[0].Day.DayNumber + 1);
        var end = to.DayNumber - points[0].Day.DayNumber + 1;
        var rest = 0m;
        for (var lead = first; lead <= end; lead++) rest += points[lead - 1].Value;
        var divisor = _span == ForecastSpan.Sum ? 1 : knownDays + end - first + 1;
        return new PeriodForecast(
            from, to, known, missing, rest, Unit((double)rest, end - first + 1, _size), ErrorsOf(first, end), divisor, _ratios,
            _series.Nature == SeriesNature.Count);
    }

    /// <summary>
    /// A period of a ratio: the forecast of the upper sum by that of the lower; how wrong such ratios were, both forecasts made on the same
    /// day, tells how wrong it may be. Null where nothing is expected below the line.
    /// </summary>
    internal static PeriodForecast? Over(
        (Forecaster Made, IReadOnlyList<ForecastPoint> Points) upper, (Forecaster Made, IReadOnlyList<ForecastPoint> Points) lower,
        DateOnly from, DateOnly to)
    {
        var (above, below) = (upper.Made, lower.Made);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(from, to);
        ArgumentOutOfRangeException.ThrowIfLessThan(to, upper.Points[0].Day);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(to, upper.Points[^1].Day);
        var (known, divisor, missing) = (0m, 0m, 0);
        for (var day = from; day < upper.Points[0].Day; day = day.AddDays(1))
        {
            var (one, other) = (above._series.IndexOf(day), below._series.IndexOf(day));
            if (!above._series.IsComplete(one) || !below._series.IsComplete(other))
            {
                missing++;
                continue;
            }

            known += (decimal)Math.Clamp(above._series.ValueAt(one), -Greatest, Greatest);
            divisor += (decimal)Math.Clamp(below._series.ValueAt(other), -Greatest, Greatest);
        }

        var first = Math.Max(1, from.DayNumber - upper.Points[0].Day.DayNumber + 1);
        var end = to.DayNumber - upper.Points[0].Day.DayNumber + 1;
        var rest = 0m;
        for (var lead = first; lead <= end; lead++)
        {
            rest += upper.Points[lead - 1].Value;
            divisor += lower.Points[lead - 1].Value;
        }

        if (divisor <= 0) return null;
        var unit = rest > 0 ? (double)rest : 1;
        return new PeriodForecast(
            from, to, known, missing, rest, unit, RatioErrors(above, below, first, end), divisor, above._ratios, whole: false);
    }

    private static ErrorDistribution RatioErrors(Forecaster above, Forecaster below, int first, int end)
    {
        var reach = Math.Min(end, Math.Min(above.Longest(first), below.Longest(first)));
        var start = Math.Min(first, reach);
        var others = below._origins.ToDictionary(origin => origin.At - below._last);
        var errors = new List<double>(above._origins.Count);
        foreach (var origin in above._origins)
        {
            if (!others.TryGetValue(origin.At - above._last, out var other) || !origin.Knows(start, reach) || !other.Knows(start, reach)) continue;
            var (up, down) = (origin.SumsOf(start, reach), other.SumsOf(start, reach));
            // In units of the forecast: how much more there was above the line for each below it.
            if (up.Forecast > 0 && down.Forecast > 0 && down.Actual > 0)
                errors.Add(Math.Round(up.Actual / down.Actual / (up.Forecast / down.Forecast) - 1, 9));
        }

        var stretch = Math.Sqrt((double)(end - first + 1) / (reach - start + 1));
        return above.DistributionOf(errors, reach, Math.Max(1, stretch));
    }

    private Forecast Run()
    {
        var models = new SmoothingModels(_series, _start, _last);
        _ratios = models.IsRatio;
        var step = _last - _start >= 150 ? 2 : 1;
        var firstOrigin = Math.Max(_start + Warming - 1, _last - MostOrigins * step - Judged);
        var costs = new double[SmoothingModels.Methods];
        var waiting = new Queue<(int At, double[] Costs)>();
        var reach = Math.Max(_days, Judged);
        var made = costs.Select(_ => new double[reach]).ToArray();
        for (var at = _start; at < _last; at++)
        {
            models.Learn(at);
            if (at < firstOrigin || (_last - at) % step != 0) continue;
            // Only what was over by then chooses the model of that day.
            while (waiting.TryPeek(out var oldest) && oldest.At + Judged <= at) Add(costs, waiting.Dequeue().Costs);
            var length = Math.Min(reach, _last - at);
            var isYear = models.Forecast(at, length, made);
            if (at + Judged <= _last) waiting.Enqueue((at, CostsAt(models.Size, at, made, isYear)));
            _origins.Add(OriginAt(at, length, models.Size, made[(int)Chosen(costs, isYear)], made[(int)ForecastMethod.SeasonalNaive]));
        }

        while (waiting.TryDequeue(out var rest)) Add(costs, rest.Costs);
        models.Learn(_last);
        _size = models.Size;
        if (_days > 2 * Longest(1)) return new Forecast(NoForecastReason.TooFarAhead);
        var method = Chosen(costs, models.Forecast(_last, _days, made));
        return new Forecast(this, method, PointsOf(made[(int)method].AsSpan(0, _days)), Score());
    }

    private static void Add(double[] costs, double[] more)
    {
        for (var i = 0; i < costs.Length; i++) costs[i] = Forget * costs[i] + more[i];
    }

    /// <summary>
    /// What each model was wrong by: each of 28 days, and their sum; for last year's course see <see cref="YearUntested"/>.
    /// </summary>
    private double[] CostsAt(double size, int at, double[][] made, bool isYear)
    {
        var (costs, worst) = (new double[SmoothingModels.Methods], 0.0);
        for (var method = 0; method < costs.Length; method++)
        {
            if (!isYear && IsOfYear(method)) continue;
            var (each, sum, known) = (0.0, 0.0, 0);
            for (var lead = 1; lead <= Judged; lead++)
            {
                if (!_series.IsComplete(at + lead)) continue;
                var error = _series.ValueAt(at + lead) - made[method][lead - 1];
                (each, sum, known) = (each + Math.Abs(error), sum + error, known + 1);
            }

            costs[method] = known == 0 || size == 0 ? 0 : (each + Math.Abs(sum)) / known / size;
            worst = Math.Max(worst, costs[method]);
        }

        for (var method = 0; method < costs.Length && !isYear; method++)
        {
            if (IsOfYear(method)) costs[method] = YearUntested * worst;
        }

        return costs;
    }

    private static bool IsOfYear(int method) => (ForecastMethod)method is ForecastMethod.LastYear or ForecastMethod.MeanWithLastYear;

    /// <summary>The model that was wrong least; before anything was compared, the mean of the simple ones.</summary>
    private static ForecastMethod Chosen(double[] costs, bool isYear)
    {
        var best = (int)ForecastMethod.Mean;
        for (var method = 0; method < costs.Length; method++)
        {
            var limit = costs[best] * (best == (int)ForecastMethod.Mean ? Convincing : 1);
            if (costs[method] < limit && (isYear || !IsOfYear(method))) best = method;
        }

        return (ForecastMethod)best;
    }

    private Origin OriginAt(int at, int length, double size, double[] own, double[] naive)
    {
        var origin = new Origin(at, length, size);
        for (var lead = 1; lead <= length; lead++)
        {
            var complete = _series.IsComplete(at + lead);
            var actual = complete ? _series.ValueAt(at + lead) : 0;
            // What was not measured is left out on both sides.
            origin.Forecast[lead] = origin.Forecast[lead - 1] + (complete ? own[lead - 1] : 0);
            origin.Actual[lead] = origin.Actual[lead - 1] + actual;
            origin.Known[lead] = origin.Known[lead - 1] + (complete ? 1 : 0);
            if (!complete || lead > Judged) continue;
            origin.OwnError += Math.Abs(actual - own[lead - 1]);
            origin.NaiveError += Math.Abs(actual - naive[lead - 1]);
        }

        return origin;
    }

    private ForecastPoint[] PointsOf(ReadOnlySpan<double> days)
    {
        var points = new ForecastPoint[days.Length];
        ErrorDistribution? errors = null;
        var block = -1;
        for (var lead = 1; lead <= days.Length; lead++)
        {
            if (BlockOf(lead) != block)
            {
                block = BlockOf(lead);
                errors = ErrorsOfDays(block);
            }

            var (value, unit) = (days[lead - 1], Unit(days[lead - 1], 1, _size));
            points[lead - 1] = new ForecastPoint(
                _series.First.AddDays(_last + lead), RoundedDay(value), End(0.1), End(0.9), End(0.025), End(0.975));

            decimal End(double share)
            {
                var end = value + errors!.Quantile(share) * unit;
                return RoundedDay(_ratios ? Math.Max(0, end) : end);
            }
        }

        return points;
    }

    /// <summary>
    /// Days that share their errors: 1, 2 and 3, to the end of the week, the second week, to four weeks, to eight, the rest.
    /// </summary>
    private static readonly int[] Blocks = [1, 2, 4, 8, 15, 29, 57, MostDays + 1];

    private static int BlockOf(int lead)
    {
        var block = 0;
        while (Blocks[block + 1] <= lead) block++;
        return block;
    }

    private ErrorDistribution ErrorsOfDays(int block)
    {
        const int most = 420;
        var (first, stretch) = (Blocks[block], 1.0);
        while (first > 1 && first > Longest(1))
        {
            first--;
            stretch = Math.Sqrt((double)Blocks[block] / first);
        }

        var end = Math.Max(first, Math.Min(Blocks[block + 1] - 1, _days));
        var every = _origins.Count * (end - first + 1) / most + 1;
        var (errors, next) = (new List<double>(most), 0);
        foreach (var origin in _origins)
        {
            for (var lead = first; lead <= Math.Min(end, origin.Length); lead++)
            {
                if (next++ % every == 0 && origin.Knows(lead, lead)) errors.Add(origin.ErrorOf(lead, lead, this));
            }
        }

        return DistributionOf(errors, first, stretch);
    }

    /// <summary>
    /// The errors of sums over the same stretch; where the history is too short for it, of the longest that it allows, widened by the root
    /// of how much longer it is.
    /// </summary>
    private ErrorDistribution ErrorsOf(int first, int end)
    {
        var reach = Math.Min(end, Longest(first));
        var start = Math.Min(first, reach);
        var errors = Sums(start, reach);
        var stretch = Math.Sqrt((double)(end - first + 1) / (reach - start + 1));
        return DistributionOf(errors, reach, Math.Max(1, stretch));
    }

    /// <summary>
    /// Errors as a distribution. Stretches that overlap share their luck: the fewer of them lie side by side in the past, the more is to
    /// come that was not seen; and where fewer than four do, that they were all wrong on one side says nothing, so the other side counts as
    /// well.
    /// </summary>
    /// <param name="errors">The errors; none where nothing could be compared.</param>
    /// <param name="reach">How many days ahead their stretch ends.</param>
    /// <param name="stretch">How much further the forecast reaches.</param>
    private ErrorDistribution DistributionOf(List<double> errors, int reach, double stretch)
    {
        if (errors.Count == 0) return new ErrorDistribution([0]);
        var share = reach / (double)(_last - _origins[0].At);
        if (share > 0.25) errors.AddRange(errors.ConvertAll(error => -error));
        return new ErrorDistribution(errors, stretch * Math.Sqrt(1 + 0.5 * share + 16 * share * share));
    }

    private List<double> Sums(int first, int end)
    {
        var errors = new List<double>(_origins.Count);
        foreach (var origin in _origins)
        {
            if (origin.Knows(first, end)) errors.Add(origin.ErrorOf(first, end, this));
        }

        return errors;
    }

    /// <summary>The furthest day ahead for which enough backtests saw the end.</summary>
    private int Longest(int first)
    {
        var end = Math.Max(_days, Judged);
        for (; end > 1; end--)
        {
            var (seen, from) = (0, Math.Min(first, end));
            for (var i = 0; i < _origins.Count && seen < FewestOrigins; i++)
            {
                if (_origins[i].Knows(from, end)) seen++;
            }

            if (seen == FewestOrigins) break;
        }

        return end;
    }

    private ForecastError Score()
    {
        var (own, naive, backtests) = (0.0, 0.0, 0);
        var (seen, inside, asked) = (new List<double>(), 0, 0);
        var due = 0;
        foreach (var origin in _origins)
        {
            if (origin.Length < Judged) break;
            (own, naive, backtests) = (own + origin.OwnError, naive + origin.NaiveError, backtests + 1);
            if (!origin.Knows(1, Judged)) continue;
            for (; due < _origins.Count && _origins[due].At + Judged <= origin.At; due++)
            {
                if (_origins[due].Knows(1, Judged)) seen.Add(_origins[due].ErrorOf(1, Judged, this));
            }

            if (seen.Count < FewestOrigins) continue;
            var errors = new ErrorDistribution(seen);
            var error = origin.ErrorOf(1, Judged, this);
            asked++;
            if (error >= errors.Quantile(0.1) && error <= errors.Quantile(0.9)) inside++;
        }

        return new ForecastError(naive > 0 ? own / naive : null, asked < 10 ? null : (double)inside / asked, backtests);
    }

    /// <summary>What an error of one is worth: the forecast, with a floor so that a forecast of nothing can be wrong, too.</summary>
    private double Unit(double forecast, int days, double size)
    {
        var unit = _ratios ? forecast + Floor * size * days : size * days;
        return unit > 0 ? unit : 1;
    }

    /// <summary>A day of the past from which a forecast was made, with sums from it on: what was forecast, what came, and how many
    /// days of it were measured.</summary>
    private sealed class Origin(int at, int length, double size)
    {
        public int At => at;

        public int Length => length;

        public double[] Forecast { get; } = new double[length + 1];

        public double[] Actual { get; } = new double[length + 1];

        public int[] Known { get; } = new int[length + 1];

        public double OwnError { get; set; }

        public double NaiveError { get; set; }

        /// <summary>Whether a stretch is over and two thirds of its days at least were measured.</summary>
        public bool Knows(int first, int end) => length >= end && 3 * (Known[end] - Known[first - 1]) >= 2 * (end - first + 1);

        /// <summary>What was forecast for a stretch, and what came.</summary>
        public (double Forecast, double Actual) SumsOf(int first, int end) => (Forecast[end] - Forecast[first - 1], Actual[end] - Actual[first - 1]);

        /// <summary>The relative error of a stretch; nine digits, for the last ones differ from one machine to another.</summary>
        public double ErrorOf(int first, int end, Forecaster of)
        {
            var forecast = Forecast[end] - Forecast[first - 1];
            return Math.Round((Actual[end] - Actual[first - 1] - forecast) / of.Unit(forecast, Known[end] - Known[first - 1], size), 9);
        }
    }
}
