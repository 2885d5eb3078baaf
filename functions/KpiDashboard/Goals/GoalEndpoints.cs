using KpiDashboard.Access;
using KpiDashboard.Security;
using System.Text.Json.Nodes;
using KpiDashboard.Api;
using KpiDashboard.Auditing;
using KpiDashboard.Data;
using KpiDashboard.Kpis;
using KpiDashboard.Sources;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;
using static System.FormattableString;

namespace KpiDashboard.Goals;

/// <summary>What a business wants of its KPIs, and how near it is.</summary>
public sealed class GoalEndpoints
{
    /// <summary>Greatest magnitude of a target.</summary>
    private const decimal MaxTarget = 1_000_000_000_000_000m;

    private readonly Database _database;
    private readonly TenantReads _reads;
    private readonly AuditLog _audit;
    private readonly TimeProvider _time;

    internal GoalEndpoints(Database database, TenantReads reads, AuditLog audit, TimeProvider time) => (_database, _reads, _audit, _time) = (database, reads, audit, time);

    /// <summary><c>GET goals</c>.</summary>
    public Task<IResult> ListAsync(HttpRequest request, CancellationToken cancellationToken) =>
        _reads.AnswerKeptAsync(request, GoalJson.Default.GoalsResponse, async (tx, tenant) =>
        {
            var query = new QueryReader(request);
            var sources = SourceSelection.Read(query, await SourceState.LoadAsync(tx, tenant, _time.GetUtcNow()));
            query.ThrowIfInvalid();
            return new GoalsResponse(tenant.Today(_time), await EntriesAsync(tx, await Goal.LoadAsync(tx), await TenantCatalogue.LoadAsync(tx), tenant, sources, tenant.Today(_time)));
        }, cancellationToken);

