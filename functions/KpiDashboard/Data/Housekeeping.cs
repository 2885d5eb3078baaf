using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.Data;

/// <summary>Something that is to be done about once an hour, and can be left to the next hour. Slices register their own.</summary>
internal interface IHousekeeping
{
    /// <summary>What it looks after, for the log.</summary>
    string Name { get; }

    /// <summary>Does it. Called by several instances at once at times.</summary>
    Task RunAsync(CancellationToken cancellationToken);
}

/// <summary>A step that needs no class of its own.</summary>
internal sealed class HousekeepingStep(string name, Func<CancellationToken, Task> run) : IHousekeeping
{
    /// <inheritdoc />
    public string Name => name;

    /// <inheritdoc />
    public Task RunAsync(CancellationToken cancellationToken) => run(cancellationToken);
}

internal static class HousekeepingServices
{
    /// <summary>Adds a step that forgets what is old.</summary>
    public static IServiceCollection AddPurge(this IServiceCollection services, string name, Func<Database, DateTimeOffset, CancellationToken, Task> purge) =>
        services.AddSingleton<IHousekeeping>(provider => new HousekeepingStep(
            name, token => purge(provider.GetRequiredService<Database>(), provider.GetRequiredService<TimeProvider>().GetUtcNow(), token)));

    /// <summary>Adds a step that is done by one of the slice's services.</summary>
    public static IServiceCollection AddHousekeeping(
        this IServiceCollection services, string name, Func<IServiceProvider, CancellationToken, Task> run) =>
        services.AddSingleton<IHousekeeping>(provider => new HousekeepingStep(name, token => run(provider, token)));
}
