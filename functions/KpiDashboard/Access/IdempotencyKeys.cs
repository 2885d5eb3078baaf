using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using KpiDashboard.Api;
using KpiDashboard.Data;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Access;

/// <summary>Requests that may be sent again after a lost answer: the same key within 24 hours gets the same answer and does nothing again.</summary>
internal static class IdempotencyKeys
{
    /// <summary>A key is remembered for this long.</summary>
    public static readonly TimeSpan Remembered = TimeSpan.FromHours(24);

    private const int MaxLength = 128;

    /// <summary>
    /// The key of a request under which its answer is remembered, or null for none: <c>Idempotency-Key</c> or <c>webhook-id</c>. Of a signed request only the
    /// <c>webhook-id</c> counts, because it is what was signed: with another key, whoever saw the request could send it again.
    /// </summary>
    public static string? Of(HttpRequest request, string route)
    {
        if (request.HttpContext.Features.Get<SignedMessage>() is { } signed) return $"{route}:{signed.TokenId:N}:{signed.Id}";
        var key = request.Headers["Idempotency-Key"].ToString() is { Length: > 0 } own ? own : request.Headers["webhook-id"].ToString();
        if (key.Length > MaxLength || key.Any(char.IsControl)) throw ApiProblem.Invalid("Idempotency-Key", $"'Idempotency-Key' may have at most {MaxLength} characters, none of them a control character.");
        if (key.Length == 0) return null;
        // Two machines of one business may count alike.
        return request.Caller().TokenId is { } token ? $"{route}:{token:N}:{key}" : $"{route}:{key}";
    }

    /// <summary>Does the work, or answers as the first time. In the transaction of the work: a request that failed is not remembered.</summary>
    public static async Task<T> OnceAsync<T>(TenantTransaction tx, string? key, ReadOnlyMemory<byte> body, DateTimeOffset now, JsonTypeInfo<T> type, Func<Task<T>> work)
        where T : class
    {
        if (key is null) return await work();
        var hash = SHA256.HashData(body.Span);
        // Two requests with one key at once: the second waits here for the first, then finds its answer.
        var isFirst = await tx.ExecuteAsync(
            """
            insert into idempotency_keys as k (tenant_id, key, run_ids, body_hash, created_at) values (@tenant, @key, '{}', @hash, @now)
            on conflict (tenant_id, key) do update set body_hash = excluded.body_hash, answer = null, created_at = excluded.created_at
            where k.created_at < @oldest
            """, new { key, hash, now, oldest = now - Remembered });
        if (isFirst == 0)
        {
            var (answer, sent) = await tx.QuerySingleAsync<(string Answer, byte[] Hash)>("select answer, body_hash from idempotency_keys where tenant_id = @tenant and key = @key", new { key });
            if (!sent.AsSpan().SequenceEqual(hash))
                throw ApiProblem.Conflict("This 'Idempotency-Key' (or webhook-id) came with another body within the last 24 hours. Use a new key for a new request.");
            return JsonSerializer.Deserialize(answer, type)!;
        }

        var result = await work();
        await tx.ExecuteAsync("update idempotency_keys set answer = @answer where tenant_id = @tenant and key = @key", new { key, answer = JsonSerializer.Serialize(result, type) });
        return result;
    }
}
