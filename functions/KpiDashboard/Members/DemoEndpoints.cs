using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Auditing;
using KpiDashboard.Data;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace KpiDashboard.Members;

/// <summary>
/// Looking around before anything is connected: whoever wants to becomes a viewer of the business that <c>Demo:Tenant</c> names, which must be marked as a
/// demonstration. Its numbers stay in that business; leaving it (<c>POST tenant/leave</c>) takes it away again. Viewers do not see each other.
/// </summary>
public sealed class DemoEndpoints
{
    /// <summary>Configuration key: id of the demonstration; none is offered without it.</summary>
    public const string TenantKey = "Demo:Tenant";

    private readonly Database _database;
    private readonly AuditLog _audit;
    private readonly RateLimits _limits;
    private readonly IConfiguration _configuration;
    private readonly TimeProvider _time;

    internal DemoEndpoints(Database database, AuditLog audit, RateLimits limits, IConfiguration configuration, TimeProvider time) =>
        (_database, _audit, _limits, _configuration, _time) = (database, audit, limits, configuration, time);

    /// <summary><c>GET demo</c>: whether this installation has a demonstration, and whether the person is in it already.</summary>
    public async Task<IResult> ShowAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var name = await FindAsync(cancellationToken);
        var joined = name is not null && await IsMemberAsync(request.Caller().Person, cancellationToken);
        return TenantReads.Answer(request, new DemoResponse(name is null ? null : Tenant, name, joined), DemoJson.Default.DemoResponse);
    }

    /// <summary><c>POST demo</c>: the person becomes a viewer of it, or is one; <c>auth/switch</c> then leads there.</summary>
    public async Task<IResult> JoinAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        if (await FindAsync(cancellationToken) is not { } name) throw ApiProblem.NotFound("This installation has no demonstration.");
        if (!await IsMemberAsync(caller.Person, cancellationToken))
        {
            await _limits.TakeAsync(Bucket.RegisterAddress, $"person:{caller.Person:N}", cancellationToken);
            await _database.InTenantAsync(Tenant!.Value, async tx =>
            {
                var joined = await tx.ExecuteAsync(
                    """
                    insert into memberships (tenant_id, user_id, role, created_at) values (@tenant, @user, 'viewer', @now)
                    on conflict (tenant_id, user_id) do nothing
                    """,
                    new { user = caller.Person, now = _time.GetUtcNow() });
                // Joined a moment ago by another request, or deactivated, which switching then says.
                if (joined == 0) return;
                var joining = new AuditEvent(
                    AuditActions.MemberJoined, "person", caller.Person.ToString(), caller.Name, After: new JsonObject { ["role"] = "viewer", ["demo"] = true });
                await (caller.EmailVerified
                    ? _audit.WriteAsync(tx, request, caller.Person, caller.Name, joining)
                    : _audit.WriteUnconfirmedAsync(tx, request, caller.Person, joining));
                await TenantProfile.BumpVersionAsync(tx);
            }, cancellationToken);
        }

        return new JsonAnswer<DemoResponse>(new DemoResponse(Tenant, name, true), DemoJson.Default.DemoResponse);
    }

    // Read each time: the start command knows its demonstration only once it has made it.
    private Guid? Tenant => Guid.TryParse(_configuration[TenantKey], out var id) ? id : null;

    /// <summary>Name of the demonstration; null where there is none, it is not marked as one, or it is to be deleted.</summary>
    private async Task<string?> FindAsync(CancellationToken cancellationToken) => Tenant is { } id
        ? await _database.InTenantAsync(id, tx => tx.QuerySingleOrDefaultAsync<string>(
            "select name from tenants where id = @tenant and is_demo and delete_after is null"), cancellationToken)
        : null;

    private async Task<bool> IsMemberAsync(Guid user, CancellationToken cancellationToken) =>
        (await _database.QueryAsync<Guid>("select tenant_id from list_tenants_of(@user)", new { user }, cancellationToken)).Contains(Tenant!.Value);
}

/// <summary>The demonstration of this installation: its tenant and name, null where there is none; <c>joined</c>: the person may look at it already.</summary>
internal sealed record DemoResponse(Guid? TenantId, string? Name, bool Joined);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(DemoResponse))]
internal sealed partial class DemoJson : JsonSerializerContext;
