using System.Globalization;
using Microsoft.Extensions.Logging;

namespace KpiDashboard.LocalHost.Startup;

/// <summary>Log entries on the terminal: one line each, with the exception below it.</summary>
internal sealed class TerminalLoggerProvider(Func<IStartupConsole> console) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new TerminalLogger(categoryName, console);

    public void Dispose() { }

    private sealed class TerminalLogger(string category, Func<IStartupConsole> console) : ILogger
    {
        private readonly string _name = category[(category.LastIndexOf('.') + 1)..];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            // The host says why it cannot start; the start-up's own sentence says it without a stack trace.
            if (eventId.Name == "HostedServiceStartupFaulted")
                return;
            string line = string.Create(CultureInfo.InvariantCulture, $"{DateTime.Now:HH:mm:ss} {Word(logLevel)} {_name}: {formatter(state, exception)}");
            if (exception is not null)
                line += Environment.NewLine + exception;
            console().Log(line);
        }

        private static string Word(LogLevel level) => level switch
        {
            LogLevel.Trace => "trace",
            LogLevel.Debug => "debug",
            LogLevel.Information => "info ",
            LogLevel.Warning => "warn ",
            LogLevel.Error => "error",
            LogLevel.Critical => "fatal",
            _ => "     ",
        };
    }
}
