using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Data;
using Microsoft.Extensions.DependencyInjection;

[assembly: Grant(Permission.ReadAudit, "See and export the audit log", From = "owner", WhileDeleting = true)]

namespace KpiDashboard.Auditing;

internal static class AuditingServices
{
    /// <summary>Registers the audit log.</summary>
    public static IServiceCollection AddAuditing(this IServiceCollection services)
    {
        services.AddSingleton<AuditLog>();
        services.AddEndpoint<AuditEndpoints>();
        services.AddTables(OwnedTable.OfTenant("audit_log"));
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
