using System.Globalization;
using KpiDashboard.LocalHost.Embedded;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>The command line of LocalHost, read once.</summary>
internal sealed record LocalHostOptions
{
    public const int DefaultPort = 7071;

    public const string HelpText = """
        KPI Dashboard: the function app and everything it needs, on this machine.

          --port N          listen on http://localhost:N (default 7071, or KPI_PORT); 0 picks a free port
          --data DIR        keep data and generated secrets in DIR (default .local in the repository root, or KPI_DATA)
          --reset           delete what an earlier run left in the data folder, then start afresh
          --no-demo         start an empty installation, without demo tenants
          --no-web          leave the web page out: no npm packages, no build
          --no-settings     ignore local.settings.json
          --app FILE        run this app: the program of a published output, for example out/KpiDashboard.Functions.dll
          --set NAME=VALUE  override one setting; may be repeated; NAME may use : or __ between its parts
          --help            show this text

        """;

    /// <summary>Port to listen on; 0 for any free one.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>Full path of the data folder.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Root of the repository, or the current folder outside of one.</summary>
    public required string RepositoryRoot { get; init; }

    /// <summary>Whether the data folder is emptied first.</summary>
    public bool Reset { get; init; }

    /// <summary>Whether demo tenants are wanted.</summary>
    public bool Demo { get; init; } = true;

    /// <summary>Whether <c>local.settings.json</c> is read.</summary>
    public bool LocalSettings { get; init; } = true;

    /// <summary>Full path of the app's program; null for the one that is built in the repository.</summary>
    public string? App { get; init; }

    /// <summary>Settings given on the command line.</summary>
    public IReadOnlyDictionary<string, string?> Settings { get; init; } = new Dictionary<string, string?>();

    /// <summary>Reads the command line and the two environment variables that stand in for it.</summary>
    /// <exception cref="CommandLineException">It cannot be understood, or asks for help.</exception>
    public static LocalHostOptions Parse(IReadOnlyList<string> args, Func<string, string?> environment)
    {
        string? port = Trimmed(environment("KPI_PORT"));
        string portFrom = "KPI_PORT";
        string? data = Trimmed(environment("KPI_DATA"));
        string? app = null;
        bool reset = false;
        bool demo = true;
        bool localSettings = true;
        Dictionary<string, string?> settings = new(StringComparer.OrdinalIgnoreCase);

        for (int i = 0; i < args.Count; i++)
        {
            string option = args[i];
            string? attached = null;
            if (option.StartsWith("--", StringComparison.Ordinal) && option.IndexOf('=', StringComparison.Ordinal) is var at and > 0)
                (option, attached) = (option[..at], option[(at + 1)..]);

            switch (option)
            {
                case "--port":
                    (port, portFrom) = (Value(), "--port");
                    break;
                case "--data":
                    data = Value();
                    break;
                case "--app":
                    app = Value();
                    break;
                case "--set":
                    string[] pair = Value().Split('=', 2);
                    if (pair.Length != 2 || pair[0].Length == 0)
                        throw new CommandLineException("--set needs NAME=VALUE.");
                    settings[pair[0].Replace("__", ":", StringComparison.Ordinal)] = pair[1];
                    break;
                case "--reset":
                    reset = Flag();
                    break;
                case "--no-demo":
                    demo = !Flag();
                    break;
                case "--no-web":
                    if (Flag())
                        settings[WebPageStage.SkipKey] = "true";
                    break;
                case "--no-settings":
                    localSettings = !Flag();
                    break;
                case "--help" or "-h" or "-?":
                    throw new CommandLineException(HelpText, exitCode: 0);
                default:
                    throw new CommandLineException($"Unknown option {args[i]}; --help lists them.");
            }

            string Value() =>
                attached is { Length: > 0 } ? attached
                : attached is null && i + 1 < args.Count && !args[i + 1].StartsWith("--", StringComparison.Ordinal) ? args[++i]
                : throw new CommandLineException($"{option} needs a value.");

            bool Flag() => attached is null ? true : throw new CommandLineException($"{option} takes no value.");
        }

        int number = DefaultPort;
        if (port is not null && (!int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out number) || number > 65535))
            throw new CommandLineException($"{portFrom} must be a number from 0 to 65535, not {port}.");

        string root = FindRepositoryRoot(AppContext.BaseDirectory) ?? FindRepositoryRoot(Directory.GetCurrentDirectory()) ?? Directory.GetCurrentDirectory();
        return new LocalHostOptions
        {
            Port = number,
            DataDirectory = data is null ? Path.Combine(root, ".local") : Path.GetFullPath(data),
            RepositoryRoot = root,
            App = app is null ? null : Path.GetFullPath(app),
            Reset = reset,
            Demo = demo,
            LocalSettings = localSettings,
            Settings = settings,
        };
    }

    /// <summary>
    /// The app as the build beside this program made it: <c>bin/CONFIGURATION/net10.0</c> of its own project, or the same folder, where
    /// the tests have both.
    /// </summary>
    public static string BuiltApp()
    {
        const string Program = "KpiDashboard.Functions.dll";
        string beside = Path.Combine(AppContext.BaseDirectory, Program);
        return File.Exists(beside)
            ? beside
            : Path.Combine(AppContext.BaseDirectory.Replace("KpiDashboard.LocalHost", "KpiDashboard.Functions", StringComparison.Ordinal),
                Program);
    }

    private static string? Trimmed(string? value) => string.IsNullOrWhiteSpace(value) ? null : value.Trim();

    /// <summary>The folder of the solution at or above a folder; null if there is none.</summary>
    public static string? FindRepositoryRoot(string start)
    {
        for (DirectoryInfo? folder = new(start); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "KpiDashboard.sln")))
                return folder.FullName;
        }

        return null;
    }
}

/// <summary>The command line cannot be understood (exit code 2), or asks for help (exit code 0).</summary>
internal sealed class CommandLineException(string message, int exitCode = 2) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}

/// <summary>Ctrl-C while starting.</summary>
internal sealed class StartupCanceledException() : OperationCanceledException("Stopped while starting.");
