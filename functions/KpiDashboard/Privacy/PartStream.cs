namespace KpiDashboard.Privacy;

/// <summary>What is written to it is handed on in pieces of 1 MB. Only asynchronous writes hand on: a synchronous one, which nobody could await, is kept for the next.</summary>
internal sealed class PartStream(Func<int, byte[], CancellationToken, Task> keep) : Stream
{
    /// <summary>Size of every piece but the last.</summary>
    internal const int PartBytes = 1024 * 1024;

    private readonly MemoryStream _pending = new();
    private int _parts;
    private long _kept;

    /// <inheritdoc />
    public override bool CanRead => false;

    /// <inheritdoc />
    public override bool CanSeek => false;

    /// <inheritdoc />
    public override bool CanWrite => true;

    /// <summary>Bytes written so far.</summary>
    public override long Length => _kept + _pending.Length;

    /// <inheritdoc />
    public override long Position
    {
        get => Length;
        set => throw new NotSupportedException();
    }

    /// <inheritdoc />
    public override void Write(byte[] buffer, int offset, int count) => _pending.Write(buffer, offset, count);

    /// <inheritdoc />
    public override void Write(ReadOnlySpan<byte> buffer) => _pending.Write(buffer);

    /// <inheritdoc />
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc />
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _pending.Write(buffer.Span);
        await HandOnAsync(PartBytes, cancellationToken);
    }

    /// <inheritdoc />
    public override void Flush() { }

    /// <inheritdoc />
    public override Task FlushAsync(CancellationToken cancellationToken) => HandOnAsync(PartBytes, cancellationToken);

    /// <summary>Hands on what is left; nothing may be written after.</summary>
    public Task CompleteAsync(CancellationToken cancellationToken) => HandOnAsync(1, cancellationToken);

    /// <inheritdoc />
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc />
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc />
    public override void SetLength(long value) => throw new NotSupportedException();

    private async Task HandOnAsync(int atLeast, CancellationToken cancellationToken)
    {
        if (_pending.Length < atLeast) return;
        var bytes = _pending.ToArray();
        var done = 0;
        while (bytes.Length - done >= atLeast)
        {
            var size = Math.Min(PartBytes, bytes.Length - done);
            await keep(_parts++, bytes[done..(done + size)], cancellationToken);
            done += size;
        }

        _kept += done;
        _pending.SetLength(0);
        _pending.Write(bytes, done, bytes.Length - done);
    }
}
