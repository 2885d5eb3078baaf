using System.Net;
using System.Net.Sockets;
using System.Text;
using KpiDashboard.Api;
using KpiDashboard.Functions.Middleware;
using KpiDashboard.LocalHost.Worker.Messages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;
using Xunit;

namespace KpiDashboard.IntegrationTests.LocalHost;

/// <summary>Answers and requests that break, through the product's middleware on the real worker.</summary>
public sealed class AnswerFunctions(Recorder recorder)
{
    [Function("BreaksBefore")]
    public static IResult Before([HttpTrigger(AuthorizationLevel.Anonymous, "get")] HttpRequest request) =>
        new StreamedAnswer("text/csv", "audit.csv", 10, (_, _) => throw new InvalidOperationException("unexpected"));

    [Function("BreaksItself")]
    public static IResult Itself([HttpTrigger(AuthorizationLevel.Anonymous, "get")] HttpRequest request) =>
        new StreamedAnswer("text/csv", "audit.csv", null, (_, _) => throw ApiProblem.NotFound("There is no such file."));

    [Function("BreaksLate")]
    public static IResult Late([HttpTrigger(AuthorizationLevel.Anonymous, "get")] HttpRequest request) => new StreamedAnswer("text/csv",
        "audit.csv", null, async (output, token) =>
    {
        await output.WriteAsync("half"u8.ToArray(), token);
        await output.FlushAsync(token);
        throw new InvalidOperationException("unexpected");
    });

    [Function("Holds")]
    public static IResult Holds([HttpTrigger(AuthorizationLevel.Anonymous, "get")] HttpRequest request) =>
        new StreamedAnswer("text/csv", "audit.csv", 2, (output, token) => output.WriteAsync("ok"u8.ToArray(), token).AsTask());

    /// <summary>Reads everything, by the token that the endpoint uses: the invocation's or the request's.</summary>
    [Function("Takes")]
    public async Task<IResult> Takes([HttpTrigger(AuthorizationLevel.Anonymous, "post")] HttpRequest request,
        CancellationToken cancellationToken)
    {
        recorder.Add("begin");
        await request.Body.CopyToAsync(Stream.Null, request.Query.ContainsKey("request") ? request.HttpContext.RequestAborted
            : cancellationToken);
        recorder.Add("took");
        return Results.Text("taken");
    }

    [Function("Waits")]
    public async Task<IResult> Waits([HttpTrigger(AuthorizationLevel.Anonymous, "get")] HttpRequest request,
        CancellationToken cancellationToken)
    {
        recorder.Add("begin");
        await Task.Delay(Timeout.Infinite, request.Query.ContainsKey("request") ? request.HttpContext.RequestAborted : cancellationToken);
        return Results.Text("never");
    }
}

/// <summary>Notes with which status each request ended.</summary>
internal sealed class StatusMiddleware(Recorder recorder) : IFunctionsWorkerMiddleware
{
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        await next(context);
        recorder.Add($"status {context.GetHttpContext()!.Response.StatusCode}");
    }
}

[Trait("Clock", "none")]
public sealed class AnswerTests : IDisposable
{
    private const string Chunked =
        "POST /api/Takes HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";

    private readonly TempFolder _data = new();

    public void Dispose() => _data.Dispose();

    /// <summary>Whole, because what a fault was stands at its end.</summary>
    private static void AssertNoFault(TestApp app)
    {
        string[] faults = [.. app.Logs.Entries.Where(entry => entry.Level >= LogLevel.Warning).Select(entry => entry.Text)];
        Assert.True(faults.Length == 0, string.Join(Environment.NewLine, faults));
    }

