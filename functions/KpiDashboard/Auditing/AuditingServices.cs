using KpiDashboard.Api;
using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.Auditing;

internal static class AuditingServices
{
    /// <summary>Registers the audit log.</summary>
    public static IServiceCollection AddAuditing(this IServiceCollection services)
    {
        services.AddSingleton<AuditLog>();
        services.AddEndpoint<AuditEndpoints>();
        services.AddApiPart(
            new Dictionary<string, ApiParameter>
            {
                ["actor"] = ApiParameter.Text("Only what this person or token did.", "uuid"),
                ["action"] = ApiParameter.Text("Only this action."),
            },
            AuditJson.Default);
        return services;
    }
}
