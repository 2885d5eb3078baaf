using System.Net;
using System.Net.Sockets;

namespace KpiDashboard.LocalHost.Embedded;

/// <summary>Picks TCP ports on the loopback address that nobody listens on at the moment.</summary>
/// <remarks>
/// Not of those that systems hand out for connections and to whoever asks for any port (from 32768 on, or 49152): what is picked here is
/// often used only a minute later, and would be gone by then. Somebody may take it all the same: whoever asks must be ready to try another.
/// </remarks>
internal static class FreePort
{
    private const int First = 12_000, Last = 31_999, Tries = 200;

    /// <summary>One free port.</summary>
    public static int Next() => Next(1)[0];

    /// <summary>Several free ports, all different.</summary>
    public static int[] Next(int count)
    {
        // All are held at once, or the same one could be picked twice.
        var listeners = new List<TcpListener>(count);
        try
        {
            for (var i = 0; i < count; i++)
                listeners.Add(Listen());
            return [.. listeners.Select(l => ((IPEndPoint)l.LocalEndpoint).Port)];
        }
        finally
        {
            foreach (var listener in listeners)
                listener.Dispose();
        }
    }

    private static TcpListener Listen()
    {
        for (var i = 0; ; i++)
        {
            // A machine on which none of so many is free may hand out what it has.
            var port = i < Tries ? Random.Shared.Next(First, Last + 1) : 0;
            var listener = new TcpListener(IPAddress.Loopback, port) { ExclusiveAddressUse = true };
            try
            {
                listener.Start();
                return listener;
            }
            catch (SocketException) when (i < Tries)
            {
                listener.Dispose();
            }
        }
    }

    /// <summary>Whether somebody accepts connections on this port of the loopback address.</summary>
    public static async Task<bool> IsListeningAsync(int port, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(1));
        using var client = new TcpClient(AddressFamily.InterNetwork);
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, port, limit.Token);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
