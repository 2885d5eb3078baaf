using KpiDashboard.Api;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Access;

/// <summary>What a route needs. Roles and token scopes are mapped to it in one table: <see cref="Permissions"/>.</summary>
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

/// <summary>The one table of who may do what; the API, the page and the documentation read it.</summary>
internal static class Permissions
{
    private static readonly Dictionary<string, Permission[]> ByRole = new(StringComparer.Ordinal)
    {
        ["owner"] =
        [
            Permission.SignedIn, Permission.Read, Permission.Refresh, Permission.Push, Permission.ManageTokens, Permission.ManageMembers, Permission.ManageSettings,
            Permission.ManageIntegrations, Permission.KeepDashboards, Permission.ShareDashboards, Permission.ManageShares, Permission.ManageNumbers, Permission.ReadAudit, Permission.ManageTenant,
        ],
        ["admin"] =
        [
            Permission.SignedIn, Permission.Read, Permission.Refresh, Permission.Push, Permission.ManageTokens, Permission.ManageMembers, Permission.ManageSettings,
            Permission.ManageIntegrations, Permission.KeepDashboards, Permission.ShareDashboards, Permission.ManageShares, Permission.ManageNumbers,
        ],
        ["member"] = [Permission.SignedIn, Permission.Read, Permission.Refresh, Permission.Push, Permission.KeepDashboards, Permission.ShareDashboards, Permission.ManageNumbers],
        ["viewer"] = [Permission.SignedIn, Permission.Read, Permission.KeepDashboards],
    };

    private static readonly Dictionary<string, Permission[]> ByScope = new(StringComparer.Ordinal)
    {
        ["read"] = [Permission.Read],
        ["refresh"] = [Permission.Refresh],
        ["push"] = [Permission.Push],
        ["n8n"] = [Permission.PushExecutions],
    };

    private static readonly Dictionary<Permission, string> Descriptions = new()
    {
        [Permission.SignedIn] = "Manage one's own account and sessions, and enter the business",
        [Permission.Read] = "See numbers, integrations, runs and settings",
        [Permission.Refresh] = "Start a refresh",
        [Permission.Push] = "Push and import readings of custom KPIs",
        [Permission.PushExecutions] = "Report executions of n8n (tokens only)",
        [Permission.ManageTokens] = "Add, list and revoke API and webhook tokens",
        [Permission.ManageMembers] = "Invite people, change their roles, deactivate and remove them (owners: only an owner)",
        [Permission.ManageSettings] = "Change the settings of the business",
        [Permission.ManageIntegrations] = "Connect, change, pause and disconnect sources, and set the minutes that workflows save",
        [Permission.KeepDashboards] = "Make, change and delete dashboards of one's own",
        [Permission.ShareDashboards] = "Share dashboards with the business, and change those that it shares",
        [Permission.ManageShares] = "Make, list and take back read-only links to dashboards",
        [Permission.ManageNumbers] = "Set goals, define calculated KPIs, write annotations, put insights aside",
        [Permission.ReadAudit] = "See and export the audit log",
        [Permission.ManageTenant] = "Hand the business over, export all its data, delete it",
    };

    /// <summary>What can be granted, each with what it allows in words.</summary>
    public static IReadOnlyDictionary<Permission, string> All => Descriptions;

    /// <summary>Roles, the most powerful first.</summary>
    public static IReadOnlyCollection<string> Roles => ByRole.Keys;

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
    public static bool WhileDeleting(Permission permission) =>
        permission is Permission.SignedIn or Permission.Read or Permission.ReadAudit or Permission.ManageTenant;

    /// <summary>A permission as the API, the page and the audit log name it, for example <c>manage_members</c>.</summary>
    public static string Word(Permission permission) => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(permission.ToString());
}