    [Fact]
    public async Task An_answer_that_fails_before_its_first_byte_is_a_problem_and_not_an_empty_file()
    {
        await using var app = await StartAsync();

        using var answer = await app.Client.GetAsync(Api("BreaksBefore"), TestApp.Ct);

        Assert.Equal((500, "application/problem+json"), ((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        Assert.Null(answer.Content.Headers.ContentDisposition);
        Assert.Contains("/problems/fault\"", await answer.Content.ReadAsStringAsync(TestApp.Ct), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_an_answer_raises_itself_is_told_as_it_is()
    {
        await using var app = await StartAsync();

        using var answer = await app.Client.GetAsync(Api("BreaksItself"), TestApp.Ct);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains("There is no such file.", await answer.Content.ReadAsStringAsync(TestApp.Ct), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_on_its_way_is_cut_off()
    {
        await using var app = await StartAsync();

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => app.Client.GetStringAsync(Api("BreaksLate"), TestApp.Ct));
    }

    [Fact]
    public async Task An_answer_that_succeeds_stays_as_it_is()
    {
        await using var app = await StartAsync();

        using var answer = await app.Client.GetAsync(Api("Holds"), TestApp.Ct);

        Assert.Equal((200, "text/csv", "ok"), ((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType,
            await answer.Content.ReadAsStringAsync(TestApp.Ct)));
    }

    /// <summary>
    /// The host cancels the invocation before the worker's web server sees that the client is gone: which of the two comes first is
    /// chance, so many of each.
    /// </summary>
    [Theory]
    [InlineData("Takes")]
    [InlineData("Takes?request")]
    [InlineData("Waits")]
    [InlineData("Waits?request")]
    public async Task A_client_that_goes_away_is_no_fault(string path)
    {
        const int Clients = 20;
        await using var app = await StartAsync();

        for (var i = 0; i < Clients; i++)
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync(IPAddress.Loopback, app.Host.Address!.Port, TestApp.Ct);
            var request = path.StartsWith("Takes", StringComparison.Ordinal)
                ? $"POST /api/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nonly this"
                : $"GET /api/{path} HTTP/1.1\r\nHost: localhost\r\n\r\n";
            await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request), TestApp.Ct);
            var begun = i + 1;
            // Half of them leave while the function runs, half whenever it happens to be.
            if (i % 2 == 0) await TestApp.EventuallyAsync(() => app.Recorder.Count("begin") >= begun - (i / 2), "the function ran");
            if (i % 4 < 2) socket.Client.LingerState = new LingerOption(true, 0);
        }

        await TestApp.EventuallyAsync(() => app.Recorder.Events.Count(one => one is "status 499" or "status 400") >= Clients / 2,
            () => $"those that had begun ended: {string.Join(", ", app.Recorder.Events)}; {string.Join(", ", app.Logs.Entries)}");
        await Task.Delay(TimeSpan.FromSeconds(3), TestApp.Ct);
        Assert.Equal(0, app.Recorder.Count("took"));
        Assert.DoesNotContain(app.Recorder.Events, one => one is "status 500" or "status 503");
        AssertNoFault(app);
    }

    /// <summary>
    /// The client went away before its request was passed on, and the host's cancellation, said once, overtook the invocation in the
    /// worker.
    /// </summary>
    [Fact]
    public async Task An_invocation_whose_request_never_comes_is_no_fault()
    {
        await using var app = await StartAsync();
        var session = await app.Host.Worker.CurrentAsync(TestApp.Ct);
        var invocation = Invocation(app);
        session.Connection.Cancel(invocation.InvocationId);

        var ended = await session.Connection.InvokeAsync(invocation).WaitAsync(TimeSpan.FromMinutes(1), TestApp.Ct);

        Assert.Equal(StatusResult.Types.Status.Success, ended.Result.Status);
        AssertNoFault(app);
        Assert.Equal("ok", await app.Client.GetStringAsync(Api("Holds"), TestApp.Ct));
    }

    /// <summary>
    /// The other way round: the request of a client that went away came to the worker's web server when its invocation had ended already.
    /// The worker waits five seconds for another.
    /// </summary>
    [Fact]
    public async Task A_request_whose_invocation_never_comes_is_no_fault()
    {
        await using var app = await StartAsync();
        var session = await app.Host.Worker.CurrentAsync(TestApp.Ct);
        using (var socket = new TcpClient())
        {
            await socket.ConnectAsync(IPAddress.Loopback, session.HttpUri!.Port, TestApp.Ct);
            var request = $"GET /api/Holds HTTP/1.1\r\nHost: localhost\r\nx-ms-invocation-id: {Guid.NewGuid()}\r\n\r\n";
            await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request), TestApp.Ct);
            await Task.Delay(TimeSpan.FromSeconds(1), TestApp.Ct);
        }

        await Task.Delay(TimeSpan.FromSeconds(7), TestApp.Ct);
        AssertNoFault(app);
        Assert.Equal("ok", await app.Client.GetStringAsync(Api("Holds"), TestApp.Ct));
    }

    /// <summary>They had met, and the cancellation came in the moment before the web server let the function run.</summary>
    [Fact]
    public async Task An_invocation_that_is_cancelled_as_its_request_is_to_run_is_no_fault()
    {
        using Meeting meeting = new();
        await using var app = await StartAsync(meeting.Attend);
        var session = await app.Host.Worker.CurrentAsync(TestApp.Ct);
        var invocation = Invocation(app);
        using (var socket = new TcpClient())
        {
            await socket.ConnectAsync(IPAddress.Loopback, session.HttpUri!.Port, TestApp.Ct);
            var request = $"GET /api/Holds HTTP/1.1\r\nHost: localhost\r\nx-ms-invocation-id: {invocation.InvocationId}\r\n\r\n";
            var running = session.Connection.InvokeAsync(invocation);
            await meeting.Waits.Task.WaitAsync(TimeSpan.FromMinutes(1), TestApp.Ct);
            await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request), TestApp.Ct);
            await meeting.Met.Task.WaitAsync(TimeSpan.FromMinutes(1), TestApp.Ct);
            session.Connection.Cancel(invocation.InvocationId);
            var ended = await running.WaitAsync(TimeSpan.FromMinutes(1), TestApp.Ct);
            Assert.Equal(StatusResult.Types.Status.Success, ended.Result.Status);
            meeting.GoOn.Set();
        }

        await Task.Delay(TimeSpan.FromSeconds(3), TestApp.Ct);
        AssertNoFault(app);
    }

