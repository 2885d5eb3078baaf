using System.Diagnostics;
using System.Text.Json.Nodes;
using Xunit;

namespace KpiDashboard.Tests.Infra;

/// <summary>Compiles and lints every Bicep file with the Bicep CLI of its NuGet package, offline.</summary>
public sealed class BicepTests
{
    [Fact]
    public async Task Every_Bicep_file_builds_and_lints_without_any_diagnostic()
    {
        var root = Repository.Root;
        var files = Directory.GetFiles(Path.Combine(root, "infra"), "*.bicep*", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        foreach (var file in files)
        {
            // Warnings exit 0, a property that Azure does not know among them: read the diagnostics themselves.
            var (exit, output, error) = await RunAsync("lint", file, "--diagnostics-format", "sarif");
            var results = JsonNode.Parse(output)!["runs"]![0]!["results"]!.AsArray();
            Assert.True(exit == 0 && results.Count == 0, $"{Path.GetRelativePath(root, file)}: {results.ToJsonString()} {error}");
        }

        var main = await RunAsync("build", Path.Combine(root, "infra", "main.bicep"), "--stdout");
        Assert.True(main is { Exit: 0, Error: "" }, main.Error);
        Assert.Equal("https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#", JsonNode.Parse(main.Output)!["$schema"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_property_that_Azure_does_not_know_is_found()
    {
        var folder = Directory.CreateTempSubdirectory("kpi-bicep-");
        try
        {
            var file = Path.Combine(folder.FullName, "bad.bicep");
            await File.WriteAllTextAsync(file, """
                resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
                  name: 'x'
                  location: 'westeurope'
                  kind: 'StorageV2'
                  sku: { name: 'Standard_LRS' }
                  properties: { allowSharedKeyAcess: false }
                }
                """, TestContext.Current.CancellationToken);
            var (_, output, _) = await RunAsync("lint", file, "--diagnostics-format", "sarif");
            Assert.Contains("BCP089", output, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<(int Exit, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(BicepPath(), arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
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

    private static string BicepPath()
    {
        var path = typeof(BicepTests).Assembly.GetCustomAttributes(typeof(System.Reflection.AssemblyMetadataAttribute), false)
            .Cast<System.Reflection.AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "BicepPackage").Value!;
        var program = Path.Combine(path, "tools", "bicep");
        Assert.True(File.Exists(program), $"The Bicep CLI is not at {program}; `dotnet restore` brings it.");
        // NuGet does not keep the executable bit of what is in a package.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(program, File.GetUnixFileMode(program) | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        return program;
    }
}
