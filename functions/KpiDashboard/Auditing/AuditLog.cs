using System.Text.Json.Nodes;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Data;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Auditing;

/// <summary>Something that happened, for the audit log.</summary>
/// <param name="Action">What, as <c>subject.done</c>; one of <see cref="AuditActions"/>.</param>
/// <param name="SubjectKind">Kind of what it was done to, for example <c>person</c>, <c>token</c>, <c>tenant</c>; null for none.</param>
/// <param name="SubjectId">Its id.</param>
/// <param name="SubjectName">As it was called then.</param>
/// <param name="Before">What changed, as it was; never a secret.</param>
/// <param name="After">What changed, as it is.</param>
internal sealed record AuditEvent(
    string Action, string? SubjectKind = null, string? SubjectId = null, string? SubjectName = null, JsonObject? Before = null, JsonObject? After = null);

/// <summary>
/// Writes the audit log: who, what, when, from where, before and after. In the transaction of what it tells, so that neither is there without the other.
/// Nobody can change or remove an entry through the application.
/// </summary>
internal sealed class AuditLog(Database database, ClientAddress address, TimeProvider time)
{
    /// <summary>Notes what the caller of a request did.</summary>
    public Task WriteAsync(TenantTransaction tx, HttpRequest request, AuditEvent entry)
    {
        var caller = request.Caller();
        return caller.UserId is { } person && caller is { EmailVerified: false, Role: not "owner" }
            ? WriteUnconfirmedAsync(tx, request, person, entry)
            : InsertAsync(tx, caller.UserId is null ? "token" : "person", caller.UserId ?? caller.TokenId, caller.Name, entry, address.Of(request), UserAgent(request));
    }

    /// <summary>Notes what a person did who is not (yet) the caller of the request: registering, accepting an invitation.</summary>
    public Task WriteAsync(TenantTransaction tx, HttpRequest request, Guid userId, string email, AuditEvent entry) =>
        InsertAsync(tx, "person", userId, email, entry, address.Of(request), UserAgent(request));

    /// <summary>
    /// Notes what an account did, in a business that is not its own, that never proved its address: the log does not call it by what may be somebody else's. So
    /// nothing of it has to be taken out of that log when the account goes.
    /// </summary>
    public Task WriteUnconfirmedAsync(TenantTransaction tx, HttpRequest request, Guid userId, AuditEvent entry) => InsertAsync(
        tx, "person", userId, Unconfirmed, entry.SubjectId == userId.ToString() ? entry with { SubjectName = Unconfirmed } : entry, address.Of(request), UserAgent(request));

    /// <summary>What such an account is called; as in the function <c>audit_person</c>.</summary>
    internal const string Unconfirmed = "unconfirmed account";

    /// <summary>Notes what the system did by itself.</summary>
    public Task WriteSystemAsync(TenantTransaction tx, AuditEvent entry) => InsertAsync(tx, "system", null, "KPI Dashboard", entry, null, null);

    /// <summary>Notes something about a person's account in every tenant that the person may enter: a changed password concerns them all.</summary>
    public Task WriteForPersonAsync(HttpRequest request, Guid userId, string action, JsonObject? before, JsonObject? after, CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            "select audit_person(@userId, @action, @before::jsonb, @after::jsonb, @address, @agent, @now)",
            new
            {
                userId,
                action,
                before = before?.ToJsonString(),
                after = after?.ToJsonString(),
                address = address.Of(request),
                agent = UserAgent(request),
                now = time.GetUtcNow(),
            }, cancellationToken);

    /// <summary>What the browser calls itself, cut to what is kept.</summary>
    internal static string? UserAgent(HttpRequest request) =>
        request.Headers.UserAgent.ToString() is { Length: > 0 } text ? new string([.. KeptText.Cut(text, 400).Select(c => char.IsControl(c) ? ' ' : c)]) : null;

    private Task<int> InsertAsync(TenantTransaction tx, string kind, Guid? actor, string name, AuditEvent entry, string? from, string? agent) => tx.ExecuteAsync(
        """
        insert into audit_log (tenant_id, at, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, subject_name, before, after, address, user_agent)
        values (@tenant, @now, @kind, @actor, @name, @action, @subjectKind, @subjectId, @subjectName, @before::jsonb, @after::jsonb, @from, @agent)
        """,
        new
        {
            now = time.GetUtcNow(),
            kind,
            actor,
            name,
            action = entry.Action,
            subjectKind = entry.SubjectKind,
            subjectId = entry.SubjectId,
            subjectName = entry.SubjectName,
            before = entry.Before?.ToJsonString(),
            after = entry.After?.ToJsonString(),
            from,
            agent,
        });
}

