namespace KpiDashboard.Kpis.Usual;

/// <summary>Why there is no forecast.</summary>
internal enum NoForecastReason
{
    /// <summary>There is one.</summary>
    None,

    /// <summary>Nothing is measured, or numbers beyond all measure.</summary>
    NotMeasurable,

    /// <summary>Fewer than eight weeks are known.</summary>
    TooLittleHistory,

    /// <summary>A ratio, an average or a score: its days do not add up, and its parts are not known.</summary>
    RatioWithoutParts,

    /// <summary>Further ahead than the history lets anybody check.</summary>
    TooFarAhead,

    /// <summary>Days at the end are missing: what came since is not known.</summary>
    NoRecentDays,
}

/// <summary>How days become a period.</summary>
internal enum ForecastSpan
{
    /// <summary>They add up.</summary>
    Sum,

    /// <summary>Their mean (daily users).</summary>
    Mean,
}

/// <summary>A day to come.</summary>
/// <param name="Day">The day.</param>
/// <param name="Value">What is expected.</param>
/// <param name="Low80">Lower end of what 80 of 100 such days keep to.</param>
/// <param name="High80">Upper end.</param>
/// <param name="Low95">Lower end of what 95 of 100 keep to.</param>
/// <param name="High95">Upper end.</param>
internal sealed record ForecastPoint(DateOnly Day, decimal Value, decimal Low80, decimal High80, decimal Low95, decimal High95);

/// <summary>How good the forecasts were that would have been made before.</summary>
/// <param name="Mase">Mean absolute error of days up to 28 ahead, as a share of that of the seasonal naive forecast; null without
/// backtests.</param>
/// <param name="Coverage80">Share of 28-day sums that lay in the 80 % interval known at that time; null with fewer than ten.</param>
/// <param name="Backtests">Days from which forecasts were made and compared with what came.</param>
internal sealed record ForecastError(double? Mase, double? Coverage80, int Backtests);

/// <summary>A period to come, or the rest of one that has begun.</summary>
internal sealed record PeriodForecast
{
    private readonly ErrorDistribution _errors;
    private readonly double _unit;
    private readonly bool _whole;
    private readonly decimal _rest, _divisor, _least;

    internal PeriodForecast(
        DateOnly from, DateOnly to, decimal known, int missingDays, decimal rest, double unit, ErrorDistribution errors, decimal divisor,
        bool nonNegative, bool whole)
    {
        _whole = whole && divisor == 1;
        (From, To, MissingDays) = (from, to, missingDays);
        (_errors, _unit, _rest, _divisor) = (errors, unit, rest, divisor);
        Known = known;
        _least = nonNegative ? known : decimal.MinValue;
        Value = (known + rest) / divisor;
        (Low80, High80, Low95, High95) = (At(0.1), At(0.9), At(0.025), At(0.975));
    }

    /// <summary>First day.</summary>
    public DateOnly From { get; }

    /// <summary>Last day.</summary>
    public DateOnly To { get; }

    /// <summary>The sum of its days that are over.</summary>
    public decimal Known { get; }

    /// <summary>Days that are over and have no value: they are in no sum, and whoever shows the forecast says so.</summary>
    public int MissingDays { get; }

    /// <summary>What is expected: the sum (or mean) of the known days and of the forecasts of the others, to the last digit.</summary>
    public decimal Value { get; }

    /// <summary>Lower end of the 80 % interval.</summary>
    public decimal Low80 { get; }

    /// <summary>Upper end of the 80 % interval.</summary>
    public decimal High80 { get; }

    /// <summary>Lower end of the 95 % interval.</summary>
    public decimal Low95 { get; }

    /// <summary>Upper end of the 95 % interval.</summary>
    public decimal High95 { get; }

    /// <summary>
    /// How probable it is, from 0 to 1, that the period reaches a target or exceeds it; from the same errors as the intervals.
    /// </summary>
    public double ChanceOfAtLeast(decimal target)
    {
        if (target * _divisor <= _least) return 1;
        return 1 - _errors.ShareBelow(((double)(target * _divisor) - (double)Known - (double)_rest) / _unit);
    }

    /// <summary>How probable it is, from 0 to 1, that the period stays at a target or below it.</summary>
    public double ChanceOfAtMost(decimal target) =>
        target * _divisor < _least ? 0 : _errors.ShareUpTo(((double)(target * _divisor) - (double)Known - (double)_rest) / _unit);

