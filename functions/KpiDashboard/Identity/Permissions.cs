namespace KpiDashboard.Identity;

/// <summary>What a route needs. Roles and token scopes are mapped to it in one table: <see cref="Permissions"/>.</summary>
public enum Permission
{
    /// <summary>Anybody, without a token: sign-in, health, the API description.</summary>
    Anonymous,

    /// <summary>Anybody who is signed in.</summary>
    SignedIn,

    /// <summary>See numbers, integrations and runs.</summary>
    Read,

    /// <summary>Start a refresh.</summary>
    Refresh,

    /// <summary>Add, list and revoke API and webhook tokens.</summary>
    ManageTokens,
}

/// <summary>
/// On a trigger method: what its caller must be allowed to do. An HTTP function without it is refused to everybody.
/// </summary>
/// <param name="permission">What is needed.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RequiresAttribute(Permission permission) : Attribute
{
    /// <summary>What is needed.</summary>
    public Permission Permission { get; } = permission;
}

/// <summary>The one table of who may do what.</summary>
internal static class Permissions
{
    private static readonly Dictionary<string, Permission[]> ByRole = new(StringComparer.Ordinal)
    {
        ["owner"] = [Permission.SignedIn, Permission.Read, Permission.Refresh, Permission.ManageTokens],
        ["admin"] = [Permission.SignedIn, Permission.Read, Permission.Refresh, Permission.ManageTokens],
        ["member"] = [Permission.SignedIn, Permission.Read, Permission.Refresh],
        ["viewer"] = [Permission.SignedIn, Permission.Read],
    };

    private static readonly Dictionary<string, Permission[]> ByScope = new(StringComparer.Ordinal)
    {
        ["read"] = [Permission.Read],
        ["refresh"] = [Permission.Refresh],
        ["push"] = [],
        ["n8n"] = [],
    };

    /// <summary>Scopes that a token may have.</summary>
    public static IReadOnlyCollection<string> Scopes => ByScope.Keys;

    /// <summary>Whether a role may.</summary>
    public static bool RoleMay(string role, Permission permission) => ByRole.TryGetValue(role, out var granted) && granted.Contains(permission);

    /// <summary>Whether one of the scopes may.</summary>
    public static bool ScopesMay(IEnumerable<string> scopes, Permission permission) =>
        scopes.Any(scope => ByScope.TryGetValue(scope, out var granted) && granted.Contains(permission));
}
