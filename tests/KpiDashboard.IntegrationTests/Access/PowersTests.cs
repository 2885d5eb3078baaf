using KpiDashboard.Access;
using KpiDashboard.IntegrationTests.App;
using Xunit;

namespace KpiDashboard.IntegrationTests.Access;

/// <summary>The same power takes the same proof, by whichever door: the table of powers, and every route that leads to one.</summary>
[Collection(AppCollection.Name)]
// Who may do what is the same on every day.
[Trait("Clock", "none")]
public sealed class PowersTests(AppFixture app)
{
    /// <summary>
    /// Each door to each power: the request that really exercises it. Written by hand, apart from the attributes; a door that is declared and missing here fails
    /// the test, and so does one that is here and not declared.
    /// </summary>
    private static readonly (Power Power, string Route, string? Body, string? Before)[] Doors =
    [
        (Power.MakeOwner, "POST tenant/transfer-ownership", """{"userId":"{member}"}""", null),
        (Power.MakeOwner, "PATCH members/{id}", """{"role":"owner"}""", null),
        (Power.MakeOwner, "PATCH members/{id}", """{"active":true}""", "update memberships set role = 'owner', deactivated_at = now() where user_id = @member"),
        (Power.MakeOwner, "PATCH members/{id}", """{"role":"owner","active":true}""", "update memberships set deactivated_at = now() where user_id = @member"),
        (Power.MakeOwner, "POST members/invitations", """{"email":"partner@x.example","role":"owner"}""", null),
        (Power.MakeOwner, "POST members/invitations/{id}/resend", null, "update invitations set role = 'owner' where tenant_id = @tenant"),
        (Power.UnmakeOwner, "PATCH members/{id}", """{"role":"viewer"}""", "update memberships set role = 'owner' where user_id = @member"),
        (Power.UnmakeOwner, "PATCH members/{id}", """{"active":false}""", "update memberships set role = 'owner' where user_id = @member"),
        (Power.UnmakeOwner, "DELETE members/{id}", null, "update memberships set role = 'owner' where user_id = @member"),
        (Power.TakeDataOut, "POST tenant/exports", null, null),
        (Power.TakeDataOut, "GET tenant/exports/{id}/download", null, null),
        (Power.DeleteBusiness, "POST tenant/deletion", """{"name":"Business {marker}"}""", null),
        (Power.MakeToken, "POST tokens", """{"name":"t","scopes":["read"]}""", null),
        (Power.MakeToken, "PATCH tokens/{id}", """{"allowedAddresses":["203.0.113.7"]}""", null),
        (Power.ConnectSource, "POST integrations", """{"connector":"n8n","settings":{"baseUrl":"https://n8n.example"},"credentials":{"apiKey":"k"}}""", null),
        (Power.ConnectSource, "PATCH integrations/{id}", """{"credentials":{"apiKey":"another"}}""", null),
        (Power.ConnectSource, "PATCH integrations/{id}", """{"grant":"00000000-0000-0000-0000-000000000001"}""", null),
        (Power.ConnectSource, "GET integrations/google-analytics/authorize", null, null),
        (Power.ConnectSource, "POST integrations/google-analytics/service-account", """{"key":"{}"}""", null),
        (Power.DisconnectSource, "DELETE integrations/{id}", null, null),
        (Power.WaiveSecondFactor, "PUT tenant", Settings, "update tenants set require_second_factor = true where id = @tenant; update users set totp_enabled_at = '2026-01-01Z' where id = @owner; update sessions set otp_at = '2026-01-01Z' where user_id = @owner"),
        (Power.ChangeSecondFactor, "POST auth/second-factor/setup", null, null),
        (Power.ChangeSecondFactor, "POST auth/second-factor/enable", """{"code":"000000"}""", null),
        (Power.ChangeSecondFactor, "POST auth/second-factor/recovery-codes", null, "update users set totp_enabled_at = now() where id = @owner; update sessions set otp_at = now() where user_id = @owner"),
        (Power.ChangeSecondFactor, "DELETE auth/second-factor", null, "update users set totp_enabled_at = now() where id = @owner; update sessions set otp_at = now() where user_id = @owner"),
        (Power.EraseAccount, "DELETE auth/me", null, null),
    ];

    private const string Settings =
        """{"name":"Renamed","timeZone":"Asia/Tokyo","currency":"JPY","locale":"ja-JP","weekStart":0,"fiscalYearStartMonth":4,"hourlyLabourCost":55,"automationCostPerMonth":10,"requireSecondFactor":false}""";

