using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Kpis;
using KpiDashboard.Sources;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Metrics;

/// <summary>Where a number comes from: which parts, which sync, which request, and how it changed since.</summary>
public sealed class ProvenanceEndpoints
{
    private readonly TenantReads _reads;
    private readonly TimeProvider _time;

    internal ProvenanceEndpoints(TenantReads reads, TimeProvider time) => (_reads, _time) = (reads, time);

    /// <summary><c>GET metrics/provenance</c>.</summary>
    public Task<IResult> ProvenanceAsync(HttpRequest request, CancellationToken cancellationToken) =>
        _reads.AnswerKeptAsync(request, ProvenanceJson.Default.ProvenanceResponse, async (tx, tenant) =>
        {
            var catalogue = await TenantCatalogue.LoadAsync(tx);
            var query = new QueryReader(request);
            var sources = SourceSelection.Read(query, await SourceState.LoadAsync(tx, tenant, _time.GetUtcNow()));
            var (kpi, day) = Read(query, catalogue, tenant);
            // Health is computed from the weeks before; what it is of a day rests on these parts of that day and of others.
            var health = kpi.Key == HealthScore.Key;
            var parts = (health ? HealthScore.Needs : [kpi]).SelectMany(item => item.Parts).Distinct(StringComparer.Ordinal).Select(catalogue.Stored).ToList();
            var (reading, told) = (KpiTable.LoadAsync(tx, [kpi, .. parts], day, day, sources.Clocks, tenant.Economics), PartRows.LoadAsync(tx, parts, day, sources));
            var table = await reading;
            var value = table.Evaluate(kpi, day, day);
            return new ProvenanceResponse(
                kpi.Key, kpi.Name, kpi.Description, kpi.Unit, kpi.Aggregation, kpi.Formula, day, tenant.TimeZone, SourceCurrencies.Of(kpi, sources, tenant, table), value.Value,
                value.Status, MetricsEndpoints.Reason(kpi, value), Settings(kpi, catalogue, tenant), Parts(await told, parts, table, day, sources, tenant));
        }, cancellationToken);

    private static (KpiDefinition Kpi, DateOnly Day) Read(QueryReader query, TenantCatalogue catalogue, TenantProfile tenant)
    {
        var (key, day) = (query.Text("kpi", maxLength: 60), query.Date("date"));
        if (key is null) query.Error("kpi", "'kpi' is missing: name one KPI; GET /api/kpis lists them.");
        else if (catalogue.Find(key) is null) query.Error("kpi", $"There is no KPI '{(key.Length <= 40 ? key : key[..40] + "…")}'; GET /api/kpis lists them.");
        if (day is null) query.Error("date", "'date' is missing: give a day like 2026-11-21.");
        else if (day < Period.Earliest.AddDays(HealthScore.Reach) || day.Value.Year > 9000) query.Error("date", "'date' must be a day that can have been measured.");
        query.ThrowIfInvalid();
        return (catalogue.Find(key!)!, day!.Value);
    }

    private static IReadOnlyList<ProvenanceSetting> Settings(KpiDefinition kpi, TenantCatalogue catalogue, TenantProfile tenant)
    {
        var uses = catalogue.UsesOf(kpi);
        var (value, roi) = (uses.Contains("automation.value_saved"), uses.Contains("automation.roi"));
        return
        [
            .. value || roi ? (ProvenanceSetting[])[new("Hourly labour cost", tenant.HourlyLabourCost)] : [],
            .. roi ? (ProvenanceSetting[])[new("Automation cost per month", tenant.AutomationCostPerMonth)] : [],
        ];
    }

