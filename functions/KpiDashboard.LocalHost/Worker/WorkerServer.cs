using System.Collections.Concurrent;
using System.Net;
using Grpc.Core;
using KpiDashboard.LocalHost.Worker.Messages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.LocalHost.Worker;

/// <summary>Where workers connect to: gRPC on a loopback port. Only a worker whose random id is expected is let in.</summary>
internal sealed class WorkerServer : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource<WorkerConnection>> _expected = new(StringComparer.Ordinal);
    private readonly Action<RpcLog> _log;
    private WebApplication? _app;

    private WorkerServer(Action<RpcLog> log) => _log = log;

    /// <summary>The address for workers.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Starts it on a free port.</summary>
    /// <param name="log">Gets what workers log.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    public static async Task<WorkerServer> StartAsync(Action<RpcLog> log, CancellationToken cancellationToken)
    {
        WorkerServer server = new(log);
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(
            new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
            listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddRouting();
        builder.Services.AddGrpc(grpc => (grpc.MaxReceiveMessageSize, grpc.MaxSendMessageSize) = (null, null));
        builder.Services.AddSingleton(server);
        builder.Services.AddSingleton<Microsoft.Extensions.Hosting.IHostLifetime, Runtime.NoLifetime>();
        server._app = builder.Build();
        server._app.MapGrpcService<Rpc>();
        await server._app.StartAsync(cancellationToken);
        server.Address = new Uri(
            server._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return server;
    }

    /// <summary>Completes when the worker of this id has connected.</summary>
    public Task<WorkerConnection> ExpectAsync(string workerId) =>
        _expected.GetOrAdd(workerId, static _ => new TaskCompletionSource<WorkerConnection>(
            TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            using CancellationTokenSource now = new(TimeSpan.FromSeconds(1));
            try
            {
                await _app.StopAsync(now.Token);
            }
            catch (OperationCanceledException)
            {
                // A stream that its worker does not end is cut off.
            }

            await _app.DisposeAsync();
        }
    }

    private sealed class Rpc(WorkerServer server) : FunctionRpc.FunctionRpcBase
    {
        public override async Task EventStream(
            IAsyncStreamReader<StreamingMessage> requestStream, IServerStreamWriter<StreamingMessage> responseStream,
                ServerCallContext context)
        {
            if (!await requestStream.MoveNext(context.CancellationToken)
                || requestStream.Current.ContentCase != StreamingMessage.ContentOneofCase.StartStream
                || !server._expected.TryRemove(requestStream.Current.StartStream.WorkerId,
                    out TaskCompletionSource<WorkerConnection>? expected))
            {
                throw new Grpc.Core.RpcException(new Status(StatusCode.PermissionDenied, "No worker of this id is expected."));
            }

            WorkerConnection connection = new(server._log);
            expected.TrySetResult(connection);
            await connection.RunAsync(requestStream, responseStream, context.CancellationToken);
        }
    }
}
