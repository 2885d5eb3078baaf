using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.IntegrationTests.Telemetry;

/// <summary>
/// What Application Insights and an OTLP/HTTP collector look like from outside: Azure Monitor's <c>/v2.1/track</c> with gzipped lines of JSON, and
/// <c>/v1/traces|metrics|logs</c> with protobuf. Keeps everything it was sent.
/// </summary>
internal sealed class FakeIngestion : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<(string Path, string? Authorization, byte[] Body)> _received = new();

    private FakeIngestion(WebApplication app) => _app = app;

    public Uri Address { get; private set; } = null!;

    /// <summary>What was sent, unpacked.</summary>
    public IReadOnlyList<(string Path, string? Authorization, byte[] Body)> Received => [.. _received];

    /// <summary>Telemetry items of Azure Monitor.</summary>
    public IReadOnlyList<JsonNode> Items =>
        [.. Received.Where(request => request.Path.EndsWith("/track", StringComparison.Ordinal)).SelectMany(request => Encoding.UTF8.GetString(request.Body).Split('\n', StringSplitOptions.RemoveEmptyEntries)).Select(line => JsonNode.Parse(line)!)];

    public static async Task<FakeIngestion> StartAsync(CancellationToken cancellationToken, System.Security.Cryptography.X509Certificates.X509Certificate2? certificate = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            if (certificate is not null) listen.UseHttps(certificate);
        }));
        if (certificate is not null) builder.WebHost.UseKestrelHttpsConfiguration();
        var app = builder.Build();
        var fake = new FakeIngestion(app);
        app.Run(fake.TakeAsync);
        await app.StartAsync(cancellationToken);
        fake.Address = new Uri(app.Urls.First());
        return fake;
    }

    private async Task TakeAsync(HttpContext http)
    {
        Stream body = http.Request.Headers.ContentEncoding == "gzip" ? new GZipStream(http.Request.Body, CompressionMode.Decompress) : http.Request.Body;
        using var copy = new MemoryStream();
        await body.CopyToAsync(copy, http.RequestAborted);
        _received.Enqueue((http.Request.Path, http.Request.Headers.Authorization, copy.ToArray()));
        if (http.Request.Path.Value!.EndsWith("/track", StringComparison.Ordinal))
        {
            var count = copy.ToArray().Count(one => one == '\n') + (copy.Length > 0 ? 1 : 0);
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync($$"""{"itemsReceived":{{count}},"itemsAccepted":{{count}},"errors":[]}""", http.RequestAborted);
        }
        else
        {
            http.Response.ContentType = "application/x-protobuf";
        }
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
