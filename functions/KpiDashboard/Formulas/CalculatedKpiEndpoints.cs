#pragma warning disable CA1822 // Until it is built.
using KpiDashboard.Api;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Formulas;

/// <summary>Calculated KPIs.</summary>
public sealed class CalculatedKpiEndpoints
{
    internal CalculatedKpiEndpoints()
    {
    }

    /// <summary>Not built yet: answers 503.</summary>
    public Task<IResult> ListAsync(HttpRequest request, CancellationToken cancellationToken) => throw ApiProblem.Unavailable("This is not built yet.", 3600);

    /// <summary>Not built yet: answers 503.</summary>
    public Task<IResult> CreateAsync(HttpRequest request, CancellationToken cancellationToken) => throw ApiProblem.Unavailable("This is not built yet.", 3600);

    /// <summary>Not built yet: answers 503.</summary>
    public Task<IResult> PreviewAsync(HttpRequest request, CancellationToken cancellationToken) => throw ApiProblem.Unavailable("This is not built yet.", 3600);

    /// <summary>Not built yet: answers 503.</summary>
    public Task<IResult> UpdateAsync(HttpRequest request, string id, CancellationToken cancellationToken) => throw ApiProblem.Unavailable("This is not built yet.", 3600);

    /// <summary>Not built yet: answers 503.</summary>
    public Task<IResult> DeleteAsync(HttpRequest request, string id, CancellationToken cancellationToken) => throw ApiProblem.Unavailable("This is not built yet.", 3600);
}
