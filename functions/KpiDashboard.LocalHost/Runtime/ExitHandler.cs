using KpiDashboard.LocalHost.Startup;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>
/// Ends the process with one sentence instead of a stack trace when <c>Main</c> lets a <see cref="StartupException"/> out.
/// As an unhandled-exception handler it touches nobody who catches the exception, so tests get it as it is.
/// </summary>
internal static class ExitHandler
{
    private static int s_registered;

    public static void Register()
    {
        if (Interlocked.Exchange(ref s_registered, 1) == 0)
            AppDomain.CurrentDomain.UnhandledException += OnUnhandledException;
    }

    private static void OnUnhandledException(object sender, UnhandledExceptionEventArgs e)
    {
        switch (e.ExceptionObject)
        {
            case CommandLineException { ExitCode: 0 } help:
                Console.Out.Write(help.Message);
                Environment.Exit(0);
                break;
            case CommandLineException usage:
                Console.Error.WriteLine(usage.Message);
                Environment.Exit(usage.ExitCode);
                break;
            case StartupCanceledException:
                Environment.Exit(130);
                break;
            case StartupException startup:
                Console.Error.WriteLine(startup.Message);
                Environment.Exit(1);
                break;
        }
    }
}

/// <summary>Ctrl-C while starting.</summary>
internal sealed class StartupCanceledException() : OperationCanceledException("Stopped while starting.");