    /// <summary>An end of an interval; of counts, a whole number.</summary>
    private decimal At(double share)
    {
        var end = Math.Max(_least, Forecaster.Rounded((double)(Known + _rest) + _errors.Quantile(share) * _unit));
        return _whole ? Math.Round(end) : end / _divisor;
    }
}

/// <summary>The days to come as they are expected, with what they rest on.</summary>
internal sealed class Forecast
{
    private readonly Forecaster? _made;

    internal Forecast(NoForecastReason reason) => Reason = reason;

    internal Forecast(Forecaster made, ForecastMethod method, IReadOnlyList<ForecastPoint> points, ForecastError error) =>
        (_made, Method, Points, Error) = (made, method, points, error);

    /// <summary>Why there is none.</summary>
    public NoForecastReason Reason { get; }

    /// <summary>The model that was chosen by backtest.</summary>
    public ForecastMethod Method { get; }

    /// <summary>The days to come; none where there is no forecast.</summary>
    public IReadOnlyList<ForecastPoint> Points { get; } = [];

    /// <summary>How good it was so far.</summary>
    public ForecastError Error { get; } = new(null, null, 0);

    /// <summary>What made it, for a ratio of two.</summary>
    internal (Forecaster Made, IReadOnlyList<ForecastPoint> Points) Made => (_made!, Points);

    /// <summary>A period: days that are over are taken as they were, the others from <see cref="Points"/>.</summary>
    /// <param name="from">First day.</param>
    /// <param name="to">Last day, one of those that were forecast.</param>
    /// <exception cref="InvalidOperationException">There is no forecast.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The last day was not forecast, or the first lies after it.</exception>
    public PeriodForecast Over(DateOnly from, DateOnly to) =>
        (_made ?? throw new InvalidOperationException($"There is no forecast: {Reason}.")).Over(Points, from, to);
}

/// <summary>
/// A ratio to come (a conversion rate): the forecast of what is above the line by the forecast of what is below it, for any period; never a
/// mean of the ratios of days.
/// </summary>
internal sealed class RatioForecast
{
    private readonly Forecast _upper, _lower;

    /// <param name="upper">Forecast of the sums above the line.</param>
    /// <param name="lower">Forecast of the sums below the line, made on the same day and as far ahead.</param>
    /// <exception cref="ArgumentException">The two were not made for the same days.</exception>
    public RatioForecast(Forecast upper, Forecast lower)
    {
        (_upper, _lower) = (upper, lower);
        Reason = upper.Reason != NoForecastReason.None ? upper.Reason : lower.Reason;
        if (Reason != NoForecastReason.None) return;
        if (upper.Points[0].Day != lower.Points[0].Day || upper.Points.Count != lower.Points.Count)
            throw new ArgumentException("Both forecasts must be of the same days.", nameof(lower));
    }

    /// <summary>Why there is none: the reason of the part that has none.</summary>
    public NoForecastReason Reason { get; }

    /// <summary>
    /// A period, days that are over taken as they were; null where nothing is expected below the line, for then there is no ratio.
    /// </summary>
    /// <param name="from">First day.</param>
    /// <param name="to">Last day, one of those that were forecast.</param>
    /// <exception cref="InvalidOperationException">There is no forecast.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The last day was not forecast, or the first lies after it.</exception>
    public PeriodForecast? Over(DateOnly from, DateOnly to) =>
        Reason == NoForecastReason.None ? Forecaster.Over(_upper.Made, _lower.Made, from, to)
            : throw new InvalidOperationException($"There is no forecast: {Reason}.");
}

/// <summary>Ends of the periods that a forecast reaches to.</summary>
internal static class ForecastPeriods
{
    /// <summary>Last day of the week that a day lies in.</summary>
    public static DateOnly WeekEnd(DateOnly day, DayOfWeek weekStart) => day.AddDays(6 - ((int)day.DayOfWeek - (int)weekStart + 7) % 7);

    /// <summary>Last day of the month that a day lies in.</summary>
    public static DateOnly MonthEnd(DateOnly day) => new(day.Year, day.Month, DateTime.DaysInMonth(day.Year, day.Month));

    /// <summary>Last day of the quarter that a day lies in.</summary>
    /// <param name="day">The day.</param>
    /// <param name="fiscalStart">The month that the business's year starts with, 1 to 12.</param>
    public static DateOnly QuarterEnd(DateOnly day, int fiscalStart = 1) =>
        MonthEnd(day.AddDays(1 - day.Day).AddMonths(2 - (day.Month - fiscalStart + 12) % 3));
}
