using System.Text.Json.Nodes;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Auditing;
using KpiDashboard.Data;
using KpiDashboard.Kpis;
using KpiDashboard.Sources;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;
using static System.FormattableString;

namespace KpiDashboard.Insights;

/// <summary>How a business does, what stands out, and what was put aside.</summary>
public sealed class InsightEndpoints
{
    /// <summary>An insight that was put aside comes back when what it says grew or shrank by more than this share.</summary>
    private const decimal Material = 0.25m;

    private const int LongestSnooze = 90;

    private readonly Database _database;
    private readonly TenantReads _reads;
    private readonly AuditLog _audit;
    private readonly TimeProvider _time;

    internal InsightEndpoints(Database database, TenantReads reads, AuditLog audit, TimeProvider time) => (_database, _reads, _audit, _time) = (database, reads, audit, time);

    /// <summary><c>GET insights/business</c>.</summary>
    public Task<IResult> BusinessAsync(HttpRequest request, CancellationToken cancellationToken) =>
        _reads.AnswerKeptAsync(request, InsightJson.Default.BusinessInsightsResponse, Business(request), cancellationToken);

    /// <summary>How the answer to a request is made; admitting the request is the caller's.</summary>
    internal Func<TenantTransaction, TenantProfile, Task<BusinessInsightsResponse>> Business(HttpRequest request) =>
        async (tx, tenant) =>
        {
            var (finding, setAside) = (
                FindAsync(tx, request, tenant),
                tx.QueryAsync<StateRow>("select insight_id as Id, state, until, says, magnitude from insight_states where tenant_id = @tenant"));
            var (facts, insights) = await finding;
            var states = (await setAside).ToDictionary(row => row.Id);
            StateRow? Aside(Insight insight) => states.TryGetValue(insight.IdFor(tenant.Id), out var state) && state.Holds(insight, facts.Today) ? state : null;
            var (period, shown) = (facts.Period, insights.Where(insight => Aside(insight) is null).ToList());
            return new BusinessInsightsResponse(
                period.Range, period.From, period.To, period.CompareFrom, period.CompareTo, period.Compare, tenant.TimeZone, tenant.Currency,
                HealthReport.AsOf(facts.Table, period.To, facts.CurrencyOf), [.. shown.Select(insight => Entry(insight, tenant.Id, null))],
                [.. insights.Where(insight => Aside(insight) is not null).Select(insight => Entry(insight, tenant.Id, Aside(insight)))],
                DailyBrief.Write(facts, shown, insight => insight.IdFor(tenant.Id)), period.CompareNote);
        };

    /// <summary><c>POST insights/{id}/dismiss</c>.</summary>
    public Task<IResult> DismissAsync(HttpRequest request, string id, CancellationToken cancellationToken) => PutAsideAsync(request, id, "dismissed", null, cancellationToken);

    /// <summary><c>DELETE insights/{id}/dismiss</c>.</summary>
    public Task<IResult> UndismissAsync(HttpRequest request, string id, CancellationToken cancellationToken) => BringBackAsync(request, id, "dismissed", cancellationToken);

