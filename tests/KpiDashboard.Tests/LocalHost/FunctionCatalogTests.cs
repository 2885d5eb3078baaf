using KpiDashboard.LocalHost.Runtime;
using KpiDashboard.LocalHost.Startup;
using KpiDashboard.LocalHost.Worker.Messages;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace KpiDashboard.Tests.LocalHost;

public sealed class FunctionCatalogTests
{
    private const string Timer = """{"name":"timer","type":"timerTrigger","direction":"In","schedule":"0 * * * * *"}""";

    public static TheoryData<(string Name, string Binding)[], string> Refused => new()
    {
        { [("F", """{"name":"text","type":"blob","direction":"In"}""")], "must have exactly one trigger" },
        { [("bad name", Timer)], "has the name 'bad name'" },
        { [("F", Http("a/{b"))], "which is not valid" },
        { [("F", """{"name":"message","type":"queueTrigger","direction":"In","queueName":"no_queue"}""")],
            "has the queue name 'no_queue'" },
        { [("F", """{"name":"message","type":"queueTrigger","direction":"In","queueName":"%NotThere%"}""")],
            "refers to the setting NotThere, which is not set" },
        { [("F", """
            {"name":"message","type":"queueTrigger","direction":"In","queueName":"queue","properties":{"supportsDeferredBinding":"True"}}
            """)], "takes a type of the storage SDK" },
        { [("F", """{"name":"message","type":"serviceBusTrigger","direction":"In"}""")], "has the trigger serviceBusTrigger" },
        { [("F", """{"name":"timer","type":"timerTrigger","direction":"In","schedule":"every hour"}""")], "has the schedule 'every hour'" },
        { [("Twice", Timer), ("twice", Timer)], "Two functions are called Twice: Tests.Twice and Tests.twice." },
        { [("GetIt", Http("x/{a:int}", "get", "post")), ("AlsoGetIt", Http("x/{b:int}", "put", "GET"))],
            "The functions GetIt and AlsoGetIt both answer GET /api/x/{b:int}." },
        { [("Posting", Http("x", "post")), ("Anything", Http("X"))], "both answer" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_the_host_would_refuse_or_get_wrong_stops_the_start((string Name, string Binding)[] functions, string sentence) =>
        Assert.Contains(sentence, Assert.Throws<StartupException>(() => Read(new HostJson(), functions)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_reserved_route_without_a_prefix_stops_the_start()
    {
        StartupException e = Assert.Throws<StartupException>(() => Read(new HostJson { RoutePrefix = "" }, ("F", Http("admin/x"))));

        Assert.Contains("'admin' is reserved for the host", e.Message, StringComparison.Ordinal);
        Assert.Single(Read(new HostJson(), ("F", Http("admin/x"))));
    }

    [Fact]
    public void One_route_may_have_a_function_for_each_method()
    {
        IReadOnlyList<LocalFunction> functions = Read(new HostJson(), ("Read", Http("x/{a}", "get")), ("Write", Http("x/{b}", "put")));

        Assert.Equal(["Read", "Write"], functions.Select(function => function.Name).Order(StringComparer.Ordinal));
    }

    /// <summary>As Azure takes it: a function that names no level asks for a key.</summary>
    [Fact]
    public void What_the_worker_tells_is_what_the_trigger_is()
    {
        IReadOnlyList<LocalFunction> functions = Read(
            new HostJson(),
            ("Keyed", """{"name":"request","type":"httpTrigger","direction":"In","methods":["get"],"route":"x"}"""),
            ("Open", Http("y", "get")),
            ("Often", """{"name":"timer","type":"timerTrigger","direction":"In","schedule":"*/5 * * * * *","runOnStartup":true}"""),
            ("Reader", """{"name":"message","type":"queueTrigger","direction":"In","queueName":"Orders","connection":"Other"}"""));

        Assert.Equal(new HttpTrigger("api/x", [], KeyLevel.Function) with { Methods = ((HttpTrigger)functions[0].Trigger).Methods },
            functions[0].Trigger);
        Assert.Equal(KeyLevel.Anonymous, ((HttpTrigger)functions[1].Trigger).Level);
        Assert.True(functions[2].Trigger is TimerTrigger { RunOnStartup: true, Monitored: false });
        Assert.Equal(new QueueTrigger("orders", "Other"), functions[3].Trigger);
        Assert.Equal(["request", "request", "timer", "message"], functions.Select(function => function.Parameter));
    }

    private static string Http(string route, params string[] methods)
    {
        var list = string.Join(',', methods.Select(method => $"\"{method}\""));
        return $$"""
            {"name":"request","type":"httpTrigger","direction":"In","authLevel":"Anonymous","methods":[{{list}}],"route":"{{route}}"}
            """;
    }

    private static IReadOnlyList<LocalFunction> Read(HostJson hostJson, params (string Name, string Binding)[] functions) =>
        FunctionCatalog.Read(
        functions.Select(function => new RpcFunctionMetadata
        {
            Name = function.Name,
            EntryPoint = $"Tests.{function.Name}",
            FunctionId = function.Name,
            RawBindings = { function.Binding }
        }),
        hostJson, new ConfigurationBuilder().Build(), new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc));
}
