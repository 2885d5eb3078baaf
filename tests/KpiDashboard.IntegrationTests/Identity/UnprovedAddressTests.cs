using System.Net.Http.Json;
using System.Text.Json.Nodes;
using KpiDashboard.Identity;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.Privacy;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KpiDashboard.IntegrationTests.Identity;

/// <summary>An address that nobody proved acts as nobody; and whoever never confirmed the own one is told what to do.</summary>
[Collection(AccountsCollection.Name)]
public sealed class UnprovedAddressTests(AccountsApp app)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Registering_with_anothers_address_reaches_nothing_of_its_owner_in_any_business()
    {
        var victim = await app.NewPersonAsync();
        var host = await app.NewPersonAsync();
        // The host's business dealt with the victim: invited, joined, changed, removed; and another invitation is open.
        await host.Browser.Http.SendJsonAsync(HttpMethod.Post, "api/members/invitations", new { email = victim.Email, role = "admin" });
        await victim.Browser.PostAsync("accept-invitation", new { token = await InvitationAsync(victim.Email) });
        await AuditAsync(victim, host);
        using var leave = await victim.Browser.Http.PostAsJsonAsync("api/tenant/leave", new { }, Cancelled);
        Assert.True(leave.IsSuccessStatusCode, await leave.Content.ReadAsStringAsync(Cancelled));
        await host.Browser.Http.SendJsonAsync(HttpMethod.Post, "api/members/invitations", new { email = victim.Email, role = "viewer" });

        var before = await LogAsync(host.Tenant);
        Assert.Contains(before, entry => entry.Contains(victim.Email, StringComparison.Ordinal));
        foreach (var how in new[] { "erased", "business deleted" })
        {
            using var impostor = app.NewBrowser();
            var session = await impostor.RegisterAsync(victim.Email.ToUpperInvariant());
            var (id, own) = (session["user"]!["id"]!.GetValue<Guid>(), session["tenant"]!["id"]!.GetValue<Guid>());
            var export = await impostor.Http.GetStringAsync(new Uri("api/auth/me/export", UriKind.Relative), Cancelled);
            Assert.Null(JsonNode.Parse(export)!["invitations"]);
            Assert.DoesNotContain(host.Tenant.ToString(), export, StringComparison.Ordinal);

            await impostor.Http.SendJsonAsync(HttpMethod.Post, "api/tenant/deletion", new { name = "Analytical Engines" });
            if (how == "erased")
            {
                // Somebody else who owns the business too, so that the account may go by itself.
                await app.SqlAsync("insert into memberships (tenant_id, user_id, role, created_at) values (@own, @Id, 'owner', now())", new { own, host.Id });
                Assert.Equal(204, (await impostor.SendAsync(HttpMethod.Delete, "me")).Status);
                await app.SqlAsync("delete from memberships where tenant_id = @own and user_id = @Id", new { own, host.Id });
            }

            await app.SqlAsync("update tenants set delete_after = @now where id = @own", new { own, now = app.Time.GetUtcNow().AddMinutes(-1) });
            await app.Services.GetRequiredService<Housekeeping>().RunAsync(Cancelled);
            Assert.Equal(0, await app.QueryAsync<int>("select count(*)::int from users where id = @id", new { id }));
            Assert.Equal(0, await app.QueryAsync<int>("select count(*)::int from tenants where id = @own", new { own }));
            Assert.Equal(before, await LogAsync(host.Tenant));
            Assert.Equal(1, await app.QueryAsync<int>("select count(*)::int from invitations where tenant_id = @Tenant and email = @Email and accepted_at is null", new { host.Tenant, victim.Email }));
        }

        // Of a business that was asked to be deleted by whoever only typed the address, its owner hears nothing.
        Assert.DoesNotContain(await app.MailsAsync(victim.Email), mail => mail.Subject!.Contains("to be deleted", StringComparison.Ordinal));
        // The invitation still works for whom it is for, who goes on in the own business since leaving.
        Assert.Equal(200, (await victim.Browser.PostAsync("refresh")).Status);
        Assert.Equal(200, (await victim.Browser.PostAsync("accept-invitation", new { token = await InvitationAsync(victim.Email) })).Status);
    }

    [Fact]
    public async Task A_mail_to_the_owner_of_an_address_is_not_dropped_when_an_impostor_erases_itself()
    {
        var victim = await app.NewPersonAsync();
        using var impostor = app.NewBrowser();
        var session = await impostor.RegisterAsync(victim.Email);
        var own = session["tenant"]!["id"]!.GetValue<Guid>();
        await app.MailsAsync(victim.Email);
        // One that is not sent before the account is erased: it is due in an hour.
        var outbox = app.Services.GetRequiredService<KpiDashboard.Mail.MailOutbox>();
        await app.SqlAsync("insert into memberships (tenant_id, user_id, role, created_at) values (@own, @Id, 'owner', now())", new { own, victim.Id });
        var mail = await app.Services.GetRequiredService<KpiDashboard.Data.Database>().InTenantAsync(
            own, tx => outbox.AddAsync(tx, ResetPasswordMail.Kind, new ResetMailData(victim.Email).ToJson()), Cancelled);
        Assert.Equal(204, (await impostor.SendAsync(HttpMethod.Delete, "me")).Status);
        await outbox.DispatchAsync(mail, Cancelled);
        Assert.Contains(await app.MailsAsync(victim.Email), sent => sent.Subject == "Set a new password");
    }

    [Fact]
    public async Task Proving_and_erasing_the_own_account_takes_the_persons_name_out_of_the_logs_that_hold_it_and_nothing_else()
    {
        var person = await app.NewPersonAsync();
        var host = await app.NewPersonAsync();
        await host.Browser.Http.SendJsonAsync(HttpMethod.Post, "api/members/invitations", new { email = person.Email, role = "viewer" });
        await person.Browser.PostAsync("accept-invitation", new { token = await InvitationAsync(person.Email) });
        var before = await LogAsync(host.Tenant);
        await app.SqlAsync("delete from memberships where user_id = @Id and tenant_id = @Tenant", new { person.Id, person.Tenant });
        Assert.Equal(204, (await person.Browser.SendAsync(HttpMethod.Delete, "me")).Status);
        var after = await LogAsync(host.Tenant);
        Assert.DoesNotContain(after, entry => entry.Contains(person.Email, StringComparison.OrdinalIgnoreCase));
        Assert.Equal(
            before.Where(entry => !entry.Contains(person.Email, StringComparison.OrdinalIgnoreCase)),
            after.Where(entry => !entry.Contains("erased person", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("update audit_log set actor_name = 'x' where tenant_id = @Tenant")]
    [InlineData("update audit_log set at = now() where tenant_id = @Tenant")]
    [InlineData("delete from audit_log where tenant_id = @Tenant")]
    [InlineData("set local kpi.audit = 'erase'; update audit_log set action = 'x.y' where tenant_id = @Tenant")]
    [InlineData("truncate audit_log")]
    public async Task Not_even_the_owner_of_the_database_changes_an_entry_by_mistake(string sql)
    {
        var person = await app.NewPersonAsync();
        var before = await LogAsync(person.Tenant);
        Assert.NotEmpty(before);
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => app.SqlAsync(sql, new { person.Tenant }));
        Assert.Equal(before, await LogAsync(person.Tenant));
    }

    [Fact]
    public async Task Whoever_never_confirmed_the_address_reads_what_to_do_and_signs_in_after_the_mail_that_can_be_had_again()
    {
        var person = await app.NewPersonAsync(verified: false);
        using Browser browser = app.NewBrowser(), nobody = app.NewBrowser();
        var right = await browser.LoginAsync(person.Email);
        var wrong = await app.NewBrowser().LoginAsync(person.Email, "another walrus entirely");
        var unknown = await nobody.LoginAsync(AccountsApp.NewEmail());
        Assert.Equal([401, 401, 401], new[] { right.Status, wrong.Status, unknown.Status });
        Assert.Contains("confirmed", right.Detail, StringComparison.Ordinal);
        Assert.Contains("sent again", right.Detail, StringComparison.Ordinal);
        Assert.Equal([right.Detail, right.Detail], new[] { wrong.Detail, unknown.Detail });

        var stranger = AccountsApp.NewEmail();
        var proved = await app.NewPersonAsync();
        var mails = (await app.MailsAsync(person.Email)).Count;
        var answers = new[]
        {
            await browser.PostAsync("verify-email/request", new { email = person.Email }), await nobody.PostAsync("verify-email/request", new { email = stranger }),
            await nobody.PostAsync("verify-email/request", new { email = proved.Email }),
        };
        Assert.All(answers, answer => Assert.Equal((202, null), (answer.Status, answer.Body)));
        Assert.Equal(mails + 1, (await app.MailsAsync(person.Email)).Count);
        Assert.Empty(await app.MailsAsync(stranger));
        Assert.DoesNotContain(await app.MailsAsync(proved.Email), mail => mail.TextBody!.Contains("this link again", StringComparison.Ordinal));

        var token = await app.TokenAsync(person.Email, "Confirm your e-mail address");
        Assert.Equal((401, "password-needed"), (await browser.PostAsync("verify-email", new { token })) is var asked ? (asked.Status, asked.Problem) : default);
        Assert.Equal(204, (await browser.PostAsync("verify-email", new { token, password = AccountsApp.Password })).Status);
        Assert.Equal(200, (await browser.LoginAsync(person.Email)).Status);
    }

    [Fact]
    public async Task Forgot_password_sends_the_mail_that_it_promises_also_before_the_address_is_confirmed_and_hands_over_no_account()
    {
        var person = await app.NewPersonAsync(verified: false);
        using var browser = app.NewBrowser();
        await app.MailsAsync(person.Email);
        Assert.Equal(202, (await browser.PostAsync("forgot-password", new { email = person.Email })).Status);
        var mail = (await app.MailsAsync(person.Email))[^1];
        Assert.Equal("Confirm your e-mail address", mail.Subject);
        Assert.Contains("new password", mail.TextBody, StringComparison.Ordinal);
        Assert.DoesNotContain("reset-password#", mail.TextBody, StringComparison.Ordinal);
        // Whoever has the mailbox and not the password does not get what somebody else prepared under the address.
        var token = await app.TokenAsync(person.Email, "Confirm your e-mail address");
        Assert.Equal(401, (await browser.PostAsync("verify-email", new { token, password = "another walrus entirely" })).Status);
        Assert.Equal(400, (await browser.PostAsync("reset-password", new { token, password = "another walrus entirely" })).Status);
    }

    [Fact]
    public async Task Of_several_accounts_that_wait_for_one_address_the_link_confirms_the_one_whose_password_is_given()
    {
        var person = await app.NewPersonAsync(verified: false);
        using Browser impostor = app.NewBrowser(), browser = app.NewBrowser();
        await impostor.RegisterAsync(person.Email, "an impostor with patience");
        Assert.Equal(202, (await browser.PostAsync("verify-email/request", new { email = person.Email })).Status);
        var token = await app.TokenAsync(person.Email, "Confirm your e-mail address");
        Assert.Equal(204, (await browser.PostAsync("verify-email", new { token, password = AccountsApp.Password })).Status);
        Assert.Equal(person.Id, (await browser.LoginAsync(person.Email)).Body!["user"]!["id"]!.GetValue<Guid>());
        Assert.Equal(401, (await app.NewBrowser().LoginAsync(person.Email, "an impostor with patience")).Status);
    }

    [Fact]
    public async Task Nobody_is_made_an_owner_by_an_address_that_was_not_proved()
    {
        var host = await app.NewPersonAsync();
        var unproved = await app.NewPersonAsync(verified: false);
        await app.SqlAsync("insert into memberships (tenant_id, user_id, role, created_at) values (@Tenant, @Id, 'viewer', now())", new { host.Tenant, unproved.Id });
        foreach (var (method, path, body) in new (HttpMethod, string, object)[]
        {
            (HttpMethod.Patch, $"api/members/{unproved.Id}", new { role = "owner" }), (HttpMethod.Patch, $"api/members/{unproved.Id}", new { role = "member" }),
            (HttpMethod.Post, "api/tenant/transfer-ownership", new { userId = unproved.Id }),
        })
        {
            using var answer = await host.Browser.Http.SendAsync(new HttpRequestMessage(method, path) { Content = JsonContent.Create(body) }, Cancelled);
            var text = await answer.Content.ReadAsStringAsync(Cancelled);
            Assert.True((int)answer.StatusCode == 409 && text.Contains("has not confirmed", StringComparison.Ordinal), text);
        }

        // Nor does it keep whoever owns the address from being invited.
        await host.Browser.Http.SendJsonAsync(HttpMethod.Post, "api/members/invitations", new { email = unproved.Email, role = "viewer" });
        var members = await host.Browser.Http.GetJsonAsync("api/members");
        Assert.False(members["members"]!.AsArray().Single(member => member!["id"]!.GetValue<Guid>() == unproved.Id)!["emailVerified"]!.GetValue<bool>());
    }

    private async Task<string> InvitationAsync(string email)
    {
        var mail = (await app.MailsAsync(email)).Last(mail => mail.Subject!.StartsWith("Join ", StringComparison.Ordinal));
        return System.Text.RegularExpressions.Regex.Match(mail.TextBody!, "#token=([A-Za-z0-9_-]{43})").Groups[1].Value;
    }

    /// <summary>Something of the person in the host's log, from its own address.</summary>
    private static async Task AuditAsync(Person person, Person host)
    {
        var session = await person.Browser.PostAsync("switch", new { tenantId = host.Tenant });
        Assert.Equal(200, session.Status);
        await person.Browser.Http.SendJsonAsync(HttpMethod.Post, "api/annotations", new { text = "Was here", from = "2026-01-01" });
    }

    /// <summary>Every entry of a business's log, whole.</summary>
    private async Task<IReadOnlyList<string>> LogAsync(Guid tenant) =>
        (await app.QueryAsync<string>("select coalesce(string_agg(a::text, E'\\n' order by at, id), '') from audit_log a where tenant_id = @tenant", new { tenant })).Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
