using KpiDashboard.Access;
using KpiDashboard.Security;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using KpiDashboard.Api;
using KpiDashboard.Auditing;
using KpiDashboard.Data;
using KpiDashboard.Kpis;
using KpiDashboard.Sources;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Dashboards;

/// <summary>
/// Dashboards that people put together. A private one is its owner's alone; a shared one is the business's: everybody there sees it, and whoever may share
/// may change it. Numbers are not in here: the page asks for them once, whatever is on the dashboard.
/// </summary>
public sealed class DashboardEndpoints
{
    /// <summary>Most dashboards that a person may have, and most that a business may share.</summary>
    internal const int MaxOwn = 50, MaxShared = 100;

    private readonly Database _database;
    private readonly TenantReads _reads;
    private readonly AuditLog _audit;
    private readonly TimeProvider _time;

    internal DashboardEndpoints(Database database, TenantReads reads, AuditLog audit, TimeProvider time) => (_database, _reads, _audit, _time) = (database, reads, audit, time);

    /// <summary><c>GET dashboards</c>: what the caller may see, and the templates. A token is nobody, so it sees the shared ones.</summary>
    public Task<IResult> ListAsync(HttpRequest request, CancellationToken cancellationToken) =>
        _reads.AnswerByContentAsync(request, DashboardJson.Default.DashboardsResponse, async (tx, tenant) =>
        {
            var caller = request.Caller();
            var rows = await tx.QueryAsync<Row>(Select + "where d.tenant_id = @tenant and (d.shared or d.owner_id = @user) order by d.shared, lower(d.name), d.id limit 200", new { user = caller.UserId });
            var catalogue = await TenantCatalogue.LoadAsync(tx);
            var measured = await DashboardTemplates.MeasuredAsync(tx, catalogue);
            return new DashboardsResponse(
                [.. rows.Select(row => row.ToEntry(caller))],
                DashboardTemplates.For(measured, catalogue, await SourceState.LoadAsync(tx, tenant, _time.GetUtcNow())));
        }, cancellationToken);

    /// <summary><c>GET dashboards/{id}</c>.</summary>
    public Task<IResult> GetAsync(HttpRequest request, string id, CancellationToken cancellationToken) =>
        _reads.AnswerByContentAsync(request, DashboardJson.Default.DashboardResponse, async (tx, _) =>
            (await FindAsync(tx, request.Caller(), id)).ToResponse(request.Caller()), cancellationToken);

    /// <summary><c>POST dashboards</c>: from a template or from tiles.</summary>
    public async Task<IResult> CreateAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var (caller, body) = (request.Caller(), (await JsonBody.ReadAsync(request, DashboardJson.Default.CreateDashboardRequest, cancellationToken))!);
        var owner = caller.Person;
        if (body.Shared) ThrowUnlessMayShare(caller);
        var made = await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            var tenant = await TenantProfile.LoadAsync(tx) ?? throw ApiProblem.NotFound("This business no longer exists.");
            var catalogue = await TenantCatalogue.LoadAsync(tx);
            var sources = await SourceState.LoadAsync(tx, tenant, _time.GetUtcNow());
            var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
            CheckName(errors, body.Name);
            var tiles = body.Tiles;
            if ((body.Template is null) == (body.Tiles is null))
            {
                errors["template"] = ["Give either 'template' or 'tiles'."];
            }
            else if (body.Template is { } key)
            {
                var measured = await DashboardTemplates.MeasuredAsync(tx, catalogue);
                var templates = DashboardTemplates.For(measured, catalogue, sources);
                tiles = templates.FirstOrDefault(template => template.Key == key)?.Tiles;
                if (tiles is null) errors["template"] = ["'template' must be one of those that GET /api/dashboards lists."];
            }

            if (tiles is not null) DashboardLayout.Check(errors, tiles, catalogue, sources);
            if (errors.Count > 0) throw ApiProblem.Invalid(errors);

