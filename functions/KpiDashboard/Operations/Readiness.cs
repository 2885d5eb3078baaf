using System.Text.Json.Serialization;
using KpiDashboard.Api;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Operations;

/// <summary>Health of this instance, for load balancers and the availability test.</summary>
public sealed class HealthEndpoints
{
    private readonly IReadinessCheck[] _checks;
    private readonly TimeProvider _time;

    internal HealthEndpoints(IEnumerable<IReadinessCheck> checks, TimeProvider time) =>
        (_checks, _time) = ([.. checks.OrderByDescending(check => check.IsLocal)], time);

    /// <summary><c>GET health/live</c>: the process answers.</summary>
    public static IResult Live() => new JsonAnswer<HealthResponse>(new HealthResponse("live", null), HealthJson.Default.HealthResponse);

    /// <summary><c>GET health/ready</c>: 200 when requests can be served, 503 with the reason otherwise.</summary>
    public async Task<IResult> ReadyAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        request.HttpContext.Response.Headers.CacheControl = "no-store";
        var reason = await ObstacleAsync(cancellationToken);
        return new JsonAnswer<HealthResponse>(
            new HealthResponse(reason is null ? "ready" : "not_ready", reason), HealthJson.Default.HealthResponse,
            reason is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    private async Task<string?> ObstacleAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5), _time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        // All settings that are missing are named at once: whoever sets them need not ask again after each.
        List<string> missing = [];
        foreach (var check in _checks)
        {
            if (!check.IsLocal && missing.Count > 0) break;
            try
            {
                if (await check.FindObstacleAsync(linked.Token) is not { } obstacle) continue;
                if (!check.IsLocal) return obstacle;
                missing.Add(obstacle);
            }
            catch (ApiProblem problem)
            {
                return problem.Message;
            }
            catch (OperationCanceledException) when (limit.IsCancellationRequested)
            {
                return "What is needed does not answer.";
            }
        }

        return missing.Count > 0 ? string.Join(' ', missing) : null;
    }
}

/// <summary>State of this instance.</summary>
/// <param name="Status"><c>live</c>, <c>ready</c> or <c>not_ready</c>.</param>
/// <param name="Reason">Why it is not ready.</param>
internal sealed record HealthResponse(string Status, string? Reason);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(HealthResponse))]
internal sealed partial class HealthJson : JsonSerializerContext;
