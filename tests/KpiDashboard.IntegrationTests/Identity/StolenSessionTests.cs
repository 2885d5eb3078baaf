using KpiDashboard.Auditing;
using Microsoft.IdentityModel.JsonWebTokens;
using Xunit;

namespace KpiDashboard.IntegrationTests.Identity;

[Collection(AccountsCollection.Name)]
public sealed class StolenSessionTests(AccountsApp app)
{
    [Fact]
    public async Task A_stolen_refresh_token_used_after_rotation_ends_the_whole_family_and_is_audited_once_however_often_it_is_used()
    {
        var person = await app.NewPersonAsync();
        using var elsewhere = app.NewBrowser();
        await elsewhere.LoginAsync(person.Email);
        var stolen = person.Browser.Cookie("kpi_refresh")!;
        Assert.Equal(200, (await person.Browser.PostAsync("refresh")).Status);
        Assert.NotEqual(stolen, person.Browser.Cookie("kpi_refresh"));
        app.Time.Advance(TimeSpan.FromSeconds(11));

        var thefts = await Task.WhenAll(Enumerable.Range(0, 5).Select(async _ =>
        {
            using var thief = app.NewBrowser();
            thief.Cookies.Add(thief.Http.BaseAddress!, new System.Net.Cookie("kpi_refresh", stolen, "/api/auth"));
            return await thief.PostAsync("refresh");
        }));
        Assert.All(thefts, theft => Assert.Equal(401, theft.Status));
        // A cookie that is no good is taken back, although the answer is a problem.
        Assert.All(thefts, theft => Assert.Contains(theft.SetCookies, cookie => cookie.StartsWith("kpi_refresh=;", StringComparison.Ordinal)));
        Assert.Single(thefts, theft => theft.Detail!.Contains("used twice", StringComparison.Ordinal));

        // The access token of the family is dead at once, and so is what the owner's browser would go on with.
        Assert.Equal(401, (await person.Browser.SendAsync(HttpMethod.Get, "me")).Status);
        Assert.Equal(401, (await person.Browser.PostAsync("refresh")).Status);
        Assert.Equal(1, await app.AuditedAsync(person.Tenant, AuditActions.TokenReused));
        // Another sign-in of the same person is another family.
        Assert.Equal((200, 200), ((await elsewhere.SendAsync(HttpMethod.Get, "me")).Status, (await elsewhere.PostAsync("refresh")).Status));
        Assert.Equal("reused", await app.QueryAsync<string>("select ended_reason from sessions where user_id = @Id and ended_at is not null", new { person.Id }));
    }

    [Fact]
    public async Task Signing_out_here_and_everywhere_ends_access_tokens_at_once()
    {
        var person = await app.NewPersonAsync();
        using Browser one = app.NewBrowser(), other = app.NewBrowser();
        await one.LoginAsync(person.Email);
        await other.LoginAsync(person.Email);
        Assert.Equal(204, (await one.PostAsync("logout")).Status);
        Assert.Equal((401, 200), ((await one.SendAsync(HttpMethod.Get, "me")).Status, (await other.SendAsync(HttpMethod.Get, "me")).Status));
        Assert.Equal(204, (await other.PostAsync("logout-everywhere")).Status);
        foreach (var browser in (Browser[])[one, other, person.Browser])
            Assert.Equal((401, 401), ((await browser.SendAsync(HttpMethod.Get, "me")).Status, (await browser.PostAsync("refresh")).Status));
    }

    [Fact]
    public async Task A_new_signing_key_signs_nobody_out()
    {
        // 32 bytes each.
        var (old, @new) = (Convert.ToBase64String([.. Enumerable.Repeat((byte)7, 32)]), Convert.ToBase64String([.. Enumerable.Repeat((byte)8, 32)]));
        // They share the queues of the app that catches mail, and catch none themselves.
        var before = await app.StartAsync("old-key", "--set", "Mail:Skip=true", "--set", "AzureWebJobs.SendMail.Disabled=true", "--set", "Auth:CurrentKey=old", "--set", $"Auth:SigningKeys:old={old}");
        var after = await app.StartAsync("new-key", "--set", "Mail:Skip=true", "--set", "AzureWebJobs.SendMail.Disabled=true", "--set", "Auth:CurrentKey=new", "--set", $"Auth:SigningKeys:old={old}", "--set", $"Auth:SigningKeys:new={@new}");
        var person = await app.NewPersonAsync();
        using Browser browser = app.NewBrowser(app: before), rotated = app.NewBrowser(app: after);
        var token = (await browser.LoginAsync(person.Email)).Body!["accessToken"]!.GetValue<string>();
        Assert.Equal("old", new JsonWebToken(token).Kid);

        rotated.Use(token);
        Assert.Equal(200, (await rotated.SendAsync(HttpMethod.Get, "me")).Status);
        rotated.Cookies.Add(rotated.Http.BaseAddress!, new System.Net.Cookie("kpi_refresh", browser.Cookie("kpi_refresh"), "/api/auth"));
        var refreshed = await rotated.PostAsync("refresh");
        Assert.Equal((200, "new"), (refreshed.Status, new JsonWebToken(refreshed.Body!["accessToken"]!.GetValue<string>()).Kid));
        Assert.Equal(200, (await rotated.SendAsync(HttpMethod.Get, "me")).Status);
        // Where the old key is all there is, the new one is not believed.
        browser.Use(refreshed.Body["accessToken"]!.GetValue<string>());
        Assert.Equal(401, (await browser.SendAsync(HttpMethod.Get, "me")).Status);
    }
}
