using Dapper;
using KpiDashboard.Data;
using Npgsql;

namespace KpiDashboard.Privacy;

/// <summary>A table or function to export.</summary>
/// <param name="Name">Name of its two files.</param>
/// <param name="Source">What stands after FROM, with its condition.</param>
/// <param name="Columns">Columns that are exported.</param>
/// <param name="Withheld">Columns that are not.</param>
internal sealed record ExportTable(string Name, string Source, IReadOnlyList<ExportColumn> Columns, IReadOnlyList<string> Withheld)
{
    private string Names => string.Join(", ", Columns.Select(column => column.Quoted));

    /// <summary>One row as one JSON object.</summary>
    public string JsonSql => $"select row_to_json(r)::text from (select {Names} from {Source}) r";

    /// <summary>One row as texts.</summary>
    public string CsvSql => $"select {string.Join(", ", Columns.Select(column => column.Text))} from {Source}";
}

/// <summary>A column to export.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Category">Postgres' category of its type: N number, A array, …</param>
internal sealed record ExportColumn(string Name, char Category)
{
    /// <summary>A number cannot be a formula, even if it begins with a minus.</summary>
    public bool IsNumber => Category == 'N';

    /// <summary>The name in SQL; it comes from the catalogue and not from anybody outside.</summary>
    public string Quoted => $"\"{Name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>The value as text.</summary>
    public string Text => Category == 'A' ? $"to_json({Quoted})::text" : $"{Quoted}::text";
}

/// <summary>
/// What an export of a business holds: read from the database's own catalogue, so that nothing is forgotten, less what the slices left out
/// when they registered their tables. Tests hold that every table is registered, and every binary or secret column exported or left out
/// with its reason.
/// </summary>
internal sealed class ExportCatalogue(IEnumerable<OwnedTable> tables)
{
    private readonly IReadOnlyList<OwnedTable> _owned = [.. tables.OrderBy(table => table.Name, StringComparer.Ordinal)];

    /// <summary>Tables of a business that are left out, and why.</summary>
    public IEnumerable<(string Table, string Why)> LeftOut =>
        from table in _owned where table is { IsTenants: true, LeftOut: not null } select (table.Name, table.LeftOut!);

    /// <summary>Why a column is left out; null where nobody said.</summary>
    public string? WhyWithheld(string table, string column) =>
        _owned.FirstOrDefault(owned => owned.Name == table)?.Withheld.GetValueOrDefault(column);

    /// <summary>What is told of a member: the columns of <c>tenant_people()</c>.</summary>
    private static readonly string[] People = ["id", "email", "display_name", "email_verified_at", "second_factor_since", "created_at", "role", "joined_at", "deactivated_at"];

    /// <summary>The tables that the reader may see, and the people, in a fixed order.</summary>
    public async Task<IReadOnlyList<ExportTable>> LoadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var columns = await connection.QueryAsync<(string Table, string Column, char Category, bool Withheld, string? Key)>(new CommandDefinition(
            """
            select c.relname, a.attname, t.typcategory, a.attname = any (withheld_columns(c.relname)),
                   (select string_agg(quote_ident(k.attname), ', ' order by array_position(i.indkey::int2[], k.attnum))
                    from pg_index i join pg_attribute k on k.attrelid = i.indrelid and k.attnum = any (i.indkey) where i.indrelid = c.oid and i.indisprimary)
            from pg_class c
            join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            join pg_type t on t.oid = a.atttypid
            -- A view that asks as its reader shows what lies in another way in the tables below it.
            where c.relnamespace = 'public'::regnamespace and has_table_privilege(c.oid, 'select')
              and (c.relkind in ('r', 'p') and c.relrowsecurity or c.relkind = 'v' and c.reloptions @> array['security_invoker=true'])
              and (c.relname = 'tenants' or exists (select 1 from pg_attribute x where x.attrelid = c.oid and x.attname = 'tenant_id'))
            order by c.relname, a.attnum
            """, cancellationToken: cancellationToken));
        var leftOut = LeftOut.Select(table => table.Table).ToHashSet(StringComparer.Ordinal);
        var exported = columns
            .Where(column => !leftOut.Contains(column.Table))
            .GroupBy(column => (column.Table, column.Key))
            .Select(table => new ExportTable(
                table.Key.Table,
                // A view has no key; there is one. Beside row-level security, so that the index that every tenant table leads with is used.
                $"{table.Key.Table} where {(table.Key.Table == "tenants" ? "id" : "tenant_id")} = $1 order by {table.Key.Key ?? "kpi, source, day"}",
                [.. table.Where(column => !column.Withheld).Select(column => new ExportColumn(column.Column, column.Category))],
                [.. table.Where(column => column.Withheld).Select(column => column.Column)]));
        return
        [
            .. exported,
            new ExportTable(
                "people", "tenant_people() where $1 is not null",
                [
                    .. from name in People select new ExportColumn(name, 'S'),
                ],
                []),
        ];
    }
}
