using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Tenancy;

/// <summary>Who belongs to a business: invite, change roles, deactivate, remove.</summary>
public sealed class MemberEndpoints
{
    internal MemberEndpoints() { }

    /// <summary><c>GET members</c>.</summary>
    public Task<IResult> ListAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>PATCH members/{id}</c>.</summary>
    public Task<IResult> UpdateAsync(HttpRequest request, string id, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>DELETE members/{id}</c>.</summary>
    public Task<IResult> RemoveAsync(HttpRequest request, string id, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>POST members/invitations</c>.</summary>
    public Task<IResult> InviteAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>DELETE members/invitations/{id}</c>.</summary>
    public Task<IResult> RevokeInvitationAsync(HttpRequest request, string id, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>POST members/invitations/{id}/resend</c>.</summary>
    public Task<IResult> ResendInvitationAsync(HttpRequest request, string id, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>POST auth/invitation</c>.</summary>
    public Task<IResult> InvitationAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>POST auth/accept-invitation</c>.</summary>
    public Task<IResult> AcceptAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();
}

/// <summary>Members and open invitations.</summary>
internal sealed record MembersResponse(IReadOnlyList<MemberEntry> Members, IReadOnlyList<InvitationEntry> Invitations);

/// <summary>A member; <c>active</c> false: deactivated here. <c>lastSeenAt</c>: last use of any session.</summary>
internal sealed record MemberEntry(Guid Id, string Email, string DisplayName, string Role, bool Active, bool SecondFactor, DateTimeOffset JoinedAt, DateTimeOffset? LastSeenAt);

/// <summary>An invitation that was not accepted yet.</summary>
internal sealed record InvitationEntry(Guid Id, string Email, string Role, string? InvitedBy, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt);

/// <summary>Invite somebody by e-mail.</summary>
internal sealed record InviteRequest(string Email, string Role);

/// <summary>Change a member; what is left out stays.</summary>
internal sealed record UpdateMemberRequest(string? Role = null, bool? Active = null);

/// <summary>The secret of an invitation's link.</summary>
internal sealed record InvitationRequest(string Token);

/// <summary>What an invitation is to, and whether the address has an account already.</summary>
internal sealed record InvitationResponse(string BusinessName, string Email, string Role, string? InvitedBy, bool HasAccount, DateTimeOffset ExpiresAt);

/// <summary>
/// Accept an invitation: with an account, signed in as it or with its password (and code); without one, with a name and a password for the new account.
/// </summary>
internal sealed record AcceptInvitationRequest(string Token, string? Password = null, string? DisplayName = null);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(MembersResponse))]
[JsonSerializable(typeof(InviteRequest))]
[JsonSerializable(typeof(InvitationEntry))]
[JsonSerializable(typeof(UpdateMemberRequest))]
[JsonSerializable(typeof(MemberEntry))]
[JsonSerializable(typeof(InvitationRequest))]
[JsonSerializable(typeof(InvitationResponse))]
[JsonSerializable(typeof(AcceptInvitationRequest))]
internal sealed partial class MemberJson : JsonSerializerContext;
