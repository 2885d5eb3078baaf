using System.Net;
using System.Text.Json.Nodes;
using KpiDashboard.Demo.Seeding;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.Members;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KpiDashboard.IntegrationTests.Tenancy;

[Collection(SecondAppCollection.Name)]
public sealed class DemoTests(AppFixture app)
{
    private static readonly Guid Merch = DemoSeeder.TenantId("Merch Shop");

    private readonly Town _town = new(app);

    [Fact]
    public async Task Whoever_wants_to_looks_around_changes_nothing_sees_nobody_and_is_gone_after_leaving()
    {
        var own = await _town.TenantAsync();
        var person = await _town.PersonAsync(own, "owner");
        var offered = await person.Client.GetJsonAsync("api/demo");
        Assert.Equal((Merch, "Merch Shop", false), ((Guid)offered["tenantId"]!, (string)offered["name"]!, (bool)offered["joined"]!));
        for (var again = 0; again < 2; again++)
            Assert.True((bool)(await person.Client.SendJsonAsync(HttpMethod.Post, "api/demo", new { }))["joined"]!);
        Assert.Equal(["viewer"], await _town.QueryAsync<string>("select role from memberships where tenant_id = @Merch and user_id = @Id", new { Merch, person.Id }));
        Assert.Equal(1, (await _town.QueryAsync<int>("select count(*)::int from audit_log where tenant_id = @Merch and action = 'member.joined' and actor_id = @Id", new { Merch, person.Id })).Single());

        var session = await person.Client.SendJsonAsync(HttpMethod.Post, "api/auth/switch", new { tenantId = Merch });
        Assert.Equal(("viewer", true), ((string)session["tenant"]!["role"]!, (bool)session["tenant"]!["isDemo"]!));
        var guest = _town.As((string)session["accessToken"]!);
        Assert.NotEmpty((await guest.GetJsonAsync("api/metrics/summary"))["kpis"]!.AsArray());
        foreach (var (method, path) in new[] { (HttpMethod.Get, "api/members"), (HttpMethod.Get, "api/audit"), (HttpMethod.Post, "api/sync/refresh"), (HttpMethod.Post, "api/annotations") })
            Assert.Equal(403, (await guest.AskAsync(method, path, method == HttpMethod.Post ? new { } : null)).Status);
        // What is looked at there is not in one's own business.
        Assert.Empty((await person.Client.GetJsonAsync("api/metrics/summary"))["kpis"]!.AsArray());

        await guest.DoneAsync(HttpMethod.Post, "api/tenant/leave");
        Assert.Empty(await _town.QueryAsync<string>("select role from memberships where tenant_id = @Merch and user_id = @Id", new { Merch, person.Id }));
        Assert.False((bool)(await person.Client.GetJsonAsync("api/demo"))["joined"]!);
    }

    [Fact]
    public async Task Nothing_is_offered_but_a_business_that_is_marked_as_a_demonstration()
    {
        var person = await _town.PersonAsync(await _town.TenantAsync(), "owner");
        var real = await _town.TenantAsync("Real");
        var configuration = app.Services.GetRequiredService<IConfiguration>();
        try
        {
            foreach (var named in new[] { "", "nonsense", Guid.NewGuid().ToString(), real.ToString() })
            {
                configuration[DemoEndpoints.TenantKey] = named;
                var offered = await person.Client.GetJsonAsync("api/demo");
                Assert.Equal((null, null, false), ((JsonNode?)offered["tenantId"], (JsonNode?)offered["name"], (bool)offered["joined"]!));
                var answer = await person.Client.AskAsync(HttpMethod.Post, "api/demo", new { });
                Assert.Equal(((int)HttpStatusCode.NotFound, "This installation has no demonstration."), (answer.Status, (string)answer.Body!["detail"]!));
            }
        }
        finally
        {
            configuration[DemoEndpoints.TenantKey] = Merch.ToString();
        }

        Assert.Empty(await _town.QueryAsync<Guid>("select tenant_id from memberships where user_id = @Id and tenant_id = @real", new { person.Id, real }));
    }
}
