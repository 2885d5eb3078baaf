using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using KpiDashboard.Api;

namespace KpiDashboard.Insights;

/// <summary>How much an insight matters.</summary>
[JsonConverter(typeof(SnakeCaseEnum<InsightSeverity>))]
internal enum InsightSeverity
{
    /// <summary>Good to know.</summary>
    Info,

    /// <summary>Went well.</summary>
    Good,

    /// <summary>Worth a look.</summary>
    Attention,

    /// <summary>Something is broken.</summary>
    Trouble,
}

/// <summary>How a business does: its score, what stands out, and the morning's sentences.</summary>
/// <param name="Insights">Sources that lack days first, then trouble, then by money at stake, then by severity.</param>
/// <param name="SetAside">Those that were dismissed or snoozed and still say the same.</param>
/// <param name="CompareNote">A sentence where one of the two periods is longer; null where both have as many days.</param>
/// <param name="Brief">At most five sentences; none when nothing matters.</param>
internal sealed record BusinessInsightsResponse(
    string Range, DateOnly From, DateOnly To, DateOnly? CompareFrom, DateOnly? CompareTo,
    [property: AllowedValues("previous_period", "previous_year", "none")] string Compare, string TimeZone, string Currency, HealthScoreEntry HealthScore,
    IReadOnlyList<InsightEntry> Insights, IReadOnlyList<InsightEntry> SetAside, IReadOnlyList<BriefSentence> Brief, string? CompareNote);

/// <summary>The health of a business: 0 to 100, or null when nothing can be measured.</summary>
/// <param name="Score">Whole points.</param>
/// <param name="AsOf">Last day of the seven that it is about.</param>
/// <param name="Why">How it comes about, or why there is none.</param>
/// <param name="Previous">The score a week before, by the same arithmetic.</param>
/// <param name="Change">Points up or down since; null where one of both is missing or they rest on different parts.</param>
/// <param name="Word">What such a score is called: 80 and more good, 60 fair, 40 weak, less poor. Null without a score, and of one that lacks a part.</param>
/// <param name="Without">Names of parts that are measured as a rule and lack days now: what the score says, it says without them.</param>
/// <param name="Moved">The part that moved it most since a week before; null where it did not move, or rests on different parts.</param>
internal sealed record HealthScoreEntry(
    decimal? Score, DateOnly AsOf, string Why, decimal? Previous, decimal? Change, [property: AllowedValues("good", "fair", "weak",
        "poor")] string? Word,
    HealthMove? Moved, IReadOnlyList<HealthPartEntry> Parts, IReadOnlyList<string> Without);

/// <summary>A part of the score, and by how many points of the whole it moved it.</summary>
internal sealed record HealthMove(string Key, string Name, decimal Points);

/// <summary>A part of the score.</summary>
/// <param name="Score">0 to 100; null when it cannot be measured, and then it is left out.</param>
/// <param name="Weight">Its share of the score, a fraction: those of the measured parts add up to 1, the others' are 0.</param>
/// <param name="Why">Its arithmetic in a sentence, or why it was left out.</param>
internal sealed record HealthPartEntry(string Key, string Name, decimal? Score, decimal Weight, string Why, IReadOnlyList<string> Kpis, IReadOnlyList<Evidence> Evidence);

/// <summary>One thing that stands out.</summary>
/// <param name="Id">The same for the same subject from day to day.</param>
/// <param name="Rule">Name of the rule that found it.</param>
/// <param name="Text">One or two sentences; every number in them is in <c>evidence</c>.</param>
/// <param name="Path">The page to look at or to act on.</param>
/// <param name="MoneyAtStake">What it is about in money over the period, in <c>currency</c>; null where that cannot be computed.</param>
/// <param name="State">Whether it was put aside.</param>
/// <param name="Until">Snoozed: the day on which it shows again.</param>
internal sealed record InsightEntry(
    Guid Id, string Rule, InsightSeverity Severity, string Text, string Path, IReadOnlyList<string> Kpis, IReadOnlyList<Evidence> Evidence, decimal? MoneyAtStake,
    string? Currency, [property: AllowedValues("open", "dismissed", "snoozed")] string State, DateOnly? Until);

/// <summary>A number, a day or a duration that a sentence rests on.</summary>
/// <param name="Label">What it is.</param>
/// <param name="Kpi">The KPI that it is a value of; null for none.</param>
/// <param name="From">First day that it is about.</param>
/// <param name="To">Last day that it is about.</param>
/// <param name="Value">Exactly; a fraction where <c>shown</c> is a percentage; null for a day.</param>
/// <param name="Shown">As it stands in the sentence.</param>
internal sealed record Evidence(string Label, string? Kpi, DateOnly? From, DateOnly? To, decimal? Value, string Shown);

/// <summary>A sentence of the daily brief.</summary>
/// <param name="InsightId">The insight that it is about; null for what could not be checked.</param>
internal sealed record BriefSentence(string Text, InsightSeverity Severity, Guid? InsightId, string Path, IReadOnlyList<string> Kpis, IReadOnlyList<Evidence> Evidence);

/// <summary>Put an insight aside until a day.</summary>
/// <param name="Until">The day on which it shows again, at most 90 days ahead.</param>
internal sealed record SnoozeInsightRequest(DateOnly Until);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(BusinessInsightsResponse))]
[JsonSerializable(typeof(InsightEntry))]
[JsonSerializable(typeof(SnoozeInsightRequest))]
internal sealed partial class InsightJson : JsonSerializerContext;
