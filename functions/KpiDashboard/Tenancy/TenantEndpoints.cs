using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Tenancy;

/// <summary>A person's businesses, and the settings of one.</summary>
public sealed class TenantEndpoints
{
    internal TenantEndpoints() { }

    /// <summary><c>GET tenants</c>.</summary>
    public Task<IResult> ListAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>POST tenants</c>.</summary>
    public Task<IResult> CreateAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>GET tenant</c>.</summary>
    public Task<IResult> SettingsAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>PUT tenant</c>.</summary>
    public Task<IResult> UpdateSettingsAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>POST tenant/transfer-ownership</c>.</summary>
    public Task<IResult> TransferOwnershipAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>POST tenant/leave</c>.</summary>
    public Task<IResult> LeaveAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>GET roles</c>.</summary>
    public Task<IResult> RolesAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();
}

/// <summary>The person's businesses with their health, what needs attention first.</summary>
internal sealed record TenantsResponse(IReadOnlyList<TenantEntry> Tenants);

/// <summary>A business and its health: the worst state of its sources, in the owner's words, and when its numbers were last fetched.</summary>
internal sealed record TenantEntry(
    Guid Id, string Name, string Role, bool IsDemo, int Integrations, int Troubled, TenantHealth Health, string? Message, DateTimeOffset? FetchedAt,
    DateOnly? CompleteThrough, DateTimeOffset? DeleteAfter);

/// <summary>How a business is doing technically.</summary>
[JsonConverter(typeof(KpiDashboard.Api.SnakeCaseEnum<TenantHealth>))]
internal enum TenantHealth
{
    /// <summary>Every source is read on time.</summary>
    Ok,

    /// <summary>Something heals by itself or was paused.</summary>
    Attention,

    /// <summary>A person must act.</summary>
    Trouble,

    /// <summary>Nothing is connected yet.</summary>
    Empty,
}

/// <summary>Another business for the person that is signed in, who becomes its owner.</summary>
internal sealed record CreateTenantRequest(string BusinessName, string? TimeZone = null, string? Currency = null);

/// <summary>The settings of the business. <c>weekStart</c>: 0 = Sunday … 6 = Saturday. Costs in <c>currency</c>, null = not set.</summary>
internal sealed record TenantSettings(
    string Name, string TimeZone, string Currency, string Locale, int WeekStart, int FiscalYearStartMonth, decimal? HourlyLabourCost, decimal? AutomationCostPerMonth,
    bool RequireSecondFactor);

/// <summary>What the settings say now, and what changing them did to the numbers of the last 28 complete days.</summary>
internal sealed record UpdateTenantResponse(TenantSettings Settings, IReadOnlyList<SettingsEffect> Effects);

/// <summary>A number before and after; null where it is not measurable.</summary>
internal sealed record SettingsEffect(string Kpi, string Name, string Unit, decimal? Before, decimal? After);

/// <summary>Names a member.</summary>
internal sealed record MemberRequest(Guid UserId);

/// <summary>The table of who may do what.</summary>
internal sealed record RolesResponse(IReadOnlyList<PermissionEntry> Permissions, IReadOnlyList<RoleEntry> Roles);

/// <summary>A permission and what it allows.</summary>
internal sealed record PermissionEntry(string Key, string Description);

/// <summary>A role and its permissions.</summary>
internal sealed record RoleEntry(string Role, IReadOnlyList<string> Permissions);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(TenantsResponse))]
[JsonSerializable(typeof(CreateTenantRequest))]
[JsonSerializable(typeof(TenantSettings))]
[JsonSerializable(typeof(UpdateTenantResponse))]
[JsonSerializable(typeof(MemberRequest))]
[JsonSerializable(typeof(RolesResponse))]
internal sealed partial class TenantJson : JsonSerializerContext;
