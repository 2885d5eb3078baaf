using System.Globalization;

namespace KpiDashboard.Demo.Datasets;

/// <summary>
/// The moment that a demo's past is laid out from. It stays the same from start to start, so that numbers, incidents and execution ids do not move under data
/// that is already synced, and is kept beside the database. A start on a day for which the replayed figures would be laid another week further sets it anew, and everything that was
/// read before has to be forgotten.
/// </summary>
/// <param name="At">The moment.</param>
/// <param name="IsNew">Whether numbers that were read before, if any, are dated by another anchor.</param>
internal readonly record struct DemoAnchor(DateTimeOffset At, bool IsNew)
{
    private const string FileName = "demo-anchor.txt";

    /// <summary>The kept anchor, if it still serves; otherwise now.</summary>
    public static DemoAnchor Load(string dataDirectory, TimeProvider time)
    {
        var file = Path.Combine(dataDirectory, FileName);
        var now = time.GetUtcNow();
        return File.Exists(file)
            && DateTimeOffset.TryParseExact(File.ReadAllText(file).Trim(), "O", CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var kept)
            && LastRows(kept) == LastRows(now)
                ? new DemoAnchor(kept, IsNew: false)
                : new DemoAnchor(now, IsNew: true);
    }

    /// <summary>Keeps it, once nothing dated by another one is left: a start that broke off before must do that work again.</summary>
    public void Save(string dataDirectory) => File.WriteAllText(Path.Combine(dataDirectory, FileName), At.ToString("O", CultureInfo.InvariantCulture));

    private static (DateOnly, DateOnly) LastRows(DateTimeOffset anchor) => (new MerchShop(anchor).LastRow, new OpenLectures(anchor).LastRow);
}
