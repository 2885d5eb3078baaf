using System.Net;
using System.Text.Json.Nodes;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.Tenancy;
using Xunit;

namespace KpiDashboard.IntegrationTests.Tenancy;

/// <summary>Zones at the door, against the very server that will use them: every name that either database knows, and every kind of name that one of them reads as more.</summary>
[Collection(SecondAppCollection.Name)]
public sealed class ZonesTests(AppFixture app)
{
    private static readonly string[] Odd =
    [
        "posix/Europe/Berlin", "right/Europe/Berlin", "POSIX/Europe/Berlin", "posixrules", "Factory", "localtime", "posix/UTC", "right/UTC", "EST5EDT", "EST", "PST", "BST", "CEST", "GMT+5", "UTC+25",
        "UTC-3", " Europe/Berlin ", "Europe/Berlin ", "\tEurope/Berlin", "europe/berlin", "EUROPE/BERLIN", "<-03>3", "<+03>-3:30", "CET-1CEST,M3.5.0,M10.5.0/3", "+02:00", "-3", "0", "Z", "z", "",
        " ", "/", "Europe/", "/Berlin", "Europe//Berlin", "Europe/Berlin/", "../Europe/Berlin", "Europe/../Europe/Berlin", "/usr/share/zoneinfo/Europe/Berlin", "W. Europe Standard Time", "utc", "Utc",
        "Etc/GMT+5", "Etc/GMT-14", "Etc/GMT+99", "Etc/Unknown", "US/Pacific-New", "SystemV/EST5", "Mars/Base", "Europe/Berlin\0", "Europe/Berl\u0131n", "Europe/Berlin;drop", "'", "null",
        "Europe/" + new string('x', 80),
    ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_let_in_works_in_both_databases_of_zones_and_what_is_stored_never_fails_a_statement()
    {
        var ofServer = await app.Database.QueryAsync<string>("select name from pg_timezone_names", new { }, Cancel);
        var files = Directory.Exists("/usr/share/zoneinfo")
            ? Directory.EnumerateFiles("/usr/share/zoneinfo", "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath("/usr/share/zoneinfo", file)) : [];
        var abbreviations = await app.Database.QueryAsync<string>("select abbrev from pg_timezone_abbrevs", new { }, Cancel);
        string[] names = [.. TimeZoneInfo.GetSystemTimeZones().Select(zone => zone.Id).Concat(ofServer).Concat(files).Concat(abbreviations).Concat(Odd).Distinct(StringComparer.Ordinal)];
        Assert.True(names.Length > 700, $"Only {names.Length} names.");

        var zones = new TimeZoneNames(app.Database, TimeProvider.System);
        var (accepted, refused) = (new List<string>(), new List<string>());
        foreach (var name in names)
        {
            var errors = new Dictionary<string, string[]>();
            await zones.CheckAsync(errors, "timeZone", name, Cancel);
            (errors.Count == 0 ? accepted : refused).Add(name);
            if (errors.Count > 0) Assert.Contains("'timeZone'", errors["timeZone"].Single(), StringComparison.Ordinal);
        }

        // Raises for the first that the server does not know, as every statement would that uses it.
        await app.Database.QueryAsync<DateTime>("select timestamptz '2026-07-01Z' at time zone z from unnest(@accepted) z", new { accepted = accepted.ToArray() }, Cancel);
        Assert.All(accepted, name => Assert.True(TimeZoneInfo.TryFindSystemTimeZoneById(name, out _), name));
        Assert.All(accepted, name => Assert.Equal(name, TimeZoneNames.Of(name).Id));
        Assert.All(new[] { "UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Pacific/Auckland", "Asia/Kathmandu", "Etc/GMT+5" }, name => Assert.Contains(name, accepted));
        Assert.All(accepted, name => Assert.False(name.StartsWith("posix", StringComparison.OrdinalIgnoreCase) || name.StartsWith("right/", StringComparison.OrdinalIgnoreCase), name));
        Assert.True(accepted.Count > 400, $"Only {accepted.Count} accepted.");

        // Whatever is stored, by whomever: no statement over all businesses fails.
        var storable = names.Where(name => !name.Contains('\0')).ToArray();
        Assert.Equal(
            [(long)storable.Length],
            await app.Database.QueryAsync<long>(
                """
                select count(*) from unnest(@storable) z
                where next_due_at('daily', 4::smallint, z, gen_random_uuid(), now()) > now() and (now() at time zone safe_zone(z))::date is not null
                """, new { storable }, Cancel));
        // What is known under no name of its own here is UTC for both of us.
        Assert.All(Odd.Where(name => !accepted.Contains(name)), name => Assert.NotNull(TimeZoneNames.Of(name)));
    }

    [Fact]
    public async Task A_zone_is_refused_with_its_field_at_registering_and_in_the_settings()
    {
        var town = new Town(app);
        var tenant = await town.TenantAsync(zone: "UTC");
        var owner = await town.PersonAsync(tenant, "owner");
        using var client = new HttpClient { BaseAddress = app.Address };
        foreach (var zone in new[] { "posix/Europe/Berlin", "right/Europe/Berlin", "europe/berlin", " Europe/Berlin ", "<-03>3", "EST5EDT", "Factory" })
        {
            using var content = System.Net.Http.Json.JsonContent.Create(new
            {
                email = $"{Guid.NewGuid():N}@zones.example",
                password = "a long phrase of words 7",
                displayName = "Z",
                businessName = "Z",
                timeZone = zone,
            });
            using var answer = await client.PostAsync("api/auth/register", content, Cancel);
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
            var problem = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!;
            Assert.Equal(["timeZone"], problem["errors"]!.AsObject().Select(error => error.Key));

            var settings = await owner.Client.GetJsonAsync("api/tenant");
            settings["timeZone"] = zone;
            using var change = await owner.Client.PutAsync("api/tenant", System.Net.Http.Json.JsonContent.Create(settings), Cancel);
            Assert.Equal(HttpStatusCode.BadRequest, change.StatusCode);
            Assert.Contains("timeZone", await change.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        }
    }
}
