using KpiDashboard.IntegrationTests.App;
using Xunit;

namespace KpiDashboard.IntegrationTests.Tenancy;

[Collection(SecondAppCollection.Name)]
public sealed class MembersTests(AppFixture app)
{
    private readonly Town _town = new(app);

    [Fact]
    public async Task The_list_tells_of_the_own_business_alone_and_carries_an_ETag()
    {
        var (tenant, other) = (await _town.TenantAsync(), await _town.TenantAsync("Other"));
        var owner = await _town.PersonAsync(tenant, "owner");
        var viewer = await _town.PersonAsync(tenant, "viewer", secondFactor: true);
        var stranger = await _town.PersonAsync(other, "owner");
        var members = (await owner.Client.GetJsonAsync("api/members"))["members"]!.AsArray();
        Assert.Equal([owner.Id, viewer.Id], members.Select(member => member!["id"]!.GetValue<Guid>()));
        Assert.Equal((viewer.Email, "viewer", true, true), (
            (string)members[1]!["email"]!, (string)members[1]!["role"]!, (bool)members[1]!["active"]!, (bool)members[1]!["secondFactor"]!));
        Assert.NotNull(members[1]!["lastSeenAt"]);
        Assert.DoesNotContain(stranger.Email, members.ToJsonString(), StringComparison.Ordinal);

        using var first = await owner.Client.GetAsync("api/members", TestContext.Current.CancellationToken);
        using var again = new HttpRequestMessage(HttpMethod.Get, "api/members") { Headers = { IfNoneMatch = { first.Headers.ETag! } } };
        using var answer = await owner.Client.SendAsync(again, TestContext.Current.CancellationToken);
        Assert.Equal(304, (int)answer.StatusCode);
    }

    [Fact]
    public async Task Members_and_viewers_and_tokens_reach_none_of_it()
    {
        var tenant = await _town.TenantAsync();
        var owner = await _town.PersonAsync(tenant, "owner");
        var machine = _town.As((await owner.Client.SendJsonAsync(HttpMethod.Post, "api/tokens", new { name = "all", scopes = new[] { "read", "refresh", "push", "n8n" } }))["token"]!.GetValue<string>());
        foreach (var client in new[] { (await _town.PersonAsync(tenant, "member")).Client, (await _town.PersonAsync(tenant, "viewer")).Client, machine })
        {
            await client.RefusedAsync(403, HttpMethod.Get, "api/members");
            await client.RefusedAsync(403, HttpMethod.Patch, $"api/members/{owner.Id}", new { role = "viewer" });
            await client.RefusedAsync(403, HttpMethod.Delete, $"api/members/{owner.Id}");
            await client.RefusedAsync(403, HttpMethod.Post, "api/members/invitations", new { email = Town.Address(), role = "viewer" });
            await client.RefusedAsync(403, HttpMethod.Delete, $"api/members/invitations/{Guid.NewGuid()}");
            await client.RefusedAsync(403, HttpMethod.Post, $"api/members/invitations/{Guid.NewGuid()}/resend");
        }

        Assert.Equal(("owner", true), await _town.MembershipAsync(tenant, owner.Id));
    }

    [Fact]
    public async Task An_admin_changes_everybody_but_owners_and_makes_none()
    {
        var tenant = await _town.TenantAsync();
        var owner = await _town.PersonAsync(tenant, "owner");
        var admin = await _town.PersonAsync(tenant, "admin");
        var member = await _town.PersonAsync(tenant, "member");
        var changed = await admin.Client.SendJsonAsync(HttpMethod.Patch, $"api/members/{member.Id}", new { role = "viewer" });
        Assert.Equal("viewer", (string)changed["role"]!);
        Assert.Equal("Only an owner may make, change or remove an owner.", await admin.Client.RefusedAsync(403, HttpMethod.Patch, $"api/members/{member.Id}", new { role = "owner" }));
        await admin.Client.RefusedAsync(403, HttpMethod.Patch, $"api/members/{owner.Id}", new { role = "viewer" });
        await admin.Client.RefusedAsync(403, HttpMethod.Patch, $"api/members/{owner.Id}", new { active = false });
        await admin.Client.RefusedAsync(403, HttpMethod.Delete, $"api/members/{owner.Id}");
        await admin.Client.RefusedAsync(403, HttpMethod.Post, "api/members/invitations", new { email = Town.Address(), role = "owner" });
        Assert.Equal(["member.role_changed"], await _town.AuditAsync(tenant));
        Assert.Equal("""{"role": "member"} {"role": "viewer"}""", (await _town.QueryAsync<string>(
            "select before::text || ' ' || after::text from audit_log where tenant_id = @tenant", new { tenant }))[0]);
        // The role holds for the very next request.
        await member.Client.RefusedAsync(403, HttpMethod.Post, "api/sync/refresh");
    }

