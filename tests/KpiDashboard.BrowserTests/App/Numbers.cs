using System.Globalization;
using System.Text.Json.Nodes;
using Xunit;

namespace KpiDashboard.BrowserTests.App;

/// <summary>Numbers of the API as the page writes them exactly, in British English. Written here a second time on purpose.</summary>
internal static class Numbers
{
    private static readonly CultureInfo s_british = CultureInfo.GetCultureInfo("en-GB");

    public static JsonNode Kpi(this JsonNode summary, string key) => summary["kpis"]!.AsArray().Single(kpi => kpi!["key"]!.GetValue<string>() == key)!;

    public static decimal Number(this JsonNode node, string name)
    {
        var value = node[name];
        Assert.True(value is not null, $"{name} has no value in {node.ToJsonString()}");
        return value.GetValue<decimal>();
    }

    public static IReadOnlyList<string> Days(this JsonNode summary) => [.. summary["dates"]!.AsArray().Select(day => day!.GetValue<string>())];

    public static string Count(decimal value) => value.ToString("#,0", s_british);

    public static string Money(decimal value, string sign) => sign + value.ToString("#,0.00", s_british);

    public static string Percent(decimal share) => (share * 100).ToString("#,0.###", s_british) + "%";

    public static string Times(decimal value) => value.ToString("#,0.###", s_british) + "×";

    /// <summary>The day as British people write it, without its weekday.</summary>
    public static string Day(string day) => DateOnly.ParseExact(day, "yyyy-MM-dd", CultureInfo.InvariantCulture).ToString("d MMM yyyy", CultureInfo.InvariantCulture);
}
