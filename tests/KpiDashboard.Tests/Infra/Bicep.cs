using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit;

namespace KpiDashboard.Tests.Infra;

/// <summary>The Bicep CLI of its NuGet package, and what our files deploy by its word. Works offline.</summary>
internal static partial class Bicep
{
    /// <summary>Deployments that the tests look at: the two profiles as they are, and everything that can be switched on, under both kinds of origins.</summary>
    public static readonly IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Variants = new Dictionary<string, IReadOnlyDictionary<string, string>>
    {
        ["dev"] = new Dictionary<string, string> { ["KPI_PROFILE"] = "dev" },
        ["prod"] = new Dictionary<string, string> { ["KPI_PROFILE"] = "prod", ["KPI_ALERT_EMAIL"] = "ops@example.com" },
        ["everything"] = new Dictionary<string, string>(Everything) { ["KPI_PROFILE"] = "prod" },
        ["separate"] = new Dictionary<string, string>(Everything) { ["KPI_PROFILE"] = "dev", ["KPI_ORIGINS"] = "separate", ["KPI_WEB_BASE_URL"] = "https://kpi.example.com" },
    };

    private static readonly ConcurrentDictionary<string, Lazy<Task<JsonNode>>> Deployed = new(StringComparer.Ordinal);

    private static Dictionary<string, string> Everything => new()
    {
        ["KPI_AUTH_KEYS"] = "k1,k2",
        ["KPI_SEALING_KEYS"] = "k1,k2",
        ["KPI_MAIL_HOST"] = "smtp.example.com",
        ["KPI_MAIL_PORT"] = "587",
        ["KPI_MAIL_USER"] = "kpi",
        ["KPI_MAIL_FROM"] = "kpi@example.com",
        ["KPI_GOOGLE_CLIENT_ID"] = "id.apps.googleusercontent.com",
        ["KPI_OIDC_PROVIDERS"] = """[{"key":"company","clientId":"app","name":"Company","issuer":"https://sso.example.com"},{"key":"google","clientId":"id"}]""",
        ["KPI_ALERT_EMAIL"] = "ops@example.com",
    };

    /// <summary>Folder of the files.</summary>
    public static string Folder { get; } = Path.Combine(Repository.Root, "infra");

    /// <summary>What a variant deploys, with every expression worked out but those that only a deployment knows; a fresh copy that may be changed.</summary>
    public static async Task<JsonNode> DeployAsync(string variant)
    {
        var one = Deployed.GetOrAdd(variant, name => new Lazy<Task<JsonNode>>(() => SnapshotAsync(Folder, Variants[name])));
        return (await one.Value).DeepClone();
    }

    /// <summary>What the files of a folder deploy with some environment variables set.</summary>
    public static async Task<JsonNode> SnapshotAsync(string folder, IReadOnlyDictionary<string, string> environment)
    {
        // A snapshot is written beside its parameters file.
        using var copy = new FolderCopy(folder);
        var (exit, output, error) = await RunAsync(
            environment, "snapshot", Path.Combine(copy.Path, "main.bicepparam"), "--mode", "overwrite", "--location", "westeurope",
            "--tenant-id", "00000000-0000-0000-0000-000000000001", "--subscription-id", "00000000-0000-0000-0000-000000000002");
        Assert.True(exit == 0, output + error);
        var snapshot = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(copy.Path, "main.snapshot.json"), TestContext.Current.CancellationToken))!;
        Assert.Empty(snapshot["diagnostics"]!.AsArray());
        return snapshot;
    }

    /// <summary>Resources of a snapshot.</summary>
    public static IEnumerable<JsonObject> Resources(JsonNode snapshot, string? type = null) =>
        snapshot["predictedResources"]!.AsArray().Select(resource => resource!.AsObject()).Where(resource => type is null || Type(resource) == type);

    /// <summary>The type of a resource.</summary>
    public static string Type(JsonObject resource) => (string)resource["type"]!;

    /// <summary>App settings by name.</summary>
    public static Dictionary<string, string> Settings(JsonNode snapshot) =>
        Resources(snapshot, "Microsoft.Web/sites").Single()["properties"]!["siteConfig"]!["appSettings"]!.AsArray()
            .ToDictionary(setting => (string)setting!["name"]!, setting => (string)setting!["value"]!, StringComparer.Ordinal);

    /// <summary>Connections of one instance at most. The host of the server is known only to a deployment, so the setting is still a call of format().</summary>
    public static int PoolSize(JsonNode snapshot)
    {
        var found = PoolSizeArgument().Match(Settings(snapshot)["ConnectionStrings__Postgres"]);
        Assert.True(found.Success, "ConnectionStrings__Postgres names no Maximum Pool Size.");
        return int.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"Maximum Pool Size=\{2\}.*, (\d+)\)\]$")]
    private static partial Regex PoolSizeArgument();

    /// <summary>Diagnostics of a file, warnings among them, as the CLI's SARIF has them.</summary>
    public static async Task<JsonArray> LintAsync(string file, IReadOnlyDictionary<string, string>? environment = null)
    {
        // Warnings exit 0, a property that Azure does not know among them: read the diagnostics themselves.
        var (exit, output, error) = await RunAsync(environment, "lint", file, "--diagnostics-format", "sarif");
        // A file without a finding may print nothing at all.
        var results = output.Length == 0 ? [] : JsonNode.Parse(output)!["runs"]![0]!["results"]!.AsArray();
        Assert.True(exit == 0 || results.Count > 0, error);
        return results;
    }

    /// <summary>Runs the CLI with these environment variables besides a name, a place and a month.</summary>
    public static async Task<(int Exit, string Output, string Error)> RunAsync(IReadOnlyDictionary<string, string>? environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(Program(), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("KPI_", StringComparison.Ordinal)).ToList()) start.Environment.Remove(name);
        start.Environment["AZURE_ENV_NAME"] = "test";
        start.Environment["AZURE_LOCATION"] = "westeurope";
        start.Environment["KPI_BUDGET_START"] = "2026-11-01";
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(3));
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    private static string Program()
    {
        var path = typeof(Bicep).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "BicepPackage").Value!;
        var program = Path.Combine(path, "tools", OperatingSystem.IsWindows() ? "bicep.exe" : "bicep");
        Assert.True(File.Exists(program), $"The Bicep CLI is not at {program}; `dotnet restore` brings it.");
        // NuGet does not keep the executable bit of what is in a package.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(program, File.GetUnixFileMode(program) | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        return program;
    }
}

/// <summary>A copy of a folder that goes when it is no longer needed.</summary>
internal sealed class FolderCopy : IDisposable
{
    public FolderCopy(string source)
    {
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            var target = System.IO.Path.Combine(Path, System.IO.Path.GetRelativePath(source, file));
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    public string Path { get; } = Directory.CreateTempSubdirectory("kpi-bicep-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
