using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace KpiDashboard.IntegrationTests.Embedded;

/// <summary>Looks at processes from outside.</summary>
public static class Processes
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    /// <summary>Whether a process runs. One that is dead but was not yet waited for (its parent is gone and nobody cleans up in a container) does not.</summary>
    public static bool IsAlive(int id)
    {
        if (OperatingSystem.IsLinux())
        {
            try
            {
                var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/stat"));
                return stat[stat.LastIndexOf(')') + 2] is not ('Z' or 'X');
            }
            catch (IOException)
            {
                return false;
            }
        }
        try
        {
            using var process = Process.GetProcessById(id);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    /// <summary>Waits, with a generous limit, until something holds.</summary>
    public static async Task UntilAsync(Func<bool> holds, string what, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        while (!holds())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < Limit, $"After {Limit.TotalSeconds} s: {what}");
            await Task.Delay(50, cancellationToken);
        }
    }

    /// <summary>Runs a small program to its end.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(CancellationToken cancellationToken, params string[] command)
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true }
            )!;
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return (process.ExitCode, output + await errors);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (127, e.Message);
        }
    }
}
