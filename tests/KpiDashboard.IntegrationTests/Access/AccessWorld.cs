using System.Reflection;
using System.Text;
using Dapper;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Identity;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.Security;
using KpiDashboard.Sync;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Access;

/// <summary>A route of the app: one verb of one HTTP trigger.</summary>
/// <param name="Verb">Upper case.</param>
/// <param name="Path">Below <c>/api</c>, with its parameters in braces.</param>
/// <param name="Required">What the trigger says its caller must be allowed.</param>
internal sealed record AppRoute(string Verb, string Path, RequiresAttribute Required)
{
    /// <summary>Every route there is, read from the triggers, so that a new one cannot be forgotten.</summary>
    public static IReadOnlyList<AppRoute> All { get; } =
    [
        .. from operation in OpenApiDocument.Operations(typeof(Functions.App).Assembly)
           from verb in operation.Verbs
           orderby operation.Route, verb
           select new AppRoute(verb.ToUpperInvariant(), operation.Route, operation.Method.GetCustomAttribute<RequiresAttribute>()!),
    ];

    public override string ToString() => $"{Verb} {Path}";
}

/// <summary>A business made for a test, with one row of every kind; <c>Marker</c> is part of all its names.</summary>
internal sealed record AccessTenant(Guid Id, string Marker, Guid Integration, Guid Run, Guid Token, Guid Invitation, Guid Export, Guid OwnerId, Guid OtherOwnerId, string OwnerToken, Guid OwnerSession)
{
    /// <summary>Everything that would betray the business in another's answer.</summary>
    public IEnumerable<string> Traces => [Marker, .. new[] { Id, Integration, Run, Token, Invitation, Export, OwnerId, OtherOwnerId, OwnerSession }.Select(id => id.ToString())];
}

/// <summary>A person made for a test.</summary>
internal sealed record AccessPerson(Guid Id, Guid Session, string Token);

/// <summary>
/// Makes businesses and people straight in the database, as kpi_owner: hundreds of people, each used once, would take minutes through the hashing of passwords.
/// What they then do goes through the whole app.
/// </summary>
internal sealed class AccessWorld(AppFixture app) : IAsyncDisposable
{
    private readonly NpgsqlDataSource _owner = NpgsqlDataSource.Create(app.OwnerConnectionString);
    private readonly HttpClient _client = new(new NamesBusiness(new HttpClientHandler { UseCookies = false, AllowAutoRedirect = false })) { BaseAddress = app.Address };

    private readonly HttpClient _bare = new(new HttpClientHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = app.Address };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Runs a statement as kpi_owner, who sees every tenant.</summary>
    public async Task ExecuteAsync(string sql, object parameters)
    {
        await using var connection = await _owner.OpenConnectionAsync(Cancel);
        await connection.ExecuteAsync(new CommandDefinition(sql, parameters, cancellationToken: Cancel));
    }

    /// <summary>Asks as kpi_owner, who sees every tenant.</summary>
    public async Task<IReadOnlyList<T>> QueryAsync<T>(string sql, object? parameters = null)
    {
        await using var connection = await _owner.OpenConnectionAsync(Cancel);
        return (await connection.QueryAsync<T>(new CommandDefinition(sql, parameters, cancellationToken: Cancel))).AsList();
    }

    /// <summary>The last day of a business made now that is over, by its own clock: through it the numbers go. They begin 49 days before.</summary>
    public static DateOnly Yesterday => TestDays.Yesterday("Europe/Berlin");

