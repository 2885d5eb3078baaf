using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using KpiDashboard.LocalHost.Startup;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;
using Microsoft.Extensions.Configuration;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>
/// Finds the functions of an assembly. What the worker's build or the Functions host would refuse, or silently get wrong, stops the start here
/// with one sentence that names the method.
/// </summary>
internal static partial class FunctionCatalog
{
    private static readonly string[] s_reservedRoutes = ["admin", "runtime"];

    public static IReadOnlyList<LocalFunction> Discover(Assembly assembly, Func<Type, bool> classes, HostJson hostJson, IConfiguration settings, DateTime utcNow)
    {
        const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        List<LocalFunction> functions = [];
        foreach (Type type in assembly.GetTypes().Where(classes).OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            foreach (MethodInfo method in type.GetMethods(All))
            {
                if (method.GetCustomAttribute<FunctionAttribute>() is { } attribute)
                    functions.Add(Describe(method, attribute.Name, hostJson, settings, utcNow));
            }
        }

        RefuseDuplicates(functions);
        RefuseRouteConflicts(functions);
        return functions;
    }

    private static LocalFunction Describe(MethodInfo method, string name, HostJson hostJson, IConfiguration settings, DateTime utcNow)
    {
        Type type = method.DeclaringType!;
        string where = $"{type.FullName}.{method.Name}";
        if (!FunctionName().IsMatch(name))
            throw new StartupException($"Function {where} has the name '{name}'; a name begins with a letter and has letters, digits, - and _, up to 127.");
        if (!type.IsVisible || !method.IsPublic)
            throw new StartupException($"Function {name} ({where}) must be a public method of a public class.");
        if (type.IsNested)
            throw new StartupException($"Function {name} ({where}) must not be in a nested class; the Functions worker cannot create it.");
        if (type.ContainsGenericParameters || method.ContainsGenericParameters)
            throw new StartupException($"Function {name} ({where}) must not be generic.");
        if (type.IsAbstract && !method.IsStatic)
            throw new StartupException($"Function {name} ({where}) must not be in an abstract class.");
        if (method.ReturnType == typeof(void) && method.IsDefined(typeof(AsyncStateMachineAttribute)))
            throw new StartupException($"Function {name} ({where}) is async void, so nothing could wait for it; return a Task.");

        ParameterInfo[] parameters = method.GetParameters();
        (ParameterInfo Parameter, TriggerBindingAttribute Attribute)[] triggers =
        [
            .. from parameter in parameters
               let attribute = parameter.GetCustomAttribute<TriggerBindingAttribute>()
               where attribute is not null
               select (parameter, attribute),
        ];
        if (triggers is not [var only])
            throw new StartupException($"Function {name} ({where}) must have exactly one parameter with a trigger; it has {triggers.Length}.");

        foreach (ParameterInfo parameter in parameters)
        {
            if (parameter.ParameterType.IsByRef)
                throw new StartupException($"Parameter {parameter.Name} of function {name} must not be ref, in or out.");
            if (typeof(HttpContext).IsAssignableFrom(parameter.ParameterType) || typeof(HttpResponse).IsAssignableFrom(parameter.ParameterType))
                throw new StartupException($"Parameter {parameter.Name} of function {name} would be null under the Functions worker; take FunctionContext and call GetHttpContext().");
        }

        FunctionTrigger trigger = only.Attribute switch
        {
            HttpTriggerAttribute http => Http(name, http, only.Parameter, hostJson),
            TimerTriggerAttribute timer => Timer(name, timer, settings, utcNow),
            QueueTriggerAttribute queue => Queue(name, queue, settings),
            _ => throw new StartupException($"Function {name} has the trigger {only.Attribute.GetType().Name}, which LocalHost does not know."),
        };

        ImmutableArray<FunctionParameter> described = [.. parameters.Select(parameter =>
            new FunctionParameter(parameter.Name!, parameter.ParameterType, parameter.HasDefaultValue, parameter.HasDefaultValue ? parameter.DefaultValue : null))];
        bool disabled = bool.TryParse(settings[$"AzureWebJobs.{name}.Disabled"] ?? settings[$"AzureWebJobs:{name}:Disabled"], out bool value) && value;
        return new LocalFunction(name, where, method, described, described[only.Parameter.Position], trigger, disabled);
    }

