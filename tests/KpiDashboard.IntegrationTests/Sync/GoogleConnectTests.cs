using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using KpiDashboard.Connectors.GoogleAnalytics;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.Demo.Google;
using KpiDashboard.IntegrationTests.Access;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.Security;
using KpiDashboard.Sync;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KpiDashboard.IntegrationTests.Sync;

/// <summary>Connecting Google Analytics through the whole app, with the simulator's page of consent, and what becomes of it when Google or a person does otherwise.</summary>
[Collection(AppCollection.Name)]
public sealed class GoogleConnectTests(AppFixture app)
{
    private const string Flow = "integrations/google-analytics/";

    private GoogleSimulator Google => app.Demo.Google!;

    [Fact]
    public async Task Signing_in_choosing_a_property_and_connecting_reads_it_and_keeps_no_secret_in_the_open()
    {
        await using var world = new AccessWorld(app);
        var (tenant, email, property) = await NewAsync(world);
        var before = Google.Accounts.RefreshTokens.ToHashSet();
        var (url, cookie) = await AuthorizeAsync(world, tenant.OwnerToken);
        var asked = QueryHelpers.ParseQuery(url.Query);
        Assert.Equal(
            ("code", "offline", "consent", "S256", "openid email https://www.googleapis.com/auth/analytics.readonly"),
            (asked["response_type"].ToString(), asked["access_type"].ToString(), asked["prompt"].ToString(), asked["code_challenge_method"].ToString(), asked["scope"].ToString()));
        Assert.EndsWith("/api/integrations/google-analytics/callback", asked["redirect_uri"].ToString(), StringComparison.Ordinal);
        Assert.All(["httponly", "samesite=lax", "path=/api/integrations/google-analytics"], part => Assert.Contains(part, cookie, StringComparison.OrdinalIgnoreCase));

        var page = await CallbackAsync(await ConsentAsync(url, email), cookie);
        var grant = Guid.Parse(Assert.Single(QueryHelpers.ParseQuery(new Uri(page).Query), field => field.Key == "google").Value.ToString());
        var token = Assert.Single(Google.Accounts.RefreshTokens.Except(before));
        var list = await SendAsync(world, tenant.OwnerToken, "GET", $"{Flow}properties?grant={grant}", null, 200);
        Assert.Equal((email, "oauth"), (list["email"]!.GetValue<string>(), list["kind"]!.GetValue<string>()));
        Assert.Equal([(property, "Site of " + tenant.Marker, "Account of " + tenant.Marker)], list["properties"]!.AsArray().Select(entry => (entry!["id"]!.GetValue<string>(), entry["name"]!.GetValue<string>(), entry["account"]!.GetValue<string>())));

        var made = await SendAsync(world, tenant.OwnerToken, "POST", "integrations", Connect(grant, property), 201);
        Assert.Equal(
            ("google-analytics", property, "Site of " + tenant.Marker, email, "oauth"),
            (made["connector"]!.GetValue<string>(), made["propertyId"]!.GetValue<string>(), made["propertyName"]!.GetValue<string>(), made["account"]!.GetValue<string>(), made["grant"]!.GetValue<string>()));
        Assert.Equal("succeeded", await EndOfRunAsync(world, tenant));
        Assert.NotEmpty(await world.QueryAsync<int>("select 1 from kpi_values where tenant_id = @Id and kpi = 'web.sessions' and value > 0", tenant));
        Assert.Equal([0], await world.QueryAsync<int>("select count(*)::int from google_grants where tenant_id = @Id", tenant));

        var kept = Assert.Single(await world.QueryAsync<byte[]>("select credentials from integrations where tenant_id = @Id", tenant));
        Assert.DoesNotContain(token, Encoding.UTF8.GetString(kept), StringComparison.Ordinal);
        foreach (var table in await world.QueryAsync<string>("select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')"))
            Assert.False((await world.QueryAsync<bool>($"select exists (select 1 from {table} t where tenant_id = @Id and position(@token in t::text) > 0)", new { tenant.Id, token })).Single(), table);
        foreach (var path in new[] { "integrations", $"integrations/{made["id"]}", "sync/runs", "audit" })
            Assert.DoesNotContain(token, (await world.SendAsync("GET", path, tenant.OwnerToken)).Body, StringComparison.Ordinal);
        Assert.DoesNotContain(token, $"{new GoogleCredentials(token)}{new GoogleTokenAnswer { RefreshToken = token }}", StringComparison.Ordinal);
        Assert.Equal(["integration.connected"], await ActionsAsync(world, tenant));
        Assert.Contains("\"signIn\":true", (await world.SendAsync("GET", "integrations", tenant.OwnerToken)).Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cancelled", "cancelled")]
    [InlineData("scope withheld", "scopes")]
    [InlineData("no cookie", "expired")]
    [InlineData("another's cookie", "expired")]
    [InlineData("changed cookie", "expired")]
    [InlineData("other state", "expired")]
    [InlineData("other error", "google")]
    [InlineData("no code", "google")]
    [InlineData("wrong verifier", "google")]
    [InlineData("no refresh token", "google")]
    [InlineData("Google is down", "google")]
    [InlineData("demoted", "access")]
    [InlineData("removed", "access")]
    [InlineData("signed out", "access")]
    public async Task What_goes_wrong_is_one_word_and_nothing_is_kept(string what, string word)
    {
        await using var world = new AccessWorld(app);
        var (tenant, email, _) = await NewAsync(world);
        var person = await world.PersonAsync(tenant.Id, "admin");
        var (url, cookie) = await AuthorizeAsync(world, person.Token);
        if (what == "wrong verifier") url = new Uri(url.AbsoluteUri.Replace("code_challenge=", "code_challenge=" + new string('A', 43) + "&unused=", StringComparison.Ordinal));
        Google.Accounts.WithholdRefreshToken = what == "no refresh token";
        try
        {
            var back = await ConsentAsync(url, email, answer: what == "cancelled" ? "deny" : "allow", scope: what != "scope withheld");
            var state = QueryHelpers.ParseQuery(url.Query)["state"].ToString();
            switch (what)
            {
                case "no cookie": cookie = null; break;
                case "another's cookie": cookie = (await AuthorizeAsync(world, tenant.OwnerToken)).Cookie; break;
                case "changed cookie": cookie = cookie!.Replace("kpi_google=", "kpi_google=A", StringComparison.Ordinal); break;
                case "other state": back = back.Replace(state, (state[0] == 'x' ? 'y' : 'x') + state[1..], StringComparison.Ordinal); break;
                case "other error": back = $"/api/{Flow}callback?state={state}&error=server_error"; break;
                case "no code": back = $"/api/{Flow}callback?state={state}"; break;
                case "Google is down": Google.Faults.Next("token", new Demo.Simulation.Fault.Answer(503, "")); break;
                case "demoted": await world.ExecuteAsync("update memberships set role = 'member' where user_id = @Id", new { person.Id }); break;
                case "removed": await world.ExecuteAsync("delete from memberships where user_id = @Id", new { person.Id }); break;
                case "signed out": await world.ExecuteAsync("update sessions set ended_at = now() where id = @Session", new { person.Session }); break;
                default: break;
            }

            Assert.EndsWith($"/integrations?problem={word}", await CallbackAsync(back, cookie), StringComparison.Ordinal);
        }
        finally
        {
            Google.Accounts.WithholdRefreshToken = false;
        }

        Assert.Equal([0], await world.QueryAsync<int>("select count(*)::int from google_grants where tenant_id = @Id", tenant));
        Assert.Empty(await ActionsAsync(world, tenant));
    }

    [Fact]
    public async Task A_callback_works_once_even_with_the_cookie_kept()
    {
        await using var world = new AccessWorld(app);
        var (tenant, email, _) = await NewAsync(world);
        var (url, cookie) = await AuthorizeAsync(world, tenant.OwnerToken);
        var back = await ConsentAsync(url, email);
        Assert.Contains("?google=", await CallbackAsync(back, cookie), StringComparison.Ordinal);
        Assert.EndsWith("?problem=google", await CallbackAsync(back, cookie), StringComparison.Ordinal);
        Assert.EndsWith("?problem=expired", await CallbackAsync(back, null), StringComparison.Ordinal);
        Assert.Equal([1], await world.QueryAsync<int>("select count(*)::int from google_grants where tenant_id = @Id", tenant));
    }

    [Fact]
    public async Task A_grant_is_of_one_person_in_one_business_for_one_hour_and_one_connection()
    {
        await using var world = new AccessWorld(app);
        var (tenant, email, property) = await NewAsync(world);
        var (other, _, _) = await NewAsync(world);
        var colleague = await world.PersonAsync(tenant.Id, "admin");
        var grant = await GrantAsync(world, tenant.OwnerToken, email);
        foreach (var token in new[] { colleague.Token, other.OwnerToken })
        {
            var unknown = await world.SendAsync("GET", $"{Flow}properties?grant={Guid.NewGuid()}", token);
            var there = await world.SendAsync("GET", $"{Flow}properties?grant={grant}", token);
            Assert.Equal((404, Untraced(unknown.Body)), (there.Status, Untraced(there.Body)));
            Assert.NotNull((await SendAsync(world, token, "POST", "integrations", Connect(grant, property), 400))["errors"]!["grant"]);
        }

        Assert.Equal(400, (await world.SendAsync("GET", Flow + "properties", tenant.OwnerToken)).Status);
        // Of another account: Google says no, and the grant is still good.
        Google.Add(Property("77" + property, "elsewhere@demo.example", "elsewhere"));
        var refused = await SendAsync(world, tenant.OwnerToken, "POST", "integrations", Connect(grant, "77" + property), 400);
        Assert.Contains("may not read this Analytics property", refused["errors"]!["propertyId"]![0]!.GetValue<string>(), StringComparison.Ordinal);
        await SendAsync(world, tenant.OwnerToken, "POST", "integrations", Connect(grant, property), 201);
        Assert.Equal(404, (await world.SendAsync("GET", $"{Flow}properties?grant={grant}", tenant.OwnerToken)).Status);
        Assert.Contains("connected already", (await world.SendAsync("POST", "integrations", tenant.OwnerToken, Connect(grant, property))).Body, StringComparison.Ordinal);

        var late = await GrantAsync(world, tenant.OwnerToken, email);
        await world.ExecuteAsync("update google_grants set expires_at = now() - interval '1 second' where id = @late", new { late });
        Assert.Equal(404, (await world.SendAsync("GET", $"{Flow}properties?grant={late}", tenant.OwnerToken)).Status);
        await app.Database.ExecuteAsync("select purge_google_grants(@now)", new { now = DateTimeOffset.UtcNow }, TestContext.Current.CancellationToken);
        Assert.Equal([0], await world.QueryAsync<int>("select count(*)::int from google_grants where id = @late", new { late }));

        static string Untraced(string body)
        {
            var problem = JsonNode.Parse(body)!.AsObject();
            problem.Remove("traceId");
            return problem.ToJsonString();
        }
    }

    [Fact]
    public async Task Properties_come_from_all_pages_and_an_account_without_any_has_none()
    {
        await using var world = new AccessWorld(app);
        var (tenant, email, _) = await NewAsync(world);
        for (var i = 0; i < 6; i++) Google.Add(Property($"{8800 + i}{Random()}", email, $"{tenant.Marker} {i}"));
        Google.Accounts.Add($"empty-{tenant.Marker}@demo.example");
        Google.AccountPageSize = 2;
        try
        {
            var list = await SendAsync(world, tenant.OwnerToken, "GET", $"{Flow}properties?grant={await GrantAsync(world, tenant.OwnerToken, email)}", null, 200);
            Assert.Equal(7, list["properties"]!.AsArray().Select(entry => entry!["id"]!.GetValue<string>()).Distinct().Count());
        }
        finally
        {
            Google.AccountPageSize = 200;
        }

        var none = await SendAsync(world, tenant.OwnerToken, "GET", $"{Flow}properties?grant={await GrantAsync(world, tenant.OwnerToken, $"empty-{tenant.Marker}@demo.example")}", null, 200);
        Assert.Empty(none["properties"]!.AsArray());
        var failing = await GrantAsync(world, tenant.OwnerToken, email);
        Google.Faults.Next("admin", new Demo.Simulation.Fault.Answer(500, ""));
        Assert.Equal(503, (await world.SendAsync("GET", $"{Flow}properties?grant={failing}", tenant.OwnerToken)).Status);
    }

    [Fact]
    public async Task A_withdrawn_permission_asks_for_one_button_which_works_only_with_an_account_that_reaches_the_property()
    {
        await using var world = new AccessWorld(app);
        var (tenant, email, property) = await NewAsync(world);
        var before = Google.Accounts.RefreshTokens.ToHashSet();
        var id = (await SendAsync(world, tenant.OwnerToken, "POST", "integrations", Connect(await GrantAsync(world, tenant.OwnerToken, email), property), 201))["id"]!.GetValue<string>();
        Assert.Equal("succeeded", await EndOfRunAsync(world, tenant));
        Google.Revoke(Assert.Single(Google.Accounts.RefreshTokens.Except(before)));
        Google.ExpireAccessTokens();
        await SendAsync(world, tenant.OwnerToken, "POST", $"integrations/{id}/sync", null, 202);
        Assert.Equal("failed", await EndOfRunAsync(world, tenant));
        var lost = await SendAsync(world, tenant.OwnerToken, "GET", $"integrations/{id}", null, 200);
        Assert.Equal("reconnect_needed", lost["status"]!.GetValue<string>());
        Assert.Contains("expired or was withdrawn", lost["message"]!.GetValue<string>(), StringComparison.Ordinal);

        var stranger = $"stranger-{tenant.Marker}@demo.example";
        Google.Accounts.Add(stranger);
        var (url, cookie) = await AuthorizeAsync(world, tenant.OwnerToken, $"?integrationId={id}");
        Assert.Equal(email, QueryHelpers.ParseQuery(url.Query)["login_hint"].ToString());
        Assert.EndsWith("?problem=property", await CallbackAsync(await ConsentAsync(url, stranger), cookie), StringComparison.Ordinal);
        Assert.Equal("reconnect_needed", (await SendAsync(world, tenant.OwnerToken, "GET", $"integrations/{id}", null, 200))["status"]!.GetValue<string>());

        var second = $"second-{tenant.Marker}@demo.example";
        Google.Accounts.Add(second, property);
        (url, cookie) = await AuthorizeAsync(world, tenant.OwnerToken, $"?integrationId={id}");
        Assert.EndsWith($"?reconnected={id}", await CallbackAsync(await ConsentAsync(url, second), cookie), StringComparison.Ordinal);
        Assert.Equal("succeeded", await EndOfRunAsync(world, tenant));
        var again = await SendAsync(world, tenant.OwnerToken, "GET", $"integrations/{id}", null, 200);
        Assert.Equal(("ok", second, property), (again["status"]!.GetValue<string>(), again["account"]!.GetValue<string>(), again["propertyId"]!.GetValue<string>()));
        Assert.Equal(["integration.connected", "integration.reconnected"], await ActionsAsync(world, tenant));

        // Only one's own, and only Google's.
        var (other, _, _) = await NewAsync(world);
        Assert.Equal(404, (await world.SendAsync("GET", $"{Flow}authorize?integrationId={id}", other.OwnerToken)).Status);
        // Disconnected while the person was at Google.
        (url, cookie) = await AuthorizeAsync(world, tenant.OwnerToken, $"?integrationId={id}");
        var back = await ConsentAsync(url, second);
        Assert.Equal(204, (await world.SendAsync("DELETE", $"integrations/{id}", tenant.OwnerToken)).Status);
        Assert.EndsWith("?problem=property", await CallbackAsync(back, cookie), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_key_of_a_service_account_is_the_second_way_and_either_takes_the_place_of_the_other()
    {
        await using var world = new AccessWorld(app);
        var (tenant, email, property) = await NewAsync(world);
        var robot = $"robot-{tenant.Marker}@demo.iam.gserviceaccount.com";
        // Where the file says to ask for a token is not asked.
        var file = Google.Accounts.AddServiceAccount(robot, "http://127.0.0.1:1/token", property);
        var key = JsonNode.Parse(file)!["private_key"]!.GetValue<string>();
        var given = await SendAsync(world, tenant.OwnerToken, "POST", Flow + "service-account", Key(file), 201);
        Assert.Equal(robot, given["email"]!.GetValue<string>());
        var grant = given["grant"]!.GetValue<Guid>();
        var list = await SendAsync(world, tenant.OwnerToken, "GET", $"{Flow}properties?grant={grant}", null, 200);
        Assert.Equal(("service_account", 1), (list["kind"]!.GetValue<string>(), list["properties"]!.AsArray().Count));
        var made = await SendAsync(world, tenant.OwnerToken, "POST", "integrations", Connect(grant, property), 201);
        Assert.Equal((robot, "service_account"), (made["account"]!.GetValue<string>(), made["grant"]!.GetValue<string>()));
        Assert.Equal("succeeded", await EndOfRunAsync(world, tenant));
        Assert.DoesNotContain(key[40..80], (await world.SendAsync("GET", "audit", tenant.OwnerToken)).Body, StringComparison.Ordinal);

        var id = made["id"]!.GetValue<string>();
        Google.Accounts.DeleteKeys(robot);
        Google.ExpireAccessTokens();
        var test = await SendAsync(world, tenant.OwnerToken, "POST", $"integrations/{id}/test", null, 200);
        Assert.Equal((false, "grant"), (test["works"]!.GetValue<bool>(), test["field"]!.GetValue<string>()));
        await SendAsync(world, tenant.OwnerToken, "POST", $"integrations/{id}/sync", null, 202);
        Assert.Equal("failed", await EndOfRunAsync(world, tenant));
        var lost = await SendAsync(world, tenant.OwnerToken, "GET", $"integrations/{id}", null, 200);
        Assert.Equal("reconnect_needed", lost["status"]!.GetValue<string>());
        Assert.Contains("key of the service account", lost["message"]!.GetValue<string>(), StringComparison.Ordinal);

        var person = await GrantAsync(world, tenant.OwnerToken, email);
        var after = await SendAsync(world, tenant.OwnerToken, "PATCH", $"integrations/{id}", $$"""{"grant":"{{person}}"}""", 200);
        Assert.Equal((email, "oauth", property), (after["account"]!.GetValue<string>(), after["grant"]!.GetValue<string>(), after["propertyId"]!.GetValue<string>()));
        Assert.Equal("succeeded", await EndOfRunAsync(world, tenant));
        Assert.NotNull((await SendAsync(world, tenant.OwnerToken, "PATCH", $"integrations/{id}", $$"""{"grant":"{{person}}"}""", 400))["errors"]!["grant"]);
        Assert.NotNull((await SendAsync(world, tenant.OwnerToken, "PATCH", $"integrations/{id}", """{"credentials":{"apiKey":"k"}}""", 400))["errors"]!["credentials"]);
    }

    [Theory]
    [InlineData("no JSON", "it is no JSON")]
    [InlineData("a user's", "not the key file of a service account")]
    [InlineData("no address", "names no service account")]
    [InlineData("no key", "holds no private key")]
    [InlineData("damaged", "private key in 'key' is damaged")]
    [InlineData("short", "has 1024 bits")]
    [InlineData("deleted", "does not accept the key of the service account")]
    [InlineData("unknown", "does not accept the key of the service account")]
    [InlineData("too long", "at most 16 kB")]
    public async Task What_is_wrong_with_a_key_is_said_and_nothing_of_it_comes_back(string what, string sentence)
    {
        await using var world = new AccessWorld(app);
        var (tenant, _, property) = await NewAsync(world);
        var robot = $"robot-{tenant.Marker}@demo.iam.gserviceaccount.com";
        var file = JsonNode.Parse(Google.Accounts.AddServiceAccount(robot, Google.TokenUrl.ToString(), property))!;
        var secret = file["private_key"]!.GetValue<string>()[60..100];
        switch (what)
        {
            case "a user's": file["type"] = "authorized_user"; break;
            case "no address": file["client_email"] = "nobody"; break;
            case "no key": file["private_key"] = ""; break;
            case "damaged": file["private_key"] = file["private_key"]!.GetValue<string>().Replace(secret, "", StringComparison.Ordinal); break;
            case "short":
                using (var rsa = System.Security.Cryptography.RSA.Create(1024)) file["private_key"] = rsa.ExportPkcs8PrivateKeyPem();
                break;
            case "deleted": Google.Accounts.DeleteKeys(robot); break;
            case "unknown": file["client_email"] = "other@demo.iam.gserviceaccount.com"; break;
            case "too long": file["filler"] = new string('x', 16 * 1024); break;
            default: break;
        }

        var problem = await SendAsync(world, tenant.OwnerToken, "POST", Flow + "service-account", Key(what == "no JSON" ? "-----BEGIN PRIVATE KEY-----" : file.ToJsonString()), 400);
        Assert.Contains(sentence, problem["errors"]!["key"]![0]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.DoesNotContain(secret, problem.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal([0], await world.QueryAsync<int>("select count(*)::int from google_grants where tenant_id = @Id", tenant));
    }

    [Fact]
    public async Task Disconnecting_gives_the_permission_back_once_nothing_rests_on_the_account()
    {
        await using var world = new AccessWorld(app);
        var (one, email, property) = await NewAsync(world);
        var (two, _, _) = await NewAsync(world);
        // What other tests left connected without an account could be this one's, for all the app knows, and it would rightly give nothing back.
        await world.ExecuteAsync(
            """
            update integrations set settings = settings || '{"account":"elsewhere@demo.example"}' where connector = 'google-analytics' and settings ->> 'account' is null;
            delete from google_grants where account is null;
            """, new { });
        var ids = new List<(AccessTenant Tenant, string Id)>();
        foreach (var tenant in new[] { one, two })
        {
            ids.Add((tenant, (await SendAsync(world, tenant.OwnerToken, "POST", "integrations", Connect(await GrantAsync(world, tenant.OwnerToken, email), property), 201))["id"]!.GetValue<string>()));
            Assert.Equal("succeeded", await EndOfRunAsync(world, tenant));
        }

        var mine = app.Services.GetRequiredService<SecretSealer>();
        var tokens = new List<string>();
        foreach (var (_, id) in ids)
        {
            var value = (await world.QueryAsync<byte[]>("select credentials from integrations where id = @id", new { id = Guid.Parse(id) })).Single();
            tokens.Add(JsonNode.Parse(mine.Open(value, SyncRunner.CredentialPurpose(Guid.Parse(id))))!["refreshToken"]!.GetValue<string>());
        }

        Assert.Equal(204, (await world.SendAsync("DELETE", $"integrations/{ids[0].Id}", one.OwnerToken)).Status);
        Assert.Superset(tokens.ToHashSet(), Google.Accounts.RefreshTokens.ToHashSet());
        // Google being down does not keep anybody from disconnecting; nor does it being well.
        Google.Faults.Next("revoke", new Demo.Simulation.Fault.Answer(500, ""));
        Assert.Equal(204, (await world.SendAsync("DELETE", $"integrations/{ids[1].Id}", two.OwnerToken)).Status);
        Assert.Superset(tokens.ToHashSet(), Google.Accounts.RefreshTokens.ToHashSet());
        var third = (await SendAsync(world, two.OwnerToken, "POST", "integrations", Connect(await GrantAsync(world, two.OwnerToken, email), property), 201))["id"]!.GetValue<string>();
        Assert.Equal(204, (await world.SendAsync("DELETE", $"integrations/{third}?numbers=delete", two.OwnerToken)).Status);
        Assert.Empty(tokens.Intersect(Google.Accounts.RefreshTokens));
    }

    [Fact]
    public async Task A_test_waits_its_turn_behind_a_sync_and_asks_for_one_number()
    {
        await using var world = new AccessWorld(app);
        var (tenant, email, property) = await NewAsync(world);
        var id = Guid.Parse((await SendAsync(world, tenant.OwnerToken, "POST", "integrations", Connect(await GrantAsync(world, tenant.OwnerToken, email), property), 201))["id"]!.GetValue<string>());
        Assert.Equal("succeeded", await EndOfRunAsync(world, tenant));
        await world.ExecuteAsync("update integrations set lease_token = gen_random_uuid(), lease_until = now() + interval '1 minute' where id = @id", new { id });
        Assert.Equal(409, (await world.SendAsync("POST", $"integrations/{id}/test", tenant.OwnerToken)).Status);
        await world.ExecuteAsync("update integrations set lease_token = null, lease_until = null where id = @id", new { id });
        Assert.True((await SendAsync(world, tenant.OwnerToken, "POST", $"integrations/{id}/test", null, 200))["works"]!.GetValue<bool>());
        Assert.Equal([true], await world.QueryAsync<bool>("select lease_token is null and lease_until is null from integrations where id = @id", new { id }));

        // A sync that is asked for during a test runs right after it.
        Google.Faults.Next(property, new Demo.Simulation.Fault.Delay(TimeSpan.FromSeconds(2)));
        var test = world.SendAsync("POST", $"integrations/{id}/test", tenant.OwnerToken);
        await Eventually.TrueAsync(async () => (await world.QueryAsync<bool>("select lease_token is not null from integrations where id = @id", new { id })).Single(), TimeSpan.FromSeconds(10), "the test holds the lease");
        await SendAsync(world, tenant.OwnerToken, "POST", $"integrations/{id}/sync", null, 202);
        Assert.Equal(200, (await test).Status);
        var started = TimeProvider.System.GetTimestamp();
        Assert.Equal("succeeded", await EndOfRunAsync(world, tenant));
        Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(20), "The run waited for the sweeper.");
    }

    private static string Random() => System.Security.Cryptography.RandomNumberGenerator.GetInt32(100_000_000, 999_999_999).ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static string Connect(Guid grant, string property) => $$"""{"connector":"google-analytics","grant":"{{grant}}","propertyId":"{{property}}"}""";

    private static string Key(string file) => JsonSerializer.Serialize(new { key = file });

    private static GoogleProperty Property(string id, string owner, string marker) =>
        new(new GeneratedSite(new SiteProfile { PropertyId = id, TimeZone = "Europe/Berlin", Currency = "EUR", Seed = 5, Sessions = 120 }, DateTimeOffset.UtcNow), "1//old-" + id)
        { Name = "Site of " + marker, Account = "Account of " + marker, Owner = owner };

    [Fact]
    public async Task A_second_property_of_the_same_account_is_a_source_of_its_own_whose_people_are_not_added_to_those_of_the_first()
    {
        await using var world = new AccessWorld(app);
        var (tenant, email, property) = await NewAsync(world);
        var other = Random();
        Google.Add(Property(other, email, tenant.Marker));
        var first = await SendAsync(world, tenant.OwnerToken, "POST", "integrations", Connect(await GrantAsync(world, tenant.OwnerToken, email), property), 201);
        Assert.Equal("succeeded", await EndOfRunAsync(world, tenant));
        var second = await SendAsync(world, tenant.OwnerToken, "POST", "integrations", Connect(await GrantAsync(world, tenant.OwnerToken, email), other), 201);
        Assert.Equal("succeeded", await EndOfRunAsync(world, tenant));
        Assert.NotEqual(first["id"]!.GetValue<string>(), second["id"]!.GetValue<string>());
        Assert.NotEqual(first["displayName"]!.GetValue<string>(), second["displayName"]!.GetValue<string>());

        var (all, one, two) = (await SummaryAsync(""), await SummaryAsync($"&sources={first["id"]}"), await SummaryAsync($"&sources={second["id"]}"));
        decimal? Value(JsonNode answer, string key) => answer["kpis"]!.AsArray().Single(kpi => kpi!["key"]!.GetValue<string>() == key)!["value"]?.GetValue<decimal>();
        foreach (var key in new[] { "web.sessions", "web.page_views", "web.new_users" })
            Assert.Equal(Value(all, key), Value(one, key) + Value(two, key));
        foreach (var key in new[] { "web.active_users", "web.total_users", "web.active_users_28d" })
        {
            var tile = all["kpis"]!.AsArray().Single(kpi => kpi!["key"]!.GetValue<string>() == key)!;
            Assert.Equal(("not_measurable", true), (tile["status"]!.GetValue<string>(), tile["value"] is null));
            Assert.Contains("cannot be added", tile["statusReason"]!.GetValue<string>(), StringComparison.Ordinal);
            Assert.NotNull(Value(one, key));
        }

        // Both at once are all there is, and the history by day adds up as the tiles do.
        Assert.Equal(Value(all, "web.sessions"), Value(await SummaryAsync($"&sources={first["id"]},{second["id"]}"), "web.sessions"));
        var days = await SendAsync(world, tenant.OwnerToken, "GET", $"metrics/history?kpis=web.sessions&range=last_28_days&sources={second["id"]}", null, 200);
        Assert.Equal(Value(two, "web.sessions"), days["series"]![0]!["points"]!.AsArray().Sum(point => point!["value"]?.GetValue<decimal>() ?? 0));
        var divided = await SendAsync(world, tenant.OwnerToken, "GET", $"metrics/web.sessions/breakdown?dimension=channel&range=last_28_days&sources={second["id"]}", null, 200);
        Assert.Equal(
            divided["value"]!.GetValue<decimal>(),
            divided["members"]!.AsArray().Sum(member => member!["value"]!.GetValue<decimal>()) + (divided["rest"]?["value"]?.GetValue<decimal>() ?? 0));
        var day = days["series"]![0]!["points"]!.AsArray().Last(point => point!["value"] is not null)!["date"]!.GetValue<string>();
        var origin = await SendAsync(world, tenant.OwnerToken, "GET", $"metrics/provenance?kpi=web.sessions&date={day}", null, 200);
        Assert.Equal(
            new[] { first["id"]!.GetValue<string>(), second["id"]!.GetValue<string>() },
            origin["parts"]!.AsArray().Select(part => part!["integrationId"]!.GetValue<string>()));
        Assert.Equal(origin["value"]!.GetValue<decimal>(), origin["parts"]!.AsArray().Sum(part => part!["value"]!.GetValue<decimal>()));

        // Disconnected, its numbers stay what they are, and connecting the same property again goes on with them.
        Assert.Equal(204, (await world.SendAsync("DELETE", $"integrations/{second["id"]}", tenant.OwnerToken)).Status);
        Assert.Equal(Value(two, "web.sessions"), Value(await SummaryAsync($"&sources={second["id"]}"), "web.sessions"));
        var back = await SendAsync(world, tenant.OwnerToken, "POST", "integrations", Connect(await GrantAsync(world, tenant.OwnerToken, email), other), 201);
        Assert.Equal(second["id"]!.GetValue<string>(), back["id"]!.GetValue<string>());

        Task<JsonNode> SummaryAsync(string query) => SendAsync(world, tenant.OwnerToken, "GET", $"metrics/summary?range=last_28_days{query}", null, 200);
    }

    /// <summary>A business without sources, and a Google account with one property.</summary>
    private async Task<(AccessTenant Tenant, string Email, string Property)> NewAsync(AccessWorld world)
    {
        var marker = "g" + Guid.NewGuid().ToString("N")[..8];
        var tenant = await world.TenantAsync(marker);
        await world.ExecuteAsync(
            "delete from integrations where tenant_id = @Id; delete from kpi_values where tenant_id = @Id; delete from kpi_restatements where tenant_id = @Id; set local kpi.audit = 'purge'; delete from audit_log where tenant_id = @Id; set local kpi.audit = ''; delete from google_grants where tenant_id = @Id", tenant);
        var (email, property) = ($"{marker}@demo.example", Random());
        Google.Add(Property(property, email, marker));
        return (tenant, email, property);
    }

    private async Task<(Uri Url, string? Cookie)> AuthorizeAsync(AccessWorld world, string token, string query = "")
    {
        _ = world;
        using var client = app.Anonymous();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"api/{Flow}authorize{query}") { Headers = { { "X-Kpi-Token", token } } };
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, body);
        return (new Uri(JsonNode.Parse(body)!["url"]!.GetValue<string>()), Assert.Single(response.Headers.GetValues("Set-Cookie")));
    }

    /// <summary>Answers the simulated Google's page as a person would; returns where it sends the browser.</summary>
    private static async Task<string> ConsentAsync(Uri url, string email, string answer = "allow", bool scope = true)
    {
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        Assert.Contains(email, await client.GetStringAsync(url, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        var form = QueryHelpers.ParseQuery(url.Query).Select(field => KeyValuePair.Create(field.Key, field.Value.ToString())).ToList();
        form.Add(new("account", email));
        form.Add(new("answer", answer));
        if (scope) form.Add(new("granted", "https://www.googleapis.com/auth/analytics.readonly"));
        using var content = new FormUrlEncodedContent(form);
        using var response = await client.PostAsync(new Uri(url.GetLeftPart(UriPartial.Path)), content, TestContext.Current.CancellationToken);
        return response.Headers.Location!.PathAndQuery;
    }

    /// <summary>Comes back from Google; returns the page that the browser is sent to.</summary>
    private async Task<string> CallbackAsync(string path, string? cookie)
    {
        using var client = new HttpClient(new HttpClientHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = app.Address };
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (cookie is not null) request.Headers.Add("Cookie", cookie.Split(';')[0]);
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.True((int)response.StatusCode == 302, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.StartsWith("kpi_google=;", Assert.Single(response.Headers.GetValues("Set-Cookie")), StringComparison.Ordinal);
        Assert.Contains("no-store", response.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
        return response.Headers.Location!.AbsoluteUri;
    }

    private async Task<Guid> GrantAsync(AccessWorld world, string token, string email)
    {
        var (url, cookie) = await AuthorizeAsync(world, token);
        return Guid.Parse(QueryHelpers.ParseQuery(new Uri(await CallbackAsync(await ConsentAsync(url, email), cookie)).Query)["google"].ToString());
    }

    private static async Task<JsonNode> SendAsync(AccessWorld world, string token, string verb, string path, string? body, int expected)
    {
        var (status, text) = await world.SendAsync(verb, path, token, body);
        Assert.True(status == expected, $"{verb} {path}: {status} {text}");
        return JsonNode.Parse(text)!;
    }

    private static async Task<string> EndOfRunAsync(AccessWorld world, AccessTenant tenant)
    {
        var status = "";
        await Eventually.TrueAsync(async () =>
        {
            status = (await SendAsync(world, tenant.OwnerToken, "GET", "sync/runs?limit=1", null, 200))["runs"]![0]!["status"]!.GetValue<string>();
            return status is "succeeded" or "failed" or "dead";
        }, TimeSpan.FromMinutes(1), "the run ends");
        return status;
    }

    private static Task<IReadOnlyList<string>> ActionsAsync(AccessWorld world, AccessTenant tenant) =>
        world.QueryAsync<string>("select action from audit_log where tenant_id = @Id and action not like 'session.%' order by at, id", tenant);
}