    [Fact]
    public async Task Nobody_changes_his_own_role_or_removes_himself()
    {
        var tenant = await _town.TenantAsync();
        var owner = await _town.PersonAsync(tenant, "owner");
        await _town.PersonAsync(tenant, "owner");
        Assert.Contains("his own role", await owner.Client.RefusedAsync(409, HttpMethod.Patch, $"api/members/{owner.Id}", new { role = "viewer" }), StringComparison.Ordinal);
        await owner.Client.RefusedAsync(409, HttpMethod.Patch, $"api/members/{owner.Id}", new { active = false });
        await owner.Client.RefusedAsync(409, HttpMethod.Delete, $"api/members/{owner.Id}");
        Assert.Equal(("owner", true), await _town.MembershipAsync(tenant, owner.Id));
    }

    [Fact]
    public async Task Two_owners_who_demote_each_other_at_once_leave_one_owner_in_20_rounds()
    {
        for (var round = 0; round < 20; round++)
        {
            var tenant = await _town.TenantAsync();
            var (one, two) = (await _town.PersonAsync(tenant, "owner"), await _town.PersonAsync(tenant, "owner"));
            var answers = await Task.WhenAll(
                one.Client.AskAsync(HttpMethod.Patch, $"api/members/{two.Id}", new { role = "member" }),
                two.Client.AskAsync(HttpMethod.Patch, $"api/members/{one.Id}", new { role = "member" }));
            Assert.Equal([200, 403], answers.Select(answer => answer.Status).Order());
            Assert.Single(await _town.QueryAsync<Guid>("select user_id from memberships where tenant_id = @tenant and role = 'owner'", new { tenant }));
        }
    }

    [Fact]
    public async Task Who_is_deactivated_is_out_at_once_here_and_nowhere_else_and_comes_back_when_reactivated()
    {
        var (tenant, other) = (await _town.TenantAsync(), await _town.TenantAsync("Other"));
        var owner = await _town.PersonAsync(tenant, "owner");
        var member = await _town.PersonAsync(tenant, "member");
        await _town.JoinAsync(other, member.Id, "admin");
        var elsewhere = await _town.EnterAsync(member.Id, other);
        await member.Client.GetJsonAsync("api/integrations");
        var changed = await owner.Client.SendJsonAsync(HttpMethod.Patch, $"api/members/{member.Id}", new { active = false });
        Assert.False((bool)changed["active"]!);
        await member.Client.RefusedAsync(401, HttpMethod.Get, "api/integrations");
        await elsewhere.GetJsonAsync("api/integrations");
        Assert.Contains((await owner.Client.GetJsonAsync("api/members"))["members"]!.AsArray(), entry => (Guid)entry!["id"]! == member.Id && !(bool)entry["active"]!);
        await owner.Client.SendJsonAsync(HttpMethod.Patch, $"api/members/{member.Id}", new { active = true });
        await member.Client.GetJsonAsync("api/integrations");
        Assert.Equal(["member.deactivated", "member.reactivated"], await _town.AuditAsync(tenant));
    }

    [Fact]
    public async Task Who_is_removed_is_out_at_once_with_his_open_invitations_while_his_tokens_stay_and_name_him()
    {
        var tenant = await _town.TenantAsync();
        var owner = await _town.PersonAsync(tenant, "owner");
        var admin = await _town.PersonAsync(tenant, "admin");
        await admin.Client.SendJsonAsync(HttpMethod.Post, "api/members/invitations", new { email = Town.Address(), role = "viewer" });
        var machine = _town.As((await admin.Client.SendJsonAsync(HttpMethod.Post, "api/tokens", new { name = "shop", scopes = new[] { "read" } }))["token"]!.GetValue<string>());
        await owner.Client.DoneAsync(HttpMethod.Delete, $"api/members/{admin.Id}");
        await admin.Client.RefusedAsync(401, HttpMethod.Get, "api/integrations");
        await machine.GetJsonAsync("api/integrations");
        var token = (await owner.Client.GetJsonAsync("api/tokens"))["tokens"]![0]!;
        Assert.Equal(("The admin", "active"), ((string)token["createdBy"]!, (string)token["state"]!));
        Assert.NotNull(token["lastUsedAt"]);
        Assert.Empty((await owner.Client.GetJsonAsync("api/members"))["invitations"]!.AsArray());
        Assert.Equal(["member.invited", "token.created", "member.removed", "member.invitation_revoked"], await _town.AuditAsync(tenant));
        await _town.ExecuteAsync("update api_tokens set expires_at = now() where tenant_id = @tenant", new { tenant });
        Assert.Equal("expired", (string)(await owner.Client.GetJsonAsync("api/tokens"))["tokens"]![0]!["state"]!);
        await machine.RefusedAsync(401, HttpMethod.Get, "api/integrations");
    }

