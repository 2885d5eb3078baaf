using System.Diagnostics.CodeAnalysis;
using KpiDashboard.LocalHost.Runtime;
using KpiDashboard.LocalHost.Startup;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace KpiDashboard.Tests.LocalHost;

public sealed class FunctionCatalogTests
{
    [Theory]
    [InlineData(typeof(InternalClass), "must be a public method of a public class")]
    [InlineData(typeof(InternalMethod), "must be a public method of a public class")]
    [InlineData(typeof(Outer.NestedFunctions), "must not be in a nested class")]
    [InlineData(typeof(AsyncVoid), "is async void")]
    [InlineData(typeof(NoTrigger), "must have exactly one parameter with a trigger; it has 0")]
    [InlineData(typeof(TwoTriggers), "must have exactly one parameter with a trigger; it has 2")]
    [InlineData(typeof(BadName), "has the name 'bad name'")]
    [InlineData(typeof(TakesHttpContext), "would be null under the Functions worker")]
    [InlineData(typeof(UserLevel), "AuthorizationLevel.User")]
    [InlineData(typeof(BadRoute), "which is not valid")]
    [InlineData(typeof(SlashRoute), "It must not begin with a slash")]
    [InlineData(typeof(BadQueue), "has the queue name 'no_queue'")]
    [InlineData(typeof(MissingSetting), "refers to the setting NotThere, which is not set")]
    [InlineData(typeof(SameNames), "Two functions are called Twice: KpiDashboard.Tests.LocalHost.SameNames.A and KpiDashboard.Tests.LocalHost.SameNames.B.")]
    [InlineData(typeof(Overloads), "are overloads of KpiDashboard.Tests.LocalHost.Overloads.Run")]
    [InlineData(typeof(SameRoutes), "The functions GetIt and AlsoGetIt both answer GET /api/x/{b:int}.")]
    [InlineData(typeof(AnyMethod), "both answer")]
    public void What_the_worker_would_refuse_or_get_wrong_stops_the_start(Type type, string sentence)
    {
        StartupException e = Assert.Throws<StartupException>(() => Discover(type));

        Assert.Contains(sentence, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_reserved_route_without_a_prefix_stops_the_start()
    {
        StartupException e = Assert.Throws<StartupException>(() => Discover(new HostJson { RoutePrefix = "" }, typeof(AdminRoute)));

        Assert.Contains("'admin' is reserved for the host", e.Message, StringComparison.Ordinal);
        Assert.Single(Discover(typeof(AdminRoute)));
    }

    [Fact]
    public void One_route_may_have_a_function_for_each_method()
    {
        IReadOnlyList<LocalFunction> functions = Discover(typeof(SplitRoute));

        Assert.Equal(["Read", "Write"], functions.Select(function => function.Name).Order(StringComparer.Ordinal));
    }

    private static IReadOnlyList<LocalFunction> Discover(params Type[] types) => Discover(new HostJson(), types);

    private static IReadOnlyList<LocalFunction> Discover(HostJson hostJson, params Type[] types) =>
        FunctionCatalog.Discover(typeof(FunctionCatalogTests).Assembly, types.Contains, hostJson, new ConfigurationBuilder().Build(), new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc));
}

internal sealed class InternalClass
{
    [Function("F")]
    public static void Run([TimerTrigger("0 * * * * *")] TimerInfo timer) { }
}

public static class InternalMethod
{
    [Function("F")]
    internal static void Run([TimerTrigger("0 * * * * *")] TimerInfo timer) { }
}

public static class Outer
{
    [SuppressMessage("Design", "CA1034", Justification = "That it is nested is the point.")]
    public static class NestedFunctions
    {
        [Function("F")]
        public static void Run([TimerTrigger("0 * * * * *")] TimerInfo timer) { }
    }
}

public static class AsyncVoid
{
    [Function("F")]
    public static async void Run([TimerTrigger("0 * * * * *")] TimerInfo timer) => await Task.Yield();
}

public static class NoTrigger
{
    [Function("F")]
    public static void Run(string text) { }
}

public static class TwoTriggers
{
    [Function("F")]
    public static void Run([TimerTrigger("0 * * * * *")] TimerInfo timer, [QueueTrigger("queue")] string message) { }
}

public static class BadName
{
    [Function("bad name")]
    public static void Run([TimerTrigger("0 * * * * *")] TimerInfo timer) { }
}

public static class TakesHttpContext
{
    [Function("F")]
    public static void Run([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request, HttpContext context) { }
}

public static class UserLevel
{
    [Function("F")]
    public static void Run([HttpTrigger(AuthorizationLevel.User)] HttpRequest request) { }
}

public static class BadRoute
{
    [Function("F")]
    public static void Run([HttpTrigger(AuthorizationLevel.Anonymous, Route = "a/{b")] HttpRequest request) { }
}

public static class SlashRoute
{
    [Function("F")]
    public static void Run([HttpTrigger(AuthorizationLevel.Anonymous, Route = "/a")] HttpRequest request) { }
}

public static class AdminRoute
{
    [Function("F")]
    public static void Run([HttpTrigger(AuthorizationLevel.Anonymous, Route = "admin/x")] HttpRequest request) { }
}

public static class BadQueue
{
    [Function("F")]
    public static void Run([QueueTrigger("no_queue")] string message) { }
}

public static class MissingSetting
{
    [Function("F")]
    public static void Run([QueueTrigger("%NotThere%")] string message) { }
}

public static class SameNames
{
    [Function("Twice")]
    public static void A([TimerTrigger("0 * * * * *")] TimerInfo timer) { }

    [Function("twice")]
    public static void B([TimerTrigger("0 * * * * *")] TimerInfo timer) { }
}

public static class Overloads
{
    [Function("One")]
    public static void Run([TimerTrigger("0 * * * * *")] TimerInfo timer) { }

    [Function("Two")]
    public static void Run([QueueTrigger("queue")] string message) { }
}

public static class SameRoutes
{
    [Function("GetIt")]
    public static void A([HttpTrigger(AuthorizationLevel.Anonymous, "get", "post", Route = "x/{a:int}")] HttpRequest request) { }

    [Function("AlsoGetIt")]
    public static void B([HttpTrigger(AuthorizationLevel.Anonymous, "put", "GET", Route = "x/{b:int}")] HttpRequest request) { }
}

public static class AnyMethod
{
    [Function("Posting")]
    public static void A([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "x")] HttpRequest request) { }

    [Function("Anything")]
    public static void B([HttpTrigger(AuthorizationLevel.Anonymous, Route = "X")] HttpRequest request) { }
}

public static class SplitRoute
{
    [Function("Read")]
    public static void A([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "x/{a}")] HttpRequest request) { }

    [Function("Write")]
    public static void B([HttpTrigger(AuthorizationLevel.Anonymous, "put", Route = "x/{b}")] HttpRequest request) { }
}
