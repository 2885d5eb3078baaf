using System.Globalization;
using System.Net.Http.Json;
using KpiDashboard.IntegrationTests.Push;
using KpiDashboard.Kpis;
using Xunit;

namespace KpiDashboard.IntegrationTests.App;

/// <summary>Instants and days that a person gives have two ends, and both are held: just inside is taken as it is, just outside is refused with a sentence at its field.</summary>
[Collection(AppCollection.Name)]
public sealed class BoundsTests(AppFixture app)
{
    private const string Zone = "Europe/Berlin";

    [Fact]
    public async Task A_token_ends_after_now_and_within_ten_years()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync();
        var now = TimeProvider.System.GetUtcNow();
        foreach (var (instant, isTaken) in new (DateTimeOffset Instant, bool IsTaken)[]
        {
            (DateTimeOffset.MinValue, false), (DateTimeOffset.UnixEpoch, false), (now.AddSeconds(-1), false), (now.AddMinutes(5), true), (now.AddYears(10).AddMinutes(-5), true),
            (now.AddYears(10).AddMinutes(30), false), (now.AddYears(100), false), (DateTimeOffset.MaxValue, false),
        })
        {
            var text = instant.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
            var (status, body) = await world.SendAsync(HttpMethod.Post, "tokens", tenant.Owner, JsonContent.Create(new { name = "t " + text, scopes = new[] { "read" }, expiresAt = text }));
            Assert.True(status == (isTaken ? 201 : 400), $"{text}: {status} {body}");
            if (!isTaken) Assert.EndsWith(".", Assert.Single(body!["errors"]!.AsObject()["expiresAt"]!.AsArray())!.GetValue<string>(), StringComparison.Ordinal);
        }

        var kept = await world.Access.QueryAsync<DateTimeOffset>("select expires_at from api_tokens where tenant_id = @Id order by expires_at", tenant);
        Assert.Equal([Whole(now.AddMinutes(5)), Whole(now.AddYears(10).AddMinutes(-5))], kept);

        static DateTimeOffset Whole(DateTimeOffset instant) => DateTimeOffset.FromUnixTimeSeconds(instant.ToUnixTimeSeconds());
    }

    [Fact]
    public async Task A_goal_begins_and_ends_on_days_that_there_are_numbers_of_or_will_be()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync(Zone);
        await world.KpiAsync(tenant, "custom.orders");
        var today = TestDays.Today(Zone);
        var (first, last) = (today.AddMonths(-25), today.AddYears(2));
        foreach (var (starts, ends, field) in new (DateOnly? Starts, DateOnly? Ends, string? Field)[]
        {
            // Recurring ones have a first day alone.
            (first, null, null), (first.AddDays(-1), null, "startsOn"), (last, null, null), (last.AddDays(1), null, "startsOn"), (DateOnly.MinValue, null, "startsOn"), (DateOnly.MaxValue, null, "startsOn"),
            // Dated ones both, a range no longer than any.
            (today, today, null), (today, today.AddDays(-1), "endsOn"), (first, first.AddDays(-1), "endsOn"), (first, first.AddDays(Period.MaxDays - 1), null), (first, first.AddDays(Period.MaxDays), "endsOn"),
            (last, last.AddDays(Period.MaxDays - 1), null), (last, last.AddDays(Period.MaxDays), "endsOn"), (last, last.AddDays(Period.MaxDays + 1), "endsOn"), (today, DateOnly.MinValue, "endsOn"),
            (today, DateOnly.MaxValue, "endsOn"), (DateOnly.MinValue, DateOnly.MaxValue, "startsOn"), (first.AddDays(-1), today, "startsOn"), (last.AddDays(1), last.AddDays(2), "startsOn"),
        })
        {
            object body = ends is null
                ? new { kpi = "custom.orders", target = 10, rhythm = "week", startsOn = Text(starts) }
                : new { kpi = "custom.orders", target = 10, rhythm = "dated", startsOn = Text(starts), endsOn = Text(ends) };
            var (status, answer) = await world.SendAsync(HttpMethod.Post, "goals", tenant.Owner, JsonContent.Create(body));
            Assert.True(status == (field is null ? 201 : 400), $"{starts:O} {ends:O}: {status} {answer}");
            if (field is null) Assert.Equal(204, (await world.SendAsync(HttpMethod.Delete, $"goals/{answer!["id"]}", tenant.Owner)).Status);
            else Assert.Equal(field, Assert.Single(answer!["errors"]!.AsObject()).Key);
        }

        Assert.Equal(0, await world.OneAsync<int>("select count(*)::int from goals where tenant_id = @Id", tenant));
    }

    [Fact]
    public async Task The_last_day_of_a_goal_that_began_long_ago_can_still_be_moved_and_only_that_day_is_judged()
    {
        await using var world = new PushWorld(app);
        var tenant = await world.TenantAsync(Zone);
        await world.KpiAsync(tenant, "custom.orders");
        var today = TestDays.Today(Zone);
        var (_, made) = await world.SendAsync(
            HttpMethod.Post, "goals", tenant.Owner, JsonContent.Create(new { kpi = "custom.orders", target = 10, rhythm = "dated", startsOn = Text(today.AddDays(-9)), endsOn = Text(today.AddDays(9)) }));
        // As time goes by.
        var began = today.AddMonths(-25).AddDays(-3);
        await world.Access.ExecuteAsync("update goals set starts_on = @began, target_from = array[@began::date] where tenant_id = @Id", new { began, tenant.Id });
        foreach (var (ends, isTaken) in new[]
        {
            (began.AddDays(Period.MaxDays - 1), true), (began.AddDays(Period.MaxDays), false), (began.AddDays(-1), false), (today, true), (DateOnly.MinValue, false), (DateOnly.MaxValue, false),
        })
        {
            var (status, body) = await world.SendAsync(HttpMethod.Patch, $"goals/{made!["id"]}", tenant.Owner, JsonContent.Create(new { endsOn = Text(ends) }));
            Assert.True(status == (isTaken ? 200 : 400), $"{ends:O}: {status} {body}");
            if (!isTaken) Assert.Equal("endsOn", Assert.Single(body!["errors"]!.AsObject()).Key);
        }

        Assert.Equal(today, await world.OneAsync<DateOnly>("select ends_on from goals where tenant_id = @Id", tenant));
    }

    private static string? Text(DateOnly? day) => day?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
