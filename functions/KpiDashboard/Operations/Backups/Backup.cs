using System.Data;
using System.IO.Compression;
using System.Reflection;
using System.Text.Json;
using Dapper;
using KpiDashboard.Data;
using KpiDashboard.Security;
using Npgsql;

namespace KpiDashboard.Operations.Backups;

/// <summary>How far a backup, a verification or a restore is.</summary>
/// <param name="Table">The table that is being copied.</param>
/// <param name="Done">Tables that are done.</param>
/// <param name="Tables">Of how many.</param>
/// <param name="Bytes">Bytes of data so far, uncompressed.</param>
internal sealed record BackupProgress(string Table, int Done, int Tables, long Bytes);

/// <summary>
/// Logical backups: every table of one snapshot as a stream of COPY, compressed (Brotli) and sealed (<see cref="BackupSeal"/>), with counts and hashes at its end.
/// Nothing is held in memory but a few chunks, whatever the size.
/// </summary>
internal static class Backup
{
    /// <summary>How long a single statement may take: a table that takes longer is not a small business's.</summary>
    private const int CommandTimeout = 3600;

    /// <summary>Backs up the database as it is at one moment.</summary>
    /// <param name="connectionString">As kpi_owner, who sees every tenant's rows.</param>
    /// <param name="target">Where the file goes; stays open.</param>
    /// <param name="keys">The key ring; its current key seals.</param>
    /// <param name="time">Clock.</param>
    /// <param name="progress">Told of each table.</param>
    /// <param name="cancellationToken">Stops; what was written by then does not open.</param>
    /// <returns>What it holds, and how many bytes it has.</returns>
    /// <exception cref="BackupException">It cannot be made; nothing useful was written.</exception>
    public static async Task<(BackupManifest Manifest, long Bytes)> CreateAsync(
        string connectionString, Stream target, SecretOptions keys, TimeProvider time, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        await using var sealing = new SealingStream(target, keys);
        await using var connection = await OpenAsync(connectionString, cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition("set transaction read only; set local statement_timeout = 0", cancellationToken: cancellationToken));
        await BackupCatalogue.RequireAllRowsAsync(connection, cancellationToken);
        var migrations = await BackupCatalogue.MigrationsAsync(connection, cancellationToken)
            ?? throw new BackupException($"The database {connection.Database} has no schema of KPI Dashboard: there is nothing to back up.");
        var tables = await BackupCatalogue.TablesAsync(connection, cancellationToken);
        var manifest = new BackupManifest(
            BackupManifest.CurrentFormat, Guid.CreateVersion7(time.GetUtcNow()), time.GetUtcNow(), ProductVersion, connection.PostgreSqlVersion.ToString(), migrations, tables);

        var done = new List<BackupTable>();
        await using (var packed = new BrotliStream(sealing, CompressionLevel.Fastest, leaveOpen: true))
        {
            await BackupFrames.WriteAsync(packed, FrameKind.Begin, JsonSerializer.SerializeToUtf8Bytes(manifest, BackupJson.Default.BackupManifest), cancellationToken);
            var (buffer, bytes) = (new byte[BackupSeal.Chunk], 0L);
            foreach (var table in tables)
            {
                progress?.Report(new BackupProgress(table.Name, done.Count, tables.Count, bytes));
                await BackupFrames.WriteAsync(packed, FrameKind.Table, BitConverter.GetBytes(done.Count), cancellationToken);
                using var counter = new CopyCounter();
                await using (var copy = await connection.BeginRawBinaryCopyAsync($"copy (select {Columns(table)} from {BackupCatalogue.Quote(table.Name)}) to stdout (format binary)", cancellationToken))
                {
                    int length;
                    while ((length = await copy.ReadAsync(buffer, cancellationToken)) > 0)
                    {
                        counter.Add(buffer.AsSpan(0, length));
                        await BackupFrames.WriteAsync(packed, FrameKind.Data, buffer.AsMemory(0, length), cancellationToken);
                    }
                }

                if (!counter.IsComplete) throw new BackupException($"The server ended the copy of {table.Name} early.");
                done.Add(table with { Rows = counter.Rows, Bytes = counter.Bytes, Sha256 = counter.Sha256() });
                bytes += counter.Bytes;
            }

            // After the data: a sequence belongs to no snapshot, and may stand further than it, but never behind it.
            var sequences = (await connection.QueryAsync<BackupSequence>(new CommandDefinition(
                """
                select sequencename::text as Name, coalesce(last_value, start_value) as LastValue, last_value is not null as IsCalled
                from pg_sequences where schemaname = 'public' order by 1
                """,
                cancellationToken: cancellationToken))).AsList();
            manifest = manifest with { Tables = done, Sequences = sequences };
            await BackupFrames.WriteAsync(packed, FrameKind.End, JsonSerializer.SerializeToUtf8Bytes(manifest, BackupJson.Default.BackupManifest), cancellationToken);
            progress?.Report(new BackupProgress("", done.Count, tables.Count, bytes));
        }

        await sealing.CompleteAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return (manifest, sealing.Written);
    }

