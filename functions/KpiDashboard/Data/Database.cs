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
    /// <summary>Is shown each round trip of a read before it is sent, by a benchmark that sends the same without us.</summary>
    internal Action<NpgsqlBatch>? Shown { get; set; }

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
    /// Reads for one tenant without a transaction of its own: each round trip is one, whose tenant is set within it. What is asked together
    /// (<see cref="TenantTransaction.TogetherAsync"/>) is one round trip, however many statements it has.
    /// </summary>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="known">What is known of the tenant already.</param>
    /// <param name="work">Reads only.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<T> ReadTenantAsync<T>(
        Guid tenantId, TenantKnowledge? known, Func<TenantTransaction, Task<T>> work, CancellationToken cancellationToken)
    {
        await using var connection = await source().OpenConnectionAsync(cancellationToken);
        return await work(new TenantTransaction(connection, null, tenantId, cancellationToken) { Known = known, Shown = Shown });
    }

    /// <summary>One round trip of several statements, for whom the first of them lets in.</summary>
    public async Task RunAsync(SqlBatch batch, CancellationToken cancellationToken)
    {
        await using var connection = await source().OpenConnectionAsync(cancellationToken);
        await batch.RunAsync(connection, null, cancellationToken, Shown);
    }

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

/// <summary>What is known of a tenant before its transaction begins, by type: it need not be read again.</summary>
internal sealed class TenantKnowledge
{
    private readonly Dictionary<Type, object> _known = [];

    /// <summary>Notes something.</summary>
    public TenantKnowledge With<T>(T known)
        where T : class
    {
        _known[typeof(T)] = known;
        return this;
    }

    /// <summary>What is known; null for nothing.</summary>
    public T? Find<T>()
        where T : class => (T?)_known.GetValueOrDefault(typeof(T));
}

/// <summary>
/// One transaction for one tenant. Every statement has the parameter <c>@tenant</c>: statements also filter by tenant themselves, which lets the
/// planner use the index that every tenant table leads with.
/// </summary>
internal sealed class TenantTransaction(NpgsqlConnection connection, NpgsqlTransaction? transaction, Guid tenantId, CancellationToken cancellationToken)
{
    // Statements beyond that in one round trip would be a loop that has got out of hand.
    private const int MostTogether = 100;

    // What is read is found by whole keys, so that one plan fits every business and is made once a connection. Left to itself Postgres makes
    // another for each question about a table in parts, because it thinks that looking at one part saves more: it took longer to plan than to run.
    private const string BeginReading =
        "select set_config('app.tenant_id', @text, true), set_config('plan_cache_mode', 'force_generic_plan', true)";

    private SqlBatch? _together;
    private Task _turn = Task.CompletedTask;

    /// <summary>The tenant of this transaction.</summary>
    public Guid TenantId => tenantId;

    /// <summary>What need not be read again; null where everything has to be.</summary>
    public TenantKnowledge? Known { get; init; }

    /// <inheritdoc cref="Database.Shown"/>
    public Action<NpgsqlBatch>? Shown { get; init; }

    /// <summary>All rows of a query.</summary>
    public Task<IReadOnlyList<T>> QueryAsync<T>(string sql, object? parameters = null) => AskAsync(sql, parameters, SqlBatch.RowsAsync<T>);

    /// <summary>The only row, or the default when there is none.</summary>
    public Task<T?> QuerySingleOrDefaultAsync<T>(string sql, object? parameters = null) =>
        AskAsync(sql, parameters, async (reader, ct) => (await SqlBatch.RowsAsync<T>(reader, ct)).SingleOrDefault());

    /// <summary>The only row; none is a fault.</summary>
    public Task<T> QuerySingleAsync<T>(string sql, object? parameters = null) =>
        AskAsync(sql, parameters, async (reader, ct) => (await SqlBatch.RowsAsync<T>(reader, ct)).Single());

    /// <summary>Several results of one round trip.</summary>
    public Task<SqlMapper.GridReader> QueryMultipleAsync(string sql, object? parameters = null) =>
        connection.QueryMultipleAsync(Command(sql, parameters));

    /// <summary>Hands each row to <paramref name="row"/>: for what no mapper maps, as arrays with gaps.</summary>
    public Task ReadAsync(string sql, object? parameters, Action<DbDataReader> row) => AskAsync(sql, parameters, async (reader, ct) =>
    {
        while (await reader.ReadAsync(ct)) row(reader);
        return true;
    });

    /// <summary>Runs a statement and tells how many rows it touched.</summary>
    public Task<int> ExecuteAsync(string sql, object? parameters = null) => connection.ExecuteAsync(Command(sql, parameters));

    /// <summary>
    /// Runs what <paramref name="begin"/> begins and awaits in one round trip; where an answer leads to further questions, those in a second, and so on.
    /// Within, nothing is sent before <paramref name="begin"/> has come to where it waits for all.
    /// </summary>
    public async Task<T> TogetherAsync<T>(Func<Task<T>> begin)
    {
        if (_together is not null) return await begin();
        _together = new SqlBatch();
        try
        {
            var all = begin();
            while (!all.IsCompleted && _together.Count > 0)
            {
                var batch = _together;
                _together = new SqlBatch();
                if (batch.Count > MostTogether) throw new InvalidOperationException($"{batch.Count} statements in one round trip.");
                await SendAsync(batch);
            }

            _together = null;
            return await all;
        }
        finally
        {
            _together = null;
        }
    }

    /// <summary>
    /// Something that goes with the round trip that is being put together, for whoever asks alike to join in what is not sent yet; null where what is
    /// asked is sent at once.
    /// </summary>
    public T? Together<T>()
        where T : class, new() => _together?.Note<T>();

    private Task<T> AskAsync<T>(string sql, object? parameters, Func<DbDataReader, CancellationToken, Task<T>> read)
    {
        if (_together is not null) return _together.Add(sql, parameters, tenantId, read);
        var batch = new SqlBatch();
        var answer = batch.Add(sql, parameters, tenantId, read);
        // Whoever asks several things at once, without asking them together, is answered one after the other.
        var mine = FinishAsync(_turn);
        _turn = mine;
        return mine;

        async Task<T> FinishAsync(Task before)
        {
            await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await SendAsync(batch);
            return await answer;
        }
    }

    private Task SendAsync(SqlBatch batch)
    {
        // Without a transaction around it, the batch is one: the tenant is set for as long as it lasts.
        if (transaction is null) batch.Begin(BeginReading, new { text = tenantId.ToString() });
        return batch.RunAsync(connection, transaction, cancellationToken, Shown);
    }

    private CommandDefinition Command(string sql, object? parameters)
    {
        if (transaction is null) throw new InvalidOperationException("This reads only.");
        var all = new DynamicParameters();
        // Of two with the same name Dapper keeps the last.
        foreach (var part in SqlParameters.PartsOf(parameters).Reverse()) all.AddDynamicParams(part);
        all.Add("tenant", tenantId);
        return new CommandDefinition(sql, all, transaction, cancellationToken: cancellationToken);
    }
}
