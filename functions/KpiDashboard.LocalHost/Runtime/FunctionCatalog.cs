using System.Text.Json;
using System.Text.RegularExpressions;
using KpiDashboard.LocalHost.Startup;
using KpiDashboard.LocalHost.Worker.Messages;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.Configuration;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>
/// Reads the functions that the worker told of. What the Functions host would refuse, or silently get wrong, stops the start here with one
/// sentence that names the function; what a function must look like the worker's own build has checked.
/// </summary>
internal static partial class FunctionCatalog
{
    private static readonly string[] s_reservedRoutes = ["admin", "runtime"];

    public static IReadOnlyList<LocalFunction> Read(IEnumerable<RpcFunctionMetadata> functions, HostJson hostJson, IConfiguration settings,
        DateTime utcNow)
    {
        List<LocalFunction> read = [.. functions.Select(function => Describe(function, hostJson, settings, utcNow))];
        RefuseDuplicates(read);
        RefuseRouteConflicts(read);
        return read;
    }

    private static LocalFunction Describe(RpcFunctionMetadata function, HostJson hostJson, IConfiguration settings, DateTime utcNow)
    {
        string name = function.Name;
        if (!FunctionName().IsMatch(name))
            throw new StartupException(
                $"Function {function.EntryPoint} has the name '{name}'; "
                + "a name begins with a letter and has letters, digits, - and _, up to 127.");
        JsonElement[] bindings = [.. function.RawBindings.Select(binding => JsonElement.Parse(binding))];
        if (bindings.Where(binding => Text(binding, "type")?.EndsWith("Trigger",
            StringComparison.OrdinalIgnoreCase) == true).ToArray() is not [var only])
            throw new StartupException($"Function {name} must have exactly one trigger.");
        if (bindings.FirstOrDefault(binding => Text(binding, "direction") is "Out" or "out" && Text(binding,
            "type") != "http") is { ValueKind: JsonValueKind.Object } output)
            throw new StartupException($"Function {name} has the output binding {Text(output, "type")}, which LocalHost does not know.");
        if (only.TryGetProperty("properties", out JsonElement properties) && Text(properties,
            "supportsDeferredBinding") is "True" or "true")
            throw new StartupException(
                $"Function {name} takes a type of the storage SDK from its trigger, which LocalHost does not hand over; "
                + "take text or a class.");

        FunctionTrigger trigger = Text(only, "type")!.ToUpperInvariant() switch
        {
            "HTTPTRIGGER" => Http(name, only, hostJson),
            "TIMERTRIGGER" => Timer(name, only, settings, utcNow),
            "QUEUETRIGGER" => Queue(name, only, settings),
            _ => throw new StartupException($"Function {name} has the trigger {Text(only, "type")}, which LocalHost does not know."),
        };
        bool disabled = bool.TryParse(settings[$"AzureWebJobs.{name}.Disabled"] ?? settings[$"AzureWebJobs:{name}:Disabled"], out bool value) && value;
        return new LocalFunction(function, Text(only, "name")!, trigger, disabled);
    }

    private static HttpTrigger Http(string name, JsonElement binding, HostJson hostJson)
    {
        string route = $"{hostJson.RoutePrefix}/{(Text(binding, "route") ?? name).TrimStart('/')}".Trim('/');
        try
        {
            RoutePattern pattern = RoutePatternFactory.Parse(route);
            if (pattern.PathSegments is [{ IsSimple: true, Parts: [RoutePatternLiteralPart literal] }, ..]
                && s_reservedRoutes.Contains(literal.Content, StringComparer.OrdinalIgnoreCase))
                throw new RoutePatternException(route, $"'{literal.Content}' is reserved for the host.");
        }
        catch (RoutePatternException e)
        {
            throw new StartupException($"Function {name} has the route '{route}', which is not valid: {e.Message}", e);
        }

        string[] methods = binding.TryGetProperty("methods", out JsonElement listed) && listed.ValueKind == JsonValueKind.Array
            ? [.. listed.EnumerateArray().Select(method => method.GetString()!.ToUpperInvariant()).Distinct()]
            : [];
        return new HttpTrigger(route, methods, Enum.TryParse(Text(binding, "authLevel"), ignoreCase: true, out KeyLevel level) ? level
            : KeyLevel.Function);
    }

