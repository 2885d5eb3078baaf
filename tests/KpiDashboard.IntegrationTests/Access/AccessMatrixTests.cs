using KpiDashboard.Access;
using KpiDashboard.Identity;
using KpiDashboard.IntegrationTests.App;
using Xunit;

namespace KpiDashboard.IntegrationTests.Access;

/// <summary>Every route × every kind of caller, by really calling it.</summary>
[Collection(AppCollection.Name)]
// Who may do what is the same on every day.
[Trait("Clock", "none")]
public sealed class AccessMatrixTests(AppFixture app)
{
    private const string Anybody = "anybody", Key = "function-key", Machines = "n8n", People = "owner admin member viewer";

    /// <summary>
    /// Who may call what, written down a second time by hand, apart from the triggers' attributes and from the table in the product: roles, and scopes of
    /// tokens. A <c>!</c> says that the sign-in must be fresh. A route that is missing here fails the test.
    /// </summary>
    private static readonly Dictionary<string, string> Expected = new(StringComparer.Ordinal)
    {
        ["POST auth/register"] = Anybody,
        ["POST auth/verify-email"] = Anybody,
        ["POST auth/verify-email/resend"] = People,
        ["POST auth/verify-email/request"] = Anybody,
        ["POST auth/forgot-password"] = Anybody,
        ["POST auth/reset-password"] = Anybody,
        ["POST auth/change-password"] = People,
        ["POST auth/confirm"] = People,
        ["GET auth/me"] = People,
        ["PATCH auth/me"] = People,
        ["GET auth/me/export"] = People,
        ["DELETE auth/me"] = People + " !",
        ["POST auth/login"] = Anybody,
        ["POST auth/refresh"] = Anybody,
        ["POST auth/logout"] = Anybody,
        ["POST auth/logout-everywhere"] = People,
        ["GET auth/sessions"] = People,
        ["DELETE auth/sessions/{id}"] = People,
        ["POST auth/switch"] = People,
        ["POST auth/second-factor"] = Anybody,
        ["GET auth/second-factor"] = People,
        ["POST auth/second-factor/setup"] = People + " !",
        ["POST auth/second-factor/enable"] = People + " !",
        ["POST auth/second-factor/recovery-codes"] = People + " !",
        ["DELETE auth/second-factor"] = People + " !",
        ["GET auth/providers"] = Anybody,
        ["GET auth/oidc/{provider}/start"] = Anybody,
        ["GET auth/oidc/{provider}/callback"] = Anybody,
        ["GET auth/oidc/pending"] = Anybody,
        ["POST auth/oidc/register"] = Anybody,
        ["POST auth/invitation"] = Anybody,
        ["POST auth/accept-invitation"] = Anybody,
        ["GET tenants"] = People,
        ["POST tenants"] = People,
        ["GET demo"] = People,
        ["POST demo"] = People,
        ["GET roles"] = People,
        ["POST tenant/leave"] = People,
        ["GET tenant"] = People + " read",
        ["PUT tenant"] = "owner admin",
        ["POST tenant/transfer-ownership"] = "owner !",
        ["GET members"] = "owner admin",
        ["PATCH members/{id}"] = "owner admin",
        ["DELETE members/{id}"] = "owner admin",
        ["POST members/invitations"] = "owner admin",
        ["DELETE members/invitations/{id}"] = "owner admin",
        ["POST members/invitations/{id}/resend"] = "owner admin",
        ["GET audit"] = "owner",
        ["GET audit/export"] = "owner",
        ["POST tenant/exports"] = "owner !",
        ["GET tenant/exports"] = "owner",
        ["GET tenant/exports/{id}"] = "owner",
        ["GET tenant/exports/{id}/download"] = "owner !",
        ["POST tenant/deletion"] = "owner !",
        ["DELETE tenant/deletion"] = "owner",
        ["GET tokens"] = "owner admin",
        ["POST tokens"] = "owner admin !",
        ["PATCH tokens/{id}"] = "owner admin !",
        ["DELETE tokens/{id}"] = "owner admin",
        ["GET kpis"] = People + " read",
        ["GET metrics/summary"] = People + " read",
        ["GET metrics/history"] = People + " read",
        ["GET metrics/{key}/breakdown"] = People + " read",
        ["GET metrics/provenance"] = People + " read",
        ["GET export"] = People + " read",
        ["GET goals"] = People + " read",
        ["POST goals"] = "owner admin member",
        ["PATCH goals/{id}"] = "owner admin member",
        ["DELETE goals/{id}"] = "owner admin member",
        ["GET kpis/calculated"] = People + " read",
        ["POST kpis/calculated"] = "owner admin member",
        ["POST kpis/calculated/preview"] = People + " read",
        ["PATCH kpis/calculated/{id}"] = "owner admin member",
        ["DELETE kpis/calculated/{id}"] = "owner admin member",
        ["GET insights/business"] = People + " read",
        ["POST insights/{id}/dismiss"] = "owner admin member",
        ["DELETE insights/{id}/dismiss"] = "owner admin member",
        ["POST insights/{id}/snooze"] = "owner admin member",
        ["DELETE insights/{id}/snooze"] = "owner admin member",
        ["GET annotations"] = People + " read",
        ["POST annotations"] = "owner admin member",
        ["PATCH annotations/{id}"] = "owner admin member",
        ["DELETE annotations/{id}"] = "owner admin member",
        ["GET automation/performance"] = People + " read",
        ["GET automation/executions"] = People + " read",
        ["GET automation/executions/{id}"] = People + " read",
        ["GET automation/export/executions"] = People + " read",
        ["GET automation/export/workflows"] = People + " read",
        ["POST automation/look"] = People + " read",
        ["GET sources"] = People + " read",
        ["GET integrations"] = People + " read",
        ["GET integrations/{id}"] = People + " read",
        ["POST integrations"] = "owner admin !",
        ["PATCH integrations/{id}"] = "owner admin",
        ["DELETE integrations/{id}"] = "owner admin !",
        ["POST integrations/{id}/test"] = "owner admin",
        ["POST integrations/{id}/sync"] = "owner admin member refresh",
        ["POST integrations/{id}/pause"] = "owner admin",
        ["POST integrations/{id}/resume"] = "owner admin",
        ["GET integrations/{id}/workflows"] = People + " read",
        ["PATCH integrations/{id}/workflows/{workflowId}"] = "owner admin",
        ["GET integrations/google-analytics/authorize"] = "owner admin !",
        ["GET integrations/google-analytics/callback"] = Anybody,
        ["POST integrations/google-analytics/service-account"] = "owner admin !",
        ["GET integrations/google-analytics/properties"] = "owner admin",
        ["GET sync/runs"] = People + " read",
        ["GET sync/runs/{id}"] = People + " read",
        ["POST sync/refresh"] = "owner admin member refresh",
        ["POST webhooks/refresh"] = "owner admin member refresh",
        ["GET ops/dead-letters"] = Key,
        ["POST ops/requeue"] = Key,
        ["GET ops/overview"] = Key,
        ["GET ops/faults"] = Key,
        ["POST ops/faults/clear"] = Key,
        ["GET ops/integrations"] = Key,
        ["GET ops/host"] = Key,
        ["POST webhooks/n8n"] = Machines,
        ["GET kpis/custom"] = "owner admin",
        ["POST kpis/custom"] = "owner admin",
        ["PATCH kpis/custom/{id}"] = "owner admin",
        ["DELETE kpis/custom/{id}"] = "owner admin",
        ["GET push/log"] = "owner admin",
        ["POST push"] = "owner admin member push",
        ["POST import"] = "owner admin member push",
        ["GET imports"] = "owner admin member push",
        ["GET imports/{id}"] = "owner admin member push",
        ["GET dashboards"] = People + " read",
        ["POST dashboards"] = People,
        ["GET dashboards/{id}"] = People + " read",
        ["PATCH dashboards/{id}"] = People,
        ["DELETE dashboards/{id}"] = People,
        ["GET dashboards/{id}/shares"] = "owner admin",
        ["POST dashboards/{id}/shares"] = "owner admin",
        ["DELETE dashboards/{id}/shares/{shareId}"] = "owner admin",
        ["GET shared/dashboard"] = Anybody,
        ["GET health/live"] = Anybody,
        ["GET health/ready"] = Anybody,
        ["GET openapi.json"] = Anybody,
    };

