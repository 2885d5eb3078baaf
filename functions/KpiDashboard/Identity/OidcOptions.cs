using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.Identity;

/// <summary>An OpenID Connect provider; section <c>Oidc:&lt;key&gt;</c>.</summary>
internal sealed class OidcProvider
{
    /// <summary>Key in the routes and settings: 1 to 32 small letters, digits or dashes.</summary>
    public string Key { get; internal set; } = "";

    /// <summary>Name on the button.</summary>
    public string Name { get; set; } = "";

    /// <summary>Issuer, as its discovery document says it.</summary>
    public string Issuer { get; set; } = "";

    /// <summary>Our id at the provider.</summary>
    public string ClientId { get; set; } = "";

    /// <summary>Our secret at the provider.</summary>
    public string ClientSecret { get; set; } = "";

    /// <summary>Scopes, separated by blanks; <c>openid</c> is one of them.</summary>
    public string Scopes { get; set; } = "openid email profile";

    /// <summary>Every directory of Microsoft Entra under one configuration: the issuer of a token then depends on the directory.</summary>
    internal bool IsEveryDirectory => Issuer is
        "https://login.microsoftonline.com/common/v2.0" or "https://login.microsoftonline.com/organizations/v2.0" or "https://login.microsoftonline.com/consumers/v2.0";

    /// <summary>Entra lets every directory's administrator write any address into a token, so that its word on addresses is taken in one case only.</summary>
    internal bool IsEntra => Issuer.StartsWith("https://login.microsoftonline.com/", StringComparison.Ordinal);

    /// <summary>Whether an address belongs to the network: https, or http on this machine if the issuer is there too.</summary>
    internal bool Allows(string? address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.UserInfo.Length == 0 && uri.Fragment.Length == 0
        && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback && IsLocal));

    /// <summary>The issuer runs on this machine, without TLS.</summary>
    internal bool IsLocal => Uri.TryCreate(Issuer, UriKind.Absolute, out var issuer) && issuer.Scheme == Uri.UriSchemeHttp && issuer.IsLoopback;
}

/// <summary>The providers that people may sign in through, by key; section <c>Oidc</c>. None is valid.</summary>
internal sealed class OidcOptions() : Dictionary<string, OidcProvider>(StringComparer.Ordinal)
{
    /// <summary>Fills in what <c>google</c> and <c>microsoft</c> always are.</summary>
    internal static void Complete(OidcOptions options)
    {
        foreach (var (key, provider) in options)
        {
            provider.Key = key;
            var (name, issuer) = key switch
            {
                "google" => ("Google", "https://accounts.google.com"),
                "microsoft" => ("Microsoft", "https://login.microsoftonline.com/common/v2.0"),
                _ => ("", ""),
            };
            if (provider.Name.Length == 0) provider.Name = name;
            if (provider.Issuer.Length == 0) provider.Issuer = issuer;
        }
    }

    internal static bool IsValid(OidcOptions options) => options.All(entry =>
        entry.Key.Length is > 0 and <= 32 && entry.Key.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
        && entry.Value is { Name.Length: > 0 and <= 100, ClientId.Length: > 0, ClientSecret.Length: > 0, Issuer.Length: <= 500 }
        && entry.Value.Allows(entry.Value.Issuer) && new Uri(entry.Value.Issuer).Query.Length == 0
        && entry.Value.Scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries).Contains("openid", StringComparer.Ordinal));
}

internal static class OidcServices
{
    /// <summary>Adds what <see cref="OidcEndpoints"/> needs.</summary>
    public static IServiceCollection AddOidc(this IServiceCollection services)
    {
        services.AddOptions<OidcOptions>().BindConfiguration("Oidc").PostConfigure(OidcOptions.Complete)
            .Validate(OidcOptions.IsValid,
                "Each Oidc:<key> (small letters, digits, dashes) needs Name, an https Issuer, ClientId, ClientSecret, and Scopes with openid; google and microsoft know their Name and Issuer.")
            .ValidateOnStart();
        services.AddHttpClient(OidcClient.HttpClientName, client =>
        {
            client.Timeout = TimeSpan.FromSeconds(10);
            client.MaxResponseContentBufferSize = 1024 * 1024;
        }).ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
        {
            // A redirect could carry our secret elsewhere.
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        });
        services.AddSingleton<OidcDiscovery>();
        services.AddSingleton<OidcClient>();
        return services;
    }
}
