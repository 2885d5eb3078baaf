using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>The part of the Functions host's <c>/admin</c> that people use: look at the functions and run one by hand. Needs the master key.</summary>
internal sealed partial class AdminApi(
    IReadOnlyList<LocalFunction> functions, FunctionKeys keys, TimerRunner timers, QueueRunner queues, ILogger<AdminApi> logger)
{
    private static readonly string s_instanceId = Guid.NewGuid().ToString("N");

    public void Map(IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder admin = routes.MapGroup("/admin");
        admin.AddEndpointFilter(async (context, next) =>
            keys.Allows(context.HttpContext.Request, KeyLevel.Admin) ? await next(context)
                : Results.StatusCode(StatusCodes.Status401Unauthorized));
        admin.MapGet("/host/status", Status);
        admin.MapGet("/functions", (HttpRequest request) => Results.Json(functions.Select(function => Describe(function, request))));
        admin.MapGet("/functions/{name}", (string name, HttpRequest request) =>
            Find(name) is { } function ? Results.Json(Describe(function, request)) : Results.NotFound());
        admin.MapPost("/functions/{name}", RunAsync);
    }

    private static IResult Status() => Results.Json(new
    {
        id = Environment.MachineName,
        state = "Running",
        version = typeof(AdminApi).Assembly.GetName().Version?.ToString(),
        versionDetails = typeof(AdminApi).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion,
        instanceId = s_instanceId,
        computerName = Environment.MachineName,
        processUptime = Environment.TickCount64 - s_startTicks,
    });

    private static readonly long s_startTicks = Environment.TickCount64;

    private async Task<IResult> RunAsync(string name, HttpRequest request)
    {
        if (Find(name) is not { } function)
            return Results.NotFound();
        if (function.Trigger is HttpTrigger)
            return Results.Problem($"Function {function.Name} is an HTTP function; call its own address.", statusCode: StatusCodes.Status400BadRequest);

        string input;
        try
        {
            input = await ReadInputAsync(request);
        }
        catch (JsonException)
        {
            return Results.Problem("""The body must be JSON such as {"input":"..."}.""", statusCode: StatusCodes.Status400BadRequest);
        }

        // Accepted and on its way: like the real host, the answer does not wait for the run.
        _ = Task.Run(
            async () =>
            {
                try
                {
                    await (function.Trigger is TimerTrigger
                        ? timers.RunByHandAsync(function, CancellationToken.None)
                        : queues.RunByHandAsync(function, input, CancellationToken.None));
                }
                catch (Exception)
                {
                    // Logged by the invoker, like every run.
                }
            },
            CancellationToken.None);
        LogByHand(function.Name);
        return Results.StatusCode(StatusCodes.Status202Accepted);
    }

    private static async Task<string> ReadInputAsync(HttpRequest request)
    {
        using JsonDocument body = await JsonDocument.ParseAsync(request.Body, cancellationToken: request.HttpContext.RequestAborted);
        if (body.RootElement.ValueKind != JsonValueKind.Object)
            throw new JsonException("Not an object.");
        if (!body.RootElement.TryGetProperty("input", out JsonElement input))
            return "";
        return input.ValueKind switch
        {
            JsonValueKind.String => input.GetString()!,
            JsonValueKind.Null => "",
            _ => input.GetRawText(),
        };
    }

    private LocalFunction? Find(string name) =>
        functions.FirstOrDefault(function => string.Equals(function.Name, name, StringComparison.OrdinalIgnoreCase));

    private static object Describe(LocalFunction function, HttpRequest request) => new
    {
        name = function.Name,
        href = $"{request.Scheme}://{request.Host}/admin/functions/{function.Name}",
        invoke_url_template = function.Trigger is HttpTrigger http ? $"{request.Scheme}://{request.Host}/{http.Route}" : null,
        language = "dotnet-isolated",
        isDisabled = function.Disabled,
        config = new
        {
            name = function.Name,
            entryPoint = function.Metadata.EntryPoint,
            scriptFile = function.Metadata.ScriptFile,
            language = "dotnet-isolated",
            bindings = new[] { Binding(function) },
        },
    };

    private static Dictionary<string, object?> Binding(LocalFunction function)
    {
        Dictionary<string, object?> binding = new()
        {
            ["name"] = function.Parameter,
            ["type"] = function.Trigger.Type,
            ["direction"] = "In"
        };
        switch (function.Trigger)
        {
            case HttpTrigger http:
                binding["route"] = http.Route;
                binding["methods"] = http.Methods;
                binding["authLevel"] = http.Level.ToString();
                break;
            case TimerTrigger timer:
                binding["schedule"] = timer.Expression;
                break;
            case QueueTrigger queue:
                binding["queueName"] = queue.Queue;
                binding["connection"] = queue.Connection;
                break;
        }

        return binding;
    }

    [LoggerMessage(50, LogLevel.Information, "Function {Function} is run by hand.")]
    private partial void LogByHand(string function);
}
