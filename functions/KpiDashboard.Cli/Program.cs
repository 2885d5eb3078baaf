using System.CommandLine;
using KpiDashboard.Cli;

return await CommandTree.RunAsync(args);

namespace KpiDashboard.Cli
{
    /// <summary>The commands, and what ends them: 0 done, 1 failed or something is wrong, 2 not understood, 130 interrupted.</summary>
    internal static class CommandTree
    {
        public const int Done = 0, Failed = 1, NotUnderstood = 2, Interrupted = 130;

        public static async Task<int> RunAsync(string[] args)
        {
            var root = new RootCommand("Operates an installation of KPI Dashboard: schema, state, dead letters, backups, load.");
            foreach (var option in Shared.All) root.Add(option);
            root.Add(StateCommands.Doctor());
            root.Add(StateCommands.Tenants());
            root.Add(StateCommands.Runs());
            root.Add(StateCommands.Requeue());
            root.Add(DataCommands.Migrate());
            root.Add(DataCommands.RotateKeys());
            root.Add(DataCommands.Backup());
            root.Add(DataCommands.VerifyBackup());
            root.Add(DataCommands.Restore());
            root.Add(LoadCommands.Loadgen());

            var parsed = root.Parse(args);
            if (parsed.Errors.Count > 0)
            {
                var output = new Output(parsed.GetValue(Shared.Json));
                output.Fail(Mistakes(parsed.Errors), "--help lists commands and options.");
                return NotUnderstood;
            }

            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromSeconds(10) });
        }

        /// <summary>That a command is missing follows from not knowing the word that stands in its place.</summary>
        private static string Mistakes(IReadOnlyList<System.CommandLine.Parsing.ParseError> errors)
        {
            var sentences = errors.Select(error => error.Message).Distinct().ToList();
            if (sentences.Count > 1) sentences.RemoveAll(sentence => sentence.StartsWith("Required command", StringComparison.Ordinal));
            return string.Join(" ", sentences);
        }
    }
}
