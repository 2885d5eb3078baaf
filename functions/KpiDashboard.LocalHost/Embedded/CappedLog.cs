namespace KpiDashboard.LocalHost.Embedded;

/// <summary>A text log that never takes more than about twice its limit: when it is full it becomes <c>….1</c> and a new one begins.</summary>
internal sealed class CappedLog(string path, long limitBytes = 5 * 1024 * 1024) : IDisposable
{
    private readonly Lock _gate = new();
    private StreamWriter? _writer;
    private bool _closed;

    /// <summary>Adds one line. A log that cannot be written never stops what it is about.</summary>
    public void Write(string line)
    {
        lock (_gate)
        {
            if (_closed)
                return;
            try
            {
                if (_writer is { BaseStream: var stream } && stream.Length > limitBytes)
                {
                    _writer.Dispose();
                    _writer = null;
                    File.Move(path, path + ".1", overwrite: true);
                }
                _writer ??= new StreamWriter(
                    PrivateFiles.Open(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete)
                )
                {
                    AutoFlush = true,
                };
                _writer.WriteLine(line);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                _writer = null;
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _closed = true;
            _writer?.Dispose();
            _writer = null;
        }
    }
}
