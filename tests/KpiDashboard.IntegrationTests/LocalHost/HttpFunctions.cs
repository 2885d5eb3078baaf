using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.IntegrationTests.LocalHost;

[SuppressMessage("Performance", "CA1822", Justification = "The triggers' shape.")]
public sealed class ReturnFunctions
{
    [Function("ReturnsText")]
    public string Text([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request) => $"text of {request.Path}";

    [Function("ReturnsPoco")]
    public Task<Order> Poco([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request) => Task.FromResult(new Order(1, request.Method));

    [Function("ReturnsNull")]
    public IResult? Null([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request) => null;

    [Function("ReturnsNothing")]
    public void Nothing([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request) { }

    [Function("ReturnsTask")]
    public Task PlainTask([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request) => Task.CompletedTask;

    [Function("WritesItself")]
    public async Task WritesItself([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request)
    {
        request.HttpContext.Response.StatusCode = 418;
        await request.HttpContext.Response.WriteAsync("teapot", request.HttpContext.RequestAborted);
    }

    [Function("ReturnsAction")]
    public IActionResult Action([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request) => new ObjectResult(new Order(2, request.Method)) { StatusCode = 201 };

    [Function("ReturnsResult")]
    public async Task<Results<Ok<Order>, NotFound>> Result([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request)
    {
        await Task.Yield();
        return request.Query.ContainsKey("missing") ? TypedResults.NotFound() : TypedResults.Ok(new Order(3, "ok"));
    }

    [Function("StaticFunction")]
    public static IResult Static([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request) => Results.Text("static");

    [Function("Throws")]
    public IResult Throws([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request)
    {
        request.HttpContext.Response.Headers["x-secret"] = "1";
        throw new InvalidOperationException("secret of the house");
    }

    [Function("ThrowsLate")]
    public async Task<IResult> ThrowsLate([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request)
    {
        await request.HttpContext.Response.WriteAsync("half", request.HttpContext.RequestAborted);
        await request.HttpContext.Response.Body.FlushAsync(request.HttpContext.RequestAborted);
        throw new InvalidOperationException("in the middle");
    }
}

[SuppressMessage("Performance", "CA1822", Justification = "The triggers' shape.")]
public sealed class RouteFunctions
{
    [Function("ById")]
    public IResult ById([HttpTrigger(AuthorizationLevel.Anonymous, "get", "post", Route = "things/{id:int}")] HttpRequest request, int id) => Results.Text($"thing {id + 1}");

    [Function("DeleteById")]
    public IResult DeleteById([HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "things/{thing:int}")] HttpRequest request, long thing) => Results.Text($"deleted {thing}");

    [Function("Special")]
    public IResult Special([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "things/special")] HttpRequest request) => Results.Text("special");

    [Function("Optional")]
    public IResult Optional([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "optional/{name?}")] HttpRequest request, string? name, string fallback = "default") =>
        Results.Text($"{name ?? "none"} {fallback}");

    [Function("Typed")]
    public IResult Typed([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "typed/{key}/{day}")] HttpRequest request, Guid key, DateTime day) =>
        Results.Text($"{key:N} {day:yyyy-MM-dd}");

    [Function("Day")]
    public IResult Day([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "days/{day}")] HttpRequest request, DateOnly day) => Results.Text($"{day}");

    [Function("CatchAll")]
    public IResult CatchAll([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "files/{*path}")] HttpRequest request, string path) => Results.Text(path);

    [Function("Context")]
    public IResult Context([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "context/{id}")] HttpRequest request, FunctionContext context, CancellationToken cancellationToken) =>
        Results.Json(new
        {
            context.FunctionDefinition.Name,
            context.FunctionDefinition.EntryPoint,
            Assembly = Path.GetFileName(context.FunctionDefinition.PathToAssembly),
            Trigger = context.FunctionDefinition.InputBindings["request"].Type,
            Id = context.BindingContext.BindingData["ID"],
            context.TraceContext.TraceParent,
            SameToken = context.CancellationToken == cancellationToken,
            SameServices = ReferenceEquals(context.InstanceServices, request.HttpContext.RequestServices),
        });
}

[SuppressMessage("Performance", "CA1822", Justification = "The triggers' shape.")]
public sealed class KeyFunctions
{
    [Function("NeedsFunctionKey")]
    public IResult FunctionKey([HttpTrigger(AuthorizationLevel.Function)] HttpRequest request) => Results.Text("in");

    [Function("NeedsMasterKey")]
    public IResult MasterKey([HttpTrigger(AuthorizationLevel.Admin)] HttpRequest request) => Results.Text("in");
}

public sealed class ScopedThing(Recorder recorder) : IDisposable
{
    public string Name { get; } = Guid.NewGuid().ToString("N");

    public void Dispose() => recorder.Add("disposed");
}

public sealed class ScopedFunction(ScopedThing thing, Recorder recorder)
{
    [Function("Scoped")]
    public async Task<IResult> RunAsync([HttpTrigger(AuthorizationLevel.Anonymous, "get")] HttpRequest request, FunctionContext context, CancellationToken cancellationToken)
    {
        recorder.Add("function");
        if (request.Query.ContainsKey("throw"))
            throw new InvalidDataException("for the middleware");
        if (request.Query.ContainsKey("wait"))
        {
            try
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                recorder.Add("canceled");
                throw;
            }
        }

        bool same = ReferenceEquals(thing, request.HttpContext.RequestServices.GetRequiredService<ScopedThing>())
            && ReferenceEquals(thing, context.Items["scoped"]);
        return Results.Text(same ? "same" : "other");
    }
}

public sealed class FirstMiddleware(Recorder recorder) : IFunctionsWorkerMiddleware
{
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        recorder.Add($"first {context.GetHttpContext() is null}");
        await next(context);
        recorder.Add("first after");
    }
}

public sealed class SecondMiddleware(Recorder recorder) : IFunctionsWorkerMiddleware
{
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        context.Items["scoped"] = context.InstanceServices.GetRequiredService<ScopedThing>();
        string mode = context.GetHttpContext()!.Request.Query["mode"].ToString();
        recorder.Add("second");
        if (mode == "short")
        {
            context.GetInvocationResult().Value = Results.Text("short-cut", statusCode: 403);
            return;
        }

        if (mode == "write")
        {
            context.GetHttpContext()!.Response.StatusCode = 429;
            await context.GetHttpContext()!.Response.WriteAsync("by hand", context.CancellationToken);
            return;
        }

        try
        {
            await next(context);
        }
        catch (InvalidDataException e)
        {
            context.GetInvocationResult().Value = Results.Problem(e.Message, statusCode: 422);
        }

        if (mode == "replace")
            context.GetInvocationResult().Value = Results.Text("replaced");
        if (mode == "peek")
            recorder.Add($"result {context.GetInvocationResult().Value?.GetType().Name}");
        recorder.Add("second after");
    }
}
