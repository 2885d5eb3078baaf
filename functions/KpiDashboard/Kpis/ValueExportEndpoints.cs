#pragma warning disable CA1822 // Until it is built.
using KpiDashboard.Api;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Kpis;

/// <summary>Values as files.</summary>
public sealed class ValueExportEndpoints
{
    internal ValueExportEndpoints()
    {
    }

    /// <summary>Not built yet: answers 503.</summary>
    public Task<IResult> ExportAsync(HttpRequest request, CancellationToken cancellationToken) => throw ApiProblem.Unavailable("This is not built yet.", 3600);
}
