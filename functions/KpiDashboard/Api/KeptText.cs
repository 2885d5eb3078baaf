using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace KpiDashboard.Api;

/// <summary>
/// Text from outside, and whether it can be kept: Postgres holds no NUL, and half a character (a surrogate without its other half, bytes that are no UTF-8) is none.
/// Doors ask here. A person or a program that can mend it is told which field it is; what a provider tells is read with U+FFFD in place of it.
/// </summary>
internal static class KeptText
{
    /// <summary>Stands where something stood that is no character.</summary>
    public const char Replacement = '\uFFFD';

    /// <summary>Why a text is refused, after its name: <c>'kpi' holds …</c>.</summary>
    public const string Why = "holds a character that no text can hold (NUL, or half of a character).";

    /// <summary>Whether a text can be kept as it is.</summary>
    public static bool IsKept(ReadOnlySpan<char> text)
    {
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] == '\0') return false;
            if (!char.IsSurrogate(text[at])) continue;
            if (!char.IsHighSurrogate(text[at]) || at + 1 == text.Length || !char.IsLowSurrogate(text[at + 1])) return false;
            at++;
        }

        return true;
    }

    /// <summary>The text with <see cref="Replacement"/> for whatever cannot be kept.</summary>
    public static string Clean(string text)
    {
        if (IsKept(text)) return text;
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes()) clean.Append(rune.Value == 0 ? Rune.ReplacementChar : rune);
        return clean.ToString();
    }

    /// <summary>The beginning of a text, of at most so many UTF-16 units, and not cut through the middle of a character.</summary>
    public static string Cut(string text, int length) =>
        text.Length <= length ? text : text[..(length > 0 && char.IsHighSurrogate(text[length - 1]) && char.IsLowSurrogate(text[length]) ? length - 1 : length)];

    /// <summary>
    /// JSON as it came with U+FFFD for whatever its texts and names cannot hold: escaped NUL, escaped halves of a character, bytes that are no UTF-8. The same array
    /// where there is nothing of the kind. What is no JSON stays none.
    /// </summary>
    public static byte[] CleanJson(byte[] json)
    {
        if (!Utf8.IsValid(json)) json = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(json));
        byte[]? clean = null;
        for (var at = 0; NextFault(json, at) is { } fault; at = fault + 6)
        {
            clean ??= (byte[])json.Clone();
            "\\ufffd"u8.CopyTo(clean.AsSpan(fault));
        }

        return clean ?? json;
    }

    /// <summary>
    /// Where a JSON body has something that cannot be kept: the path of the field (empty where there is none to name), or null where there is nothing. What cannot be
    /// read as JSON has no path: reading it says what is wrong.
    /// </summary>
    public static string? FirstBadField(ReadOnlySpan<byte> json)
    {
        if (Utf8.IsValid(json) && NextFault(json, 0) is null) return null;
        var path = new Stack<(string Name, int Index)>();
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 64 });
        try
        {
            var name = "";
            while (reader.Read())
            {
                var isText = reader.TokenType is JsonTokenType.PropertyName or JsonTokenType.String;
                if (path.TryPeek(out var outer) && outer.Index >= 0 && reader.TokenType is not (JsonTokenType.EndArray or JsonTokenType.EndObject))
                {
                    path.Pop();
                    path.Push((outer.Name, outer.Index + 1));
                    name = $"[{outer.Index}]";
                }

                if (isText && (!Utf8.IsValid(reader.ValueSpan) || NextFault(reader.ValueSpan, 0) is not null))
                    return string.Concat(path.Reverse().Select(step => step.Name)) is var above && reader.TokenType == JsonTokenType.PropertyName ? above.TrimStart('.') : (above + name).TrimStart('.');
                switch (reader.TokenType)
                {
                    case JsonTokenType.PropertyName: name = "." + reader.GetString(); break;
                    case JsonTokenType.StartObject: path.Push((name, -1)); name = ""; break;
                    case JsonTokenType.StartArray: path.Push((name, 0)); name = ""; break;
                    case JsonTokenType.EndObject or JsonTokenType.EndArray: path.Pop(); break;
                    default: break;
                }
            }
        }
        catch (JsonException)
        {
            // Not even JSON: reading it says so, and where.
        }

        return "";
    }

    /// <summary>The next escape of what no text can hold, by its backslash.</summary>
    private static int? NextFault(ReadOnlySpan<byte> json, int from)
    {
        for (var at = from; at < json.Length; at++)
        {
            var next = json[at..].IndexOf((byte)'\\');
            if (next < 0) return null;
            at += next;
            if (Unit(json, at) is not { } unit) { at++; continue; }
            if (char.IsHighSurrogate(unit) && Unit(json, at + 6) is { } other && char.IsLowSurrogate(other)) at += 11;
            else if (unit == 0 || char.IsSurrogate(unit)) return at;
            else at += 5;
        }

        return null;
    }

    /// <summary>The code unit of an escape <c>\uXXXX</c>; null where there is none.</summary>
    private static char? Unit(ReadOnlySpan<byte> json, int at) =>
        at + 6 <= json.Length && json[at] == '\\' && json[at + 1] == 'u'
        && ushort.TryParse(json.Slice(at + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit)
            ? (char)unit
            : null;
}
