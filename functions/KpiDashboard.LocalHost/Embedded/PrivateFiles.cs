namespace KpiDashboard.LocalHost.Embedded;

/// <summary>
/// Files and folders of a data folder are its owner's alone: keys, secrets, mails with links that let people in, queues and logs lie there. On Windows they have what the
/// folder above gives them, which is the user's own.
/// </summary>
internal static class PrivateFiles
{
    /// <summary>Of a file: its owner may read and write, nobody else anything.</summary>
    private const UnixFileMode OwnersFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private const UnixFileMode OwnersFolder = OwnersFile | UnixFileMode.UserExecute;

    /// <summary>For node, whose own files would be everybody's: an argument that comes before all others.</summary>
    public const string NodeArgument = "--import=data:text/javascript,process.umask(0o077)";

    /// <summary>Makes a folder that only its owner enters, or makes one that is there such a folder.</summary>
    public static void MakeFolder(string path)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Restrict(Directory.CreateDirectory(path, OwnersFolder), OwnersFolder);
        CloseFiles(path);
    }

    /// <summary>
    /// The same of the data folder itself. Where root runs this, Postgres may run as another user, who has to pass through it to what is his; he sees nothing of it.
    /// A folder that is there and lets nobody pass stays so: Postgres then gets a place elsewhere.
    /// </summary>
    public static void MakeDataFolder(string path)
    {
        var mode = Environment.IsPrivilegedProcess
            ? OwnersFolder | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute
            : OwnersFolder;
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            var folder = Directory.CreateDirectory(path, mode);
            Restrict(folder, folder.UnixFileMode & mode);
        }

        CloseFiles(path);
    }

    /// <summary>How to open a file: one that is made is its owner's alone.</summary>
    public static FileStreamOptions Options(FileMode mode, FileAccess access, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = access, Share = share };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnersFile;
        return options;
    }

    /// <summary>Opens a file, makes it if need be, and takes from others what an earlier version may have left them.</summary>
    public static FileStream Open(string path, FileMode mode, FileAccess access, FileShare share)
    {
        if (!OperatingSystem.IsWindows() && File.Exists(path)) Restrict(new FileInfo(path), OwnersFile);
        return new FileStream(path, Options(mode, access, share));
    }

    /// <summary>Writes a text.</summary>
    public static void WriteText(string path, string text)
    {
        using var writer = new StreamWriter(Open(path, FileMode.Create, FileAccess.Write, FileShare.Read));
        writer.Write(text);
    }

    /// <summary>What an earlier version made there for everybody to read.</summary>
    private static void CloseFiles(string path)
    {
        if (OperatingSystem.IsWindows()) return;
        foreach (var file in new DirectoryInfo(path).EnumerateFiles()) Restrict(file, OwnersFile);
    }

    private static void Restrict(FileSystemInfo entry, UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows() || entry.UnixFileMode == mode) return;
        try
        {
            entry.UnixFileMode = mode;
        }
        catch (UnauthorizedAccessException)
        {
            // Another user's, who decides.
        }
    }
}
