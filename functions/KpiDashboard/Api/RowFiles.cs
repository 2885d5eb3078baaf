using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using CsvHelper;

namespace KpiDashboard.Api;

/// <summary>How files of rows are written that people keep; each with a <see cref="StreamedAnswer"/>.</summary>
internal static class RowFiles
{
    /// <summary>CSV as spreadsheets open it: a name like <c>=cmd()</c> must not become a formula in them.</summary>
    public static CsvWriterOptions Csv { get; } =
        CsvWriterOptions.Default with { Injection = CsvInjection.Escape, WriteByteOrderMark = true };

    /// <summary>Writes an object with a list of rows, row by row.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="list">Name of the list.</param>
    /// <param name="type">How a row is written.</param>
    /// <param name="rows">Read as they are written.</param>
    /// <param name="head">Writes what stands before the list; null for nothing.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task WriteJsonAsync<T>(
        Stream output, string list, JsonTypeInfo<T> type, IAsyncEnumerable<T> rows, Action<Utf8JsonWriter>? head,
        CancellationToken cancellationToken)
    {
        // Into memory and from there to the answer: the serializer flushes its writer, and an answer must not be written to synchronously.
        var buffer = new ArrayBufferWriter<byte>();
        await using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        head?.Invoke(json);
        json.WriteStartArray(list);
        await foreach (var row in rows.WithCancellation(cancellationToken))
        {
            JsonSerializer.Serialize(json, row, type);
            if (buffer.WrittenCount <= 16 * 1024) continue;
            await output.WriteAsync(buffer.WrittenMemory, cancellationToken);
            buffer.ResetWrittenCount();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        await json.FlushAsync(cancellationToken);
        await output.WriteAsync(buffer.WrittenMemory, cancellationToken);
    }
}
