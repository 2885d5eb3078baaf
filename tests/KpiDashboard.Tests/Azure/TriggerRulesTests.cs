using System.Reflection;
using System.Text.RegularExpressions;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Functions;
using KpiDashboard.Functions.Middleware;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;
using Xunit;

namespace KpiDashboard.Tests.AzureFlavour;

/// <summary>
/// What the worker and the host demand of the triggers and no build or start here refuses. Each rule names what happens in Azure when it
/// is broken.
/// </summary>
public sealed class TriggerRulesTests
{
    private const BindingFlags Everything = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
    private const string RootNamespace = "KpiDashboard.Functions";

    private static readonly Assembly Triggers = typeof(App).Assembly;

    private static readonly MethodInfo[] Functions =
        [.. Triggers.GetTypes().SelectMany(type => type.GetMethods(Everything)).Where(method => method.IsDefined(typeof(FunctionAttribute)))];

    private static readonly (MethodInfo Method, HttpTriggerAttribute Trigger)[] HttpFunctions =
        [.. from method in Functions from parameter in method.GetParameters() let trigger = parameter.GetCustomAttribute<HttpTriggerAttribute>() where trigger is not null select (method, trigger)];

    [Fact]
    public void There_are_functions_of_every_kind()
    {
        var kinds = Functions.Select(method => Trigger(method).AttributeType.Name).Distinct().Order(StringComparer.Ordinal);

        Assert.Equal(["HttpTriggerAttribute", "QueueTriggerAttribute", "TimerTriggerAttribute"], kinds);
    }

    /// <summary>
    /// Without it the worker's web server logs clients that go away as faults, which no request of a test can be made to show at will.
    /// </summary>
    [Fact]
    public void The_app_has_the_filter_for_clients_that_go_away() => Assert.Contains(
        App.CreateBuilder([]).Services,
        service => service.ServiceType == typeof(IStartupFilter) && service.ImplementationType == typeof(AbortFilter));

    /// <summary>The build output is described with numbers, and numbers get old; <c>KPI_UPDATE_DOCS=1</c> writes them anew.</summary>
    [Fact]
    public void The_description_of_the_output_counts_the_functions_that_there_are()
    {
        int Of(Type trigger) => Functions.Count(method => Trigger(method).AttributeType == trigger);
        var keyed = HttpFunctions.Count(function => function.Trigger.AuthLevel == AuthorizationLevel.Function);
        var sentence = $"{Functions.Length} functions: {HttpFunctions.Length} for HTTP ({HttpFunctions.Length - keyed} anonymous, {keyed} with a function key), {Of(typeof(QueueTriggerAttribute))} for queues, {Of(typeof(TimerTriggerAttribute))} timers";
        var path = Path.Combine(Repository.Root, "docs", "azure-flavour.md");
        if (Environment.GetEnvironmentVariable("KPI_UPDATE_DOCS") == "1")
            File.WriteAllText(path, Regex.Replace(File.ReadAllText(path), @"\d+ functions: \d+ for HTTP \(\d+ anonymous, \d+ with a function key\), \d+ for queues, \d+ timers", sentence));

        Assert.Contains(sentence, File.ReadAllText(path), StringComparison.Ordinal);
    }

    /// <summary>A method that is not public is left out of the app without a word; one of an internal class runs by slow reflection instead of generated code.</summary>
    [Fact]
    public void Classes_and_methods_are_public_and_not_nested_or_generic() => AssertNone(
        method => !method.IsPublic || !method.DeclaringType!.IsPublic || method.DeclaringType.IsNested
            || method.IsGenericMethod || method.DeclaringType.IsGenericType || (method.DeclaringType.IsAbstract && !method.IsStatic));

    /// <summary>The worker finds a method by class and name alone, and AdmissionMiddleware does so too.</summary>
    [Fact]
    public void Methods_have_no_overloads() => AssertNone(method => method.DeclaringType!.GetMethods(Everything).Count(other => other.Name == method.Name) > 1);

    [Fact]
    public void Classes_can_be_made_in_one_way() => AssertNone(method => method.DeclaringType!.GetConstructors().Length != 1);

    [Fact]
    public void Each_function_has_one_trigger() => AssertNone(
        method => method.GetParameters().SelectMany(parameter => parameter.CustomAttributes).Count(IsTrigger) != 1);

