using System.Text.Json.Serialization;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Auditing;
using KpiDashboard.Data;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Identity;

/// <summary>The second factor: codes of an authenticator app (TOTP, RFC 6238) and recovery codes.</summary>
public sealed class SecondFactorEndpoints
{
    private readonly Database _database;
    private readonly Sessions _sessions;
    private readonly SecondFactors _factors;
    private readonly RateLimits _limits;
    private readonly AccountChanges _changes;
    private readonly TimeProvider _time;

    internal SecondFactorEndpoints(Database database, Sessions sessions, SecondFactors factors, RateLimits limits, AccountChanges changes, TimeProvider time) =>
        (_database, _sessions, _factors, _limits, _changes, _time) = (database, sessions, factors, limits, changes, time);

    /// <summary><c>POST auth/second-factor</c>: the code that a sign-in waits for.</summary>
    public async Task<IResult> CompleteAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var body = (await JsonBody.ReadAsync(request, SecondFactorJson.Default.SecondFactorCodeRequest, cancellationToken))!;
        if (_sessions.FindChallenge(request) is not { } challenge
            || await Account.FindAsync(_database, challenge.User, cancellationToken) is not { disabled: false, totp_enabled_at: not null } account)
            throw Over(request);
        var recovery = await _factors.CheckAsync(challenge.User, account, body.Code, async (step, code) =>
            (await _database.QueryAsync<string>(
                "select finish_challenge(@hash, @User, @step, @code, @now)",
                new { hash = TokenHash.Of(challenge.Token), challenge.User, step, code, now = _time.GetUtcNow() }, cancellationToken)).Single() switch
            {
                "ok" => true,
                "wrong" => false,
                _ => throw Over(request),
            }, cancellationToken);
        if (recovery) await _changes.TellAsync(request, challenge.User, AuditActions.RecoveryCodeUsed, cancellationToken);
        _sessions.ExpireChallenge(request);
        return Sessions.Answer(
            request, await _sessions.OpenAsync(request, challenge.User, challenge.Tenant, challenge.Method, recovery ? "recovery" : "otp", cancellationToken));
    }

    /// <summary><c>GET auth/second-factor</c>: whether one is set up.</summary>
    public async Task<IResult> StateAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var account = await AccountAsync(request.Caller().Person, cancellationToken);
        return new JsonAnswer<SecondFactorResponse>(
            new SecondFactorResponse(account.totp_enabled_at is not null, account.totp_enabled_at, account.totp_enabled_at is null ? 0 : account.recovery_codes_left),
            SecondFactorJson.Default.SecondFactorResponse);
    }

    /// <summary><c>POST auth/second-factor/setup</c>: a fresh secret, which counts once a code of it was entered.</summary>
    public async Task<IResult> SetupAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var (secret, sealedSecret) = _factors.NewSecret(caller.Person);
        if (!(await _database.QueryAsync<bool>("select prepare_totp(@user, @sealedSecret)", new { user = caller.Person, sealedSecret }, cancellationToken)).Single())
            throw ApiProblem.Conflict("The second factor is on already. Turn it off first to set up another app.");
        request.HttpContext.Response.Headers.CacheControl = "no-store";
        const string Issuer = "KPI Dashboard";
        var uri = $"otpauth://totp/{Uri.EscapeDataString(Issuer)}:{Uri.EscapeDataString(caller.Name)}?secret={secret}&issuer={Uri.EscapeDataString(Issuer)}&algorithm=SHA1&digits=6&period=30";
        return new JsonAnswer<SecondFactorSetupResponse>(new SecondFactorSetupResponse(secret, uri), SecondFactorJson.Default.SecondFactorSetupResponse);
    }

    /// <summary><c>POST auth/second-factor/enable</c>: a first code puts the secret in force.</summary>
    public async Task<IResult> EnableAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var (person, session) = (request.Caller().Person, request.Caller().SessionId);
        var body = (await JsonBody.ReadAsync(request, SecondFactorJson.Default.SecondFactorCodeRequest, cancellationToken))!;
        var account = await AccountAsync(person, cancellationToken);
        if (account.totp_enabled_at is not null) throw ApiProblem.Conflict("The second factor is on already.");
        if (account.totp_secret is not { } secret) throw ApiProblem.Conflict("There is no secret to turn on yet. Set up the authenticator app first.");
        await _limits.TakeAsync(Bucket.SecondFactor, person.ToString("N"), cancellationToken);
        var code = string.Concat((body.Code ?? "").Where(c => !char.IsWhiteSpace(c)));
        if (code.Length != 6 || _factors.FindStep(person, secret, code) is not { } step)
            throw ApiProblem.Invalid("code", "'code' is not what the authenticator app shows now. Check that the clock of the phone is right.");
        var (codes, hashes) = _factors.NewRecoveryCodes();
        var now = _time.GetUtcNow();
        var enabled = (await _database.QueryAsync<bool>(
            "select enable_totp(@person, @secret, @step, @hashes, @now)", new { person, secret, step, hashes, now }, cancellationToken)).Single();
        if (!enabled) throw ApiProblem.Conflict("The authenticator app was set up anew in the meantime. Use the newest secret.");
        await _limits.ReturnAsync(Bucket.SecondFactor, person.ToString("N"), cancellationToken);
        // This session gave a code; the person's others did not, and are asked for one where it matters.
        await _database.ExecuteAsync("select prove_session(@session, @person, '{otp}', @now)", new { session, person, now }, cancellationToken);
        await _changes.TellAsync(request, person, AuditActions.SecondFactorEnabled, cancellationToken);
        return Answer(request, codes);
    }

    /// <summary><c>POST auth/second-factor/recovery-codes</c>: new ones in place of the old.</summary>
    public async Task<IResult> RecoveryCodesAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var person = request.Caller().Person;
        // Hashing ten codes is work: not for somebody without a second factor, nor endlessly.
        if ((await AccountAsync(person, cancellationToken)).totp_enabled_at is null) throw Off();
        await _limits.TakeAsync(Bucket.SecondFactor, person.ToString("N"), cancellationToken);
        var (codes, hashes) = _factors.NewRecoveryCodes();
        if (!(await _database.QueryAsync<bool>("select replace_recovery_codes(@person, @hashes, @now)", new { person, hashes, now = _time.GetUtcNow() }, cancellationToken)).Single()) throw Off();
        await _changes.TellAsync(request, person, AuditActions.RecoveryCodesMade, cancellationToken);
        return Answer(request, codes);
    }

    /// <summary><c>DELETE auth/second-factor</c>: off, for a session that gave a code of it a moment ago. Businesses that ask for one are closed to the person until it is set up again.</summary>
    public async Task<IResult> DisableAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var person = request.Caller().Person;
        if (!(await _database.QueryAsync<bool>("select disable_totp(@person)", new { person }, cancellationToken)).Single()) throw Off();
        await _changes.TellAsync(request, person, AuditActions.SecondFactorDisabled, cancellationToken);
        return TypedResults.NoContent();
    }

    private static JsonAnswer<RecoveryCodesResponse> Answer(HttpRequest request, IReadOnlyList<string> codes)
    {
        request.HttpContext.Response.Headers.CacheControl = "no-store";
        return new JsonAnswer<RecoveryCodesResponse>(new RecoveryCodesResponse(codes), SecondFactorJson.Default.RecoveryCodesResponse);
    }

    private static ApiProblem Off() => ApiProblem.Conflict("The second factor is off.");

    private ApiProblem Over(HttpRequest request)
    {
        _sessions.ExpireChallenge(request);
        return ApiProblem.Unauthorized("This sign-in took too long or was finished already. Sign in again.");
    }

    private async Task<Account> AccountAsync(Guid person, CancellationToken cancellationToken) =>
        await Account.FindAsync(_database, person, cancellationToken) ?? throw ApiProblem.Unauthorized("This account no longer exists.");
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
