#pragma warning disable CA1822 // Until it is built.
using KpiDashboard.Api;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Insights;

/// <summary>Insights.</summary>
public sealed class InsightEndpoints
{
    internal InsightEndpoints()
    {
    }

    /// <summary>Not built yet: answers 503.</summary>
    public Task<IResult> BusinessAsync(HttpRequest request, CancellationToken cancellationToken) => throw ApiProblem.Unavailable("This is not built yet.", 3600);

    /// <summary>Not built yet: answers 503.</summary>
    public Task<IResult> DismissAsync(HttpRequest request, string id, CancellationToken cancellationToken) => throw ApiProblem.Unavailable("This is not built yet.", 3600);

    /// <summary>Not built yet: answers 503.</summary>
    public Task<IResult> UndismissAsync(HttpRequest request, string id, CancellationToken cancellationToken) => throw ApiProblem.Unavailable("This is not built yet.", 3600);

    /// <summary>Not built yet: answers 503.</summary>
    public Task<IResult> SnoozeAsync(HttpRequest request, string id, CancellationToken cancellationToken) => throw ApiProblem.Unavailable("This is not built yet.", 3600);

    /// <summary>Not built yet: answers 503.</summary>
    public Task<IResult> UnsnoozeAsync(HttpRequest request, string id, CancellationToken cancellationToken) => throw ApiProblem.Unavailable("This is not built yet.", 3600);
}
