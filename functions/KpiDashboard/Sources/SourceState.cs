using System.Text.Json.Serialization;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Kpis;
using KpiDashboard.Tenancy;

namespace KpiDashboard.Sources;

/// <summary>In what state a source is, as its owner sees it.</summary>
[JsonConverter(typeof(SnakeCaseEnum<SourceStatus>))]
internal enum SourceStatus
{
    /// <summary>Read on time.</summary>
    Ok,

    /// <summary>Being read now.</summary>
    Syncing,

    /// <summary>Connected, not read yet.</summary>
    NeverSynced,

    /// <summary>Not read when it was due.</summary>
    Late,

    /// <summary>The last reads failed; tried again by itself.</summary>
    Failing,

    /// <summary>Only signing in again helps.</summary>
    ReconnectNeeded,

    /// <summary>Paused by a person.</summary>
    Paused,
}

/// <summary>
/// Three clocks of a source, and its state in the owner's words. <c>silent</c>: it is read on time and yet lacks days that it should have
/// by now, or never had one, so that somebody should look whether it still measures. <c>dueThrough</c>: the day through which it should be
/// complete; null where nothing is expected of it.
/// <c>missingSince</c>: the first day that it should have and lacks, whatever the reason; null where nothing is missing.
/// </summary>
internal sealed record Freshness(
    Guid IntegrationId, string Connector, string DisplayName, DateTimeOffset? FetchedAt, DateOnly? CompleteThrough, DateOnly? FinalThrough,
    DateOnly? ReadFrom, SourceStatus Status, string? Message, bool Silent, DateOnly? DueThrough, DateOnly? MissingSince)
{
    /// <summary>What it asks of a person: the one judgement that every sentence about sources comes from.</summary>
    [JsonIgnore]
    public TenantHealth Health => Status switch
    {
        SourceStatus.Ok or SourceStatus.Syncing when Silent => TenantHealth.Attention,
        SourceStatus.Ok or SourceStatus.Syncing => TenantHealth.Ok,
        SourceStatus.NeverSynced or SourceStatus.Late or SourceStatus.Failing or SourceStatus.Paused => TenantHealth.Attention,
        SourceStatus.ReconnectNeeded => TenantHealth.Trouble,
        _ => throw new InvalidOperationException($"{Status} is not a status of a source."),
    };
}