    [Fact]
    public async Task A_run_that_the_host_ends_while_its_client_waits_is_said_to_have_taken_too_long()
    {
        await using var app = await StartAsync("--set", "AzureFunctionsJobHost:functionTimeout=00:00:01");

        using var answer = await app.Client.GetAsync(Api("Waits"), TestApp.Ct);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Contains("too long", await answer.Content.ReadAsStringAsync(TestApp.Ct), StringComparison.Ordinal);
    }

    /// <summary>Four lines of ASP.NET Core a request, two of them with the query, in which codes and states of sign-ins stand.</summary>
    [Fact]
    public async Task No_line_of_the_log_tells_of_a_request_that_went_well()
    {
        await using var app = await StartAsync();

        await app.Client.GetStringAsync(Api("Holds?code=secret-code&state=secret-state"), TestApp.Ct);

        await Task.Delay(500, TestApp.Ct);
        Assert.DoesNotContain(app.Logs.Entries, entry => entry.Text.Contains("secret", StringComparison.Ordinal));
        Assert.DoesNotContain(app.Logs.Entries, entry => entry.Text.Contains("Request starting", StringComparison.Ordinal)
            || entry.Text.Contains(" endpoint '", StringComparison.Ordinal));
    }

    /// <summary>
    /// The forwarder cannot send such a header on, and the body is not one: each is answered at once, and not after the worker's 15
    /// seconds.
    /// </summary>
    [Theory]
    [InlineData("GET /api/Holds HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Name: J\u00f6rg\r\n\r\n")]
    [InlineData("GET /api/Holds HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nUser-Agent: \u65e5\u672c\r\n\r\n")]
    [InlineData(Chunked + "ZZ\r\nbody\r\n0\r\n\r\n")]
    [InlineData(Chunked + "4\r\nbodyXX\r\n0\r\n\r\n")]
    [InlineData(Chunked + "-1\r\nbody\r\n0\r\n\r\n")]
    public async Task What_cannot_be_passed_on_is_a_problem_at_once(string request)
    {
        await using var app = await StartAsync();
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, app.Host.Address!.Port, TestApp.Ct);
        await socket.GetStream().WriteAsync(Encoding.UTF8.GetBytes(request), TestApp.Ct);

        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        using var reader = new StreamReader(socket.GetStream());
        var answer = await reader.ReadToEndAsync(TestApp.Ct);

        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        Assert.Contains("application/problem+json", answer, StringComparison.Ordinal);
        Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(10),
            "It took as long as the worker waits.");
        Assert.DoesNotContain(app.Logs.Entries, entry => entry.Level >= LogLevel.Error);
    }

    private static InvocationRequest Invocation(TestApp app)
    {
        var function = app.Host.Functions.Single(one => one.Name == "Holds");
        var invocation = new InvocationRequest { InvocationId = Guid.NewGuid().ToString(), FunctionId = function.Id };
        invocation.TraceContext = new RpcTraceContext();
        invocation.InputData.Add(new ParameterBinding { Name = function.Parameter, Data = new TypedData { Http = new RpcHttp() } });
        return invocation;
    }

    private Task<TestApp> StartAsync(params string[] args) => StartAsync(null, args);

    private Task<TestApp> StartAsync(Action<FunctionsApplicationBuilder>? change, params string[] args) => TestApp.StartAsync(
        _data.Path,
        [typeof(AnswerFunctions)],
        builder =>
        {
            // The same filter and order as the product's; a test of the whole app holds that they are there.
            builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
            builder.UseMiddleware<AbortMiddleware>();
            builder.Services.AddSingleton<IStartupFilter, AbortFilter>();
            change?.Invoke(builder);
            builder.ConfigureFunctionsWebApplication();
            builder.UseMiddleware<StatusMiddleware>();
            builder.UseMiddleware<ProblemMiddleware>();
        },
        args);

    private static Uri Api(string path) => new($"api/{path}", UriKind.Relative);
}

