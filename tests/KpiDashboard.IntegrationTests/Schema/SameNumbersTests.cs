using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using KpiDashboard.IntegrationTests.Embedded;
using Xunit;

namespace KpiDashboard.IntegrationTests.Schema;

/// <summary>Whatever becomes of how values lie: every number of every route stays what it was, to the last digit.</summary>
[Trait("Clock", "none")]
public sealed partial class SameNumbersTests(PostgresFixture postgres)
{
    private const string Answers = "answers.br";

    /// <summary>Texts that are as good as numbers: what a number is of, and how far it can be trusted. Sentences may be put better one day.</summary>
    private static readonly HashSet<string> Told = new(StringComparer.Ordinal)
    {
        "key", "kpi", "date", "day", "from", "to", "compareFrom", "compareTo", "status", "dayStatus", "changeWithheld", "unit", "currency", "connector", "integrationId",
        "runId", "broughtBy", "firstSeenAt", "changedAt", "at", "fetchedAt", "completeThrough", "finalThrough", "noDataSince", "since", "member", "shareOf", "state",
    };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_number_of_every_route_is_after_the_migrations_what_it_was_before()
    {
        await using var demo = await DemoOfNovember.StartAsync(postgres, Cancelled);
        var record = Environment.GetEnvironmentVariable("KPI_RECORD_ANSWERS");
        var (asked, now) = (await ReadAsync().ToListAsync(Cancelled), new ConcurrentDictionary<int, string>());
        await Parallel.ForEachAsync(Enumerable.Range(0, asked.Count), new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = Cancelled }, async (index, token) =>
            now[index] = await demo.GetAsync(asked[index].Business, asked[index].Path, token));
        if (record is not null)
        {
            await File.WriteAllLinesAsync(record, asked.Select((one, index) => $"{one.Business}\t{one.Path}\t{JsonSerializer.Serialize(now[index])}"), Cancelled);
            return;
        }

        var comparison = new Comparison();
        for (var index = 0; index < asked.Count; index++) comparison.Add($"{asked[index].Business} {asked[index].Path}", asked[index].Body, now[index]);
        Assert.True(
            comparison.Differences.Count == 0,
            $"{comparison.Differences.Count} of {comparison.Numbers} differ:\n{string.Join('\n', comparison.Differences.Take(40))}");
        Assert.True(asked.Count > 1_000 && comparison.Numbers > 170_000, $"{asked.Count} routes told {comparison.Numbers} numbers, which is not all of them.");
    }

    [Theory]
    [InlineData("""{"value":1.50,"text":"a"}""", """{"value":1.50,"text":"b","more":2}""", 0)]
    [InlineData("""{"value":1.50}""", """{"value":1.5}""", 1)]
    [InlineData("""{"value":null}""", """{"value":0}""", 1)]
    [InlineData("""{"points":[{"date":"2026-01-01","status":"final"}]}""", """{"points":[{"date":"2026-01-01","status":"partial"}]}""", 1)]
    [InlineData("""{"points":[1,2]}""", """{"points":[1]}""", 1)]
    [InlineData("""{"a":1}""", "There is no such KPI.", 1)]
    [InlineData("date,kpi,name,value\n2026-01-01,k,Old,1\n", "date,kpi,name,value\n2026-01-01,k,New,1\n", 0)]
    [InlineData("date,kpi,name,value\n2026-01-01,k,Old,1\n", "date,kpi,name,value\n2026-01-01,k,Old,1.0\n", 1)]
    public void The_comparison_sees_every_number_and_no_wording(string before, string after, int differences)
    {
        var comparison = new Comparison();
        comparison.Add("x", before, after);
        Assert.Equal(differences, comparison.Differences.Count);
    }

    /// <summary>The answers that were recorded, a line each: business, path, body as a JSON string.</summary>
    private static async IAsyncEnumerable<(string Business, string Path, string Body)> ReadAsync()
    {
        await using var packed = new BrotliStream(File.OpenRead(Path.Combine(AppContext.BaseDirectory, "Data", "Demo", Answers)), CompressionMode.Decompress);
        using var lines = new StreamReader(packed, Encoding.UTF8);
        while (await lines.ReadLineAsync(Cancelled) is { } line)
        {
            var parts = line.Split('\t', 3);
            yield return (parts[0], parts[1], JsonSerializer.Deserialize<string>(parts[2])!);
        }
    }

    /// <summary>All that was told before is told now; more may be told.</summary>
    private sealed partial class Comparison
    {
        public List<string> Differences { get; } = [];

        public int Numbers { get; private set; }

        public void Add(string where, string before, string now)
        {
            if (before.Length > 0 && before[0] is '{' or '[')
            {
                using var old = JsonDocument.Parse(before);
                using var fresh = Parse(now);
                if (fresh is null) Differences.Add($"{where}: {now}");
                else Add(where, null, old.RootElement, fresh.RootElement);
                return;
            }

            var (rows, others) = (Rows(before), Rows(now));
            Numbers += rows.Count;
            if (rows.Count != others.Count) Differences.Add($"{where}: {rows.Count} → {others.Count} rows");
            for (var row = 0; row < Math.Min(rows.Count, others.Count); row++)
                if (rows[row] != others[row]) Differences.Add($"{where}: {rows[row]} → {others[row]}");
        }

        private void Add(string where, string? name, JsonElement before, JsonElement now)
        {
            if (before.ValueKind != now.ValueKind)
            {
                Differences.Add($"{where}: {Short(before)} → {Short(now)}");
                return;
            }

            switch (before.ValueKind)
            {
                case JsonValueKind.Object:
                    foreach (var property in before.EnumerateObject())
                    {
                        if (now.TryGetProperty(property.Name, out var same)) Add($"{where}.{property.Name}", property.Name, property.Value, same);
                        else Differences.Add($"{where}.{property.Name} is gone");
                    }

                    break;
                case JsonValueKind.Array:
                    if (before.GetArrayLength() != now.GetArrayLength()) Differences.Add($"{where}: {before.GetArrayLength()} → {now.GetArrayLength()} entries");
                    for (var index = 0; index < Math.Min(before.GetArrayLength(), now.GetArrayLength()); index++) Add($"{where}[{index}]", name, before[index], now[index]);
                    break;
                case JsonValueKind.String when name is null || !Told.Contains(name):
                    break;
                default:
                    if (before.ValueKind == JsonValueKind.Number) Numbers++;
                    if (before.GetRawText() != now.GetRawText()) Differences.Add($"{where}: {Short(before)} → {Short(now)}");
                    break;
            }
        }

        /// <summary>The lines of a file without the column of names.</summary>
        private static List<string> Rows(string text)
        {
            var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Field().Matches(line.TrimEnd('\r')).Select(field => field.Value).ToList()).ToList();
            var name = lines.Count == 0 ? -1 : lines[0].FindIndex(field => field.TrimStart(',') == "name");
            return [.. lines.Select(line => string.Concat(line.Where((_, column) => column != name)))];
        }

        private static JsonDocument? Parse(string text)
        {
            try
            {
                return JsonDocument.Parse(text);
            }
            catch (JsonException)
            {
                return null;
            }
        }

        /// <summary>A field with the comma before it, quoted or not.</summary>
        [GeneratedRegex("(?:^|,)(?:\"(?:[^\"]|\"\")*\"|[^,]*)")]
        private static partial Regex Field();

        private static string Short(JsonElement element) => element.GetRawText() is { Length: > 120 } text ? text[..120] + "…" : element.GetRawText();
    }
}
