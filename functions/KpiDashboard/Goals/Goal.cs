using System.Globalization;
using KpiDashboard.Access;
using KpiDashboard.Data;
using KpiDashboard.Kpis;
using KpiDashboard.Tenancy;

namespace KpiDashboard.Goals;

/// <summary>A goal as it is stored, and the arithmetic of how it stands.</summary>
internal sealed record Goal(
    Guid Id, string Kpi, string? Name, GoalRhythm Rhythm, DateOnly StartsOn, DateOnly? EndsOn, IReadOnlyList<DateOnly> TargetFrom, IReadOnlyList<decimal> Targets,
    DateTimeOffset CreatedAt, IReadOnlyList<string>? Sources = null)
{
    /// <summary>Most of them a tenant may have: the summary looks at them all.</summary>
    public const int MaxGoals = 50;

    /// <summary>Periods that are over, so many of which are told.</summary>
    public const int MaxHistory = 12;

    /// <summary>What is wanted now.</summary>
    public decimal Target => Targets[^1];

    /// <summary>What was wanted in a period: the target that was last set by its end.</summary>
    public decimal TargetIn(DateOnly to)
    {
        var index = TargetFrom.Count - 1;
        while (index > 0 && TargetFrom[index] > to) index--;
        return Targets[index];
    }

    /// <summary>The period of a recurring goal that a day is in, or the only one of a dated goal.</summary>
    public (DateOnly From, DateOnly To) PeriodOf(DateOnly day, TenantProfile tenant) => Rhythm switch
    {
        GoalRhythm.Week => Week(day.AddDays(-(((int)day.DayOfWeek - tenant.WeekStart + 7) % 7))),
        GoalRhythm.Month => Months(new DateOnly(day.Year, day.Month, 1), 1),
        GoalRhythm.Quarter => Months(new DateOnly(day.Year, day.Month, 1).AddMonths(-((day.Month - tenant.FiscalYearStartMonth + 12) % 3)), 3),
        GoalRhythm.Year => Months(new DateOnly(day.Year, day.Month, 1).AddMonths(-((day.Month - tenant.FiscalYearStartMonth + 12) % 12)), 12),
        GoalRhythm.Dated => (StartsOn, EndsOn!.Value),
        _ => throw new ArgumentOutOfRangeException(nameof(day), Rhythm, null),
    };

    /// <summary>The period of today, and before it those that are over, newest first; none that begins before the goal does.</summary>
    public IReadOnlyList<(DateOnly From, DateOnly To)> Periods(DateOnly today, TenantProfile tenant)
    {
        var now = PeriodOf(today > StartsOn ? today : StartsOn, tenant);
        List<(DateOnly From, DateOnly To)> periods = [now];
        while (Rhythm != GoalRhythm.Dated && periods.Count <= MaxHistory && periods[^1].From > StartsOn) periods.Add(PeriodOf(periods[^1].From.AddDays(-1), tenant));
        return periods;
    }

    /// <summary>How it stands in a period.</summary>
    /// <param name="kpi">Its KPI.</param>
    /// <param name="table">Values of the KPI that reach over the period up to <paramref name="today"/>.</param>
    /// <param name="period">The period.</param>
    /// <param name="today">The tenant's date.</param>
    /// <param name="currency">Of a money KPI.</param>
    public GoalStanding Stand(KpiDefinition kpi, KpiTable table, (DateOnly From, DateOnly To) period, DateOnly today, string? currency)
    {
        var (from, to) = period;
        var (target, days, over) = (TargetIn(to), to.DayNumber - from.DayNumber + 1, to < today);
        if (from > today) return new GoalStanding(from, to, target, null, null, 0, days, null, null, "not_started", GoalState.NotStarted, $"Begins on {Words(from)}.");

        // Complete days only: half of today would make every pace look slow in the morning.
        var through = (to < today ? to : today.AddDays(-1)) is var last && last > table.To ? table.To : last;
        while (through >= from && !table.IsComplete(kpi, through)) through = through.AddDays(-1);
        var elapsed = through.DayNumber - from.DayNumber + 1;
        var measured = elapsed <= 0 ? default : table.Evaluate(kpi, from, through);
        if (measured.Value is not { } value)
            return new GoalStanding(from, to, target, null, elapsed <= 0 ? null : through, 0, days, null, null, "not_measurable", GoalState.Unknown, $"Nothing is measured yet of {kpi.Name} in this period.");

        // The sentence compares them: with the digits that tell them apart.
        // Of shares also from a whole: 99.9 % of 99.9 % is not 100 %.
        var compared = kpi.Unit == KpiUnit.Ratio ? NumberText.Apart(kpi.Unit, currency, value, target, 1) : NumberText.Apart(kpi.Unit, currency, value, target);
        var (shown, wanted) = (compared[0], compared[1]);
        var adds = kpi.Aggregation == KpiAggregation.Sum;
        // Of what does not add up, the latest value or the mean stands for the whole.
        var (known, gaps) = adds || kpi.Aggregation is KpiAggregation.Ratio or KpiAggregation.DailyMean ? (measured.KnownDays, elapsed - measured.KnownDays) : (elapsed, 0);
        if (over && elapsed == days)
        {
            if (gaps > 0)
                return new GoalStanding(from, to, target, value, through, known, days, null, null, "missing_days", GoalState.Unknown, $"{shown} of {wanted}, but {gaps} of {days} days have no data.");
            var met = Reaches(kpi, value, target);
            return new GoalStanding(from, to, target, value, through, known, days, value, null, "over", met ? GoalState.Met : GoalState.Missed, $"{shown} of {wanted}: {(met ? "met" : "missed")}.");
        }

        var enough = Math.Max(Math.Min(2, days), (days + 6) / 7);
        var reason = known < enough ? "too_few_days" : gaps * 5 > elapsed ? "missing_days" : null;
        if (reason is not null)
        {
            return new GoalStanding(from, to, target, value, through, known, days, null, null, reason, GoalState.Unknown, reason == "too_few_days"
                ? $"{shown} of {wanted} after {Count(known)}: too early to tell, {enough} of {days} are needed."
                : $"{shown} of {wanted}, but {gaps} of {elapsed} days have no data.");
        }

        var projected = decimal.Round(adds ? value * days / known : value, 8);
        decimal? pace = target > 0 ? decimal.Round(projected / target, 6) : null;
        var state = Reaches(kpi, projected, target) ? GoalState.OnTrack : GoalState.OffTrack;
        // A limit that is passed or a target that is reached is settled only where it cannot turn: what a provider counts is never less than nothing, and final days stay.
        // Money is given back, what a business pushes itself is corrected below zero, a provisional day is restated.
        var settled = adds && kpi.Compute is null && kpi.Unit == KpiUnit.Count && kpi.Source != TenantCatalogue.PushSource && measured.Status == ValueStatus.Final;
        if (settled && kpi.Direction == KpiDirection.Down && value > target) state = GoalState.Missed;
        if (settled && kpi.Direction != KpiDirection.Down && value >= target) state = GoalState.Met;
        var isThere = adds && state == GoalState.OnTrack && kpi.Direction != KpiDirection.Down && value >= target;
        var isPast = adds && state == GoalState.OffTrack && kpi.Direction == KpiDirection.Down && value > target;
        var fell = adds && kpi.Compute is null && kpi.Direction != KpiDirection.Down && target > 0 && value < target && FellBack(kpi, table, from, through, target);
        var words = (state, pace) switch
        {
            (GoalState.Met, _) => "met already",
            (GoalState.Missed, _) => "over the limit already",
            // Said as it is now: what was sold may be given back.
            _ when isThere => "reached so far",
            _ when isPast => "over the limit so far",
            (_, null) => state == GoalState.OnTrack ? "on track" : "off track",
            // A share of a share reads like one of them: 99.85% of 99.9% would be "heading for 99.9%".
            _ when kpi.Unit == KpiUnit.Ratio => state == GoalState.OnTrack ? "on track" : "off track",
            (GoalState.OnTrack, { } share) => $"on track for {PaceText(share)}",
            (_, { } share) => $"heading for {PaceText(share)}",
        };
        return new GoalStanding(
            from, to, target, value, through, known, days, projected, pace, pace is null ? "target_not_positive" : null, state,
            $"{shown} of {wanted} after {Count(known)} of {days}: {words}.{(fell ? " It was reached before, and fell back." : "")}");
    }

    /// <summary>Reads the tenant's goals, the oldest first.</summary>
    public static async Task<IReadOnlyList<Goal>> LoadAsync(TenantTransaction tx, Guid? id = null) => tx.Known?.Find<IReadOnlyList<Goal>>() is { } known
        ? id is null ? known : [.. known.Where(goal => goal.Id == id)]
        : Of(await tx.QueryAsync<Row>(Sql, new { id, known = (long?)null }));

    private const string Sql =
        $"""
        select id, kpi, name, period, starts_on as StartsOn, ends_on as EndsOn, target_from as TargetFrom, targets, created_at as CreatedAt,
               sources
        from goals where tenant_id = @tenant and (@id::uuid is null or id = @id) and {TenantOpenings.Unless} order by created_at, id
        """;

    private static IReadOnlyList<Goal> Of(IReadOnlyList<Row> rows) =>
    [
        .. rows.Select(row => new Goal(
            row.Id, row.Kpi, row.Name, Enum.Parse<GoalRhythm>(row.Period, ignoreCase: true), row.StartsOn, row.EndsOn, row.TargetFrom, row.Targets, row.CreatedAt,
            row.Sources)),
    ];

    /// <summary>The goals among what most reads need.</summary>
    internal sealed class Part : ITenantPart
    {
        /// <inheritdoc />
        public async Task<object> AskAsync(SqlBatch batch, Guid tenant, long? known, DateTimeOffset now) =>
            Of(await batch.Add(Sql, new { id = (Guid?)null, known }, tenant, SqlBatch.RowsAsync<Row>));

        /// <inheritdoc />
        public void Note(TenantKnowledge knowledge, object part, DateTimeOffset now) => knowledge.With((IReadOnlyList<Goal>)part);
    }

    /// <summary>Whether a value is what was wanted: no more than the target where less is better, otherwise no less.</summary>
    private static bool Reaches(KpiDefinition kpi, decimal value, decimal target) => kpi.Direction == KpiDirection.Down ? value <= target : value >= target;

    /// <summary>Whole per cent, but never 100 % of what is not: then with the digits that say so.</summary>
    private static string PaceText(decimal share) => decimal.Round(share, 2) == 1 && share != 1 ? NumberText.PercentApart(share, 1) : NumberText.PercentWhole(share);

    /// <summary>Whether a sum that is below its target now was there on an earlier day of the period: something was given back or corrected since.</summary>
    private static bool FellBack(KpiDefinition kpi, KpiTable table, DateOnly from, DateOnly through, decimal target)
    {
        var sum = 0m;
        for (var day = from; day <= through; day = day.AddDays(1))
        {
            // What is there of a day counts, though it is not the whole of it.
            sum += table.Evaluate(kpi, day, day).Value ?? 0;
            if (sum >= target) return true;
        }

        return false;
    }

    private static (DateOnly, DateOnly) Week(DateOnly start) => (start, start.AddDays(6));

    private static (DateOnly, DateOnly) Months(DateOnly start, int months) => (start, start.AddMonths(months).AddDays(-1));

    private static string Count(int days) => days == 1 ? "1 day" : $"{days} days";

    private static string Words(DateOnly day) => day.ToString("d MMMM yyyy", CultureInfo.InvariantCulture);

    // Members and no constructor: Dapper finds none that takes arrays.
    private sealed record Row
    {
        public string[]? Sources { get; init; }

        public required Guid Id { get; init; }
        public required string Kpi { get; init; }
        public string? Name { get; init; }
        public required string Period { get; init; }
        public required DateOnly StartsOn { get; init; }
        public DateOnly? EndsOn { get; init; }
        public required DateOnly[] TargetFrom { get; init; }
        public required decimal[] Targets { get; init; }
        public required DateTimeOffset CreatedAt { get; init; }
    }
}
