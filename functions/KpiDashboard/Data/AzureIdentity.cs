using Azure.Core;
using Azure.Identity;
using Microsoft.Extensions.Configuration;

namespace KpiDashboard.Data;

/// <summary>
/// Who the app is in Azure. Without a secret: in Azure a managed identity; elsewhere, for whoever works against Azure from his machine, the account of his
/// tools (<c>az login</c>).
/// </summary>
internal static class AzureIdentity
{
    /// <summary>Setting with the client id of the user-assigned identity; the Azure SDK's own name for it.</summary>
    public const string ClientIdKey = "AZURE_CLIENT_ID";

    /// <summary>
    /// The identity of a connection as the Functions host understands it: <c>&lt;name&gt;:credential</c> = <c>managedidentity</c> asks nobody but the platform,
    /// <c>&lt;name&gt;:clientId</c> says which identity.
    /// </summary>
    public static TokenCredential OfConnection(IConfiguration configuration, string connection) => Of(
        configuration[$"{connection}:clientId"] is { Length: > 0 } own ? own : configuration[ClientIdKey],
        string.Equals(configuration[$"{connection}:credential"], "managedidentity", StringComparison.OrdinalIgnoreCase));

    /// <summary>The identity for everything that is no connection of the host.</summary>
    public static TokenCredential Of(IConfiguration configuration) => Of(configuration[ClientIdKey], IsInAzure(configuration));

    /// <summary>The identity of <c>Authorization=AAD;ClientId=…</c>, as the Functions host reads it; null where it asks for none.</summary>
    public static TokenCredential? OfAuthenticationString(string? text)
    {
        var parts = (text ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(part => part.Split('=', 2, StringSplitOptions.TrimEntries))
            .Where(part => part.Length == 2).DistinctBy(part => part[0], StringComparer.OrdinalIgnoreCase).ToDictionary(part => part[0], part => part[1], StringComparer.OrdinalIgnoreCase);
        return parts.TryGetValue("Authorization", out var kind) && string.Equals(kind, "AAD", StringComparison.OrdinalIgnoreCase) ? Of(parts.GetValueOrDefault("ClientId"), managed: true) : null;
    }

    /// <summary>App Service sets this where an identity is assigned. The default credential would try half a dozen others first, for seconds.</summary>
    private static bool IsInAzure(IConfiguration configuration) => configuration["IDENTITY_ENDPOINT"] is { Length: > 0 };

    private static TokenCredential Of(string? clientId, bool managed) => managed
        ? new ManagedIdentityCredential(clientId is { Length: > 0 } ? ManagedIdentityId.FromUserAssignedClientId(clientId) : ManagedIdentityId.SystemAssigned)
        : new DefaultAzureCredential(new DefaultAzureCredentialOptions { ManagedIdentityClientId = clientId is { Length: > 0 } ? clientId : null });
}
