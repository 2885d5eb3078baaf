using System.Collections.Concurrent;
using System.Data.Common;
using System.Diagnostics;
using System.Linq.Expressions;
using System.Reflection;
using Dapper;
using Npgsql;
using NpgsqlTypes;

namespace KpiDashboard.Data;

/// <summary>Statements that go to the server together, in one round trip, and what is made of the rows of each.</summary>
internal sealed class SqlBatch
{
    private static readonly ActivitySource Activities = new("KpiDashboard.Data");

    private static readonly ConcurrentDictionary<Type, Action<NpgsqlParameterCollection, object>> s_binders = new();

    private readonly List<IStatement> _statements = [];
    private readonly Dictionary<Type, object> _notes = [];

    /// <summary>How many there are.</summary>
    public int Count => _statements.Count;

    /// <summary>Adds a statement of a tenant: it has the parameter <c>@tenant</c>.</summary>
    /// <returns>Ends when the batch has run.</returns>
    public Task<T> Add<T>(string sql, object? parameters, Guid tenant, Func<DbDataReader, CancellationToken, Task<T>> read) =>
        Add(new Statement<T>(sql, parameters, tenant, read));

    /// <summary>Adds a statement that needs no tenant.</summary>
    public Task<T> Add<T>(string sql, object? parameters, Func<DbDataReader, CancellationToken, Task<T>> read) => Add(new Statement<T>(sql, parameters, null, read));

    /// <summary>What somebody notes with this batch, one of a kind. Parameters are read when it is sent.</summary>
    public T Note<T>()
        where T : class, new()
    {
        if (!_notes.TryGetValue(typeof(T), out var note)) _notes[typeof(T)] = note = new T();
        return (T)note;
    }

    /// <summary>Puts a statement before all others whose rows say nothing.</summary>
    public void Begin(string sql, object parameters) =>
        _statements.Insert(0, new Statement<bool>(sql, parameters, null, (_, _) => Task.FromResult(true)));

    /// <summary>Sends them, and hands each its rows, one after the other.</summary>
    /// <param name="connection">Where to.</param>
    /// <param name="transaction">Around it; without one the batch is one of its own.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="shown">Is shown what is sent: a benchmark sends the same without us.</param>
    public async Task RunAsync(
        NpgsqlConnection connection, NpgsqlTransaction? transaction, CancellationToken cancellationToken, Action<NpgsqlBatch>? shown = null)
    {
        await using var batch = new NpgsqlBatch(connection, transaction);
        foreach (var statement in _statements)
        {
            var command = new NpgsqlBatchCommand(statement.Sql);
            if (statement.Tenant is { } tenant) command.Parameters.Add(new NpgsqlParameter<Guid>("tenant", tenant));
            foreach (var part in SqlParameters.PartsOf(statement.Parameters))
                s_binders.GetOrAdd(part.GetType(), Binder)(command.Parameters, part);
            batch.BatchCommands.Add(command);
        }

        shown?.Invoke(batch);
        var (sent, place) = (Stopwatch.GetTimestamp(), -1);
        try
        {
            await using (var reader = await batch.ExecuteReaderAsync(cancellationToken))
            {
                for (place = 0; place < _statements.Count;)
                {
                    await _statements[place].ReadAsync(reader, cancellationToken);
                    place++;
                    await reader.NextResultAsync(cancellationToken);
                }
            }
        }
        catch (Exception e)
        {
            if (e is PostgresException refused && _statements.ElementAtOrDefault(place) is { } failed)
                Trace(refused, failed.Sql, connection.Database, sent);
            foreach (var statement in _statements) statement.Fail(e);
            throw;
        }

        // Not before the connection is free: whoever waited asks further things on it.
        foreach (var statement in _statements) statement.Finish();
    }

    /// <summary>
    /// A span of the statement that was refused. Npgsql's own of the batch ends well when its first statement did, so that without this one
    /// nothing in the trace would name what failed.
    /// </summary>
    private static void Trace(PostgresException refused, string sql, string database, long sent)
    {
        using var span = Activities.CreateActivity("postgresql", ActivityKind.Client);
        if (span is null) return;
        span.Start();
        span.SetStartTime(span.StartTimeUtc - Stopwatch.GetElapsedTime(sent));
        span.SetTag("db.system.name", "postgresql").SetTag("db.namespace", database).SetTag("db.response.status_code", refused.SqlState)
            .SetTag("error.type", refused.SqlState).SetTag("db.query.text", sql);
        // The whole text may hold values of rows.
        span.SetStatus(ActivityStatusCode.Error, refused.MessageText);
    }

    /// <summary>All rows, as Dapper maps them; a single value by what the server says it is.</summary>
    public static async Task<IReadOnlyList<T>> RowsAsync<T>(DbDataReader reader, CancellationToken cancellationToken)
    {
        List<T> rows = [];
        Func<DbDataReader, object>? parse = null;
        while (await reader.ReadAsync(cancellationToken))
        {
            if (Scalar<T>.Read is { } read) rows.Add(reader.IsDBNull(0) ? default! : read(reader));
            else rows.Add((T)(parse ??= reader.GetRowParser(typeof(T)))(reader));
        }

        return rows;
    }

    /// <summary>How a value that is a row by itself is read; null where a row is more than that.</summary>
    private static class Scalar<T>
    {
        public static readonly Func<DbDataReader, T>? Read = Find();

