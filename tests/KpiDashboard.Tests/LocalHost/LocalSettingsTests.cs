using KpiDashboard.LocalHost.Runtime;
using KpiDashboard.LocalHost.Startup;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace KpiDashboard.Tests.LocalHost;

public sealed class LocalSettingsTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("kpi-settings-test-");

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void Values_become_flat_settings_and_the_command_line_wins()
    {
        IConfiguration settings = Load("""
            {
              // As func reads it.
              "IsEncrypted": false,
              "Values": { "LocalTest__Deep__Key": "a", "LocalTest:Number": 5, "LocalTest:Flag": true, "LocalTest:Overridden": "file" },
              "ConnectionStrings": { "LocalTest": "Host=db" },
            }
            """);

        Assert.Equal("a", settings["LocalTest:Deep:Key"]);
        Assert.Equal("5", settings["LocalTest:Number"]);
        Assert.Equal("true", settings["LocalTest:Flag"]);
        Assert.Equal("command line", settings["LocalTest:Overridden"]);
        Assert.Equal("Host=db", settings.GetConnectionString("LocalTest"));
    }

    [Fact]
    public void The_file_can_be_ignored() => Assert.Null(Load("""{"Values":{"LocalTest:Only":"file"}}""", read: false)["LocalTest:Only"]);

    [Theory]
    [InlineData("{", "is not valid JSON")]
    [InlineData("[]", "must hold an object with Values")]
    [InlineData("""{"IsEncrypted":true,"Values":{}}""", "is encrypted")]
    [InlineData("""{"Values":[]}""", "Values in ")]
    [InlineData("""{"Values":{"A":{}}}""", "Values:A in ")]
    public void A_file_that_cannot_be_used_is_a_sentence(string json, string sentence) =>
        Assert.Contains(sentence, Assert.Throws<StartupException>(() => Load(json)).Message, StringComparison.Ordinal);

    private IConfiguration Load(string json, bool read = true)
    {
        string folder = Path.Combine(_root.FullName, "functions", "KpiDashboard.Functions");
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "local.settings.json"), json);
        LocalHostOptions options = new()
        {
            DataDirectory = _root.FullName,
            RepositoryRoot = _root.FullName,
            LocalSettings = read,
            Settings = new Dictionary<string, string?> { ["LocalTest:Overridden"] = "command line" },
        };
        ConfigurationManager settings = new();
        WebDefaults.AddSettings(settings, options);
        return settings;
    }
}
