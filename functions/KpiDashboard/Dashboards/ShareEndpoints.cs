using KpiDashboard.Access;
using KpiDashboard.Metrics;
using KpiDashboard.Security;
using System.Globalization;
using System.Text.Json.Nodes;
using KpiDashboard.Api;
using KpiDashboard.Auditing;
using KpiDashboard.Automation;
using KpiDashboard.Data;
using KpiDashboard.Identity;
using KpiDashboard.Kpis;
using KpiDashboard.Sources;
using KpiDashboard.Sync;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Dashboards;

/// <summary>
/// Read-only links to one dashboard: for people without an account and for screens on a wall. The secret stands in the link's fragment, which no server log
/// sees, comes in a header, and is kept as a hash. Whoever has it sees the numbers that are on that dashboard and nothing else.
/// </summary>
public sealed class ShareEndpoints
{
    /// <summary>The header that a viewer sends the secret in.</summary>
    internal const string Header = "X-Kpi-Share";

    /// <summary>Begins every secret of a link.</summary>
    internal const string Prefix = "kps_";

    /// <summary>Most links of a dashboard that work at once.</summary>
    internal const int MaxOpen = 20;

    private const string OneSource = "one source";

    private const string NoLink = "This link has run out or was taken back. Ask whoever gave it to you for a new one.";

    private readonly Database _database;
    private readonly TenantReads _reads;
    private readonly MetricsEndpoints _metrics;
    private readonly AutomationEndpoints _automation;
    private readonly RateLimits _limits;
    private readonly ClientAddress _address;
    private readonly AuditLog _audit;
    private readonly TimeProvider _time;

    internal ShareEndpoints(
        Database database, TenantReads reads, MetricsEndpoints metrics, AutomationEndpoints automation, RateLimits limits, ClientAddress address, AuditLog audit, TimeProvider time)
    {
        (_database, _reads, _metrics, _automation) = (database, reads, metrics, automation);
        (_limits, _address, _audit, _time) = (limits, address, audit, time);
    }

    /// <summary><c>GET dashboards/{id}/shares</c>: the links that work, without their secrets, which nobody has.</summary>
    public Task<IResult> ListAsync(HttpRequest request, string id, CancellationToken cancellationToken) =>
        _reads.AnswerByContentAsync(request, DashboardJson.Default.SharesResponse, async (tx, _) =>
        {
            var dashboard = (await DashboardEndpoints.FindAsync(tx, request.Caller(), id)).Id;
            var rows = await tx.QueryAsync<(Guid Id, string Label, string? By, DateTimeOffset At, DateTimeOffset Expires, DateTimeOffset? Used, string? Sources)>(
                """
                select s.id, s.label, (select m.display_name from list_members() m where m.id = s.created_by), s.created_at, s.expires_at, s.last_used_at,
                       array_to_string(s.sources, ',')
                from dashboard_shares s
                where s.tenant_id = @tenant and s.dashboard_id = @dashboard and s.revoked_at is null and s.expires_at > @now
                order by s.created_at desc, s.id
                limit 50
                """,
                new { dashboard, now = _time.GetUtcNow() });
            return new SharesResponse([.. rows.Select(row => new ShareEntry(row.Id, row.Label, row.By, row.At, row.Expires, row.Used, row.Sources?.Split(',')))]);
        }, cancellationToken);

    /// <summary><c>POST dashboards/{id}/shares</c>: the answer is the only place that ever holds the secret.</summary>
    public async Task<IResult> CreateAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var (caller, body) = (request.Caller(), (await JsonBody.ReadAsync(request, DashboardJson.Default.CreateShareRequest, cancellationToken))!);
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (PlainText.Fault("label", body.Label, 60) is { } fault) errors["label"] = [fault];
        if (body.Days is < 1 or > 365) errors["days"] = ["'days' must be 1 to 365: how long the link works."];
        if (errors.Count > 0) throw ApiProblem.Invalid(errors);

