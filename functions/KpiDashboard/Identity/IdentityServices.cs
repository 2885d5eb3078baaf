using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Mail;
using KpiDashboard.Security;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace KpiDashboard.Identity;

internal static class IdentityServices
{
    /// <summary>How long sessions that ended are kept.</summary>
    private static readonly TimeSpan KeepSessions = TimeSpan.FromDays(30);

    /// <summary>Registers how people and machines prove who they are.</summary>
    public static IServiceCollection AddIdentity(this IServiceCollection services)
    {
        services.AddOptions<AuthOptions>().BindConfiguration("Auth")
            .Validate(AuthOptions.IsValid, "Auth:CurrentKey must name one of Auth:SigningKeys, and each of those must be 32 bytes or more in base64.")
            .Validate(AuthOptions.PasswordsAreValid, "Auth:PasswordMemoryKib must be 19456 to 1048576, Auth:PasswordPasses 2 to 20, Auth:PasswordLanes 1 to 16 and Auth:PasswordMinLength 8 to 64.")
            .Validate(AuthOptions.SessionsAreValid, "Auth:SessionMaxDays must be 1 to 90.").ValidateOnStart();
        services.AddSingleton<IReadinessCheck>(provider => new SettingCheck(
            () => provider.GetRequiredService<IOptionsMonitor<AuthOptions>>().CurrentValue.CurrentKey.Length > 0,
            "No key to sign access tokens with is configured (Auth:CurrentKey and Auth:SigningKeys)."));
        services.AddSingleton<AccessTokens>();
        services.AddSingleton<PasswordHasher>();
        services.AddSingleton<PasswordRules>();
        services.AddSingleton<KnownBrowsers>();
        services.AddSingleton<SignInGuard>();
        services.AddSingleton<SecondFactors>();
        services.AddSingleton<Sessions>();
        services.AddSingleton<Accounts>();
        services.AddEndpoint<Authenticator>();
        services.AddEndpoint<SessionEndpoints>();
        services.AddEndpoint<TokenEndpoints>();
        services.AddEndpoint<AccountEndpoints>();
        services.AddEndpoint<SecondFactorEndpoints>();
        services.AddOidc();
        services.AddEndpoint<OidcEndpoints>();
        services.AddSingleton<IMailKind, VerifyEmailMail>();
        services.AddSingleton<IMailKind, VerifyAgainMail>();
        services.AddSingleton<IMailKind, ResetPasswordMail>();
        foreach (var (kind, subject, sentence) in AccountChanges.Mails.Values.Distinct())
        {
            services.AddSingleton<IMailKind>(provider => new AccountNoticeMail(
                provider.GetRequiredService<Database>(), provider.GetRequiredService<WebAddress>(), kind, subject, sentence));
        }

        services.AddSingleton<AccountChanges>();
        services.AddSingleton(new SealedColumn("api_tokens.signing_secret", TokenEndpoints.SigningPurpose));
        services.AddSingleton(new SealedColumn("users.totp_secret", SecondFactors.Purpose));
        services.AddPurge("sessions", (database, now, token) =>
            database.ExecuteAsync("select purge_sessions(@before)", new { before = now - KeepSessions }, token));
        services.AddApiPart(SessionJson.Default, TokenJson.Default, AccountJson.Default, SecondFactorJson.Default, OidcJson.Default);
        return services;
    }
}
