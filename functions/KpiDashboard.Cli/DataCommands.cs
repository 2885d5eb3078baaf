using System.CommandLine;
using System.Globalization;
using Dapper;
using KpiDashboard.Data;
using KpiDashboard.Operations.Backups;
using KpiDashboard.Security;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Spectre.Console;

namespace KpiDashboard.Cli;

/// <summary>Commands that make, change, save and bring back the database.</summary>
internal static class DataCommands
{
    public static Command Migrate()
    {
        var create = new Option<bool>("--create") { Description = "Make roles and database first where they are missing (needs ConnectionStrings:PostgresAdmin)" };
        var list = new Option<bool>("--list") { Description = "Only say what would be applied" };
        return new Command("migrate", "Brings the schema to this version") { create, list }.Runs(async (session, cancellationToken) =>
        {
            var pending = await PendingAsync(session, session.Parsed.GetValue(create), cancellationToken);
            if (session.Parsed.GetValue(list))
            {
                session.Output.Result(new { pending }, console => console.WriteLine(pending.Count == 0 ? "The schema is up to date." : string.Join(Environment.NewLine, pending)));
                return CommandTree.Done;
            }

            var owner = session.Parsed.GetValue(create) ? await CreateAsync(session, new NpgsqlConnectionStringBuilder(session.Owner).Database!, cancellationToken) : session.Owner;
            var applied = (await DatabaseBootstrap.MigrateAsync(owner, cancellationToken)).Select(BackupManifest.Short).ToList();
            session.Output.Result(new { applied }, console =>
            {
                foreach (var script in applied) console.MarkupLineInterpolated($"[green]applied[/]  {script}");
                console.WriteLine(applied.Count == 0 ? "The schema is up to date." : $"The schema is at {applied[^1]}.");
            });
            return CommandTree.Done;
        });
    }

    public static Command RotateKeys() => new Command("rotate-keys", "Seals every stored secret anew with Secrets:CurrentKey, so that older keys can go").Runs(async (session, cancellationToken) =>
    {
        if (session.Keys.CurrentKey.Length == 0) throw new CliException("No key is configured.", "Set Secrets__CurrentKey and Secrets__Keys__<id>: the new key and, until this is done, the old ones.");
        var rotation = session.Services.GetRequiredService<SecretRotation>();
        var result = await session.Output.WithBarsAsync(async bar =>
        {
            var moved = bar("Sealing anew");
            var columns = new HashSet<string>(StringComparer.Ordinal);
            var done = await rotation.RotateAsync(new Told(column =>
            {
                columns.Add(column.Column);
                moved((columns.Count - 1.0) / rotation.Columns, column.Column);
            }), cancellationToken);
            moved(1, "");
            return done;
        });
        session.Output.Result(new { key = result.Key, complete = result.IsComplete, columns = result.Columns }, console =>
        {
            var table = Output.Table("Column", "Sealed anew", "Unreadable", "Changed meanwhile");
            foreach (var column in result.Columns) table.AddRow(column.Column, Output.Number(column.Resealed), Output.Number(column.Unreadable), Output.Number(column.Left));
            console.Write(table);
            if (result.IsComplete) console.MarkupLineInterpolated($"Everything is sealed with [green]{result.Key}[/]. Other keys can be taken out once no backup needs them.");
            else console.MarkupLineInterpolated($"[yellow]Not everything is sealed with {result.Key}.[/] Keep the other keys. Unreadable: its key is not configured; put it back and run this again. Changed meanwhile: an instance still runs with the old settings; restart it and run this again.");
        });
        return result.IsComplete ? CommandTree.Done : CommandTree.Failed;
    });

    private sealed class Told(Action<ColumnRotation> report) : IProgress<ColumnRotation>
    {
        public void Report(ColumnRotation value) => report(value);
    }