    /// <summary>The host tells functions apart by name, whatever the case; newer SDKs than ours refuse to build a repeated one (AZFW0017).</summary>
    [Fact]
    public void Names_are_unique_and_acceptable_to_the_host()
    {
        var names = Functions.Select(method => method.GetCustomAttribute<FunctionAttribute>()!.Name).ToArray();

        Assert.Equal(names.Length, names.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.All(names, name => Assert.Matches("^[A-Za-z][A-Za-z0-9_-]{0,126}$", name));
    }

    /// <summary>Without the level as an argument of the constructor the host asks for a function key, which a visitor of the page does not have.</summary>
    [Fact]
    public void Every_HTTP_function_states_its_authorization_level_and_methods()
    {
        Assert.All(Functions.Where(method => Trigger(method).AttributeType == typeof(HttpTriggerAttribute)), method =>
        {
            var arguments = Trigger(method).ConstructorArguments;
            Assert.True(arguments.Count == 2 && arguments[0].ArgumentType == typeof(AuthorizationLevel), $"{Name(method)} does not state its level.");
            Assert.Equal((int)(IsForOperators(method) ? AuthorizationLevel.Function : AuthorizationLevel.Anonymous), arguments[0].Value);
            Assert.NotEmpty((IReadOnlyCollection<CustomAttributeTypedArgument>)arguments[1].Value!);
        });
    }

    /// <summary>
    /// What works across tenants stands under ops/, is opened by the host's function key and by nothing else, and nothing else is: a route with the one and
    /// without the other would be open to everybody or to nobody.
    /// </summary>
    [Fact]
    public void Ops_routes_and_no_others_ask_for_a_function_key_and_for_the_permission_to_operate()
    {
        Assert.Contains(HttpFunctions, function => IsForOperators(function.Method));
        Assert.All(HttpFunctions, function =>
        {
            var operates = function.Method.GetCustomAttribute<RequiresAttribute>()!.Permission == Permission.Operate;
            Assert.Equal(IsForOperators(function.Method), operates);
            Assert.Equal(operates ? AuthorizationLevel.Function : AuthorizationLevel.Anonymous, function.Trigger.AuthLevel);
        });
        Assert.DoesNotContain(Permissions.Roles, role => Permissions.RoleMay(role, Permission.Operate));
        Assert.DoesNotContain(Permissions.Scopes, scope => Permissions.ScopesMay([scope], Permission.Operate));
    }

    private static bool IsForOperators(MethodInfo method) =>
        method.GetParameters().Select(parameter => parameter.GetCustomAttribute<HttpTriggerAttribute>()?.Route).OfType<string>().Single() is var route
        && (route == "ops" || route.StartsWith("ops/", StringComparison.OrdinalIgnoreCase));

    /// <summary>Our own code decides who may call: a function without [Requires] answers nobody, one without [Operation] is missing in the API description.</summary>
    [Fact]
    public void Every_HTTP_function_says_who_may_call_it_and_what_it_does() => Assert.All(HttpFunctions, function =>
    {
        Assert.True(function.Method.IsDefined(typeof(RequiresAttribute)), $"{Name(function.Method)} lacks [Requires].");
        Assert.True(function.Method.IsDefined(typeof(OperationAttribute)), $"{Name(function.Method)} lacks [Operation].");
    });

    /// <summary>The worker writes nothing else to the response: a POCO or a string gives 200 with an empty body.</summary>
    [Fact]
    public void HTTP_functions_return_an_IResult_and_the_others_nothing() => AssertNone(method =>
        Trigger(method).AttributeType == typeof(HttpTriggerAttribute)
            ? method.ReturnType != typeof(IResult) && method.ReturnType != typeof(Task<IResult>)
            : method.ReturnType != typeof(Task));

    [Fact]
    public void HTTP_functions_take_the_request_and_the_trigger_stands_on_it() => AssertNone(method =>
        Trigger(method).AttributeType == typeof(HttpTriggerAttribute)
        && method.GetParameters().Single(parameter => parameter.IsDefined(typeof(HttpTriggerAttribute))).ParameterType != typeof(HttpRequest));

    /// <summary>The host finds one function by method and route; names of route parameters do not tell routes apart.</summary>
    [Fact]
    public void Routes_are_unique_for_each_method()
    {
        var routes = HttpFunctions.SelectMany(function => function.Trigger.Methods!.Select(verb => $"{verb} {Shape(function.Trigger.Route!)}")).ToArray();

        Assert.Equal(routes.Length, routes.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.All(HttpFunctions, function => Assert.Matches("^[a-z0-9]", function.Trigger.Route!));
        // Reserved by the host.
        Assert.DoesNotContain(HttpFunctions, function => function.Trigger.Route!.StartsWith("admin", StringComparison.OrdinalIgnoreCase));

        static string Shape(string route) => string.Join('/', route.Split('/').Select(segment => segment.StartsWith('{') ? "{}" : segment));
    }

    /// <summary>A parameter that the route does not fill is null in Azure.</summary>
    [Fact]
    public void Other_parameters_come_from_the_route_or_from_the_invocation() => AssertNone(method =>
    {
        var route = method.GetParameters().Select(parameter => parameter.GetCustomAttribute<HttpTriggerAttribute>()?.Route).FirstOrDefault(route => route is not null) ?? "";
        return method.GetParameters().Any(parameter =>
            !parameter.CustomAttributes.Any(IsTrigger)
            && parameter.ParameterType != typeof(CancellationToken) && parameter.ParameterType != typeof(FunctionContext)
            && !(parameter.ParameterType == typeof(string) && route.Contains($"{{{parameter.Name}}}", StringComparison.Ordinal)));
    });

    /// <summary>A queue has its own retries: the worker's generator refuses the attribute there (AZFW0012). A timer heals itself at its next tick.</summary>
    [Fact]
    public void No_function_has_a_retry_attribute() => AssertNone(
        method => method.CustomAttributes.Any(attribute => attribute.AttributeType.Name.Contains("Retry", StringComparison.Ordinal)));

    /// <summary>On every wake and every new instance.</summary>
    [Fact]
    public void No_timer_runs_at_start() => AssertNone(method => method.GetParameters().Any(parameter => parameter.GetCustomAttribute<TimerTriggerAttribute>()?.RunOnStartup == true));

    /// <summary>Every connector's queue has its poison queue, read as text: what could not be parsed must arrive all the same.</summary>
    [Fact]
    public void Every_queue_has_a_function_for_its_poison_queue_that_takes_text()
    {
        var queues = Functions.SelectMany(method => method.GetParameters())
            .Select(parameter => (Queue: parameter.GetCustomAttribute<QueueTriggerAttribute>()?.QueueName, parameter.ParameterType))
            .Where(queue => queue.Queue is not null).ToDictionary(queue => queue.Queue!, queue => queue.ParameterType, StringComparer.Ordinal);

        Assert.All(queues.Where(queue => !queue.Key.EndsWith("-poison", StringComparison.Ordinal)), queue => Assert.Equal(typeof(string), queues[$"{queue.Key}-poison"]));
    }

    /// <summary>Generated code lives in the root namespace and writes names from it: a type of the same name as a part of the namespace hides what it means.</summary>
    [Fact]
    public void No_type_is_named_like_a_part_of_the_root_namespace() =>
        Assert.DoesNotContain(Triggers.GetTypes(), type => RootNamespace.Split('.').Contains(type.Name, StringComparer.Ordinal));

    /// <summary>The worker's generators put these into the root namespace; a worker finds them there at its start.</summary>
    [Theory]
    [InlineData("DirectFunctionExecutor")]
    [InlineData("FunctionExecutorAutoStartup")]
    [InlineData("GeneratedFunctionMetadataProvider")]
    [InlineData("FunctionMetadataProviderAutoStartup")]
    public void What_the_workers_SDK_generates_is_in_the_app(string name) => Assert.NotNull(Triggers.GetType($"{RootNamespace}.{name}"));

    /// <summary>Neither the embedded services nor the demo may be deployed.</summary>
    [Theory]
    [InlineData("KpiDashboard.Demo")]
    [InlineData("KpiDashboard.LocalHost")]
    public void What_is_for_this_machine_is_not_referenced(string name) => Assert.DoesNotContain(Triggers.GetReferencedAssemblies(),
        reference => reference.Name == name);

    private static void AssertNone(Func<MethodInfo, bool> broken) => Assert.Equal([], Functions.Where(broken).Select(Name));

    private static CustomAttributeData Trigger(MethodInfo method) => method.GetParameters().SelectMany(parameter => parameter.CustomAttributes).Single(IsTrigger);

    private static bool IsTrigger(CustomAttributeData attribute) => attribute.AttributeType.IsSubclassOf(typeof(TriggerBindingAttribute));

    private static string Name(MethodInfo method) => $"{method.DeclaringType!.FullName}.{method.Name}";
}