            await LockAsync(tx);
            await ThrowIfFullAsync(tx, owner, body.Shared);
            var (id, now) = (Guid.CreateVersion7(_time.GetUtcNow()), _time.GetUtcNow());
            await tx.ExecuteAsync(
                """
                insert into dashboards (tenant_id, id, owner_id, shared, name, tiles, created_at, updated_at)
                values (@tenant, @id, @owner, @shared, @name, @tiles::jsonb, @now, @now)
                """,
                new { id, owner, shared = body.Shared, name = body.Name.Trim(), tiles = Write(tiles!), now });
            var row = await FindAsync(tx, caller, id.ToString());
            if (row.Shared) await _audit.WriteAsync(tx, request, Event(AuditActions.DashboardCreated, row, after: row.ToAudit()));
            return row;
        }, cancellationToken);
        return new JsonAnswer<DashboardResponse>(made.ToResponse(caller), DashboardJson.Default.DashboardResponse, StatusCodes.Status201Created);
    }

    /// <summary><c>PATCH dashboards/{id}</c>: what is left out stays. <c>version</c> is the one that was read; if somebody was faster, nothing is changed.</summary>
    public async Task<IResult> UpdateAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var (caller, body) = (request.Caller(), (await JsonBody.ReadAsync(request, DashboardJson.Default.UpdateDashboardRequest, cancellationToken))!);
        var changed = await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            await LockAsync(tx);
            var before = await FindAsync(tx, caller, id);
            ThrowUnlessMayEdit(caller, before);
            var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
            if (body is { Name: null, Tiles: null, Shared: null }) errors["name"] = ["Give 'name', 'tiles' or 'shared': there is nothing to change."];
            if (body.Name is not null) CheckName(errors, body.Name);
            if (body.Tiles is { } tiles) await CheckAsync(tx, errors, tiles, before);
            if (errors.Count > 0) throw ApiProblem.Invalid(errors);
            if (Publishes(body, before)) await ThrowUnlessMayPublishAsync(tx, caller, before);
            if (body.Version != before.Version)
                throw ApiProblem.Conflict($"“{before.Name}” was changed by somebody else meanwhile. Load it again to see what is new, then make your change.");
            if (body.Shared is { } shared && shared != before.Shared)
            {
                ThrowUnlessMayShare(caller);
                if (!shared && before.OwnerId != caller.UserId) throw ApiProblem.Forbidden("Only whoever made a dashboard can make it private again.");
                await ThrowIfFullAsync(tx, caller.Person, shared);
            }

            await tx.ExecuteAsync(
                """
                update dashboards
                set name = coalesce(@name, name), tiles = coalesce(@tiles::jsonb, tiles), shared = coalesce(@shared, shared), version = version + 1, updated_at = @now
                where tenant_id = @tenant and id = @id
                """,
                new { before.Id, name = body.Name?.Trim(), tiles = body.Tiles is { } own ? Write(own) : null, shared = body.Shared, now = _time.GetUtcNow() });
            var after = await FindAsync(tx, caller, id);
            if (before.Shared || after.Shared) await _audit.WriteAsync(tx, request, Event(AuditActions.DashboardChanged, after, before.ToAudit(), after.ToAudit()));
            return after;
        }, cancellationToken);
        return new JsonAnswer<DashboardResponse>(changed.ToResponse(caller), DashboardJson.Default.DashboardResponse);
    }

    /// <summary><c>DELETE dashboards/{id}</c>: with its links.</summary>
    public async Task<IResult> DeleteAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            await LockAsync(tx);
            var before = await FindAsync(tx, caller, id);
            ThrowUnlessMayEdit(caller, before);
            await tx.ExecuteAsync("delete from dashboards where tenant_id = @tenant and id = @id", new { before.Id });
            if (before.Shared) await _audit.WriteAsync(tx, request, Event(AuditActions.DashboardDeleted, before, before: before.ToAudit()));
        }, cancellationToken);
        return TypedResults.NoContent();
    }

    /// <summary>A dashboard that the caller may see.</summary>
    /// <exception cref="ApiProblem">404: there is none, or it is somebody else's private one, which is answered the same.</exception>
    internal static async Task<Row> FindAsync(TenantTransaction tx, Caller caller, string id) =>
        (Guid.TryParseExact(id, "D", out var dashboard)
            ? await tx.QuerySingleOrDefaultAsync<Row>(Select + "where d.tenant_id = @tenant and d.id = @dashboard and (d.shared or d.owner_id = @user)", new { dashboard, user = caller.UserId })
            : null) ?? throw ApiProblem.NotFound("There is no such dashboard.");

    /// <summary>The tiles as they are stored.</summary>
    internal static IReadOnlyList<DashboardTile> Read(string tiles) => JsonSerializer.Deserialize(tiles, DashboardJson.Default.IReadOnlyListDashboardTile) ?? [];

    private static string Write(IReadOnlyList<DashboardTile> tiles) => JsonSerializer.Serialize(DashboardLayout.Tidy(tiles), DashboardJson.Default.IReadOnlyListDashboardTile);

    private async Task CheckAsync(TenantTransaction tx, Dictionary<string, string[]> errors, IReadOnlyList<DashboardTile> tiles, Row before)
    {
        var tenant = await TenantProfile.LoadAsync(tx) ?? throw ApiProblem.NotFound("This business no longer exists.");
        var sources = await SourceState.LoadAsync(tx, tenant, _time.GetUtcNow());
        DashboardLayout.Check(errors, tiles, await TenantCatalogue.LoadAsync(tx), sources, Read(before.Tiles));
    }

    // Writers of one business one after the other: limits and versions are read before they are written.
    private static Task<int> LockAsync(TenantTransaction tx) => tx.ExecuteAsync("select pg_advisory_xact_lock(hashtextextended('dashboards ' || @tenant::text, 0))");

    private static bool MayEdit(Caller caller, Row row) => row.Shared ? Permissions.RoleMay(caller.Role, Permission.ShareDashboards) : row.OwnerId == caller.UserId;

    private static void ThrowUnlessMayEdit(Caller caller, Row row)
    {
        if (!MayEdit(caller, row)) throw ApiProblem.Forbidden($"The role {caller.Role} may not change a dashboard that the business shares. Copy it to have one of your own.");
    }

    /// <summary>Whether a change shows something that the dashboard did not show: tiles may go, move and change their size, and that is all.</summary>
    private static bool Publishes(UpdateDashboardRequest change, Row before)
    {
        if (change.Name is { } name && name.Trim() != before.Name) return true;
        if (change.Tiles is not { } tiles) return false;
        var shown = Read(before.Tiles).Select(Content).ToHashSet();
        return tiles.Any(tile => !shown.Contains(Content(tile)));

        static (DashboardTileKind, string?, string?, string) Content(DashboardTile tile) => (tile.Kind, tile.Kpi, tile.Text, tile.Narrowed());
    }

    /// <summary>What a link shows, whoever has the link sees without signing in: only those who may make links may add to it.</summary>
    private async Task ThrowUnlessMayPublishAsync(TenantTransaction tx, Caller caller, Row row)
    {
        if (Permissions.RoleMay(caller.Role, Permission.ManageShares)) return;
        var open = await tx.QuerySingleAsync<bool>(
            """
            select exists (select 1 from dashboard_shares where tenant_id = @tenant and dashboard_id = @Id and revoked_at is null and expires_at > @now)
            """, new { row.Id, now = _time.GetUtcNow() });
        if (open)
            throw ApiProblem.Forbidden($"“{row.Name}” is shown to people without an account, by a link. Only an owner or admin may add to what they see; copy it to have one of your own.");
    }

    private static void ThrowUnlessMayShare(Caller caller)
    {
        if (!Permissions.RoleMay(caller.Role, Permission.ShareDashboards)) throw ApiProblem.Forbidden($"The role {caller.Role} may not share a dashboard with the business.");
    }

    private static void CheckName(Dictionary<string, string[]> errors, string name)
    {
        if (PlainText.Fault("name", name, 60) is { } fault) errors["name"] = [fault];
    }

    private static async Task ThrowIfFullAsync(TenantTransaction tx, Guid owner, bool shared)
    {
        var count = await tx.QuerySingleAsync<int>(
            "select count(*)::int from dashboards where tenant_id = @tenant and shared = @shared and (@shared or owner_id = @owner)", new { owner, shared });
        if (count >= (shared ? MaxShared : MaxOwn))
            throw ApiProblem.Conflict(shared ? $"The business shares {MaxShared} dashboards already; delete one first." : $"You have {MaxOwn} dashboards already; delete one first.");
    }

    private static AuditEvent Event(string action, Row row, JsonObject? before = null, JsonObject? after = null) => new(action, "dashboard", row.Id.ToString(), row.Name, before, after);

    private const string Select =
        """
        select d.id, d.name, d.shared, d.owner_id as OwnerId, (select m.display_name from list_members() m where m.id = d.owner_id) as Owner,
               d.tiles::text as Tiles, d.version, d.created_at as CreatedAt, d.updated_at as UpdatedAt
        from dashboards d

        """;

    /// <summary>A row of <c>dashboards</c>.</summary>
    internal sealed record Row(Guid Id, string Name, bool Shared, Guid? OwnerId, string? Owner, string Tiles, int Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
    {
        public DashboardEntry ToEntry(Caller caller) =>
            new(Id, Name, Shared, OwnerId is not null && OwnerId == caller.UserId, Owner, MayEdit(caller, this), Read(Tiles).Count, Version, UpdatedAt);

        public DashboardResponse ToResponse(Caller caller) =>
            new(Id, Name, Shared, OwnerId is not null && OwnerId == caller.UserId, Owner, MayEdit(caller, this), Version, UpdatedAt, Read(Tiles));

        public JsonObject ToAudit() => new() { ["name"] = Name, ["shared"] = Shared, ["tiles"] = Read(Tiles).Count };
    }
}

