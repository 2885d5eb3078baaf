using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit;

namespace KpiDashboard.Tests.Infra;

/// <summary>Alerts, the workbook and the runbook speak of the same things, and of things that exist.</summary>
[Trait("Clock", "none")]
public sealed partial class OperationsTests
{
    /// <summary>Metrics and their dimensions: the contract between the product (meter <c>KpiDashboard</c>) and whoever watches it.</summary>
    private static readonly Dictionary<string, string[]> Metrics = new(StringComparer.Ordinal)
    {
        ["kpi.sync.runs"] = ["connector", "outcome"],
        ["kpi.sync.readings"] = ["connector"],
        ["kpi.sync.restatements"] = ["connector"],
        ["kpi.sync.waits"] = ["connector", "reason"],
        ["kpi.sync.dead_letters"] = ["connector"],
        ["kpi.dead_letters.open"] = [],
        ["kpi.tenants.faulty"] = [],
        ["kpi.queue.age"] = ["queue"],
        ["kpi.queue.length"] = ["queue"],
        ["kpi.provider.quota.remaining"] = ["connector", "quota"],
        ["kpi.timer.heartbeat.age"] = [],
        ["kpi.provider.duration"] = ["connector", "outcome"],
        ["kpi.api.duration"] = ["route", "status"],
    };

    /// <summary>Tables that queries may read, with those of their columns that ours use, as Log Analytics documents them.</summary>
    private static readonly Dictionary<string, string> Tables = new(StringComparer.Ordinal)
    {
        ["AppMetrics"] = "(TimeGenerated: datetime, Name: string, Sum: real, Min: real, Max: real, ItemCount: int, Properties: dynamic)",
        ["AppRequests"] = "(TimeGenerated: datetime, Url: string, OperationName: string, DurationMs: real, ItemCount: int, Success: bool, ResultCode: string, Properties: dynamic)",
        ["AppDependencies"] = "(TimeGenerated: datetime, DependencyType: string, Target: string, ResultCode: string, Success: bool, ItemCount: int, Properties: dynamic)",
        ["AppExceptions"] = "(TimeGenerated: datetime, ExceptionType: string, OuterMessage: string, OperationId: string, ItemCount: int)",
        ["AppTraces"] = "(TimeGenerated: datetime, Message: string, SeverityLevel: int, ItemCount: int)",
        ["Usage"] = "(TimeGenerated: datetime, DataType: string, Quantity: real)",
        ["_LogOperation"] = "(TimeGenerated: datetime, Category: string, Operation: string, Level: string, Detail: string)",
    };

    private static string Runbook => File.ReadAllText(Path.Combine(Repository.Root, "docs", "runbook.md"));

    [Fact]
    public async Task Every_alert_has_a_section_of_the_runbook_and_links_to_it()
    {
        var alerts = Alerts(await Bicep.DeployAsync("prod")).ToList();
        var sections = Heading().Matches(Runbook).Select(match => match.Groups[1].Value).ToList();

        Assert.True(alerts.Count >= 12, $"{alerts.Count} alerts");
        Assert.Empty(Complaints(alerts, sections));
    }

    [Fact]
    public async Task A_section_of_an_alert_says_what_it_means_how_to_look_and_what_to_do()
    {
        foreach (var alert in Alerts(await Bicep.DeployAsync("prod")))
        {
            var section = Regex.Match(Runbook, $@"(?ms)^### {alert["name"]}$(.*?)(?=^##|\z)").Groups[1].Value;
            foreach (var part in new[] { "**Means**", "**Look**", "**Do**" }) Assert.True(section.Contains(part, StringComparison.Ordinal), $"{alert["name"]} lacks {part}.");
            Assert.True(section.Contains("```", StringComparison.Ordinal), $"{alert["name"]} has no command or query to look with.");
        }
    }

    [Fact]
    public async Task An_alert_without_a_section_or_a_link_is_caught()
    {
        var alerts = Alerts(await Bicep.DeployAsync("prod")).ToList();
        alerts[0]["name"] = "nobody-wrote-this";
        alerts[1]["properties"]!["description"] = "It is broken.";

        var complaints = Complaints(alerts, Heading().Matches(Runbook).Select(match => match.Groups[1].Value).ToList()).ToList();

        Assert.Contains("nobody-wrote-this has no section", complaints);
        Assert.Contains($"{alerts[1]["name"]} does not link to its section", complaints);
    }

