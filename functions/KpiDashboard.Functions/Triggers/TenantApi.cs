using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Auditing;
using KpiDashboard.Businesses;
using KpiDashboard.Identity;
using KpiDashboard.Members;
using KpiDashboard.Privacy;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace KpiDashboard.Functions.Triggers;

/// <summary>Businesses: settings, members, audit log, data protection.</summary>
public sealed class TenantApi(TenantEndpoints tenants, DemoEndpoints demo, MemberEndpoints members, AuditEndpoints audit, PrivacyEndpoints privacy)
{
    /// <summary>My businesses with their health.</summary>
    [Function("Tenants"), Requires(Permission.SignedIn, Person = true)]
    [Operation("My businesses with their health", Response = typeof(TenantsResponse))]
    public Task<IResult> ListTenants(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "tenants")] HttpRequest request, CancellationToken cancellationToken) =>
        tenants.ListAsync(request, cancellationToken);

    /// <summary>Another business of mine.</summary>
    [Function("TenantCreate"), Requires(Permission.SignedIn, Person = true)]
    [Operation("Another business of mine", Status = 201, Body = typeof(CreateTenantRequest), Response = typeof(SessionResponse))]
    public Task<IResult> CreateTenant(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "tenants")] HttpRequest request, CancellationToken cancellationToken) =>
        tenants.CreateAsync(request, cancellationToken);

    /// <summary>Settings of the business.</summary>
    [Function("Tenant"), Requires(Permission.Read)]
    [Operation("Settings of the business", Response = typeof(TenantSettings))]
    public Task<IResult> GetTenant(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "tenant")] HttpRequest request, CancellationToken cancellationToken) =>
        tenants.SettingsAsync(request, cancellationToken);

    /// <summary>Change the settings and see what that does to the numbers.</summary>
    [Function("TenantUpdate"), Requires(Permission.ManageSettings, Powers = [Power.WaiveSecondFactor])]
    [Operation("Change the settings and see what that does to the numbers", Body = typeof(TenantSettings), Response = typeof(UpdateTenantResponse))]
    public Task<IResult> UpdateTenant(
        [HttpTrigger(AuthorizationLevel.Anonymous, "put", Route = "tenant")] HttpRequest request, CancellationToken cancellationToken) =>
        tenants.UpdateSettingsAsync(request, cancellationToken);

    /// <summary>Hand the business over to another member.</summary>
    [Function("TenantTransfer"), Requires(Permission.ManageTenant, Power = Power.MakeOwner)]
    [Operation("Hand the business over to another member", Status = 204, Body = typeof(MemberRequest))]
    public Task<IResult> TransferOwnership(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "tenant/transfer-ownership")] HttpRequest request, CancellationToken cancellationToken) =>
        tenants.TransferOwnershipAsync(request, cancellationToken);

    /// <summary>Leave the business.</summary>
    [Function("TenantLeave"), Requires(Permission.SignedIn)]
    [Operation("Leave the business", Status = 204)]
    public Task<IResult> LeaveTenant(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "tenant/leave")] HttpRequest request, CancellationToken cancellationToken) =>
        tenants.LeaveAsync(request, cancellationToken);

    /// <summary>Whether there is a demonstration to look around in.</summary>
    [Function("Demo"), Requires(Permission.SignedIn, Person = true)]
    [Operation("Whether there is a demonstration to look around in", Response = typeof(DemoResponse))]
    public Task<IResult> GetDemo(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "demo")] HttpRequest request, CancellationToken cancellationToken) =>
        demo.ShowAsync(request, cancellationToken);

    /// <summary>Become a viewer of the demonstration.</summary>
    [Function("DemoJoin"), Requires(Permission.SignedIn, Person = true)]
    [Operation("Become a viewer of the demonstration", Response = typeof(DemoResponse))]
    public Task<IResult> JoinDemo(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "demo")] HttpRequest request, CancellationToken cancellationToken) =>
        demo.JoinAsync(request, cancellationToken);

    /// <summary>Who may do what.</summary>
    [Function("Roles"), Requires(Permission.SignedIn, Person = true)]
    [Operation("Who may do what", Response = typeof(RolesResponse))]
    public Task<IResult> ListRoles(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "roles")] HttpRequest request, CancellationToken cancellationToken) =>
        tenants.RolesAsync(request, cancellationToken);

    /// <summary>Members and open invitations.</summary>
    [Function("Members"), Requires(Permission.ManageMembers)]
    [Operation("Members and open invitations", Response = typeof(MembersResponse))]
    public Task<IResult> ListMembers(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "members")] HttpRequest request, CancellationToken cancellationToken) =>
        members.ListAsync(request, cancellationToken);

    /// <summary>Change a member's role, deactivate or reactivate.</summary>
    [Function("MemberUpdate"), Requires(Permission.ManageMembers, Powers = [Power.MakeOwner, Power.UnmakeOwner])]
    [Operation("Change a member's role, deactivate or reactivate", Body = typeof(UpdateMemberRequest), Response = typeof(MemberEntry))]
    public Task<IResult> UpdateMember(
        [HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "members/{id}")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        members.UpdateAsync(request, id, cancellationToken);

    /// <summary>Remove a member.</summary>
    [Function("MemberRemove"), Requires(Permission.ManageMembers, Powers = [Power.UnmakeOwner])]
    [Operation("Remove a member", Status = 204)]
    public Task<IResult> RemoveMember(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "members/{id}")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        members.RemoveAsync(request, id, cancellationToken);

    /// <summary>Invite somebody by e-mail.</summary>
    [Function("MemberInvite"), Requires(Permission.ManageMembers, Powers = [Power.MakeOwner])]
    [Operation("Invite somebody by e-mail", Status = 201, Body = typeof(InviteRequest), Response = typeof(InvitationEntry))]
    public Task<IResult> InviteMember(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "members/invitations")] HttpRequest request, CancellationToken cancellationToken) =>
        members.InviteAsync(request, cancellationToken);

    /// <summary>Take an invitation back.</summary>
    [Function("InvitationRevoke"), Requires(Permission.ManageMembers)]
    [Operation("Take an invitation back", Status = 204)]
    public Task<IResult> RevokeInvitation(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "members/invitations/{id}")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        members.RevokeInvitationAsync(request, id, cancellationToken);

    /// <summary>Send an invitation again, with a new link.</summary>
    [Function("InvitationResend"), Requires(Permission.ManageMembers, Powers = [Power.MakeOwner])]
    [Operation("Send an invitation again, with a new link", Response = typeof(InvitationEntry))]
    public Task<IResult> ResendInvitation(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "members/invitations/{id}/resend")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        members.ResendInvitationAsync(request, id, cancellationToken);

    /// <summary>What an invitation is to.</summary>
    [Function("AuthInvitation"), Requires(Permission.Anonymous)]
    [Operation("What an invitation is to", Body = typeof(InvitationRequest), Response = typeof(InvitationResponse))]
    public Task<IResult> GetInvitation(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "auth/invitation")] HttpRequest request, CancellationToken cancellationToken) =>
        members.InvitationAsync(request, cancellationToken);

    /// <summary>Accept an invitation.</summary>
    [Function("AuthAcceptInvitation"), Requires(Permission.Anonymous)]
    [Operation("Accept an invitation", Body = typeof(AcceptInvitationRequest), Response = typeof(SessionResponse))]
    public Task<IResult> AcceptInvitation(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "auth/accept-invitation")] HttpRequest request, CancellationToken cancellationToken) =>
        members.AcceptAsync(request, cancellationToken);

    /// <summary>The audit log, newest first.</summary>
    [Function("Audit"), Requires(Permission.ReadAudit)]
    [Operation("The audit log, newest first", Response = typeof(AuditResponse), Query = "from to actor action limit cursor")]
    public Task<IResult> ListAudit(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "audit")] HttpRequest request, CancellationToken cancellationToken) =>
        audit.ListAsync(request, cancellationToken);

    /// <summary>The audit log as CSV or JSON.</summary>
    [Function("AuditExport"), Requires(Permission.ReadAudit, Cost = Cost.Heavy)]
    [Operation("The audit log as CSV or JSON", Query = "format from to actor action")]
    public Task<IResult> ExportAudit(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "audit/export")] HttpRequest request, CancellationToken cancellationToken) =>
        audit.ExportAsync(request, cancellationToken);

    /// <summary>Export everything of the business, in the background.</summary>
    [Function("ExportStart"), Requires(Permission.ManageTenant, Power = Power.TakeDataOut)]
    [Operation("Export everything of the business, in the background", Status = 202, Response = typeof(ExportEntry))]
    public Task<IResult> StartExport(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "tenant/exports")] HttpRequest request, CancellationToken cancellationToken) =>
        privacy.StartExportAsync(request, cancellationToken);

    /// <summary>Exports of the business.</summary>
    [Function("Exports"), Requires(Permission.ManageTenant)]
    [Operation("Exports of the business", Response = typeof(ExportsResponse))]
    public Task<IResult> ListExports(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "tenant/exports")] HttpRequest request, CancellationToken cancellationToken) =>
        privacy.ListExportsAsync(request, cancellationToken);

    /// <summary>An export and how far it is.</summary>
    [Function("Export"), Requires(Permission.ManageTenant)]
    [Operation("An export and how far it is", Response = typeof(ExportEntry))]
    public Task<IResult> GetExport(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "tenant/exports/{id}")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        privacy.ExportAsync(request, id, cancellationToken);

    /// <summary>The export as a zip.</summary>
    [Function("ExportDownload"), Requires(Permission.ManageTenant, Power = Power.TakeDataOut, Cost = Cost.Heavy)]
    [Operation("The export as a zip")]
    public Task<IResult> DownloadExport(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "tenant/exports/{id}/download")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        privacy.DownloadAsync(request, id, cancellationToken);

    /// <summary>Delete the business after a time of grace.</summary>
    [Function("TenantDelete"), Requires(Permission.ManageTenant, Power = Power.DeleteBusiness)]
    [Operation("Delete the business after a time of grace", Status = 202, Body = typeof(DeleteTenantRequest), Response = typeof(DeleteTenantResponse))]
    public Task<IResult> RequestTenantDeletion(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "tenant/deletion")] HttpRequest request, CancellationToken cancellationToken) =>
        privacy.RequestDeletionAsync(request, cancellationToken);

    /// <summary>Keep the business after all.</summary>
    [Function("TenantKeep"), Requires(Permission.ManageTenant)]
    [Operation("Keep the business after all", Status = 204)]
    public Task<IResult> CancelTenantDeletion(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "tenant/deletion")] HttpRequest request, CancellationToken cancellationToken) =>
        privacy.CancelDeletionAsync(request, cancellationToken);
}