        var sources = body.Sources?.Distinct(StringComparer.Ordinal).ToArray();
        var (secret, now) = (TokenHash.Fresh(Prefix), _time.GetUtcNow());
        var (share, expires) = (Guid.CreateVersion7(now), now.AddDays(body.Days));
        await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            var dashboard = await DashboardEndpoints.FindAsync(tx, caller, id);
            if (sources is not null)
            {
                var tenant = await TenantProfile.LoadAsync(tx) ?? throw ApiProblem.NotFound("This business no longer exists.");
                if (SourceSelection.Check(sources, await SourceState.LoadAsync(tx, tenant, now)) is { } unknown) throw ApiProblem.Invalid("sources", unknown);
            }

            // Locked, so that two at once do not both take the last place.
            await tx.ExecuteAsync("select 1 from dashboards where tenant_id = @tenant and id = @Id for update", new { dashboard.Id });
            await tx.ExecuteAsync("delete from dashboard_shares where tenant_id = @tenant and least(expires_at, revoked_at) < @old", new { old = now.AddDays(-90) });
            var open = await tx.QuerySingleAsync<int>(
                "select count(*)::int from dashboard_shares where tenant_id = @tenant and dashboard_id = @Id and revoked_at is null and expires_at > @now", new { dashboard.Id, now });
            if (open >= MaxOpen) throw ApiProblem.Conflict($"There are {MaxOpen} links to this dashboard already; take one back first.");
            await tx.ExecuteAsync(
                """
                insert into dashboard_shares (tenant_id, id, dashboard_id, label, token_hash, created_by, created_at, expires_at, sources)
                values (@tenant, @share, @dashboard, @label, @hash, @user, @now, @expires, @sources::text[])
                """,
                new { share, dashboard = dashboard.Id, label = body.Label.Trim(), hash = TokenHash.Of(secret), user = caller.Person, now, expires, sources });
            await _audit.WriteAsync(tx, request, new AuditEvent(AuditActions.DashboardShared, "dashboard", dashboard.Id.ToString(), dashboard.Name, After: new JsonObject
            {
                ["label"] = body.Label.Trim(),
                ["expiresAt"] = expires.ToString("O", CultureInfo.InvariantCulture),
                ["sources"] = sources is null ? null : string.Join(',', sources),
            }));
        }, cancellationToken);
        request.HttpContext.Response.Headers.CacheControl = "no-store";
        return new JsonAnswer<CreateShareResponse>(new CreateShareResponse(share, secret, $"/shared#{secret}", expires), DashboardJson.Default.CreateShareResponse, StatusCodes.Status201Created);
    }

    /// <summary><c>DELETE dashboards/{id}/shares/{shareId}</c>: it leads nowhere from now on.</summary>
    public async Task<IResult> RevokeAsync(HttpRequest request, string id, string shareId, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            var dashboard = await DashboardEndpoints.FindAsync(tx, caller, id);
            var label = Guid.TryParseExact(shareId, "D", out var share)
                ? await tx.QuerySingleOrDefaultAsync<string>(
                    "update dashboard_shares set revoked_at = @now where tenant_id = @tenant and dashboard_id = @Id and id = @share and revoked_at is null returning label",
                    new { dashboard.Id, share, now = _time.GetUtcNow() })
                : null;
            if (label is null) throw ApiProblem.NotFound("There is no such link.");
            await _audit.WriteAsync(tx, request, new AuditEvent(AuditActions.DashboardUnshared, "dashboard", dashboard.Id.ToString(), dashboard.Name, Before: new JsonObject { ["label"] = label }));
        }, cancellationToken);
        return TypedResults.NoContent();
    }

    /// <summary>
    /// <c>GET shared/dashboard</c>: the dashboard of a link with its numbers, in one answer. Nothing that a person or a source is called by: freshness names the
    /// kind of the source only. Which days is one of the presets.
    /// </summary>
    public async Task<IResult> ViewAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var secret = request.Headers[Header].ToString();
        request.HttpContext.Response.Headers.Vary = Header;
        var now = _time.GetUtcNow();
        var found = secret.Length is > 0 and <= 200
            ? await _database.QueryAsync<Found>("select * from find_dashboard_share(@hash, @now)", new { hash = TokenHash.Of(secret), now }, cancellationToken)
            : [];
        if (found is not [var share])
        {
            await _limits.TakeByAddressAsync(Bucket.ShareAddress, _address.KnownKey(request), cancellationToken);
            throw ApiProblem.NotFound(NoLink);
        }

        await _limits.TakeAsync(Bucket.Share, share.id.ToString("N"), cancellationToken);
        if (request.Query.Keys.FirstOrDefault(key => key is not ("range" or "compare")) is { } other)
            throw ApiProblem.Invalid(other.Length <= 40 ? other : "query", "A link takes 'range' and 'compare' only.");
        await NoteAsync(share, now, cancellationToken);
        return await _reads.AnswerAsync(request, share.tenant_id, $"share {share.id:N} {share.version}", DashboardJson.Default.SharedDashboardResponse, async (tx, tenant) =>
        {
            var (name, stored) = await tx.QuerySingleAsync<(string Name, string Tiles)>(
                "select name, tiles::text from dashboards where tenant_id = @tenant and id = @dashboard_id", new { share.dashboard_id });
            var tiles = DashboardEndpoints.Read(stored);
            // What the link was narrowed to when it was made; what is gone of it since has no numbers.
            var kept = (await tx.QuerySingleAsync<string?>("select array_to_string(sources, ',') from dashboard_shares where tenant_id = @tenant and id = @id", new { share.id }))?.Split(',');
            var every = await SourceState.LoadAsync(tx, tenant, now);
            var summary = await _metrics.Summary(request, kept)(tx, tenant);
            var period = new Period(summary.Range, summary.From, summary.To, summary.Compare, summary.CompareFrom, summary.CompareTo);
            var whole = await PartAsync(request, tx, tenant, [.. tiles.Where(tile => tile.Sources is null)], kept, summary, period);
            var sources = SharedSources.Of(tiles, every, kept);
            var parts = new List<SharedPart>();
            foreach (var alike in tiles.Where(tile => tile.Sources is not null && sources.Has(tile)).GroupBy(tile => tile.Narrowed(), StringComparer.Ordinal))
            {
                var names = alike.First().Sources!;
                var own = await _metrics.Summary(request, names, period)(tx, tenant);
                parts.Add(await PartAsync(request, tx, tenant, [.. alike], names, own, period) with { Sources = sources.Numbered(names) });
            }

            return new SharedDashboardResponse(
                tenant.Name, name, share.expires_at, [.. tiles.Select(sources.Numbered)], whole.Summary, whole.Automation, sources.Entries, parts,
                kept is null ? null : [.. kept.Where(one => SourceSelection.Knows(one, every)).Select(one => SharedSources.NameOf(one, every))]);
        }, cancellationToken);
    }

    /// <summary>What tiles that are narrowed alike show, and no more.</summary>
    private async Task<SharedPart> PartAsync(
        HttpRequest request, TenantTransaction tx, TenantProfile tenant, IReadOnlyList<DashboardTile> tiles, IReadOnlyCollection<string>? names,
        SummaryResponse summary, Period period)
    {
        var kpis = DashboardLayout.Kpis(tiles);
        // What a business aims at stays with the business: nobody chose to show that.
        var shown = summary with
        {
            Kpis = [.. summary.Kpis.Where(kpi => kpis.Contains(kpi.Key)).Select(Anonymous)],
            Freshness = [.. summary.Freshness.Select(Anonymous)],
        };
        var automation = tiles.Any(tile => tile.Kind == DashboardTileKind.Automation) ? await _automation.Performance(request, period, names)(tx, tenant) : null;
        return new SharedPart([], shown, automation is null ? null : Anonymous(automation, kpis));
    }

    /// <summary>When the link was last used, to the minute; and in the audit log that it was, once a day.</summary>
    private async Task NoteAsync(Found share, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (share.last_used_at > now.AddMinutes(-1)) return;
        await _database.InTenantAsync(share.tenant_id, async tx =>
        {
            var noted = await tx.QuerySingleOrDefaultAsync<string>(
                "update dashboard_shares set last_used_at = @now where tenant_id = @tenant and id = @id and (last_used_at is null or last_used_at <= @minute) returning label",
                new { share.id, now, minute = now.AddMinutes(-1) });
            if (noted is null || share.last_used_at?.UtcDateTime.Date == now.UtcDateTime.Date) return;
            await _audit.WriteSystemAsync(tx, new AuditEvent(AuditActions.DashboardLinkUsed, "dashboard", share.dashboard_id.ToString(), null, After: new JsonObject { ["label"] = noted }));
        }, cancellationToken);
    }

    /// <summary>
    /// What an hour of work and the automations cost stays with the business, and so does what either could be computed from: worth and return are told only where a tile of their
    /// own shows them. Workflows are numbered: their ids open nothing, but are how the n8n of the business knows them.
    /// </summary>
    private static PerformanceResponse Anonymous(PerformanceResponse all, IReadOnlySet<string> shown)
    {
        var worth = shown.Contains("automation.value_saved");
        var gain = shown.Contains("automation.roi");
        return all with
        {
            HourlyLabourCost = null,
            AutomationCostPerMonth = null,
            Totals = Totals(all.Totals),
            Previous = all.Previous is { } before ? Totals(before) : null,
            Changes = [.. all.Changes.Where(change => change.Unit != KpiUnit.Currency && change.Key != "automation.roi" || shown.Contains(change.Key))],
            Workflows =
            [
                .. all.Workflows.Select((workflow, index) => workflow with
                {
                    Id = (index + 1).ToString(CultureInfo.InvariantCulture),
                    IntegrationId = Guid.Empty,
                    // How the business sorts them is none of a viewer's business either.
                    Tags = [],
                    ProjectId = null,
                    Project = null,
                    ValueSaved = null,
                    LostValue = null,
                    Previous = workflow.Previous is { } earlier ? earlier with { ValueSaved = null } : null,
                }),
            ],
            Daily = [.. all.Daily.Select(day => day with { ValueSaved = null })],
            LeftOut = [.. all.LeftOut.Select((workflow, index) => workflow with { Id = (index + 1).ToString(CultureInfo.InvariantCulture) })],
            Freshness = [.. all.Freshness.Select(Anonymous)],
        };

        PerformanceTotals Totals(PerformanceTotals totals) => totals with
        {
            Cost = null,
            PaybackDays = null,
            LostValue = null,
            ValueSaved = worth ? totals.ValueSaved : null,
            Roi = gain ? totals.Roi : null,
        };
    }

    /// <summary>
    /// The sources that tiles are narrowed to, numbered: their ids are how the business knows them. They are called as the owner called them, because two
    /// tiles of one number could not be told apart otherwise; who makes a link is told so. One that is gone, or that the link does not show, has no name.
    /// </summary>
    private sealed class SharedSources(IReadOnlyList<string> ids, IReadOnlyList<SharedSource> entries)
    {
        public IReadOnlyList<SharedSource> Entries { get; } = entries;

        public static SharedSources Of(IEnumerable<DashboardTile> tiles, IReadOnlyCollection<SourceState> every, IReadOnlyCollection<string>? kept)
        {
            List<string> ids = [.. tiles.SelectMany(tile => tile.Sources ?? []).Distinct(StringComparer.Ordinal)];
            var shown = ids.Where(id => SourceSelection.Knows(id, every) && (kept is null || kept.Contains(id, StringComparer.Ordinal)));
            return new(ids, [.. shown.Select(id => new SharedSource(Number(ids, id), NameOf(id, every)))]);
        }

        public static string NameOf(string id, IEnumerable<SourceState> every) =>
            every.FirstOrDefault(source => source.Id.ToString("D") == id)?.DisplayName ?? SourceEntry.PushName;

        /// <summary>Whether all that a tile is narrowed to can be shown.</summary>
        public bool Has(DashboardTile tile) => Numbered(tile.Sources!).All(number => Entries.Any(entry => entry.Id == number));

        public DashboardTile Numbered(DashboardTile tile) => tile.Sources is { } names ? tile with { Sources = Numbered(names) } : tile;

        public IReadOnlyList<string> Numbered(IEnumerable<string> names) => [.. names.Select(name => Number(ids, name))];

        private static string Number(IReadOnlyList<string> ids, string id) => (ids.ToList().IndexOf(id) + 1).ToString(CultureInfo.InvariantCulture);
    }

    // Whose number it is, is told without what the owner called it.
    private static SummaryKpi Anonymous(SummaryKpi kpi) => kpi with
    {
        Goal = null,
        Name = kpi.OnlyOf is { } name && kpi.Name.EndsWith(SummaryKpi.NameOf("", name), StringComparison.Ordinal)
            ? SummaryKpi.NameOf(kpi.Name[..^SummaryKpi.NameOf("", name).Length], OneSource)
            : kpi.Name,
        OnlyOf = kpi.OnlyOf is null ? null : OneSource,
    };

    // What the owner called the source, its id and what it last complained of are not a viewer's business.
    private static Freshness Anonymous(Freshness source) => source with
    {
        IntegrationId = Guid.Empty,
        DisplayName = source.Connector switch { "google-analytics" => "Google Analytics", "n8n" => "n8n", _ => "A source" },
        Message = null,
    };

