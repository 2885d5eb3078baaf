using System.Text.RegularExpressions;
using KpiDashboard.Api;

namespace KpiDashboard.Security;

/// <summary>Error messages of automations quote what they were given, credentials included: whatever looks like one is masked before it is kept.</summary>
internal static partial class SecretMask
{
    private const string Mask = "•••";

    /// <summary>The text without secrets, without control characters and of at most so many characters.</summary>
    public static string Clean(string text, int maxLength)
    {
        // Masked before it is cut: half a secret no longer looks like one. The patterns are linear in what is left to look at.
        var masked = KeptText.Cut(text, 20_000);
        masked = Pem().Replace(masked, Mask);
        masked = UserInfo().Replace(masked, $"$1{Mask}@");
        masked = Scheme().Replace(masked, $"$1 {Mask}");
        masked = Named().Replace(masked, $"$1{Mask}");
        masked = Known().Replace(masked, Mask);
        masked = Opaque().Replace(masked, match => LooksRandom(match.Value) ? Mask : match.Value);
        // What turns the text around it, or cannot be seen, would make a message say something else.
        masked = PlainText.Clean(new string([.. masked.Select(c => char.IsControl(c) ? ' ' : c)])).Trim();
        return masked.Length <= maxLength ? masked : KeptText.Cut(masked, maxLength - 1) + "…";
    }

    private static bool LooksRandom(string text) =>
        text.Any(char.IsAsciiDigit) && text.Any(char.IsAsciiLetter) && !Guid.TryParse(text, out _) && text.Count(c => c is '/' or '-' or '_') <= text.Length / 6;

    [GeneratedRegex("-----BEGIN [A-Z ]+-----[^-]*(-----END [A-Z ]+-----)?", RegexOptions.NonBacktracking)]
    private static partial Regex Pem();

    // https://user:password@host
    [GeneratedRegex(@"([a-z][a-z0-9+.-]{1,20}://)[^\s/@]+@", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex UserInfo();

    [GeneratedRegex(@"\b(bearer|basic)\s+[A-Za-z0-9+/_.~=-]{6,}", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex Scheme();

    // name=value, "name": "value", name: value; in queries, JSON, headers and connection strings alike.
    [GeneratedRegex(
        """((api[_ -]?key|apikey|[a-z_-]*token|[a-z_-]*secret|passw(or)?d|passwort|pwd|authorization|x-n8n-api-key|signature|credential|session[_-]?id|private[_-]?key|access[_-]?key)["'\\]*\s*[:=]\s*["'\\]*)[^\s"'\\,;&}]+""",
        RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex Named();

    // Keys that say by their beginning what they are: JWT, Stripe, GitHub, Slack, Google, AWS, OpenAI, SendGrid, and ours.
    [GeneratedRegex(
        @"\b(eyJ[A-Za-z0-9_-]{5,}(\.[A-Za-z0-9_-]*){0,4}|(sk|pk|rk)[_-][A-Za-z0-9_-]{8,}|gh[pousr]_[A-Za-z0-9]{10,}|github_pat_[A-Za-z0-9_]{10,}|xox[a-z]-[A-Za-z0-9-]{8,}|AIza[A-Za-z0-9_-]{20,}|ya29\.[A-Za-z0-9_-]{10,}|1//[A-Za-z0-9_-]{20,}|AKIA[A-Z0-9]{12,}|SG\.[A-Za-z0-9_.-]{16,}|n8n_api_[A-Za-z0-9]{8,}|kpi_[A-Za-z0-9_-]{20,}|whsec_[A-Za-z0-9+/=_-]{16,})",
        RegexOptions.NonBacktracking)]
    private static partial Regex Known();

    [GeneratedRegex(@"[A-Za-z0-9+/_=-]{32,}", RegexOptions.NonBacktracking)]
    private static partial Regex Opaque();
}
