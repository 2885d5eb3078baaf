using KpiDashboard.Api;
using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.Annotations;

internal static class AnnotationsServices
{
    /// <summary>Registers notes on days.</summary>
    public static IServiceCollection AddAnnotations(this IServiceCollection services)
    {
        services.AddEndpoint<AnnotationEndpoints>();
        services.AddApiPart(AnnotationJson.Default);
        return services;
    }
}
