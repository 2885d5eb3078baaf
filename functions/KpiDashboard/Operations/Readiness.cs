using System.Text.Json.Serialization;
using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Identity;
using KpiDashboard.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Npgsql;

namespace KpiDashboard.Operations;

/// <summary>Health of this instance, for load balancers and the availability test.</summary>
public sealed class HealthEndpoints
{
    private readonly Func<NpgsqlDataSource> _source;
    private readonly IOptionsMonitor<SecretOptions> _secrets;
    private readonly IOptionsMonitor<AuthOptions> _auth;
    private readonly TimeProvider _time;

    internal HealthEndpoints(Func<NpgsqlDataSource> source, IOptionsMonitor<SecretOptions> secrets, IOptionsMonitor<AuthOptions> auth,
        TimeProvider time) =>
        (_source, _secrets, _auth, _time) = (source, secrets, auth, time);

    /// <summary><c>GET health/live</c>: the process answers.</summary>
    public static IResult Live() => new JsonAnswer<HealthResponse>(new HealthResponse("live", null), HealthJson.Default.HealthResponse);

    /// <summary><c>GET health/ready</c>: 200 when requests can be served, 503 with the reason otherwise.</summary>
    public async Task<IResult> ReadyAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        request.HttpContext.Response.Headers.CacheControl = "no-store";
        var reason = MissingKeys() ?? await ObstacleAsync(cancellationToken);
        return new JsonAnswer<HealthResponse>(
            new HealthResponse(reason is null ? "ready" : "not_ready", reason), HealthJson.Default.HealthResponse,
            reason is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    private string? MissingKeys() =>
        _auth.CurrentValue.CurrentKey.Length == 0 ? "No key to sign access tokens with is configured (Auth:CurrentKey and Auth:SigningKeys)."
        : _secrets.CurrentValue.CurrentKey.Length == 0 ? "No key to seal secrets with is configured (Secrets:CurrentKey and Secrets:Keys)."
        : null;

    private async Task<string?> ObstacleAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5), _time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await DatabaseBootstrap.FindObstacleAsync(_source(), linked.Token);
        }
        catch (ApiProblem problem)
        {
            return problem.Message;
        }
        catch (Exception error) when (error is NpgsqlException or TimeoutException || (error is OperationCanceledException && limit.IsCancellationRequested))
        {
            return "The database does not answer.";
        }
    }
}

/// <summary>State of this instance.</summary>
/// <param name="Status"><c>live</c>, <c>ready</c> or <c>not_ready</c>.</param>
/// <param name="Reason">Why it is not ready.</param>
internal sealed record HealthResponse(string Status, string? Reason);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(HealthResponse))]
internal sealed partial class HealthJson : JsonSerializerContext;
