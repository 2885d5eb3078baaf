using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace KpiDashboard.Access;

/// <summary>
/// How every read of a tenant is answered: one row gives the tenant's data version; if the reader's <c>ETag</c> was made from the same version the answer
/// is 304 and nothing else is read.
/// </summary>
internal sealed class TenantReads(Database database, TenantOpenings openings, KeptAnswers kept, TimeProvider time)
{
    // A new build may answer the same question differently.
    private static readonly Guid Build = typeof(TenantReads).Module.ModuleVersionId;

    /// <summary>Answers a read with the JSON of what <paramref name="load"/> returns.</summary>
    public Task<IResult> AnswerAsync<T>(
        HttpRequest request, JsonTypeInfo<T> type, Func<TenantTransaction, TenantProfile, Task<T>> load, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        return AnswerAsync(request, caller.TenantId, caller.Role, type, load, cancellationToken);
    }

    /// <summary>
    /// The same of what depends on the tenant's data, the question and the role alone, and not on who in that role asks: the answer is kept as it
    /// goes out, for whoever asks the same at the same version.
    /// </summary>
    public Task<IResult> AnswerKeptAsync<T>(
        HttpRequest request, JsonTypeInfo<T> type, Func<TenantTransaction, TenantProfile, Task<T>> load, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        return AnswerAsync(request, caller.TenantId, caller.Role, type, load, cancellationToken, keep: true);
    }

    /// <summary>The same for a reader that is no caller; <paramref name="reader"/> names what the answer depends on besides the tenant's data and the question.</summary>
    public async Task<IResult> AnswerAsync<T>(
        HttpRequest request, Guid tenantId, string reader, JsonTypeInfo<T> type, Func<TenantTransaction, TenantProfile, Task<T>> load,
        CancellationToken cancellationToken, bool keep = false)
    {
        var http = request.HttpContext;
        // Where the caller was let in, the tenant was opened with it.
        var opening = http.Features.Get<TenantOpening>() is { } found && found.Profile.Id == tenantId ? found : await openings.OpenAsync(tenantId, cancellationToken);
        if (opening is null) throw ApiProblem.NotFound("This business no longer exists.");
        var language = NumberLanguage.WriteFor(request.Headers.AcceptLanguage);
        var tag = Tag(request, $"{reader}\n{language}", opening.Profile);
        http.Response.Headers.ETag = tag;
        http.Response.Headers.CacheControl = "private, no-cache";
        http.Response.Headers.Append(HeaderNames.Vary, HeaderNames.AcceptEncoding);
        http.Response.Headers.Append(HeaderNames.Vary, HeaderNames.AcceptLanguage);
        if (request.Headers.IfNoneMatch.Any(header => header?.Contains(tag, StringComparison.Ordinal) == true))
            return TypedResults.StatusCode(StatusCodes.Status304NotModified);
        if (keep && kept.Find(tag, http) is { } answer) return answer;
        var value = await database.ReadTenantAsync(tenantId, opening.Knowledge, tx => tx.TogetherAsync(() => load(tx, opening.Profile)), cancellationToken);
        return keep ? kept.Keep(tag, http, value, type) : new JsonAnswer<T>(value, type, compress: true);
    }

    /// <summary>
    /// Answers a read of what no data version covers (people belong to many tenants, tokens are used without a word): the <c>ETag</c> is made from the answer itself.
    /// </summary>
    public static IResult Answer<T>(HttpRequest request, T value, JsonTypeInfo<T> type)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(value, type);
        var tag = $"\"{Convert.ToHexStringLower(SHA256.HashData(body).AsSpan(0, 16))}\"";
        request.HttpContext.Response.Headers.ETag = tag;
        request.HttpContext.Response.Headers.CacheControl = "private, no-cache";
        return request.Headers.IfNoneMatch.Any(header => header?.Contains(tag, StringComparison.Ordinal) == true)
            ? TypedResults.StatusCode(StatusCodes.Status304NotModified)
            : TypedResults.Bytes(body, "application/json; charset=utf-8");
    }

    /// <summary>The same of a tenant's own data that changes without the tenant's data version.</summary>
    public Task<IResult> AnswerByContentAsync<T>(
        HttpRequest request, JsonTypeInfo<T> type, Func<TenantTransaction, TenantProfile, Task<T>> load, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        return database.InTenantAsync(caller.TenantId, async tx =>
        {
            NumberLanguage.WriteFor(request.Headers.AcceptLanguage);
            var tenant = await TenantProfile.LoadAsync(tx) ?? throw ApiProblem.NotFound("This business no longer exists.");
            return Answer(request, await load(tx, tenant), type);
        }, cancellationToken);
    }

    /// <summary>Some answers speak of time ("late"): a quarter of an hour is as long as one may stand unchanged.</summary>
    internal static long Quarter(DateTimeOffset now) => now.ToUnixTimeSeconds() / 900;

    private string Tag(HttpRequest request, string reader, TenantProfile tenant)
    {
        var quarter = Quarter(time.GetUtcNow());
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> number = stackalloc byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(number, tenant.DataVersion);
        BinaryPrimitives.WriteInt64LittleEndian(number[8..], quarter);
        hash.AppendData(number);
        hash.AppendData(tenant.Id.ToByteArray());
        hash.AppendData(Build.ToByteArray());
        hash.AppendData(Encoding.UTF8.GetBytes($"{reader}\n{request.Path}\n{request.QueryString}"));
        return $"\"{Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16))}\"";
    }
}
