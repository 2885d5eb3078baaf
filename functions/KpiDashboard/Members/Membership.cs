using System.Text.Json.Nodes;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Auditing;
using KpiDashboard.Data;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Members;

/// <summary>A member of the transaction's tenant.</summary>
/// <param name="Id">The person.</param>
/// <param name="Email">Its address.</param>
/// <param name="DisplayName">Its name.</param>
/// <param name="Role">Its role here.</param>
/// <param name="Active">It may enter this tenant.</param>
/// <param name="Disabled">Its account may enter no tenant.</param>
/// <param name="SecondFactor">It has one.</param>
/// <param name="JoinedAt">When it became a member.</param>
/// <param name="LastSeenAt">Last use of any of its sessions.</param>
/// <param name="EmailVerified">It proved its address; else that is only what somebody typed.</param>
internal sealed record Member(
    Guid Id, string Email, string DisplayName, string Role, bool Active, bool Disabled, bool SecondFactor, DateTimeOffset JoinedAt, DateTimeOffset? LastSeenAt,
    bool EmailVerified)
{
    /// <summary>May act as owner at this moment.</summary>
    public bool IsActiveOwner => this is { Role: "owner", Active: true, Disabled: false };

    /// <summary>As the API tells it.</summary>
    public MemberEntry ToEntry() => new(Id, Email, DisplayName, Role, Active, SecondFactor, JoinedAt, LastSeenAt, EmailVerified);
}

/// <summary>The members of a tenant and the rules about owners, within a transaction.</summary>
internal static class Membership
{
    /// <summary>All members, the oldest first.</summary>
    public static Task<IReadOnlyList<Member>> ListAsync(TenantTransaction tx) => tx.QueryAsync<Member>(
        """
        select id, email, display_name as DisplayName, role, active, disabled, second_factor as SecondFactor, joined_at as JoinedAt, last_seen_at as LastSeenAt,
               email_verified as EmailVerified
        from list_members()
        """);

    /// <summary>
    /// Locks the tenant, so that changes of members come one after the other, and reads them anew: what the caller was when the request was admitted may be
    /// over by now, and two owners who demote each other at once must not both succeed.
    /// </summary>
    /// <exception cref="ApiProblem">403: the caller is no active member any more, or may not do this any more.</exception>
    public static async Task<(Member Caller, IReadOnlyList<Member> Members)> LockAsync(TenantTransaction tx, Caller caller, Permission permission)
    {
        await tx.QuerySingleOrDefaultAsync<Guid>("select id from tenants where id = @tenant for update");
        var members = await ListAsync(tx);
        var own = members.SingleOrDefault(member => member.Id == caller.Person && member is { Active: true, Disabled: false })
            ?? throw ApiProblem.Forbidden("You are no member of this business any more.");
        if (!Permissions.RoleMay(own.Role, permission)) throw ApiProblem.Forbidden($"The role {own.Role} may not do this.");
        return (own, members);
    }

    /// <summary>A business is never left without an owner.</summary>
    /// <exception cref="ApiProblem">409: this member is the last one.</exception>
    public static void ThrowIfLastOwner(Member member, IEnumerable<Member> members)
    {
        if (member.IsActiveOwner && !members.Any(other => other.Id != member.Id && other.IsActiveOwner))
            throw ApiProblem.Conflict($"{member.DisplayName} is the last owner. Make somebody else an owner first.");
    }

    /// <summary>Nobody is given rights for an address that was never proved: who is behind it is not known.</summary>
    /// <exception cref="ApiProblem">409.</exception>
    public static void ThrowUnlessProved(Member member)
    {
        if (!member.EmailVerified)
            throw ApiProblem.Conflict($"{member.DisplayName} has not confirmed the address {member.Email} yet. Nobody is given rights before that.");
    }

    /// <summary>Takes back open invitations that somebody could not send any more: their links would let in people on behalf of nobody.</summary>
    public static async Task RevokeInvitationsOfAsync(TenantTransaction tx, AuditLog audit, HttpRequest request, Guid inviter, string? role, DateTimeOffset now)
    {
        var revoked = await tx.QueryAsync<(Guid Id, string Email, string Role)>(
            """
            update invitations set revoked_at = @now
            where tenant_id = @tenant and invited_by = @inviter and accepted_at is null and revoked_at is null and (not @manages or (role = 'owner' and not @owns))
            returning id, email, role
            """,
            new { inviter, now, manages = role is not null && Permissions.RoleMay(role, Permission.ManageMembers), owns = role == "owner" });
        foreach (var (id, email, offered) in revoked)
            await audit.WriteAsync(tx, request, new AuditEvent(AuditActions.InvitationRevoked, "invitation", id.ToString(), email, Before: new JsonObject { ["role"] = offered }));
    }
}
