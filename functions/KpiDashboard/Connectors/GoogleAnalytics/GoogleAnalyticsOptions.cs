namespace KpiDashboard.Connectors.GoogleAnalytics;

/// <summary>
/// Section <c>GoogleAnalytics</c>. Everything has a default except the OAuth client, and a missing client stops no start-up: only a fetch says that
/// Google is not set up here. Read at each use, because LocalHost learns the simulator's address after the services are built.
/// </summary>
internal sealed class GoogleAnalyticsOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "GoogleAnalytics";

    /// <summary>OAuth client id of this installation; null where Google Analytics is not used.</summary>
    public string? ClientId { get; set; }

    /// <summary>OAuth client secret; a secret, never logged.</summary>
    public string? ClientSecret { get; set; }

    /// <summary>Base address of the Data API.</summary>
    public string DataApiUrl { get; set; } = "https://analyticsdata.googleapis.com";

    /// <summary>Base address of the Admin API, which lists properties.</summary>
    public string AdminApiUrl { get; set; } = "https://analyticsadmin.googleapis.com";

    /// <summary>Google's page that asks a person for the consent.</summary>
    public string AuthorizeUrl { get; set; } = "https://accounts.google.com/o/oauth2/v2/auth";

    /// <summary>Where a refresh token is given back.</summary>
    public string RevokeUrl { get; set; } = "https://oauth2.googleapis.com/revoke";

    /// <summary>Where codes, refresh tokens and assertions of service accounts become access tokens.</summary>
    public string TokenUrl { get; set; } = "https://oauth2.googleapis.com/token";

    /// <summary>Longest wait for one answer, in seconds. Google's own servers give up after about 60.</summary>
    public int TimeoutSeconds { get; set; } = 75;

    /// <summary>Rows asked for at a time (Google allows 250,000). Small only in tests of paging.</summary>
    public int PageSize { get; set; } = 10_000;
}
