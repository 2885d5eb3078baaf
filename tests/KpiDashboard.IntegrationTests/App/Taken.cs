using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using KpiDashboard.LocalHost.Runtime;
using Microsoft.Testing.Platform.Builder;
using Microsoft.Testing.Platform.Extensions.Messages;
using Microsoft.Testing.Platform.Extensions.TestHost;
using Microsoft.Testing.Platform.Services;

namespace KpiDashboard.IntegrationTests.App;

/// <summary>
/// Says what a run took of what it found on this machine or fetched. <c>dotnet test</c> shows nothing of what a module prints that passes,
/// but names the files that it leaves: so each sentence is a file, and its name says it.
/// </summary>
internal static partial class Taken
{
    private static readonly ConcurrentBag<FileInfo> s_files = [];

    /// <param name="what">Of what kind it is.</param>
    /// <param name="name">Its name, version and where it comes from.</param>
    /// <param name="path">Where it is, if that says more.</param>
    public static void Say(string what, string name, string? path = null)
    {
        var line = $"{what}: {name}{(path is null ? "" : $", {path}")}";
        Console.WriteLine(line);
        var root = LocalHostOptions.FindRepositoryRoot(AppContext.BaseDirectory) ?? Path.GetTempPath();
        var folder = Directory.CreateDirectory(Path.Combine(root, "artifacts", "taken"));
        foreach (var old in folder.GetFiles($"{what} - *")) old.Delete();
        var file = new FileInfo(Path.Combine(folder.FullName, $"{what} - {Unfit().Replace(name, "-")}.txt"));
        File.WriteAllText(file.FullName, line + Environment.NewLine);
        s_files.Add(file);
    }

    /// <summary>Called by the entry point that is generated for the test program (<c>TestingPlatformBuilderHook</c> in the project).</summary>
    public static void AddExtensions(ITestApplicationBuilder builder, string[] _) =>
        builder.TestHost.AddTestSessionLifetimeHandler(services => new Names(services));

    [GeneratedRegex("""[<>:"/\\|?*\x00-\x1f]+""")]
    private static partial Regex Unfit();

    private sealed class Names(IServiceProvider services) : ITestSessionLifetimeHandler, IDataProducer
    {
        public string Uid => nameof(Taken);

        public string Version => "1";

        public string DisplayName => "What was taken";

        public string Description => "Names what the tests took of this machine.";

        public Type[] DataTypesProduced => [typeof(SessionFileArtifact)];

        public Task<bool> IsEnabledAsync() => Task.FromResult(true);

        public Task OnTestSessionStartingAsync(ITestSessionContext testSessionContext) => Task.CompletedTask;

        public async Task OnTestSessionFinishingAsync(ITestSessionContext testSessionContext)
        {
            foreach (var file in s_files)
                await services.GetMessageBus().PublishAsync(this, new SessionFileArtifact(testSessionContext.SessionUid, file, file.Name));
        }
    }
}