    public static Command Backup()
    {
        var to = new Option<string>("--to") { Description = "A folder, a file *.kpibackup, or blob:CONTAINER[/NAME]", DefaultValueFactory = _ => "backups" };
        var trust = new Option<bool>("--no-verify") { Description = "Do not read it again after writing" };
        return new Command("backup", "Saves the whole database: one moment, compressed, encrypted, verified") { to, trust }.Runs(async (session, cancellationToken) =>
        {
            var started = session.Time.GetTimestamp();
            var owner = session.Owner;
            var place = BackupPlace.ForNew(session.Configuration, session.Parsed.GetValue(to)!, session.Time.GetUtcNow());
            var verify = !session.Parsed.GetValue(trust);
            var (manifest, bytes) = await session.Output.WithBarsAsync(async bar =>
            {
                var made = await place.WriteAsync(
                    stream => Operations.Backups.Backup.CreateAsync(owner, stream, session.Keys, session.Time, Output.Bar(bar("Backing up")), cancellationToken), cancellationToken);
                if (verify)
                {
                    await using var stream = await place.OpenAsync(cancellationToken);
                    var read = await Operations.Backups.Backup.VerifyAsync(stream, session.Keys, Output.Bar(bar("Verifying ")), cancellationToken);
                    if (read.Id != made.Manifest.Id) throw new BackupException("Another backup was written to the same place meanwhile.");
                }

                return made;
            });
            var finished = session.Time.GetUtcNow();
            await NoteAsync(owner, manifest, bytes, finished, place.Name, verify ? finished : null, cancellationToken);
            var seconds = session.Time.GetElapsedTime(started).TotalSeconds;
            var key = session.Keys.CurrentKey;
            session.Output.Result(
                new { place = place.Name, id = manifest.Id, takenAt = manifest.TakenAt, bytes, rows = manifest.Rows, schemaVersion = manifest.SchemaVersion, key, verified = verify, seconds = Math.Round(seconds, 3), tables = manifest.Tables },
                console => Show(console, manifest, bytes, place.Name, string.Create(CultureInfo.InvariantCulture, $"{(verify ? "verified" : "not verified")}, {seconds:0.0} s; keep the key '{key}': without it nobody can read it")));
            return CommandTree.Done;
        });
    }

    public static Command VerifyBackup()
    {
        var from = new Argument<string>("backup") { Description = "A file, or blob:CONTAINER/NAME" };
        return new Command("verify-backup", "Reads a backup to its end: opens, counts and compares every table") { from }.Runs(async (session, cancellationToken) =>
        {
            var place = BackupPlace.Existing(session.Configuration, session.Parsed.GetValue(from)!);
            await using var stream = await place.OpenAsync(cancellationToken);
            var manifest = await session.Output.WithBarsAsync(bar => Operations.Backups.Backup.VerifyAsync(stream, session.Keys, Output.Bar(bar("Verifying")), cancellationToken));
            if (session.Configuration["ConnectionStrings:PostgresOwner"] is { Length: > 0 } owner) await NoteVerifiedAsync(owner, manifest.Id, session.Time.GetUtcNow(), cancellationToken);
            session.Output.Result(
                new { place = place.Name, id = manifest.Id, takenAt = manifest.TakenAt, rows = manifest.Rows, schemaVersion = manifest.SchemaVersion, product = manifest.Product, server = manifest.Server, tables = manifest.Tables },
                console => Show(console, manifest, null, place.Name, "complete and unchanged"));
            return CommandTree.Done;
        });
    }

    public static Command Restore()
    {
        var from = new Argument<string>("backup") { Description = "A file, or blob:CONTAINER/NAME" };
        var database = new Option<string?>("--database") { Description = "Into this database instead of the one in ConnectionStrings:PostgresOwner" };
        var create = new Option<bool>("--create") { Description = "Make roles and database first where they are missing (needs ConnectionStrings:PostgresAdmin)" };
        return new Command("restore", "Brings a backup back into an empty database") { from, database, create }.Runs(async (session, cancellationToken) =>
        {
            var started = session.Time.GetTimestamp();
            var place = BackupPlace.Existing(session.Configuration, session.Parsed.GetValue(from)!);
            var name = session.Parsed.GetValue(database) ?? new NpgsqlConnectionStringBuilder(session.Owner).Database!;
            var owner = new NpgsqlConnectionStringBuilder(session.Owner) { Database = name }.ConnectionString;
            if (session.Parsed.GetValue(create))
            {
                // Nothing is made for a backup that cannot be restored.
                await using (var stream = await place.OpenAsync(cancellationToken)) await Operations.Backups.Backup.VerifyAsync(stream, session.Keys, null, cancellationToken);
                owner = await CreateAsync(session, name, cancellationToken);
            }

            var (manifest, later) = await session.Output.WithBarsAsync(bar =>
            {
                var (reading, writing) = (Output.Bar(bar("Verifying")), (IProgress<BackupProgress>?)null);
                var passes = 0;
                return Operations.Backups.Backup.RestoreAsync(
                    owner,
                    token =>
                    {
                        if (++passes == 2) writing = Output.Bar(bar("Restoring"));
                        return place.OpenAsync(token);
                    },
                    session.Keys, new Switching(() => writing ?? reading), cancellationToken);
            });
            var seconds = session.Time.GetElapsedTime(started).TotalSeconds;
            session.Output.Result(
                new
                {
                    place = place.Name,
                    id = manifest.Id,
                    takenAt = manifest.TakenAt,
                    database = name,
                    rows = manifest.Rows,
                    schemaVersion = manifest.SchemaVersion,
                    migrationsAfter = later.Select(BackupManifest.Short),
                    seconds = Math.Round(seconds, 3),
                    tables = manifest.Tables,
                },
                console => Show(console, manifest, null, $"database {name}", string.Create(
                    CultureInfo.InvariantCulture, $"restored in {seconds:0.0} s{(later.Count > 0 ? $", then {later.Count} migrations" : "")}; run doctor before you let anybody in")));
            return CommandTree.Done;
        });
    }