    [Fact]
    public void Every_power_says_what_it_takes_and_every_door_that_is_declared_is_tried_here()
    {
        Assert.Equal(Enum.GetValues<Power>().Where(power => power != Power.None).Order(), PowerTable.All.Keys.Order());
        Assert.All(PowerTable.All.Values, entry => Assert.True(entry.Proof is not Proof.None && entry.Words.Length > 10));
        Assert.Equal(
            AppRoute.All.SelectMany(route => route.Required.Powers.Append(route.Required.Power).Where(power => power != Power.None).Select(power => $"{power} {route}")).Order(StringComparer.Ordinal),
            Doors.Select(door => $"{door.Power} {door.Route}").Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Each_door_to_a_power_is_shut_to_a_sign_in_of_sixteen_minutes_ago_and_open_to_a_fresh_one()
    {
        await using var world = new AccessWorld(app);
        foreach (var (power, route, body, sql) in Doors)
        {
            foreach (var stale in new[] { true, false })
            {
                var tenant = await world.TenantAsync("w" + Guid.NewGuid().ToString("N")[..8]);
                var (owner, member) = (await world.PersonAsync(tenant.Id, "owner"), await world.PersonAsync(tenant.Id, "admin"));
                if (sql is not null) await world.ExecuteAsync(sql, new { tenant = tenant.Id, owner = owner.Id, member = member.Id });
                if (stale) await world.ExecuteAsync("update sessions set authenticated_at = now() - interval '16 minutes', otp_at = otp_at - interval '16 minutes' where user_id = @Id", owner);
                // A factor that was turned on before that.
                await world.ExecuteAsync("update users u set totp_enabled_at = (select min(otp_at) from sessions where user_id = u.id) where id = @Id and totp_enabled_at is not null", owner);
                var before = await world.FingerprintAsync(tenant.Id);
                var path = route[(route.IndexOf(' ', StringComparison.Ordinal) + 1)..];
                var id = path.StartsWith("members/invitations", StringComparison.Ordinal) ? tenant.Invitation
                    : path.StartsWith("members", StringComparison.Ordinal) ? member.Id
                    : path.StartsWith("tokens", StringComparison.Ordinal) ? tenant.Token
                    : path.StartsWith("integrations", StringComparison.Ordinal) ? tenant.Integration : tenant.Export;
                var (status, answer) = await world.SendAsync(
                    route[..route.IndexOf(' ', StringComparison.Ordinal)], path.Replace("{id}", id.ToString(), StringComparison.Ordinal), owner.Token,
                    body?.Replace("{member}", member.Id.ToString(), StringComparison.Ordinal).Replace("{marker}", tenant.Marker, StringComparison.Ordinal));
                var refused = status == 403 && answer.Contains("problems/confirm-identity", StringComparison.Ordinal);
                Assert.True(refused == stale && status < 500, $"{power} by {route} {body}, {(stale ? "stale" : "fresh")}: {status} {answer}");
                if (stale) Assert.Equal(before, await world.FingerprintAsync(tenant.Id));
            }
        }
    }

    [Fact]
    public async Task No_route_at_all_gives_a_stale_session_what_the_powers_are_about()
    {
        await using var world = new AccessWorld(app);
        var bodies = Doors.Select(door => door.Body ?? "{}").Append("{}").Distinct().ToList();
        foreach (var route in AppRoute.All.Where(route => route.Verb != "GET" && route.Required.Permission is not (Permission.Anonymous or Permission.Operate)))
        {
            var tenant = await world.TenantAsync("v" + Guid.NewGuid().ToString("N")[..8]);
            var (owner, member) = (await world.PersonAsync(tenant.Id, "owner"), await world.PersonAsync(tenant.Id, "admin"));
            await world.ExecuteAsync("update sessions set authenticated_at = now() - interval '16 minutes' where user_id = @Id", owner);
            var before = await HeldAsync(world, tenant, owner);
            foreach (var body in bodies.Append(CrossTenantTests.Body(route, tenant)))
            {
                var filled = body.Replace("{member}", member.Id.ToString(), StringComparison.Ordinal).Replace("{marker}", tenant.Marker, StringComparison.Ordinal);
                foreach (var path in new[] { CrossTenantTests.Own(route.Path, tenant), route.Path.Replace("{id}", member.Id.ToString(), StringComparison.Ordinal) }.Distinct())
                    await world.SendAsync(route.Verb, path, owner.Token, filled);
                if (route.Path == "auth/logout-everywhere") break;
                if (!route.Path.Contains("{id}", StringComparison.Ordinal) && body == "{}" && route.Verb == "DELETE") break;
            }

            Assert.Equal((route.ToString(), before), (route.ToString(), await HeldAsync(world, tenant, owner)));
        }
    }

    /// <summary>Who owns the business or is invited to, its tokens, exports, deletion and connections, and how the person signs in.</summary>
    private static async Task<string> HeldAsync(AccessWorld world, AccessTenant tenant, AccessPerson owner) => (await world.QueryAsync<string>(
        """
        select coalesce((select string_agg(user_id || ' ', '' order by user_id) from memberships where tenant_id = @Id and role = 'owner' and deactivated_at is null), '')
            || coalesce((select string_agg(id || encode(token_hash, 'hex'), ' ' order by id) from invitations where tenant_id = @Id and role = 'owner' and revoked_at is null), '')
            || (select count(*) from api_tokens where tenant_id = @Id and revoked_at is null and id <> @Token) || ' ' || (select count(*) from tenant_exports where tenant_id = @Id)
            || (select coalesce(delete_after::text, '-') || require_second_factor from tenants where id = @Id)
            || coalesce((select string_agg(coalesce(encode(credentials, 'hex'), '-') || settings::text || connector, ' ' order by id) from integrations where tenant_id = @Id), '')
            || (select coalesce(password_hash, '-') || coalesce(totp_enabled_at::text, '-') || coalesce(encode(totp_secret, 'hex'), '-') || email from users where id = @Owner)
        """,
        new { tenant.Id, tenant.Token, Owner = owner.Id })).Single();
}
