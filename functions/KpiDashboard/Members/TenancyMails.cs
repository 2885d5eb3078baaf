using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Identity;
using KpiDashboard.Mail;

namespace KpiDashboard.Members;

/// <summary>What the mail of an invitation is made from; holds the link's secret, and so stands in the sealed outbox alone.</summary>
internal sealed record InvitationMailData(string To, string Business, string Role, string InvitedBy, string Token, DateTimeOffset ExpiresAt);

/// <summary>The mail of an invitation, with the link that lets its reader join.</summary>
internal sealed class InvitationMail(Database database, WebAddress web, TimeProvider time) : IMailKind
{
    /// <summary>Its name in the outbox.</summary>
    public const string Kind = "invitation";

    /// <inheritdoc />
    public string Name => Kind;

    /// <inheritdoc />
    public async Task<ComposedMail?> ComposeAsync(string data, CancellationToken cancellationToken)
    {
        var invitation = JsonSerializer.Deserialize(data, TenancyMailJson.Default.InvitationMailData)!;
        // Taken back, or sent again with another link, while the mail waited.
        var open = await database.QueryAsync<Guid>(
            "select id from find_invitation(@hash, @now)", new { hash = TokenHash.Of(invitation.Token), now = time.GetUtcNow() }, cancellationToken);
        if (open.Count == 0) return null;
        return new ComposedMail(invitation.To, "", $"Join {MailText.Outside(invitation.Business)} on KPI Dashboard", new MailBody(
            "Hello,",
            [
                $"{MailText.Outside(invitation.InvitedBy)} invites you to {MailText.Outside(invitation.Business)} as {invitation.Role}.",
                string.Create(CultureInfo.InvariantCulture, $"The link works once, until {invitation.ExpiresAt.UtcDateTime:d MMMM yyyy HH:mm} UTC."),
            ],
            new MailAction("Accept the invitation", web.Of($"invitation#token={invitation.Token}")),
            "If you do not know this business, ignore this mail: nothing happens without the link."));
    }
}

/// <summary>What the mail to a new owner is made from.</summary>
internal sealed record OwnershipTransferredMailData(string To, string ToName, string Business, string By);

/// <summary>Tells somebody that a business was handed over to them.</summary>
internal sealed class OwnershipTransferredMail(WebAddress web) : IMailKind
{
    /// <summary>Its name in the outbox.</summary>
    public const string Kind = "ownership-transferred";

    /// <inheritdoc />
    public string Name => Kind;

    /// <inheritdoc />
    public Task<ComposedMail?> ComposeAsync(string data, CancellationToken cancellationToken)
    {
        var mail = JsonSerializer.Deserialize(data, TenancyMailJson.Default.OwnershipTransferredMailData)!;
        return Task.FromResult<ComposedMail?>(new ComposedMail(mail.To, MailText.Outside(mail.ToName), $"You own {MailText.Outside(mail.Business)} now", new MailBody(
            $"Hello {MailText.Outside(mail.ToName)},",
            [$"{MailText.Outside(mail.By)} handed {MailText.Outside(mail.Business)} over to you. You are its owner from now on: you may change everything in it, and also delete it."],
            new MailAction("Open the business", web.Of("")),
            "If this surprises you, talk to the people of that business; as owner you can change or remove their access.")));
    }
}

[JsonSerializable(typeof(InvitationMailData))]
[JsonSerializable(typeof(OwnershipTransferredMailData))]
internal sealed partial class TenancyMailJson : JsonSerializerContext;