    /// <summary>A business with data through <see cref="Yesterday"/>; two made with different markers hold the same numbers.</summary>
    public async Task<AccessTenant> TenantAsync(string marker)
    {
        var id = Guid.NewGuid();
        await ExecuteAsync(
            "insert into tenants (id, name, time_zone, currency, hourly_labour_cost, automation_cost_per_month, created_at) values (@id, 'Business ' || @marker, 'Europe/Berlin', 'EUR', 40, 100, now() - interval '1 year')",
            new { id, marker });
        var owner = await PersonAsync(id, "owner", $"owner-{marker}");
        var other = await PersonAsync(id, "owner", $"second-{marker}");
        var tenant = new AccessTenant(
            id, marker, Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(), owner.Id, other.Id, owner.Token, owner.Session);
        await ExecuteAsync(
            """
            insert into integrations (tenant_id, id, connector, display_name, status, status_message, next_due_at, fetched_at, complete_through, final_through, read_from, read_to, backfilled_at, created_at)
            values (@Id, @Integration, 'n8n', 'n8n ' || @Marker, 'paused', null, null, date_trunc('hour', now()), @yesterday, @yesterday, @yesterday - 49, @yesterday, date_trunc('hour', now()), now() - interval '1 year');
            insert into sync_runs (tenant_id, id, integration_id, connector, trigger, status, message, queued_at, updated_at, finished_at)
            values (@Id, @Run, @Integration, 'n8n', 'manual', 'succeeded', 'Run of ' || @Marker, date_trunc('hour', now()), date_trunc('hour', now()), date_trunc('hour', now()));
            insert into sync_requests (tenant_id, run_id, operation, fetched_at, rows, sampled, thresholded) values (@Id, @Run, 'GET /' || @Marker, date_trunc('hour', now()), 1, false, false);
            insert into kpi_values (tenant_id, kpi, day, value, day_ended, integration_id, run_id, first_seen_at, changed_at)
            select @Id, k, d::date, 7, true, @Integration, @Run, date_trunc('hour', now()), date_trunc('hour', now())
            from unnest(array['automation.executions', 'automation.succeeded', 'automation.failed', 'automation.time_saved', 'web.sessions', 'shop.revenue']) k,
                 generate_series(@yesterday - 49, @yesterday, '1 day') d;
            insert into kpi_restatements (tenant_id, kpi, day, old_value, new_value, at) values (@Id, 'web.sessions', @yesterday - 18, 6, 7, date_trunc('hour', now()));
            insert into breakdown_days (tenant_id, source, dimension, day, is_whole, withheld, run_id, changed_at)
            select @Id, 1, 'channel', d::date, true, false, @Run, date_trunc('hour', now()) from generate_series(@yesterday - 49, @yesterday, '1 day') d;
            insert into breakdown_values (tenant_id, source, dimension, day, member, parts)
            select @Id, 1, 'channel', d::date, m, p::jsonb from generate_series(@yesterday - 49, @yesterday, '1 day') d,
                 (values ('Channel ' || @Marker, '{"web.sessions": 5}'), ('Direct', '{"web.sessions": 2}')) as v (m, p);
            insert into workflows (tenant_id, integration_id, workflow_id, name, active, provider_minutes_saved, updated_at) values (@Id, @Integration, 'w', 'Workflow ' || @Marker, true, 5, date_trunc('hour', now()));
            insert into workflow_prices (tenant_id, integration_id, workflow_id, from_day, minutes) values (@Id, @Integration, 'w', '-infinity', 5);
            insert into executions (tenant_id, integration_id, execution_id, workflow_id, status, kind, started_at, stopped_at) values (@Id, @Integration, '1', 'w', 'succeeded', 'production', date_trunc('hour', now()) - interval '10 days', date_trunc('hour', now()) - interval '9 days 23 hours 59 minutes');
            insert into automation_daily (tenant_id, integration_id, day, workflow_id, executions, succeeded, failed, finished_ms, minutes_saved, price)
            select @Id, @Integration, d::date, 'w', 7, 7, 7, 700, 7, 5 from generate_series(@yesterday - 49, @yesterday, '1 day') d;
            insert into api_tokens (tenant_id, id, name, token_hash, signing_secret, scopes, created_by, created_at) values (@Id, @Token, 'Token ' || @Marker, sha256(@Token::text::bytea), '', '{read}', @OwnerId, now() - interval '19 days');
            insert into idempotency_keys (tenant_id, key, run_ids, created_at) values (@Id, 'k', array[@Run], now());
            insert into push_log (tenant_id, request_id, position, at, token_id, token_name, address, outcome, reason)
            values (@Id, @Run, 0, date_trunc('hour', now()), @Token, 'Token ' || @Marker, '192.0.2.1', 'rejected', 'Reason of ' || @Marker);
            insert into audit_log (tenant_id, at, actor_kind, actor_id, actor_name, action, subject_kind, subject_name, before, after, address)
            values (@Id, date_trunc('hour', now()) - interval '10 days', 'person', @OwnerId, 'owner-' || @Marker || '@x.example', 'token.created', 'token', 'Token ' || @Marker, '{"was": 1}', jsonb_build_object('name', @Marker::text), '192.0.2.1');
            insert into invitations (tenant_id, id, email, email_key, role, token_hash, invited_by, created_at, expires_at)
            values (@Id, @Invitation, 'invited-' || @Marker || '@x.example', upper('invited-' || @Marker || '@x.example'), 'viewer', sha256(@Invitation::text::bytea), @OwnerId, date_trunc('hour', now()), now() + interval '1 day');
            insert into custom_kpis (tenant_id, id, key, name, description, unit, direction, aggregation, created_at, updated_at)
            values (@Id, @Token, 'custom.own', 'KPI ' || @Marker, 'Of ' || @Marker, 'count', 'up', 'sum', now() - interval '19 days', now() - interval '19 days');
            insert into goals (tenant_id, id, kpi, name, period, starts_on, target_from, targets, created_at, updated_at) values (@Id, @Token, 'web.sessions', 'Note of ' || @Marker, 'month', date_trunc('month', @yesterday - 40)::date, array[date_trunc('month', @yesterday - 40)::date], '{200}', now() - interval '19 days', now() - interval '19 days');
            insert into calculated_kpis (tenant_id, id, key, name, description, unit, direction, formula, created_at, updated_at) values (@Id, @Token, 'calc.own', 'Note of ' || @Marker, '', 'count', 'up', 'web.sessions / 2', now() - interval '19 days', now() - interval '19 days');
            insert into annotations (tenant_id, id, from_day, to_day, text, created_at, updated_at) values (@Id, @Token, @yesterday - 17, @yesterday - 16, 'Note of ' || @Marker, now() - interval '19 days', now() - interval '19 days');
            insert into insight_states (tenant_id, insight_id, state, says, magnitude, text, set_at) values (@Id, @Token, 'dismissed', 'up', 1, 'Note of ' || @Marker, now() - interval '19 days');
            insert into imports (tenant_id, id, file_name, status, delimiter, decimal_mark, dates, bytes, rows, created_at, updated_at, finished_at)
            values (@Id, @Export, @Marker || '.csv', 'failed', 'comma', 'point', 'iso', 1, 1, now() - interval '19 days', now() - interval '19 days', now() - interval '19 days');
            insert into dashboards (tenant_id, id, owner_id, shared, name, tiles, created_at, updated_at)
            values (@Id, @Token, @OwnerId, true, 'Board ' || @Marker, jsonb_build_array(jsonb_build_object('id', 'a', 'kind', 'note', 'width', 4, 'height', 1, 'text', 'Note of ' || @Marker)), now() - interval '19 days', now() - interval '19 days');
            insert into dashboard_shares (tenant_id, id, dashboard_id, label, token_hash, created_by, created_at, expires_at)
            values (@Id, @Run, @Token, 'Link ' || @Marker, sha256(('share ' || @Id::text)::bytea), @OwnerId, now() - interval '19 days', now() + interval '70 years');
            insert into tenant_exports (tenant_id, id, status, requested_by, created_at, updated_at, finished_at, expires_at) values (@Id, @Export, 'failed', @OwnerId, date_trunc('hour', now()) - interval '10 days', date_trunc('hour', now()) - interval '10 days', date_trunc('hour', now()) - interval '10 days', now() + interval '70 years');
            """.Replace("@yesterday", $"date '{Yesterday:yyyy-MM-dd}'", StringComparison.Ordinal), tenant);
        // A sign-in at Google that has been withdrawn since.
        await ExecuteAsync(
            """
            insert into google_grants (tenant_id, id, user_id, kind, account, credentials, created_at, expires_at)
            values (@Id, @Export, @OwnerId, 'oauth', @Marker || '@google.example', @credentials, now() - interval '19 days', now() + interval '1 hour')
            """,
            new
            {
                tenant.Id,
                tenant.Export,
                tenant.OwnerId,
                tenant.Marker,
                credentials = app.Services.GetRequiredService<SecretSealer>().Seal("""{"refreshToken":"1//withdrawn"}""", GoogleGrants.Purpose(tenant.Export)),
            });
        return tenant;
    }

