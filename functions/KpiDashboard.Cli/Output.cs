using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using KpiDashboard.Operations.Backups;
using Spectre.Console;

namespace KpiDashboard.Cli;

/// <summary>
/// What a command says. Results go to standard output, as tables or with <c>--json</c> as one object; progress and complaints to standard error, so that a pipe
/// gets results alone. Bars are drawn on a terminal only.
/// </summary>
internal sealed class Output(bool json)
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    public bool IsJson => json;

    public IAnsiConsole Console { get; } = Wide(AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(System.Console.Out) }), System.Console.IsOutputRedirected);

    private IAnsiConsole Error { get; } = Wide(AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(System.Console.Error) }), System.Console.IsErrorRedirected);

    /// <summary>The result: as an object, or as <paramref name="show"/> draws it.</summary>
    public void Result<T>(T value, Action<IAnsiConsole> show)
    {
        if (json) System.Console.Out.WriteLine(JsonSerializer.Serialize(value, s_json));
        else show(Console);
    }

    /// <summary>Why it did not work, and what to do.</summary>
    public void Fail(string sentence, string? fix)
    {
        if (json)
        {
            System.Console.Out.WriteLine(JsonSerializer.Serialize(new { error = new { message = sentence, fix } }, s_json));
            return;
        }

        Error.MarkupLineInterpolated($"[red]Failed:[/] {sentence}");
        if (fix is not null) Error.MarkupLineInterpolated($"[grey]{fix}[/]");
    }

    /// <summary>A line about what goes on, not part of the result.</summary>
    public void Note(string text)
    {
        if (!json) Error.MarkupLineInterpolated($"[grey]{text}[/]");
    }

    /// <summary>Runs work with bars, if somebody looks.</summary>
    public async Task<T> WithBarsAsync<T>(Func<Func<string, Action<double, string>>, Task<T>> work)
    {
        if (json || !Error.Profile.Capabilities.Interactive || System.Console.IsErrorRedirected) return await work(_ => (_, _) => { });
        return await Error.Progress().HideCompleted(false).AutoClear(false)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .StartAsync(context => work(name =>
            {
                var task = context.AddTask(Markup.Escape(name), maxValue: 1);
                return (part, text) =>
                {
                    task.Value = part;
                    task.Description = Markup.Escape(text.Length == 0 ? name : $"{name} {text}");
                };
            }));
    }

    /// <summary>A bar that a backup moves.</summary>
    public static IProgress<BackupProgress> Bar(Action<double, string> bar) => new Direct(progress =>
        bar(progress.Tables == 0 ? 1 : (double)progress.Done / progress.Tables, $"{progress.Done}/{progress.Tables} tables, {Size(progress.Bytes)}"));

    public static string Size(long bytes) => bytes switch
    {
        < 10_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes:N0} B"),
        < 10_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:N0} kB"),
        < 10_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:N0} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:N1} GB"),
    };

    public static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    public static string Ago(DateTimeOffset? then, DateTimeOffset now) => then is not { } at ? "–" : (now - at) switch
    {
        { TotalSeconds: < 90 } time => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, time.TotalSeconds):0} s ago"),
        { TotalMinutes: < 90 } time => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMinutes:0} min ago"),
        { TotalHours: < 48 } time => string.Create(CultureInfo.InvariantCulture, $"{time.TotalHours:0} h ago"),
        var time => string.Create(CultureInfo.InvariantCulture, $"{time.TotalDays:0} days ago"),
    };

    public static Table Table(params string[] columns)
    {
        var table = new Table().Border(TableBorder.Simple).BorderStyle(new Style(Color.Grey));
        foreach (var column in columns) table.AddColumn(new TableColumn(new Text(column, new Style(decoration: Decoration.Bold))) { NoWrap = column is "Id" or "Run" or "Last read" });
        return table;
    }

    /// <summary>Rows as a table, or, where a terminal is too narrow for one, each as a few lines: its first cell, then the others with the names of their columns.</summary>
    public static void List(IAnsiConsole console, string[] columns, IEnumerable<string[]> rows)
    {
        if (console.Profile.Width >= 110)
        {
            var table = Table(columns);
            foreach (var row in rows) table.AddRow(row);
            console.Write(table);
            return;
        }

        console.WriteLine();
        foreach (var row in rows)
        {
            console.MarkupLine($"[bold]{row[0]}[/]");
            var rest = columns.Zip(row).Skip(1).Where(cell => cell.Second.Length > 0).Select(cell => cell.First.Length == 0 ? cell.Second : $"[grey]{cell.First}[/] {cell.Second}");
            console.Write(new Padder(new Markup(string.Join("  ", rest)), new Padding(2, 0, 0, 0)));
        }

        console.WriteLine();
    }

    /// <summary>Into a file or a pipe nothing is cut to the width of a terminal that is not there.</summary>
    private static IAnsiConsole Wide(IAnsiConsole console, bool redirected)
    {
        if (redirected) console.Profile.Width = 240;
        return console;
    }

    private sealed class Direct(Action<BackupProgress> report) : IProgress<BackupProgress>
    {
        public void Report(BackupProgress value) => report(value);
    }
}
