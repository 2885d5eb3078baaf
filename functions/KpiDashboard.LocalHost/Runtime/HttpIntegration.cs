using System.Diagnostics;
using System.Text.Json;
using KpiDashboard.Api;
using KpiDashboard.LocalHost.Worker;
using KpiDashboard.LocalHost.Worker.Messages;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Constraints;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Forwarder;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>
/// HTTP functions as endpoints: the request goes to the worker's own web server, by YARP as the Functions host sets it up, and at the same
/// time the worker is told to run the function; both must end.
/// </summary>
internal sealed partial class HttpIntegration(FunctionInvoker invoker, FunctionKeys keys, IHttpForwarder forwarder,
    ILogger<HttpIntegration> logger) : IDisposable
{
    private const string InvocationHeader = "x-ms-invocation-id";

    // The host's own figures.
    private static readonly ForwarderRequestConfig s_config = new() { ActivityTimeout = TimeSpan.FromSeconds(240) };

    // Without spans of its own: a worker in the same process would tell them as its calls to others.
    private readonly HttpMessageInvoker _http = new(new Connecting(
        new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ActivityHeadersPropagator = null }));

    public void Dispose() => _http.Dispose();

    public IEnumerable<Endpoint> Endpoints(IEnumerable<LocalFunction> functions)
    {
        foreach (LocalFunction function in functions)
        {
            if (function is { Disabled: false, Trigger: HttpTrigger trigger })
                yield return Endpoint(function, trigger);
        }
    }

    private Endpoint Endpoint(LocalFunction function, HttpTrigger trigger)
    {
        // A constraint and not method metadata: the Functions host answers 404, not 405, to a method that the function does not have.
        RoutePattern pattern = trigger.Methods.Count == 0
            ? RoutePatternFactory.Parse(trigger.Route)
            : RoutePatternFactory.Parse(trigger.Route, defaults: null, parameterPolicies: new { httpMethod = new HttpMethodRouteConstraint([.. trigger.Methods]) });
        return new RouteEndpointBuilder(http => InvokeAsync(http, function, trigger), pattern, order: 0) { DisplayName = function.Name }.Build();
    }

    private async Task InvokeAsync(HttpContext http, LocalFunction function, HttpTrigger trigger)
    {
        if (!keys.Allows(http.Request, trigger.Level))
        {
            http.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }

        try
        {
            // The forwarder cannot send one on, and the Functions host finds that out after ten tries and fifteen seconds.
            if (http.Request.Headers.FirstOrDefault(header => header.Value.Any(value => value is not null
                && !System.Text.Ascii.IsValid(value))) is { Key: { } name })
                throw new RefusedRequestException($"The header '{name}' holds characters that are not ASCII.");
            await invoker.InvokeAsync(function, ActivityKind.Server, request => Fill(request, http, function), http.RequestAborted,
                (session, request) => ForwardAsync(session, request, http));
        }
        catch (RefusedRequestException refused) when (!http.Response.HasStarted)
        {
            http.Response.Clear();
            await ApiProblem.BadBody(refused.Message).WriteAsync(http.Response, http.RequestAborted);
        }
        catch (TimeoutException) when (http.Response.HasStarted)
        {
            // The worker was told to end and said so itself; that answer is whole.
        }
        catch (Exception e) when (!http.Response.HasStarted)
        {
            // Logged by the invoker. The host hides what it was, and so do we.
            http.Response.Clear();
            http.Response.StatusCode = StatusCodes.Status500InternalServerError;
            if (!http.RequestAborted.IsCancellationRequested)
                LogNoAnswer(function.Name, e.GetType().Name);
        }
        catch (Exception)
        {
            // Half a response is already on its way; the client must not take it for a whole one.
            http.Abort();
        }
    }

    /// <summary>
    /// What the host tells of a request besides forwarding it: route values, query and headers, the only place where
    /// <c>X-Forwarded-For</c> is as it came.
    /// </summary>
    private static void Fill(InvocationRequest request, HttpContext http, LocalFunction function)
    {
        request.InputData.Add(new ParameterBinding { Name = function.Parameter, Data = new TypedData { Http = new RpcHttp() } });
        foreach ((string name, object? value) in http.Request.RouteValues)
        {
            if (value is string text)
                request.TriggerMetadata[name] = new TypedData { String = text };
        }

        request.TriggerMetadata["Query"] = Json(http.Request.Query.Select(pair => (pair.Key, pair.Value.ToString())));
        request.TriggerMetadata["Headers"] = Json(http.Request.Headers.Select(pair => (pair.Key, pair.Value.ToString())));

        static TypedData Json(IEnumerable<(string Key, string Value)> pairs) =>
            new() { Json = JsonSerializer.Serialize(pairs.ToDictionary(pair => pair.Key, pair => pair.Value)) };
    }

    private async Task ForwardAsync(WorkerSession session, InvocationRequest request, HttpContext http)
    {
        http.Request.Headers[InvocationHeader] = request.InvocationId;
        ForwarderError error = await forwarder.SendAsync(http, session.HttpUri!.ToString(), _http, s_config);
        Exception? cause = http.Features.Get<IForwarderErrorFeature>()?.Exception;
        switch (error)
        {
            case ForwarderError.None:
                return;
            case ForwarderError.RequestBodyClient when !http.RequestAborted.IsCancellationRequested:
                throw new RefusedRequestException("The body of the request ends before its time, or is not what its headers say.", cause);
            case var _ when http.RequestAborted.IsCancellationRequested:
                throw new OperationCanceledException("The client went away.", cause, http.RequestAborted);
            default:
                throw new InvalidOperationException($"The request could not be passed on ({error}): {cause?.Message}", cause);
        }
    }

    /// <summary>A worker tells its functions before its web server listens: a connection is tried ten times, as the host does.</summary>
    internal sealed class Connecting(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        private const int Tries = 10;
        private static readonly TimeSpan s_first = TimeSpan.FromMilliseconds(50), s_longest = TimeSpan.FromMilliseconds(250);

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            TimeSpan pause = s_first;
            for (int i = 1; ; i++)
            {
                try
                {
                    return await base.SendAsync(request, cancellationToken);
                }
                catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConnectionError && i < Tries)
                {
                    // Nothing of the body has been read.
                    await Task.Delay(pause, cancellationToken);
                    pause = pause * 2 < s_longest ? pause * 2 : s_longest;
                }
            }
        }
    }

    [LoggerMessage(10, LogLevel.Debug, "The client of function {Function} got 500 for {Exception}.")]
    private partial void LogNoAnswer(string function, string exception);
}

/// <summary>A fixed set of endpoints.</summary>
internal sealed class FixedEndpoints(IReadOnlyList<Endpoint> endpoints) : EndpointDataSource
{
    public override IReadOnlyList<Endpoint> Endpoints => endpoints;

    public override Microsoft.Extensions.Primitives.IChangeToken GetChangeToken() => Microsoft.Extensions.FileProviders.NullChangeToken.Singleton;
}
