using System.Globalization;

namespace KpiDashboard.Demo.Datasets;

/// <summary>
/// The moment that a demo's past is laid out from. It must stay the same for as long as the demo's database lives: with another one the replayed days, the incidents
/// and the execution ids would move under data already synced. So it is kept beside the database and goes with it on <c>--reset</c>.
/// </summary>
internal static class DemoAnchor
{
    private const string FileName = "demo-anchor.txt";

    /// <summary>The anchor kept in the folder; at the first time, now.</summary>
    public static DateTimeOffset LoadOrCreate(string dataDirectory, TimeProvider time)
    {
        var file = Path.Combine(dataDirectory, FileName);
        if (File.Exists(file)
            && DateTimeOffset.TryParseExact(File.ReadAllText(file).Trim(), "O", CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var kept))
            return kept;
        var now = time.GetUtcNow();
        File.WriteAllText(file, now.ToString("O", CultureInfo.InvariantCulture));
        return now;
    }
}
