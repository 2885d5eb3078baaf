using System.Buffers;
using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.Demo.Simulation;

/// <summary>A Kestrel of its own on 127.0.0.1, separate from the app's in every respect, that answers all requests with one handler.</summary>
internal sealed class SimulatorServer : IAsyncDisposable
{
    private const int MaxRequestBytes = 1024 * 1024;

    private readonly WebApplication app;

    private SimulatorServer(WebApplication app, Uri baseAddress)
    {
        this.app = app;
        BaseAddress = baseAddress;
    }

    /// <summary>For example <c>http://127.0.0.1:41234/</c>.</summary>
    public Uri BaseAddress { get; }

    /// <summary>Starts on the port, or on a free one for 0.</summary>
    public static async Task<SimulatorServer> StartAsync(int port, RequestDelegate handler, CancellationToken cancellationToken)
    {
        // Empty: reads no settings file, environment variable or command line of the process it lives in.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, port);
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxRequestBytes;
        });
        var app = builder.Build();
        app.Run(handler);
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }

        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        return new SimulatorServer(app, new Uri(address));
    }

    /// <summary>Sends a JSON answer, spoilt by the fault if there is one that needs the proper answer first.</summary>
    public static async Task WriteAsync(HttpContext context, int status, Action<Utf8JsonWriter> write, Fault? fault = null)
    {
        var buffer = new ArrayBufferWriter<byte>();
        await using (var writer = new Utf8JsonWriter(buffer))
            write(writer);
        var body = buffer.WrittenMemory;
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json; charset=UTF-8";
        switch (fault)
        {
            case Fault.Truncated:
                body = body[..(body.Length / 2)];
                break;
            case Fault.BrokenOff:
                context.Response.ContentLength = body.Length;
                await context.Response.Body.WriteAsync(body[..(body.Length / 2)], context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
                context.Abort();
                return;
            default:
                break;
        }

        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    /// <summary>What time it is for an answer with this fault; a skewed clock also shows in the answer's header.</summary>
    public static DateTimeOffset Now(HttpContext context, Fault? fault, TimeProvider time)
    {
        var now = time.GetUtcNow();
        if (fault is not Fault.SkewedClock skewed)
            return now;
        context.Response.Headers.Date = (now + skewed.Ahead).ToString("R", System.Globalization.CultureInfo.InvariantCulture);
        return now + skewed.Ahead;
    }

    /// <summary>Carries out a fault that needs no proper answer. False: go on answering (perhaps late, perhaps spoilt afterwards).</summary>
    public static async Task<bool> MisbehaveAsync(HttpContext context, Fault? fault)
    {
        switch (fault)
        {
            case Fault.Answer answer:
                context.Response.StatusCode = answer.Status;
                context.Response.ContentType = answer.ContentType;
                if (answer.RetryAfter is not null)
                    context.Response.Headers.RetryAfter = answer.RetryAfter;
                await context.Response.WriteAsync(answer.Body, context.RequestAborted);
                return true;
            case Fault.Delay delay:
                await Task.Delay(delay.Time, context.RequestAborted);
                return false;
            case Fault.Hang:
                await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
                return true;
            case Fault.Reset:
                context.Abort();
                return true;
            case Fault.EmptyBody:
                context.Response.StatusCode = 200;
                context.Response.ContentType = "application/json; charset=UTF-8";
                return true;
            case Fault.Oversized oversized:
                context.Response.ContentType = "application/json; charset=UTF-8";
                var blanks = new byte[65_536];
                Array.Fill(blanks, (byte)' ');
                for (var left = oversized.Bytes; left > 0; left -= blanks.Length)
                    await context.Response.Body.WriteAsync(blanks.AsMemory(0, (int)Math.Min(left, blanks.Length)), context.RequestAborted);
                return true;
            default:
                return false;
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        // Clients keep connections open; waiting for them would hold up every shutdown.
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
        await app.StopAsync(soon.Token);
        await app.DisposeAsync();
    }
}
