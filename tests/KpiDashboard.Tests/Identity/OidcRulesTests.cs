using System.Text.Json;
using KpiDashboard.Identity;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Xunit;

namespace KpiDashboard.Tests.Identity;

/// <summary>Rules of sign-in with providers that need no provider.</summary>
public sealed class OidcRulesTests
{
    private const string Tenant = "9188040d-6c67-4c5b-b112-36a304b66dad";

    [Fact]
    public void Google_and_Microsoft_need_only_our_id_and_secret()
    {
        var options = Options(
            ("google:ClientId", "g"), ("google:ClientSecret", "s"), ("microsoft:ClientId", "m"), ("microsoft:ClientSecret", "s"), ("microsoft:Name", "Work account"));

        Assert.Equal(
            [("google", "Google", "https://accounts.google.com"), ("microsoft", "Work account", "https://login.microsoftonline.com/common/v2.0")],
            options.Values.OrderBy(provider => provider.Key, StringComparer.Ordinal).Select(provider => (provider.Key, provider.Name, provider.Issuer)));
        Assert.Equal("openid email profile", options["google"].Scopes);
    }

    [Fact]
    public void No_provider_is_valid() => Assert.Empty(Options());

    [Theory]
    [InlineData("company", "Name", "")]
    [InlineData("company", "Issuer", "")]
    [InlineData("company", "Issuer", "sso.example.com")]
    [InlineData("company", "Issuer", "http://sso.example.com")]
    [InlineData("company", "Issuer", "https://me@sso.example.com")]
    [InlineData("company", "Issuer", "https://sso.example.com?x=1")]
    [InlineData("company", "Issuer", "https://sso.example.com#x")]
    [InlineData("company", "ClientId", "")]
    [InlineData("company", "ClientSecret", "")]
    [InlineData("company", "Scopes", "email profile")]
    [InlineData("Company", "Name", "X")]
    [InlineData("a/b", "Name", "X")]
    [InlineData("a-key-that-is-longer-than-32-letters", "Name", "X")]
    public void A_provider_that_cannot_work_stops_the_start(string key, string field, string value)
    {
        var settings = new Dictionary<string, string> { ["Name"] = "Company", ["Issuer"] = "https://sso.example.com/realms/a", ["ClientId"] = "id", ["ClientSecret"] = "secret" };
        Assert.Single(Options([.. settings.Select(pair => ($"company:{pair.Key}", pair.Value))]));
        settings[field] = value;

        var error = Assert.Throws<OptionsValidationException>(() => Options([.. settings.Select(pair => ($"{key}:{pair.Key}", pair.Value))]));

        Assert.StartsWith("Each Oidc:<key>", Assert.Single(error.Failures), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://accounts.google.com", "https://oauth2.googleapis.com/token", true)]
    [InlineData("https://accounts.google.com", "http://oauth2.googleapis.com/token", false)]
    [InlineData("https://accounts.google.com", "http://127.0.0.1/token", false)]
    [InlineData("http://127.0.0.1:4000", "http://localhost:4000/token", true)]
    [InlineData("http://127.0.0.1:4000", "http://192.168.0.1/token", false)]
    [InlineData("https://accounts.google.com", "file:///etc/passwd", false)]
    [InlineData("https://accounts.google.com", "", false)]
    public void Plain_http_stays_on_this_machine(string issuer, string address, bool allowed) => Assert.Equal(allowed, new OidcProvider { Issuer = issuer }.Allows(address));

    [Theory]
    [InlineData("common", Tenant, "https://login.microsoftonline.com/" + Tenant + "/v2.0")]
    [InlineData("organizations", Tenant, "https://login.microsoftonline.com/" + Tenant + "/v2.0")]
    [InlineData("common", null, null)]
    [InlineData("common", "../evil", null)]
    [InlineData("common", "{tenantid}", null)]
    // One directory: its own issuer and no other, whatever the token calls its directory.
    [InlineData(Tenant, "72f988bf-86f1-41af-91ab-2d7cd011db47", "https://login.microsoftonline.com/" + Tenant + "/v2.0")]
    public void The_issuer_of_an_Entra_token_is_that_of_its_directory(string authority, string? directory, string? issuer)
    {
        var provider = new OidcProvider { Issuer = $"https://login.microsoftonline.com/{authority}/v2.0" };
        var payload = directory is null ? "{}" : JsonSerializer.Serialize(new Dictionary<string, string> { ["tid"] = directory });
        var token = new JsonWebToken("""{"alg":"RS256"}""", payload);

        Assert.Equal(issuer, OidcTokens.Issuer(provider, token));
    }

    [Theory]
    [InlineData("https://accounts.google.com", """{"email_verified":true}""", true)]
    [InlineData("https://accounts.google.com", """{"email_verified":"true"}""", true)]
    [InlineData("https://accounts.google.com", """{"email_verified":false}""", false)]
    [InlineData("https://accounts.google.com", """{"email_verified":"false"}""", false)]
    [InlineData("https://accounts.google.com", """{"email_verified":1}""", false)]
    [InlineData("https://accounts.google.com", """{"email_verified":null}""", false)]
    [InlineData("https://accounts.google.com", """{"xms_edov":true}""", false)]
    [InlineData("https://accounts.google.com", "{}", false)]
    [InlineData("https://login.microsoftonline.com/common/v2.0", """{"xms_edov":true}""", true)]
    [InlineData("https://login.microsoftonline.com/common/v2.0", """{"xms_edov":1}""", true)]
    [InlineData("https://login.microsoftonline.com/common/v2.0", """{"xms_edov":"1"}""", true)]
    [InlineData("https://login.microsoftonline.com/common/v2.0", """{"xms_edov":0}""", false)]
    [InlineData("https://login.microsoftonline.com/common/v2.0", """{"email_verified":true}""", false)]
    [InlineData("https://login.microsoftonline.com/common/v2.0", "{}", false)]
    public void An_address_counts_only_where_the_provider_vouches_for_it(string issuer, string claims, bool verified)
    {
        using var document = JsonDocument.Parse(claims);
        Assert.Equal(verified, OidcTokens.IsEmailVerified(new OidcProvider { Issuer = issuer }, document.RootElement));
    }

    [Theory]
    [InlineData("/", true)]
    [InlineData("/overview?range=7d#top", true)]
    [InlineData("/a//b", true)]
    [InlineData("", false)]
    [InlineData("//evil.example", false)]
    [InlineData("/\\evil.example", false)]
    [InlineData("/a\\b", false)]
    [InlineData("/a b", false)]
    [InlineData("/\u0000", false)]
    [InlineData("/\u007f", false)]
    [InlineData("https://evil.example", false)]
    [InlineData("evil", false)]
    public void Only_a_path_of_our_own_is_returned_to(string path, bool local) => Assert.Equal(local, OidcEndpoints.IsLocalPath(path));

    private static OidcOptions Options(params (string Key, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings.Select(pair => KeyValuePair.Create<string, string?>("Oidc:" + pair.Key, pair.Value))).Build();
        using var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration).AddOidc().BuildServiceProvider();
        return services.GetRequiredService<IOptions<OidcOptions>>().Value;
    }
}
