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
            Shares = new Dictionary<string, IReadOnlyList<Ga4Share>>
            {
                ["sessionDefaultChannelGroup"] =
                [
                    new("Organic Search", 0.36), new("Direct", 0.22) { KeyEvents = 1.2 }, new("Paid Search", 0.13) { Engagement = 0.9, KeyEvents = 1.5 },
                    new("Organic Social", 0.11) { Engagement = 0.85, KeyEvents = 0.4 }, new("Referral", 0.08) { KeyEvents = 0.9 }, new("Email", 0.07) { Engagement = 1.2, KeyEvents = 2.1 },
                    new("Unassigned", 0.03) { Engagement = 0.7, KeyEvents = 0.2 },
                ],
                ["deviceCategory"] = [new("mobile", 0.57) { Engagement = 0.95, KeyEvents = 0.7 }, new("desktop", 0.39) { Engagement = 1.08, KeyEvents = 1.4 }, new("tablet", 0.04)],
                ["country"] =
                [
                    new("Germany", 0.68), new("Austria", 0.11), new("Switzerland", 0.08) { KeyEvents = 1.3 }, new("Netherlands", 0.03), new("France", 0.02), new("United Kingdom", 0.02),
                    new("Denmark", 0.015), new("Poland", 0.012), new("Belgium", 0.01), new("Sweden", 0.008), new("United States", 0.02) { Engagement = 0.6, KeyEvents = 0.1 },
                    new("Italy", 0.008), new("(not set)", 0.006) { Engagement = 0.4, KeyEvents = 0 },
                ],
                ["landingPage"] =
                [
                    new("/", 0.3), new("/shop", 0.13) { KeyEvents = 1.8 }, new("/shop/prints", 0.1) { KeyEvents = 2 }, new("/portfolio", 0.08) { KeyEvents = 0.4 }, new("/shop/calendar", 0.06) { KeyEvents = 2.4 },
                    new("/journal/northern-lights", 0.06) { Engagement = 1.1, KeyEvents = 0.3 }, new("/workshops", 0.05) { KeyEvents = 1.6 }, new("/about", 0.04) { KeyEvents = 0.2 },
                    new("/journal/paper-and-ink", 0.03) { KeyEvents = 0.3 }, new("/shop/cards", 0.03) { KeyEvents = 1.7 }, new("/contact", 0.025) { KeyEvents = 1.9 },
                    new("/journal/winter-light", 0.02) { KeyEvents = 0.3 }, new("/workshops/linocut", 0.02) { KeyEvents = 1.5 }, new("/shipping", 0.01), new("/imprint", 0.005) { KeyEvents = 0 },
                    // Sites do this; a dashboard must not keep it.
                    new("/newsletter/confirm/lena.brandt@mail.example", 0.008) { KeyEvents = 3 }, new("/newsletter/confirm/jonas%40post.example", 0.006) { KeyEvents = 3 },
                    new("(not set)", 0.016) { Engagement = 0.3, KeyEvents = 0 },
                ],
            },
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
            Shares = new Dictionary<string, IReadOnlyList<Ga4Share>>
            {
                ["sessionDefaultChannelGroup"] =
                    [new("Organic Search", 0.52) { KeyEvents = 1.2 }, new("Direct", 0.27), new("Paid Search", 0.12) { KeyEvents = 1.4 }, new("Referral", 0.06), new("Organic Social", 0.03)],
                ["deviceCategory"] = [new("mobile", 0.66), new("desktop", 0.3), new("tablet", 0.04)],
                ["country"] = [new("New Zealand", 0.9) { KeyEvents = 1.1 }, new("Australia", 0.07), new("United Kingdom", 0.03)],
                ["landingPage"] = [new("/", 0.46), new("/emergency", 0.24) { KeyEvents = 1.8 }, new("/hot-water", 0.14), new("/contact", 0.1) { KeyEvents = 1.5 }, new("/blocked-drains", 0.06)],
            },
        },
        anchor);
}
