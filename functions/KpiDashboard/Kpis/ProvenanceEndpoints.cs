#pragma warning disable CA1822 // Until it is built.
using KpiDashboard.Api;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Kpis;

/// <summary>Where numbers come from.</summary>
public sealed class ProvenanceEndpoints
{
    internal ProvenanceEndpoints()
    {
    }

    /// <summary>Not built yet: answers 503.</summary>
    public Task<IResult> ProvenanceAsync(HttpRequest request, CancellationToken cancellationToken) => throw ApiProblem.Unavailable("This is not built yet.", 3600);
}
