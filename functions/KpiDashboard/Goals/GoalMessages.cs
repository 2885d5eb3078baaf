using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using KpiDashboard.Api;
using KpiDashboard.Kpis;

namespace KpiDashboard.Goals;

/// <summary>How often a goal begins anew.</summary>
[JsonConverter(typeof(SnakeCaseEnum<GoalRhythm>))]
internal enum GoalRhythm
{
    /// <summary>Every week, from the tenant's first weekday.</summary>
    Week,

    /// <summary>Every calendar month.</summary>
    Month,

    /// <summary>Every three months of the tenant's fiscal year.</summary>
    Quarter,

    /// <summary>Every fiscal year of the tenant.</summary>
    Year,

    /// <summary>Once, from a first to a last day.</summary>
    Dated,
}

/// <summary>How a goal stands in a period.</summary>
[JsonConverter(typeof(SnakeCaseEnum<GoalState>))]
internal enum GoalState
{
    /// <summary>The period is not over; going on like this, the goal is met.</summary>
    OnTrack,

    /// <summary>The period is not over; going on like this, the goal is missed.</summary>
    OffTrack,

    /// <summary>The period is over, or cannot turn any more, and the goal was met.</summary>
    Met,

    /// <summary>The period is over, or cannot turn any more, and the goal was missed.</summary>
    Missed,

    /// <summary>Nothing can be said: too few days, days without data, or nothing measured.</summary>
    Unknown,

    /// <summary>The period begins later.</summary>
    NotStarted,
}

/// <summary>Set a goal. <c>startsOn</c>: the first day that counts, today's period if left out; <c>endsOn</c>: of a dated goal, and of no other.
/// <c>sources</c>: of these alone, ids of integrations or <c>push</c>; all when left out.</summary>
internal sealed record CreateGoalRequest(
    string Kpi, decimal Target, GoalRhythm Rhythm, string? Name = null, DateOnly? StartsOn = null, DateOnly? EndsOn = null, IReadOnlyList<string>? Sources = null);

/// <summary>Change a goal; what is left out stays. A new target counts from the period of today on: those before stay judged by the old one.</summary>
internal sealed record UpdateGoalRequest(decimal? Target = null, string? Name = null, DateOnly? EndsOn = null);

/// <summary>The tenant's goals.</summary>
internal sealed record GoalsResponse(DateOnly Today, IReadOnlyList<GoalEntry> Goals);

/// <summary>A goal, how it stands, and how it went: the newest of at most twelve periods that are over comes first.</summary>
/// <param name="Direction">Down: the target must not be exceeded. Otherwise it must be reached.</param>
/// <param name="Currency">Of a money KPI.</param>
/// <param name="Sources">What it was set for; null for all sources.</param>
internal sealed record GoalEntry(
    Guid Id, string Kpi, string KpiName, KpiUnit Unit, KpiDirection Direction, string? Currency, string? Name, decimal Target, GoalRhythm Rhythm, DateOnly StartsOn,
    DateOnly? EndsOn, GoalStanding Now, IReadOnlyList<GoalStanding> History, int Met, int Missed, DateTimeOffset CreatedAt,
    IReadOnlyList<string>? Sources = null);

/// <summary>A goal in one period.</summary>
/// <param name="Target">What was or is wanted in this period.</param>
/// <param name="Value">The KPI over the complete days of the period so far.</param>
/// <param name="Through">The last complete day that is in <c>value</c>.</param>
/// <param name="KnownDays">Complete days with data.</param>
/// <param name="Days">Days of the period.</param>
/// <param name="Projected">Where it ends if the remaining days are like those known: for sums the value by the share of days known, otherwise the value itself.</param>
/// <param name="Pace"><c>projected</c> ÷ <c>target</c>, a fraction; null when withheld.</param>
/// <param name="PaceWithheld">Why there is no pace.</param>
/// <param name="Text">The same in a sentence.</param>
internal sealed record GoalStanding(
    DateOnly From, DateOnly To, decimal Target, decimal? Value, DateOnly? Through, int KnownDays, int Days, decimal? Projected, decimal? Pace,
    [property: AllowedValues("too_few_days", "missing_days", "not_measurable", "target_not_positive", "not_started", "over")] string? PaceWithheld, GoalState State, string Text);

/// <summary>The goal of a KPI whose period ends first, as far as it is; <c>GET goals</c> tells more.</summary>
internal sealed record SummaryGoal(
    Guid Id, decimal Target, GoalRhythm Rhythm, DateOnly From, DateOnly To, decimal? Value, decimal? Pace, GoalState State, string Text);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(GoalsResponse))]
[JsonSerializable(typeof(GoalEntry))]
[JsonSerializable(typeof(CreateGoalRequest))]
[JsonSerializable(typeof(UpdateGoalRequest))]
internal sealed partial class GoalJson : JsonSerializerContext;
