using System.Text.Json.Nodes;
using KpiDashboard.Api;
using KpiDashboard.Auditing;
using KpiDashboard.Data;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Identity;

/// <summary>A person that has no account yet.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Email">Its address.</param>
/// <param name="DisplayName">Its name.</param>
/// <param name="PasswordHash">Hash of its password; null when it signs in through a provider only.</param>
/// <param name="Verified">The address was proved: by a provider, or by the link of an invitation.</param>
internal sealed record NewUser(Guid Id, string Email, string DisplayName, string? PasswordHash, bool Verified);

/// <summary>A business that is to be made.</summary>
internal sealed record NewBusiness(string Name, string? TimeZone, string? Currency);

/// <summary>Makes accounts and businesses, each in one transaction with its audit entry.</summary>
internal sealed class Accounts(Database database, AuditLog audit, TimeZoneNames zones, TimeProvider time)
{
    /// <summary>Adds a sentence for each field of a business that is wrong.</summary>
    public async Task CheckAsync(IDictionary<string, string[]> errors, NewBusiness business, CancellationToken cancellationToken)
    {
        TenantRules.Name(errors, "businessName", business.Name);
        if (business.TimeZone is not null) await zones.CheckAsync(errors, "timeZone", business.TimeZone, cancellationToken);
        if (business.Currency is not null) TenantRules.Currency(errors, "currency", business.Currency);
    }

    /// <summary>Adds a sentence when an address is none: something before and after one @, no blanks or control characters, at most 254 characters (RFC 5321).</summary>
    public static void CheckEmail(IDictionary<string, string[]> errors, string field, string? email)
    {
        var text = email?.Trim() ?? "";
        var at = text.LastIndexOf('@');
        if (text.Length is < 3 or > 254 || at < 1 || at == text.Length - 1 || text.IndexOf('@') != at || text[(at + 1)..].StartsWith('.') || text.EndsWith('.')
            || text.Any(c => char.IsControl(c) || char.IsWhiteSpace(c) || char.IsSurrogate(c) || c is '\uFFFE' or '<' or '>' or ',' or ';' or '"' or '\\'))
            errors[field] = [$"'{field}' must be an e-mail address like anna@example.com."];
    }

    /// <summary>Makes a business with its owner, who is made too if new. Fields must have been checked.</summary>
    /// <returns>The tenant's id.</returns>
    public Task<Guid> CreateBusinessAsync(HttpRequest request, NewBusiness business, Guid ownerId, string ownerEmail, NewUser? owner, CancellationToken cancellationToken) =>
        CreateBusinessAsync(request, business, ownerId, ownerEmail, owner, _ => Task.CompletedTask, cancellationToken);

    /// <summary>The same, with more work in its transaction.</summary>
    public async Task<Guid> CreateBusinessAsync(
        HttpRequest request, NewBusiness business, Guid ownerId, string ownerEmail, NewUser? owner, Func<TenantTransaction, Task> also, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var tenant = Guid.CreateVersion7(now);
        await database.InTenantAsync(tenant, async tx =>
        {
            if (owner is not null) await InsertUserAsync(tx, owner);
            await tx.ExecuteAsync(
                "insert into tenants (id, name, time_zone, currency, created_at) values (@tenant, @name, @zone, @currency, @now)",
                new { name = business.Name.Trim(), zone = business.TimeZone ?? "UTC", currency = business.Currency ?? "EUR", now });
            await tx.ExecuteAsync(
                "insert into memberships (tenant_id, user_id, role, created_at) values (@tenant, @ownerId, 'owner', @now)", new { ownerId, now });
            await audit.WriteAsync(tx, request, ownerId, ownerEmail, new AuditEvent(
                AuditActions.Registered, "tenant", tenant.ToString(), business.Name.Trim(), After: new JsonObject { ["timeZone"] = business.TimeZone ?? "UTC", ["currency"] = business.Currency ?? "EUR" }));
            await also(tx);
        }, cancellationToken);
        return tenant;
    }

    /// <summary>Inserts an account in the caller's transaction.</summary>
    /// <exception cref="ApiProblem">409: a proved address belongs to another account already.</exception>
    public async Task InsertUserAsync(TenantTransaction tx, NewUser user)
    {
        try
        {
            await tx.ExecuteAsync(
                "select create_user(@Id, @email, @key, @name, @PasswordHash, @Verified, @now)",
                new { user.Id, email = user.Email.Trim(), key = SessionEndpoints.EmailKey(user.Email), name = user.DisplayName.Trim(), user.PasswordHash, user.Verified, now = time.GetUtcNow() });
        }
        catch (Npgsql.PostgresException error) when (error.SqlState == Npgsql.PostgresErrorCodes.UniqueViolation)
        {
            throw ApiProblem.Conflict("This address has an account already. Sign in to it.");
        }
    }
}
