using System.Data;
using Dapper;
using KpiDashboard.Api;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace KpiDashboard.Data;

internal static class DataServices
{
    /// <summary>Registers the data source for <c>ConnectionStrings:Postgres</c>, read when first used: the embedded server's port is known only then.</summary>
    public static IServiceCollection AddDatabase(this IServiceCollection services)
    {
        SqlMapper.AddTypeHandler(new InstantHandler());
        services.AddOptions<PostgresOptions>().BindConfiguration(PostgresOptions.Section)
            .Validate(PostgresOptions.IsValid, "Postgres:Authentication must be Password or Entra, and Postgres:TokenRefresh from 00:00:01 to 23:00:00.").ValidateOnStart();
        services.TryAddSingleton(provider =>
        {
            var configuration = provider.GetRequiredService<IConfiguration>();
            var text = configuration.GetConnectionString("Postgres");
            if (string.IsNullOrWhiteSpace(text))
                throw ApiProblem.Unavailable("No database is configured (ConnectionStrings:Postgres, as the role kpi_app).", 60);
            var connection = new NpgsqlConnectionStringBuilder(text) { ApplicationName = "kpi-dashboard", IncludeErrorDetail = false };
            // ShouldSerialize tells what the connection string says itself; ContainsKey is true of every keyword that Npgsql knows.
            // Instances × pool must stay below the server's limit; a dashboard needs few connections for a short time each.
            if (!connection.ShouldSerialize("Maximum Pool Size")) connection.MaxPoolSize = 40;
            if (!connection.ShouldSerialize("Command Timeout")) connection.CommandTimeout = 30;
            // Planning takes longer than running for most statements: admission alone planned for 9 ms and ran for 1. In front of a pooler
            // that does not keep prepared statements the connection string says Max Auto Prepare=0.
            if (!connection.ShouldSerialize("Max Auto Prepare")) connection.MaxAutoPrepare = 200;
            // Resetting a connection is six statements before the first of its next user. There is nothing to reset: every setting of ours
            // ends with its transaction, and nothing else of a session is used (SessionStateTests).
            if (!connection.ShouldSerialize("No Reset On Close")) connection.NoResetOnClose = true;
            return provider.GetRequiredService<IOptions<PostgresOptions>>().Value.Build(connection, () => AzureIdentity.Of(configuration));
        });
        // Asked for at each use: without a database the app still starts, answers health/live, and says in health/ready what is missing.
        services.TryAddSingleton<Func<NpgsqlDataSource>>(provider => provider.GetRequiredService<NpgsqlDataSource>);
        services.TryAddSingleton<Database>();
        services.TryAddSingleton<TenantFaults>();
        services.TryAddSingleton<StorageQueues>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IReadinessCheck, DatabaseCheck>());
        services.AddTables(
            OwnedTable.NotExported(
                "tenant_faults",
                "What operators note when a job of ours fails for one business; about our machinery and in nobody's words but ours."),
            OwnedTable.OfNoTenant("schema_versions", "Which version the database is of; in manifest.json."));
        return services;
    }

    /// <summary>timestamptz is UTC in the database and a <see cref="DateTimeOffset"/> here.</summary>
    private sealed class InstantHandler : SqlMapper.TypeHandler<DateTimeOffset>
    {
        public override void SetValue(IDbDataParameter parameter, DateTimeOffset value) => parameter.Value = value.UtcDateTime;

        public override DateTimeOffset Parse(object value) => value switch
        {
            DateTime instant => new DateTimeOffset(DateTime.SpecifyKind(instant, DateTimeKind.Utc)),
            DateTimeOffset instant => instant,
            _ => throw new DataException($"A {value.GetType().Name} is not an instant."),
        };
    }
}
