using KpiDashboard.Access;
using KpiDashboard.Security;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KpiDashboard.Api;
using KpiDashboard.Auditing;
using KpiDashboard.Data;
using KpiDashboard.Kpis;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Push;

/// <summary>KPIs that a business defines itself. They appear wherever a KPI does, as soon as they have a reading.</summary>
public sealed partial class CustomKpiEndpoints
{
    /// <summary>Most of them a tenant may have: the overview shows them all.</summary>
    internal const int MaxKpis = 200;

    private readonly Database _database;
    private readonly TenantReads _reads;
    private readonly AuditLog _audit;
    private readonly TimeProvider _time;

    internal CustomKpiEndpoints(Database database, TenantReads reads, AuditLog audit, TimeProvider time) => (_database, _reads, _audit, _time) = (database, reads, audit, time);

    /// <summary><c>GET kpis/custom</c>.</summary>
    public Task<IResult> ListAsync(HttpRequest request, CancellationToken cancellationToken) =>
        _reads.AnswerAsync(request, PushJson.Default.CustomKpisResponse, async (tx, _) =>
            new CustomKpisResponse([.. (await tx.QueryAsync<Row>(Select + "where k.tenant_id = @tenant order by k.name, k.key")).Select(row => row.ToEntry())]), cancellationToken);

    /// <summary><c>POST kpis/custom</c>.</summary>
    public async Task<IResult> CreateAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var body = (await JsonBody.ReadAsync(request, PushJson.Default.CreateKpiRequest, cancellationToken))!;
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (body.Key.Length > 60 || !Keys().IsMatch(body.Key)) errors["key"] = ["'key' must be 'custom.' and then lower-case letters, digits and single underscores, 60 characters at most, for example custom.orders_shipped."];
        Check(errors, body.Name, body.Description, body.Aggregation);
        if (errors.Count > 0) throw ApiProblem.Invalid(errors);

