using System.Globalization;
using KpiDashboard.Data;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.Demo.Google;
using KpiDashboard.Demo.N8n;
using KpiDashboard.Demo.Seeding;
using KpiDashboard.Members;
using KpiDashboard.Security;
using KpiDashboard.Sync;
using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.LocalHost.Startup;

/// <summary>
/// Starts the simulated providers, makes the demo tenants, and has them really synced: through the timer's queues, the connectors and HTTP. The app is
/// ready when their numbers are there.
/// </summary>
internal sealed class DemoStage(TimeProvider time) : IStartupStage
{
    /// <summary>Demo numbers younger than this need no sync at start.</summary>
    private static readonly TimeSpan FreshFor = TimeSpan.FromHours(1);

    /// <summary>The first sync takes well below a minute; a start that waits longer than this is stuck and says so.</summary>
    private static readonly TimeSpan SyncLimit = TimeSpan.FromMinutes(10);

    private DemoAnchor _anchor;

    /// <summary>The simulated Google; started.</summary>
    public GoogleSimulator? Google { get; private set; }

    /// <summary>The simulated n8n; started.</summary>
    public N8nSimulator? N8n { get; private set; }

    /// <summary>The moment that the demo's past is laid out from.</summary>
    public DateTimeOffset Anchor => _anchor.At;

    public string Name => "Demo";

    public async Task StartAsync(StartupContext context, CancellationToken cancellationToken)
    {
        _anchor = DemoAnchor.Load(context.DataDirectory, time);
        Google = await GoogleSimulator.StartAsync(DemoWorld.Google(_anchor.At), time, cancellationToken);
        // Somebody to choose who looks after all of them, and somebody without Analytics.
        Google.Accounts.Add("agency@demo.example", [.. DemoWorld.Tenants.Select(tenant => tenant.Ga4PropertyId)]);
        Google.Accounts.Add("nothing@demo.example");
        N8n = await N8nSimulator.StartAsync(DemoWorld.N8n(_anchor.At), time, cancellationToken);
        foreach (var (key, value) in Google.Configuration()) context.Configuration[key] = value;
        // The one thing on this machine that an address of a tenant may lead to.
        context.Configuration["Outbound:AllowedHosts"] = $"{context.Configuration["Outbound:AllowedHosts"]} {N8n.BaseAddress.Authority}".Trim();
        context.Configuration[DemoEndpoints.TenantKey] = DemoSeeder.TenantId(DemoWorld.Tenants[0].Name).ToString();
        context.NotReady = "The demo tenants are being synced.";
        context.Console.Done("Simulators", $"Google on port {Google.BaseAddress.Port}, n8n on port {N8n.BaseAddress.Port}");
    }

    public async Task AfterAppStartedAsync(StartupContext context, CancellationToken cancellationToken)
    {
        var owner = context.Configuration[DatabaseStage.OwnerKey]
            ?? throw new StartupException("Demo tenants need a database that this command may set up. Start with --no-demo, or name an administrator in ConnectionStrings:PostgresAdmin.");
        // The worker has services of its own; these are the product's too, with the same settings.
        ServiceCollection registered = new();
        registered.AddSingleton(context.Configuration).AddSingleton(time).AddLogging().AddHttpClient();
        registered.AddKpiDashboard(context.Configuration, typeof(DemoStage).Assembly);
        await using var services = registered.BuildServiceProvider();
        await new DemoSeeder(owner, services.GetRequiredService<SecretSealer>(), time).SeedAsync(N8n!.BaseUrl, _anchor.IsNew,
            cancellationToken);
        _anchor.Save(context.DataDirectory);

        var started = time.GetTimestamp();
        var database = services.GetRequiredService<Database>();
        var refresh = services.GetRequiredService<RefreshRequests>();
        foreach (var tenant in DemoWorld.Tenants)
        {
            var id = DemoSeeder.TenantId(tenant.Name);
            var stale = await database.InTenantAsync(id, tx => tx.QuerySingleAsync<bool>(
                "select exists (select 1 from integrations where tenant_id = @tenant and (backfilled_at is null or fetched_at < @oldest))",
                new { oldest = time.GetUtcNow() - FreshFor }), cancellationToken);
            if (stale) await refresh.StartAsync(id, null, "connect", null, cancellationToken);
        }

        await WaitForSyncsAsync(context, database, started, cancellationToken);
        context.NotReady = null;
        var address = context.Address?.ToString().TrimEnd('/');
        context.Console.Ready($"""
            Ready {address}  sign in as {DemoSeeder.OwnerEmail} / {DemoSeeder.Password}

              Open in a browser  {address}
              E-mail             {DemoSeeder.OwnerEmail}
              Password           {DemoSeeder.Password}
              Stop               Ctrl-C; your data stays in {context.DataDirectory}
            """);
    }

