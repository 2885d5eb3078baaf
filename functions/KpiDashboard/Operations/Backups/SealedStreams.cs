using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using KpiDashboard.Security;

namespace KpiDashboard.Operations.Backups;

/// <summary>A backup cannot be made, read or restored; the message is one sentence for the person at the terminal.</summary>
internal sealed class BackupException : Exception
{
    /// <summary>With the sentence to show.</summary>
    public BackupException(string message)
        : base(message) { }

    /// <summary>With the sentence to show and what caused it.</summary>
    public BackupException(string message, Exception innerException)
        : base(message, innerException) { }
}

/// <summary>
/// How a backup is sealed: <c>KPIBAK01</c>, one byte length of the key id, key id, 32 bytes salt, 16 bytes check; then chunks of 64 KiB, each AES-256-GCM with
/// its tag behind it. The file's own keys come from the key ring's key and the salt by HKDF-SHA256; the check is an HMAC over what is before it. A nonce is the
/// chunk's number and whether it is the last (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015), so that a chunk that was changed,
/// moved, left out or cut off at the end does not open.
/// </summary>
internal static class BackupSeal
{
    public const int Chunk = 64 * 1024, Tag = 16, Salt = 32, Check = 16;

    public static ReadOnlySpan<byte> Magic => "KPIBAK01"u8;

    /// <summary>The file's key, and the check of its header.</summary>
    public static (AesGcm Cipher, byte[] Check) Open(SecretOptions keys, string id, ReadOnlySpan<byte> header, ReadOnlySpan<byte> salt)
    {
        var ring = Convert.FromBase64String(keys.Keys[id]);
        var derived = HKDF.DeriveKey(HashAlgorithmName.SHA256, ring, 64, salt.ToArray(), Encoding.ASCII.GetBytes("kpi-dashboard backup 1 " + id));
        try
        {
            return (new AesGcm(derived.AsSpan(0, 32), Tag), HMACSHA256.HashData(derived.AsSpan(32), header)[..Check]);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(derived);
            CryptographicOperations.ZeroMemory(ring);
        }
    }

    public static byte[] Nonce(long number, bool last)
    {
        var nonce = new byte[12];
        BinaryPrimitives.WriteInt64BigEndian(nonce.AsSpan(3), number);
        nonce[11] = last ? (byte)1 : (byte)0;
        return nonce;
    }
}

/// <summary>Seals what is written to it; holds one chunk. Without <see cref="CompleteAsync"/> what was written does not open, which is what a fault half-way should leave.</summary>
internal sealed class SealingStream : Stream
{
    private readonly Stream _inner;
    private readonly byte[] _plain = new byte[BackupSeal.Chunk], _sealed = new byte[BackupSeal.Chunk + BackupSeal.Tag];
    private readonly SecretOptions _keys;
    private AesGcm? _cipher;
    private int _length;
    private long _number;

    /// <summary>Bytes that went on.</summary>
    public long Written { get; private set; }

    /// <param name="inner">Where it goes; stays open.</param>
    /// <param name="keys">The key ring; its current key seals.</param>
    public SealingStream(Stream inner, SecretOptions keys)
    {
        if (keys.CurrentKey.Length == 0) throw new BackupException("A backup is encrypted, and no key is configured: set Secrets:CurrentKey and Secrets:Keys.");
        (_inner, _keys) = (inner, keys);
    }

    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            // A full chunk waits until it is known whether it is the last.
            if (_length == _plain.Length) await SealAsync(last: false, cancellationToken);
            var part = Math.Min(buffer.Length, _plain.Length - _length);
            buffer[..part].CopyTo(_plain.AsMemory(_length));
            _length += part;
            buffer = buffer[part..];
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Seals the last chunk.</summary>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        await SealAsync(last: true, cancellationToken);
        await _inner.FlushAsync(cancellationToken);
    }

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Written asynchronously only.");
    public override void Flush() { }
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _cipher?.Dispose();
            CryptographicOperations.ZeroMemory(_plain);
        }

        base.Dispose(disposing);
    }

    private async Task SealAsync(bool last, CancellationToken cancellationToken)
    {
        if (_cipher is null)
        {
            var id = Encoding.ASCII.GetBytes(_keys.CurrentKey);
            var salt = RandomNumberGenerator.GetBytes(BackupSeal.Salt);
            byte[] header = [.. BackupSeal.Magic, (byte)id.Length, .. id, .. salt];
            (_cipher, var check) = BackupSeal.Open(_keys, _keys.CurrentKey, header, salt);
            await PutAsync(header, cancellationToken);
            await PutAsync(check, cancellationToken);
        }

        var size = _length + BackupSeal.Tag;
        _cipher.Encrypt(BackupSeal.Nonce(_number++, last), _plain.AsSpan(0, _length), _sealed.AsSpan(0, _length), _sealed.AsSpan(_length, BackupSeal.Tag));
        _length = 0;
        await PutAsync(_sealed.AsMemory(0, size), cancellationToken);
    }

    private async Task PutAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await _inner.WriteAsync(bytes, cancellationToken);
        Written += bytes.Length;
    }
}