    [Fact]
    public async Task Ids_of_another_business_are_answered_like_unknown_ones_and_change_nothing()
    {
        var (tenant, other) = (await _town.TenantAsync(), await _town.TenantAsync("Other"));
        var owner = await _town.PersonAsync(tenant, "owner");
        var stranger = await _town.PersonAsync(other, "owner");
        var member = await _town.PersonAsync(other, "member");
        var invitation = (Guid)(await stranger.Client.SendJsonAsync(HttpMethod.Post, "api/members/invitations", new { email = Town.Address(), role = "viewer" }))["id"]!;
        foreach (var id in new[] { member.Id.ToString(), Guid.NewGuid().ToString(), "x" })
        {
            Assert.Equal("There is no such member.", await owner.Client.RefusedAsync(404, HttpMethod.Patch, $"api/members/{id}", new { role = "viewer" }));
            Assert.Equal("There is no such member.", await owner.Client.RefusedAsync(404, HttpMethod.Delete, $"api/members/{id}"));
        }

        foreach (var id in new[] { invitation.ToString(), Guid.NewGuid().ToString(), "x" })
        {
            Assert.Equal("There is no such open invitation.", await owner.Client.RefusedAsync(404, HttpMethod.Delete, $"api/members/invitations/{id}"));
            Assert.Equal("There is no such open invitation.", await owner.Client.RefusedAsync(404, HttpMethod.Post, $"api/members/invitations/{id}/resend"));
        }

        foreach (var id in new[] { member.Id, Guid.NewGuid() })
            Assert.Equal("There is no such member.", await owner.Client.RefusedAsync(404, HttpMethod.Post, "api/tenant/transfer-ownership", new { userId = id }));
        Assert.Equal(("member", true), await _town.MembershipAsync(other, member.Id));
        Assert.Single((await stranger.Client.GetJsonAsync("api/members"))["invitations"]!.AsArray());
    }

    [Fact]
    public async Task A_change_that_makes_no_sense_is_refused_with_the_field_and_one_that_changes_nothing_leaves_no_trace()
    {
        var tenant = await _town.TenantAsync();
        var owner = await _town.PersonAsync(tenant, "owner");
        var member = await _town.PersonAsync(tenant, "member");
        Assert.Contains("'role'", await owner.Client.RefusedAsync(400, HttpMethod.Patch, $"api/members/{member.Id}", new { role = "king" }), StringComparison.Ordinal);
        Assert.Contains("nothing to change", await owner.Client.RefusedAsync(400, HttpMethod.Patch, $"api/members/{member.Id}", new { }), StringComparison.Ordinal);
        await owner.Client.SendJsonAsync(HttpMethod.Patch, $"api/members/{member.Id}", new { role = "member", active = true });
        Assert.Empty(await _town.AuditAsync(tenant));
    }

    [Fact]
    public async Task Handing_over_makes_the_other_owner_and_the_caller_admin_with_a_mail_and_an_audit_entry()
    {
        var tenant = await _town.TenantAsync("Corner Café");
        var owner = await _town.PersonAsync(tenant, "owner");
        var member = await _town.PersonAsync(tenant, "member");
        var idle = await _town.PersonAsync(tenant, "member");
        await owner.Client.SendJsonAsync(HttpMethod.Patch, $"api/members/{idle.Id}", new { active = false });
        await member.Client.RefusedAsync(403, HttpMethod.Post, "api/tenant/transfer-ownership", new { userId = member.Id });
        await owner.Client.RefusedAsync(409, HttpMethod.Post, "api/tenant/transfer-ownership", new { userId = owner.Id });
        await owner.Client.RefusedAsync(409, HttpMethod.Post, "api/tenant/transfer-ownership", new { userId = idle.Id });
        await owner.Client.DoneAsync(HttpMethod.Post, "api/tenant/transfer-ownership", new { userId = member.Id });
        Assert.Equal(("admin", true), await _town.MembershipAsync(tenant, owner.Id));
        Assert.Equal(("owner", true), await _town.MembershipAsync(tenant, member.Id));
        Assert.Equal(["member.deactivated", "tenant.ownership_transferred"], await _town.AuditAsync(tenant));
        Assert.Contains("The owner handed Corner Café over to you", await _town.MailAsync(member.Email), StringComparison.Ordinal);
        await owner.Client.RefusedAsync(403, HttpMethod.Post, "api/tenant/transfer-ownership", new { userId = owner.Id });
    }