    /// <summary>Reads a backup to its end: opens every chunk, counts and hashes every table, and compares with what is written at its end.</summary>
    /// <exception cref="BackupException">It is not what was written.</exception>
    public static Task<BackupManifest> VerifyAsync(Stream source, SecretOptions keys, IProgress<BackupProgress>? progress, CancellationToken cancellationToken) =>
        ReadAsync(source, keys, null, null, progress, cancellationToken);

    /// <summary>
    /// Restores into a database without data: verifies the whole backup first, brings the schema to the backup's version, copies everything in one transaction, and
    /// applies the migrations that came since.
    /// </summary>
    /// <param name="ownerConnectionString">As kpi_owner; the database exists.</param>
    /// <param name="open">Opens the file; called twice.</param>
    /// <param name="keys">The key ring.</param>
    /// <param name="progress">Told of each table, of both readings.</param>
    /// <param name="cancellationToken">Stops; the tables stay empty then.</param>
    /// <returns>What was restored, and the migrations that were applied after it.</returns>
    /// <exception cref="BackupException">It cannot be restored; no row was written.</exception>
    public static async Task<(BackupManifest Manifest, IReadOnlyList<string> Later)> RestoreAsync(
        string ownerConnectionString, Func<CancellationToken, Task<Stream>> open, SecretOptions keys, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        BackupManifest manifest;
        await using (var first = await open(cancellationToken)) manifest = await VerifyAsync(first, keys, progress, cancellationToken);
        var known = DatabaseBootstrap.ScriptNames().ToHashSet(StringComparer.Ordinal);
        if (manifest.Migrations.FirstOrDefault(script => !known.Contains(script)) is { } unknown)
            throw new BackupException($"The backup has the migration {BackupManifest.Short(unknown)}, which this version does not know: restore it with the version that made it ({manifest.Product}).");

        await RequireEmptyAsync(ownerConnectionString, manifest, cancellationToken);
        await DatabaseBootstrap.MigrateAsync(ownerConnectionString, cancellationToken, only: manifest.Migrations.ToHashSet(StringComparer.Ordinal));

        await using (var connection = await OpenAsync(ownerConnectionString, cancellationToken))
        await using (var transaction = await connection.BeginTransactionAsync(cancellationToken))
        {
            var here = await BackupCatalogue.TablesAsync(connection, cancellationToken);
            if (!here.Select(table => table.Name).Order(StringComparer.Ordinal).SequenceEqual(manifest.Tables.Select(table => table.Name).Order(StringComparer.Ordinal)))
                throw new BackupException("The backup's tables are not those of its schema version: it was made from a database that somebody had changed by hand.");
            var forced = (await connection.QueryAsync<string>(new CommandDefinition(
                "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relforcerowsecurity order by relname", cancellationToken: cancellationToken))).AsList();
            // Triggers guard doors, and every row went through them once: the log that nobody may empty, a zone that this server lacks (such a business is reckoned in UTC,
            // and operators are told). Keys and checks hold all the same, and the triggers are back in this transaction, before anybody can look.
            var guarded = (await connection.QueryAsync<string>(new CommandDefinition(
                """
                select distinct c.relname from pg_trigger t join pg_class c on c.oid = t.tgrelid
                where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not t.tgisinternal order by c.relname
                """,
                cancellationToken: cancellationToken))).AsList();
            foreach (var table in guarded) await TriggersAsync(table, false);
            // What a migration put there is in the backup, as it was last.
            await connection.ExecuteAsync(new CommandDefinition($"truncate {string.Join(", ", here.Select(table => BackupCatalogue.Quote(table.Name)))}", cancellationToken: cancellationToken));
            // COPY FROM is not possible under row-level security. For the owner it ends with FORCE, which comes back in this transaction, before anybody can look.
            foreach (var table in forced) await ForceAsync(table, false);
            await using (var second = await open(cancellationToken)) await ReadAsync(second, keys, connection, manifest, progress, cancellationToken);
            foreach (var table in forced) await ForceAsync(table, true);
            foreach (var table in guarded) await TriggersAsync(table, true);
            foreach (var sequence in manifest.Sequences!)
            {
                await connection.ExecuteAsync(new CommandDefinition(
                    "select setval(@name::regclass, @LastValue, @IsCalled)", new { name = "public." + BackupCatalogue.Quote(sequence.Name), sequence.LastValue, sequence.IsCalled }, cancellationToken: cancellationToken));
            }

            foreach (var table in manifest.Tables)
            {
                var rows = await connection.ExecuteScalarAsync<long>(new CommandDefinition(
                    $"select count(*) from {BackupCatalogue.Quote(table.Name)}", commandTimeout: CommandTimeout, cancellationToken: cancellationToken));
                if (rows != table.Rows) throw new BackupException($"The table {table.Name} has {rows} rows after the restore instead of {table.Rows}: nothing was kept.");
            }

            await transaction.CommitAsync(cancellationToken);

            Task TriggersAsync(string table, bool enable) => connection.ExecuteAsync(new CommandDefinition(
                $"alter table {BackupCatalogue.Quote(table)} {(enable ? "enable" : "disable")} trigger user", cancellationToken: cancellationToken));

            Task ForceAsync(string table, bool force) => connection.ExecuteAsync(new CommandDefinition(
                $"alter table {BackupCatalogue.Quote(table)} {(force ? "" : "no ")}force row level security", cancellationToken: cancellationToken));
        }

        return (manifest, await DatabaseBootstrap.MigrateAsync(ownerConnectionString, cancellationToken));
    }

