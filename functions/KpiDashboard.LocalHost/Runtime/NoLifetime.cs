using Microsoft.Extensions.Hosting;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>For hosts inside another one: signals are the outer one's.</summary>
internal sealed class NoLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
