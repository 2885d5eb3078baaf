using System.Globalization;

namespace KpiDashboard.LocalHost.Embedded;

/// <summary>An exclusive hold on a folder. The system lets go of it when the process ends, however it ends, so that no lock is ever stale.</summary>
internal sealed class DirectoryLock : IDisposable
{
    private readonly FileStream _file;

    private DirectoryLock(FileStream file) => _file = file;

    /// <summary>Takes the lock file, or answers null when another process (or another part of this one) holds it.</summary>
    public static DirectoryLock? TryTake(string lockFile, bool ownersAlone = false)
    {
        try
        {
            return new DirectoryLock(
                ownersAlone
                    ? PrivateFiles.Open(lockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None)
                    : new FileStream(lockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1));
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or PathTooLongException))
        {
            return null;
        }
    }

    /// <summary>Waits for the lock file.</summary>
    /// <exception cref="TimeoutException">Somebody held it all the time.</exception>
    public static async Task<DirectoryLock> TakeAsync(
        string lockFile,
        TimeSpan limit,
        Action? waiting,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var started = time.GetTimestamp();
        while (true)
        {
            if (TryTake(lockFile) is { } taken)
                return taken;
            if (time.GetElapsedTime(started) > limit)
                throw new TimeoutException(
                    string.Create(CultureInfo.InvariantCulture, $"{lockFile} was held by another process for {limit.TotalSeconds:0} s.")
                );
            waiting?.Invoke();
            await Task.Delay(TimeSpan.FromMilliseconds(200), time, cancellationToken);
        }
    }

    public void Dispose() => _file.Dispose();
}