    private static IReadOnlyList<ProvenancePart> Parts(
        PartRows told, List<KpiDefinition> parts, KpiTable table, DateOnly day, SourceSelection sources, TenantProfile tenant)
    {
        var (values, requests, restated) = (told.Values, told.Requests, told.Restated);
        // One entry a source that has a value; of none, one for the source that should have had it.
        return
        [
            .. parts.SelectMany(part => values[part.Key].Any()
                ? values[part.Key].Select(row => new ProvenancePart(
                    part.Key, part.Name, part.Unit, values[part.Key].Count() == 1 ? table.On(part, day) ?? row.Value : row.Value, table.StatusOf(part, day),
                    row.Connector ?? part.Source, row.Source, row.Instance, row.TimeZone ?? tenant.TimeZone, row.RunId,
                    row.Number != SourceState.Pushed ? "sync" : row.Imported ? "import" : "push", row.FirstSeenAt, row.ChangedAt, row.FetchedAt,
                    [.. (row.RunId is { } run ? requests[run] : []).Take(50).Select(item => new ProvenanceRequest(item.Operation, item.Request, item.FetchedAt, item.Rows, item.Sampled, item.Thresholded))],
                    Restatements(restated[part.Key].Where(item => item.Source == row.Number)),
                    SourceCurrencies.Of(part, sources.Where(source => source.Number == row.Number), tenant), row.IntegrationId))
                : [Missing(part, sources.FirstOrDefault(candidate => candidate.Connector == part.Source))]),
        ];

        ProvenancePart Missing(KpiDefinition part, SourceState? source) => new(
            part.Key, part.Name, part.Unit, table.On(part, day), table.StatusOf(part, day), part.Source, source?.DisplayName, source?.Address, tenant.TimeZone,
            null, null, null, null, source?.FetchedAt, [], Restatements(restated[part.Key]), SourceCurrencies.Of(part, sources, tenant), source?.Id);

        static IReadOnlyList<ProvenanceRestatement> Restatements(IEnumerable<RestatedRow> rows) =>
            [.. rows.Take(50).Select(item => new ProvenanceRestatement(item.At, item.OldValue, item.NewValue, item.RunId))];
    }

    /// <summary>What is read of the parts of one day.</summary>
    private sealed record PartRows(ILookup<string, ValueRow> Values, ILookup<Guid, RequestRow> Requests, ILookup<string, RestatedRow> Restated)
    {
        private const string Of =
            """
            from kpi_keys k
            join kpi_months m on m.tenant_id = @tenant and m.month = @month and m.kpi = k.number
            join kpi_writes l on l.tenant_id = @tenant and l.number = m.last_writes[@place]
            """;

        private const string Where =
            "where k.tenant_id = @tenant and k.key = any (@keys) and m.days[@place] is not null and (@sources::smallint[] is null or m.source = any (@sources))";

        public static async Task<PartRows> LoadAsync(TenantTransaction tx, List<KpiDefinition> parts, DateOnly day, SourceSelection sources)
        {
            var asked = new { keys = parts.Select(part => part.Key).ToArray(), month = KpiValues.FirstOfMonth(day), place = day.Day, sources = sources.Numbers };
            var values = tx.QueryAsync<ValueRow>(
                $"""
                select k.key as Kpi, m.source as Number, m.days[@place] as Value, i.id as IntegrationId, l.run_id as RunId, f.at as FirstSeenAt,
                       l.at as ChangedAt, i.connector, i.display_name as Source, coalesce(i.settings ->> 'propertyId', i.settings ->> 'baseUrl') as Instance,
                       case when i.time_zone is not null then safe_zone(i.time_zone) end as TimeZone, i.fetched_at as FetchedAt,
                       exists (select 1 from imports c where c.tenant_id = @tenant and c.id = l.run_id) as Imported
                {Of}
                join kpi_writes f on f.tenant_id = @tenant and f.number = m.first_writes[@place]
                left join integrations i on i.tenant_id = @tenant and i.source = m.source
                {Where}
                order by m.source
                """, asked);
            var requests = tx.QueryAsync<RequestRow>(
                $"""
                select q.run_id as RunId, q.operation, q.request::text as Request, q.fetched_at as FetchedAt, q.rows, q.sampled, q.thresholded
                from sync_requests q where q.tenant_id = @tenant and q.run_id in (select l.run_id {Of} {Where}) order by q.run_id, q.id limit 500
                """, asked);
            var restated = tx.QueryAsync<RestatedRow>(
                """
                select kpi, source, at, old_value as OldValue, new_value as NewValue, run_id as RunId
                from kpi_restatements
                where tenant_id = @tenant and kpi = any (@keys) and day = @day and (@sources::smallint[] is null or source = any (@sources))
                order by at, id limit 500
                """,
                new { asked.keys, day, asked.sources });
            return new PartRows(
                (await values).ToLookup(row => row.Kpi, StringComparer.Ordinal), (await requests).ToLookup(row => row.RunId),
                (await restated).ToLookup(row => row.Kpi, StringComparer.Ordinal));
        }
    }

    private sealed record ValueRow(
        string Kpi, short Number, decimal Value, Guid? IntegrationId, Guid? RunId, DateTimeOffset FirstSeenAt, DateTimeOffset ChangedAt, string? Connector,
        string? Source, string? Instance, string? TimeZone, DateTimeOffset? FetchedAt, bool Imported);

    private sealed record RequestRow(Guid RunId, string Operation, string? Request, DateTimeOffset FetchedAt, int Rows, bool Sampled, bool Thresholded);

    private sealed record RestatedRow(string Kpi, short Source, DateTimeOffset At, decimal OldValue, decimal? NewValue, Guid? RunId);
}