    /// <summary><c>POST insights/{id}/snooze</c>.</summary>
    public async Task<IResult> SnoozeAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var body = (await JsonBody.ReadAsync(request, InsightJson.Default.SnoozeInsightRequest, cancellationToken))!;
        return await PutAsideAsync(request, id, "snoozed", body.Until, cancellationToken);
    }

    /// <summary><c>DELETE insights/{id}/snooze</c>.</summary>
    public Task<IResult> UnsnoozeAsync(HttpRequest request, string id, CancellationToken cancellationToken) => BringBackAsync(request, id, "snoozed", cancellationToken);

    private async Task<IResult> PutAsideAsync(HttpRequest request, string id, string state, DateOnly? until, CancellationToken cancellationToken) =>
        new JsonAnswer<InsightEntry>(await _database.InTenantAsync(request.Caller().TenantId, async tx =>
        {
            var tenant = await TenantProfile.LoadAsync(tx) ?? throw ApiProblem.NotFound("This business no longer exists.");
            var today = tenant.Today(_time);
            if (until is { } day && (day <= today || day > today.AddDays(LongestSnooze)))
                throw ApiProblem.Invalid("until", Invariant($"'until' must be a day from {today.AddDays(1):yyyy-MM-dd} to {today.AddDays(LongestSnooze):yyyy-MM-dd}."));
            if (!Guid.TryParseExact(id, "D", out var wanted)) throw NoSuchInsight();
            var insight = (await FindAsync(tx, request, tenant)).Insights.FirstOrDefault(found => found.IdFor(tenant.Id) == wanted) ?? throw NoSuchInsight();
            await tx.ExecuteAsync(
                """
                insert into insight_states (tenant_id, insight_id, state, until, says, magnitude, text, set_at) values (@tenant, @wanted, @state, @until, @Says, @Magnitude, @text, @now)
                on conflict (tenant_id, insight_id) do update
                set state = excluded.state, until = excluded.until, says = excluded.says, magnitude = excluded.magnitude, text = excluded.text, set_at = excluded.set_at
                """,
                new { wanted, state, until, insight.Says, insight.Magnitude, text = Short(insight.Text, 1000), now = _time.GetUtcNow() });
            await _audit.WriteAsync(tx, request, new AuditEvent(AuditActions.InsightSetAside, "insight", id, Short(insight.Text, 200), After: new JsonObject
            {
                ["state"] = state,
                ["until"] = until is { } last ? Invariant($"{last:yyyy-MM-dd}") : null,
            }));
            await TenantProfile.BumpVersionAsync(tx);
            return Entry(insight, tenant.Id, new StateRow(wanted, state, until, insight.Says, insight.Magnitude));
        }, cancellationToken), InsightJson.Default.InsightEntry);

    private async Task<IResult> BringBackAsync(HttpRequest request, string id, string state, CancellationToken cancellationToken)
    {
        await _database.InTenantAsync(request.Caller().TenantId, async tx =>
        {
            var gone = Guid.TryParseExact(id, "D", out var wanted)
                ? await tx.QuerySingleOrDefaultAsync<string>("delete from insight_states where tenant_id = @tenant and insight_id = @wanted and state = @state returning text", new { wanted, state })
                : null;
            if (gone is null) throw NoSuchInsight();
            await _audit.WriteAsync(tx, request, new AuditEvent(AuditActions.InsightBroughtBack, "insight", id, Short(gone, 200), Before: new JsonObject { ["state"] = state }));
            await TenantProfile.BumpVersionAsync(tx);
        }, cancellationToken);
        return TypedResults.NoContent();
    }

    private async Task<(BusinessFacts Facts, IReadOnlyList<Insight> Insights)> FindAsync(TenantTransaction tx, HttpRequest request, TenantProfile tenant)
    {
        var (now, today) = (_time.GetUtcNow(), tenant.Today(_time));
        var query = new QueryReader(request);
        var sources = SourceSelection.Read(query, await SourceState.LoadAsync(tx, tenant, now));
        var period = Period.Read(query, today, SourceState.PeriodThrough(sources));
        var facts = await BusinessFacts.LoadAsync(tx, tenant, period, sources, await TenantCatalogue.LoadAsync(tx), today, now);
        return (facts, InsightRules.Find(facts));
    }

    private static InsightEntry Entry(Insight insight, Guid tenant, StateRow? state) => new(
        insight.IdFor(tenant), insight.Rule, insight.Severity, insight.Text, insight.Path, insight.Kpis, insight.Proof.Evidence,
        insight.Money is { } money ? decimal.Round(money, 2) : null, insight.Currency, state?.State ?? "open", state?.Until);

    private static ApiProblem NoSuchInsight() => ApiProblem.NotFound("There is no such insight, or not any more.");

    private static string Short(string text, int length) => text.Length <= length ? text : text[..(length - 1)] + "…";

    /// <summary>What was put aside, and what it said then.</summary>
    internal sealed record StateRow(Guid Id, string State, DateOnly? Until, string Says, decimal Magnitude)
    {
        /// <summary>Whether it still keeps an insight aside: the insight says the same, by no more than a quarter more or less, and the time is not over.</summary>
        public bool Holds(Insight insight, DateOnly today) =>
            (Until is null || today < Until) && Says == insight.Says && Math.Abs(insight.Magnitude - Magnitude) <= Material * Math.Abs(Magnitude);
    }
}
