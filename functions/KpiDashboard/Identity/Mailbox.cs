namespace KpiDashboard.Identity;

/// <summary>Where a mail ends up: several addresses of one mailbox are one, so that nobody gets around its limits by writing it in other ways.</summary>
internal static class Mailbox
{
    /// <summary>
    /// The mailbox of an address, for counting only: upper and lower case are the same, what follows a plus sign is left out (<c>anna+shop@…</c>), and Google's dots and second
    /// name do not count. An address that is none counts as it is.
    /// </summary>
    public static string Of(string email)
    {
        var key = SessionEndpoints.EmailKey(email);
        var at = key.LastIndexOf('@');
        if (at <= 0) return key;
        var (local, domain) = (key[..at], key[(at + 1)..].TrimEnd('.'));
        if (local.IndexOf('+', StringComparison.Ordinal) is > 0 and var plus) local = local[..plus];
        if (domain is "GMAIL.COM" or "GOOGLEMAIL.COM") (local, domain) = (local.Replace(".", "", StringComparison.Ordinal), "GMAIL.COM");
        return $"{local}@{domain}";
    }
}
