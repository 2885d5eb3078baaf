using System.Text.Json;
using KpiDashboard.Api;
using KpiDashboard.Operations;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KpiDashboard.Tests.Api;

/// <summary>What slices contribute to <c>GET health/ready</c>: each is asked, and each alone is reason enough.</summary>
public sealed class ReadinessTests
{
    private static readonly string Key = Convert.ToBase64String(new byte[32]);

    private static readonly IReadOnlyList<KeyValuePair<string, string?>> Settings =
    [
        new("Secrets:CurrentKey", "t"), new("Secrets:Keys:t", Key), new("Auth:CurrentKey", "t"), new("Auth:SigningKeys:t", Key),
    ];

    [Theory]
    [InlineData("Secrets:", "No key to seal secrets with is configured (Secrets:CurrentKey and Secrets:Keys).")]
    [InlineData("Auth:", "No key to sign access tokens with is configured (Auth:CurrentKey and Auth:SigningKeys).")]
    [InlineData("none", "No database is configured (ConnectionStrings:Postgres, as the role kpi_app).")]
    public async Task What_is_missing_is_said_by_the_slice_that_needs_it(string missing, string reason)
    {
        await using var provider = Provider(Settings.Where(setting => !setting.Key.StartsWith(missing, StringComparison.Ordinal)));
        using var body = new MemoryStream();
        var context = new DefaultHttpContext { RequestServices = provider, Response = { Body = body } };
        var answer = await provider.GetRequiredService<HealthEndpoints>().ReadyAsync(context.Request, TestContext.Current.CancellationToken);
        await answer.ExecuteAsync(context);
        Assert.Equal(StatusCodes.Status503ServiceUnavailable, context.Response.StatusCode);
        Assert.Equal(new HealthResponse("not_ready", reason), JsonSerializer.Deserialize(body.ToArray(), HealthJson.Default.HealthResponse));
    }

    [Fact]
    public async Task Every_check_has_its_own_sentence()
    {
        await using var provider = Provider([]);
        var checks = provider.GetServices<IReadinessCheck>().ToList();
        var sentences = new List<string?>();
        foreach (var check in checks)
        {
            sentences.Add(check.IsLocal
                ? await check.FindObstacleAsync(TestContext.Current.CancellationToken)
                : (await Assert.ThrowsAsync<ApiProblem>(() => check.FindObstacleAsync(TestContext.Current.CancellationToken))).Message);
        }

        // As many as the theory above has.
        Assert.Equal(3, sentences.Distinct().Count());
        Assert.Equal(3, sentences.Count);
        Assert.DoesNotContain(null, sentences);
    }

    private static ServiceProvider Provider(IEnumerable<KeyValuePair<string, string?>> settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(configuration);
        services.AddLogging();
        services.AddKpiDashboard(configuration, typeof(Functions.App).Assembly);
        return services.BuildServiceProvider();
    }
}