    /// <summary><c>POST goals</c>.</summary>
    public async Task<IResult> CreateAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var body = (await JsonBody.ReadAsync(request, GoalJson.Default.CreateGoalRequest, cancellationToken))!;
        var (id, now) = (Guid.CreateVersion7(_time.GetUtcNow()), _time.GetUtcNow());
        return new JsonAnswer<GoalEntry>(await _database.InTenantAsync(request.Caller().TenantId, async tx =>
        {
            var (tenant, catalogue) = (await LockAsync(tx), await TenantCatalogue.LoadAsync(tx));
            var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
            var today = tenant.Today(_time);
            if (catalogue.Find(body.Kpi) is null) errors["kpi"] = [$"There is no KPI '{(body.Kpi.Length <= 40 ? body.Kpi : body.Kpi[..40] + "…")}'; GET /api/kpis lists them."];
            Check(errors, body.Target, body.Name);
            if (body.Rhythm == GoalRhythm.Dated && (body.StartsOn is null || body.EndsOn is null)) errors["endsOn"] = ["A dated goal needs 'startsOn' and 'endsOn'."];
            if (body.Rhythm != GoalRhythm.Dated && body.EndsOn is not null) errors["endsOn"] = ["Only a dated goal has 'endsOn'; a recurring one goes on until it is deleted."];
            CheckDays(errors, body.StartsOn, body.EndsOn, today);
            var sources = body.Sources?.Distinct(StringComparer.Ordinal).ToArray();
            if (sources is not null && SourceSelection.Check(sources, await SourceState.LoadAsync(tx, tenant, now)) is { } fault) errors["sources"] = [fault];
            if (errors.Count > 0) throw ApiProblem.Invalid(errors);
            if (await tx.QuerySingleAsync<int>("select count(*)::int from goals where tenant_id = @tenant") >= Goal.MaxGoals) throw ApiProblem.Conflict($"There are {Goal.MaxGoals} goals already; delete one first.");
            var goal = new Goal(id, body.Kpi, body.Name?.Trim(), body.Rhythm, body.StartsOn ?? today, body.EndsOn, [], [body.Target], now, sources);
            // A recurring goal counts whole periods.
            var starts = goal.PeriodOf(goal.StartsOn, tenant).From;
            await tx.ExecuteAsync(
                """
                insert into goals (tenant_id, id, kpi, name, period, starts_on, ends_on, target_from, targets, sources, created_at, updated_at)
                values (@tenant, @id, @Kpi, @Name, @period, @starts, @EndsOn, array[@starts::date], array[@target::numeric], @sources::text[], @now, @now)
                """,
                new { id, goal.Kpi, goal.Name, period = Word(goal.Rhythm), starts, goal.EndsOn, target = body.Target, sources, now });
            return await NoteAsync(tx, request, AuditActions.GoalCreated, id, null, catalogue, tenant);
        }, cancellationToken), GoalJson.Default.GoalEntry, StatusCodes.Status201Created);
    }

    /// <summary><c>PATCH goals/{id}</c>.</summary>
    public async Task<IResult> UpdateAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var body = (await JsonBody.ReadAsync(request, GoalJson.Default.UpdateGoalRequest, cancellationToken))!;
        return new JsonAnswer<GoalEntry>(await _database.InTenantAsync(request.Caller().TenantId, async tx =>
        {
            var (tenant, catalogue) = (await LockAsync(tx), await TenantCatalogue.LoadAsync(tx));
            var before = await FindAsync(tx, id);
            var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
            Check(errors, body.Target, body.Name);
            if (body.EndsOn is not null && before.Rhythm != GoalRhythm.Dated) errors["endsOn"] = ["Only a dated goal has 'endsOn'; a recurring one goes on until it is deleted."];
            CheckDays(errors, body.EndsOn is null ? null : before.StartsOn, body.EndsOn, tenant.Today(_time), startIsGiven: false);
            if (errors.Count > 0) throw ApiProblem.Invalid(errors);
            var (from, targets) = (before.TargetFrom.ToList(), before.Targets.ToList());
            if (body.Target is { } target && target != before.Target)
            {
                // From the period of today on; a second change within it replaces the first.
                var today = tenant.Today(_time);
                var start = before.PeriodOf(today > before.StartsOn ? today : before.StartsOn, tenant).From;
                if (start <= from[^1]) targets[^1] = target;
                else if (targets.Count >= 100) throw ApiProblem.Conflict("The target of this goal was changed 100 times; set a new goal.");
                else (from, targets) = ([.. from, start], [.. targets, target]);
            }

            await tx.ExecuteAsync(
                """
                update goals set name = coalesce(@name, name), ends_on = coalesce(@ends, ends_on), target_from = @from, targets = @targets, updated_at = @now
                where tenant_id = @tenant and id = @Id
                """,
                new { before.Id, name = body.Name?.Trim(), ends = body.EndsOn, from = from.ToArray(), targets = targets.ToArray(), now = _time.GetUtcNow() });
            return await NoteAsync(tx, request, AuditActions.GoalChanged, before.Id, before, catalogue, tenant);
        }, cancellationToken), GoalJson.Default.GoalEntry);
    }

    /// <summary><c>DELETE goals/{id}</c>.</summary>
    public async Task<IResult> DeleteAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        await _database.InTenantAsync(request.Caller().TenantId, async tx =>
        {
            await LockAsync(tx);
            var before = await FindAsync(tx, id);
            await tx.ExecuteAsync("delete from goals where tenant_id = @tenant and id = @Id", new { before.Id });
            await _audit.WriteAsync(tx, request, new AuditEvent(AuditActions.GoalDeleted, "goal", before.Id.ToString(), before.Name ?? before.Kpi, Before: Audit(before)));
            await TenantProfile.BumpVersionAsync(tx);
        }, cancellationToken);
        return TypedResults.NoContent();
    }

    /// <summary>The goal of each KPI that has one: of several, the one whose period ends first.</summary>
    internal static async Task<IReadOnlyDictionary<string, SummaryGoal>> SummaryAsync(
        TenantTransaction tx, TenantCatalogue catalogue, TenantProfile tenant, SourceSelection sources, DateOnly today)
    {
        var open = (await Goal.LoadAsync(tx))
            .Select(goal => (Goal: goal, Period: goal.PeriodOf(today > goal.StartsOn ? today : goal.StartsOn, tenant)))
            // A tile of some sources has no use for what is wanted of others.
            .Where(item => sources.IsOf(item.Goal.Sources) && item.Period.From <= today && item.Period.To >= today && catalogue.Find(item.Goal.Kpi) is not null)
            .GroupBy(item => item.Goal.Kpi, StringComparer.Ordinal).Select(same => same.MinBy(item => item.Period.To)).ToList();
        if (open.Count == 0) return new Dictionary<string, SummaryGoal>();
        var table = await KpiTable.LoadAsync(tx, open.Select(item => catalogue.Find(item.Goal.Kpi)!), open.Min(item => item.Period.From), today, sources.Clocks, tenant.Economics);
        return open.ToDictionary(item => item.Goal.Kpi, item =>
        {
            var kpi = catalogue.Find(item.Goal.Kpi)!;
            var now = item.Goal.Stand(kpi, table, item.Period, today, SourceCurrencies.Of(kpi, sources, tenant, table));
            return new SummaryGoal(item.Goal.Id, now.Target, item.Goal.Rhythm, now.From, now.To, now.Value, now.Pace, now.State, now.Text);
        }, StringComparer.Ordinal);
    }

    /// <summary>Goals with how they stand and stood. A goal whose KPI is gone is left out: there is nothing to measure it by.</summary>
    internal static async Task<IReadOnlyList<GoalEntry>> EntriesAsync(
        TenantTransaction tx, IReadOnlyList<Goal> goals, TenantCatalogue catalogue, TenantProfile tenant, SourceSelection sources, DateOnly today)
    {
        var known = goals.Where(goal => catalogue.Find(goal.Kpi) is not null).Select(goal => (Goal: goal, Kpi: catalogue.Find(goal.Kpi)!, Periods: goal.Periods(today, tenant))).ToList();
        if (known.Count == 0) return [];
        var all = sources.Every;
        var first = known.Min(item => item.Periods[^1].From);
        // Those that were set for the same sources are reckoned from one table; those for all, from what the reader asked for.
        var (reading, tables) = (new List<(string Named, SourceSelection Sources, Task<KpiTable> Table)>(),
            new Dictionary<string, (SourceSelection Sources, KpiTable Table)>(StringComparer.Ordinal));
        foreach (var alike in known.GroupBy(item => Named(item.Goal), StringComparer.Ordinal))
        {
            var own = alike.First().Goal.Sources is { } kept ? SourceSelection.Kept(all, kept) : sources;
            reading.Add((alike.Key, own, KpiTable.LoadAsync(
                tx, alike.Select(item => item.Kpi), first < today ? first : today, today, own.Clocks, tenant.Economics)));
        }

        foreach (var (named, own, table) in reading) tables[named] = (own, await table);
        return
        [
            .. known.Select(item =>
            {
                var (own, table) = tables[Named(item.Goal)];
                var currency = SourceCurrencies.Of(item.Kpi, own, tenant, table);
                var standings = item.Periods.Select(period => item.Goal.Stand(item.Kpi, table, period, today, currency)).ToList();
                return new GoalEntry(
                    item.Goal.Id, item.Kpi.Key, item.Kpi.Name, item.Kpi.Unit, item.Kpi.Direction, currency, item.Goal.Name, item.Goal.Target, item.Goal.Rhythm, item.Goal.StartsOn,
                    item.Goal.EndsOn, standings[0], [.. standings.Skip(1)], standings.Skip(1).Count(past => past.State == GoalState.Met),
                    standings.Skip(1).Count(past => past.State == GoalState.Missed), item.Goal.CreatedAt,
                    item.Goal.Sources);
            }),
        ];

        static string Named(Goal goal) => goal.Sources is { } kept ? string.Join(',', kept.Order(StringComparer.Ordinal)) : "";
    }

    private async Task<GoalEntry> NoteAsync(TenantTransaction tx, HttpRequest request, string action, Guid id, Goal? before, TenantCatalogue catalogue, TenantProfile tenant)
    {
        var after = (await Goal.LoadAsync(tx, id)).Single();
        await _audit.WriteAsync(tx, request, new AuditEvent(action, "goal", id.ToString(), after.Name ?? after.Kpi, before is null ? null : Audit(before), Audit(after)));
        await TenantProfile.BumpVersionAsync(tx);
        var entries = await EntriesAsync(tx, [after], catalogue, tenant, SourceSelection.All(await SourceState.LoadAsync(tx, tenant, _time.GetUtcNow())), tenant.Today(_time));
        return entries.SingleOrDefault() ?? throw ApiProblem.Conflict($"The KPI '{after.Kpi}' of this goal is gone; the goal can only be deleted.");
    }

    private static async Task<Goal> FindAsync(TenantTransaction tx, string id) =>
        Guid.TryParseExact(id, "D", out var goal) && (await Goal.LoadAsync(tx, goal)) is [var found] ? found : throw ApiProblem.NotFound("There is no such goal.");

    /// <summary>Two changes at once wait for each other.</summary>
    private static async Task<TenantProfile> LockAsync(TenantTransaction tx)
    {
        await tx.ExecuteAsync("select pg_advisory_xact_lock(hashtextextended('goals ' || @tenant::text, 0))");
        return await TenantProfile.LoadAsync(tx) ?? throw ApiProblem.NotFound("This business no longer exists.");
    }

    private static void Check(Dictionary<string, string[]> errors, decimal? target, string? name)
    {
        if (target is { } wanted && Math.Abs(wanted) > MaxTarget) errors["target"] = ["'target' is beyond 1,000,000,000,000,000."];
        if (name is not null && PlainText.Fault("name", name, 60) is { } fault) errors["name"] = [fault];
    }

    /// <param name="errors">Gets a sentence for each field that is wrong.</param>
    /// <param name="starts">First day.</param>
    /// <param name="ends">Last day.</param>
    /// <param name="today">The business's date.</param>
    /// <param name="startIsGiven">Whether the caller said the first day now; one that was right two years ago cannot be wrong today.</param>
    private static void CheckDays(Dictionary<string, string[]> errors, DateOnly? starts, DateOnly? ends, DateOnly today, bool startIsGiven = true)
    {
        if (startIsGiven && starts is { } first && (first < today.AddMonths(-25) || first > today.AddYears(2)))
            errors["startsOn"] = [Invariant($"'startsOn' ({first:yyyy-MM-dd}) must lie within the last 25 months or the next 2 years.")];
        else if (ends is { } last && (last < today.AddMonths(-25) || last > today.AddYears(2).AddDays(Period.MaxDays)))
            errors["endsOn"] = [Invariant($"'endsOn' ({last:yyyy-MM-dd}) must lie within the last 25 months or the next few years.")];
        else if (ends < starts) errors["endsOn"] = ["'endsOn' lies before 'startsOn'."];
        else if (ends?.DayNumber - starts?.DayNumber >= Period.MaxDays) errors["endsOn"] = [$"A goal may last at most {Period.MaxDays} days."];
    }

    private static JsonObject Audit(Goal goal) => new()
    {
        ["kpi"] = goal.Kpi,
        ["name"] = goal.Name,
        ["target"] = goal.Target,
        ["rhythm"] = Word(goal.Rhythm),
        ["sources"] = goal.Sources is { } sources ? string.Join(',', sources) : null,
        ["startsOn"] = Invariant($"{goal.StartsOn:yyyy-MM-dd}"),
        ["endsOn"] = goal.EndsOn is { } ends ? Invariant($"{ends:yyyy-MM-dd}") : null,
    };

    private static string Word(GoalRhythm rhythm) => rhythm.ToString().ToLowerInvariant();
}
