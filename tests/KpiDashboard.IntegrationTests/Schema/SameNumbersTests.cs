using System.IO.Compression;
using System.Text;
using System.Text.Json;
using KpiDashboard.IntegrationTests.Embedded;
using Xunit;

namespace KpiDashboard.IntegrationTests.Schema;

/// <summary>Whatever becomes of how values lie: every number of every route stays what it was, to the last digit.</summary>
public sealed class SameNumbersTests(PostgresFixture postgres)
{
    private const string Answers = "answers.br";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_number_of_every_route_is_after_the_migrations_what_it_was_before()
    {
        await using var demo = await DemoOfNovember.StartAsync(postgres, Cancelled);
        var record = Environment.GetEnvironmentVariable("KPI_RECORD_ANSWERS");
        var differences = new List<string>();
        var (routes, numbers) = (0, 0);
        await using var written = record is null ? null : new StreamWriter(record, append: false, new UTF8Encoding(false));
        await foreach (var (business, path, before) in ReadAsync())
        {
            var now = await demo.GetAsync(business, path, Cancelled);
            routes++;
            if (written is not null) await written.WriteAsync($"{business}\t{path}\t{JsonSerializer.Serialize(now)}\n");
            else Compare($"{business} {path}", before, now, differences, ref numbers);
        }

        if (record is not null) return;
        Assert.True(differences.Count == 0, $"{differences.Count} of {numbers} differ:\n{string.Join('\n', differences.Take(40))}");
        Assert.True(routes > 1_000 && numbers > 170_000, $"{routes} routes told {numbers} numbers, which is not all of them.");
    }

    /// <summary>The answers that were recorded, a line each: business, path, body as a JSON string.</summary>
    private static async IAsyncEnumerable<(string Business, string Path, string Body)> ReadAsync()
    {
        await using var packed = new BrotliStream(File.OpenRead(Path.Combine(AppContext.BaseDirectory, "Data", "Demo", Answers)), CompressionMode.Decompress);
        using var lines = new StreamReader(packed, Encoding.UTF8);
        while (await lines.ReadLineAsync(Cancelled) is { } line)
        {
            var parts = line.Split('\t', 3);
            yield return (parts[0], parts[1], parts.Length < 3 ? "" : JsonSerializer.Deserialize<string>(parts[2])!);
        }
    }

    /// <summary>All that was told before is told now; more may be told. Files are the same byte for byte.</summary>
    private static void Compare(string where, string before, string now, List<string> differences, ref int numbers)
    {
        if (before.Length == 0 || before[0] is not ('{' or '['))
        {
            numbers += before.Count(one => one == '\n');
            if (before != now) differences.Add($"{where}: the text differs");
            return;
        }

        using var old = JsonDocument.Parse(before);
        using var fresh = Parse(now);
        if (fresh is null) differences.Add($"{where}: {now}");
        else Compare(where, old.RootElement, fresh.RootElement, differences, ref numbers);
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

    private static void Compare(string where, JsonElement before, JsonElement now, List<string> differences, ref int numbers)
    {
        if (before.ValueKind != now.ValueKind)
        {
            differences.Add($"{where}: {Short(before)} → {Short(now)}");
            return;
        }

        switch (before.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in before.EnumerateObject())
                {
                    if (now.TryGetProperty(property.Name, out var same)) Compare($"{where}.{property.Name}", property.Value, same, differences, ref numbers);
                    else differences.Add($"{where}.{property.Name} is gone");
                }

                break;
            case JsonValueKind.Array:
                if (before.GetArrayLength() != now.GetArrayLength()) differences.Add($"{where}: {before.GetArrayLength()} → {now.GetArrayLength()} entries");
                for (var index = 0; index < Math.Min(before.GetArrayLength(), now.GetArrayLength()); index++)
                    Compare($"{where}[{index}]", before[index], now[index], differences, ref numbers);
                break;
            default:
                if (before.ValueKind == JsonValueKind.Number) numbers++;
                if (before.GetRawText() != now.GetRawText()) differences.Add($"{where}: {Short(before)} → {Short(now)}");
                break;
        }
    }

    private static string Short(JsonElement element) => element.GetRawText() is { Length: > 120 } text ? text[..120] + "…" : element.GetRawText();
}
