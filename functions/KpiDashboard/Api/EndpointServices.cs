using System.Reflection;
using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.Api;

internal static class EndpointServices
{
    /// <summary>
    /// Registers a class that triggers call. The worker wants trigger classes, and so what their constructors take, to be public; its own constructor stays
    /// internal, because what it takes is nobody else's business, and the container only looks at public ones.
    /// </summary>
    public static IServiceCollection AddEndpoint<T>(this IServiceCollection services)
        where T : class
    {
        var constructor = typeof(T).GetConstructors(BindingFlags.Instance | BindingFlags.NonPublic).Single();
        var types = Array.ConvertAll(constructor.GetParameters(), parameter => parameter.ParameterType);
        return services.AddSingleton(provider => (T)constructor.Invoke(Array.ConvertAll(types, provider.GetRequiredService)));
    }
}
