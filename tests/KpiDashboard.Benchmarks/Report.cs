using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace KpiDashboard.Benchmarks;

/// <summary>What benchmarks print, kept in docs/benchmarks.md: a section each.</summary>
internal static class Report
{
    /// <summary>The machine, in a line.</summary>
    public static string Machine()
    {
        const string list = "/proc/cpuinfo";
        var lines = File.Exists(list) ? File.ReadLines(list) : [];
        var named = lines.FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal));
        var processor = named?.Split(':')[1].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
        return $"{Environment.ProcessorCount} × {processor}, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}";
    }

    /// <summary>What a benchmark wrote last; null where it never did.</summary>
    public static async Task<string?> LastAsync(string root, string benchmark)
    {
        var path = PathOf(root);
        if (!File.Exists(path)) return null;
        var file = await File.ReadAllTextAsync(path);
        var (from, to) = (file.IndexOf(Begin(benchmark), StringComparison.Ordinal), file.IndexOf(End(benchmark), StringComparison.Ordinal));
        return from < 0 || to < from ? null : file[(from + Begin(benchmark).Length)..to];
    }

    /// <summary>Puts a benchmark's section in the place of its last one.</summary>
    public static async Task WriteAsync(string root, string benchmark, string title, string section)
    {
        var path = PathOf(root);
        var file = File.Exists(path) ? await File.ReadAllTextAsync(path)
            : "# Benchmarks\n\nWhat was measured, by which command, on which machine.\n";
        var part = $"""
            {Begin(benchmark)}
            ## {title}

            `dotnet run -c Release --project tests/KpiDashboard.Benchmarks -- {benchmark}` prints this and writes it here.

            {section.Trim()}
            {End(benchmark)}
            """;
        var (from, to) = (file.IndexOf(Begin(benchmark), StringComparison.Ordinal), file.IndexOf(End(benchmark), StringComparison.Ordinal));
        file = from < 0 ? $"{file.TrimEnd()}\n\n{part}\n" : file[..from] + part + file[(to + End(benchmark).Length)..];
        await File.WriteAllTextAsync(path, file.ReplaceLineEndings("\n"));
    }

    private static string PathOf(string root) => Path.Combine(root, "docs/benchmarks.md");

    private static string Begin(string benchmark) => $"<!-- {benchmark}: written by the benchmark '{benchmark}' -->";

    private static string End(string benchmark) => $"<!-- /{benchmark} -->";

    /// <summary>Lines that are printed as they come, and kept for the report.</summary>
    internal sealed class Said
    {
        private readonly StringBuilder _text = new();

        public void Line(string line)
        {
            Console.WriteLine(line);
            _text.Append(line.TrimEnd()).Append('\n');
        }

        /// <summary>Prints what was said the last time, and puts this in its place.</summary>
        public async Task WriteAsync(string root, string benchmark, string title)
        {
            if (await LastAsync(root, benchmark) is { } last) Console.WriteLine($"{Environment.NewLine}The last time:{Environment.NewLine}{last.Trim()}");
            await Report.WriteAsync(root, benchmark, title,
                string.Create(CultureInfo.InvariantCulture, $"Measured on {DateTime.UtcNow:yyyy-MM-dd} on {Machine()}.\n\n```\n{_text}```"));
        }
    }
}
