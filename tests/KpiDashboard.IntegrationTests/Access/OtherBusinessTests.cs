using KpiDashboard.Access;
using KpiDashboard.IntegrationTests.App;
using Xunit;

namespace KpiDashboard.IntegrationTests.Access;

/// <summary>What a page sends lands in the business that the page shows, or nowhere: two tabs of one person, one of which switched.</summary>
[Collection(AppCollection.Name)]
public sealed class OtherBusinessTests(AppFixture app)
{
    /// <summary>
    /// Every route that changes something and does not refuse what is meant for another business, each with the reason. By hand, apart from the attributes: a route
    /// that is not here must refuse.
    /// </summary>
    private static readonly Dictionary<string, string> NotRefused = new(StringComparer.Ordinal)
    {
        ["POST auth/switch"] = "the way out of a page that shows another business",
        ["POST auth/logout-everywhere"] = "it ends every session of the person, in whatever business",
        ["POST auth/register"] = "there is no session yet",
        ["POST auth/login"] = "there is no session yet",
        ["POST auth/second-factor"] = "there is no session yet",
        ["POST auth/oidc/register"] = "there is no session yet",
        ["POST auth/forgot-password"] = "about an address, without a session",
        ["POST auth/verify-email/request"] = "about an address, without a session",
        ["POST auth/verify-email"] = "the link says whose account it is",
        ["POST auth/reset-password"] = "the link says whose account it is",
        ["POST auth/refresh"] = "the cookie says which session it is; the page compares what comes back",
        ["POST auth/logout"] = "the cookie says which session it is",
        ["POST auth/invitation"] = "it only looks at what the link is to",
        ["POST auth/accept-invitation"] = "the link says which business is joined",
        ["POST ops/requeue"] = "the installation's, by function key",
        ["POST ops/faults/clear"] = "the installation's, by function key",
    };

    /// <summary>Writing routes about the person: a session need not say which business its page shows (but is refused when it says another).</summary>
    private static readonly string[] AboutThePerson =
    [
        "POST auth/verify-email/resend", "POST auth/change-password", "POST auth/confirm", "PATCH auth/me", "DELETE auth/me", "POST auth/logout-everywhere",
        "DELETE auth/sessions/{id}", "POST auth/switch", "POST auth/second-factor/setup", "POST auth/second-factor/enable", "POST auth/second-factor/recovery-codes",
        "DELETE auth/second-factor", "POST tenants", "POST demo",
    ];

    private static IEnumerable<AppRoute> Writes => AppRoute.All.Where(route => route.Verb != "GET");

    private static IEnumerable<AppRoute> Sessions => AppRoute.All.Where(route => route.Required.Permission is not (Permission.Anonymous or Permission.Operate));

