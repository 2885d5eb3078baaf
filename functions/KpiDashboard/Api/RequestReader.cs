using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Api;

/// <summary>Reads query parameters and collects a sentence for each that is wrong; <see cref="ThrowIfInvalid"/> raises them together.</summary>
internal sealed class QueryReader(HttpRequest request)
{
    private readonly Dictionary<string, string[]> _errors = new(StringComparer.Ordinal);

    /// <summary>Adds a sentence for a field.</summary>
    public void Error(string field, string sentence) => _errors.TryAdd(field, [sentence]);

    /// <summary>A text of at most <paramref name="maxLength"/> characters, or null when it is absent.</summary>
    public string? Text(string name, int maxLength = 200)
    {
        var values = request.Query[name];
        if (values.Count > 1)
        {
            Error(name, $"'{name}' is given more than once.");
            return null;
        }

        if (values.Count == 0 || string.IsNullOrEmpty(values[0])) return null;
        if (values[0]!.Length <= maxLength) return values[0];
        Error(name, $"'{name}' may have at most {maxLength} characters.");
        return null;
    }

    /// <summary>A date <c>YYYY-MM-DD</c>, or null when it is absent.</summary>
    public DateOnly? Date(string name)
    {
        if (Text(name) is not { } text) return null;
        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)) return day;
        Error(name, $"'{name}' must be a date like 2026-11-21; '{Shorten(text)}' is none.");
        return null;
    }

    /// <summary>One of the given words, or the first of them when it is absent.</summary>
    public string Choice(string name, params string[] choices)
    {
        if (Text(name) is not { } text) return choices[0];
        if (choices.Contains(text, StringComparer.Ordinal)) return text;
        Error(name, $"'{name}' must be one of {string.Join(", ", choices)}; '{Shorten(text)}' is none.");
        return choices[0];
    }

    /// <summary>A whole number within limits, or <paramref name="fallback"/> when it is absent.</summary>
    public int Number(string name, int fallback, int min, int max)
    {
        if (Text(name) is not { } text) return fallback;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max) return number;
        Error(name, $"'{name}' must be a whole number from {min} to {max}.");
        return fallback;
    }

    /// <summary>An id, or null when it is absent.</summary>
    public Guid? Id(string name)
    {
        if (Text(name) is not { } text) return null;
        if (Guid.TryParseExact(text, "D", out var id)) return id;
        Error(name, $"'{name}' must be an id like 0190b2c4-….");
        return null;
    }

    /// <summary>Raises all sentences that were collected, if any.</summary>
    public void ThrowIfInvalid()
    {
        if (_errors.Count > 0) throw ApiProblem.Invalid(_errors);
    }

    private static string Shorten(string text) => text.Length <= 40 ? text : text[..40] + "…";
}

/// <summary>Reads JSON bodies within a limit; a wrong one becomes a sentence that names the field.</summary>
internal static class JsonBody
{
    /// <summary>Largest body a route takes unless it says otherwise, in bytes.</summary>
    public const int DefaultLimit = 64 * 1024;

    /// <summary>Reads the body, or raises the problem with it. An empty body is null where <paramref name="optional"/>.</summary>
    public static async Task<T?> ReadAsync<T>(
        HttpRequest request, JsonTypeInfo<T> type, CancellationToken cancellationToken, bool optional = false, int limit = DefaultLimit)
        where T : class
    {
        var bytes = await ReadBytesAsync(request, limit, cancellationToken);
        if (bytes.Length == 0)
            return optional ? null : throw ApiProblem.BadBody("The body is empty; this route takes a JSON object.");
        return Parse(request, bytes, type);
    }

    /// <summary>Reads a body that was received already, or raises the problem with it.</summary>
    public static T Parse<T>(HttpRequest request, byte[] bytes, JsonTypeInfo<T> type)
        where T : class
    {
        CheckIsJson(request, bytes);
        if (KeptText.FirstBadField(bytes) is { } field)
            throw field.Length == 0 ? ApiProblem.BadBody($"The body {KeptText.Why}") : ApiProblem.Invalid(field, $"'{field}' {KeptText.Why}");
        try
        {
            return JsonSerializer.Deserialize(bytes, type) ?? throw ApiProblem.BadBody("The body is null; this route takes a JSON object.");
        }
        catch (JsonException error)
        {
            throw Explain(error);
        }
    }

    /// <summary>
    /// Reads a body of which each part is judged by itself: what cannot be kept of its texts is U+FFFD then, and whoever reads a part says whether it can do with that.
    /// </summary>
    public static JsonDocument ParseParts(HttpRequest request, byte[] bytes)
    {
        CheckIsJson(request, bytes);
        try
        {
            return JsonDocument.Parse(KeptText.CleanJson(bytes));
        }
        catch (JsonException error)
        {
            throw Explain(error);
        }
    }

    /// <summary>Reads the raw body within a limit.</summary>
    public static async Task<byte[]> ReadBytesAsync(HttpRequest request, int limit, CancellationToken cancellationToken)
    {
        if (request.ContentLength > limit) throw ApiProblem.TooLarge(limit);
        using var buffer = new MemoryStream();
        var chunk = new byte[8192];
        int read;
        while ((read = await request.Body.ReadAsync(chunk, cancellationToken)) > 0)
        {
            if (buffer.Length + read > limit) throw ApiProblem.TooLarge(limit);
            buffer.Write(chunk, 0, read);
        }

        return buffer.ToArray();
    }

    private static void CheckIsJson(HttpRequest request, byte[] bytes)
    {
        if (bytes.Length == 0) throw ApiProblem.BadBody("The body is empty; this route takes JSON.");
        if (request.ContentType is { } contentType && !contentType.Contains("json", StringComparison.OrdinalIgnoreCase))
            throw ApiProblem.BadBody("The body must be JSON with Content-Type: application/json.");
    }

    private static ApiProblem Explain(JsonException error)
    {
        var field = error.Path is { Length: > 2 } path && path.StartsWith("$.", StringComparison.Ordinal) ? path[2..] : null;
        if (field is null)
        {
            // A missing required member, or an unknown one with a name that is no identifier, is told by its message alone.
            var (start, end) = (error.Message.IndexOf('\'', StringComparison.Ordinal) + 1, error.Message.LastIndexOf("' could not be mapped", StringComparison.Ordinal));
            if (end >= start) return ApiProblem.Invalid(error.Message[start..end], $"'{error.Message[start..end]}' is not a field of this request.");
            return error.Message.Contains("required", StringComparison.Ordinal)
                ? ApiProblem.BadBody(Lacking(error.Message))
                : ApiProblem.BadBody($"The body is not valid JSON (line {(error.LineNumber ?? 0) + 1}).");
        }

        return ApiProblem.Invalid(field, error.Message.Contains("could not be mapped", StringComparison.Ordinal)
            ? $"'{field}' is not a field of this request."
            : $"'{field}' has a value of the wrong kind.");
    }

    private static string Lacking(string message)
    {
        // The serializer names its own .NET type; the caller knows only the fields.
        var names = string.Join(", ", message.Split('\'').Where((_, index) => index % 2 == 1).Where(part => !part.Contains('.')));
        return $"The body lacks {names}.";
    }
}
