using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using KpiDashboard.Kpis;

namespace KpiDashboard.Metrics;

/// <summary>Where one number comes from.</summary>
/// <param name="Formula">How it is computed from its parts; null for a number that is stored as it came.</param>
/// <param name="Settings">Settings of the business that the formula uses.</param>
internal sealed record ProvenanceResponse(
    string Kpi, string Name, string Description, KpiUnit Unit, KpiAggregation Aggregation, string? Formula, DateOnly Date, string TimeZone, string? Currency,
    decimal? Value, ValueStatus Status, string? StatusReason, IReadOnlyList<ProvenanceSetting> Settings, IReadOnlyList<ProvenancePart> Parts);

/// <summary>A setting that a formula uses.</summary>
internal sealed record ProvenanceSetting(string Name, decimal? Value);

/// <summary>A stored number that a value is made of: of each source that has one, an entry.</summary>
/// <param name="Value">Null for a day without data.</param>
/// <param name="Status">How far it can be trusted.</param>
/// <param name="Connector">Key of the connector; <c>push</c> for what was pushed or imported.</param>
/// <param name="Source">Name of the integration.</param>
/// <param name="Instance">The property or server that was read, as far as it is known.</param>
/// <param name="SourceTimeZone">The zone whose days these are.</param>
/// <param name="RunId">The sync that last changed it, or the import that brought it; null for a push.</param>
/// <param name="FirstSeenAt">When it was first read.</param>
/// <param name="ChangedAt">When it last changed.</param>
/// <param name="FetchedAt">When the source was last read.</param>
/// <param name="Requests">Requests of that run, 50 at most.</param>
/// <param name="Restatements">How it changed after its day had ended, oldest first, 50 at most.</param>
/// <param name="Currency">What its money is in; null for what is no money. A rate made of money has none, its parts have.</param>
/// <param name="IntegrationId">The source; null for what was pushed or imported.</param>
internal sealed record ProvenancePart(
    string Kpi, string Name, KpiUnit Unit, decimal? Value, DayStatus Status, string Connector, string? Source, string? Instance, string SourceTimeZone, Guid? RunId,
    [property: AllowedValues("sync", "import", "push")] string? BroughtBy, DateTimeOffset? FirstSeenAt, DateTimeOffset? ChangedAt, DateTimeOffset? FetchedAt,
    IReadOnlyList<ProvenanceRequest> Requests, IReadOnlyList<ProvenanceRestatement> Restatements, string? Currency, Guid? IntegrationId = null);

/// <summary>A request to a provider; never with credentials.</summary>
/// <param name="Request">Its body or query, as JSON.</param>
/// <param name="Sampled">The provider estimated from a sample.</param>
/// <param name="Thresholded">The provider left out rows of few people.</param>
internal sealed record ProvenanceRequest(string Operation, string? Request, DateTimeOffset FetchedAt, int Rows, bool Sampled, bool Thresholded);

/// <summary>A value that changed after its day had ended.</summary>
/// <param name="NewValue">Null: the source withdrew it.</param>
internal sealed record ProvenanceRestatement(DateTimeOffset At, decimal OldValue, decimal? NewValue, Guid? RunId);

/// <summary>Values as a file: one row a KPI and day, week or month.</summary>
internal sealed record ValueExport(DateOnly From, DateOnly To, [property: AllowedValues("day", "week", "month")] string Grain, string TimeZone, IReadOnlyList<ExportedValue> Rows);

/// <summary>A value; null where nothing is known.</summary>
/// <param name="Date">First day of the period.</param>
/// <param name="Dimension">By what the KPI is divided, where one value of it was asked for.</param>
/// <param name="Member">The value that was asked for.</param>
internal sealed record ExportedValue(
    DateOnly Date, string Kpi, string Name, decimal? Value, KpiUnit Unit, string? Currency, ValueStatus Status, BreakdownDimension? Dimension, string? Member);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ProvenanceResponse))]
[JsonSerializable(typeof(ValueExport))]
[JsonSerializable(typeof(ExportedValue))]
internal sealed partial class ProvenanceJson : JsonSerializerContext;