#pragma warning disable IDE1006 // Dapper maps these to the columns of the function by name.
    private sealed record Found(Guid tenant_id, Guid id, Guid dashboard_id, int version, DateTimeOffset expires_at, DateTimeOffset? last_used_at);
#pragma warning restore IDE1006
}

/// <summary>
/// Make a link. <c>label</c> tells it from others, <c>days</c> is how long it works. <c>sources</c>: numbers of these alone, ids of integrations or
/// <c>push</c>; all when left out.
/// </summary>
internal sealed record CreateShareRequest(string Label, int Days, IReadOnlyList<string>? Sources = null);

/// <summary>A fresh link: its secret is shown this once. <c>path</c>: of the page, to be put after the site's own address.</summary>
internal sealed record CreateShareResponse(Guid Id, string Secret, string Path, DateTimeOffset ExpiresAt);

/// <summary>The links to a dashboard that work.</summary>
internal sealed record SharesResponse(IReadOnlyList<ShareEntry> Shares);

/// <summary>
/// A link in the list. <c>createdBy</c>: name of whoever made it; null once that person left. <c>sources</c>: what it shows the numbers of; null for all.
/// </summary>
internal sealed record ShareEntry(
    Guid Id, string Label, string? CreatedBy, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, DateTimeOffset? LastUsedAt, IReadOnlyList<string>? Sources);

/// <summary>
/// What the viewer of a link sees: one dashboard, its KPIs and, if it has the tile, the workflows. <c>parts</c>: numbers of the tiles that are narrowed to
/// sources; a tile names them by the numbers that they have in <c>sources</c>, and shows nothing where one of them is not there. <c>numbersOf</c>: what
/// the link was narrowed to; null for all.
/// </summary>
internal sealed record SharedDashboardResponse(
    string Business, string Name, DateTimeOffset ExpiresAt, IReadOnlyList<DashboardTile> Tiles, SummaryResponse Summary, PerformanceResponse? Automation,
    IReadOnlyList<SharedSource> Sources, IReadOnlyList<SharedPart> Parts, IReadOnlyList<string>? NumbersOf);

/// <summary>A source that tiles are narrowed to, as its owner called it.</summary>
internal sealed record SharedSource(string Id, string Name);

/// <summary>What the tiles that are narrowed to the same sources show.</summary>
internal sealed record SharedPart(IReadOnlyList<string> Sources, SummaryResponse Summary, PerformanceResponse? Automation);
