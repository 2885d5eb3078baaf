using KpiDashboard.Access;
using KpiDashboard.Metrics;
using KpiDashboard.Security;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KpiDashboard.Api;
using KpiDashboard.Auditing;
using KpiDashboard.Data;
using KpiDashboard.Kpis;
using KpiDashboard.Push;
using KpiDashboard.Sources;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Formulas;

/// <summary>KPIs that a business computes from others.</summary>
public sealed partial class CalculatedKpiEndpoints
{
    /// <summary>Most of them a tenant may have.</summary>
    internal const int MaxKpis = 50;

    private readonly Database _database;
    private readonly TenantReads _reads;
    private readonly AuditLog _audit;
    private readonly TimeProvider _time;

    internal CalculatedKpiEndpoints(Database database, TenantReads reads, AuditLog audit, TimeProvider time) => (_database, _reads, _audit, _time) = (database, reads, audit, time);

    /// <summary><c>GET kpis/calculated</c>.</summary>
    public Task<IResult> ListAsync(HttpRequest request, CancellationToken cancellationToken) =>
        _reads.AnswerAsync(request, CalculatedKpiJson.Default.CalculatedKpisResponse, async (tx, _) =>
        {
            var catalogue = await TenantCatalogue.LoadAsync(tx);
            return new CalculatedKpisResponse([.. (await tx.QueryAsync<Row>(Select + "order by name, key")).Select(row => row.ToEntry(catalogue))]);
        }, cancellationToken);

