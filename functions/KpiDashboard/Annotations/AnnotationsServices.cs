using KpiDashboard.Api;
using KpiDashboard.Data;
using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.Annotations;

internal static class AnnotationsServices
{
    /// <summary>Registers notes on days.</summary>
    public static IServiceCollection AddAnnotations(this IServiceCollection services)
    {
        services.AddEndpoint<AnnotationEndpoints>();
        services.AddTables(OwnedTable.OfTenant("annotations"));
        services.AddApiPart(AnnotationJson.Default);
        return services;
    }
}
