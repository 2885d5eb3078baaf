using Microsoft.Extensions.Configuration;

namespace KpiDashboard.LocalHost.Startup;

/// <summary>
/// A part of what LocalHost starts around the function app: an embedded service, the migrations, the simulators, the demo data, the web page.
/// Stages run in order of registration before the app itself starts, and are disposed in reverse order after it stopped.
/// </summary>
internal interface IStartupStage : IAsyncDisposable
{
    /// <summary>What the terminal calls it, for example <c>Postgres</c>.</summary>
    string Name { get; }

    /// <summary>
    /// Begins, before any stage has started, what needs nothing of the others: it goes on beside them, and <see cref="StartAsync"/> waits for it.
    /// It neither sets configuration nor writes to the terminal: that is the turn of one stage at a time.
    /// </summary>
    /// <returns>Whether there is something that has to be ended from now on.</returns>
    bool Begin(StartupContext context, CancellationToken cancellationToken) => false;

    /// <summary>Runs before the app's services start; may set configuration values (connection strings, provider addresses) that the app then reads.</summary>
    /// <exception cref="StartupException">With one sentence that says what is wrong and what to do; the terminal shows just that.</exception>
    Task StartAsync(StartupContext context, CancellationToken cancellationToken);

    /// <summary>Runs, in order, after HTTP, timers and queues are up. The app's address is known by then.</summary>
    Task AfterAppStartedAsync(StartupContext context, CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>What stages share.</summary>
internal sealed class StartupContext
{
    /// <summary>The app's settings; what is set through the indexer goes to the worker.</summary>
    public required IConfiguration Configuration { get; init; }

    /// <summary>Root of the repository (the folder of <c>KpiDashboard.sln</c>).</summary>
    public required string RepositoryRoot { get; init; }

    /// <summary>Where data and generated secrets live (<c>.local/</c>, <c>--data DIR</c> or <c>KPI_DATA</c>); exists.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Progress lines for the terminal.</summary>
    public required IStartupConsole Console { get; init; }

    /// <summary>Why the app is not ready though it runs, which <c>health/ready</c> then says; null if nothing stands in the way.</summary>
    public string? NotReady { get; set; }

    /// <summary>Base address of the app, for example <c>http://localhost:7071</c>; null before HTTP is up.</summary>
    public Uri? Address { get; set; }
}

/// <summary>Where the start command says what it is doing.</summary>
internal interface IStartupConsole
{
    /// <summary>A finished step with its outcome, for example <c>Postgres 18.4 on port 41523 (0.7 s)</c>.</summary>
    void Done(string stage, string text);

    /// <summary>Something that goes on; on a terminal it replaces the previous progress line of the same stage.</summary>
    void Progress(string stage, string text);

    /// <summary>What the start ends with: a line that begins with <c>Ready </c> for programs that wait for it, then what a person needs.</summary>
    void Ready(string text);

    /// <summary>An entry of the log, with its exception below it.</summary>
    void Log(string line) => Console.Error.WriteLine(line);
}

/// <summary>Start-up cannot go on; the message is one plain sentence for the person at the terminal.</summary>
internal sealed class StartupException : Exception
{
    /// <summary>With the sentence to show.</summary>
    public StartupException(string message)
        : base(message) { }

    /// <summary>With the sentence to show and what caused it.</summary>
    public StartupException(string message, Exception innerException)
        : base(message, innerException) { }
}
