using System.Diagnostics;
using System.Text.Json.Nodes;
using Xunit;

namespace KpiDashboard.IntegrationTests.Operations;

/// <summary>The operator's command line as a process of its own.</summary>
internal static class CommandLine
{
    /// <summary>
    /// For a command that hangs, not for one that is slow: on a machine that does ten things at once the start of the program alone was seen to take a minute.
    /// </summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(15);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>Runs a command with <c>--json</c> and expects an exit code. Returns what it answered.</summary>
    public static async Task<JsonNode> JsonAsync(string folder, IReadOnlyDictionary<string, string> settings, int expected, params string[] arguments)
    {
        var (code, output, errors) = await RunAsync(folder, settings, [.. arguments, "--json"]);
        Assert.True(code == expected, $"{string.Join(' ', arguments)} ended with {code}:\n{output}{errors}");
        Assert.Empty(errors);
        return JsonNode.Parse(output)!;
    }

    /// <summary>Runs a command in a folder, with these settings in its environment and none of this machine's.</summary>
    public static async Task<(int Code, string Output, string Errors)> RunAsync(string folder, IReadOnlyDictionary<string, string>? settings, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "KpiDashboard.Cli.dll"));
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("ConnectionStrings", StringComparison.Ordinal) || name.StartsWith("KPI_", StringComparison.Ordinal)).ToList()) start.Environment.Remove(name);
        // Most of such a short life is compiling.
        start.Environment["DOTNET_TieredPGO"] = "0";
        foreach (var (name, value) in settings ?? new Dictionary<string, string>()) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(Cancelled), process.StandardError.ReadToEndAsync(Cancelled));
        try
        {
            await process.WaitForExitAsync(Cancelled).WaitAsync(Limit, Cancelled);
        }
        catch (TimeoutException error)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{string.Join(' ', arguments)} did not end within {Limit.TotalMinutes:0} minutes. It said: {await output}{await errors}", error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        return (process.ExitCode, await output, await errors);
    }
}
