using System.Reflection;
using System.Runtime.CompilerServices;
using KpiDashboard.LocalHost.Embedded;
using KpiDashboard.LocalHost.Runtime;
using KpiDashboard.LocalHost.Startup;
using KpiDashboard.LocalHost.Worker;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.Tests.Shared;

/// <summary>
/// The function app on the real worker in this process, under the local host: what the start command runs, but that services can be
/// replaced and several apps run side by side.
/// </summary>
internal sealed class LocalApp
{
    private readonly List<Action<ILoggingBuilder>> _logging = [];

    private LocalApp(FunctionsApplicationBuilder worker, LocalHostOptions options)
    {
        Worker = worker;
        Options = options;
        Stages = DefaultStages.Create(options);
        WebDefaults.AddSettings(worker.Configuration, options);
        // Scope mistakes fail here and not first in production.
        worker.ConfigureContainer(new DefaultServiceProviderFactory(new ServiceProviderOptions
        {
            ValidateScopes = true,
            ValidateOnBuild = true
        }));
        // Signals are the test runner's.
        worker.Services.AddSingleton<IHostLifetime, NoLifetime>();
    }

    /// <summary>The worker's builder.</summary>
    public FunctionsApplicationBuilder Worker { get; }

    /// <summary>The command line.</summary>
    public LocalHostOptions Options { get; }

    /// <summary>What is started around the app, in order.</summary>
    public IList<IStartupStage> Stages { get; }

    /// <summary>Where progress is shown.</summary>
    public IStartupConsole Console { get; set; } = new TerminalConsole();

    /// <summary>The app's services.</summary>
    public IServiceCollection Services => Worker.Services;

    /// <summary>The app's log. What it logs goes to the host's log as well, as everywhere.</summary>
    public ILoggingBuilder Logging => Worker.Logging;

    /// <summary>The product's app.</summary>
    public static LocalApp CreateBuilder(string[] args)
    {
        var options = LocalHostOptions.Parse(args, Environment.GetEnvironmentVariable);
        // Part of what is registered depends on them, as it does on the environment of a worker's process.
        var worker = Functions.App.CreateBuilder([.. options.Settings.Select(setting => $"--{setting.Key}={setting.Value}")]);
        // What the worker's SDK made for the product, which a worker finds in the assembly that was started; here that is the tests.
        var made = typeof(Functions.App).Assembly;
        foreach (var (service, name) in ((Type,
            string)[])[(typeof(Microsoft.Azure.Functions.Worker.Core.FunctionMetadata.IFunctionMetadataProvider),
            "GeneratedFunctionMetadataProvider"),
            (typeof(Microsoft.Azure.Functions.Worker.Invocation.IFunctionExecutor), "DirectFunctionExecutor")])
        {
            worker.Services.AddSingleton(service, made.GetTypes().Single(type => type.Name == name));
        }

        // Only where an extension has something to do at the start.
        if (made.GetCustomAttribute<Microsoft.Azure.Functions.Worker.Core.WorkerExtensionStartupCodeExecutorInfoAttribute>() is { } startup)
            ((Microsoft.Azure.Functions.Worker.Core.WorkerExtensionStartup)Activator.CreateInstance(
                startup.StartupCodeExecutorType)!).Configure(worker);
        return new LocalApp(worker, options).WithPortOfItsOwn();
    }

    /// <summary>An app of a test's own functions.</summary>
    public static LocalApp CreateEmpty(string[] args) => new(FunctionsApplication.CreateBuilder([]), LocalHostOptions.Parse(args,
        Environment.GetEnvironmentVariable));

    /// <summary>Changes where the host's log goes.</summary>
    public void HostLogging(Action<ILoggingBuilder> change) => _logging.Add(change);

    /// <summary>
    /// The worker takes one port for its process; several workers in one need one each. After <c>ConfigureFunctionsWebApplication()</c>.
    /// </summary>
    public LocalApp WithPortOfItsOwn()
    {
        var port = FreePort.Next();
        Worker.Configuration["urls"] = $"http://127.0.0.1:{port}";
        Services.Configure<WorkerOptions>(worker =>
        {
            if (worker.Capabilities.ContainsKey("HttpUri")) worker.Capabilities["HttpUri"] = $"http://127.0.0.1:{port}/";
        });
        return this;
    }

    /// <summary>The host, ready to be started.</summary>
    public LocalFunctionsHost Build()
    {
        var worker = Worker.Build();
        return new LocalFunctionsHost(Options, Worker.Configuration, Stages, Console, new InProcessWorker(worker, Worker.Configuration),
            logging => _logging.ForEach(change => change(logging)));
    }

    /// <summary>Where a worker looks for its app: the same for all of this process.</summary>
    [ModuleInitializer]
    internal static void AppDirectory()
    {
        foreach (var name in (string[])["FUNCTIONS_APPLICATION_DIRECTORY", "FUNCTIONS_WORKER_DIRECTORY"])
            Environment.SetEnvironmentVariable(name, AppContext.BaseDirectory);
    }
}
