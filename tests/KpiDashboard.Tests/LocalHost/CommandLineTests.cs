using KpiDashboard.LocalHost.Runtime;
using Xunit;

namespace KpiDashboard.Tests.LocalHost;

public sealed class CommandLineTests
{
    [Fact]
    public void Without_options_the_defaults_hold()
    {
        LocalHostOptions options = Parse([]);

        Assert.Equal(7071, options.Port);
        Assert.Equal(Path.Combine(options.RepositoryRoot, ".local"), options.DataDirectory);
        Assert.True(File.Exists(Path.Combine(options.RepositoryRoot, "KpiDashboard.sln")));
        Assert.True(options.Demo);
        Assert.True(options.LocalSettings);
        Assert.False(options.Reset);
    }

    [Fact]
    public void Every_option_is_read_in_both_forms()
    {
        LocalHostOptions options = Parse(["--port", "0", "--data=some/where", "--reset", "--no-demo", "--no-web", "--no-settings", "--set", "A__B=c=d", "--set=E="]);

        Assert.Equal(0, options.Port);
        Assert.Equal(Path.GetFullPath("some/where"), options.DataDirectory);
        Assert.True(options.Reset);
        Assert.False(options.Demo);
        Assert.False(options.LocalSettings);
        Assert.Equal("true", options.Settings["Web:Skip"]);
        Assert.Equal("c=d", options.Settings["A:B"]);
        Assert.Equal("", options.Settings["E"]);
    }

    [Fact]
    public void The_environment_stands_in_for_port_and_data_and_the_command_line_wins()
    {
        LocalHostOptions fromEnvironment = Parse([], ("KPI_PORT", "8080"), ("KPI_DATA", "/tmp/x"));
        LocalHostOptions both = Parse(["--port", "9090"], ("KPI_PORT", "8080"));

        Assert.Equal((8080, "/tmp/x"), (fromEnvironment.Port, fromEnvironment.DataDirectory));
        Assert.Equal(9090, both.Port);
    }

    [Theory]
    [InlineData("Unknown option --prot; --help lists them.", "--prot", "1")]
    [InlineData("Unknown option start; --help lists them.", "start")]
    [InlineData("--port needs a value.", "--port")]
    [InlineData("--port needs a value.", "--port", "--reset")]
    [InlineData("--data needs a value.", "--data=")]
    [InlineData("--port must be a number from 0 to 65535, not 65536.", "--port", "65536")]
    [InlineData("--port must be a number from 0 to 65535, not -1.", "--port", "-1")]
    [InlineData("--port must be a number from 0 to 65535, not x.", "--port=x")]
    [InlineData("--reset takes no value.", "--reset=yes")]
    [InlineData("--set needs NAME=VALUE.", "--set", "name")]
    public void What_cannot_be_understood_is_exit_code_2_and_a_sentence(string sentence, params string[] args)
    {
        CommandLineException e = Assert.Throws<CommandLineException>(() => Parse(args));

        Assert.Equal((sentence, 2), (e.Message, e.ExitCode));
    }

    [Fact]
    public void A_bad_environment_variable_is_called_by_its_name()
    {
        CommandLineException e = Assert.Throws<CommandLineException>(() => Parse([], ("KPI_PORT", "http")));

        Assert.Equal("KPI_PORT must be a number from 0 to 65535, not http.", e.Message);
    }

    [Fact]
    public void Help_is_exit_code_0_and_names_every_option()
    {
        CommandLineException e = Assert.Throws<CommandLineException>(() => Parse(["--help"]));

        Assert.Equal(0, e.ExitCode);
        Assert.All(["--port", "--data", "--reset", "--no-demo", "--no-settings", "--set", "--help"], option => Assert.Contains(option, e.Message, StringComparison.Ordinal));
    }

    private static LocalHostOptions Parse(string[] args, params (string Name, string Value)[] environment) =>
        LocalHostOptions.Parse(args, name => environment.FirstOrDefault(pair => pair.Name == name).Value);
}
