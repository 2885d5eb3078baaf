using KpiDashboard.Demo.Google;
using KpiDashboard.Demo.N8n;

namespace KpiDashboard.Demo.Datasets;

/// <summary>A demo tenant and what it is connected with.</summary>
/// <param name="Name">Name of the business.</param>
/// <param name="TimeZone">IANA name.</param>
/// <param name="Currency">ISO 4217.</param>
/// <param name="Locale">BCP 47.</param>
/// <param name="Ga4PropertyId">Property in the <see cref="GoogleSimulator"/>.</param>
/// <param name="GoogleRefreshToken">What may read it.</param>
/// <param name="N8nInstance">Name (path) of the instance in the <see cref="N8nSimulator"/>; null if no n8n is connected.</param>
/// <param name="N8nApiKey">Its API key.</param>
/// <param name="HourlyLabourCost">In the tenant's currency.</param>
/// <param name="AutomationCostPerMonth">In the tenant's currency; null where there is no automation.</param>
internal sealed record DemoTenant(
    string Name, string TimeZone, string Currency, string Locale, string Ga4PropertyId, string GoogleRefreshToken, string? N8nInstance, string? N8nApiKey,
    decimal HourlyLabourCost, decimal? AutomationCostPerMonth);

/// <summary>
/// The demo: four businesses and the simulated providers behind them. The tokens and keys are worth nothing outside the simulators. Incidents and replayed figures lie relative
/// to the anchor (<see cref="DemoAnchor"/>) and stay where they are while the demo lives.
/// </summary>
internal static class DemoWorld
{
    /// <summary>In the order in which they are shown; interface.md, "Demo tenants".</summary>
    public static IReadOnlyList<DemoTenant> Tenants { get; } =
    [
        new("Merch Shop", "America/Los_Angeles", "USD", "en-US", "213025502", "1//demo-merch-shop", "merch-shop", "n8n_demo_merch_shop", 32, 60),
        new("Open Lectures", "Europe/London", "GBP", "en-GB", "284410077", "1//demo-open-lectures", null, null, 24, null),
        new("Nordlicht Studio", "Europe/Berlin", "EUR", "de-DE", "331907214", "1//demo-nordlicht-studio", "nordlicht-studio", "n8n_demo_nordlicht_studio", 38, 45),
        new("Kiwi Plumbing", "Pacific/Auckland", "NZD", "en-NZ", "402288190", "1//demo-kiwi-plumbing", null, null, 55, null),
    ];

    /// <summary>The Google side of the demo.</summary>
    public static GoogleSimulatorOptions Google(DateTimeOffset anchor) => new()
    {
        Properties =
        [
            Property(new MerchShop(anchor), Tenants[0]),
            Property(new OpenLectures(anchor), Tenants[1]),
            Property(NordlichtStudio(anchor), Tenants[2]),
            Property(KiwiPlumbing(anchor), Tenants[3]),
        ],
    };

    /// <summary>The Google account that a tenant is connected with.</summary>
    public static string GoogleAccount(DemoTenant tenant) => $"{tenant.Name.Replace(' ', '.').ToLowerInvariant()}@demo.example";

    private static GoogleProperty Property(IGa4Dataset dataset, DemoTenant tenant) =>
        new(dataset, tenant.GoogleRefreshToken) { Name = tenant.Name, Account = tenant.Name, Owner = GoogleAccount(tenant) };

    /// <summary>The n8n side of the demo.</summary>
    public static N8nSimulatorOptions N8n(DateTimeOffset anchor) => new()
    {
        Instances =
        [
            new("merch-shop", Tenants[0].N8nApiKey!, DemoAutomation.MerchShop(new MerchShop(anchor), anchor)),
            new("nordlicht-studio", Tenants[2].N8nApiKey!, DemoAutomation.NordlichtStudio(anchor)),
        ],
    };

    /// <summary>A studio with a shop: growth of a quarter a year, three days without tracking five weeks ago, a spike 17 days ago.</summary>
    public static GeneratedSite NordlichtStudio(DateTimeOffset anchor) => new(
        new SiteProfile
        {
            PropertyId = "331907214",
            TimeZone = "Europe/Berlin",
            Currency = "EUR",
            Seed = 13,
            Sessions = 430,
            Growth = 0.25,
            Season = 0.18,
            OrderRate = 0.021,
            OrderValue = 84,
            EnquiryRate = 0.009,
            Outage = (36, 34),
            Spike = 17,
        },
        anchor);

    /// <summary>A plumber: 5 to 40 sessions a day, no shop, Google withholds user figures of days with fewer than ten users.</summary>
    public static GeneratedSite KiwiPlumbing(DateTimeOffset anchor) => new(
        new SiteProfile
        {
            PropertyId = "402288190",
            TimeZone = "Pacific/Auckland",
            Currency = "NZD",
            Seed = 14,
            Sessions = 19,
            Growth = 0.1,
            Season = -0.2,
            Spread = 0.45,
            EnquiryRate = 0.06,
            UserThreshold = 10,
            Bounds = (5, 40),
        },
        anchor);
}