        var (id, now) = (Guid.CreateVersion7(_time.GetUtcNow()), _time.GetUtcNow());
        var entry = await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            await CustomReadings.LockAsync(tx);
            if (await tx.QuerySingleAsync<int>("select count(*)::int from custom_kpis where tenant_id = @tenant") >= MaxKpis) throw ApiProblem.Conflict($"There are {MaxKpis} custom KPIs already; delete one first.");
            var added = await tx.ExecuteAsync(
                """
                insert into custom_kpis (tenant_id, id, key, name, description, unit, direction, aggregation, created_at, updated_at)
                values (@tenant, @id, @key, @name, @description, @unit, @direction, @aggregation, @now, @now)
                on conflict do nothing
                """,
                new
                {
                    id,
                    now,
                    key = body.Key,
                    name = body.Name.Trim(),
                    description = (body.Description ?? "").Trim(),
                    unit = Word(body.Unit),
                    direction = Word(body.Direction),
                    aggregation = Word(body.Aggregation),
                });
            if (added == 0) throw ApiProblem.Conflict($"There is a KPI '{body.Key}' already.");
            var made = (await FindAsync(tx, id))!;
            await _audit.WriteAsync(tx, request, new AuditEvent(AuditActions.KpiCreated, "kpi", id.ToString(), made.Name, After: made.ToAudit()));
            await TenantProfile.BumpVersionAsync(tx);
            return made.ToEntry();
        }, cancellationToken);
        return new JsonAnswer<CustomKpiEntry>(entry, PushJson.Default.CustomKpiEntry, StatusCodes.Status201Created);
    }

    /// <summary><c>PATCH kpis/custom/{id}</c>: everything but the key, which is what readings are pushed under.</summary>
    public async Task<IResult> UpdateAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var body = (await JsonBody.ReadAsync(request, PushJson.Default.UpdateKpiRequest, cancellationToken))!;
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        Check(errors, body.Name, body.Description, body.Aggregation);
        if (errors.Count > 0) throw ApiProblem.Invalid(errors);
        var entry = await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            await CustomReadings.LockAsync(tx);
            if (!Guid.TryParseExact(id, "D", out var kpi) || await FindAsync(tx, kpi) is not { } before) throw NoSuchKpi();
            await tx.ExecuteAsync(
                """
                update custom_kpis
                set name = coalesce(@name, name), description = coalesce(@description, description), unit = coalesce(@unit, unit), direction = coalesce(@direction, direction),
                    aggregation = coalesce(@aggregation, aggregation), updated_at = @now
                where tenant_id = @tenant and id = @kpi
                """,
                new
                {
                    kpi,
                    now = _time.GetUtcNow(),
                    name = body.Name?.Trim(),
                    description = body.Description?.Trim(),
                    unit = body.Unit is { } unit ? Word(unit) : null,
                    direction = body.Direction is { } direction ? Word(direction) : null,
                    aggregation = body.Aggregation is { } aggregation ? Word(aggregation) : null,
                });
            var after = (await FindAsync(tx, kpi))!;
            await _audit.WriteAsync(tx, request, new AuditEvent(AuditActions.KpiChanged, "kpi", id, after.Name, before.ToAudit(), after.ToAudit()));
            await TenantProfile.BumpVersionAsync(tx);
            return after.ToEntry();
        }, cancellationToken);
        return new JsonAnswer<CustomKpiEntry>(entry, PushJson.Default.CustomKpiEntry);
    }

    /// <summary><c>DELETE kpis/custom/{id}</c>: with all its readings.</summary>
    public async Task<IResult> DeleteAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            await CustomReadings.LockAsync(tx);
            if (!Guid.TryParseExact(id, "D", out var kpi) || await FindAsync(tx, kpi) is not { } before) throw NoSuchKpi();
            var readings = await tx.QuerySingleAsync<int>(
                """
                with gone as (
                    delete from kpi_months m using kpi_keys k
                    where m.tenant_id = @tenant and k.tenant_id = @tenant and k.key = @Key and m.kpi = k.number
                    returning cardinality(array_remove(m.days, null)) as readings
                )
                select coalesce(sum(readings), 0)::int from gone
                """, new { before.Key });
            await tx.ExecuteAsync("delete from kpi_keys where tenant_id = @tenant and key = @Key", new { before.Key });
            await tx.ExecuteAsync("delete from kpi_restatements where tenant_id = @tenant and kpi = @Key", new { before.Key });
            await tx.ExecuteAsync("delete from goals where tenant_id = @tenant and kpi = @Key", new { before.Key });
            await tx.ExecuteAsync("delete from custom_kpis where tenant_id = @tenant and id = @kpi", new { kpi });
            var was = before.ToAudit();
            was["readings"] = readings;
            await _audit.WriteAsync(tx, request, new AuditEvent(AuditActions.KpiDeleted, "kpi", id, before.Name, Before: was));
            await TenantProfile.BumpVersionAsync(tx);
        }, cancellationToken);
        return TypedResults.NoContent();
    }

    private static ApiProblem NoSuchKpi() => ApiProblem.NotFound("There is no such custom KPI.");

    private static void Check(Dictionary<string, string[]> errors, string? name, string? description, KpiAggregation? aggregation)
    {
        if (name is not null && PlainText.Fault("name", name, 60) is { } fault) errors["name"] = [fault];
        if (description?.Trim() is { Length: > 0 } text && PlainText.Fault("description", text, 300) is { } wrong) errors["description"] = [wrong];
        if (aggregation == KpiAggregation.Ratio) errors["aggregation"] = ["'aggregation' must be sum, daily_mean, last, max or min; a ratio needs parts, which a pushed number has not."];
    }

    private static Task<Row?> FindAsync(TenantTransaction tx, Guid id) => tx.QuerySingleOrDefaultAsync<Row>(Select + "where k.tenant_id = @tenant and k.id = @id", new { id });

    private static string Word<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    private const string Select =
        """
        select k.id, k.key, k.name, k.description, k.unit, k.direction, k.aggregation, k.created_at as CreatedAt,
               d.first as FirstDay, d.last as LastDay
        from custom_kpis k
        left join kpi_keys n on n.tenant_id = k.tenant_id and n.key = k.key
        cross join lateral (
            select min(m.month + u.place::integer - 1) as first, max(m.month + u.place::integer - 1) as last
            from kpi_months m cross join lateral unnest(m.days) with ordinality as u (value, place)
            where m.tenant_id = k.tenant_id and m.kpi = n.number and u.value is not null
        ) d

        """;

    private sealed record Row(
        Guid Id, string Key, string Name, string Description, string Unit, string Direction, string Aggregation, DateTimeOffset CreatedAt, DateOnly? FirstDay, DateOnly? LastDay)
    {
        public CustomKpiEntry ToEntry() => new(
            Id, Key, Name, Description, Enum.Parse<KpiUnit>(Unit, ignoreCase: true), Enum.Parse<KpiDirection>(Direction, ignoreCase: true),
            Enum.Parse<KpiAggregation>(Aggregation.Replace("_", "", StringComparison.Ordinal), ignoreCase: true), CreatedAt, FirstDay, LastDay);

        public JsonObject ToAudit() => new()
        {
            ["key"] = Key,
            ["name"] = Name,
            ["description"] = Description,
            ["unit"] = Unit,
            ["direction"] = Direction,
            ["aggregation"] = Aggregation,
        };
    }

    [GeneratedRegex(@"^custom\.[a-z0-9](_?[a-z0-9])*\z")]
    private static partial Regex Keys();
}

/// <summary>Define a KPI. Readings are pushed under its key, which stays.</summary>
internal sealed record CreateKpiRequest(string Key, string Name, KpiUnit Unit, KpiDirection Direction, KpiAggregation Aggregation, string? Description = null);

/// <summary>Change a KPI; what is left out stays.</summary>
internal sealed record UpdateKpiRequest(string? Name = null, string? Description = null, KpiUnit? Unit = null, KpiDirection? Direction = null, KpiAggregation? Aggregation = null);

/// <summary>The tenant's own KPIs.</summary>
internal sealed record CustomKpisResponse(IReadOnlyList<CustomKpiEntry> Kpis);

/// <summary>A KPI that the tenant defined, and the first and last day that it has a reading for.</summary>
internal sealed record CustomKpiEntry(
    Guid Id, string Key, string Name, string Description, KpiUnit Unit, KpiDirection Direction, KpiAggregation Aggregation, DateTimeOffset CreatedAt, DateOnly? FirstDay, DateOnly? LastDay);
