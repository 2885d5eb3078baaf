using KpiDashboard.LocalHost.Embedded;
using KpiDashboard.LocalHost.Startup;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>
/// The data folder, held by one process at a time. A marker file says that the folder is ours: without it nothing in it is ever deleted.
/// </summary>
internal sealed class DataFolder : IDisposable
{
    public const string Marker = ".kpi-dashboard-data";
    private const string LockFile = "host.lock";

    private readonly FileStream _lock;

    private DataFolder(FileStream @lock) => _lock = @lock;

    /// <exception cref="StartupException">The folder cannot be used, is in use, or must not be emptied.</exception>
    public static DataFolder Open(LocalHostOptions options)
    {
        string path = options.DataDirectory;
        try
        {
            bool ours = !Directory.Exists(path) || !Directory.EnumerateFileSystemEntries(path).Any() || File.Exists(Path.Combine(path, Marker));
            if (options.Reset && !ours)
                throw new StartupException($"{path} does not look like a data folder of KPI Dashboard (no {Marker} in it), so --reset does not touch it.");

            // A folder of somebody's own, with other things in it, stays as open as it is.
            if (ours) PrivateFiles.MakeDataFolder(path);
            else Directory.CreateDirectory(path);
            FileStream held;
            try
            {
                held = PrivateFiles.Open(Path.Combine(path, LockFile), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e)
            {
                throw new StartupException($"Another KPI Dashboard is running on {path}; stop it or use --data DIR.", e);
            }

            try
            {
                if (options.Reset)
                    Empty(path);
                // A folder that held other things before is used, but never marked and so never emptied.
                if (ours)
                    PrivateFiles.WriteText(Path.Combine(path, Marker), "KPI Dashboard keeps its data here. --reset deletes everything in this folder.\n");
                return new DataFolder(held);
            }
            catch
            {
                held.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"The data folder {path} cannot be used: {e.Message}", e);
        }
    }

    public void Dispose() => _lock.Dispose();

    private static void Empty(string path)
    {
        foreach (FileSystemInfo entry in new DirectoryInfo(path).EnumerateFileSystemInfos())
        {
            if (entry.Name == LockFile)
                continue;
            // A link is removed, not what it points to.
            if (entry is DirectoryInfo { LinkTarget: null } folder)
                folder.Delete(recursive: true);
            else
                entry.Delete();
        }
    }
}
