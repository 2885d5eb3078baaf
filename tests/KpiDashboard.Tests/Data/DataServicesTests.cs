using KpiDashboard.Data;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace KpiDashboard.Tests.Data;

/// <summary>How the app connects: what the connection string leaves open is set, and what it says stays. Opens no connection.</summary>
public sealed class DataServicesTests
{
    [Theory]
    [InlineData("Host=a", 40, 30, 200)]
    [InlineData("Host=a;Maximum Pool Size=6", 6, 30, 200)]
    [InlineData("Host=a;MaxPoolSize=6;Timeout=15;CommandTimeout=7", 6, 7, 200)]
    [InlineData("Host=a;Max Auto Prepare=0;Maximum Pool Size=100", 100, 30, 0)]
    public async Task A_pool_has_an_end_and_statements_that_come_again_are_prepared_unless_the_connection_string_says_otherwise(
        string text, int pool, int seconds, int prepared)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(
            new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["ConnectionStrings:Postgres"] = text }).Build());
        services.AddDatabase();
        await using var provider = services.BuildServiceProvider();
        var connection = new NpgsqlConnectionStringBuilder(provider.GetRequiredService<NpgsqlDataSource>().ConnectionString);
        Assert.Equal((pool, seconds, prepared), (connection.MaxPoolSize, connection.CommandTimeout, connection.MaxAutoPrepare));
    }
}
