using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Identity;

/// <summary>Register, confirm the address, set or change a password, one's own data.</summary>
public sealed class AccountEndpoints
{
    internal AccountEndpoints() { }

    /// <summary><c>POST auth/register</c>.</summary>
    public Task<IResult> RegisterAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>POST auth/verify-email</c>.</summary>
    public Task<IResult> VerifyEmailAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>POST auth/verify-email/resend</c>.</summary>
    public Task<IResult> ResendVerificationAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>POST auth/forgot-password</c>.</summary>
    public Task<IResult> ForgotPasswordAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>POST auth/reset-password</c>.</summary>
    public Task<IResult> ResetPasswordAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>POST auth/change-password</c>.</summary>
    public Task<IResult> ChangePasswordAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>POST auth/confirm</c>.</summary>
    public Task<IResult> ConfirmAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>PATCH auth/me</c>.</summary>
    public Task<IResult> UpdateAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();
}

/// <summary>Register a business: makes the tenant, its owner, and a session.</summary>
internal sealed record RegisterRequest(string Email, string Password, string DisplayName, string BusinessName, string? TimeZone = null, string? Currency = null);

/// <summary>Confirm an address by the link in the mail: as the person that registered, signed in or with the password, so that nobody confirms another's account.</summary>
internal sealed record VerifyEmailRequest(string Token, string? Password = null);

/// <summary>Ask for a mail with a link to set a new password.</summary>
internal sealed record ForgotPasswordRequest(string Email);

/// <summary>Set a new password by the link in the mail.</summary>
internal sealed record ResetPasswordRequest(string Token, string Password);

/// <summary>Change the password.</summary>
internal sealed record ChangePasswordRequest(string CurrentPassword, string NewPassword);

/// <summary>Prove again who one is: the password, or a code of the second factor where there is one.</summary>
internal sealed record ConfirmRequest(string? Password = null, string? Code = null);

/// <summary>What a person may change about itself.</summary>
internal sealed record UpdateMeRequest(string DisplayName);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(RegisterRequest))]
[JsonSerializable(typeof(VerifyEmailRequest))]
[JsonSerializable(typeof(ForgotPasswordRequest))]
[JsonSerializable(typeof(ResetPasswordRequest))]
[JsonSerializable(typeof(ChangePasswordRequest))]
[JsonSerializable(typeof(ConfirmRequest))]
[JsonSerializable(typeof(UpdateMeRequest))]
internal sealed partial class AccountJson : JsonSerializerContext;
