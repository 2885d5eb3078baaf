using System.Reflection;
using KpiDashboard.LocalHost.Runtime;
using KpiDashboard.LocalHost.Startup;
using Microsoft.AspNetCore.Builder;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Microsoft.Azure.Functions.Worker.Builder;

/// <summary>Where a function app begins.</summary>
#pragma warning disable CA1052 // The worker's class is not static either.
public class FunctionsApplication
#pragma warning restore CA1052
{
    /// <summary>A builder with the usual defaults.</summary>
    /// <param name="args">The command line; see <c>--help</c>.</param>
    public static FunctionsApplicationBuilder CreateBuilder(string[] args) => new(args);
}

/// <summary>Builds a function app.</summary>
public class FunctionsApplicationBuilder : IHostApplicationBuilder, IFunctionsWorkerApplicationBuilder
{
    private readonly WebApplicationBuilder _web;
    private readonly List<Func<FunctionExecutionDelegate, FunctionExecutionDelegate>> _middleware = [];
    private bool _built;

    internal FunctionsApplicationBuilder(string[]? args)
    {
        ExitHandler.Register();
        Options = LocalHostOptions.Parse(args ?? [], System.Environment.GetEnvironmentVariable);
        Stages = DefaultStages.Create(Options);
        Console = new TerminalConsole();
        _web = WebDefaults.CreateWebBuilder(Options, () => Console);
    }

    /// <inheritdoc/>
    public IDictionary<object, object> Properties => ((IHostApplicationBuilder)_web).Properties;

    /// <inheritdoc/>
    IConfigurationManager IHostApplicationBuilder.Configuration => Configuration;

    /// <summary>Settings of the app.</summary>
    public ConfigurationManager Configuration => _web.Configuration;

    /// <inheritdoc/>
    public IHostEnvironment Environment => _web.Environment;

    /// <inheritdoc/>
    public ILoggingBuilder Logging => _web.Logging;

    /// <inheritdoc/>
    public IMetricsBuilder Metrics => _web.Metrics;

    /// <inheritdoc cref="IHostApplicationBuilder.Services"/>
    public IServiceCollection Services => _web.Services;

    /// <summary>The command line.</summary>
    internal LocalHostOptions Options { get; }

    /// <summary>What is started around the app, in order.</summary>
    internal IList<IStartupStage> Stages { get; }

    /// <summary>Where progress is shown.</summary>
    internal IStartupConsole Console { get; set; }

    /// <summary>The assembly whose functions run; the program's own unless a test says otherwise.</summary>
    internal Assembly? FunctionsAssembly { get; set; } = Assembly.GetEntryAssembly();

    /// <summary>Which of that assembly's classes may hold functions; for tests that keep several apps in one assembly.</summary>
    internal Func<Type, bool> FunctionClasses { get; set; } = static _ => true;

    internal bool WebApplicationConfigured { get; set; }

    /// <summary>Builds the app, which starts with <c>Run()</c>.</summary>
    /// <exception cref="InvalidOperationException">It was built before.</exception>
    public IHost Build()
    {
        ThrowIfBuilt();
        _built = true;
        return new LocalFunctionsHost(_web, this, BuildPipeline);
    }

    /// <inheritdoc/>
    public void ConfigureContainer<TContainerBuilder>(
        IServiceProviderFactory<TContainerBuilder> factory, Action<TContainerBuilder>? configure = null)
        where TContainerBuilder : notnull =>
        ((IHostApplicationBuilder)_web).ConfigureContainer(factory, configure);

    /// <inheritdoc/>
    public IFunctionsWorkerApplicationBuilder Use(Func<FunctionExecutionDelegate, FunctionExecutionDelegate> middleware)
    {
        ThrowIfBuilt();
        _middleware.Add(middleware);
        return this;
    }

    private FunctionExecutionDelegate BuildPipeline(FunctionExecutionDelegate function)
    {
        FunctionExecutionDelegate pipeline = function;
        for (int i = _middleware.Count - 1; i >= 0; i--)
            pipeline = _middleware[i](pipeline);
        return pipeline;
    }

    private void ThrowIfBuilt()
    {
        if (_built)
            throw new InvalidOperationException("The application has already been built.");
    }
}

/// <summary>ASP.NET Core for HTTP functions.</summary>
public static class FunctionsApplicationBuilderAspNetCoreExtensions
{
    /// <summary>
    /// Lets HTTP functions take <c>HttpRequest</c> and return <c>IResult</c> or an MVC action result. Middleware added before this call
    /// runs around it and sees no <c>HttpContext</c>.
    /// </summary>
    /// <param name="builder">The app.</param>
    public static FunctionsApplicationBuilder ConfigureFunctionsWebApplication(this FunctionsApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (!builder.WebApplicationConfigured)
        {
            builder.WebApplicationConfigured = true;
            builder.Services.AddMvc();
            builder.Use(HttpIntegration.Middleware);
        }

        return builder;
    }
}