/// <summary>What the integrations of a tenant know about their sources.</summary>
internal sealed record SourceState(
    Guid Id, string Connector, string DisplayName, string State, string? StatusMessage, string Schedule, DateTimeOffset? FetchedAt, DateOnly? CompleteThrough,
    DateOnly? FinalThrough, DateOnly? MeasurableFrom, DateOnly? ReadFrom, int ConsecutiveFailures, string? LastError, DateTimeOffset? NextDueAt, bool Live,
    string? WaitsFor, DateTimeOffset Now, string? Currency = null, int? SyncHour = null, string? Address = null,
    string? PropertyId = null, string? PropertyName = null, string? Account = null, string? Grant = null, bool ReadsMessages = true,
    string? PushRhythm = null, int? LateAfterHours = null, int? UsualGapMinutes = null,
    string? Zone = null, int? DaysKnown = null, DateOnly? KnownFrom = null, DateTimeOffset? ConnectedAt = null,
        DateTimeOffset? BackfilledAt = null, short Number = 1, DateOnly? FirstDay = null)
{
    /// <summary>False: disconnected. What it measured stays and its clocks still tell of it, but nobody waits for it and it is not listed.</summary>
    public bool IsConnected => State != "disconnected";

    /// <inheritdoc cref="KpiCatalogue.Pulses"/>
    public static IReadOnlyDictionary<string, KpiDefinition> Pulses => KpiCatalogue.Pulses;

    /// <summary>Days up to the last complete one on which this source has no data though it had some before, or was read from then on; as ranges.</summary>
    /// <param name="table">Values of the source's pulse.</param>
    public IEnumerable<(DateOnly From, DateOnly To)> Gaps(KpiTable table)
    {
        if (ReadFrom is not { } read || CompleteThrough is not { } complete || !Pulses.TryGetValue(Connector, out var pulse)) yield break;
        DateOnly? start = null;
        for (var day = read > table.From ? read : table.From; day <= table.To && day <= complete; day = day.AddDays(1))
        {
            if (table.ValueOf(pulse.Key, Number, day) is null) start ??= day;
            else if (start is { } first)
            {
                yield return (first, day.AddDays(-1));
                start = null;
            }
        }

        if (start is { } open) yield return (open, table.To < complete ? table.To : complete);
    }

    /// <summary>Reads the tenant's sources, those that were disconnected included.</summary>
    public static Task<IReadOnlyList<SourceState>> LoadAsync(TenantTransaction tx, TenantProfile tenant, DateTimeOffset now) =>
        tx.Known?.Find<IReadOnlyList<SourceState>>() is { } known
            ? Task.FromResult<IReadOnlyList<SourceState>>([.. known.Select(source => source with { Now = now })])
            : tx.QueryAsync<SourceState>(Sql, new { now, connectors = PulseConnectors, pulses = PulseKeys, known = (long?)null });

    private const string Sql =
        $"""
        select i.id, i.connector, i.display_name as DisplayName, i.status as State, i.status_message as StatusMessage,
               case when i.settings ->> 'pushOnly' = 'true' then 'push' else i.schedule end as schedule,
               i.fetched_at as FetchedAt, i.complete_through as CompleteThrough, i.final_through as FinalThrough, i.measurable_from as MeasurableFrom,
               i.read_from as ReadFrom, i.consecutive_failures as ConsecutiveFailures, i.last_error as LastError, i.next_due_at as NextDueAt,
               r.live, r.waits_for as WaitsFor,
               @now::timestamptz as Now, i.currency, i.sync_hour::int as SyncHour, i.settings ->> 'baseUrl' as Address,
               i.settings ->> 'propertyId' as PropertyId, i.settings ->> 'propertyName' as PropertyName, i.settings ->> 'account' as Account, i.settings ->> 'grant' as Grant,
               i.reads_messages as ReadsMessages, i.push_rhythm as PushRhythm, i.late_after_hours as LateAfterHours,
               i.usual_gap_minutes as UsualGapMinutes,
               safe_zone(coalesce(i.time_zone, t.time_zone)) as Zone, k.known as DaysKnown, k.since as KnownFrom,
               i.created_at as ConnectedAt, i.backfilled_at as BackfilledAt, i.source as Number, i.first_day as FirstDay
        from integrations i
        join tenants t on t.id = i.tenant_id
        left join unnest(@connectors, @pulses) as p (connector, kpi) on p.connector = i.connector
        cross join lateral known_days(i.tenant_id, i.source, p.kpi, i.complete_through, @now) k
        cross join lateral live_run(i.tenant_id, i.id) r
        where i.tenant_id = @tenant and {TenantOpenings.Unless}
        order by i.connector, i.source
        """;

    /// <summary>The sources among what most reads need.</summary>
    internal sealed class Part : ITenantPart
    {
        /// <inheritdoc />
        public async Task<object> AskAsync(SqlBatch batch, Guid tenant, long? known, DateTimeOffset now) => await batch.Add(
            Sql, new { now, connectors = PulseConnectors, pulses = PulseKeys, known }, tenant, SqlBatch.RowsAsync<SourceState>);

        /// <inheritdoc />
        public void Note(TenantKnowledge knowledge, object part, DateTimeOffset now) => knowledge.With((IReadOnlyList<SourceState>)part);
    }

    /// <summary>The keys of <see cref="Pulses"/>, for SQL.</summary>
    public static string[] PulseConnectors { get; } = [.. Pulses.Keys];

    /// <summary>The KPIs of <see cref="Pulses"/>, in the order of <see cref="PulseConnectors"/>.</summary>
    public static string[] PulseKeys { get; } = [.. Pulses.Values.Select(kpi => kpi.Key)];

    /// <summary>The sources as the KPI engine takes them, with what is pushed, and what is made of them all.</summary>
    public static SourceClocks Clocks(IReadOnlyCollection<SourceState> sources) => Clocks(sources, pushed: true, only: null);

    /// <summary>The same of those that a reader chose.</summary>
    internal static SourceClocks Clocks(IReadOnlyCollection<SourceState> sources, bool pushed, IReadOnlyCollection<short>? only)
    {
        List<TableSource> all =
        [
            .. sources.OrderBy(source => source.Number).Select(source => new TableSource(
                source.Number, source.Connector, new SourceClock(source.CompleteThrough, source.FinalThrough, Currencies.OrNull(source.Currency)))
            {
                FirstDay = source.FirstDay,
                // Nobody waits for more of what was disconnected.
                LastDay = source.IsConnected ? null : source.CompleteThrough ?? DateOnly.MinValue,
                Pulse = Pulses.GetValueOrDefault(source.Connector)?.Key,
            }),
        ];
        // What a business says of itself is final when it says it.
        if (pushed) all.Add(new TableSource(Pushed, TenantCatalogue.PushSource, new SourceClock(DateOnly.MaxValue, DateOnly.MaxValue)));
        all.Add(new TableSource(TableSource.Nobody, HealthScore.Source, new SourceClock(CommonCompleteThrough(sources), CommonFinalThrough(sources))));
        return new SourceClocks(all, only);
    }

    /// <summary>Number of what is pushed and imported.</summary>
    public const short Pushed = 0;

    /// <summary>Last day for which every connected source that ever delivered is complete, or if none is, every source; null if none did.</summary>
    public static DateOnly? CommonCompleteThrough(IReadOnlyCollection<SourceState> sources) =>
        sources.Where(source => source.IsConnected).Min(source => source.CompleteThrough) ?? sources.Min(source => source.CompleteThrough);

    /// <summary>
    /// Last day that a period should end on: as far as every connected source that ever delivered is complete. One that lacks days which it
    /// should have does not draw the end back to where its data ends, or no number would ever show that there is a gap, and none of the
    /// other sources would be told of as far as it goes.
    /// </summary>
    public static DateOnly? PeriodThrough(IReadOnlyCollection<SourceState> sources) =>
        sources.Where(source => source.IsConnected).Min(source => SourceFreshness.Of(source) is
        {
            MissingSince: not null,
            DueThrough: { } due
        } ? due : source.CompleteThrough)
        ?? CommonCompleteThrough(sources);

    /// <summary>Last day that is final in every connected source that ever delivered; null while one of them has none.</summary>
    private static DateOnly? CommonFinalThrough(IReadOnlyCollection<SourceState> sources)
    {
        var delivered = sources.Where(source => source is { IsConnected: true, CompleteThrough: not null }).ToList();
        return delivered.Exists(source => source.FinalThrough is null) ? null : delivered.Min(source => source.FinalThrough);
    }

    /// <summary>How the owner sees it.</summary>
    public Freshness ToFreshness()
    {
        var judged = SourceFreshness.Of(this);
        var final = new SourceClock(CompleteThrough, FinalThrough).FinalThrough;
        return new Freshness(
            Id, Connector, DisplayName, FetchedAt, CompleteThrough, final, ReadFrom, judged.Status, judged.Silent ? SilentWords
                : Message(judged.Status), judged.Silent,
            judged.DueThrough, judged.MissingSince);
    }

    /// <summary>How a business does whose sources these are: as the worst of them, with what that one says.</summary>
    public static (TenantHealth Health, string? Message) HealthOf(IEnumerable<Freshness> sources) =>
        sources.MaxBy(source => source.Health) is { } worst ? (worst.Health, worst.Message) : (TenantHealth.Empty,
            "Nothing is connected yet.");

    /// <summary>Read on time, and yet without days that it should have by now: <see cref="SourceFreshness"/> says which.</summary>
    public bool IsSilent => SourceFreshness.Of(this).Silent;

    /// <summary>What is missed of a source that is silent, without what it means for the numbers.</summary>
    public string SilentWords => CompleteThrough is { } through
        ? FormattableString.Invariant($"{DisplayName} is read on time, but has no data since {through.AddDays(1):d MMM yyyy}.")
        : $"{DisplayName} is read on time, but never had a day with data.";

    /// <summary>Its state by itself, whatever days it lacks.</summary>
    internal SourceStatus Status() => this switch
    {
        { State: "paused" } => SourceStatus.Paused,
        { State: "reconnect_needed" } => SourceStatus.ReconnectNeeded,
        // A run that waits for the provider is under way, but its numbers are as old as they are.
        { Live: true, WaitsFor: null } => SourceStatus.Syncing,
        { ConsecutiveFailures: > 0 } => SourceStatus.Failing,
        { FetchedAt: null } => Live ? SourceStatus.Syncing : SourceStatus.NeverSynced,
        { FetchedAt: { } fetched } when Now - fetched > Patience => SourceStatus.Late,
        _ => Live ? SourceStatus.Syncing : SourceStatus.Ok,
    };

    /// <summary>Only ever pushed to: nothing is asked of it.</summary>
    public bool IsPushed => Schedule == "push";

    /// <summary>
    /// How long a source that is only pushed to may be silent before it is late; null for one that is read, and for one that may be silent
    /// for good. What was learned counts half as much again: once is no rhythm. Where nothing was learned yet, a week and a day: what runs
    /// every Monday is not missed on a Sunday.
    /// </summary>
    public TimeSpan? SilentFor => this switch
    {
        { IsPushed: false } or { PushRhythm: "never" } => null,
        { PushRhythm: "fixed", LateAfterHours: { } hours } => TimeSpan.FromHours(hours),
        { UsualGapMinutes: { } gap } => TimeSpan.FromHours(Math.Max(6, Math.Ceiling(gap * 1.5 / 60) + 2)),
        _ => TimeSpan.FromDays(8),
    };

    private TimeSpan Patience => IsPushed ? SilentFor ?? TimeSpan.MaxValue : Schedule == "daily" ? TimeSpan.FromHours(30) : TimeSpan.FromHours(3);

    /// <summary>What is missed of a source that is late, without what it means for the numbers.</summary>
    public string LateWords => IsPushed && FetchedAt is { } last && SilentFor is { } silent
        ? $"{DisplayName} has sent nothing for {Span(Now - last)}, which is longer than the {Span(silent)} that are usual here."
        : $"{DisplayName} should have been read by now.";

    private static string Span(TimeSpan span)
    {
        var (count, unit) = span < TimeSpan.FromHours(48) ? ((int)span.TotalHours, "hour") : ((int)span.TotalDays, "day");
        return FormattableString.Invariant($"{count} {unit}{(count == 1 ? "" : "s")}");
    }

    private string? Message(SourceStatus status) => status switch
    {
        SourceStatus.Syncing or SourceStatus.Failing or SourceStatus.Late when WaitsFor is not null => WaitsFor,
        SourceStatus.ReconnectNeeded => StatusMessage ?? $"{DisplayName} no longer lets us in. Numbers since then are missing, not zero. Connect it again.",
        SourceStatus.Failing => $"{DisplayName} could not be read the last {(ConsecutiveFailures == 1 ? "time" : $"{ConsecutiveFailures} times")}: {LastError} It is tried again by itself.",
        SourceStatus.Late when IsPushed => $"{LateWords} Look whether its workflows run, and whether they still report here.",
        SourceStatus.Late => $"{DisplayName} should have been read by now; the numbers may be older than they look.",
        SourceStatus.NeverSynced => $"{DisplayName} is connected; its numbers have not been read yet.",
        SourceStatus.Paused => $"{DisplayName} is paused; its numbers stay as they are.",
        SourceStatus.Ok or SourceStatus.Syncing => null,
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, null),
    };
}