    /// <summary>Refuses a database that holds anything: a restore adds to nothing and replaces nothing.</summary>
    public static async Task RequireEmptyAsync(string ownerConnectionString, BackupManifest manifest, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(ownerConnectionString, cancellationToken);
        var migrations = await BackupCatalogue.MigrationsAsync(connection, cancellationToken);
        var tables = await BackupCatalogue.TablesAsync(connection, cancellationToken);
        if (migrations is null && tables.Count > 0)
            throw new BackupException($"The database {connection.Database} is not empty: it holds the table {tables[0].Name}, which is not ours. Restore into a new database.");
        if (migrations?.FirstOrDefault(script => !manifest.Migrations.Contains(script, StringComparer.Ordinal)) is { } newer)
            throw new BackupException($"The database {connection.Database} has the migration {BackupManifest.Short(newer)}, which is newer than the backup. Restore into a new database.");
        await BackupCatalogue.RequireAllRowsAsync(connection, cancellationToken);
        foreach (var table in tables)
        {
            if (await connection.ExecuteScalarAsync<bool>(new CommandDefinition($"select exists (select 1 from {BackupCatalogue.Quote(table.Name)})", cancellationToken: cancellationToken)))
                throw new BackupException($"The database {connection.Database} is not empty: {table.Name} has rows. Restore into a new database; nothing is overwritten.");
        }
    }

