using KpiDashboard.IntegrationTests.App;
using Xunit;

namespace KpiDashboard.IntegrationTests.Tenancy;

[Collection(SecondAppCollection.Name)]
public sealed class InvitationsTests(AppFixture app)
{
    private const string Gone = "This invitation does not exist, was used or taken back, or has run out. Ask for a new one.";

    private readonly Town _town = new(app);

    private async Task<(Guid Id, string Token)> InviteAsync(Person inviter, string email, string role = "member")
    {
        var entry = await inviter.Client.SendJsonAsync(HttpMethod.Post, "api/members/invitations", new { email, role });
        return ((Guid)entry["id"]!, Town.TokenIn(await _town.MailAsync(email)));
    }

    [Fact]
    public async Task Somebody_new_joins_by_the_link_with_a_verified_account_and_a_session()
    {
        var tenant = await _town.TenantAsync("Corner Shop");
        var owner = await _town.PersonAsync(tenant, "owner");
        var email = Town.Address();
        var (_, token) = await InviteAsync(owner, email, "admin");
        using var anybody = app.Anonymous();
        var invitation = await anybody.SendJsonAsync(HttpMethod.Post, "api/auth/invitation", new { token });
        Assert.Equal(("Corner Shop", email, "admin", "The owner", false), (
            (string)invitation["businessName"]!, (string)invitation["email"]!, (string)invitation["role"]!, (string)invitation["invitedBy"]!, (bool)invitation["hasAccount"]!));

        Assert.Contains("'displayName'", await anybody.RefusedAsync(400, HttpMethod.Post, "api/auth/accept-invitation", new { token, password = Town.Password }), StringComparison.Ordinal);
        Assert.Contains("'password'", await anybody.RefusedAsync(400, HttpMethod.Post, "api/auth/accept-invitation", new { token, password = "short", displayName = "Ann" }), StringComparison.Ordinal);
        var session = await anybody.SendJsonAsync(HttpMethod.Post, "api/auth/accept-invitation", new { token, password = Town.Password, displayName = "Ann" });
        Assert.Equal((tenant, "admin", "Ann", true), (
            (Guid)session["tenant"]!["id"]!, (string)session["tenant"]!["role"]!, (string)session["user"]!["displayName"]!, (bool)session["user"]!["emailVerified"]!));
        await _town.As((string)session["accessToken"]!).GetJsonAsync("api/members");
        Assert.Empty((await owner.Client.GetJsonAsync("api/members"))["invitations"]!.AsArray());
        Assert.Equal(["member.invited", "member.joined"], (await _town.AuditAsync(tenant)).Take(2));

        Assert.Equal(Gone, await anybody.RefusedAsync(404, HttpMethod.Post, "api/auth/invitation", new { token }));
        Assert.Equal(Gone, await anybody.RefusedAsync(404, HttpMethod.Post, "api/auth/accept-invitation", new { token, password = Town.Password, displayName = "Ann" }));
    }

    [Fact]
    public async Task A_known_account_that_is_signed_in_joins_at_once_and_keeps_its_session()
    {
        var (tenant, other) = (await _town.TenantAsync(), await _town.TenantAsync("Other"));
        var owner = await _town.PersonAsync(tenant, "owner");
        var person = await _town.PersonAsync(other, "owner");
        var (_, token) = await InviteAsync(owner, person.Email.ToUpperInvariant(), "viewer");
        Assert.True((bool)(await app.Anonymous().SendJsonAsync(HttpMethod.Post, "api/auth/invitation", new { token }))["hasAccount"]!);
        var session = await person.Client.SendJsonAsync(HttpMethod.Post, "api/auth/accept-invitation", new { token });
        Assert.Equal((tenant, "viewer", 2), ((Guid)session["tenant"]!["id"]!, (string)session["tenant"]!["role"]!, session["tenants"]!.AsArray().Count));
        Assert.Single(await _town.QueryAsync<Guid>("select id from sessions where user_id = @Id", new { person.Id }));
        await person.Client.GetJsonAsync("api/integrations");
    }

