using System.Text.Json;
using System.Text.Json.Serialization;
using KpiDashboard.Api;

namespace KpiDashboard.Connectors;

/// <summary>How a connection is let in where it is not by an address and a key.</summary>
[JsonConverter(typeof(SnakeCaseEnum<GrantKind>))]
internal enum GrantKind
{
    /// <summary>A person signed in at the provider.</summary>
    Oauth,

    /// <summary>The key of a service account, which somebody gave access to the property.</summary>
    ServiceAccount,
}

/// <summary>A connector that is connected by signing in at the provider, or by the key of a service account, and then choosing a property.</summary>
internal interface IGrantConnector : IConnector
{
    /// <summary>Signing in at the provider is set up on this installation.</summary>
    bool CanSignIn { get; }

    /// <summary>Settings as they are stored: <c>propertyId</c>, and to look at <c>propertyName</c>, <c>account</c>, <c>grant</c>.</summary>
    JsonElement StoredSettings(string propertyId, string? propertyName, string? account, GrantKind kind);

    /// <summary>What a property is called; null if the provider does not say.</summary>
    /// <param name="id">Of the grant or the integration; for caches of access tokens.</param>
    /// <param name="propertyId">The property.</param>
    /// <param name="credentials">As they are stored, open.</param>
    /// <param name="cancellationToken">Stops.</param>
    Task<string?> PropertyNameAsync(Guid id, string propertyId, JsonElement credentials, CancellationToken cancellationToken);

    /// <summary>Tells the provider that a person's permission is not used any more. False: there is none, or the provider did not take it.</summary>
    Task<bool> RevokeAsync(JsonElement credentials, CancellationToken cancellationToken);
}
