using KpiDashboard.Api;
using KpiDashboard.Security;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.Tests.Shared;

/// <summary>What the slices contribute, as the app registers it: for tests of what is made of it all.</summary>
internal static class Contributed
{
    private static readonly ServiceCollection Services = Registered();

    /// <summary>What the description of the API is made from.</summary>
    public static IReadOnlyList<ApiPart> ApiParts => Of<ApiPart>();

    /// <summary>Columns that hold sealed values, by name.</summary>
    public static IReadOnlyDictionary<string, Func<Guid, string>> SealedColumns { get; } =
        new SortedDictionary<string, Func<Guid, string>>(
            Of<SealedColumn>().ToDictionary(column => column.Name, column => column.PurposeOf), StringComparer.Ordinal);

    /// <summary>Everything of a kind that is registered as it is.</summary>
    public static IReadOnlyList<T> Of<T>()
        where T : class =>
        [.. Services.Where(service => service.ServiceType == typeof(T)).Select(service => (T)service.ImplementationInstance!)];

    private static ServiceCollection Registered()
    {
        var services = new ServiceCollection();
        services.AddKpiDashboard(new ConfigurationBuilder().Build(), typeof(Functions.App).Assembly);
        return services;
    }
}
