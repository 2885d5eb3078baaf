using Dapper;
using Npgsql;

namespace KpiDashboard.Operations.Backups;

/// <summary>What there is to back up, read from the database's own catalogue, so that a table of tomorrow is not forgotten.</summary>
internal static class BackupCatalogue
{
    /// <summary>Written by the migrations themselves.</summary>
    public const string Journal = "schema_versions";

    /// <summary>All tables but the journal, each after those that it refers to.</summary>
    public static async Task<IReadOnlyList<BackupTable>> TablesAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var columns = (await connection.QueryAsync<(string Table, string Column)>(new CommandDefinition(
            """
            select c.relname, a.attname
            from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
            where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> @Journal
            order by c.relname, a.attnum
            """,
            new { Journal }, cancellationToken: cancellationToken))).ToLookup(row => row.Table, row => row.Column, StringComparer.Ordinal);
        var references = (await connection.QueryAsync<(string From, string To)>(new CommandDefinition(
            """
            -- A part may refer to a part: what is copied, and in which order, are the tables that they are parts of.
            select distinct f.relname, t.relname
            from pg_constraint k
            join pg_class f on f.oid = coalesce(pg_partition_root(k.conrelid), k.conrelid)
            join pg_class t on t.oid = coalesce(pg_partition_root(k.confrelid), k.confrelid)
            where k.contype = 'f' and k.connamespace = 'public'::regnamespace and f.oid <> t.oid
            """,
            cancellationToken: cancellationToken))).ToLookup(row => row.From, row => row.To, StringComparer.Ordinal);
        return [.. InOrder([.. columns.Select(table => table.Key)], references).Select(name => new BackupTable(name, [.. columns[name]]))];
    }

    /// <summary>Tables in an order in which none refers to a later one.</summary>
    internal static IReadOnlyList<string> InOrder(IReadOnlyList<string> tables, ILookup<string, string> references)
    {
        var (ordered, left) = (new List<string>(), tables.Order(StringComparer.Ordinal).ToList());
        while (left.Count > 0)
        {
            var free = left.Where(table => !references[table].Any(left.Contains)).ToList();
            if (free.Count == 0) throw new BackupException($"The tables {string.Join(", ", left)} refer to each other in a circle: they could not be restored.");
            ordered.AddRange(free);
            left.RemoveAll(free.Contains);
        }

        return ordered;
    }

    /// <summary>
    /// Refuses a role that row-level security would hide rows from: such a backup would be empty without a word. A role sees everything if it is a superuser or
    /// has BYPASSRLS, or if each table with security has a permissive policy "true" for it and no restrictive one. <c>row_security = off</c>, pg_dump's way to
    /// find out, is no use here: kpi_owner is bound by FORCE like anybody, and sees everything by the policy <c>owner_access</c>.
    /// </summary>
    public static async Task RequireAllRowsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var (role, hidden) = await connection.QuerySingleAsync<(string, string?)>(new CommandDefinition(
            """
            select current_user::text, (
                select c.relname::text from pg_class c
                where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relrowsecurity
                  and not (select r.rolsuper or r.rolbypassrls from pg_roles r where r.rolname = current_user)
                  and (c.relforcerowsecurity or not pg_has_role(current_user, c.relowner, 'usage'))
                  and (not exists (
                          select 1 from pg_policy p
                          where p.polrelid = c.oid and p.polpermissive and p.polcmd in ('*', 'r') and pg_get_expr(p.polqual, p.polrelid) = 'true'
                            and exists (select 1 from unnest(p.polroles) m (oid) where m.oid = 0 or pg_has_role(current_user, m.oid, 'usage')))
                       or exists (
                          select 1 from pg_policy p
                          where p.polrelid = c.oid and not p.polpermissive and p.polcmd in ('*', 'r')
                            and exists (select 1 from unnest(p.polroles) m (oid) where m.oid = 0 or pg_has_role(current_user, m.oid, 'usage'))))
                order by 1 limit 1)
            """,
            cancellationToken: cancellationToken));
        if (hidden is not null)
            throw new BackupException($"The role {role} does not see all rows of {hidden} because of row-level security: use kpi_owner (ConnectionStrings:PostgresOwner).");
    }

    /// <summary>Names of the migrations that were applied; null if there is no journal.</summary>
    public static async Task<IReadOnlyList<string>?> MigrationsAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        await connection.ExecuteScalarAsync<bool>(new CommandDefinition("select to_regclass('public.schema_versions') is not null", cancellationToken: cancellationToken))
            ? [.. (await connection.QueryAsync<string>(new CommandDefinition("select scriptname from schema_versions", cancellationToken: cancellationToken))).Order(StringComparer.Ordinal)]
            : null;

    public static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
