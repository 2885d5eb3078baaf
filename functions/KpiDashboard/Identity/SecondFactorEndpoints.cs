using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Identity;

/// <summary>The second factor: codes of an authenticator app (TOTP, RFC 6238) and recovery codes.</summary>
public sealed class SecondFactorEndpoints
{
    internal SecondFactorEndpoints() { }

    /// <summary><c>POST auth/second-factor</c>.</summary>
    public Task<IResult> CompleteAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>GET auth/second-factor</c>.</summary>
    public Task<IResult> StateAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>POST auth/second-factor/setup</c>.</summary>
    public Task<IResult> SetupAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>POST auth/second-factor/enable</c>.</summary>
    public Task<IResult> EnableAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>POST auth/second-factor/recovery-codes</c>.</summary>
    public Task<IResult> RecoveryCodesAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>DELETE auth/second-factor</c>.</summary>
    public Task<IResult> DisableAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();
}

/// <summary>A code of the authenticator app, or a recovery code.</summary>
internal sealed record SecondFactorCodeRequest(string Code);

/// <summary>Whether a second factor is set up, since when, and how many recovery codes are left.</summary>
internal sealed record SecondFactorResponse(bool Enabled, DateTimeOffset? EnabledAt, int RecoveryCodesLeft);

/// <summary>What to put into an authenticator app: the secret in base32, or the <c>otpauth:</c> address as a QR code. Counts once a code of it was entered.</summary>
internal sealed record SecondFactorSetupResponse(string Secret, string Uri);

/// <summary>Recovery codes, shown once; each signs in once in place of a code.</summary>
internal sealed record RecoveryCodesResponse(IReadOnlyList<string> RecoveryCodes);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(SecondFactorCodeRequest))]
[JsonSerializable(typeof(SecondFactorResponse))]
[JsonSerializable(typeof(SecondFactorSetupResponse))]
[JsonSerializable(typeof(RecoveryCodesResponse))]
internal sealed partial class SecondFactorJson : JsonSerializerContext;