/// <summary>
/// Holds the worker's web server where it has found the invocation of a request and is about to let it run: it looks for the invocation's
/// id in the headers then, for the second time.
/// </summary>
internal sealed class Meeting : IStartupFilter, IDisposable
{
    /// <summary>The invocation waits for its request.</summary>
    public TaskCompletionSource Waits { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Met { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ManualResetEventSlim GoOn { get; } = new();

    /// <summary>Before the worker's own middleware, which lets invocation and request meet.</summary>
    public void Attend(FunctionsApplicationBuilder builder)
    {
        builder.Services.AddSingleton<IStartupFilter>(this);
        builder.UseMiddleware((_, next) =>
        {
            var running = next();
            Waits.TrySetResult();
            return running;
        });
    }

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(async (http, run) =>
        {
            var request = http.Features.GetRequiredFeature<IHttpRequestFeature>();
            request.Headers = new Headers(request.Headers, this);
            await run(http);
        });
        next(app);
    };

    public void Dispose() => GoOn.Dispose();

    private sealed class Headers(IHeaderDictionary of, Meeting meeting)
        : HeaderDictionary(of.ToDictionary(StringComparer.OrdinalIgnoreCase)), IHeaderDictionary
    {
        private int _looked;

        bool IDictionary<string, StringValues>.TryGetValue(string key, out StringValues value)
        {
            if (key == "x-ms-invocation-id" && Interlocked.Increment(ref _looked) == 2)
            {
                meeting.Met.TrySetResult();
                meeting.GoOn.Wait(TimeSpan.FromMinutes(1));
            }

            return TryGetValue(key, out value);
        }
    }
}