    /// <summary>What the issue asks to be told of.</summary>
    [Theory]
    [InlineData("sync-failed")]
    [InlineData("dead-letters")]
    [InlineData("single-businesses")]
    [InlineData("queue-age")]
    [InlineData("timer-heartbeat")]
    [InlineData("api-slow")]
    [InlineData("api-errors")]
    [InlineData("postgres-storage")]
    [InlineData("postgres-cpu")]
    [InlineData("postgres-connections")]
    [InlineData("not-ready")]
    public async Task There_is_an_alert_that_tells_somebody(string name)
    {
        foreach (var variant in new[] { "dev", "prod" })
        {
            var alert = Alerts(await Bicep.DeployAsync(variant)).Single(alert => (string)alert["name"]! == name);
            Assert.True((bool)alert["properties"]!["enabled"]!);
            Assert.Contains("/actionGroups/", alert["properties"]!["actions"]!.ToJsonString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_availability_test_asks_health_ready_from_several_places()
    {
        var test = Bicep.Resources(await Bicep.DeployAsync("prod"), "Microsoft.Insights/webtests").Single()["properties"]!;

        Assert.Contains("/api/health/ready", (string)test["Request"]!["RequestUrl"]!, StringComparison.Ordinal);
        Assert.True(test["Locations"]!.AsArray().Count >= 3);
    }

    [Fact]
    public async Task Kusto_understands_every_query_and_it_reads_metrics_and_dimensions_that_exist()
    {
        var queries = await QueriesAsync();

        foreach (var source in new[] { "alert", "workbook", "runbook" }) Assert.Contains(queries, query => query.Name.StartsWith(source, StringComparison.Ordinal));
        Assert.True(queries.Count > 30, $"{queries.Count} queries");
        Assert.Empty(await NodeLint.KustoAsync(Tables, queries));
        Assert.Empty(queries.SelectMany(query => Mistakes(query.Name, query.Text)));
    }

    [Fact]
    public async Task Every_metric_is_shown_in_the_workbook()
    {
        var shown = string.Concat((await QueriesAsync()).Where(query => query.Name.StartsWith("workbook", StringComparison.Ordinal)).Select(query => query.Text));

        Assert.All(Metrics.Keys, metric => Assert.Contains($"\"{metric}\"", shown, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("AppMetrics\n| where Name == \"kpi.sync.run\"", "kpi.sync.run is no metric")]
    [InlineData("AppMetrics\n| where Name == \"kpi.sync.runs\"\n| summarize n = sum(Sum) by tostring(Properties.tenant)", "tenant is no dimension")]
    public void A_query_that_would_find_nothing_is_caught(string query, string mistake) =>
        Assert.Contains(Mistakes("test", query), found => found.Contains(mistake, StringComparison.Ordinal));

    /// <summary>That the parser of Kusto looks at all: names, types, operators and brackets.</summary>
    [Fact]
    public async Task A_query_that_Kusto_refuses_is_caught()
    {
        (string Name, string Text)[] queries =
        [
            ("column", "AppMetrics | summarize n = sum(Summ)"), ("table", "AppMetric | count"), ("function", "AppMetrics | extend x = nosuch(Name)"), ("type", "AppMetrics | summarize n = sum(Name)"),
            ("operator", "AppMetrics | wher Name == 'a'"), ("bracket", "AppMetrics | where (Name == 'a'"), ("right", "AppMetrics | where Name == 'a' | summarize n = sum(Sum) by bin(TimeGenerated, 5m)"),
        ];

        var found = await NodeLint.KustoAsync(Tables, queries);

        Assert.Equal(queries.Select(query => query.Name).Where(name => name != "right"), found.Select(sentence => sentence.Split(':')[0]).Distinct());
    }

    [Fact]
    public async Task The_workbook_is_deployed_as_it_is_in_the_file()
    {
        var deployed = Bicep.Resources(await Bicep.DeployAsync("dev"), "Microsoft.Insights/workbooks").Single()["properties"]!;
        var file = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Bicep.Folder, "workbook.json"), TestContext.Current.CancellationToken));

        Assert.True(JsonNode.DeepEquals(file, JsonNode.Parse((string)deployed["serializedData"]!)));
        var names = file!["items"]!.AsArray().Select(item => (string)item!["name"]!).ToList();
        Assert.Equal(names.Count, names.Distinct().Count());
    }

    [Fact]
    public async Task The_budget_tells_at_50_80_and_100_percent()
    {
        var budget = Bicep.Resources(await Bicep.DeployAsync("prod"), "Microsoft.Consumption/budgets").Single()["properties"]!;

        Assert.Equal([50, 80, 100], budget["notifications"]!.AsObject().Select(entry => (int)entry.Value!["threshold"]!).Order());
        Assert.All(budget["notifications"]!.AsObject(), entry => Assert.Equal("ops@example.com", (string)entry.Value!["contactEmails"]![0]!));
    }

    private static IEnumerable<JsonObject> Alerts(JsonNode snapshot) =>
        Bicep.Resources(snapshot, "Microsoft.Insights/scheduledQueryRules").Concat(Bicep.Resources(snapshot, "Microsoft.Insights/metricAlerts"));

    private static IEnumerable<string> Complaints(IEnumerable<JsonObject> alerts, List<string> sections)
    {
        foreach (var alert in alerts)
        {
            var name = (string)alert["name"]!;
            if (!sections.Contains(name)) yield return $"{name} has no section";
            if (!((string)alert["properties"]!["description"]!).EndsWith($"docs/runbook.md#{name}", StringComparison.Ordinal)) yield return $"{name} does not link to its section";
        }
    }

    /// <summary>Queries of the alerts, of the workbook and of the runbook.</summary>
    private static async Task<List<(string Name, string Text)>> QueriesAsync()
    {
        var snapshot = await Bicep.DeployAsync("prod");
        var alerts = Bicep.Resources(snapshot, "Microsoft.Insights/scheduledQueryRules")
            .Select(alert => ($"alert {alert["name"]}", (string)alert["properties"]!["criteria"]!["allOf"]![0]!["query"]!));
        var workbook = JsonNode.Parse((string)Bicep.Resources(snapshot, "Microsoft.Insights/workbooks").Single()["properties"]!["serializedData"]!)!["items"]!.AsArray()
            .Where(item => (int)item!["type"]! == 3).Select(item => ($"workbook {item!["name"]}", (string)item["content"]!["query"]!));
        var runbook = KqlBlock().Matches(Runbook).Concat(KqlArgument().Matches(Runbook)).Select(match => ($"runbook at {match.Index}", match.Groups[1].Value));
        return [.. alerts, .. workbook, .. runbook];
    }

    /// <summary>What no parser can know: metrics and their dimensions are words within texts.</summary>
    private static IEnumerable<string> Mistakes(string name, string query)
    {
        var metrics = Quoted().Matches(query).Select(match => match.Groups[1].Value).Where(text => text.StartsWith("kpi.", StringComparison.Ordinal) && text != "kpi.tenant").ToList();
        foreach (var metric in metrics.Where(metric => !Metrics.ContainsKey(metric))) yield return $"{name}: {metric} is no metric";
        foreach (Match dimension in Dimension().Matches(query))
            if (metrics.Count > 0 && !metrics.Any(metric => Metrics.GetValueOrDefault(metric, []).Contains(dimension.Groups[1].Value))) yield return $"{name}: {dimension.Groups[1].Value} is no dimension";
    }

    [GeneratedRegex(@"(?m)^### ([a-z0-9-]+)\r?$")]
    private static partial Regex Heading();

    [GeneratedRegex(@"(?s)```kusto\r?\n(.*?)```")]
    private static partial Regex KqlBlock();

    [GeneratedRegex("\"([^\"]*)\"")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"Properties\.(\w+)")]
    private static partial Regex Dimension();

    [GeneratedRegex("--analytics-query \"([^\"]+)\"")]
    private static partial Regex KqlArgument();
}
