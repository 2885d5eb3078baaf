using System.Security.Cryptography;
using System.Text;
using KpiDashboard.Access;
using KpiDashboard.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;

namespace KpiDashboard.Identity;

/// <summary>
/// Limits on guessing passwords, counted in Postgres before the slow hash runs. Whoever hammers an account from elsewhere uses up what unknown browsers have;
/// the browsers that its owner signed in with before have an allowance of their own each, so nobody can lock the owner out. Whoever tries one password on many
/// accounts uses up what that password has; and where network addresses are known, one of them has so many wrong attempts, over whatever accounts.
/// </summary>
internal sealed class SignInGuard(RateLimits limits, ClientAddress address, KnownBrowsers browsers, IOptionsMonitor<AuthOptions> auth)
{
    /// <summary>Takes what an attempt costs.</summary>
    /// <param name="request">The attempt.</param>
    /// <param name="emailKey">The account, known or not: both are limited alike.</param>
    /// <param name="user">The account's id, if there is one.</param>
    /// <param name="password">What is tried.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="Api.ApiProblem">429.</exception>
    public async Task<SignInPermit> EnterAsync(HttpRequest request, string emailKey, Guid? user, string password, CancellationToken cancellationToken)
    {
        var permit = new SignInPermit(Counted(request, emailKey, user, password));
        foreach (var (bucket, subject) in permit.Taken) await limits.TakeAsync(bucket, subject, cancellationToken);
        return permit;
    }

    /// <summary>Gives it back: the password was right.</summary>
    public async Task ReturnAsync(SignInPermit permit, CancellationToken cancellationToken)
    {
        foreach (var (bucket, subject) in permit.Taken) await limits.ReturnAsync(bucket, subject, cancellationToken);
    }

    private IReadOnlyList<(Bucket Bucket, string Subject)> Counted(HttpRequest request, string emailKey, Guid? user, string password)
    {
        // Nobody elsewhere uses up what a known browser has, also where it shares its address with whoever guesses.
        if (user is { } id && browsers.Find(request, id) is { } browser) return [(Bucket.SignInDevice, $"{id:N} {browser:N}")];
        return address.KnownKey(request) is { } known
            ? [(Bucket.SignInAddress, known), (Bucket.SignInAccount, emailKey), (Bucket.SignInPassword, Keyed(password))]
            : [(Bucket.SignInAccount, emailKey), (Bucket.SignInPasswordAlone, Keyed(password))];
    }

    /// <summary>A password as it may be counted by: without our key nobody finds it out from the counters.</summary>
    private string Keyed(string password)
    {
        var options = auth.CurrentValue;
        return Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(options.SigningKeys[options.CurrentKey]), Encoding.UTF8.GetBytes(password)));
    }
}

/// <summary>What an attempt took.</summary>
internal sealed record SignInPermit(IReadOnlyList<(Bucket Bucket, string Subject)> Taken);

/// <summary>
/// Which browsers an account was signed in with before. A sealed cookie says so and nothing else: it signs nobody in, it only has its wrong attempts counted
/// apart from those of strangers.
/// </summary>
internal sealed class KnownBrowsers(SecretSealer sealer)
{
    /// <summary>The cookie.</summary>
    public const string Cookie = "kpi_device";

    /// <summary>How long a browser is known after the last sign-in.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(365);

    private const string Purpose = "device";

    // People share browsers; a cookie has an end.
    private const int MostUsers = 5;

    /// <summary>The browser's id if this account was signed in with it; else null.</summary>
    public Guid? Find(HttpRequest request, Guid user) => Read(request) is { } known && known.Users.Contains(user) ? known.Browser : null;

    /// <summary>Notes that an account was signed in with this browser.</summary>
    public void Remember(HttpRequest request, Guid user, CookieOptions options)
    {
        var known = Read(request) ?? new Known(Guid.NewGuid(), []);
        var text = string.Join(' ', [known.Browser.ToString("N"), .. known.Users.Where(other => other != user).Prepend(user).Take(MostUsers).Select(id => id.ToString("N"))]);
        request.HttpContext.Response.Cookies.Append(Cookie, WebEncoders.Base64UrlEncode(sealer.Seal(text, Purpose)), options);
    }

    private Known? Read(HttpRequest request) =>
        SealedCookie.Read(request, Cookie, sealer, Purpose) is { } text && text.Split(' ').Select(part => Guid.ParseExact(part, "N")).ToList() is [var browser, .. var users]
            ? new Known(browser, users)
            : null;

    private sealed record Known(Guid Browser, IReadOnlyList<Guid> Users);
}

internal static class SealedCookie
{
    /// <summary>What a cookie of ours says; null when there is none, or none that we sealed for this.</summary>
    public static string? Read(HttpRequest request, string name, SecretSealer sealer, string purpose)
    {
        if (request.Cookies[name] is not { Length: > 0 and <= 2000 } value) return null;
        try
        {
            return sealer.Open(WebEncoders.Base64UrlDecode(value), purpose);
        }
        catch (Exception error) when (error is FormatException or CryptographicException or DecoderFallbackException)
        {
            return null;
        }
    }
}
