using System.Text.Json.Serialization;
using KpiDashboard.Kpis;
using KpiDashboard.Metrics;

namespace KpiDashboard.Formulas;

/// <summary>Define a KPI by a formula over others: <c>+ - * / ( )</c>, numbers, <c>min max abs round</c> and KPI keys.</summary>
internal sealed record CreateCalculatedKpiRequest(string Key, string Name, string Formula, KpiUnit Unit, KpiDirection Direction, string? Description = null);

/// <summary>Change a calculated KPI; what is left out stays, and so does the key.</summary>
internal sealed record UpdateCalculatedKpiRequest(string? Name = null, string? Formula = null, KpiUnit? Unit = null, KpiDirection? Direction = null, string? Description = null);

/// <summary>Try a formula. <c>key</c>: of the calculated KPI that it is meant for, so that a formula that leads back to itself is found.</summary>
internal sealed record PreviewCalculatedKpiRequest(string Formula, KpiUnit Unit, string? Key = null);

/// <summary>The tenant's calculated KPIs.</summary>
internal sealed record CalculatedKpisResponse(IReadOnlyList<CalculatedKpiEntry> Kpis);

/// <summary>A calculated KPI.</summary>
/// <param name="Aggregation"><c>sum</c> where the days add up (a difference of sums), <c>ratio</c> where the formula must be applied to the range as a whole.</param>
/// <param name="Uses">Keys that the formula names.</param>
/// <param name="Problem">Why it can no longer be computed (a KPI that it names is gone); null when it can.</param>
internal sealed record CalculatedKpiEntry(
    Guid Id, string Key, string Name, string Description, KpiUnit Unit, KpiDirection Direction, KpiAggregation Aggregation, string Formula, IReadOnlyList<string> Uses,
    string? Problem, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <summary>What a formula gives over the last 28 complete days.</summary>
/// <param name="Value">Over all of them, which is not the mean of the days.</param>
/// <param name="StatusReason">Why it is partial or not measurable.</param>
internal sealed record CalculatedPreviewResponse(
    DateOnly From, DateOnly To, decimal? Value, ValueStatus Status, string? StatusReason, KpiAggregation Aggregation, string? Currency, IReadOnlyList<string> Uses,
    IReadOnlyList<HistoryPoint> Points);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(CalculatedKpisResponse))]
[JsonSerializable(typeof(CalculatedKpiEntry))]
[JsonSerializable(typeof(CreateCalculatedKpiRequest))]
[JsonSerializable(typeof(UpdateCalculatedKpiRequest))]
[JsonSerializable(typeof(PreviewCalculatedKpiRequest))]
[JsonSerializable(typeof(CalculatedPreviewResponse))]
internal sealed partial class CalculatedKpiJson : JsonSerializerContext;
