using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Net.Sockets;
using KpiDashboard.LocalHost.Runtime;
using KpiDashboard.LocalHost.Startup;
using KpiDashboard.Tests.Shared;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Xunit;

namespace KpiDashboard.IntegrationTests.LocalHost;

[Trait("Clock", "none")]
public sealed class LifecycleTests : IDisposable
{
    private readonly TempFolder _data = new();
    private readonly List<string> _events = [];

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task Stages_start_in_order_see_the_address_afterwards_and_end_in_reverse()
    {
        (LocalFunctionsHost host, _) = Build(new Stage("a", _events), new Stage("b", _events));

        await host.StartAsync(TestApp.Ct);
        await host.AfterAppStarted;
        await host.StopAsync(TestApp.Ct);
        await host.DisposeAsync();

        Assert.Equal(["a start", "b start", $"a after {host.Address}", $"b after {host.Address}", "b end", "a end"], _events);
    }

    [Fact]
    public async Task What_a_stage_sets_is_what_the_apps_options_read_and_are_validated_with()
    {
        (LocalFunctionsHost host, _) = Build(
            builder => builder.Services.AddOptions<StorageOptions>().BindConfiguration("Storage").ValidateDataAnnotations().ValidateOnStart(),
            new Stage("a", _events) { OnStart = context => context.Configuration["Storage:Name"] = "from the stage" });
        await using (host)
        {
            await host.StartAsync(TestApp.Ct);

            Assert.Equal("from the stage", host.Services.GetRequiredService<IOptions<StorageOptions>>().Value.Name);
        }
    }

    [Fact]
    public async Task A_missing_setting_stops_the_start_with_a_sentence_and_ends_what_was_started()
    {
        (LocalFunctionsHost host, _) = Build(
            builder => builder.Services.AddOptions<StorageOptions>().BindConfiguration("Storage").ValidateDataAnnotations().ValidateOnStart(),
            new Stage("a", _events), new Stage("b", _events));
        await using (host)
        {
            StartupException e = await Assert.ThrowsAsync<StartupException>(() => host.StartAsync(TestApp.Ct));

            Assert.StartsWith("A setting is missing or wrong: ", e.Message, StringComparison.Ordinal);
            Assert.Contains("Name", e.Message, StringComparison.Ordinal);
            Assert.Equal(["a start", "b start", "b end", "a end"], _events);
        }
    }

    [Fact]
    public async Task A_stage_that_fails_is_ended_too_and_later_ones_never_start()
    {
        (LocalFunctionsHost host, _) = Build(
            new Stage("a", _events), new Stage("b", _events) { OnStart = _ => throw new StartupException("b cannot.") }, new Stage("c", _events));
        await using (host)
        {
            StartupException e = await Assert.ThrowsAsync<StartupException>(() => host.StartAsync(TestApp.Ct));

            Assert.Equal("b cannot.", e.Message);
            Assert.Equal(["a start", "b start", "b end", "a end"], _events);
        }
    }

    [Fact]
    public async Task A_start_that_is_interrupted_ends_what_was_started()
    {
        using CancellationTokenSource interrupt = new();
        (LocalFunctionsHost host, _) = Build(new Stage("a", _events) { OnStart = _ => interrupt.Cancel() }, new Stage("b", _events));
        await using (host)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => host.StartAsync(interrupt.Token));