    private static TimerTrigger Timer(string name, JsonElement binding, IConfiguration settings, DateTime utcNow)
    {
        string expression = ResolveSettings(Text(binding, "schedule") ?? "", name, settings);
        TimerSchedule schedule = TimerSchedule.TryParse(expression)
            ?? throw new StartupException($"Function {name} has the schedule '{expression}', which is neither a six-field NCRONTAB expression nor a time span.");
        return new TimerTrigger(
            schedule, expression, Flag(binding, "useMonitor", fallback: true) && !schedule.IsFasterThanAMinute(utcNow), Flag(binding,
                "runOnStartup", fallback: false));
    }

    private static QueueTrigger Queue(string name, JsonElement binding, IConfiguration settings)
    {
        // Queue names are lower case; the real host lowers them as well.
        string queue = ResolveSettings(Text(binding, "queueName") ?? "", name, settings).ToLowerInvariant();
        return QueueName().IsMatch(queue)
            ? new QueueTrigger(queue, Text(binding, "connection") is { Length: > 0 } connection ? ResolveSettings(connection, name,
                settings) : "AzureWebJobsStorage")
            : throw new StartupException($"Function {name} has the queue name '{queue}'; a queue name has 3 to 63 lower-case letters, digits and single hyphens.");
    }

    private static string? Text(JsonElement binding, string name)
    {
        if (binding.ValueKind != JsonValueKind.Object)
            return null;
        foreach (JsonProperty property in binding.EnumerateObject())
        {
            if (property.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
                return property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString() : property.Value.GetRawText();
        }

        return null;
    }

    private static bool Flag(JsonElement binding, string name, bool fallback) => bool.TryParse(Text(binding, name), out bool value) ? value
        : fallback;

    private static string ResolveSettings(string text, string function, IConfiguration settings) =>
        SettingReference().Replace(text, match => settings[match.Groups[1].Value.Replace("__", ":", StringComparison.Ordinal)]
            ?? throw new StartupException($"Function {function} refers to the setting {match.Groups[1].Value}, which is not set."));

    private static void RefuseDuplicates(List<LocalFunction> functions)
    {
        if (functions.GroupBy(function => function.Name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(group => group.Count() > 1) is { } names)
            throw new StartupException(
                $"Two functions are called {names.Key}: {string.Join(" and ", names.Select(function => function.Metadata.EntryPoint))}.");
    }

    private static void RefuseRouteConflicts(List<LocalFunction> functions)
    {
        foreach (var group in functions.Where(function => function.Trigger is HttpTrigger).GroupBy(function => Shape(((HttpTrigger)function.Trigger).Route), StringComparer.OrdinalIgnoreCase))
        {
            Dictionary<string, LocalFunction> byMethod = new(StringComparer.OrdinalIgnoreCase);
            foreach (LocalFunction function in group)
            {
                HttpTrigger trigger = (HttpTrigger)function.Trigger;
                foreach (string method in trigger.Methods.Count == 0 ? ["*"] : trigger.Methods)
                {
                    LocalFunction? other = byMethod.GetValueOrDefault("*") ?? byMethod.GetValueOrDefault(method) ?? (method == "*" ? byMethod.Values.FirstOrDefault() : null);
                    if (other is not null)
                        throw new StartupException($"The functions {other.Name} and {function.Name} both answer {(method == "*" ? "" : method + " ")}/{trigger.Route}.");
                }

                foreach (string method in trigger.Methods.Count == 0 ? ["*"] : trigger.Methods)
                    byMethod[method] = function;
            }
        }
    }

    /// <summary>The route without the names of its parameters: two routes of one shape match the same addresses.</summary>
    private static string Shape(string route) =>
        string.Join('/', RoutePatternFactory.Parse(route).PathSegments.Select(segment => string.Concat(segment.Parts.Select(part => part switch
        {
            RoutePatternLiteralPart literal => literal.Content,
            RoutePatternSeparatorPart separator => separator.Content,
            RoutePatternParameterPart parameter =>
                $"{{{(parameter.IsCatchAll ? "*" : "")}{string.Concat(parameter.ParameterPolicies.Select(policy => ":" + policy.Content))}{(parameter.IsOptional ? "?" : "")}}}",
            _ => part.ToString(),
        }))));

    [GeneratedRegex("^[A-Za-z][A-Za-z0-9_-]{0,126}$")]
    private static partial Regex FunctionName();

    [GeneratedRegex("^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$")]
    private static partial Regex QueueName();

    [GeneratedRegex("%([^%]+)%")]
    private static partial Regex SettingReference();
}
