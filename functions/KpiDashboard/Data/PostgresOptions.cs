using Azure.Core;
using KpiDashboard.Api;
using Npgsql;

namespace KpiDashboard.Data;

/// <summary>How the app signs in to Postgres; section <c>Postgres</c>. Where Postgres is stands in <c>ConnectionStrings:Postgres</c>.</summary>
internal sealed class PostgresOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Postgres";

    /// <summary>Scope of tokens for Azure Database for PostgreSQL.</summary>
    public const string Scope = "https://ossrdbms-aad.database.windows.net/.default";

    /// <summary>
    /// <c>Password</c>: as the connection string says. <c>Entra</c>: a token of the app's identity in place of a password, of which the connection string must
    /// then have none. Explicit, because a missing password also means trust, peer or a password file.
    /// </summary>
    public string Authentication { get; set; } = "Password";

    /// <summary>How often a new token is taken; a user's lives an hour, an identity's a day.</summary>
    public TimeSpan TokenRefresh { get; set; } = TimeSpan.FromMinutes(55);

    /// <summary>How soon after a failure it is tried again. Connections that are open stay open meanwhile.</summary>
    public static readonly TimeSpan TokenRetry = TimeSpan.FromSeconds(5);

    /// <summary>Whether tokens are used.</summary>
    public bool UsesTokens => string.Equals(Authentication, "Entra", StringComparison.OrdinalIgnoreCase);

    internal static bool IsValid(PostgresOptions options) =>
        (options.UsesTokens || string.Equals(options.Authentication, "Password", StringComparison.OrdinalIgnoreCase))
        && options.TokenRefresh >= TimeSpan.FromSeconds(1) && options.TokenRefresh <= TimeSpan.FromHours(23);

    /// <summary>A data source that signs in as these options say. Asks for a token only when a connection is opened or about to be.</summary>
    /// <exception cref="ApiProblem">503: the settings contradict each other.</exception>
    public NpgsqlDataSource Build(NpgsqlConnectionStringBuilder connection, Func<TokenCredential> credential)
    {
        if (!UsesTokens) return new NpgsqlDataSourceBuilder(connection.ConnectionString) { Name = "kpi" }.Build();
        if (!string.IsNullOrEmpty(connection.Password))
            throw ApiProblem.Unavailable("Postgres:Authentication is Entra, but ConnectionStrings:Postgres has a password; remove one of them.", 60);
        RequireTls(connection);
        var identity = credential();
        var builder = new NpgsqlDataSourceBuilder(connection.ConnectionString) { Name = "kpi" };
        builder.UsePeriodicPasswordProvider(
            async (_, token) => (await identity.GetTokenAsync(new TokenRequestContext([Scope]), token)).Token, TokenRefresh, TokenRetry);
        return builder.Build();
    }

    /// <summary>A token is as good as a password: only the server itself may see it.</summary>
    internal static void RequireTls(NpgsqlConnectionStringBuilder connection)
    {
        if (!IsLocal(connection.Host) && connection.SslMode is not (SslMode.VerifyCA or SslMode.VerifyFull)) connection.SslMode = SslMode.VerifyFull;
    }

    private static bool IsLocal(string? host) => host is "localhost" or "127.0.0.1" or "::1" || host?.StartsWith('/') == true;
}
