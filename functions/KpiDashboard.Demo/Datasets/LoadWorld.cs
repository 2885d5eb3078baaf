using System.Globalization;
using KpiDashboard.Demo.Google;
using KpiDashboard.Demo.N8n;

namespace KpiDashboard.Demo.Datasets;

/// <summary>
/// Providers of as many businesses as a test of capacity wants: a property and an n8n for each, so that none uses up another's allowance, as none does in the world. What they
/// know depends on their number and the anchor alone; whoever has both knows the truth without asking.
/// </summary>
internal static class LoadWorld
{
    /// <summary>Most businesses.</summary>
    public const int Most = 10_000;

    /// <summary>Zone of all of them.</summary>
    public const string TimeZone = "Europe/Berlin";

    /// <summary>Key of every n8n.</summary>
    public const string ApiKey = "n8n_load";

    /// <summary>Days of executions that each n8n has kept: its own default.</summary>
    private const int KeptDays = 14;

    /// <summary>Id of a business's property, by its number from 1.</summary>
    public static string PropertyId(int number) => (700_000_000 + number).ToString(CultureInfo.InvariantCulture);

    /// <summary>What may read it.</summary>
    public static string RefreshToken(int number) => $"1//load-{number.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>Name of its n8n.</summary>
    public static string Instance(int number) => $"load-{number.ToString("D5", CultureInfo.InvariantCulture)}";

    /// <summary>The Google side.</summary>
    /// <param name="count">How many businesses.</param>
    /// <param name="anchor">The moment that their past is laid out from.</param>
    /// <param name="port">0 picks a free one.</param>
    public static GoogleSimulatorOptions Google(int count, DateTimeOffset anchor, int port = 0) => new()
    {
        Port = port,
        Properties = [.. Numbers(count).Select(number => new GoogleProperty(Site(number, anchor), RefreshToken(number)))],
    };

    /// <summary>The n8n side.</summary>
    /// <param name="count">How many businesses.</param>
    /// <param name="anchor">The moment that their past is laid out from.</param>
    /// <param name="port">0 picks a free one.</param>
    public static N8nSimulatorOptions N8n(int count, DateTimeOffset anchor, int port = 0) => new()
    {
        Port = port,
        Instances = [.. Numbers(count).Select(number => new N8nInstance(Instance(number), ApiKey, Automation(number, anchor)))],
    };

    /// <summary>The site of a business: what its property knows.</summary>
    public static GeneratedSite Site(int number, DateTimeOffset anchor) => new(
        new SiteProfile
        {
            PropertyId = PropertyId(number),
            TimeZone = TimeZone,
            Currency = "EUR",
            Seed = 10_000 + number,
            Sessions = 60 + number % 7 * 40,
            Growth = 0.1,
            Season = 0.2,
            OrderRate = 0.02,
            OrderValue = 20 + number % 11 * 6,
            EnquiryRate = 0.01,
        },
        anchor);

    /// <summary>What its n8n did.</summary>
    public static N8nDataset Automation(int number, DateTimeOffset anchor) => new(
        10_000 + number, TimeZone, Zoned.Day(anchor, TimeZoneInfo.FindSystemTimeZoneById(TimeZone)).AddDays(-KeptDays),
        [
            new() { Id = "load1Orders00001", Name = "Order sync", TimeSavedMinutes = 2, Mode = "webhook", Runs = day => 4 + (number + day.DayNumber) % 5, FailureRate = 0.02 },
            new() { Id = "load2Report00002", Name = "Report", TimeSavedMinutes = 15, Runs = static _ => 1, Hours = (6, 7) },
        ])
    { IsTried = false };

    private static IEnumerable<int> Numbers(int count) => count is > 0 and <= Most
        ? Enumerable.Range(1, count)
        : throw new ArgumentOutOfRangeException(nameof(count), count, $"There are 1 to {Most} businesses.");
}