    public async ValueTask DisposeAsync()
    {
        if (Google is not null) await Google.DisposeAsync();
        if (N8n is not null) await N8n.DisposeAsync();
    }

    private async Task WaitForSyncsAsync(StartupContext context, Database database, long started, CancellationToken cancellationToken)
    {
        var said = new HashSet<Guid>();
        var total = 0;
        while (true)
        {
            var live = new List<string>();
            foreach (var tenant in DemoWorld.Tenants)
            {
                var runs = await database.InTenantAsync(DemoSeeder.TenantId(tenant.Name), tx => tx.QueryAsync<RunResponse>(
                    RunResponse.Select + "where r.tenant_id = @tenant and r.trigger = 'connect' and r.queued_at >= @since order by r.queued_at",
                    new { since = time.GetUtcNow() - time.GetElapsedTime(started) - TimeSpan.FromSeconds(5) }), cancellationToken);
                foreach (var run in runs)
                {
                    if (run.Status is "queued" or "running" or "waiting")
                    {
                        live.Add(run.Status == "waiting"
                            ? $"{tenant.Name}: {run.DisplayName} waits ({run.Message})"
                            : $"{tenant.Name}: {run.DisplayName} {run.Readings.ToString("N0", CultureInfo.InvariantCulture)} values");
                    }
                    else if (said.Add(run.Id))
                    {
                        total += run.Readings;
                        if (run.Status != "succeeded") throw new StartupException($"The sync of {tenant.Name} with {run.DisplayName} {run.Status}: {run.Message}");
                        context.Console.Done(tenant.Name, $"{run.DisplayName}: {run.Readings.ToString("N0", CultureInfo.InvariantCulture)} values, {run.WindowFrom:yyyy-MM-dd} to {run.WindowTo:yyyy-MM-dd}");
                    }
                }
            }

            if (live.Count == 0) break;
            if (time.GetElapsedTime(started) > SyncLimit)
                throw new StartupException($"The demo tenants were not synced within {SyncLimit.TotalMinutes:0} minutes. Still going on: {string.Join("; ", live)}.");
            context.Console.Progress("Syncing", string.Join(" · ", live));
            await Task.Delay(TimeSpan.FromMilliseconds(250), time, cancellationToken);
        }

        context.Console.Done("Synced", total == 0
            ? "numbers are fresh"
            : string.Create(CultureInfo.InvariantCulture, $"{total:N0} values in {time.GetElapsedTime(started).TotalSeconds:0.0} s, through queues, connectors and HTTP"));
    }
}

/// <summary>What an empty installation ends its start with.</summary>
internal sealed class ReadyStage : IStartupStage
{
    public string Name => "Ready";

    public Task StartAsync(StartupContext context, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task AfterAppStartedAsync(StartupContext context, CancellationToken cancellationToken)
    {
        var address = context.Address?.ToString().TrimEnd('/');
        context.Console.Ready($"""
            Ready {address}  (empty installation)

              Open in a browser  {address}, and register
              Stop               Ctrl-C; your data stays in {context.DataDirectory}
            """);
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