/// <summary>Make a dashboard, from a template or from tiles. <c>shared</c>: with the business.</summary>
internal sealed record CreateDashboardRequest(string Name, string? Template = null, IReadOnlyList<DashboardTile>? Tiles = null, bool Shared = false);

/// <summary>Change a dashboard; what is left out stays. <c>version</c>: of the dashboard that was read.</summary>
internal sealed record UpdateDashboardRequest(int Version, string? Name = null, IReadOnlyList<DashboardTile>? Tiles = null, bool? Shared = null);

/// <summary>The dashboards that the caller may see, and what one can begin with.</summary>
internal sealed record DashboardsResponse(IReadOnlyList<DashboardEntry> Dashboards, IReadOnlyList<DashboardTemplate> Templates);

/// <summary>A dashboard in the list. <c>owner</c>: name of whoever made it; null once that person left. <c>tiles</c>: how many it has.</summary>
internal sealed record DashboardEntry(Guid Id, string Name, bool Shared, bool IsMine, string? Owner, bool MayEdit, int Tiles, int Version, DateTimeOffset UpdatedAt);

/// <summary>A dashboard with its tiles in reading order.</summary>
internal sealed record DashboardResponse(
    Guid Id, string Name, bool Shared, bool IsMine, string? Owner, bool MayEdit, int Version, DateTimeOffset UpdatedAt, IReadOnlyList<DashboardTile> Tiles);

/// <summary>What one can begin with: its tiles are those that this business has numbers for.</summary>
internal sealed record DashboardTemplate(string Key, string Name, string Description, bool Suggested, IReadOnlyList<DashboardTile> Tiles);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(CreateDashboardRequest))]
[JsonSerializable(typeof(UpdateDashboardRequest))]
[JsonSerializable(typeof(DashboardsResponse))]
[JsonSerializable(typeof(DashboardResponse))]
[JsonSerializable(typeof(IReadOnlyList<DashboardTile>))]
[JsonSerializable(typeof(CreateShareRequest))]
[JsonSerializable(typeof(CreateShareResponse))]
[JsonSerializable(typeof(SharesResponse))]
[JsonSerializable(typeof(SharedDashboardResponse))]
internal sealed partial class DashboardJson : JsonSerializerContext;