    [Fact]
    public async Task Whoever_is_signed_in_as_somebody_else_is_told_which_address_is_needed_and_does_not_join()
    {
        var (tenant, other) = (await _town.TenantAsync(), await _town.TenantAsync("Other"));
        var owner = await _town.PersonAsync(tenant, "owner");
        var stranger = await _town.PersonAsync(other, "owner");
        var email = Town.Address();
        var (_, token) = await InviteAsync(owner, email);
        var sentence = await stranger.Client.RefusedAsync(409, HttpMethod.Post, "api/auth/accept-invitation", new { token, password = Town.Password, displayName = "X" });
        Assert.Contains(email, sentence, StringComparison.Ordinal);
        Assert.Null(await _town.MembershipAsync(tenant, stranger.Id));

        // The same address, but nobody proved it: that account may be anybody's.
        var unproved = await _town.PersonAsync(other, "viewer", verified: false);
        var (_, second) = await InviteAsync(owner, unproved.Email);
        Assert.Contains("Confirm your e-mail address", await unproved.Client.RefusedAsync(409, HttpMethod.Post, "api/auth/accept-invitation", new { token = second }), StringComparison.Ordinal);
        Assert.Null(await _town.MembershipAsync(tenant, unproved.Id));
    }

    [Fact]
    public async Task A_known_account_that_is_not_signed_in_needs_its_password()
    {
        var (tenant, other) = (await _town.TenantAsync(), await _town.TenantAsync("Other"));
        var owner = await _town.PersonAsync(tenant, "owner");
        var person = await _town.PersonAsync(other, "owner");
        var (_, token) = await InviteAsync(owner, person.Email);
        using var anybody = app.Anonymous();
        Assert.Contains("'password'", await anybody.RefusedAsync(400, HttpMethod.Post, "api/auth/accept-invitation", new { token }), StringComparison.Ordinal);
        await anybody.RefusedAsync(401, HttpMethod.Post, "api/auth/accept-invitation", new { token, password = "not this one", displayName = "New" });
        Assert.Null(await _town.MembershipAsync(tenant, person.Id));
        var session = await anybody.SendJsonAsync(HttpMethod.Post, "api/auth/accept-invitation", new { token, password = Town.Password });
        Assert.Equal((tenant, person.Id), ((Guid)session["tenant"]!["id"]!, (Guid)session["user"]!["id"]!));
        Assert.Equal(("member", true), await _town.MembershipAsync(tenant, person.Id));
    }

    [Fact]
    public async Task Link_and_password_make_the_membership_even_while_the_code_of_the_second_factor_is_awaited()
    {
        var (tenant, other) = (await _town.TenantAsync(), await _town.TenantAsync("Other"));
        var owner = await _town.PersonAsync(tenant, "owner");
        var person = await _town.PersonAsync(other, "owner", secondFactor: true);
        var (_, token) = await InviteAsync(owner, person.Email);
        using var anybody = app.Anonymous();
        var answer = await anybody.AskAsync(HttpMethod.Post, "api/auth/accept-invitation", new { token, password = Town.Password });
        Assert.Equal(401, answer.Status);
        Assert.EndsWith("/second-factor", (string)answer.Body!["type"]!, StringComparison.Ordinal);
        Assert.Equal(("member", true), await _town.MembershipAsync(tenant, person.Id));
        // No session but the one that was there.
        Assert.Single(await _town.QueryAsync<Guid>("select id from sessions where user_id = @Id", new { person.Id }));
    }

    [Fact]
    public async Task Wrong_passwords_with_a_link_run_into_the_limit_of_sign_in()
    {
        var (tenant, other) = (await _town.TenantAsync(), await _town.TenantAsync("Other"));
        var owner = await _town.PersonAsync(tenant, "owner");
        var person = await _town.PersonAsync(other, "owner");
        var (_, token) = await InviteAsync(owner, person.Email);
        using var anybody = app.Anonymous();
        var statuses = new List<int>();
        for (var i = 0; i < 15 && !statuses.Contains(429); i++)
            statuses.Add((await anybody.AskAsync(HttpMethod.Post, "api/auth/accept-invitation", new { token, password = "wrong" })).Status);
        Assert.Equal(429, statuses[^1]);
        Assert.All(statuses.SkipLast(1), status => Assert.Equal(401, status));
    }

