using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Mail;
using KpiDashboard.Tenancy;

namespace KpiDashboard.Privacy;

/// <summary>
/// What mails of this slice are made from: ids only, so that whoever is gone by then gets none; nor does an address that nobody proved, which may be a stranger's.
/// </summary>
/// <param name="TenantId">The business.</param>
/// <param name="UserId">To whom.</param>
/// <param name="ExportId">The export that is ready; null for none.</param>
internal sealed record PrivacyMailData(Guid TenantId, Guid UserId, Guid? ExportId = null)
{
    /// <summary>As the outbox keeps it.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, PrivacyMailJson.Default.PrivacyMailData);

    /// <summary>Reads it.</summary>
    public static PrivacyMailData Of(string json) => JsonSerializer.Deserialize(json, PrivacyMailJson.Default.PrivacyMailData) ?? throw new JsonException("The mail's data is null.");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PrivacyMailData))]
internal sealed partial class PrivacyMailJson : JsonSerializerContext;

/// <summary>An export is ready. The mail holds none of it: who wants it signs in.</summary>
internal sealed class ExportReadyMail(Database database, WebAddress web) : IMailKind
{
    public const string Kind = "export-ready";

    /// <inheritdoc />
    public string Name => Kind;

    /// <inheritdoc />
    public async Task<ComposedMail?> ComposeAsync(string data, CancellationToken cancellationToken)
    {
        var ids = PrivacyMailData.Of(data);
        var found = await database.InTenantAsync(ids.TenantId, tx => tx.QuerySingleOrDefaultAsync<(string Tenant, string Zone, string Email, string Name, DateTimeOffset Until)>(
            """
            select t.name, safe_zone(t.time_zone), p.email, p.display_name, e.expires_at
            from tenant_exports e join tenants t on t.id = e.tenant_id join tenant_people() p on p.id = @UserId and p.deactivated_at is null
              and p.email_verified_at is not null
            where e.tenant_id = @tenant and e.id = @ExportId and e.status = 'succeeded'
            """,
            new { ids.UserId, ids.ExportId }), cancellationToken);
        return found.Email is null ? null : new ComposedMail(
            found.Email, MailText.Outside(found.Name), "Your export is ready",
            new MailBody(
                $"Hello {MailText.Outside(found.Name)},",
                [$"The export of all data of {MailText.Outside(found.Tenant)} is ready. It can be downloaded until {Words.Day(found.Until, found.Zone)}, by owners who are signed in."],
                new MailAction("Go to the export", web.Of("settings/data")),
                "You get this because you asked for the export. If you did not, sign in and look at the audit log."));
    }
}

/// <summary>Somebody asked for a business to be deleted: every owner is told, and how to undo it.</summary>
internal sealed class DeletionRequestedMail(Database database, WebAddress web) : IMailKind
{
    public const string Kind = "deletion-requested";

    /// <inheritdoc />
    public string Name => Kind;

    /// <inheritdoc />
    public async Task<ComposedMail?> ComposeAsync(string data, CancellationToken cancellationToken)
    {
        var ids = PrivacyMailData.Of(data);
        // Nothing to say if somebody changed his mind meanwhile.
        var found = await database.InTenantAsync(ids.TenantId, tx => tx.QuerySingleOrDefaultAsync<(string Tenant, string Zone, string Email, string Name, DateTimeOffset At)>(
            """
            select t.name, safe_zone(t.time_zone), p.email, p.display_name, t.delete_after
            from tenants t join tenant_people() p on p.id = @UserId and p.role = 'owner' and p.deactivated_at is null
              and p.email_verified_at is not null
            where t.id = @tenant and t.delete_after is not null
            """,
            new { ids.UserId }), cancellationToken);
        return found.Email is null ? null : new ComposedMail(
            found.Email, MailText.Outside(found.Name), $"{MailText.Outside(found.Tenant)} is to be deleted",
            new MailBody(
                $"Hello {MailText.Outside(found.Name)},",
                [
                    $"An owner asked for {MailText.Outside(found.Tenant)} to be deleted. On {Words.Day(found.At, found.Zone)} all its data will be gone for good, and so will the accounts of people who belong to no other business.",
                    "Until then everything can be read and exported, nothing is fetched any more, and any owner can undo this.",
                ],
                new MailAction("Look at it or undo it", web.Of("settings/data"))));
    }
}

/// <summary>Days as mails say them.</summary>
file static class Words
{
    public static string Day(DateTimeOffset instant, string zone) =>
        LocalDay.Of(instant, TimeZoneNames.Of(zone)).ToString("d MMMM yyyy", CultureInfo.InvariantCulture);
}
