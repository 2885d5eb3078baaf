using System.Diagnostics;
using System.Runtime.InteropServices;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>
/// Notices when <c>dotnet run</c>, which started us, was killed: it then has no chance to pass that on, and we and our servers would run on unseen.
/// On Windows <c>dotnet run</c> takes care of it by itself; started by anything else, a shell for example, we outlive it as programs do.
/// </summary>
internal sealed class StarterWatch : IDisposable
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    private readonly Timer _timer;

    private StarterWatch(int starter, Action gone) =>
        _timer = new Timer(
            _ =>
            {
                // An orphan gets another parent.
                if (ParentId() != starter)
                    gone();
            },
            null, s_interval, s_interval);

    /// <summary>Begins to watch, if there is something to watch. <paramref name="gone"/> may be called more than once.</summary>
    public static StarterWatch? Begin(Action gone)
    {
        if (OperatingSystem.IsWindows())
            return null;
        int starter = ParentId();
        try
        {
            using Process process = Process.GetProcessById(starter);
            return process.ProcessName == "dotnet" ? new StarterWatch(starter, gone) : null;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            // Gone already, or not for us to see.
            return null;
        }
    }

    public void Dispose() => _timer.Dispose();

    [DllImport("libc", EntryPoint = "getppid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int ParentId();
}
