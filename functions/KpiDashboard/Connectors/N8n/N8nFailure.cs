using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using KpiDashboard.Api;

namespace KpiDashboard.Connectors.N8n;

/// <content>Why one run failed.</content>
internal sealed partial class N8nClient
{
    /// <summary>
    /// Asks for one run with its data and reads no further than why it failed: the rest is what went through the workflow, and none of
    /// our business. At most
    /// <see cref="N8nFailure.MaxBytes"/> are looked at.
    /// </summary>
    public async Task<FailureAnswer> AskFailureAsync(string execution, CancellationToken cancellationToken)
    {
        // The client's own limit ends with the headers here.
        using var limit = new CancellationTokenSource(http.Timeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"{api.AbsoluteUri}/executions/{Uri.EscapeDataString(execution)}?includeData=true"));
            request.Headers.TryAddWithoutValidation("X-N8N-API-KEY", apiKey);
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, linked.Token);
            await using var body = await response.Content.ReadAsStreamAsync(linked.Token);
            if (response.StatusCode != HttpStatusCode.OK)
            {
                // Pruned or deleted: nobody will ever say.
                var refusal = Refusal(response, await StartAsync(body, linked.Token));
                return response.StatusCode == HttpStatusCode.NotFound && refusal is RequestRefused ? new(null, null, null) : new(null, null, refusal);
            }

            var (message, node) = await N8nFailure.ReadAsync(body, linked.Token);
            return new(message, node, null);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new(null, null, Late());
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return new(null, null, Broken(e));
        }
    }

    private static async Task<byte[]> StartAsync(Stream body, CancellationToken cancellationToken)
    {
        var start = new byte[4096];
        return start[..await body.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, cancellationToken)];
    }
}

/// <summary>
/// Finds <c>data.resultData.error</c> in a run that n8n tells with all of its data, and stops. The document is read piece by piece and
/// never held: of its values only the message and the node's
/// name are looked at.
/// </summary>
internal static class N8nFailure
{
    /// <summary>So much of an answer is read at most.</summary>
    public const int MaxBytes = 5 * 1024 * 1024;

    private const int Piece = 16 * 1024;
    private const int MaxText = 20_000;

    /// <summary>Reads as far as it must. Both are null where the answer does not say, breaks off, is no JSON or says it too late.</summary>
    public static async Task<(string? Message, string? Node)> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        var buffer = new byte[Piece];
        var (held, read) = (0, 0);
        // Data may be nested as deep as it likes.
        var state = new JsonReaderState(new JsonReaderOptions { MaxDepth = 4096 });
        var search = new Search();
        while (true)
        {
            // A text that is longer than the buffer is read whole or not at all.
            if (held == buffer.Length) Array.Resize(ref buffer, Math.Min(buffer.Length * 2, MaxBytes));
            var free = buffer.AsMemory(held, Math.Min(buffer.Length - held, MaxBytes - read));
            // Of a long text not every drop is looked at: that would be quadratic.
            var got = await stream.ReadAtLeastAsync(free, buffer.Length == Piece ? 1 : free.Length, throwOnEndOfStream: false, cancellationToken);
            (held, read) = (held + got, read + got);
            int used;
            try
            {
                (used, state) = search.Go(buffer.AsSpan(0, held), isLast: got == 0, state);
            }
            catch (JsonException)
            {
                return search.Found;
            }

            if (search.IsOver || got == 0 || read >= MaxBytes) return search.Found;
            buffer.AsSpan(used, held - used).CopyTo(buffer);
            held -= used;
        }
    }

    /// <summary>Walks through the document; whatever does not lead to the error is passed over, however large.</summary>
    private sealed class Search
    {
        // By level: the root, data, resultData, error, node.
        private const int Error = 3, Node = 4;
        private static readonly string[][] Wanted = [["data"], ["resultData"], ["error"], ["message", "description", "node"], ["name"]];

        private int _level = -1;
        private int? _passed;
        private string? _key, _message, _description, _node;

        /// <summary>Nothing that follows is of interest.</summary>
        public bool IsOver { get; private set; }

        /// <summary>What was read.</summary>
        public (string? Message, string? Node) Found => (_message ?? _description, _node);

        /// <summary>Reads what is there; returns how much of it is done with.</summary>
        public (int Used, JsonReaderState State) Go(ReadOnlySpan<byte> bytes, bool isLast, JsonReaderState state)
        {
            var reader = new Utf8JsonReader(bytes, isLast, state);
            while (!IsOver && reader.Read())
            {
                if (_passed is not { } depth) Take(ref reader);
                // The value is over at its own depth: where it ends, or at once.
                else if (reader.CurrentDepth == depth && reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray)) _passed = null;
            }

            return ((int)reader.BytesConsumed, reader.CurrentState);
        }

        private void Take(ref Utf8JsonReader reader)
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    _key = KeyOf(ref reader);
                    if (_key is null) _passed = reader.CurrentDepth;
                    break;
                case JsonTokenType.StartObject when _level < 0 || _key is "data" or "resultData" or "error" or "node":
                    (_level, _key) = (_level + 1, null);
                    break;
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    _passed = reader.CurrentDepth;
                    break;
                case JsonTokenType.EndObject:
                    // With the error, or with what could have held one, all is said.
                    IsOver = _level-- <= Error;
                    break;
                case JsonTokenType.String:
                    Keep(TextOf(ref reader));
                    break;
                default:
                    break;
            }
        }

        private string? KeyOf(ref Utf8JsonReader reader)
        {
            // None of these needs an escape.
            if (reader.ValueIsEscaped) return null;
            foreach (var name in Wanted[_level])
            {
                if (reader.ValueTextEquals(name)) return name;
            }

            return null;
        }

        private void Keep(string? text)
        {
            if (text is null) return;
            if (_level == Node) _node ??= text;
            else if (_level != Error) return;
            else if (_key == "message") _message ??= text;
            else if (_key == "description") _description ??= text;
            // Old versions name the node without describing it.
            else if (_key == "node") _node ??= text;
        }

        private static string? TextOf(ref Utf8JsonReader reader)
        {
            // Half a character, or bytes that are none, cost themselves and not the sentence around them.
            byte[] quoted = [(byte)'"', .. reader.ValueSpan, (byte)'"'];
            using var text = JsonDocument.Parse(KeptText.CleanJson(quoted));
            return KeptText.Cut(text.RootElement.GetString()!, MaxText).Trim() is { Length: > 0 } kept ? kept : null;
        }
    }
}
