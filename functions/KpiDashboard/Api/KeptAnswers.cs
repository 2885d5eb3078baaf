using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace KpiDashboard.Api;

/// <summary>What is kept of answers; section <c>Answers</c>.</summary>
internal sealed class AnswerOptions
{
    /// <summary>Answers are kept up to so many megabytes, those longest unasked for going first; 0 keeps none, nor anything else that was read.</summary>
    public int KeptMegabytes { get; set; } = 64;
}

/// <summary>
/// Answers as they went out, encoded and compressed, by their <c>ETag</c>: that is made of the tenant, its data version, the reader's role, the
/// language, the question and the quarter of an hour, so that none is ever found by another tenant or once the version has moved. What has moved
/// on is never asked for again and goes with time.
/// </summary>
internal sealed class KeptAnswers(IOptions<AnswerOptions> options) : IDisposable
{
    // What an entry takes beside its bytes.
    private const int Overhead = 300;

    private readonly MemoryCache _kept = new(new MemoryCacheOptions { SizeLimit = Math.Max(1, options.Value.KeptMegabytes) * 1_048_576L });

    /// <inheritdoc />
    public void Dispose() => _kept.Dispose();

    /// <summary>The answer of a tag in an encoding that the reader takes; null where none is kept.</summary>
    public IResult? Find(string tag, HttpContext http) =>
        options.Value.KeptMegabytes > 0 && _kept.TryGetValue((tag, Encoding(http)?.EncodingName), out byte[]? body) ? new BytesAnswer(body!, Encoding(http)?.EncodingName) : null;

    /// <summary>Encodes an answer, keeps it and gives it.</summary>
    public IResult Keep<T>(string tag, HttpContext http, T value, JsonTypeInfo<T> type)
    {
        var encoding = Encoding(http);
        using var body = new MemoryStream(16_384);
        if (encoding is null) JsonSerializer.Serialize(body, value, type);
        else
        {
            using var compressed = encoding.CreateStream(body);
            JsonSerializer.Serialize(compressed, value, type);
        }

        var bytes = body.ToArray();
        if (options.Value.KeptMegabytes > 0)
        {
            _kept.Set((tag, encoding?.EncodingName), bytes, new MemoryCacheEntryOptions
            {
                Size = bytes.Length + Overhead,
                // A tag holds for a quarter of an hour.
                AbsoluteExpirationRelativeToNow = TimeSpan.FromMinutes(15),
            });
        }

        return new BytesAnswer(bytes, encoding?.EncodingName);
    }

    private static ICompressionProvider? Encoding(HttpContext http) =>
        http.RequestServices.GetRequiredService<IResponseCompressionProvider>() is var compression && compression.CheckRequestAcceptsCompression(http)
            ? compression.GetCompressionProvider(http)
            : null;

    /// <summary>An answer that is encoded already.</summary>
    private sealed class BytesAnswer(byte[] body, string? encoding) : IResult
    {
        /// <inheritdoc />
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            response.StatusCode = StatusCodes.Status200OK;
            response.ContentType = "application/json; charset=utf-8";
            if (encoding is not null)
            {
                // The same answer in other bytes: alike, not the same.
                if (response.Headers.ETag is [['"', ..] strong]) response.Headers.ETag = "W/" + strong;
                response.Headers.ContentEncoding = encoding;
            }

            response.ContentLength = body.Length;
            await response.Body.WriteAsync(body, httpContext.RequestAborted);
        }
    }
}
