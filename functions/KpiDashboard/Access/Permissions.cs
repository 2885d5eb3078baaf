using System.Reflection;
using KpiDashboard.Api;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Access;

/// <summary>What a route needs. Slices <see cref="GrantAttribute">grant</see> it to roles and token scopes.</summary>
public enum Permission
{
    /// <summary>Anybody, without a token: sign-in, health, the API description.</summary>
    Anonymous,

    /// <summary>Anybody who is signed in: one's own account, sessions and businesses.</summary>
    SignedIn,

    /// <summary>See numbers, integrations and runs.</summary>
    Read,

    /// <summary>Start a refresh.</summary>
    Refresh,

    /// <summary>Push and import readings of custom KPIs.</summary>
    Push,

    /// <summary>Report executions of n8n; for machines only.</summary>
    PushExecutions,

    /// <summary>Add, list and revoke API and webhook tokens.</summary>
    ManageTokens,

    /// <summary>Invite people, change their roles, deactivate and remove them.</summary>
    ManageMembers,

    /// <summary>Change the settings of the business.</summary>
    ManageSettings,

    /// <summary>Connect, change, pause and disconnect sources.</summary>
    ManageIntegrations,

    /// <summary>Make, change and delete dashboards of one's own.</summary>
    KeepDashboards,

    /// <summary>Share a dashboard with the business, and change those that it shares.</summary>
    ShareDashboards,

    /// <summary>Make, list and take back read-only links to dashboards, which work without signing in.</summary>
    ManageShares,

    /// <summary>Set goals, define calculated KPIs, write annotations, put insights aside.</summary>
    ManageNumbers,

    /// <summary>See and export the audit log.</summary>
    ReadAudit,

    /// <summary>Hand the business over, export all its data, delete it.</summary>
    ManageTenant,

    /// <summary>
    /// Operate the installation, across tenants: no role and no scope has it. The Functions host admits by function key before the function runs, and
    /// admission refuses everybody where the trigger does not ask for one.
    /// </summary>
    Operate,
}

/// <summary>
/// On a trigger method: what its caller must be allowed to do. An HTTP function without it is refused to everybody.
/// </summary>
/// <param name="permission">What is needed.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RequiresAttribute(Permission permission) : Attribute, ICallRule
{
    /// <summary>What is needed.</summary>
    public Permission Permission { get; } = permission;

    /// <summary>What every call of the route exercises: for what a stolen session must not do.</summary>
    public Power Power { get; init; }

    /// <summary>What a call may exercise, depending on what it asks for; the route demands it then (<see cref="PowerTable.Demand"/>).</summary>
    public Power[] Powers { get; init; } = [];

    /// <summary>
    /// The route is about the person or about no business yet (its account, its sessions, its businesses): a session need not say which business its page shows.
    /// </summary>
    public bool Person { get; init; }

    /// <summary>The way out of a page that shows another business than its session is in: answered whatever the page says it shows.</summary>
    public bool AnyBusiness { get; init; }

    /// <summary>The person must have proved who it is within the last 15 minutes.</summary>
    public bool Fresh => PowerTable.Of(Power) is not Proof.None;

    /// <summary>A Standard Webhooks signature is accepted in place of a token.</summary>
    public bool Signature { get; init; }

    /// <summary>What a call costs; <see cref="CostLimit"/> has the limits.</summary>
    public Cost Cost { get; init; }

    Callers ICallRule.Callers => Permission switch
    {
        Permission.Anonymous => Callers.Anybody,
        Permission.Operate => Callers.Operators,
        _ => Callers.Known,
    };

    bool ICallRule.NamesBusiness => ((ICallRule)this).Callers == Callers.Known && !AnyBusiness;

    /// <summary>Whether a call reads the data of the business that the caller is in.</summary>
    internal bool Reads(string method) => (HttpMethods.IsGet(method) || HttpMethods.IsHead(method)) && !Person && !AnyBusiness && Permission is Permission.Read;

    /// <summary>Largest body, in bytes; 0 for what is usual for its cost. That of a signed request is read before its sender is known.</summary>
    public int Body { get; init; }
}

/// <summary>
/// Registers a permission, from the folder of the slice that it is about: what it allows in words, who has it, and what it is called for
/// tokens. The permissions themselves are the contract of Access with the triggers.
/// </summary>
/// <param name="permission">What is granted.</param>
/// <param name="words">What it allows.</param>
[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
internal sealed class GrantAttribute(Permission permission, string words) : Attribute
{
    /// <summary>What is granted.</summary>
    public Permission Permission { get; } = permission;

    /// <summary>What it allows.</summary>
    public string Words { get; } = words;

    /// <summary>The least role that has it; those above have it too. Null: no person has it.</summary>
    public string? From { get; init; }

    /// <summary>The scope by which a token has it. Null: no token has it.</summary>
    public string? Scope { get; init; }

    /// <summary>Still possible in a business that is to be deleted.</summary>
    public bool WhileDeleting { get; init; }
}

/// <summary>
/// Who may do what, of all that slices <see cref="GrantAttribute">grant</see>; the API, the page and the documentation read it.
/// </summary>
internal static class Permissions
{
    private static readonly IReadOnlyList<GrantAttribute> Grants =
        [.. typeof(Permissions).Assembly.GetCustomAttributes<GrantAttribute>().OrderBy(grant => grant.Permission)];

    private static readonly string[] RolesByPower = ["owner", "admin", "member", "viewer"];

    private static readonly Dictionary<string, Permission[]> ByRole = RolesByPower.Index().ToDictionary(
        role => role.Item,
        role => Grants.Where(grant => Array.IndexOf(RolesByPower, grant.From) >= role.Index).Select(grant => grant.Permission).ToArray(),
        StringComparer.Ordinal);

    private static readonly Dictionary<string, Permission[]> ByScope = Grants
        .Where(grant => grant.Scope is not null)
        .GroupBy(grant => grant.Scope!)
        .ToDictionary(scope => scope.Key, scope => scope.Select(grant => grant.Permission).ToArray(), StringComparer.Ordinal);

    private static readonly Dictionary<Permission, string> Descriptions =
        Grants.ToDictionary(grant => grant.Permission, grant => grant.Words);

    private static readonly HashSet<Permission> Lasting = [.. Grants.Where(grant => grant.WhileDeleting).Select(grant => grant.Permission)];

    /// <summary>What can be granted, each with what it allows in words.</summary>
    public static IReadOnlyDictionary<Permission, string> All => Descriptions;

    /// <summary>Roles, the most powerful first.</summary>
    public static IReadOnlyCollection<string> Roles => RolesByPower;

    /// <summary>Scopes that a token may have.</summary>
    public static IReadOnlyCollection<string> Scopes => ByScope.Keys;

    /// <summary>What a role may; nothing for an unknown one.</summary>
    public static IReadOnlyList<Permission> Of(string role) => ByRole.TryGetValue(role, out var granted) ? granted : [];

    /// <summary>Whether a role may.</summary>
    public static bool RoleMay(string role, Permission permission) => Of(role).Contains(permission);

    /// <summary>Whether one of the scopes may.</summary>
    public static bool ScopesMay(IEnumerable<string> scopes, Permission permission) =>
        scopes.Any(scope => ByScope.TryGetValue(scope, out var granted) && granted.Contains(permission));

    /// <summary>What is still possible in a business that is to be deleted: look, export, and change one's mind.</summary>
    public static bool WhileDeleting(Permission permission) => Lasting.Contains(permission);

    /// <summary>A permission as the API, the page and the audit log name it, for example <c>manage_members</c>.</summary>
    public static string Word(Permission permission) => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(permission.ToString());
}