        private static Func<DbDataReader, T>? Find()
        {
            var type = Nullable.GetUnderlyingType(typeof(T)) ?? typeof(T);
            if (!type.IsPrimitive && type != typeof(string) && type != typeof(decimal) && type != typeof(Guid) && type != typeof(DateOnly)
                && type != typeof(DateTimeOffset) && type != typeof(TimeSpan) && type != typeof(byte[])) return null;
            var (reader, place) = (Expression.Parameter(typeof(DbDataReader)), Expression.Constant(0));
            var value = Expression.Call(reader, nameof(DbDataReader.GetFieldValue), [type], place);
            return Expression.Lambda<Func<DbDataReader, T>>(Expression.Convert(value, typeof(T)), reader).Compile();
        }
    }

    private Task<T> Add<T>(Statement<T> statement)
    {
        _statements.Add(statement);
        return statement.Answer;
    }

    /// <summary>Makes parameters of the properties of an anonymous object, with the types that these have, null or not: a statement is prepared once.</summary>
    private static Action<NpgsqlParameterCollection, object> Binder(Type type)
    {
        var properties = type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Select(property => (property.Name, Type: TypeOf(property.PropertyType), Get: Getter(type, property))).ToArray();
        return (parameters, values) =>
        {
            foreach (var (name, kind, get) in properties)
            {
                if (parameters.Contains(name)) continue;
                var value = get(values);
                parameters.Add(new NpgsqlParameter(name, kind)
                {
                    Value = value switch
                    {
                        null => DBNull.Value,
                        DateTimeOffset instant => instant.UtcDateTime,
                        _ => value,
                    },
                });
            }
        };
    }

    private static Func<object, object?> Getter(Type type, PropertyInfo property)
    {
        var instance = Expression.Parameter(typeof(object));
        Expression value = Expression.Property(Expression.Convert(instance, type), property);
        // Npgsql sends arrays and lists; any other sequence is as good.
        if (!property.PropertyType.IsArray && ElementOf(property.PropertyType) is { } element && !IsList(property.PropertyType))
            value = Expression.Condition(
                Expression.Equal(value, Expression.Constant(null, value.Type)), Expression.Constant(null, element.MakeArrayType()),
                Expression.Call(typeof(Enumerable), nameof(Enumerable.ToArray), [element], value));
        return Expression.Lambda<Func<object, object?>>(Expression.Convert(value, typeof(object)), instance).Compile();
    }

    private static bool IsList(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(List<>);

    /// <summary>What a sequence is of; null for what is sent as one value.</summary>
    private static Type? ElementOf(Type type) => type == typeof(string) || type == typeof(byte[])
        ? null
        : type.GetInterfaces().Append(type)
            .FirstOrDefault(one => one.IsGenericType && one.GetGenericTypeDefinition() == typeof(IEnumerable<>))?.GetGenericArguments()[0];

    private static NpgsqlDbType TypeOf(Type type)
    {
        if (ElementOf(type) is { } element) return NpgsqlDbType.Array | TypeOf(element);
        return (Nullable.GetUnderlyingType(type) ?? type) switch
        {
            var t when t == typeof(string) => NpgsqlDbType.Text,
            var t when t == typeof(Guid) => NpgsqlDbType.Uuid,
            var t when t == typeof(short) => NpgsqlDbType.Smallint,
            var t when t == typeof(int) => NpgsqlDbType.Integer,
            var t when t == typeof(long) => NpgsqlDbType.Bigint,
            var t when t == typeof(decimal) => NpgsqlDbType.Numeric,
            var t when t == typeof(double) => NpgsqlDbType.Double,
            var t when t == typeof(bool) => NpgsqlDbType.Boolean,
            var t when t == typeof(DateOnly) => NpgsqlDbType.Date,
            var t when t == typeof(DateTimeOffset) => NpgsqlDbType.TimestampTz,
            // An instant that came from the database, and is UTC.
            var t when t == typeof(DateTime) => NpgsqlDbType.TimestampTz,
            var t when t == typeof(TimeSpan) => NpgsqlDbType.Interval,
            var t when t == typeof(byte[]) => NpgsqlDbType.Bytea,
            _ => throw new NotSupportedException($"A parameter cannot be a {type}; make it a plain value or a sequence of such."),
        };
    }

    private interface IStatement
    {
        string Sql { get; }

        object? Parameters { get; }

        Guid? Tenant { get; }

        Task ReadAsync(DbDataReader reader, CancellationToken cancellationToken);

        void Finish();

        void Fail(Exception e);
    }

    private sealed class Statement<T>(string sql, object? parameters, Guid? tenant, Func<DbDataReader, CancellationToken, Task<T>> read) : IStatement
    {
        // What waits goes on at once, in the order of the statements: what it asks then belongs to the next round trip.
        private readonly TaskCompletionSource<T> _answer = new();
        private T? _rows;

        public string Sql => sql;

        public object? Parameters => parameters;

        public Guid? Tenant => tenant;

        public Task<T> Answer => _answer.Task;

        public async Task ReadAsync(DbDataReader reader, CancellationToken cancellationToken) => _rows = await read(reader, cancellationToken);

        public void Finish() => _answer.TrySetResult(_rows!);

        public void Fail(Exception e)
        {
            _answer.TrySetException(e);
            // Nobody may wait for it any more.
            _ = _answer.Task.Exception;
        }
    }
}
