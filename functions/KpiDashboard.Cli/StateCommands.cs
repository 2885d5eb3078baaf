using System.CommandLine;
using System.Globalization;
using System.Net.Sockets;
using Azure;
using Azure.Identity;
using Dapper;
using KpiDashboard.Data;
using KpiDashboard.Operations;
using KpiDashboard.Operations.Backups;
using KpiDashboard.Sync;
using Npgsql;
using Spectre.Console;

namespace KpiDashboard.Cli;

/// <summary>How a check came out.</summary>
internal enum CheckStatus
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>Works, but look at it.</summary>
    Warning,

    /// <summary>Does not work.</summary>
    Failed,
}

/// <summary>One line of <c>doctor</c>.</summary>
/// <param name="Fix">What to do; null where there is nothing to do.</param>
internal sealed record Check(string Name, CheckStatus Status, string Detail, string? Fix = null);

/// <summary>Commands that look at the installation, and the one that tries again.</summary>
internal static class StateCommands
{
    private static readonly Option<int> Patience = Shared.Whole("--patience", "Seconds that one answer may take, 1 to 300", 10, 300);

    public static Command Doctor() => new Command("doctor", "Checks everything the app depends on and says what to fix; 1 if something does not work") { Patience }.Runs(async (session, cancellationToken) =>
    {
        var checks = new List<Check>();
        await session.Output.WithBarsAsync(async bar =>
        {
            var move = bar("Checking");
            Func<Session, CancellationToken, Task<IReadOnlyList<Check>>>[] all = [SettingsAsync, DatabaseAsync, StateAsync, QueuesAsync, MailAsync, AppAsync];
            for (var index = 0; index < all.Length; index++)
            {
                checks.AddRange(await all[index](session, cancellationToken));
                move((index + 1.0) / all.Length, "");
            }

            return true;
        });

        var failed = checks.Count(check => check.Status == CheckStatus.Failed);
        var warnings = checks.Count(check => check.Status == CheckStatus.Warning);
        session.Output.Result(new { settings = session.Source, healthy = failed == 0, failed, warnings, checks }, console =>
        {
            console.MarkupLineInterpolated($"[grey]Settings: {session.Source}[/]");
            console.WriteLine();
            // A grid wraps each text within its own column.
            var grid = new Grid().AddColumn(new GridColumn().NoWrap().Padding(2, 0, 0, 0)).AddColumn(new GridColumn().NoWrap().Padding(2, 0, 0, 0)).AddColumn(new GridColumn().Padding(2, 0, 0, 0));
            foreach (var check in checks)
            {
                var sign = check.Status switch { CheckStatus.Ok => "[green]ok[/]", CheckStatus.Warning => "[yellow]look[/]", _ => "[red]FAIL[/]" };
                var fix = check.Fix is null ? "" : $"\n[grey]→ {Markup.Escape(check.Fix)}[/]";
                grid.AddRow(sign, $"[bold]{Markup.Escape(check.Name)}[/]", Markup.Escape(check.Detail) + fix);
            }

            console.Write(grid);
            console.WriteLine();
            console.MarkupLine(failed > 0 ? $"[red]{failed} of {checks.Count} checks failed.[/]" : warnings > 0 ? $"[yellow]It works; {warnings} of {checks.Count} want a look.[/]" : $"[green]All {checks.Count} checks are fine.[/]");
        });
        return failed == 0 ? CommandTree.Done : CommandTree.Failed;
    });

    public static Command Tenants()
    {
        var limit = Limit(50, 1000);
        return new Command("tenants", "Businesses, those with trouble first") { limit }.Runs(async (session, cancellationToken) =>
        {
            var now = session.Time.GetUtcNow();
            var rows = await session.Get<Database>().QueryAsync<TenantLine>(
                """
                select tenant_id as Id, name, is_demo as IsDemo, created_at as CreatedAt, delete_after as DeleteAfter, members, integrations, troubled, fetched_at as FetchedAt
                from ops_tenants(@now, @limit)
                """,
                new { now, limit = session.Parsed.GetValue(limit) }, cancellationToken);
            session.Output.Result(new { tenants = rows }, console =>
            {
                if (rows.Count == 0)
                {
                    console.WriteLine("There is no business yet.");
                    return;
                }

                Output.List(console, ["Business", "Id", "Members", "Sources", "Last read", ""], rows.Select(row => new[]
                {
                    Markup.Escape(row.Name), row.Id.ToString(), Output.Number(row.Members),
                    row.Troubled > 0 ? $"[red]{row.Troubled} of {row.Integrations} in trouble[/]" : Output.Number(row.Integrations), Output.Ago(row.FetchedAt, now),
                    row.DeleteAfter is { } end ? $"[yellow]deleted on {end:yyyy-MM-dd}[/]" : row.IsDemo ? "[grey]demo[/]" : "",
                }));
            });
            return CommandTree.Done;
        });
    }

