using KpiDashboard.LocalHost.Runtime;
using KpiDashboard.LocalHost.Startup;
using KpiDashboard.LocalHost.Worker;
using Microsoft.Extensions.Configuration;

try
{
    LocalHostOptions options = LocalHostOptions.Parse(args, Environment.GetEnvironmentVariable);
    if (options.Port == 0)
        options = options with { Port = KpiDashboard.LocalHost.Embedded.FreePort.Next() };
    using ConfigurationManager settings = new();
    settings.AddEnvironmentVariables("AZURE_FUNCTIONS_");
    settings.AddEnvironmentVariables();
    WebDefaults.AddSettings(settings, options);
    TerminalConsole console = new();
    ChildWorker worker = new(options.App ?? LocalHostOptions.BuiltApp(), settings);
    await using LocalFunctionsHost host = new(options, settings, DefaultStages.Create(options), console, worker);
    await host.RunAsync();
    return Environment.ExitCode;
}
catch (CommandLineException help) when (help.ExitCode == 0)
{
    await Console.Out.WriteAsync(help.Message);
    return 0;
}
catch (CommandLineException usage)
{
    await Console.Error.WriteLineAsync(usage.Message);
    return usage.ExitCode;
}
catch (StartupCanceledException)
{
    return 130;
}
catch (StartupException startup)
{
    await Console.Error.WriteLineAsync(startup.Message);
    return 1;
}