            Assert.Equal(["a start", "a end"], _events);
            Assert.Null(host.Address);
        }
    }

    [Fact]
    public async Task A_stage_that_fails_after_the_start_stops_the_app()
    {
        (LocalFunctionsHost host, _) = Build(new Stage("a", _events) { OnAfter = () => throw new StartupException("a gave up.") });
        int exitCode = Environment.ExitCode;
        try
        {
            await host.RunAsync(TestApp.Ct);

            Assert.Equal(1, Environment.ExitCode);
            Assert.Equal("a gave up.", (await Assert.ThrowsAsync<StartupException>(() => host.AfterAppStarted)).Message);
            Assert.Equal("a end", _events[^1]);
        }
        finally
        {
            Environment.ExitCode = exitCode;
        }
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named_before_anything_starts()
    {
        using TcpListener other = new(IPAddress.Loopback, 0);
        other.Start();
        int port = ((IPEndPoint)other.LocalEndpoint).Port;
        (LocalFunctionsHost host, _) = Build(["--port", $"{port}"], _ => { }, new Stage("a", _events));
        await using (host)
        {
            StartupException e = await Assert.ThrowsAsync<StartupException>(() => host.StartAsync(TestApp.Ct));

            Assert.Equal($"Port {port} is taken; use --port N.", e.Message);
            Assert.Empty(_events);
        }
    }

    [Fact]
    public async Task A_port_that_is_given_is_used()
    {
        int port;
        using (TcpListener probe = new(IPAddress.Loopback, 0))
        {
            probe.Start();
            port = ((IPEndPoint)probe.LocalEndpoint).Port;
        }

        (LocalFunctionsHost host, _) = Build(["--port", $"{port}"], _ => { });
        await using (host)
        {
            await host.StartAsync(TestApp.Ct);

            Assert.Equal(new Uri($"http://localhost:{port}"), host.Address);
            using HttpClient client = new();
            Assert.Equal("special", await client.GetStringAsync(new Uri(host.Address!, "api/things/special"), TestApp.Ct));
        }
    }

    [Fact]
    public async Task A_data_folder_in_use_is_refused_and_free_again_after_the_end()
    {
        (LocalFunctionsHost first, _) = Build();
        await first.StartAsync(TestApp.Ct);
        (LocalFunctionsHost second, _) = Build();
        await using (second)
        {
            StartupException e = await Assert.ThrowsAsync<StartupException>(() => second.StartAsync(TestApp.Ct));
            Assert.Equal($"Another KPI Dashboard is running on {_data.Path}; stop it or use --data DIR.", e.Message);
        }

        await first.DisposeAsync();
        (LocalFunctionsHost third, _) = Build();
        await using (third)
            await third.StartAsync(TestApp.Ct);
    }

    [Fact]
    public async Task Reset_empties_our_folder_and_no_other()
    {
        (LocalFunctionsHost first, _) = Build();
        await using (first)
            await first.StartAsync(TestApp.Ct);
        Directory.CreateDirectory(Path.Combine(_data.Path, "deep", "er"));
        await File.WriteAllTextAsync(Path.Combine(_data.Path, "deep", "er", "old.txt"), "old", TestApp.Ct);

        (LocalFunctionsHost second, _) = Build(["--reset"], _ => { });
        await using (second)
            await second.StartAsync(TestApp.Ct);
        Assert.False(Directory.Exists(Path.Combine(_data.Path, "deep")));

        using TempFolder others = new();
        string precious = Path.Combine(others.Path, "precious.txt");
        await File.WriteAllTextAsync(precious, "keep", TestApp.Ct);
        (LocalFunctionsHost third, _) = Build(["--reset", "--data", others.Path], _ => { });
        await using (third)
        {
            StartupException e = await Assert.ThrowsAsync<StartupException>(() => third.StartAsync(TestApp.Ct));
            Assert.Contains("--reset does not touch it", e.Message, StringComparison.Ordinal);
        }

        // Used without --reset it is still not ours to empty.
        (LocalFunctionsHost fourth, _) = Build(["--data", others.Path], _ => { });
        await using (fourth)
            await fourth.StartAsync(TestApp.Ct);
        (LocalFunctionsHost fifth, _) = Build(["--reset", "--data", others.Path], _ => { });
        await using (fifth)
            await Assert.ThrowsAsync<StartupException>(() => fifth.StartAsync(TestApp.Ct));
        Assert.True(File.Exists(precious));
    }

    [Fact]
    public async Task Stopping_lets_a_request_finish_and_takes_no_other()
    {
        (LocalFunctionsHost host, Recorder recorder) = Build([], builder => builder.Services.AddScoped<ScopedThing>(), [typeof(GatedFunction)]);
        await host.StartAsync(TestApp.Ct);
        using HttpClient client = new() { BaseAddress = host.Address };
        Task<string> running = client.GetStringAsync(new Uri("api/Gated", UriKind.Relative), TestApp.Ct);
        await TestApp.EventuallyAsync(() => recorder.Count("begin") == 1, "the request runs");

        Task stop = host.StopAsync(TestApp.Ct);
        await TestApp.EventuallyAsync(
            async () =>
            {
                try
                {
                    return (await client.GetAsync(new Uri("api/Gated", UriKind.Relative), TestApp.Ct)).StatusCode == HttpStatusCode.ServiceUnavailable;
                }
                catch (HttpRequestException)
                {
                    return true;
                }
            },
            "new requests were refused");
        recorder.Open("gate");

        Assert.Equal("done", await running);
        await stop;
        await host.DisposeAsync();
        Assert.Equal(["begin", "end"], recorder.Events);
    }

    [Fact]
    public async Task An_HTTP_function_without_ConfigureFunctionsWebApplication_stops_the_start()
    {
        StartupException e = await Assert.ThrowsAsync<StartupException>(() => TestApp.StartAsync(_data.Path, [typeof(GatedFunction)], _ => { }));

        Assert.Equal("Function Gated is an HTTP function, but Program.cs does not call ConfigureFunctionsWebApplication().", e.Message);
    }

    [Fact]
    public async Task A_queue_function_without_its_connection_stops_the_start()
    {
        StartupException e = await Assert.ThrowsAsync<StartupException>(
            () => TestApp.StartAsync(_data.Path, [typeof(OrderQueue)], null, "--set", "AzureWebJobsStorage="));

        Assert.Equal("Function Orders needs the setting AzureWebJobsStorage with a storage connection string.", e.Message);
    }

    private (LocalFunctionsHost Host, Recorder Recorder) Build(params Stage[] stages) => Build([], _ => { }, stages);

    private (LocalFunctionsHost Host, Recorder Recorder) Build(Action<LocalApp> configure, params Stage[] stages) => Build([], configure,
        stages);

    private (LocalFunctionsHost Host, Recorder Recorder) Build(string[] args, Action<LocalApp> configure, params Stage[] stages) =>
        Build(args, configure, [typeof(RouteFunctions)], stages);

    private (LocalFunctionsHost Host, Recorder Recorder) Build(string[] args, Action<LocalApp> configure, Type[] classes,
        params Stage[] stages)
    {
        (LocalApp builder, Recorder recorder, _) = TestApp.Create(_data.Path, classes, args);
        builder.Worker.ConfigureFunctionsWebApplication();
        configure(builder);
        foreach (Stage stage in stages)
            builder.Stages.Add(stage);
        return (builder.WithPortOfItsOwn().Build(), recorder);
    }

    private sealed class StorageOptions
    {
        [Required]
        public string Name { get; set; } = "";
    }

    private sealed class Stage(string name, List<string> events) : IStartupStage
    {
        public Action<StartupContext> OnStart { get; init; } = _ => { };

        public Action OnAfter { get; init; } = () => { };

        public string Name => name;

        public Task StartAsync(StartupContext context, CancellationToken cancellationToken)
        {
            events.Add($"{name} start");
            OnStart(context);
            return Task.CompletedTask;
        }

        public Task AfterAppStartedAsync(StartupContext context, CancellationToken cancellationToken)
        {
            events.Add($"{name} after {context.Address}");
            OnAfter();
            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            events.Add($"{name} end");
            return ValueTask.CompletedTask;
        }
    }
}

public sealed class GatedFunction(Recorder recorder)
{
    [Microsoft.Azure.Functions.Worker.Function("Gated")]
    public async Task<Microsoft.AspNetCore.Http.IResult> RunAsync(
        [Microsoft.Azure.Functions.Worker.HttpTrigger(Microsoft.Azure.Functions.Worker.AuthorizationLevel.Anonymous)] Microsoft.AspNetCore.Http.HttpRequest request,
        CancellationToken cancellationToken)
    {
        recorder.Add("begin");
        await recorder.WaitAtAsync("gate", cancellationToken);
        recorder.Add("end");
        return Microsoft.AspNetCore.Http.Results.Text("done");
    }
}