    [Fact]
    public async Task Two_who_accept_at_once_make_one_member_and_one_account_in_5_rounds()
    {
        for (var round = 0; round < 5; round++)
        {
            var tenant = await _town.TenantAsync();
            var owner = await _town.PersonAsync(tenant, "owner");
            var email = Town.Address();
            var (_, token) = await InviteAsync(owner, email);
            using var anybody = app.Anonymous();
            var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ =>
                anybody.AskAsync(HttpMethod.Post, "api/auth/accept-invitation", new { token, password = Town.Password, displayName = "Ann" })));
            Assert.Single(answers, answer => answer.Status == 200);
            // Who came late met the used link, or the account that the winner made just before.
            Assert.All(answers.Where(answer => answer.Status != 200), answer => Assert.Contains(answer.Status, (int[])[404, 409]));
            Assert.Single(await _town.QueryAsync<Guid>("select id from users where email = @email", new { email }));
            Assert.Equal(2, (await _town.QueryAsync<Guid>("select user_id from memberships where tenant_id = @tenant", new { tenant })).Count);
        }
    }

    [Fact]
    public async Task Links_that_were_taken_back_replaced_used_or_ran_out_are_answered_like_unknown_ones()
    {
        var tenant = await _town.TenantAsync();
        var owner = await _town.PersonAsync(tenant, "owner");
        using var anybody = app.Anonymous();
        var (revoked, first) = await InviteAsync(owner, Town.Address());
        await owner.Client.DoneAsync(HttpMethod.Delete, $"api/members/invitations/{revoked}");
        await owner.Client.RefusedAsync(404, HttpMethod.Delete, $"api/members/invitations/{revoked}");

        var email = Town.Address();
        var (replaced, second) = await InviteAsync(owner, email);
        var mail = await _town.MailAsync(email);
        await owner.Client.SendJsonAsync(HttpMethod.Post, $"api/members/invitations/{replaced}/resend");
        var third = Town.TokenIn(await _town.MailAsync(email, not: mail));
        Assert.NotEqual(second, third);
        await anybody.SendJsonAsync(HttpMethod.Post, "api/auth/invitation", new { token = third });

        var (old, fourth) = await InviteAsync(owner, Town.Address());
        await _town.ExecuteAsync("update invitations set expires_at = now() where id = @old", new { old });
        foreach (var token in new[] { first, second, fourth, "unknown", new string('x', 300), "" })
        {
            Assert.Equal(Gone, await anybody.RefusedAsync(404, HttpMethod.Post, "api/auth/invitation", new { token }));
            Assert.Equal(Gone, await anybody.RefusedAsync(404, HttpMethod.Post, "api/auth/accept-invitation", new { token, password = Town.Password, displayName = "Ann" }));
        }

        Assert.Equal(["member.invited", "member.invitation_revoked", "member.invited", "member.invited", "member.invited"], await _town.AuditAsync(tenant));
    }

    [Fact]
    public async Task An_address_is_invited_once_until_that_ran_out_and_members_are_not_invited()
    {
        var (tenant, other) = (await _town.TenantAsync(), await _town.TenantAsync("Other"));
        var owner = await _town.PersonAsync(tenant, "owner");
        var neighbour = await _town.PersonAsync(other, "owner");
        var email = Town.Address();
        var (id, _) = await InviteAsync(owner, email);
        Assert.Contains("invited already", await owner.Client.RefusedAsync(409, HttpMethod.Post, "api/members/invitations", new { email = email.ToUpperInvariant(), role = "viewer" }), StringComparison.Ordinal);
        // Another business may invite the same address.
        await neighbour.Client.SendJsonAsync(HttpMethod.Post, "api/members/invitations", new { email, role = "viewer" });
        await _town.ExecuteAsync("update invitations set expires_at = now() where id = @id", new { id });
        await owner.Client.SendJsonAsync(HttpMethod.Post, "api/members/invitations", new { email, role = "viewer" });

        var member = await _town.PersonAsync(tenant, "member");
        Assert.Contains("member already", await owner.Client.RefusedAsync(409, HttpMethod.Post, "api/members/invitations", new { email = member.Email, role = "viewer" }), StringComparison.Ordinal);
        await owner.Client.SendJsonAsync(HttpMethod.Patch, $"api/members/{member.Id}", new { active = false });
        Assert.Contains("Reactivate", await owner.Client.RefusedAsync(409, HttpMethod.Post, "api/members/invitations", new { email = member.Email, role = "viewer" }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inviting_a_known_address_is_answered_as_inviting_an_unknown_one()
    {
        var (tenant, other) = (await _town.TenantAsync(), await _town.TenantAsync("Other"));
        var owner = await _town.PersonAsync(tenant, "owner");
        var known = await _town.PersonAsync(other, "owner");
        var one = await owner.Client.SendJsonAsync(HttpMethod.Post, "api/members/invitations", new { email = known.Email, role = "viewer" });
        var two = await owner.Client.SendJsonAsync(HttpMethod.Post, "api/members/invitations", new { email = Town.Address(), role = "viewer" });
        Assert.Equal(two.AsObject().Select(field => field.Key), one.AsObject().Select(field => field.Key));
        Assert.Equal(["viewer", "viewer"], (await owner.Client.GetJsonAsync("api/members"))["invitations"]!.AsArray().Select(entry => (string)entry!["role"]!));
    }

    [Fact]
    public async Task Who_has_not_proved_his_own_address_invites_nobody_and_wrong_fields_are_named()
    {
        var tenant = await _town.TenantAsync();
        var unproved = await _town.PersonAsync(tenant, "owner", verified: false);
        Assert.Contains("Confirm your own e-mail address", await unproved.Client.RefusedAsync(403, HttpMethod.Post, "api/members/invitations", new { email = Town.Address(), role = "viewer" }), StringComparison.Ordinal);
        var owner = await _town.PersonAsync(tenant, "owner");
        var answer = await owner.Client.AskAsync(HttpMethod.Post, "api/members/invitations", new { email = "nobody", role = "king" });
        Assert.Equal((400, "email role"), (answer.Status, string.Join(' ', answer.Body!["errors"]!.AsObject().Select(error => error.Key))));
        Assert.Empty((await owner.Client.GetJsonAsync("api/members"))["invitations"]!.AsArray());
    }

    [Fact]
    public async Task A_deactivated_member_is_not_let_in_again_by_an_old_invitation()
    {
        var (tenant, other) = (await _town.TenantAsync(), await _town.TenantAsync("Other"));
        var owner = await _town.PersonAsync(tenant, "owner");
        var person = await _town.PersonAsync(other, "owner");
        var (_, token) = await InviteAsync(owner, person.Email, "admin");
        await _town.JoinAsync(tenant, person.Id, "viewer");
        await _town.ExecuteAsync("update memberships set deactivated_at = now() where tenant_id = @tenant and user_id = @Id", new { tenant, person.Id });
        Assert.Contains("deactivated", await person.Client.RefusedAsync(409, HttpMethod.Post, "api/auth/accept-invitation", new { token }), StringComparison.Ordinal);
        Assert.Equal(("viewer", false), await _town.MembershipAsync(tenant, person.Id));
    }

    [Fact]
    public async Task One_mailbox_gets_three_invitations_an_hour_whoever_sends_them_and_however_its_address_is_written()
    {
        var mailbox = $"p{Guid.NewGuid():N}";
        var statuses = new List<int>();
        for (var i = 0; i < 6; i++)
        {
            var owner = await _town.PersonAsync(await _town.TenantAsync(), "owner");
            statuses.Add((await owner.Client.AskAsync(HttpMethod.Post, "api/members/invitations", new { email = $"{mailbox}{(i % 2 == 0 ? "" : $"+{i}")}@town.example", role = "viewer" })).Status);
        }

        Assert.Equal([201, 201, 201, 429, 429, 429], statuses);
        // What was refused left nothing.
        var (other, another) = (await _town.TenantAsync(), await _town.TenantAsync());
        var late = await _town.PersonAsync(other, "owner");
        Assert.Equal(429, (await late.Client.AskAsync(HttpMethod.Post, "api/members/invitations", new { email = $"{mailbox}@town.example", role = "viewer" })).Status);
        var calm = await _town.PersonAsync(another, "owner");
        var (status, invitation) = await calm.Client.AskAsync(HttpMethod.Post, "api/members/invitations", new { email = Town.Address(), role = "viewer" });
        Assert.Equal(201, status);
        statuses.Clear();
        for (var i = 0; i < 5; i++) statuses.Add((await calm.Client.AskAsync(HttpMethod.Post, $"api/members/invitations/{invitation!["id"]}/resend")).Status);
        Assert.Equal([200, 200, 429, 429, 429], statuses);
    }

    [Fact]
    public async Task The_51st_invitation_of_an_hour_waits_for_one_business_and_not_for_another()
    {
        var (tenant, other) = (await _town.TenantAsync(), await _town.TenantAsync("Other"));
        var (owner, neighbour) = (await _town.PersonAsync(tenant, "owner"), await _town.PersonAsync(other, "owner"));
        for (var i = 0; i < 50; i++) Assert.Equal(409, (await owner.Client.AskAsync(HttpMethod.Post, "api/members/invitations", new { email = owner.Email, role = "viewer" })).Status);
        Assert.Equal(429, (await owner.Client.AskAsync(HttpMethod.Post, "api/members/invitations", new { email = Town.Address(), role = "viewer" })).Status);
        Assert.Equal(201, (await neighbour.Client.AskAsync(HttpMethod.Post, "api/members/invitations", new { email = Town.Address(), role = "viewer" })).Status);
    }
}
