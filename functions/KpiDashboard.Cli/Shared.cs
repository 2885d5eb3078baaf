using System.CommandLine;
using Azure;
using Azure.Identity;
using KpiDashboard.Api;
using KpiDashboard.Operations.Backups;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;

namespace KpiDashboard.Cli;

/// <summary>The command cannot go on; the message is one sentence for the person at the terminal.</summary>
internal sealed class CliException : Exception
{
    /// <summary>With the sentence, and one that says what to do.</summary>
    public CliException(string message, string? fix = null)
        : base(message) => Fix = fix;

    public string? Fix { get; }
}

/// <summary>Options of every command, and the frame that each runs in.</summary>
internal static class Shared
{
    public static Option<bool> Json { get; } = new("--json") { Description = "One JSON object on standard output, for programs", Recursive = true };

    public static Option<bool> Local { get; } = new("--local") { Description = "The copy that runs on this machine, whatever the settings say; the default where none are", Recursive = true };

    public static Option<string?> Data { get; } = new("--data") { Description = "Data folder of that copy (KPI_DATA; default .local)", HelpName = "DIR", Recursive = true };

    public static Option<string?> SettingsFile { get; } = new("--settings") { Description = "A local.settings.json; default: that of KpiDashboard.Functions", HelpName = "FILE", Recursive = true };

    public static Option<string[]> Set { get; } = new("--set") { Description = "One setting, wins over file and environment; may be repeated", HelpName = "NAME=VALUE", Recursive = true, AllowMultipleArgumentsPerToken = false };

    public static IReadOnlyList<Option> All { get; } = [Json, Local, Data, SettingsFile, Set];

    /// <summary>A command that runs with settings and services; whatever it cannot do becomes a sentence and an exit code.</summary>
    public static Command Runs(this Command command, Func<Session, CancellationToken, Task<int>> run)
    {
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var output = new Output(parsed.GetValue(Json));
            try
            {
                await using var session = await Session.OpenAsync(parsed, output, cancellationToken);
                return await run(session, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                output.Fail("Interrupted.", null);
                return CommandTree.Interrupted;
            }
            catch (CliException error)
            {
                output.Fail(error.Message, error.Fix);
                return CommandTree.Failed;
            }
            catch (Exception error) when (Sentence(error) is { } sentence)
            {
                output.Fail(sentence, null);
                return CommandTree.Failed;
            }
        });
        return command;
    }

    /// <summary>What an expected fault is called; null for one of ours, which shows its stack. Never a connection string: drivers do not put them into messages.</summary>
    internal static string? Sentence(Exception error) => error switch
    {
        BackupException or ApiProblem => error.Message,
        OptionsValidationException invalid => string.Join(" ", invalid.Failures),
        PostgresException refused => $"The database refused: {refused.MessageText} ({refused.SqlState})",
        NpgsqlException away => $"The database cannot be reached: {(away.InnerException ?? away).Message}",
        RequestFailedException { Status: 0 } away => $"The storage account cannot be reached: {(away.InnerException ?? away).Message}",
        RequestFailedException storage => $"The storage account refused: {storage.ErrorCode ?? storage.Status.ToString(System.Globalization.CultureInfo.InvariantCulture)}.",
        AuthenticationFailedException => "No Azure sign-in was found: run az login, or use a managed identity.",
        AggregateException { InnerExceptions: [var first, ..] } => Sentence(first),
        IOException or UnauthorizedAccessException => error.Message,
        // Clients tell their own limits as a cancellation; what the operator interrupts does not come here.
        OperationCanceledException or TimeoutException => "A server did not answer in time. Try again; doctor says which one.",
        HttpRequestException http => $"The address does not answer: {http.Message}",
        InvalidOperationException invalid => invalid.Message,
        _ => null,
    };

    /// <summary>An option that is a whole number from 1.</summary>
    public static Option<int> Whole(string name, string description, int usual, int most)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => usual };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is var number && (number < 1 || number > most)) result.AddError($"{name} must be 1 to {Output.Number(most)}.");
        });
        return option;
    }

    public static T Get<T>(this Session session)
        where T : notnull => session.Services.GetRequiredService<T>();
}