    public static Command Runs()
    {
        var limit = Limit(20, 1000);
        var status = new Option<string?>("--status") { Description = "Only these" };
        status.AcceptOnlyFromAmong("queued", "running", "waiting", "succeeded", "failed", "dead");
        var connector = new Option<string?>("--connector") { Description = "Only of this one, for example n8n" };
        return new Command("runs", "Syncs of all businesses, newest first") { status, connector, limit }.Runs(async (session, cancellationToken) =>
        {
            var now = session.Time.GetUtcNow();
            var rows = await session.Get<Database>().QueryAsync<RunLine>(
                """
                select run_id as Id, tenant_id as TenantId, integration_id as IntegrationId, connector, trigger, status, queued_at as QueuedAt, finished_at as FinishedAt, readings,
                       attempts, message, traceparent
                from ops_runs(@status, @connector, @limit)
                """,
                new { status = session.Parsed.GetValue(status), connector = session.Parsed.GetValue(connector), limit = session.Parsed.GetValue(limit) }, cancellationToken);
            session.Output.Result(new { runs = rows }, console =>
            {
                if (rows.Count == 0)
                {
                    console.WriteLine("No such run.");
                    return;
                }

                Output.List(console, ["Run", "Source", "By", "State", "Asked for", "Took", "Values"], rows.Select(row =>
                {
                    var colour = row.Status switch { "succeeded" => "green", "dead" or "failed" => "red", _ => "yellow" };
                    return new[]
                    {
                        row.Id.ToString(), Markup.Escape(row.Connector), row.Trigger, $"[{colour}]{row.Status}[/]", Output.Ago(row.QueuedAt, now),
                        row.FinishedAt - row.QueuedAt is { } took ? string.Create(CultureInfo.InvariantCulture, $"{took.TotalSeconds:0.0} s") : "–", Output.Number(row.Readings),
                    };
                }));
                foreach (var row in rows.Where(row => row.Message is not null)) console.MarkupLineInterpolated($"[grey]{row.Id}[/]  {row.Message!}");
            });
            return CommandTree.Done;
        });
    }