    private static HttpTrigger Http(string name, HttpTriggerAttribute attribute, ParameterInfo parameter, HostJson hostJson)
    {
        if (attribute.AuthLevel == AuthorizationLevel.User)
            throw new StartupException($"Function {name} asks for AuthorizationLevel.User, which the Functions host does not support.");

        // With nothing but methods given, the metadata carries no level and the host asks for a function key.
        CustomAttributeData data = parameter.GetCustomAttributesData().Single(candidate => candidate.AttributeType == typeof(HttpTriggerAttribute));
        bool levelGiven = data.ConstructorArguments is [{ ArgumentType: var first }, ..] && first == typeof(AuthorizationLevel);

        string route = string.Join('/', new[] { hostJson.RoutePrefix, attribute.Route ?? name }.Where(part => part.Length > 0));
        try
        {
            if (attribute.Route?.StartsWith('/') is true)
                throw new RoutePatternException(route, "It must not begin with a slash.");
            RoutePattern pattern = RoutePatternFactory.Parse(route);
            if (pattern.PathSegments is [{ IsSimple: true, Parts: [RoutePatternLiteralPart literal] }, ..]
                && s_reservedRoutes.Contains(literal.Content, StringComparer.OrdinalIgnoreCase))
                throw new RoutePatternException(route, $"'{literal.Content}' is reserved for the host.");
        }
        catch (RoutePatternException e)
        {
            throw new StartupException($"Function {name} has the route '{route}', which is not valid: {e.Message}", e);
        }

        string[] methods = [.. (attribute.Methods ?? []).Select(method => method.ToUpperInvariant()).Distinct()];
        return new HttpTrigger(route, methods, levelGiven ? attribute.AuthLevel : AuthorizationLevel.Function);
    }

    private static TimerTrigger Timer(string name, TimerTriggerAttribute attribute, IConfiguration settings, DateTime utcNow)
    {
        string expression = ResolveSettings(attribute.Schedule, name, settings);
        TimerSchedule schedule = TimerSchedule.TryParse(expression)
            ?? throw new StartupException($"Function {name} has the schedule '{expression}', which is neither a six-field NCRONTAB expression nor a time span.");
        return new TimerTrigger(schedule, expression, attribute.UseMonitor && !schedule.IsFasterThanAMinute(utcNow), attribute.RunOnStartup);
    }

    private static QueueTrigger Queue(string name, QueueTriggerAttribute attribute, IConfiguration settings)
    {
        // Queue names are lower case; the real host lowers them as well.
        string queue = ResolveSettings(attribute.QueueName, name, settings).ToLowerInvariant();
        return QueueName().IsMatch(queue)
            ? new QueueTrigger(queue, attribute.Connection is { Length: > 0 } connection ? ResolveSettings(connection, name, settings) : "AzureWebJobsStorage")
            : throw new StartupException($"Function {name} has the queue name '{queue}'; a queue name has 3 to 63 lower-case letters, digits and single hyphens.");
    }

    private static string ResolveSettings(string text, string function, IConfiguration settings) =>
        SettingReference().Replace(text, match => settings[match.Groups[1].Value.Replace("__", ":", StringComparison.Ordinal)]
            ?? throw new StartupException($"Function {function} refers to the setting {match.Groups[1].Value}, which is not set."));

    private static void RefuseDuplicates(List<LocalFunction> functions)
    {
        if (functions.GroupBy(function => function.Name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(group => group.Count() > 1) is { } names)
            throw new StartupException($"Two functions are called {names.Key}: {string.Join(" and ", names.Select(function => function.EntryPoint))}.");
        if (functions.GroupBy(function => function.EntryPoint, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } overloads)
            throw new StartupException($"The functions {string.Join(" and ", overloads.Select(function => function.Name))} are overloads of {overloads.Key}; the Functions worker cannot tell them apart.");
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
