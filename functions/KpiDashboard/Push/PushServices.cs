using KpiDashboard.Api;
using KpiDashboard.Data;
using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.Push;

internal static class PushServices
{
    /// <summary>Registers what a business tells of itself, by request or by file.</summary>
    public static IServiceCollection AddPush(this IServiceCollection services)
    {
        services.AddEndpoint<CustomKpiEndpoints>();
        services.AddEndpoint<PushEndpoints>();
        services.AddEndpoint<ImportEndpoints>();
        services.AddEndpoint<Importer>();
        services.AddSingleton(new WatchedQueues(new WatchedQueue(Importer.Queue, IsInDatabase: false)));
        services.AddApiPart(
            new Dictionary<string, ApiParameter>
            {
                ["mode"] = ApiParameter.Choice("Only look, or write.", "preview", "commit"),
                ["name"] = ApiParameter.Text("Name of the file, to find it again."),
                ["delimiter"] = ApiParameter.Choice("What separates columns.", "auto", "comma", "semicolon", "tab"),
                ["decimal"] = ApiParameter.Choice("The decimal mark.", "auto", "point", "comma"),
                ["dates"] = ApiParameter.Choice("What comes first in a date like 03/04/2026: day or month.", "auto", "dmy", "mdy"),
            },
            PushJson.Default);
        return services;
    }
}
