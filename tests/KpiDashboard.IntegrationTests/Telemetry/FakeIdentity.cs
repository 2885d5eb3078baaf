using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.IntegrationTests.Telemetry;

/// <summary>The token endpoint of App Service's managed identities: <c>IDENTITY_ENDPOINT</c> and <c>IDENTITY_HEADER</c>, version 2019-08-01.</summary>
internal sealed class FakeIdentity : IAsyncDisposable
{
    public const string ClientId = "11111111-2222-3333-4444-555555555555";
    private readonly WebApplication _app;
    private readonly string _header = Guid.NewGuid().ToString();

    private FakeIdentity(WebApplication app) => _app = app;

    /// <summary>The token for a resource.</summary>
    public Func<string, string> Token { get; set; } = resource => Jwt(resource);

    /// <summary>Resources that tokens were asked for, in order.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    public static async Task<FakeIdentity> StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var fake = new FakeIdentity(app);
        app.Run(fake.AnswerAsync);
        await app.StartAsync(cancellationToken);
        Environment.SetEnvironmentVariable("IDENTITY_ENDPOINT", $"{app.Urls.First()}/msi/token");
        Environment.SetEnvironmentVariable("IDENTITY_HEADER", fake._header);
        return fake;
    }

    /// <summary>A token as far as Azurite looks: issuer, audience, lifetime.</summary>
    public static string Jwt(string audience)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        return $"{Part(new { alg = "none", typ = "JWT" })}.{Part(new { aud = audience, iss = "https://sts.windows.net/00000000-0000-0000-0000-000000000000/", nbf = now - 60, iat = now - 60, exp = now + 3600 })}.c2ln";

        static string Part(object value) => Convert.ToBase64String(JsonSerializer.SerializeToUtf8Bytes(value)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
    }

    /// <summary>A certificate for 127.0.0.1 that nobody but the test trusts.</summary>
    public static X509Certificate2 Certificate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null, X509KeyStorageFlags.Exportable);
    }

    /// <summary>Trusts that certificate and no other.</summary>
    public static HttpClientHandler Trusting(X509Certificate2 certificate) =>
        new() { ServerCertificateCustomValidationCallback = (_, shown, _, _) => shown?.Thumbprint == certificate.Thumbprint };

    private async Task AnswerAsync(HttpContext http)
    {
        var query = http.Request.Query;
        if (http.Request.Path != "/msi/token" || http.Request.Headers["X-IDENTITY-HEADER"] != _header || query["client_id"] != ClientId || query["api-version"] != "2019-08-01")
        {
            http.Response.StatusCode = 400;
            await http.Response.WriteAsync("{\"message\":\"Not the identity of this app.\"}", http.RequestAborted);
            return;
        }

        var resource = query["resource"].ToString();
        Asked.Enqueue(resource);
        http.Response.ContentType = "application/json";
        // So short-lived that nobody keeps it: every refresh comes here.
        var expires = DateTimeOffset.UtcNow.AddMinutes(2).ToUnixTimeSeconds();
        await http.Response.WriteAsync(
            JsonSerializer.Serialize(new { access_token = Token(resource), expires_on = $"{expires}", resource, token_type = "Bearer", client_id = ClientId }), Encoding.UTF8, http.RequestAborted);
    }

    public async ValueTask DisposeAsync()
    {
        Environment.SetEnvironmentVariable("IDENTITY_ENDPOINT", null);
        Environment.SetEnvironmentVariable("IDENTITY_HEADER", null);
        await _app.DisposeAsync();
    }
}