    [Fact]
    public async Task Handing_over_needs_a_fresh_proof_of_who_one_is()
    {
        var tenant = await _town.TenantAsync();
        var owner = await _town.PersonAsync(tenant, "owner");
        var member = await _town.PersonAsync(tenant, "member");
        await _town.ExecuteAsync("update sessions set authenticated_at = now() - interval '16 minutes' where user_id = @Id", new { owner.Id });
        var answer = await owner.Client.AskAsync(HttpMethod.Post, "api/tenant/transfer-ownership", new { userId = member.Id });
        Assert.Equal(403, answer.Status);
        Assert.EndsWith("/confirm-identity", (string)answer.Body!["type"]!, StringComparison.Ordinal);
        Assert.Equal(("member", true), await _town.MembershipAsync(tenant, member.Id));
    }

    [Fact]
    public async Task The_last_owner_cannot_leave_nor_anybody_his_only_business()
    {
        var (tenant, other) = (await _town.TenantAsync(), await _town.TenantAsync("Other"));
        var owner = await _town.PersonAsync(tenant, "owner");
        var member = await _town.PersonAsync(tenant, "member");
        await _town.JoinAsync(other, owner.Id, "viewer");
        Assert.Contains("last owner", await owner.Client.RefusedAsync(409, HttpMethod.Post, "api/tenant/leave"), StringComparison.Ordinal);
        Assert.Equal("This is your only business. Delete your account in your profile instead.", await member.Client.RefusedAsync(409, HttpMethod.Post, "api/tenant/leave"));
        Assert.Equal(("owner", true), await _town.MembershipAsync(tenant, owner.Id));
        Assert.Equal(("member", true), await _town.MembershipAsync(tenant, member.Id));
        Assert.Empty(await _town.AuditAsync(tenant));
    }

    [Fact]
    public async Task Who_leaves_goes_on_in_his_other_business_with_the_next_refresh()
    {
        var (tenant, other) = (await _town.TenantAsync(), await _town.TenantAsync("Other"));
        await _town.PersonAsync(tenant, "owner");
        var member = await _town.PersonAsync(tenant, "member");
        await _town.JoinAsync(other, member.Id, "admin");
        using var client = app.Anonymous();
        using var signIn = await client.SendAsync(
            new HttpRequestMessage(HttpMethod.Post, "api/auth/login") { Content = System.Net.Http.Json.JsonContent.Create(new { email = member.Email, password = Town.Password }) },
            TestContext.Current.CancellationToken);
        var cookie = signIn.Headers.GetValues("Set-Cookie").Single(value => value.StartsWith("kpi_refresh", StringComparison.Ordinal)).Split(';')[0];
        var session = System.Text.Json.Nodes.JsonNode.Parse(await signIn.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
        Assert.Equal(tenant, (Guid)session["tenant"]!["id"]!);
        var signedIn = _town.As((string)session["accessToken"]!);
        await signedIn.DoneAsync(HttpMethod.Post, "api/tenant/leave");
        await signedIn.RefusedAsync(401, HttpMethod.Get, "api/integrations");
        client.DefaultRequestHeaders.Add("Cookie", cookie);
        Assert.Equal(other, (Guid)(await client.SendJsonAsync(HttpMethod.Post, "api/auth/refresh"))["tenant"]!["id"]!);
        Assert.Contains("member.left", await _town.AuditAsync(tenant));
        Assert.Null(await _town.MembershipAsync(tenant, member.Id));
    }

    [Fact]
    public async Task Two_owners_who_leave_at_once_leave_one_owner_and_nobody_leaves_his_last_two_businesses_at_once()
    {
        for (var round = 0; round < 10; round++)
        {
            var (tenant, other) = (await _town.TenantAsync(), await _town.TenantAsync("Other"));
            var (one, two) = (await _town.PersonAsync(tenant, "owner"), await _town.PersonAsync(tenant, "owner"));
            await _town.JoinAsync(other, one.Id, "viewer");
            await _town.JoinAsync(other, two.Id, "viewer");
            var answers = await Task.WhenAll(one.Client.AskAsync(HttpMethod.Post, "api/tenant/leave"), two.Client.AskAsync(HttpMethod.Post, "api/tenant/leave"));
            Assert.Equal([204, 409], answers.Select(answer => answer.Status).Order());

            var (left, right) = (await _town.TenantAsync(), await _town.TenantAsync());
            await _town.PersonAsync(left, "owner");
            await _town.PersonAsync(right, "owner");
            var member = await _town.PersonAsync(left, "member");
            await _town.JoinAsync(right, member.Id, "member");
            var elsewhere = await _town.EnterAsync(member.Id, right);
            answers = await Task.WhenAll(member.Client.AskAsync(HttpMethod.Post, "api/tenant/leave"), elsewhere.AskAsync(HttpMethod.Post, "api/tenant/leave"));
            Assert.Equal([204, 409], answers.Select(answer => answer.Status).Order());
        }
    }
}
