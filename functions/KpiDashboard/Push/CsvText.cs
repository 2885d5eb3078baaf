using System.Text;

namespace KpiDashboard.Push;

/// <summary>A record of a CSV file.</summary>
/// <param name="Line">The line that it begins on, from 1.</param>
/// <param name="Fields">Its fields, without quotes.</param>
/// <param name="Fault">What is wrong with how it is written; null if nothing is.</param>
internal readonly record struct CsvRecord(int Line, IReadOnlyList<string> Fields, string? Fault);

/// <summary>Cuts text into records and fields as RFC 4180 has it, with any delimiter and line end, and keeps count of lines. Blank records are left out.</summary>
internal static class CsvText
{
    /// <summary>Longest field.</summary>
    public const int MaxField = 1000;

    /// <summary>Most fields of a record: a date and as many KPIs as there may be, and then some.</summary>
    public const int MaxFields = 300;

    /// <summary>
    /// The text of a file: UTF-8 or UTF-16 by its byte-order mark, UTF-16 without one by every other byte being 0, UTF-8 where it is, else Windows-1252, which Excel writes.
    /// Null if it is no text.
    /// </summary>
    public static (string? Text, string Encoding) Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF])) return (Text(new UTF8Encoding(false), bytes[3..]), "utf-8");
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE])) return (Text(Encoding.Unicode, bytes[2..]), "utf-16");
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF])) return (Text(Encoding.BigEndianUnicode, bytes[2..]), "utf-16");
        if (bytes.Contains((byte)0)) return IsWide(bytes, 1) ? (Text(Encoding.Unicode, bytes), "utf-16") : IsWide(bytes, 0) ? (Text(Encoding.BigEndianUnicode, bytes), "utf-16") : (null, "");
        return System.Text.Unicode.Utf8.IsValid(bytes)
            ? (Text(Encoding.UTF8, bytes), "utf-8")
            : (Text(CodePagesEncodingProvider.Instance.GetEncoding(1252)!, bytes), "windows-1252");

        static string? Text(Encoding encoding, ReadOnlySpan<byte> bytes) => encoding.GetString(bytes) is var text && text.Contains('\0', StringComparison.Ordinal) ? null : text;
    }

    /// <summary>Whether it looks like UTF-16: of the letters, digits and marks of a table most have a 0 as their upper byte, and no lower byte is 0.</summary>
    private static bool IsWide(ReadOnlySpan<byte> bytes, int upper)
    {
        if (bytes.Length % 2 != 0) return false;
        var sample = bytes[..Math.Min(bytes.Length, 8192)];
        var (zeros, others) = (0, 0);
        for (var at = 0; at < sample.Length; at += 2)
        {
            if (sample[at + upper] == 0) zeros++;
            if (sample[at + 1 - upper] == 0) others++;
        }

        return others == 0 && zeros * 2 > sample.Length / 2;
    }

    /// <summary>Reads records one after the other.</summary>
    public static IEnumerable<CsvRecord> Read(string text, char delimiter)
    {
        var (at, line) = (0, 1);
        var buffer = new StringBuilder();
        while (at < text.Length)
        {
            var (start, fields) = (line, new List<string>());
            string? fault = null;
            for (var more = true; more;)
            {
                buffer.Clear();
                var opened = line;
                if (at < text.Length && text[at] == '"')
                {
                    at++;
                    var closed = false;
                    while (at < text.Length && !closed)
                    {
                        var c = text[at++];
                        if (c == '"' && at < text.Length && text[at] == '"') (c, at) = ('"', at + 1);
                        else if (c == '"') { closed = true; continue; }
                        else if (c == '\n' || (c == '\r' && !(at < text.Length && text[at] == '\n'))) line++;
                        if (buffer.Length <= MaxField) buffer.Append(c);
                    }

                    if (!closed) fault ??= $"The quote that opens on line {opened} is never closed.";
                    else if (at < text.Length && text[at] != delimiter && text[at] is not ('\r' or '\n')) fault ??= "Something follows a closing quote. A quote within quotes is written twice.";
                }

                while (at < text.Length && text[at] != delimiter && text[at] is not ('\r' or '\n'))
                {
                    if (buffer.Length <= MaxField) buffer.Append(text[at]);
                    at++;
                }

                if (buffer.Length > MaxField) fault ??= $"A field has more than {MaxField:N0} characters.";
                if (fields.Count < MaxFields) fields.Add(buffer.ToString());
                else fault ??= $"It has more than {MaxFields} fields.";
                more = at < text.Length && text[at] == delimiter;
                if (more) at++;
            }

            if (at < text.Length)
            {
                at += text[at] == '\r' && at + 1 < text.Length && text[at + 1] == '\n' ? 2 : 1;
                line++;
            }

            if (fault is not null || fields.Exists(field => !string.IsNullOrWhiteSpace(field))) yield return new CsvRecord(start, fields, fault);
        }
    }
}
