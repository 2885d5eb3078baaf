using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Identity;
using KpiDashboard.Privacy;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace KpiDashboard.Functions.Triggers;

/// <summary>Accounts: register, confirm, passwords, second factor, providers, one's own data.</summary>
public sealed class AccountApi(AccountEndpoints accounts, SecondFactorEndpoints secondFactor, OidcEndpoints oidc, PrivacyEndpoints privacy)
{
    /// <summary>Register a business and its owner.</summary>
    [Function("AuthRegister"), Requires(Permission.Anonymous)]
    [Operation("Register a business and its owner", Status = 201, Body = typeof(RegisterRequest), Response = typeof(SessionResponse))]
    public Task<IResult> Register(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "auth/register")] HttpRequest request, CancellationToken cancellationToken) =>
        accounts.RegisterAsync(request, cancellationToken);

    /// <summary>Confirm the e-mail address by the link in the mail.</summary>
    [Function("AuthVerifyEmail"), Requires(Permission.Anonymous)]
    [Operation("Confirm the e-mail address by the link in the mail", Status = 204, Body = typeof(VerifyEmailRequest))]
    public Task<IResult> VerifyEmail(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "auth/verify-email")] HttpRequest request, CancellationToken cancellationToken) =>
        accounts.VerifyEmailAsync(request, cancellationToken);

    /// <summary>Send the mail with the link again.</summary>
    [Function("AuthResendVerification"), Requires(Permission.SignedIn, Person = true)]
    [Operation("Send the mail with the link again", Status = 202)]
    public Task<IResult> ResendVerification(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "auth/verify-email/resend")] HttpRequest request, CancellationToken cancellationToken) =>
        accounts.ResendVerificationAsync(request, cancellationToken);

    /// <summary>Ask for the mail with the link by the address alone; the answer is the same for every address.</summary>
    [Function("AuthRequestVerification"), Requires(Permission.Anonymous)]
    [Operation("Ask for the mail that confirms an address again; the answer is the same for every address", Status = 202, Body = typeof(ForgotPasswordRequest))]
    public Task<IResult> RequestVerification(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "auth/verify-email/request")] HttpRequest request, CancellationToken cancellationToken) =>
        accounts.RequestVerificationAsync(request, cancellationToken);

    /// <summary>Ask for a mail to set a new password; the answer is the same for every address.</summary>
    [Function("AuthForgotPassword"), Requires(Permission.Anonymous)]
    [Operation("Ask for a mail to set a new password; the answer is the same for every address", Status = 202, Body = typeof(ForgotPasswordRequest))]
    public Task<IResult> ForgotPassword(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "auth/forgot-password")] HttpRequest request, CancellationToken cancellationToken) =>
        accounts.ForgotPasswordAsync(request, cancellationToken);

    /// <summary>Set a new password by the link in the mail; ends every other session.</summary>
    [Function("AuthResetPassword"), Requires(Permission.Anonymous)]
    [Operation("Set a new password by the link in the mail; ends every other session", Body = typeof(ResetPasswordRequest), Response = typeof(SessionResponse))]
    public Task<IResult> ResetPassword(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "auth/reset-password")] HttpRequest request, CancellationToken cancellationToken) =>
        accounts.ResetPasswordAsync(request, cancellationToken);

    /// <summary>Change the password; ends every other session.</summary>
    [Function("AuthChangePassword"), Requires(Permission.SignedIn, Person = true)]
    [Operation("Change the password; ends every other session", Status = 204, Body = typeof(ChangePasswordRequest))]
    public Task<IResult> ChangePassword(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "auth/change-password")] HttpRequest request, CancellationToken cancellationToken) =>
        accounts.ChangePasswordAsync(request, cancellationToken);

    /// <summary>Prove again who one is, for what asks for a fresh sign-in.</summary>
    [Function("AuthConfirm"), Requires(Permission.SignedIn, Person = true)]
    [Operation("Prove again who one is, for what asks for a fresh sign-in", Status = 204, Body = typeof(ConfirmRequest))]
    public Task<IResult> ConfirmIdentity(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "auth/confirm")] HttpRequest request, CancellationToken cancellationToken) =>
        accounts.ConfirmAsync(request, cancellationToken);

    /// <summary>Change one's own name.</summary>
    [Function("AuthUpdateMe"), Requires(Permission.SignedIn, Person = true)]
    [Operation("Change one's own name", Status = 204, Body = typeof(UpdateMeRequest))]
    public Task<IResult> UpdateMe(
        [HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "auth/me")] HttpRequest request, CancellationToken cancellationToken) =>
        accounts.UpdateAsync(request, cancellationToken);

    /// <summary>Everything that is kept about oneself, as JSON.</summary>
    [Function("AuthExportMe"), Requires(Permission.SignedIn, Person = true, Cost = Cost.Heavy)]
    [Operation("Everything that is kept about oneself, as JSON")]
    public Task<IResult> ExportMe(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "auth/me/export")] HttpRequest request, CancellationToken cancellationToken) =>
        privacy.ExportMeAsync(request, cancellationToken);

    /// <summary>Erase one's own account.</summary>
    [Function("AuthEraseMe"), Requires(Permission.SignedIn, Power = Power.EraseAccount, Person = true)]
    [Operation("Erase one's own account", Status = 204)]
    public Task<IResult> EraseMe(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "auth/me")] HttpRequest request, CancellationToken cancellationToken) =>
        privacy.EraseMeAsync(request, cancellationToken);

    /// <summary>The code that a sign-in waits for.</summary>
    [Function("AuthSecondFactor"), Requires(Permission.Anonymous)]
    [Operation("The code that a sign-in waits for", Body = typeof(SecondFactorCodeRequest), Response = typeof(SessionResponse))]
    public Task<IResult> CompleteSecondFactor(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "auth/second-factor")] HttpRequest request, CancellationToken cancellationToken) =>
        secondFactor.CompleteAsync(request, cancellationToken);

    /// <summary>Whether a second factor is set up.</summary>
    [Function("AuthSecondFactorState"), Requires(Permission.SignedIn, Person = true)]
    [Operation("Whether a second factor is set up", Response = typeof(SecondFactorResponse))]
    public Task<IResult> GetSecondFactor(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "auth/second-factor")] HttpRequest request, CancellationToken cancellationToken) =>
        secondFactor.StateAsync(request, cancellationToken);

    /// <summary>A fresh secret for an authenticator app.</summary>
    [Function("AuthSecondFactorSetup"), Requires(Permission.SignedIn, Power = Power.ChangeSecondFactor, Person = true)]
    [Operation("A fresh secret for an authenticator app", Response = typeof(SecondFactorSetupResponse))]
    public Task<IResult> SetUpSecondFactor(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "auth/second-factor/setup")] HttpRequest request, CancellationToken cancellationToken) =>
        secondFactor.SetupAsync(request, cancellationToken);

    /// <summary>Turn the second factor on with a first code.</summary>
    [Function("AuthSecondFactorEnable"), Requires(Permission.SignedIn, Power = Power.ChangeSecondFactor, Person = true)]
    [Operation("Turn the second factor on with a first code", Body = typeof(SecondFactorCodeRequest), Response = typeof(RecoveryCodesResponse))]
    public Task<IResult> EnableSecondFactor(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "auth/second-factor/enable")] HttpRequest request, CancellationToken cancellationToken) =>
        secondFactor.EnableAsync(request, cancellationToken);

    /// <summary>New recovery codes in place of the old.</summary>
    [Function("AuthRecoveryCodes"), Requires(Permission.SignedIn, Power = Power.ChangeSecondFactor, Person = true)]
    [Operation("New recovery codes in place of the old", Response = typeof(RecoveryCodesResponse))]
    public Task<IResult> MakeRecoveryCodes(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "auth/second-factor/recovery-codes")] HttpRequest request, CancellationToken cancellationToken) =>
        secondFactor.RecoveryCodesAsync(request, cancellationToken);

    /// <summary>Turn the second factor off.</summary>
    [Function("AuthSecondFactorDisable"), Requires(Permission.SignedIn, Power = Power.ChangeSecondFactor, Person = true)]
    [Operation("Turn the second factor off", Status = 204)]
    public Task<IResult> DisableSecondFactor(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "auth/second-factor")] HttpRequest request, CancellationToken cancellationToken) =>
        secondFactor.DisableAsync(request, cancellationToken);

    /// <summary>Ways to sign in besides a password.</summary>
    [Function("AuthProviders"), Requires(Permission.Anonymous)]
    [Operation("Ways to sign in besides a password", Response = typeof(ProvidersResponse))]
    public Task<IResult> ListProviders(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "auth/providers")] HttpRequest request, CancellationToken cancellationToken) =>
        oidc.ProvidersAsync(request, cancellationToken);

    /// <summary>Go to a provider to sign in.</summary>
    [Function("AuthOidcStart"), Requires(Permission.Anonymous)]
    [Operation("Go to a provider to sign in", Status = 302)]
    public Task<IResult> StartOidc(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "auth/oidc/{provider}/start")] HttpRequest request, string provider, CancellationToken cancellationToken) =>
        oidc.StartAsync(request, provider, cancellationToken);

    /// <summary>Come back from a provider.</summary>
    [Function("AuthOidcCallback"), Requires(Permission.Anonymous)]
    [Operation("Come back from a provider", Status = 302)]
    public Task<IResult> FinishOidc(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "auth/oidc/{provider}/callback")] HttpRequest request, string provider, CancellationToken cancellationToken) =>
        oidc.CallbackAsync(request, provider, cancellationToken);

    /// <summary>The address that a provider proved and that has no account yet.</summary>
    [Function("AuthOidcPending"), Requires(Permission.Anonymous)]
    [Operation("The address that a provider proved and that has no account yet", Response = typeof(OidcPendingResponse))]
    public Task<IResult> PendingOidc(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "auth/oidc/pending")] HttpRequest request, CancellationToken cancellationToken) =>
        oidc.PendingAsync(request, cancellationToken);

    /// <summary>Register a business with the address that a provider proved.</summary>
    [Function("AuthOidcRegister"), Requires(Permission.Anonymous)]
    [Operation("Register a business with the address that a provider proved", Status = 201, Body = typeof(OidcRegisterRequest), Response = typeof(SessionResponse))]
    public Task<IResult> RegisterOidc(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "auth/oidc/register")] HttpRequest request, CancellationToken cancellationToken) =>
        oidc.RegisterAsync(request, cancellationToken);
}
