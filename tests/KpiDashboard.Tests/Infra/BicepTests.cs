using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit;

namespace KpiDashboard.Tests.Infra;

/// <summary>Compiles and lints every Bicep file and the parameters of every variant, offline; any diagnostic fails, not only errors.</summary>
[Trait("Clock", "none")]
public sealed partial class BicepTests
{
    public static TheoryData<string> Files => [.. Directory.GetFiles(Bicep.Folder, "*.bicep", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Bicep.Folder, file)).Order(StringComparer.Ordinal)];

    public static TheoryData<string> Variants => [.. Bicep.Variants.Keys];

    /// <summary>The template names every module (below), and its diagnostics are those of all of them.</summary>
    [Fact]
    public async Task Everything_lints_without_any_diagnostic() =>
        Assert.Equal("[]", (await Bicep.LintAsync(Path.Combine(Bicep.Folder, "main.bicep"))).ToJsonString());

    [Theory]
    [MemberData(nameof(Variants))]
    public async Task Parameters_fit_the_template(string variant) =>
        Assert.Equal("[]", (await Bicep.LintAsync(Path.Combine(Bicep.Folder, "main.bicepparam"), Bicep.Variants[variant])).ToJsonString());

    [Fact]
    public async Task There_is_one_template_for_a_subscription_and_modules_for_the_rest()
    {
        var main = await Bicep.RunAsync(null, "build", Path.Combine(Bicep.Folder, "main.bicep"), "--stdout");
        Assert.True(main is { Exit: 0, Error: "" }, main.Error);
        Assert.Equal("https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#", (string)JsonNode.Parse(main.Output)!["$schema"]!);
        var text = await File.ReadAllTextAsync(Path.Combine(Bicep.Folder, "main.bicep"), TestContext.Current.CancellationToken);
        foreach (var module in Directory.GetFiles(Path.Combine(Bicep.Folder, "modules")).Select(Path.GetFileName))
            Assert.Contains($"'modules/{module}'", text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Every_parameter_and_output_says_what_it_is(string file)
    {
        var lines = await File.ReadAllLinesAsync(Path.Combine(Bicep.Folder, file), TestContext.Current.CancellationToken);
        for (var i = 0; i < lines.Length; i++)
        {
            if (!Declaration().IsMatch(lines[i])) continue;
            var first = i;
            while (first > 0 && lines[first - 1].Trim().Length > 0) first--;
            Assert.True(lines[first..i].Any(line => line.StartsWith("@description('", StringComparison.Ordinal)), $"{file}: {lines[i]} has no description.");
        }
    }

    [Theory]
    [InlineData("modules/storage.bicep", "allowSharedKeyAccess: false", "allowSharedKeyAcess: false")]
    [InlineData("modules/web.bicep", "name: 'stapp-${token}'", "name: 'stapp-x'")]
    [InlineData("modules/identity.bicep", "location: location", "location: 'westeurope'")]
    public async Task A_mistake_in_a_file_is_found(string file, string right, string wrong)
    {
        using var copy = new FolderCopy(Bicep.Folder);
        var path = Path.Combine(copy.Path, file);
        var text = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
        Assert.Contains(right, text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(path, text.Replace(right, wrong, StringComparison.Ordinal), TestContext.Current.CancellationToken);

        Assert.NotEmpty(await Bicep.LintAsync(Path.Combine(copy.Path, "main.bicep")));
    }

    [Fact]
    public async Task Parameters_that_do_not_fit_are_found() =>
        Assert.NotEmpty(await Bicep.LintAsync(Path.Combine(Bicep.Folder, "main.bicepparam"), new Dictionary<string, string> { ["KPI_ORIGINS"] = "both" }));

    [GeneratedRegex(@"^(param|output) \w+ ")]
    private static partial Regex Declaration();
}