    [Fact]
    public async Task Every_writing_route_refuses_what_was_meant_for_another_business_and_changes_nothing()
    {
        await using var world = new AccessWorld(app);
        var (one, two) = (await world.TenantAsync("b1" + Guid.NewGuid().ToString("N")[..8]), await world.TenantAsync("b2" + Guid.NewGuid().ToString("N")[..8]));
        var routes = Writes.Where(route => !NotRefused.ContainsKey(route.ToString())).ToList();
        Assert.True(routes.Count >= 50, $"Only {routes.Count} writing routes were found.");
        // The session is in one; the page still shows two, and what it sends would do there.
        var person = await world.PersonAsync(one.Id, "owner");
        await world.ExecuteAsync("insert into memberships (tenant_id, user_id, role, created_at) values (@Id, @Person, 'owner', now())", new { two.Id, Person = person.Id });
        var before = (await world.FingerprintAsync(one.Id), await world.FingerprintAsync(two.Id), await EverythingElseAsync(world));
        var wrong = new List<string>();
        foreach (var route in routes)
        {
            foreach (var tenant in new[] { one, two })
            {
                var (status, body) = await world.SendForAsync(
                    two.Id.ToString(), route.Verb, CrossTenantTests.Own(route.Path, tenant), person.Token, CrossTenantTests.Body(route, tenant));
                if (status != 409 || !body.Contains("problems/other-business", StringComparison.Ordinal) || !body.Contains(one.Marker, StringComparison.Ordinal))
                    wrong.Add($"{route}: {status} {body[..Math.Min(200, body.Length)]}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        var after = (await world.FingerprintAsync(one.Id), await world.FingerprintAsync(two.Id), await EverythingElseAsync(world));
        Assert.Equal(before.Item1, after.Item1);
        Assert.Equal(before.Item2, after.Item2);
        Assert.Equal(before.Item3, after.Item3);
        // It would have been done, had the page said the right business.
        var note = $$"""{"text":"A note","from":"{{DateTime.UtcNow.AddDays(-20):yyyy-MM-dd}}"}""";
        Assert.Equal(201, (await world.SendForAsync(one.Id.ToString(), "POST", "annotations", person.Token, note)).Status);
    }

    [Fact]
    public void What_is_not_refused_is_named_here_with_its_reason()
    {
        var open = Writes.Where(route => route.Required.Permission is Permission.Anonymous or Permission.Operate || route.Required.AnyBusiness);
        Assert.Equal(NotRefused.Keys.Order(StringComparer.Ordinal), open.Select(route => route.ToString()).Order(StringComparer.Ordinal));
        Assert.All(NotRefused.Values, reason => Assert.True(reason.Length > 10));
        Assert.Equal(AboutThePerson.Order(StringComparer.Ordinal), Writes.Where(route => route.Required.Person).Select(route => route.ToString()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Every_read_of_a_session_is_refused_too_when_the_page_shows_another()
    {
        await using var world = new AccessWorld(app);
        var (one, two) = (await world.TenantAsync("r1" + Guid.NewGuid().ToString("N")[..8]), await world.TenantAsync("r2" + Guid.NewGuid().ToString("N")[..8]));
        foreach (var route in Sessions.Where(route => route.Verb == "GET"))
        {
            var (status, body) = await world.SendForAsync(two.Id.ToString(), "GET", CrossTenantTests.Own(route.Path, one), one.OwnerToken);
            Assert.True(status == 409 && body.Contains("problems/other-business", StringComparison.Ordinal), $"{route}: {status} {body}");
        }
    }

    [Fact]
    public async Task A_session_that_changes_something_must_say_of_which_business_and_nothing_is_done_without()
    {
        await using var world = new AccessWorld(app);
        var one = await world.TenantAsync("q1" + Guid.NewGuid().ToString("N")[..8]);
        var before = await world.FingerprintAsync(one.Id);
        foreach (var route in Sessions.Where(route => route.Verb != "GET" && !AboutThePerson.Contains(route.ToString())))
        {
            var (status, body) = await world.SendForAsync(null, route.Verb, CrossTenantTests.Own(route.Path, one), one.OwnerToken, CrossTenantTests.Body(route, one));
            Assert.True(status == 428 && body.Contains("problems/business-not-named", StringComparison.Ordinal) && body.Contains("X-Kpi-Tenant", StringComparison.Ordinal), $"{route}: {status} {body}");
        }

        Assert.Equal(before, await world.FingerprintAsync(one.Id));
        foreach (var route in Sessions.Where(route => route.Verb == "GET" || AboutThePerson.Contains(route.ToString())))
        {
            var person = await world.PersonAsync(one.Id, "owner");
            Assert.NotEqual(428, (await world.SendForAsync(null, route.Verb, CrossTenantTests.Own(route.Path, one), person.Token)).Status);
        }
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("")]
    [InlineData("{00000000-0000-0000-0000-000000000001}")]
    public async Task What_is_no_id_of_a_business_is_said(string header)
    {
        await using var world = new AccessWorld(app);
        var one = await world.TenantAsync("h1" + Guid.NewGuid().ToString("N")[..8]);
        var (status, body) = await world.SendForAsync(header, "POST", "annotations", one.OwnerToken, """{"text":"A note","from":"2026-11-02"}""");
        // An empty header is none.
        Assert.True(status is 400 or 428, $"{status} {body}");
        Assert.Contains("X-Kpi-Tenant", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_belongs_to_one_business_and_need_not_say_it_and_may_not_say_another()
    {
        await using var world = new AccessWorld(app);
        var (one, two) = (await world.TenantAsync("m1" + Guid.NewGuid().ToString("N")[..8]), await world.TenantAsync("m2" + Guid.NewGuid().ToString("N")[..8]));
        var machine = await world.MachineAsync(one.Id, "push");
        const string Reading = """{"readings":[{"kpi":"custom.own","date":"2026-11-02","value":3}]}""";
        Assert.Equal(409, (await world.SendForAsync(two.Id.ToString(), "POST", "push", machine, Reading)).Status);
        Assert.Empty(await world.QueryAsync<int>("select 1 from kpi_values where tenant_id = @Id and kpi = 'custom.own'", new { one.Id }));
        Assert.Equal(200, (await world.SendForAsync(null, "POST", "push", machine, Reading)).Status);
        Assert.Equal(200, (await world.SendForAsync(one.Id.ToString(), "POST", "push", machine, Reading)).Status);
    }

    /// <summary>What belongs to no business: accounts, sessions, tokens of them, links, identities, mails.</summary>
    private static async Task<IReadOnlyList<string>> EverythingElseAsync(AccessWorld world)
    {
        var prints = new List<string>();
        foreach (var table in new[] { "users", "sessions", "refresh_tokens", "account_tokens", "recovery_codes", "user_identities", "mail_outbox" })
            prints.Add(table + (await world.QueryAsync<string>($"select count(*) || ' ' || coalesce(md5(string_agg(md5(t::text), '' order by md5(t::text))), '') from {table} t")).Single());
        return prints;
    }
}