/// <summary>Opens what <see cref="SealingStream"/> sealed; holds two chunks. Every byte that comes out is authentic.</summary>
/// <param name="inner">Where it comes from; stays open.</param>
/// <param name="keys">The key ring; must hold the key that the file names.</param>
internal sealed class UnsealingStream(Stream inner, SecretOptions keys) : Stream
{
    private const string Changed = "The backup was changed: a part of it is not what was written, or not where it was written. Do not restore it; take another copy.";
    private const string CutOff = "The backup is incomplete: it ends before its end. The backup was interrupted, or the copy was cut off; take another one.";

    private readonly byte[] _plain = new byte[BackupSeal.Chunk];
    private byte[] _current = new byte[BackupSeal.Chunk + BackupSeal.Tag], _next = new byte[BackupSeal.Chunk + BackupSeal.Tag];
    private AesGcm? _cipher;
    private int _currentLength, _position, _available;
    private long _number;
    private bool _ended;

    /// <summary>Bytes that were read of the file.</summary>
    public long Consumed { get; private set; }

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_position == _available)
        {
            if (_ended || buffer.IsEmpty) return 0;
            await OpenChunkAsync(cancellationToken);
        }

        var part = Math.Min(buffer.Length, _available - _position);
        _plain.AsMemory(_position, part).CopyTo(buffer);
        _position += part;
        return part;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Read asynchronously only.");
    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _cipher?.Dispose();
            CryptographicOperations.ZeroMemory(_plain);
        }

        base.Dispose(disposing);
    }

    private async Task OpenChunkAsync(CancellationToken cancellationToken)
    {
        if (_cipher is null)
        {
            await ReadHeaderAsync(cancellationToken);
            _currentLength = await FillAsync(_current, cancellationToken);
        }

        // Only a full chunk can be followed by another.
        var nextLength = _currentLength == _current.Length ? await FillAsync(_next, cancellationToken) : 0;
        _ended = nextLength == 0;
        if (_currentLength < BackupSeal.Tag) throw new BackupException(CutOff);
        if (!TryOpen(_ended)) throw new BackupException(_ended && TryOpen(last: false) ? CutOff : Changed);
        _number++;
        (_position, _available) = (0, _currentLength - BackupSeal.Tag);
        (_current, _next, _currentLength) = (_next, _current, nextLength);
    }

    private bool TryOpen(bool last)
    {
        var length = _currentLength - BackupSeal.Tag;
        try
        {
            _cipher!.Decrypt(BackupSeal.Nonce(_number, last), _current.AsSpan(0, length), _current.AsSpan(length, BackupSeal.Tag), _plain.AsSpan(0, length));
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    private async Task ReadHeaderAsync(CancellationToken cancellationToken)
    {
        var start = new byte[BackupSeal.Magic.Length + 1];
        if (await FillAsync(start, cancellationToken) < start.Length || !start.AsSpan(0, BackupSeal.Magic.Length).SequenceEqual(BackupSeal.Magic))
            throw new BackupException("This is no backup of KPI Dashboard, or one of a version that this one does not know.");
        var rest = new byte[start[^1] + BackupSeal.Salt + BackupSeal.Check];
        if (await FillAsync(rest, cancellationToken) < rest.Length) throw new BackupException(CutOff);
        var id = Encoding.ASCII.GetString(rest, 0, start[^1]);
        if (!keys.Keys.ContainsKey(id))
        {
            // What stands there is shown only if it can be the name of a key.
            var named = id.Length is > 0 and <= 32 && id.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') ? $"'{id}'" : "that it names";
            throw new BackupException($"The backup is encrypted with the key {named}, which is not configured: add it to Secrets:Keys.");
        }

        var salt = rest.AsSpan(start[^1], BackupSeal.Salt);
        (_cipher, var check) = BackupSeal.Open(keys, id, [.. start, .. rest[..^BackupSeal.Check]], salt);
        if (!CryptographicOperations.FixedTimeEquals(check, rest.AsSpan(rest.Length - BackupSeal.Check)))
            throw new BackupException($"The key '{id}' of Secrets:Keys does not open this backup: another key had that name when it was made, or its first bytes were changed.");
    }

    private async Task<int> FillAsync(byte[] buffer, CancellationToken cancellationToken)
    {
        var length = await inner.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        Consumed += length;
        return length;
    }
}
