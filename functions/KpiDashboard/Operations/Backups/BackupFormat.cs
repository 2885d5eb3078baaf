using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace KpiDashboard.Operations.Backups;

/// <summary>A table of a backup; how many rows and bytes, and their hash, are known once it was read, and zero or null before.</summary>
internal sealed record BackupTable(string Name, IReadOnlyList<string> Columns, long Rows = 0, long Bytes = 0, string? Sha256 = null);

/// <summary>Where a sequence stood.</summary>
internal sealed record BackupSequence(string Name, long LastValue, bool IsCalled);

/// <summary>What a backup holds. Stands at its beginning without counts and sequences, and at its end with them.</summary>
/// <param name="Format">Version of the format; this program writes and reads <see cref="CurrentFormat"/>.</param>
/// <param name="Id">Of this backup.</param>
/// <param name="TakenAt">The moment that it shows.</param>
/// <param name="Product">Version of the program.</param>
/// <param name="Server">Version of the server.</param>
/// <param name="Migrations">Migrations that were applied, in order; the last is the schema's version.</param>
/// <param name="Tables">Tables, each after those that it refers to.</param>
/// <param name="Sequences">Sequences; null at the beginning.</param>
internal sealed record BackupManifest(
    int Format, Guid Id, DateTimeOffset TakenAt, string Product, string Server, IReadOnlyList<string> Migrations, IReadOnlyList<BackupTable> Tables,
    IReadOnlyList<BackupSequence>? Sequences = null)
{
    public const int CurrentFormat = 1;

    /// <summary>The last migration, for example <c>0014_operations</c>.</summary>
    [JsonIgnore]
    public string SchemaVersion => Migrations.Count == 0 ? "none" : Short(Migrations[^1]);

    [JsonIgnore]
    public long Rows => Tables.Sum(table => table.Rows);

    internal static string Short(string script) => script.Split('.') is [.., var name, "sql"] ? name : script;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(BackupManifest))]
internal sealed partial class BackupJson : JsonSerializerContext;

/// <summary>What is inside the sealed and compressed stream: frames of one byte kind, four bytes length (big-endian) and that many bytes.</summary>
internal enum FrameKind : byte
{
    /// <summary>The manifest without counts; the first frame.</summary>
    Begin = (byte)'B',

    /// <summary>The number of a table; its data follows.</summary>
    Table = (byte)'T',

    /// <summary>A piece of a table's COPY in binary format.</summary>
    Data = (byte)'D',

    /// <summary>The manifest; the last frame.</summary>
    End = (byte)'E',
}

internal static class BackupFrames
{
    /// <summary>Largest frame: a manifest of thousands of tables stays below.</summary>
    public const int MaxLength = 4 * 1024 * 1024;

    public static async Task WriteAsync(Stream stream, FrameKind kind, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var head = new byte[5];
        head[0] = (byte)kind;
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(1), content.Length);
        await stream.WriteAsync(head, cancellationToken);
        await stream.WriteAsync(content, cancellationToken);
    }

    /// <summary>The next frame; its content lies in <paramref name="buffer"/>, which grows.</summary>
    public static async Task<(FrameKind Kind, ReadOnlyMemory<byte> Content)> ReadAsync(Stream stream, FrameBuffer buffer, CancellationToken cancellationToken)
    {
        if (await stream.ReadAtLeastAsync(buffer.Head, 5, throwOnEndOfStream: false, cancellationToken) < 5) throw Damaged();
        var length = BinaryPrimitives.ReadInt32BigEndian(buffer.Head.AsSpan(1));
        if (length is < 0 or > MaxLength || !Enum.IsDefined((FrameKind)buffer.Head[0])) throw Damaged();
        if (buffer.Content.Length < length) buffer.Content = new byte[length];
        if (await stream.ReadAtLeastAsync(buffer.Content.AsMemory(0, length), length, throwOnEndOfStream: false, cancellationToken) < length) throw Damaged();
        return ((FrameKind)buffer.Head[0], buffer.Content.AsMemory(0, length));
    }

    public static BackupManifest Manifest(ReadOnlyMemory<byte> content)
    {
        BackupManifest? manifest;
        try
        {
            manifest = JsonSerializer.Deserialize(content.Span, BackupJson.Default.BackupManifest);
        }
        catch (JsonException error)
        {
            throw new BackupException("The backup's manifest cannot be read: it was made by another version of this program.", error);
        }

        return manifest?.Format == BackupManifest.CurrentFormat ? manifest
            : throw new BackupException($"The backup has format {manifest?.Format}, this program reads format {BackupManifest.CurrentFormat}.");
    }

    public static BackupException Damaged() => new("The backup's content does not follow its format, although it opens: it was made by a faulty or another version of this program.");
}

/// <summary>Memory that frames are read into.</summary>
internal sealed class FrameBuffer
{
    public byte[] Head { get; } = new byte[5];

    public byte[] Content { get; set; } = new byte[BackupSeal.Chunk];
}

/// <summary>
/// Follows a COPY in binary format (PostgreSQL manual, "COPY", Binary Format) as it passes: counts its rows, hashes it, and knows whether it came to its end.
/// </summary>
internal sealed class CopyCounter : IDisposable
{
    private static readonly byte[] s_signature = [.. "PGCOPY\n"u8, 0xFF, (byte)'\r', (byte)'\n', 0];

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _number = new byte[4];
    private Expects _expects = Expects.Signature;
    private int _have, _fields;
    private long _skip;

    private enum Expects { Signature, Flags, Extension, Tuple, Field, Nothing }

    public long Rows { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>The trailer came, and nothing after it.</summary>
    public bool IsComplete => _expects == Expects.Nothing;

    /// <summary>Hash of all that passed, in hexadecimal.</summary>
    public string Sha256() => Convert.ToHexStringLower(_hash.GetCurrentHash());

    public void Add(ReadOnlySpan<byte> data)
    {
        _hash.AppendData(data);
        Bytes += data.Length;
        while (!data.IsEmpty)
        {
            if (_skip > 0)
            {
                var part = (int)Math.Min(_skip, data.Length);
                _skip -= part;
                data = data[part..];
                continue;
            }

            if (_expects == Expects.Nothing) throw BackupFrames.Damaged();
            if (_expects == Expects.Signature)
            {
                if (data[0] != s_signature[_have]) throw BackupFrames.Damaged();
                data = data[1..];
                if (++_have == s_signature.Length) (_expects, _have) = (Expects.Flags, 0);
                continue;
            }

            var wanted = _expects == Expects.Tuple ? 2 : 4;
            var taken = Math.Min(wanted - _have, data.Length);
            data[..taken].CopyTo(_number.AsSpan(_have));
            data = data[taken..];
            if ((_have += taken) < wanted) continue;
            _have = 0;
            Next(wanted == 2 ? BinaryPrimitives.ReadInt16BigEndian(_number) : BinaryPrimitives.ReadInt32BigEndian(_number));
        }
    }

    public void Dispose() => _hash.Dispose();

    private void Next(int value)
    {
        switch (_expects)
        {
            case Expects.Flags:
                _expects = Expects.Extension;
                break;
            case Expects.Extension:
                _skip = Math.Max(0, value);
                _expects = Expects.Tuple;
                break;
            case Expects.Tuple when value == -1:
                _expects = Expects.Nothing;
                break;
            case Expects.Tuple:
                if (value < 0) throw BackupFrames.Damaged();
                Rows++;
                _fields = value;
                if (value > 0) _expects = Expects.Field;
                break;
            default:
                _skip = Math.Max(0, value);
                if (--_fields == 0) _expects = Expects.Tuple;
                break;
        }
    }
}