    /// <summary>A person with a session in a business.</summary>
    public async Task<AccessPerson> PersonAsync(Guid tenant, string role, string? name = null)
    {
        var (id, session) = (Guid.NewGuid(), Guid.NewGuid());
        name ??= id.ToString("N");
        await ExecuteAsync(
            """
            insert into users (id, email, email_key, display_name, email_verified_at, created_at) values (@id, @name || '@x.example', upper(@name || '@x.example'), 'Person ' || @name, now() - interval '1 year', now() - interval '1 year');
            insert into memberships (tenant_id, user_id, role, created_at) values (@tenant, @id, @role, clock_timestamp());
            insert into sessions (id, user_id, method, created_at, authenticated_at, last_seen_at, expires_at) values (@session, @id, 'password', now(), now(), now(), now() + interval '1 day');
            """, new { id, session, tenant, role, name });
        return new AccessPerson(id, session, app.Services.GetRequiredService<AccessTokens>().Issue(id, tenant, session));
    }

    /// <summary>An API token with one scope.</summary>
    public async Task<string> MachineAsync(Guid tenant, string scope)
    {
        var token = TokenHash.Fresh(Authenticator.TokenPrefix);
        await ExecuteAsync(
            "insert into api_tokens (tenant_id, id, name, token_hash, signing_secret, scopes, created_at) values (@tenant, gen_random_uuid(), 'm', @hash, '', array[@scope], now())",
            new { tenant, hash = TokenHash.Of(token), scope });
        return token;
    }