    /// <summary>Version of this program with the commit it was made of, if it is known.</summary>
    internal static string ProductVersion { get; } =
        typeof(Backup).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>Reads a backup; with a connection, copies what it reads into the tables.</summary>
    private static async Task<BackupManifest> ReadAsync(
        Stream source, SecretOptions keys, NpgsqlConnection? into, BackupManifest? expected, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        await using var opened = new UnsealingStream(source, keys);
        await using var packed = new BrotliStream(opened, CompressionMode.Decompress, leaveOpen: true);
        var buffer = new FrameBuffer();
        try
        {
            var (kind, content) = await BackupFrames.ReadAsync(packed, buffer, cancellationToken);
            if (kind != FrameKind.Begin) throw BackupFrames.Damaged();
            var begin = BackupFrames.Manifest(content);
            var done = new List<BackupTable>();
            var bytes = 0L;
            (kind, content) = await BackupFrames.ReadAsync(packed, buffer, cancellationToken);
            while (kind == FrameKind.Table)
            {
                if (done.Count >= begin.Tables.Count || BitConverter.ToInt32(content.Span) != done.Count) throw BackupFrames.Damaged();
                var table = begin.Tables[done.Count];
                progress?.Report(new BackupProgress(table.Name, done.Count, begin.Tables.Count, bytes));
                using var counter = new CopyCounter();
                await using (var copy = into is null ? null : await into.BeginRawBinaryCopyAsync($"copy {BackupCatalogue.Quote(table.Name)} ({Columns(table)}) from stdin (format binary)", cancellationToken))
                {
                    while (true)
                    {
                        (kind, content) = await BackupFrames.ReadAsync(packed, buffer, cancellationToken);
                        if (kind != FrameKind.Data) break;
                        counter.Add(content.Span);
                        if (copy is not null) await copy.WriteAsync(content, cancellationToken);
                    }
                }

                if (!counter.IsComplete) throw BackupFrames.Damaged();
                done.Add(table with { Rows = counter.Rows, Bytes = counter.Bytes, Sha256 = counter.Sha256() });
                bytes += counter.Bytes;
            }

            if (kind != FrameKind.End) throw BackupFrames.Damaged();
            var manifest = BackupFrames.Manifest(content);
            // Behind the last frame comes the end of the file, and that it is the end is authentic, too.
            if (await packed.ReadAsync(buffer.Head.AsMemory(0, 1), cancellationToken) != 0 || await opened.ReadAsync(buffer.Head.AsMemory(0, 1), cancellationToken) != 0) throw BackupFrames.Damaged();
            if (expected is not null && expected.Id != manifest.Id) throw new BackupException("The file was replaced by another backup while it was read.");
            if (manifest.Sequences is null || manifest.Tables.Count != done.Count) throw BackupFrames.Damaged();
            foreach (var (said, found) in manifest.Tables.Zip(done))
            {
                if (said.Name != found.Name || said.Rows != found.Rows || said.Bytes != found.Bytes || said.Sha256 != found.Sha256)
                    throw new BackupException($"The table {found.Name} is not what was backed up: {found.Rows} rows instead of {said.Rows}, or other ones.");
            }

            progress?.Report(new BackupProgress("", done.Count, done.Count, bytes));
            return manifest;
        }
        catch (InvalidDataException error)
        {
            throw new BackupException("The backup's content cannot be unpacked although it opens: it was made by a faulty or another version of this program.", error);
        }
        catch (PostgresException error)
        {
            throw new BackupException($"The server refused the backup's data: {error.MessageText} Nothing was kept.", error);
        }
    }

    private static string Columns(BackupTable table) => string.Join(", ", table.Columns.Select(BackupCatalogue.Quote));

    private static async Task<NpgsqlConnection> OpenAsync(string connectionString, CancellationToken cancellationToken)
    {
        // Times as they are, whatever the role's own settings; pooled connections would outlive the command for nothing.
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString)
        {
            Pooling = false,
            CommandTimeout = CommandTimeout,
            ApplicationName = "kpi-backup",
            Options = "-c timezone=UTC",
        }.ConnectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}