    [Fact]
    public void Every_route_has_an_entry_here_and_every_entry_is_a_route() =>
        Assert.Equal(Expected.Keys.Order(StringComparer.Ordinal), AppRoute.All.Select(route => route.ToString()).Order(StringComparer.Ordinal));

    [Fact]
    public void The_table_of_permissions_says_the_same_as_the_entries_here() => Assert.All(AppRoute.All, route =>
    {
        var allowed = Expected[route.ToString()].Split(' ');
        if (route.Required.Permission == Permission.Anonymous)
        {
            Assert.Equal([Anybody], allowed);
            return;
        }

        // No role and no scope: the host asks for its key.
        Assert.Equal(route.Required.Permission == Permission.Operate, allowed is [Key]);
        if (allowed is [Key]) allowed = [];

        Assert.Equal(
            allowed.Where(word => word != "!").Order(),
            Permissions.Roles.Where(role => Permissions.RoleMay(role, route.Required.Permission))
                .Concat(Permissions.Scopes.Where(scope => Permissions.ScopesMay([scope], route.Required.Permission) && !route.Required.Fresh)).Order());
        Assert.Equal(allowed.Contains("!"), route.Required.Fresh);
    });

    [Fact]
    public async Task Every_route_answers_each_role_and_each_scope_as_its_entry_says()
    {
        await using var world = new AccessWorld(app);
        var wrong = new List<string>();
        var asked = 0;
        foreach (var route in AppRoute.All)
        {
            var allowed = Expected[route.ToString()].Split(' ');
            var nobody = await world.SendAsync(route.Verb, Fill(route.Path), null);
            foreach (var caller in Permissions.Roles.Concat(Permissions.Scopes))
            {
                // A business and a person of its own for each: some of these calls really delete, leave or sign out.
                var tenant = await world.TenantAsync("m" + Guid.NewGuid().ToString("N")[..8]);
                var token = Permissions.Roles.Contains(caller) ? (await world.PersonAsync(tenant.Id, caller)).Token : await world.MachineAsync(tenant.Id, caller);
                var (status, body) = await world.SendAsync(route.Verb, Fill(route.Path), token);
                asked++;
                var fits = allowed is [Key] ? status == 401 && body.Length == 0
                    : allowed is [Anybody] ? status == nobody.Status && status != 403
                    : allowed.Contains(caller) ? status is not (401 or 403) and < 500
                    : status == 403 && body.Contains("problems/forbidden", StringComparison.Ordinal);
                if (!fits) wrong.Add($"{route} as {caller}: {status} {body[..Math.Min(200, body.Length)]}");
            }
        }

        Assert.True(asked > 500, $"Only {asked} requests were made.");
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public async Task Every_route_but_the_open_ones_refuses_whoever_is_not_or_no_longer_admitted()
    {
        await using var world = new AccessWorld(app);
        var (own, other) = (await world.TenantAsync("n" + Guid.NewGuid().ToString("N")[..8]), await world.TenantAsync("o" + Guid.NewGuid().ToString("N")[..8]));
        var tokens = new Dictionary<string, string?>
        {
            ["no token"] = null,
            ["an expired token"] = Expired(await world.PersonAsync(own.Id, "owner"), own.Id),
            ["a tampered token"] = Tampered((await world.PersonAsync(own.Id, "owner")).Token),
            ["a token for a tenant of others"] = For(await world.PersonAsync(own.Id, "owner"), other.Id),
            ["a token for a tenant that never was"] = For(await world.PersonAsync(own.Id, "owner"), Guid.NewGuid()),
            ["a session of somebody else"] = Issue((await world.PersonAsync(own.Id, "owner")).Id, own.Id, own.OwnerSession),
            ["an unknown API token"] = TokenHash.Fresh(Authenticator.TokenPrefix),
            ["rubbish"] = "eyJhbGciOiJub25lIn0.e30.",
        };
        foreach (var (name, sql) in new[]
        {
            ("an ended session", "update sessions set ended_at = now() where user_id = @id"),
            ("a session that ran out", "update sessions set expires_at = now() where user_id = @id"),
            ("a deactivated account", "update users set disabled_at = now() where id = @id"),
            ("a deactivated member", "update memberships set deactivated_at = now() where user_id = @id"),
            ("a removed member", "delete from memberships where user_id = @id"),
            ("an erased person", "delete from users where id = @id"),
        })
        {
            var person = await world.PersonAsync(own.Id, "owner");
            await world.ExecuteAsync(sql, new { id = person.Id });
            tokens[name] = person.Token;
        }

        foreach (var (name, sql) in new[] { ("a revoked API token", "update api_tokens set revoked_at = now() where token_hash = @hash"), ("an API token that ran out", "update api_tokens set expires_at = now() where token_hash = @hash") })
        {
            var token = await world.MachineAsync(own.Id, "read");
            await world.ExecuteAsync(sql, new { hash = TokenHash.Of(token) });
            tokens[name] = token;
        }

        var wrong = new List<string>();
        foreach (var route in AppRoute.All.Where(route => Expected[route.ToString()] != Anybody))
        {
            foreach (var (name, token) in tokens)
            {
                var (status, body) = await world.SendAsync(route.Verb, Fill(route.Path), token);
                if (status == 401 && body.Length == 0 && Expected[route.ToString()] == Key) continue;
                if (status != 401 || !body.Contains("problems/unauthorized", StringComparison.Ordinal)) wrong.Add($"{route} with {name}: {status} {body[..Math.Min(120, body.Length)]}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public async Task What_asks_for_a_fresh_sign_in_refuses_one_of_sixteen_minutes_ago_and_the_rest_does_not_mind()
    {
        await using var world = new AccessWorld(app);
        var tenant = await world.TenantAsync("f" + Guid.NewGuid().ToString("N")[..8]);
        foreach (var route in AppRoute.All.Where(route => Expected[route.ToString()] is not (Anybody or Machines)))
        {
            var person = await world.PersonAsync(tenant.Id, "owner");
            await world.ExecuteAsync("update sessions set authenticated_at = now() - interval '16 minutes' where id = @Session", person);
            var (status, body) = await world.SendAsync(route.Verb, Fill(route.Path), person.Token);
            var refused = status == 403 && body.Contains("problems/confirm-identity", StringComparison.Ordinal);
            Assert.True(refused == Expected[route.ToString()].EndsWith('!'), $"{route}: {status} {body}");
        }
    }

    [Fact]
    public async Task A_tenant_that_asks_for_a_second_factor_is_closed_to_whoever_has_none_but_for_the_own_account()
    {
        await using var world = new AccessWorld(app);
        foreach (var route in AppRoute.All.Where(route => Expected[route.ToString()] is not (Anybody or Key)))
        {
            var tenant = await world.TenantAsync("s" + Guid.NewGuid().ToString("N")[..8]);
            await world.ExecuteAsync("update tenants set require_second_factor = true where id = @Id", tenant);
            var (status, body) = await world.SendAsync(route.Verb, Fill(route.Path), tenant.OwnerToken);
            var refused = status == 403 && body.Contains("problems/second-factor-required", StringComparison.Ordinal);
            Assert.True(refused == (route.Required.Permission != Permission.SignedIn), $"{route}: {status} {body}");
        }
    }

    [Fact]
    public async Task A_tenant_that_is_to_be_deleted_can_be_read_exported_and_kept_and_nothing_else()
    {
        await using var world = new AccessWorld(app);
        foreach (var route in AppRoute.All.Where(route => Expected[route.ToString()] is not (Anybody or Key or Machines)))
        {
            var tenant = await world.TenantAsync("d" + Guid.NewGuid().ToString("N")[..8]);
            await world.ExecuteAsync("update tenants set delete_after = now() + interval '1 day' where id = @Id", tenant);
            var (status, body) = await world.SendAsync(route.Verb, Fill(route.Path), tenant.OwnerToken);
            var refused = status == 409 && body.Contains("to be deleted after", StringComparison.Ordinal);
            Assert.True(refused == route.Required.Permission is Permission.Refresh or Permission.Push or Permission.ManageTokens or Permission.ManageMembers or Permission.ManageSettings or Permission.ManageIntegrations or Permission.ManageNumbers or Permission.KeepDashboards or Permission.ManageShares, $"{route}: {status} {body}");
        }
    }

    private static string Fill(string path) => path.Replace("{id}", Guid.NewGuid().ToString(), StringComparison.Ordinal).Replace("{provider}", "nobody", StringComparison.Ordinal).Replace("{key}", "web.sessions", StringComparison.Ordinal);

    private string For(AccessPerson person, Guid tenant) => Issue(person.Id, tenant, person.Session);

    private string Issue(Guid person, Guid tenant, Guid session) => Tokens(TimeProvider.System).Issue(person, tenant, session);

    private string Expired(AccessPerson person, Guid tenant) =>
        Tokens(new Microsoft.Extensions.Time.Testing.FakeTimeProvider(DateTimeOffset.UtcNow - AccessTokens.Lifetime - TimeSpan.FromSeconds(1))).Issue(person.Id, tenant, person.Session);

    private AccessTokens Tokens(TimeProvider time) =>
        new((Microsoft.Extensions.Options.IOptionsMonitor<AuthOptions>)app.Services.GetService(typeof(Microsoft.Extensions.Options.IOptionsMonitor<AuthOptions>))!, time);

    private static string Tampered(string token)
    {
        var middle = token.IndexOf('.') + 20;
        return token[..middle] + (token[middle] == 'A' ? 'B' : 'A') + token[(middle + 1)..];
    }
}
