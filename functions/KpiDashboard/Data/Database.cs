using System.Data;
using System.Data.Common;
using Dapper;
using Npgsql;

namespace KpiDashboard.Data;

/// <summary>
/// The way to Postgres. Work for a tenant runs inside a transaction whose tenant is set with a transaction-local setting, so that row-level security
/// admits that tenant's rows only and a pooled connection carries nothing over to the next user.
/// </summary>
internal sealed class Database(Func<NpgsqlDataSource> source)
{
    /// <summary>Runs work as one transaction for one tenant; commits when it returns, rolls back when it throws.</summary>
    public async Task<T> InTenantAsync<T>(Guid tenantId, Func<TenantTransaction, Task<T>> work, CancellationToken cancellationToken)
    {
        await using var connection = await source().OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition(
            "select set_config('app.tenant_id', @tenant, true)", new { tenant = tenantId.ToString() }, transaction, cancellationToken: cancellationToken));
        var result = await work(new TenantTransaction(connection, transaction, tenantId, cancellationToken));
        await transaction.CommitAsync(cancellationToken);
        return result;
    }

    /// <inheritdoc cref="InTenantAsync{T}"/>
    public Task InTenantAsync(Guid tenantId, Func<TenantTransaction, Task> work, CancellationToken cancellationToken) =>
        InTenantAsync(tenantId, async tx => { await work(tx); return true; }, cancellationToken);

    /// <summary>
    /// Reads one tenant as it is at one moment, however long that takes: repeatable read, read only, times in UTC. For what is streamed row by row; everything
    /// else goes through <see cref="InTenantAsync{T}"/>.
    /// </summary>
    public async Task InSnapshotAsync(Guid tenantId, Func<NpgsqlConnection, Task> work, CancellationToken cancellationToken)
    {
        await using var connection = await source().OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition(
            "set transaction read only; set local time zone 'UTC'; select set_config('app.tenant_id', @tenant, true)",
            new { tenant = tenantId.ToString() }, transaction, cancellationToken: cancellationToken));
        await work(connection);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>Calls a cross-tenant function of the schema (0002). No tenant is set: any direct read of a tenant table finds nothing.</summary>
    public async Task<IReadOnlyList<T>> QueryAsync<T>(string sql, object parameters, CancellationToken cancellationToken)
    {
        await using var connection = await source().OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<T>(new CommandDefinition(sql, parameters, cancellationToken: cancellationToken))).AsList();
    }

    /// <inheritdoc cref="QueryAsync{T}"/>
    public async Task<int> ExecuteAsync(string sql, object parameters, CancellationToken cancellationToken)
    {
        await using var connection = await source().OpenConnectionAsync(cancellationToken);
        return await connection.ExecuteAsync(new CommandDefinition(sql, parameters, cancellationToken: cancellationToken));
    }
}

/// <summary>
/// One transaction for one tenant. Every statement has the parameter <c>@tenant</c>: statements also filter by tenant themselves, which lets the
/// planner use the index that every tenant table leads with.
/// </summary>
internal sealed class TenantTransaction(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid tenantId, CancellationToken cancellationToken)
{
    /// <summary>The tenant of this transaction.</summary>
    public Guid TenantId => tenantId;

    /// <summary>All rows of a query.</summary>
    public async Task<IReadOnlyList<T>> QueryAsync<T>(string sql, object? parameters = null) =>
        (await connection.QueryAsync<T>(Command(sql, parameters))).AsList();

    /// <summary>The only row, or the default when there is none.</summary>
    public Task<T?> QuerySingleOrDefaultAsync<T>(string sql, object? parameters = null) =>
        connection.QuerySingleOrDefaultAsync<T>(Command(sql, parameters));

    /// <summary>The only row; none is a fault.</summary>
    public Task<T> QuerySingleAsync<T>(string sql, object? parameters = null) => connection.QuerySingleAsync<T>(Command(sql, parameters));

    /// <summary>Several results of one round trip.</summary>
    public Task<SqlMapper.GridReader> QueryMultipleAsync(string sql, object? parameters = null) =>
        connection.QueryMultipleAsync(Command(sql, parameters));

    /// <summary>Hands each row of each result to <paramref name="row"/>, with the number of the result: for what no mapper maps, as arrays with gaps.</summary>
    public async Task ReadAsync(string sql, object? parameters, Action<DbDataReader, int> row)
    {
        await using var reader = await connection.ExecuteReaderAsync(Command(sql, parameters));
        var result = 0;
        do
        {
            while (await reader.ReadAsync(cancellationToken)) row(reader, result);
            result++;
        }
        while (await reader.NextResultAsync(cancellationToken));
    }

    /// <summary>Runs a statement and tells how many rows it touched.</summary>
    public Task<int> ExecuteAsync(string sql, object? parameters = null) => connection.ExecuteAsync(Command(sql, parameters));

    private CommandDefinition Command(string sql, object? parameters)
    {
        var all = new DynamicParameters(parameters);
        all.Add("tenant", tenantId);
        return new CommandDefinition(sql, all, transaction, cancellationToken: cancellationToken);
    }
}