    private static void Show(IAnsiConsole console, BackupManifest manifest, long? bytes, string place, string word)
    {
        var table = Output.Table("Table", "Rows", "Data", "SHA-256");
        table.Columns[1].RightAligned();
        table.Columns[2].RightAligned();
        foreach (var one in manifest.Tables.Where(one => one.Rows > 0))
            table.AddRow(Markup.Escape(one.Name), Output.Number(one.Rows), Output.Size(one.Bytes), $"[grey]{one.Sha256![..12]}…[/]");
        console.Write(table);
        console.MarkupLineInterpolated($"[bold]{place}[/]");
        console.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"{Output.Number(manifest.Rows)} rows in {manifest.Tables.Count} tables{(bytes is { } size ? $", {Output.Size(size)}" : "")}, as of {manifest.TakenAt:yyyy-MM-dd HH:mm:ss} UTC, schema {manifest.SchemaVersion}");
        console.MarkupLineInterpolated($"[green]{word}[/]");
    }

    private static async Task<IReadOnlyList<string>> PendingAsync(Session session, bool mayBeMissing, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(session.Owner) { Pooling = false }.ConnectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
        }
        catch (PostgresException error) when (mayBeMissing && error.SqlState is PostgresErrorCodes.InvalidCatalogName or PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification)
        {
            return [.. DatabaseBootstrap.ScriptNames().Select(BackupManifest.Short)];
        }

        var applied = await BackupCatalogue.MigrationsAsync(connection, cancellationToken) ?? [];
        return [.. DatabaseBootstrap.ScriptNames().Except(applied, StringComparer.Ordinal).Select(BackupManifest.Short)];
    }

    private static async Task<string> CreateAsync(Session session, string database, CancellationToken cancellationToken)
    {
        var admin = session.Configuration.GetConnectionString("PostgresAdmin")
            ?? throw new CliException("--create needs an administrator of the server.", "Set ConnectionStrings__PostgresAdmin.");
        var app = new NpgsqlConnectionStringBuilder(session.Configuration.GetConnectionString("Postgres") ?? throw new CliException("--create needs the password to give kpi_app.", "Set ConnectionStrings__Postgres."));
        var owner = new NpgsqlConnectionStringBuilder(session.Owner);
        if (owner.Username != "kpi_owner" || app.Username != "kpi_app" || owner.Password is null || app.Password is null)
            throw new CliException("--create makes the roles kpi_owner and kpi_app: ConnectionStrings:PostgresOwner and ConnectionStrings:Postgres must name them, with passwords.");
        return (await DatabaseBootstrap.EnsureRolesAndDatabaseAsync(admin, database, owner.Password, app.Password, cancellationToken)).Owner;
    }

    private static async Task NoteAsync(string owner, BackupManifest manifest, long bytes, DateTimeOffset finished, string place, DateTimeOffset? verified, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(owner) { Pooling = false }.ConnectionString);
        await connection.ExecuteAsync(new CommandDefinition(
            """
            insert into backups (id, taken_at, finished_at, bytes, rows, schema_version, target, verified_at)
            values (@Id, @TakenAt, @finished, @bytes, @Rows, @SchemaVersion, right(@place, 500), @verified)
            """,
            new { manifest.Id, manifest.TakenAt, finished, bytes, manifest.Rows, manifest.SchemaVersion, place, verified }, cancellationToken: cancellationToken));
    }

    private static async Task NoteVerifiedAsync(string owner, Guid id, DateTimeOffset now, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(owner) { Pooling = false, Timeout = 5 }.ConnectionString);
            await connection.ExecuteAsync(new CommandDefinition("update backups set verified_at = @now where id = @id", new { id, now }, cancellationToken: cancellationToken));
        }
        catch (NpgsqlException)
        {
            // A backup is verified also where its database is no more: that is when it is needed.
        }
    }

    private sealed class Switching(Func<IProgress<BackupProgress>> current) : IProgress<BackupProgress>
    {
        public void Report(BackupProgress value) => current().Report(value);
    }
}
