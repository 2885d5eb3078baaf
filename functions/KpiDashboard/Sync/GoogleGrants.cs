using System.Text.Json;
using KpiDashboard.Connectors;
using KpiDashboard.Data;
using KpiDashboard.Security;

namespace KpiDashboard.Sync;

/// <summary>What somebody let us in with, until a property is chosen.</summary>
/// <param name="Kind">By signing in, or by a service account.</param>
/// <param name="Account">E-mail address of the account; null if it was not told.</param>
/// <param name="Credentials">As the connector stores them; open.</param>
internal sealed record GoogleGrant(GrantKind Kind, string? Account, JsonElement Credentials)
{
    /// <summary>Says nothing, so that no log can.</summary>
    public override string ToString() => nameof(GoogleGrant);
}

/// <summary>Grants are sealed, belong to one person in one business, and end after an hour.</summary>
internal sealed class GoogleGrants(SecretSealer sealer, TimeProvider time)
{
    internal static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    /// <summary>What a grant is sealed for.</summary>
    internal static string Purpose(Guid id) => $"google-grant:{id:D}";

    /// <summary>Keeps a grant under an id that nobody can guess.</summary>
    public Task KeepAsync(TenantTransaction tx, Guid id, Guid user, GoogleGrant grant) => tx.ExecuteAsync(
        """
        insert into google_grants (tenant_id, id, user_id, kind, account, credentials, created_at, expires_at)
        values (@tenant, @id, @user, @kind, @Account, @credentials, @now, @expires)
        """,
        new
        {
            id,
            user,
            kind = grant.Kind == GrantKind.Oauth ? "oauth" : "service_account",
            grant.Account,
            credentials = sealer.Seal(grant.Credentials.GetRawText(), Purpose(id)),
            now = time.GetUtcNow(),
            expires = time.GetUtcNow() + Lifetime,
        });

    /// <summary>A grant of this person that is still good; null if there is none, whosever else it may be.</summary>
    public async Task<GoogleGrant?> FindAsync(TenantTransaction tx, Guid id, Guid user)
    {
        var row = await tx.QuerySingleOrDefaultAsync<(string Kind, string? Account, byte[] Credentials)>(
            "select kind, account, credentials from google_grants where tenant_id = @tenant and id = @id and user_id = @user and expires_at > @now",
            new { id, user, now = time.GetUtcNow() });
        if (row.Credentials is null) return null;
        using var document = JsonDocument.Parse(sealer.Open(row.Credentials, Purpose(id)));
        return new GoogleGrant(row.Kind == "oauth" ? GrantKind.Oauth : GrantKind.ServiceAccount, row.Account, document.RootElement.Clone());
    }

    /// <summary>Uses a grant up. False: somebody else did, or it is over.</summary>
    public async Task<bool> TakeAsync(TenantTransaction tx, Guid id, Guid user) => await tx.ExecuteAsync(
        "delete from google_grants where tenant_id = @tenant and id = @id and user_id = @user and expires_at > @now", new { id, user, now = time.GetUtcNow() }) == 1;
}
