using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace KpiDashboard.Api;

/// <summary>A file to keep that is written piece by piece, so that it may be larger than memory. No cache keeps it.</summary>
/// <param name="contentType">What it is.</param>
/// <param name="fileName">What the browser calls it.</param>
/// <param name="length">How long it is, where that is known before.</param>
/// <param name="write">Writes it.</param>
internal sealed class StreamedAnswer(string contentType, string fileName, long? length, Func<Stream, CancellationToken, Task> write) : IResult
{
    /// <inheritdoc />
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        var disposition = new ContentDispositionHeaderValue("attachment");
        disposition.SetHttpFileName(fileName);
        response.ContentType = contentType;
        response.ContentLength = length;
        response.Headers.CacheControl = "no-store";
        response.Headers.ContentDisposition = disposition.ToString();
        try
        {
            await write(response.Body, httpContext.RequestAborted);
        }
        catch when (response.HasStarted)
        {
            // What is cut off must not look whole.
            httpContext.Abort();
            throw;
        }
    }
}