    /// <summary>Sends a request; a body only to verbs that take one.</summary>
    public Task<(int Status, string Body)> SendAsync(string verb, string path, string? token, string? body = null) => SendAsync(_client, verb, path, token, body, null);

    /// <summary>The same with what is said of the business; null: nothing is.</summary>
    public Task<(int Status, string Body)> SendForAsync(string? business, string verb, string path, string? token, string? body = null) =>
        SendAsync(_bare, verb, path, token, body, business);

    private async Task<(int Status, string Body)> SendAsync(HttpClient client, string verb, string path, string? token, string? body, string? business)
    {
        using var request = new HttpRequestMessage(new HttpMethod(verb), "api/" + path);
        if (token is not null) request.Headers.Add("X-Kpi-Token", token);
        if (business is not null) request.Headers.TryAddWithoutValidation(NamesBusiness.Header, business);
        if (verb is "POST" or "PUT" or "PATCH") request.Content = new StringContent(body ?? "{}", Encoding.UTF8, "application/json");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        try
        {
            using var response = await client.SendAsync(request, limit.Token);
            return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(limit.Token));
        }
        catch (OperationCanceledException) when (!Cancel.IsCancellationRequested)
        {
            // What it waits for, while it waits.
            var busy = await QueryAsync<string>(
                "select concat_ws(' | ', pid, usename, state, wait_event_type, wait_event, now() - query_start, pg_blocking_pids(pid)::text, left(query, 200)) from pg_stat_activity where state <> 'idle'");
            throw new TimeoutException($"{verb} {path} did not answer; {ThreadPool.ThreadCount} threads, {ThreadPool.PendingWorkItemCount} items wait. In the database:\n{string.Join('\n', busy)}");
        }
    }

    /// <summary>A fingerprint of every row of a tenant, table by table.</summary>
    public async Task<IReadOnlyDictionary<string, string>> FingerprintAsync(Guid tenant)
    {
        var prints = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var table in await QueryAsync<string>(
            "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by 1"))
        {
            prints[table] = (await QueryAsync<string>($"select count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' order by t::text)), '') from {table} t where tenant_id = @tenant", new { tenant })).Single();
        }

        prints["tenants"] = (await QueryAsync<string>("select t::text from tenants t where id = @tenant", new { tenant })).Single();
        return prints;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        _bare.Dispose();
        await _owner.DisposeAsync();
    }
}