    public static Command Requeue()
    {
        var ids = new Argument<string[]>("id") { Description = "Ids of dead runs, or numbers of kept messages", Arity = ArgumentArity.ZeroOrMore };
        var all = new Option<bool>("--all") { Description = $"Every dead run and kept message, {DeadLetterEndpoints.MaxIds} at most" };
        var list = new Option<bool>("--list") { Description = "Only show what was given up, newest first" };
        return new Command("requeue", "Tries again what was given up") { ids, all, list }.Runs(async (session, cancellationToken) =>
        {
            var named = session.Parsed.GetValue(ids) ?? [];
            if ((named.Length > 0 ? 1 : 0) + (session.Parsed.GetValue(all) ? 1 : 0) + (session.Parsed.GetValue(list) ? 1 : 0) != 1)
                throw new CliException("Name what to try again, or say --all.", "requeue --list shows what was given up.");
            if (session.Parsed.GetValue(list)) return await ListDeadAsync(session, cancellationToken);
            if (named.Length > DeadLetterEndpoints.MaxIds) throw new CliException($"At most {DeadLetterEndpoints.MaxIds} at once.");
            if (named.FirstOrDefault(id => !Guid.TryParse(id, out _) && !long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out _)) is { } odd)
                throw new CliException($"'{odd}' is neither the id of a run nor the number of a message.");
            if (named.Length == 0)
                named = [.. await session.Get<Database>().QueryAsync<string>("select key from list_dead_letters(null, null, @limit)", new { limit = DeadLetterEndpoints.MaxIds }, cancellationToken)];

            var letters = session.Get<DeadLetterEndpoints>();
            var outcomes = await session.Output.WithBarsAsync(async bar =>
            {
                var move = bar("Trying again");
                var list = new List<RequeueOutcome>();
                foreach (var id in named.Distinct(StringComparer.OrdinalIgnoreCase))
                {
                    list.Add(new RequeueOutcome(id, Guid.TryParse(id, out var run)
                        ? await letters.RequeueRunAsync(run, cancellationToken)
                        : await letters.RequeueMessageAsync(long.Parse(id, CultureInfo.InvariantCulture), cancellationToken)));
                    move((double)list.Count / named.Length, "");
                }

                return list;
            });
            session.Output.Result(new { outcomes }, console =>
            {
                if (outcomes.Count == 0) console.WriteLine("Nothing was given up.");
                foreach (var outcome in outcomes)
                    console.MarkupLine($"{(outcome.Outcome == "requeued" ? "[green]" : "[yellow]")}{Words(outcome.Outcome),-34}[/] {Markup.Escape(outcome.Id)}");
            });
            return outcomes.All(outcome => outcome.Outcome is "requeued" or "superseded") ? CommandTree.Done : CommandTree.Failed;
        });
    }

    private static async Task<int> ListDeadAsync(Session session, CancellationToken cancellationToken)
    {
        var now = session.Time.GetUtcNow();
        var rows = await session.Get<Database>().QueryAsync<DeadLine>(
            "select key as Id, kind, at, coalesce(connector, queue) as Source, tenant_id as TenantId, reason, body, traceparent from list_dead_letters(null, null, @limit)",
            new { limit = DeadLetterEndpoints.MaxIds }, cancellationToken);
        session.Output.Result(new { deadLetters = rows }, console =>
        {
            if (rows.Count == 0)
            {
                console.WriteLine("Nothing was given up.");
                return;
            }

            Output.List(console, ["Id", "What", "Of", "Given up", "Business"], rows.Select(row => new[]
            {
                row.Id, row.Kind, Markup.Escape(row.Source), Output.Ago(row.At, now), row.TenantId?.ToString() ?? "–",
            }));
            foreach (var row in rows.Where(row => row.Reason is not null)) console.MarkupLineInterpolated($"[grey]{row.Id}[/]  {row.Reason!}");
        });
        return CommandTree.Done;
    }

    internal static Option<int> Limit(int usual, int most) => Shared.Whole("--limit", $"At most so many, 1 to {Output.Number(most)}", usual, most);

    private static string Words(string outcome) => outcome switch
    {
        "requeued" => "tried again",
        "superseded" => "a newer run reads the same",
        "inactive" => "paused, or to be connected again",
        "not_dead" => "was not given up",
        _ => "unknown",
    };

    private static Task<IReadOnlyList<Check>> SettingsAsync(Session session, CancellationToken cancellationToken)
    {
        var missing = KnownSettings.All.Where(setting => setting.Required && !setting.IsSet(session.Configuration)).ToList();
        var checks = missing.ConvertAll(setting => new Check("Setting", CheckStatus.Failed, $"{setting.Name} is not set ({setting.For})", $"Set {setting.Name.Replace(":", "__", StringComparison.Ordinal)}; local.settings.sample.json explains it."));
        if (missing.Count == 0) checks.Add(new Check("Settings", CheckStatus.Ok, "all that are required are set"));
        try
        {
            _ = session.Keys;
            if (session.Keys.CurrentKey.Length > 0) checks.Add(new Check("Keys", CheckStatus.Ok, $"{session.Keys.Keys.Count} to seal with, the current one is '{session.Keys.CurrentKey}'"));
        }
        catch (Microsoft.Extensions.Options.OptionsValidationException error)
        {
            checks.Add(new Check("Keys", CheckStatus.Failed, string.Join(" ", error.Failures), "Make a key with `openssl rand -base64 32`."));
        }

        return Task.FromResult<IReadOnlyList<Check>>(checks);
    }

    private static async Task<IReadOnlyList<Check>> DatabaseAsync(Session session, CancellationToken cancellationToken)
    {
        var checks = new List<Check>();
        if (session.Configuration["ConnectionStrings:Postgres"] is { Length: > 0 })
        {
            checks.Add(await TryAsync(session, "Database", "Check host, port, password and firewall of ConnectionStrings:Postgres.", async token =>
            {
                if (await DatabaseBootstrap.FindObstacleAsync(session.Get<NpgsqlDataSource>(), token) is { } obstacle)
                    return new Check("Database", CheckStatus.Failed, obstacle, obstacle.Contains("migrations", StringComparison.Ordinal) ? "Run `migrate`." : "Connect the app as kpi_app.");
                await using var connection = await session.Get<NpgsqlDataSource>().OpenConnectionAsync(token);
                var before = session.Time.GetUtcNow();
                var server = new DateTimeOffset(await connection.ExecuteScalarAsync<DateTime>(new CommandDefinition("select clock_timestamp()", cancellationToken: token)));
                var off = (server - before).Duration();
                return off > TimeSpan.FromSeconds(30)
                    ? new Check("Database", CheckStatus.Warning, $"its clock and this one are {off.TotalSeconds:0} s apart", "Set the clock of this machine: leases and tokens go by it.")
                    : new Check("Database", CheckStatus.Ok, $"PostgreSQL {connection.PostgreSqlVersion.Major}.{connection.PostgreSqlVersion.Minor} at {connection.Host}, schema is up to date, {Round(session, before)}");
            }, cancellationToken));
        }

        if (session.Configuration["ConnectionStrings:PostgresOwner"] is { Length: > 0 } owner)
        {
            checks.Add(await TryAsync(session, "Owner", "Check ConnectionStrings:PostgresOwner.", async token =>
            {
                await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(owner) { Pooling = false }.ConnectionString);
                await connection.OpenAsync(token);
                await BackupCatalogue.RequireAllRowsAsync(connection, token);
                var open = (await connection.QueryAsync<string>(new CommandDefinition(
                    """
                    select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
                    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not (c.relrowsecurity and c.relforcerowsecurity) order by 1
                    """, cancellationToken: token))).AsList();
                return open.Count > 0
                    ? new Check("Row security", CheckStatus.Failed, $"not forced on {string.Join(", ", open)}", "Somebody changed the schema by hand: `alter table … force row level security`.")
                    : new Check("Row security", CheckStatus.Ok, "forced on every tenant table; kpi_owner sees all rows to back up");
            }, cancellationToken));
        }
        else
        {
            checks.Add(new Check("Owner", CheckStatus.Warning, "ConnectionStrings:PostgresOwner is not set: no migrating, no backup from here", "Set ConnectionStrings__PostgresOwner where you make backups."));
        }

        return checks;
    }

    private static string Round(Session session, DateTimeOffset since) => string.Create(CultureInfo.InvariantCulture, $"{(session.Time.GetUtcNow() - since).TotalMilliseconds:0} ms away");

    private static async Task<IReadOnlyList<Check>> StateAsync(Session session, CancellationToken cancellationToken)
    {
        if (session.Configuration["ConnectionStrings:Postgres"] is not { Length: > 0 }) return [];
        var checks = new List<Check>();
        var first = await TryAsync(session, "State", "Run `migrate` if the schema is old.", async token =>
        {
            var now = session.Time.GetUtcNow();
            var state = await OpsEndpoints.StateAsync(session.Get<Database>(), now, token);
            var given = state.DeadLetters.Runs + state.DeadLetters.Messages;
            checks.Add(given == 0
                ? new Check("Dead letters", CheckStatus.Ok, "none")
                : new Check("Dead letters", CheckStatus.Warning, $"{state.DeadLetters.Runs} runs and {state.DeadLetters.Messages} messages were given up", "`requeue --list` shows them; `requeue ID` or `requeue --all` tries them again."));
            checks.Add(state.OldestDueAt is { } due && now - due > TimeSpan.FromMinutes(30)
                ? new Check("Timer", CheckStatus.Failed, $"an integration is due since {Output.Ago(due, now)} and nobody took it", "The timer ScheduleSyncs does not run: is the function app up?")
                : new Check("Timer", CheckStatus.Ok, "nothing that is due waits"));
            if (state.Circuits.Count > 0)
                checks.Add(new Check("Providers", CheckStatus.Warning, $"{string.Join(", ", state.Circuits.Select(circuit => circuit.Provider))} did not answer and are given a rest", "It ends by itself; look at the provider's status page."));
            checks.Add(state.LastBackup is not { } backup ? new Check("Backup", CheckStatus.Warning, "none was made with `backup`", "Run `backup` daily, beside the server's point-in-time restore.")
                : now - backup.TakenAt > TimeSpan.FromHours(26) ? new Check("Backup", CheckStatus.Warning, $"the last is of {Output.Ago(backup.TakenAt, now)}", "Run `backup` daily.")
                : backup.VerifiedAt is null ? new Check("Backup", CheckStatus.Warning, "the last was not verified", "Run `verify-backup` on it.")
                : new Check("Backup", CheckStatus.Ok, $"of {Output.Ago(backup.TakenAt, now)}, {Output.Number(backup.Rows)} rows, verified"));
            return new Check("State", CheckStatus.Ok, $"{state.Tenants.Total} businesses, {state.Integrations.Sum(count => count.Count)} integrations, {state.Runs.Sum(count => count.Count)} runs in 24 h");
        }, cancellationToken);
        return [first, .. checks];
    }

    private static async Task<IReadOnlyList<Check>> QueuesAsync(Session session, CancellationToken cancellationToken)
    {
        if (!KnownSettings.All.Single(setting => setting.Name == "AzureWebJobsStorage").IsSet(session.Configuration)) return [];
        return [await TryAsync(session, "Queues", "Check AzureWebJobsStorage; an identity needs the role Storage Queue Data Contributor.", async token =>
        {
            var states = await session.Get<StorageQueues>().StatesAsync(token);
            var poison = states.Where(state => state.Name.EndsWith("-poison", StringComparison.Ordinal) && state.Messages > 0).ToList();
            return poison.Count > 0
                ? new Check("Queues", CheckStatus.Warning, $"{string.Join(", ", poison.Select(state => $"{state.Name} {state.Messages}"))}: messages that nobody takes", "The functions of poison queues do not run: is the function app up?")
                : new Check("Queues", CheckStatus.Ok, $"{states.Count} queues, {states.Sum(state => state.Messages)} messages wait");
        }, cancellationToken)];
    }

    private static async Task<IReadOnlyList<Check>> MailAsync(Session session, CancellationToken cancellationToken)
    {
        if (session.Configuration["Mail:Host"] is not { Length: > 0 } host) return [];
        var port = int.TryParse(session.Configuration["Mail:Port"], NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : session.Configuration["Mail:Security"] == "Tls" ? 465 : 587;
        return [await TryAsync(session, "Mail server", "Check Mail:Host, Mail:Port and the firewall; mails wait until it answers.", async token =>
        {
            using var client = new TcpClient();
            await client.ConnectAsync(host, port, token);
            return new Check("Mail server", CheckStatus.Ok, $"{host} answers on port {port}");
        }, cancellationToken)];
    }

    private static async Task<IReadOnlyList<Check>> AppAsync(Session session, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(session.Configuration["Web:BaseUrl"], UriKind.Absolute, out var address)) return [];
        return [await TryAsync(session, "App", "Is the function app up, and does Web:BaseUrl lead to it?", async token =>
        {
            using var http = session.Get<IHttpClientFactory>().CreateClient();
            using var answer = await http.GetAsync(new Uri(address, "/api/health/ready"), token);
            return answer.IsSuccessStatusCode
                ? new Check("App", CheckStatus.Ok, $"{address.GetLeftPart(UriPartial.Authority)} is ready")
                : new Check("App", CheckStatus.Failed, $"{address.GetLeftPart(UriPartial.Authority)} answered {(int)answer.StatusCode}: {await ReasonAsync(answer, token)}", "The reason says what is missing.");
        }, cancellationToken)];

        static async Task<string> ReasonAsync(HttpResponseMessage answer, CancellationToken token)
        {
            var text = await answer.Content.ReadAsStringAsync(token);
            return text.Length <= 200 ? text : text[..200] + "…";
        }
    }

    private static async Task<Check> TryAsync(Session session, string name, string fix, Func<CancellationToken, Task<Check>> check, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var seconds = session.Parsed.GetValue(Patience);
        limit.CancelAfter(TimeSpan.FromSeconds(seconds));
        try
        {
            return await check(limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new Check(name, CheckStatus.Failed, $"no answer within {seconds} s", fix);
        }
        catch (Exception error) when (error is SocketException or NpgsqlException or RequestFailedException or AuthenticationFailedException || Shared.Sentence(error) is not null)
        {
            return new Check(name, CheckStatus.Failed, Shared.Sentence(error) ?? error.Message, fix);
        }
    }

    private sealed record DeadLine(string Id, string Kind, DateTimeOffset At, string Source, Guid? TenantId, string? Reason, string? Body, string? Traceparent);

    private sealed record TenantLine(
        Guid Id, string Name, bool IsDemo, DateTimeOffset CreatedAt, DateTimeOffset? DeleteAfter, long Members, long Integrations, long Troubled, DateTimeOffset? FetchedAt);

    private sealed record RunLine(
        Guid Id, Guid TenantId, Guid IntegrationId, string Connector, string Trigger, string Status, DateTimeOffset QueuedAt, DateTimeOffset? FinishedAt, int Readings, int Attempts,
        string? Message, string? Traceparent);
}
