using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.Api;

/// <summary>A JSON answer by a source-generated serializer.</summary>
/// <param name="value">What is answered.</param>
/// <param name="type">How it is written.</param>
/// <param name="status">The status code.</param>
/// <param name="compress">
/// Whether it goes out compressed to who accepts that. Not everything: where a secret stands beside what a stranger chose, the length would tell of the secret (BREACH).
/// Numbers of a business hold no secret, and on a phone they are the longest wait. Nobody else does it: the Functions host and the linked back end pass on what they get.
/// </param>
internal sealed class JsonAnswer<T>(T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK, bool compress = false) : IResult
{
    /// <inheritdoc />
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = status;
        response.ContentType = "application/json; charset=utf-8";
        if (compress && httpContext.RequestServices.GetRequiredService<IResponseCompressionProvider>() is { } compression
            && compression.CheckRequestAcceptsCompression(httpContext) && compression.ShouldCompressResponse(httpContext) && compression.GetCompressionProvider(httpContext) is { } provider)
        {
            // The same answer in other bytes: alike, not the same.
            if (response.Headers.ETag is [['"', ..] strong]) response.Headers.ETag = "W/" + strong;
            response.Headers.ContentEncoding = provider.EncodingName;
            await using var body = provider.CreateStream(response.Body);
            await JsonSerializer.SerializeAsync(body, value, type, httpContext.RequestAborted);
            return;
        }

        await JsonSerializer.SerializeAsync(response.Body, value, type, httpContext.RequestAborted);
    }
}

/// <summary>A problem with more in it than every problem has, by a source-generated serializer.</summary>
internal sealed class ProblemAnswer<T>(T value, JsonTypeInfo<T> type, int status) : IResult
{
    /// <inheritdoc />
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = status;
        response.ContentType = "application/problem+json";
        response.Headers.CacheControl = "no-store";
        await JsonSerializer.SerializeAsync(response.Body, value, type, httpContext.RequestAborted);
    }
}