    /// <summary><c>POST kpis/calculated</c>.</summary>
    public async Task<IResult> CreateAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var body = (await JsonBody.ReadAsync(request, CalculatedKpiJson.Default.CreateCalculatedKpiRequest, cancellationToken))!;
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (body.Key.Length > 60 || !Keys().IsMatch(body.Key)) errors["key"] = ["'key' must be 'calc.' and then lower-case letters, digits and single underscores, 60 characters at most, for example calc.profit."];
        Check(errors, body.Name, body.Description);
        if (errors.Count > 0) throw ApiProblem.Invalid(errors);
        var (id, now) = (Guid.CreateVersion7(_time.GetUtcNow()), _time.GetUtcNow());
        return new JsonAnswer<CalculatedKpiEntry>(await _database.InTenantAsync(request.Caller().TenantId, async tx =>
        {
            await CustomReadings.LockAsync(tx);
            var others = await LoadAsync(tx);
            if (others.Count >= MaxKpis) throw ApiProblem.Conflict($"There are {MaxKpis} calculated KPIs already; delete one first.");
            if (others.Any(other => other.Key == body.Key)) throw ApiProblem.Conflict($"There is a KPI '{body.Key}' already.");
            await DefineAsync(tx, others, new CalculatedKpi(body.Key, body.Name.Trim(), (body.Description ?? "").Trim(), body.Unit, body.Direction, body.Formula));
            await tx.ExecuteAsync(
                """
                insert into calculated_kpis (tenant_id, id, key, name, description, unit, direction, formula, created_at, updated_at)
                values (@tenant, @id, @Key, @name, @description, @unit, @direction, @formula, @now, @now)
                """,
                new { id, now, body.Key, name = body.Name.Trim(), description = (body.Description ?? "").Trim(), unit = Word(body.Unit), direction = Word(body.Direction), formula = body.Formula.Trim() });
            return await NoteAsync(tx, request, AuditActions.KpiCreated, id, null);
        }, cancellationToken), CalculatedKpiJson.Default.CalculatedKpiEntry, StatusCodes.Status201Created);
    }

    /// <summary><c>POST kpis/calculated/preview</c>: the last 28 complete days, and nothing is kept.</summary>
    public async Task<IResult> PreviewAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var body = (await JsonBody.ReadAsync(request, CalculatedKpiJson.Default.PreviewCalculatedKpiRequest, cancellationToken))!;
        if (body.Key is { } key && (key.Length > 60 || !Keys().IsMatch(key))) throw ApiProblem.Invalid("key", "'key' must be the key of a calculated KPI, for example calc.profit.");
        return new JsonAnswer<CalculatedPreviewResponse>(await _database.InTenantAsync(request.Caller().TenantId, async tx =>
        {
            var tenant = await TenantProfile.LoadAsync(tx) ?? throw ApiProblem.NotFound("This business no longer exists.");
            var query = new QueryReader(request);
            var sources = SourceSelection.Read(query, await SourceState.LoadAsync(tx, tenant, _time.GetUtcNow()));
            query.ThrowIfInvalid();
            var kpi = await DefineAsync(tx, await LoadAsync(tx), new CalculatedKpi(body.Key ?? "calc.preview", "Preview", "", body.Unit, KpiDirection.Neutral, body.Formula));
            var to = Period.Anchor(tenant.Today(_time), SourceState.PeriodThrough(sources));
            var table = await KpiTable.LoadAsync(tx, [kpi], to.AddDays(-27), to, sources.Clocks, tenant.Economics);
            var value = table.Evaluate(kpi, table.From, to);
            return new CalculatedPreviewResponse(
                table.From, to, value.Value, value.Status, MetricsEndpoints.Reason(kpi, value), kpi.Aggregation, SourceCurrencies.Of(kpi, sources, tenant, table),
                Formula.Read(kpi.Formula).Formula!.Uses, [.. MetricsEndpoints.Points(kpi, table, "day", (DayOfWeek)tenant.WeekStart)]);
        }, cancellationToken), CalculatedKpiJson.Default.CalculatedPreviewResponse);
    }

    /// <summary><c>PATCH kpis/calculated/{id}</c>.</summary>
    public async Task<IResult> UpdateAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var body = (await JsonBody.ReadAsync(request, CalculatedKpiJson.Default.UpdateCalculatedKpiRequest, cancellationToken))!;
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        Check(errors, body.Name, body.Description);
        if (errors.Count > 0) throw ApiProblem.Invalid(errors);
        return new JsonAnswer<CalculatedKpiEntry>(await _database.InTenantAsync(request.Caller().TenantId, async tx =>
        {
            await CustomReadings.LockAsync(tx);
            var before = await FindAsync(tx, id);
            var old = before.ToKpi();
            var kpi = new CalculatedKpi(
                old.Key, body.Name?.Trim() ?? old.Name, body.Description?.Trim() ?? old.Description, body.Unit ?? old.Unit, body.Direction ?? old.Direction, body.Formula?.Trim() ?? old.Formula);
            await DefineAsync(tx, await LoadAsync(tx), kpi);
            await tx.ExecuteAsync(
                """
                update calculated_kpis set name = @Name, description = @Description, unit = @unit, direction = @direction, formula = @Formula, updated_at = @now
                where tenant_id = @tenant and id = @Id
                """,
                new { before.Id, kpi.Name, kpi.Description, unit = Word(kpi.Unit), direction = Word(kpi.Direction), kpi.Formula, now = _time.GetUtcNow() });
            return await NoteAsync(tx, request, AuditActions.KpiChanged, before.Id, before);
        }, cancellationToken), CalculatedKpiJson.Default.CalculatedKpiEntry);
    }

    /// <summary><c>DELETE kpis/calculated/{id}</c>: refused while another formula or a goal rests on it.</summary>
    public async Task<IResult> DeleteAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        await _database.InTenantAsync(request.Caller().TenantId, async tx =>
        {
            await CustomReadings.LockAsync(tx);
            var before = await FindAsync(tx, id);
            var users = (await LoadAsync(tx)).Where(other => Formula.Read(other.Formula).Formula?.Uses.Contains(before.Key, StringComparer.Ordinal) == true).Select(other => other.Name).ToList();
            if (users.Count > 0) throw ApiProblem.Conflict($"'{before.Name}' is used by {string.Join(", ", users.Take(5).Select(name => $"'{name}'"))}; change that first.");
            if (await tx.QuerySingleAsync<bool>("select exists (select 1 from goals where tenant_id = @tenant and kpi = @Key)", new { before.Key }))
                throw ApiProblem.Conflict($"There is a goal for '{before.Name}'; delete it first.");
            await tx.ExecuteAsync("delete from calculated_kpis where tenant_id = @tenant and id = @Id", new { before.Id });
            await _audit.WriteAsync(tx, request, new AuditEvent(AuditActions.KpiDeleted, "kpi", before.Id.ToString(), before.Name, Before: before.ToAudit()));
            await TenantProfile.BumpVersionAsync(tx);
        }, cancellationToken);
        return TypedResults.NoContent();
    }

    /// <summary>Makes the definition of one among the others, or raises the sentence why that cannot be: the others must stay computable, too.</summary>
    private async Task<KpiDefinition> DefineAsync(TenantTransaction tx, IEnumerable<CalculatedKpi> others, CalculatedKpi kpi)
    {
        var stored = await TenantCatalogue.LoadAsync(tx);
        var catalogue = new TenantCatalogue([.. stored.Own], [.. others.Where(other => other.Key != kpi.Key), kpi]);
        if (catalogue.Problems.TryGetValue(kpi.Key, out var problem)) throw ApiProblem.Invalid("formula", problem);
        if (catalogue.Problems.FirstOrDefault(item => !stored.Problems.ContainsKey(item.Key)) is { Key: { } broken, Value: var why })
            throw ApiProblem.Invalid("formula", $"'{broken}' rests on this KPI and could no longer be computed: {why}");
        var definition = catalogue.Find(kpi.Key)!;
        var tenant = (await TenantProfile.LoadAsync(tx))!;
        var sources = await SourceState.LoadAsync(tx, tenant, _time.GetUtcNow());
        var currencies = definition.Mixed(SourceCurrencies.Of(sources, tenant));
        if (currencies.Count > 1) throw ApiProblem.Invalid("formula", $"The formula mixes money in {string.Join(" and ", currencies)}, and nothing is converted.");
        return definition;
    }

    private async Task<CalculatedKpiEntry> NoteAsync(TenantTransaction tx, HttpRequest request, string action, Guid id, Row? before)
    {
        var after = await FindAsync(tx, id.ToString("D"));
        await _audit.WriteAsync(tx, request, new AuditEvent(action, "kpi", id.ToString(), after.Name, before?.ToAudit(), after.ToAudit()));
        await TenantProfile.BumpVersionAsync(tx);
        return after.ToEntry(await TenantCatalogue.LoadAsync(tx));
    }

    private static async Task<IReadOnlyList<CalculatedKpi>> LoadAsync(TenantTransaction tx) => [.. (await tx.QueryAsync<Row>(Select)).Select(row => row.ToKpi())];

    private static async Task<Row> FindAsync(TenantTransaction tx, string id) =>
        Guid.TryParseExact(id, "D", out var kpi) && await tx.QuerySingleOrDefaultAsync<Row>(Select + "and id = @kpi", new { kpi }) is { } row ? row : throw ApiProblem.NotFound("There is no such calculated KPI.");

    private static void Check(Dictionary<string, string[]> errors, string? name, string? description)
    {
        if (name is not null && PlainText.Fault("name", name, 60) is { } fault) errors["name"] = [fault];
        if (description?.Trim() is { Length: > 0 } text && PlainText.Fault("description", text, 300) is { } wrong) errors["description"] = [wrong];
    }

    private static string Word<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    private const string Select =
        """
        select id, key, name, description, unit, direction, formula, created_at as CreatedAt, updated_at as UpdatedAt from calculated_kpis where tenant_id = @tenant

        """;

    private sealed record Row(Guid Id, string Key, string Name, string Description, string Unit, string Direction, string Formula, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
    {
        public CalculatedKpi ToKpi() => new(Key, Name, Description, Enum.Parse<KpiUnit>(Unit, ignoreCase: true), Enum.Parse<KpiDirection>(Direction, ignoreCase: true), Formula);

        public CalculatedKpiEntry ToEntry(TenantCatalogue catalogue) => new(
            Id, Key, Name, Description, ToKpi().Unit, ToKpi().Direction, catalogue.Find(Key)?.Aggregation ?? KpiAggregation.Ratio, Formula,
            Kpis.Formula.Read(Formula).Formula?.Uses ?? [], catalogue.Problems.GetValueOrDefault(Key), CreatedAt, UpdatedAt);

        public JsonObject ToAudit() => new()
        {
            ["key"] = Key,
            ["name"] = Name,
            ["description"] = Description,
            ["unit"] = Unit,
            ["direction"] = Direction,
            ["formula"] = Formula,
        };
    }

    [GeneratedRegex(@"^calc\.[a-z0-9](_?[a-z0-9])*\z")]
    private static partial Regex Keys();
}