/// <summary>What the audit log tells of: each action and what it means, in the words that the page shows.</summary>
internal static class AuditActions
{
    public const string SignedIn = "session.opened", SignedOut = "session.ended", TokenReused = "session.reused", SignedOutEverywhere = "session.ended_all";
    public const string Registered = "tenant.created", EmailVerified = "account.email_verified", PasswordChanged = "account.password_changed", PasswordReset = "account.password_reset";
    public const string SecondFactorEnabled = "account.second_factor_enabled", SecondFactorDisabled = "account.second_factor_disabled", RecoveryCodesMade = "account.recovery_codes_made";
    public const string RecoveryCodeUsed = "account.recovery_code_used", SignInLinked = "account.sign_in_linked", AccountErased = "account.erased";
    public const string MemberInvited = "member.invited", InvitationRevoked = "member.invitation_revoked", MemberJoined = "member.joined", MemberRoleChanged = "member.role_changed";
    public const string MemberDeactivated = "member.deactivated", MemberReactivated = "member.reactivated", MemberRemoved = "member.removed", MemberLeft = "member.left";
    public const string OwnershipTransferred = "tenant.ownership_transferred", SettingsChanged = "tenant.settings_changed";
    public const string DeletionRequested = "tenant.deletion_requested", DeletionCancelled = "tenant.deletion_cancelled", ExportRequested = "tenant.export_requested", ExportDownloaded = "tenant.export_downloaded";
    public const string AuditExported = "audit.exported", TokenCreated = "token.created", TokenRevoked = "token.revoked", TokenChanged = "token.changed";
    public const string KpiCreated = "kpi.created", KpiChanged = "kpi.changed", KpiDeleted = "kpi.deleted", ImportStarted = "import.started";
    public const string IntegrationConnected = "integration.connected", IntegrationChanged = "integration.changed", IntegrationReconnected = "integration.reconnected";
    public const string IntegrationDisconnected = "integration.disconnected", IntegrationPaused = "integration.paused", IntegrationResumed = "integration.resumed";
    public const string DashboardCreated = "dashboard.created", DashboardChanged = "dashboard.changed", DashboardDeleted = "dashboard.deleted";
    public const string DashboardShared = "dashboard.link_made", DashboardUnshared = "dashboard.link_revoked", DashboardLinkUsed = "dashboard.link_used";
    public const string RunRequeued = "run.requeued";
    public const string GoalCreated = "goal.created", GoalChanged = "goal.changed", GoalDeleted = "goal.deleted";
    public const string AnnotationCreated = "annotation.created", AnnotationChanged = "annotation.changed", AnnotationDeleted = "annotation.deleted";
    public const string InsightSetAside = "insight.set_aside", InsightBroughtBack = "insight.brought_back";
    public const string MinutesSavedChanged = "workflow.minutes_saved_changed";

    /// <summary>Every action with its meaning.</summary>
    public static IReadOnlyDictionary<string, string> Words { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        [SignedIn] = "Signed in",
        [SignedOut] = "Signed out",
        [TokenReused] = "A copied sign-in was used; it was ended everywhere",
        [SignedOutEverywhere] = "Signed out everywhere",
        [Registered] = "Created the business",
        [EmailVerified] = "Confirmed the e-mail address",
        [PasswordChanged] = "Changed the password",
        [PasswordReset] = "Set a new password by e-mail",
        [SecondFactorEnabled] = "Turned the second factor on",
        [SecondFactorDisabled] = "Turned the second factor off",
        [RecoveryCodesMade] = "Made new recovery codes",
        [RecoveryCodeUsed] = "Used a recovery code",
        [SignInLinked] = "Linked a sign-in provider",
        [AccountErased] = "Erased the account",
        [MemberInvited] = "Invited",
        [InvitationRevoked] = "Took an invitation back",
        [MemberJoined] = "Joined",
        [MemberRoleChanged] = "Changed a role",
        [MemberDeactivated] = "Deactivated",
        [MemberReactivated] = "Reactivated",
        [MemberRemoved] = "Removed",
        [MemberLeft] = "Left",
        [OwnershipTransferred] = "Handed the business over",
        [SettingsChanged] = "Changed settings",
        [DeletionRequested] = "Asked for the business to be deleted",
        [DeletionCancelled] = "Kept the business after all",
        [ExportRequested] = "Asked for an export of all data",
        [ExportDownloaded] = "Downloaded an export of all data",
        [AuditExported] = "Exported the audit log",
        [TokenCreated] = "Made a token",
        [TokenRevoked] = "Revoked a token",
        [TokenChanged] = "Changed from where a token may be used",
        [KpiCreated] = "Made a KPI",
        [KpiChanged] = "Changed a KPI",
        [KpiDeleted] = "Deleted a KPI with its readings",
        [GoalCreated] = "Set a goal",
        [GoalChanged] = "Changed a goal",
        [GoalDeleted] = "Deleted a goal",
        [AnnotationCreated] = "Wrote a note",
        [AnnotationChanged] = "Changed a note",
        [AnnotationDeleted] = "Deleted a note",
        [InsightSetAside] = "Put an insight aside",
        [InsightBroughtBack] = "Brought an insight back",
        [ImportStarted] = "Imported a file",
        [IntegrationConnected] = "Connected a source",
        [IntegrationChanged] = "Changed a source",
        [IntegrationReconnected] = "Connected a source again",
        [IntegrationDisconnected] = "Disconnected a source",
        [IntegrationPaused] = "Paused a source",
        [IntegrationResumed] = "Resumed a source",
        [DashboardCreated] = "Made a shared dashboard",
        [DashboardChanged] = "Changed a shared dashboard",
        [DashboardDeleted] = "Deleted a shared dashboard",
        [DashboardShared] = "Made a read-only link to a dashboard",
        [DashboardUnshared] = "Took back a read-only link to a dashboard",
        [DashboardLinkUsed] = "A read-only link to a dashboard was used",
        [RunRequeued] = "Tried a sync again that had stopped",
        [MinutesSavedChanged] = "Changed the minutes that a workflow saves",
    };
}
