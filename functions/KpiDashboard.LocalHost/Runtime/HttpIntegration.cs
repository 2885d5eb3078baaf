using System.Diagnostics;
using System.Text.Json;
using KpiDashboard.LocalHost.Startup;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Constraints;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>HTTP functions as endpoints of ASP.NET Core.</summary>
internal sealed partial class HttpIntegration(FunctionInvoker invoker, FunctionKeys keys, ILogger<HttpIntegration> logger)
{
    /// <summary>The worker's own key, so that code that looks into <see cref="FunctionContext.Items"/> works under both.</summary>
    public const string HttpContextKey = "HttpRequestContext";

    /// <summary>Stands where <c>ConfigureFunctionsWebApplication()</c> was called: what comes before it sees no request, what it returns is written here.</summary>
    public static FunctionExecutionDelegate Middleware(FunctionExecutionDelegate next) => async context =>
    {
        if (context.Features.Get<PendingRequest>() is not { } request)
        {
            await next(context);
            return;
        }

        context.Items[HttpContextKey] = request.HttpContext;
        await next(context);
        switch (context.GetInvocationResult().Value)
        {
            case IActionResult action:
                await action.ExecuteResultAsync(new ActionContext(request.HttpContext, request.HttpContext.GetRouteData(), new ActionDescriptor()));
                break;
            case IResult result:
                await result.ExecuteAsync(request.HttpContext);
                break;
            case { } other:
                request.Unwritten = other.GetType();
                break;
        }
    };

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

        PendingRequest pending = new(http);
        IServiceProvider requestServices = http.RequestServices;
        try
        {
            await invoker.InvokeAsync(function, ActivityKind.Server, Prepare, complete: _ => http.RequestServices = requestServices, http.RequestAborted);
            if (pending.Unwritten is { } type)
                LogUnwritten(function.Name, type.Name);
        }
        catch (Exception) when (!http.Response.HasStarted)
        {
            // Logged by the invoker. The host hides what it was, and so do we.
            http.Response.Clear();
            http.Response.StatusCode = StatusCodes.Status500InternalServerError;
        }
        catch (Exception)
        {
            // Half a response is already on its way; the client must not take it for a whole one.
            http.Abort();
        }

        void Prepare(LocalFunctionContext context)
        {
            context.Features.Set(pending);
            // The function, its middleware and the results they return share one scope.
            http.RequestServices = context.InstanceServices;
            foreach ((string name, object? value) in http.Request.RouteValues)
                context.Bindings.TriggerMetadata[name] = value as string;
            context.Bindings.TriggerMetadata["Query"] = JsonSerializer.Serialize(http.Request.Query.ToDictionary(pair => pair.Key, pair => pair.Value.ToString()));
            context.Bindings.TriggerMetadata["Headers"] = JsonSerializer.Serialize(http.Request.Headers.ToDictionary(pair => pair.Key, pair => pair.Value.ToString()));
        }
    }

    [LoggerMessage(10, LogLevel.Warning, "Function {Function} returned a {Type}, which the worker does not write: the response is 200 with an empty body.")]
    private partial void LogUnwritten(string function, string type);

    private sealed class PendingRequest(HttpContext http)
    {
        public HttpContext HttpContext => http;

        /// <summary>Type of a result that nobody writes.</summary>
        public Type? Unwritten { get; set; }
    }

    /// <summary>HTTP functions that take a request cannot work without the integration; the worker would hand them null.</summary>
    public static void RequireConfigured(IEnumerable<LocalFunction> functions, bool configured)
    {
        if (!configured && functions.FirstOrDefault(function => function.Trigger is HttpTrigger) is { } function)
            throw new StartupException($"Function {function.Name} is an HTTP function, but Program.cs does not call ConfigureFunctionsWebApplication().");
    }
}

/// <summary>A fixed set of endpoints.</summary>
internal sealed class FixedEndpoints(IReadOnlyList<Endpoint> endpoints) : EndpointDataSource
{
    public override IReadOnlyList<Endpoint> Endpoints => endpoints;

    public override Microsoft.Extensions.Primitives.IChangeToken GetChangeToken() => Microsoft.Extensions.FileProviders.NullChangeToken.Singleton;
}
