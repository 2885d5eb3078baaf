using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KpiDashboard.Telemetry;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KpiDashboard.Tests.Telemetry;

/// <summary>The dashboard file and the documentation against the instruments that there are.</summary>
public sealed class GrafanaTests
{
    [Fact]
    public void The_dashboard_asks_for_every_instrument_and_for_no_other_and_the_documentation_lists_them()
    {
        var instruments = new List<Instrument>();
        using var listener = new MeterListener { InstrumentPublished = (instrument, _) => { if (instrument.Meter.Name == Instruments.MeterName) lock (instruments) instruments.Add(instrument); } };
        listener.Start();
        using var own = new Instruments(new FakeTimeProvider());
        HashSet<string> names;
        lock (instruments) names = [.. instruments.Select(PrometheusName)];
        Assert.Equal(13, names.Count);

        var dashboard = JsonNode.Parse(File.ReadAllText(Path.Combine(Repository.Root, "docs", "grafana", "kpi-dashboard.json")))!;
        var asked = dashboard["panels"]!.AsArray().SelectMany(panel => panel!["targets"]!.AsArray())
            .SelectMany(target => Regex.Matches($"{target!["expr"]}", @"\bkpi_\w+")).Select(match => Regex.Replace(match.Value, "_(bucket|count)$", "")).ToHashSet();
        Assert.Equal(names.Order(StringComparer.Ordinal), asked.Order(StringComparer.Ordinal));

        var documentation = File.ReadAllText(Path.Combine(Repository.Root, "docs", "operations.md"));
        lock (instruments) Assert.All(instruments, instrument => Assert.Contains($"| `{instrument.Name}` |", documentation, StringComparison.Ordinal));
    }

    /// <summary>As collectors translate: dots, unit, and what kind it is.</summary>
    private static string PrometheusName(Instrument instrument) =>
        instrument.Name.Replace('.', '_')
        + (instrument.Unit switch { "s" => "_seconds", "1" => "_ratio", _ => "" })
        + (instrument.GetType().GetGenericTypeDefinition() == typeof(Counter<>) ? "_total" : "");
}
