using Dapper;
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
/// What an export of a business holds: read from the database's own catalogue, so that nothing is forgotten, less what is listed here. Tests hold that every table
/// and every binary or secret column is either exported or listed with its reason.
/// </summary>
internal static class ExportCatalogue
{
    /// <summary>Tables of a tenant that are left out, and why.</summary>
    public static IReadOnlyDictionary<string, string> LeftOut { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["google_grants"] = "Sign-ins at Google for which no property was chosen yet: sealed, and gone within an hour.",
        ["kpi_months"] = "How numbers lie; they are in kpi_values, a day a row.",
        ["kpi_keys"] = "Short numbers for the keys of KPIs, which kpi_values has.",
        ["kpi_writes"] = "Which write a number came with; kpi_values has its run and its times.",
        ["import_chunks"] = "A file on its way in; gone once its import ended.",
        ["tenant_faults"] = "What operators note when a job of ours fails for one business; about our machinery and in nobody's words but ours.",
        ["tenant_export_parts"] = "The files of exports like this one.",
    };

    /// <summary>Tables that belong to no tenant, and why nothing of them is exported with one.</summary>
    public static IReadOnlyDictionary<string, string> NotATenants { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["users"] = "Accounts belong to persons. Names and addresses of members are in people.json; each person can export the rest.",
        ["sessions"] = "Sign-ins belong to persons, who can export them.",
        ["refresh_tokens"] = "Hashes that keep browsers signed in; they belong to persons.",
        ["user_identities"] = "Linked sign-in providers belong to persons, who can export them.",
        ["account_tokens"] = "Hashes of links in mails; they belong to persons.",
        ["recovery_codes"] = "Hashes of recovery codes; they belong to persons.",
        ["known_devices"] = "Hashes that tell browsers of a person apart; they belong to persons.",
        ["oidc_states"] = "Sign-ins on their way through a provider; kept for minutes.",
        ["mail_outbox"] = "Mails on their way out: sealed, and forgotten when they are sent.",
        ["rate_limits"] = "Counters under hashed names.",
        ["backups"] = "When the installation was backed up; not a business's.",
        ["dead_letters"] = "Messages that no function understood; they hold ids only and are forgotten after 90 days.",
        ["provider_circuits"] = "Which providers do not answer at the moment; forgotten a day after the last failure.",
        ["timer_heartbeat"] = "When the timer last did its work; about no business.",
        ["schema_versions"] = "Which version the database is of; in manifest.json.",
    };

    /// <summary>Columns that are left out, and why.</summary>
    public static IReadOnlyDictionary<string, string> Withheld { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["integrations.credentials"] = "Credentials of providers, sealed: whoever reads them could act in your name.",
        ["integrations.lease_token"] = "Marks which of our processes is at work.",
        ["imports.lease_token"] = "Marks which of our processes is at work.",
        ["idempotency_keys.body_hash"] = "The hash of a request, to tell it from another.",
        ["tenant_exports.lease_token"] = "Marks which of our processes is at work.",
        ["api_tokens.token_hash"] = "The hash of a token, which lets nobody in and tells nobody anything.",
        ["api_tokens.signing_secret"] = "Signs webhooks in your name; sealed.",
        ["dashboard_shares.token_hash"] = "The hash of a read-only link to a dashboard.",
        ["invitations.token_hash"] = "The hash of an invitation's link.",
    };

    /// <summary>What is told of a member: the columns of <c>tenant_people()</c>.</summary>
    private static readonly string[] People = ["id", "email", "display_name", "email_verified_at", "second_factor_since", "created_at", "role", "joined_at", "deactivated_at"];

    /// <summary>The tables that the reader may see, and the people, in a fixed order.</summary>
    public static async Task<IReadOnlyList<ExportTable>> LoadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
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
        var tables = columns
            .Where(column => !LeftOut.ContainsKey(column.Table))
            .GroupBy(column => (column.Table, column.Key))
            .Select(table => new ExportTable(
                table.Key.Table,
                // A view has no key; there is one. Beside row-level security, so that the index that every tenant table leads with is used.
                $"{table.Key.Table} where {(table.Key.Table == "tenants" ? "id" : "tenant_id")} = $1 order by {table.Key.Key ?? "kpi, source, day"}",
                [.. table.Where(column => !column.Withheld).Select(column => new ExportColumn(column.Column, column.Category))],
                [.. table.Where(column => column.Withheld).Select(column => column.Column)]));
        return
        [
            .. tables,
            new ExportTable(
                "people", "tenant_people() where $1 is not null",
                [
                    .. from name in People select new ExportColumn(name, 'S'),
                ],
                []),
        ];
    }
}
