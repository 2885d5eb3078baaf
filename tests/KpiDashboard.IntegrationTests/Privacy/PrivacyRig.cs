using System.Globalization;
using System.IO.Compression;
using Dapper;
using KpiDashboard.Data;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.Mail;
using KpiDashboard.Privacy;
using KpiDashboard.Security;
using KpiDashboard.Tests.Shared;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Moq;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Privacy;

/// <summary>The slice on a real database of its own; only the clock is the test's.</summary>
internal sealed class PrivacyRig : IAsyncDisposable
{
    private readonly NpgsqlDataSource _owner;

    private PrivacyRig(string owner, string app)
    {
        (_owner, App) = (NpgsqlDataSource.Create(owner), NpgsqlDataSource.Create(app));
        DataServices.AddDatabase(new Microsoft.Extensions.DependencyInjection.ServiceCollection());
        Database = new Database(() => App);
        var keys = new SecretOptions { CurrentKey = "t", Keys = new() { ["t"] = Convert.ToBase64String(new byte[32]) } };
        Sealer = new SecretSealer(Mock.Of<IOptionsMonitor<SecretOptions>>(monitor => monitor.CurrentValue == keys));
        // No storage account: entries and exports are written, their messages are left to the sweepers.
        Queues = new StorageQueues(new ConfigurationBuilder().Build());
        Mails = new MailOutbox(Database, Sealer, Queues, Time, NullLogger<MailOutbox>.Instance);
        Exporter = new TenantExporter(Database, Queues, Mails, Catalogue, Time, NullLogger<TenantExporter>.Instance);
        Deletion = new TenantDeletion(Database, new TenantFaults(Database, Time, NullLogger<TenantFaults>.Instance), Time, NullLogger<TenantDeletion>.Instance);
        Persons = new PersonalData(Database, Sealer, Time);
    }

    public FakeTimeProvider Time { get; } = new(DateTimeOffset.Parse("2026-11-22T12:00:00Z", CultureInfo.InvariantCulture));

    public NpgsqlDataSource App { get; }

    public Database Database { get; }

    public SecretSealer Sealer { get; }

    public StorageQueues Queues { get; }

    public MailOutbox Mails { get; }

    public ExportCatalogue Catalogue { get; } = new(Contributed.Of<OwnedTable>());

    public TenantExporter Exporter { get; }

    public TenantDeletion Deletion { get; }

    public PersonalData Persons { get; }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static async Task<PrivacyRig> StartAsync(PostgresFixture postgres)
    {
        var (owner, app) = await TestSecrets.MigratedDatabaseAsync(postgres, Cancelled);
        return new PrivacyRig(owner, app);
    }

    public ValueTask<NpgsqlConnection> OpenOwnerAsync() => _owner.OpenConnectionAsync(Cancelled);

    public async Task<T> OneAsync<T>(string sql, object? parameters = null)
    {
        await using var connection = await OpenOwnerAsync();
        return await connection.QuerySingleAsync<T>(sql, parameters);
    }

    public async Task<List<T>> ManyAsync<T>(string sql, object? parameters = null)
    {
        await using var connection = await OpenOwnerAsync();
        return (await connection.QueryAsync<T>(sql, parameters)).AsList();
    }

    public async Task ExecuteAsync(string sql, object? parameters = null)
    {
        await using var connection = await OpenOwnerAsync();
        await connection.ExecuteAsync(sql, parameters);
    }

    /// <summary>An export as if somebody had asked for it.</summary>
    public async Task<TenantExportMessage> AskAsync(PlantedTenant tenant)
    {
        var id = Guid.NewGuid();
        await Database.InTenantAsync(tenant.Id, tx => tx.ExecuteAsync(
            "insert into tenant_exports (tenant_id, id, requested_by, created_at, updated_at) values (@tenant, @id, @owner, @now, @now)",
            new { id, owner = tenant.Owner, now = Time.GetUtcNow() }), Cancelled);
        return new TenantExportMessage(TenantExportMessage.CurrentVersion, tenant.Id, id, null);
    }

    public Task<(string Status, int Done, int Total, long? Bytes, int Attempts, string? Message)> StateAsync(TenantExportMessage export) =>
        OneAsync<(string, int, int, long?, int, string?)>("select status, done, total, bytes, attempts, message from tenant_exports where id = @ExportId", new { export.ExportId });

    public async Task<ZipArchive> ZipAsync(TenantExportMessage export)
    {
        var parts = await ManyAsync<byte[]>("select content from tenant_export_parts where export_id = @ExportId order by part", new { export.ExportId });
        return await ZipArchive.CreateAsync(new MemoryStream([.. parts.SelectMany(part => part)]), ZipArchiveMode.Read, leaveOpen: false, entryNameEncoding: null, Cancelled);
    }

    public async ValueTask DisposeAsync()
    {
        await _owner.DisposeAsync();
        await App.DisposeAsync();
    }
}

/// <summary>A tenant with rows in every table, whose every text holds a marker.</summary>
internal sealed record PlantedTenant(Guid Id, Guid Owner, Guid Member, Guid Integration, Guid Run, string Marker)
{
    public const string Password = "planted-Passw0rd!";

    public string OwnerEmail => $"{Marker}-owner@x.example";

    public string MemberEmail => $"{Marker}-member@x.example";

    public static async Task<PlantedTenant> AddAsync(NpgsqlConnection connection, string marker, DateTimeOffset now, string? passwordHash = null)
    {
        var planted = new PlantedTenant(Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(), marker);
        await connection.ExecuteAsync(
            """
            insert into tenants (id, name, time_zone, currency, created_at) values (@tenant, @m || ' Ltd', 'Europe/Berlin', 'EUR', @now);
            insert into users (id, email, email_key, display_name, password_hash, email_verified_at) values
                (@owner, @ownerEmail, upper(@ownerEmail), @m || ' Owner', @hash, @now), (@member, @memberEmail, upper(@memberEmail), @m || ' Member', @hash, @now);
            insert into memberships (tenant_id, user_id, role) values (@tenant, @owner, 'owner'), (@tenant, @member, 'member');
            insert into sessions (id, user_id, method, created_at, authenticated_at, last_seen_at, expires_at, address, user_agent)
            select gen_random_uuid(), u, 'password', @now, @now, @now, @now + interval '30 days', '192.0.2.1', @m || ' browser' from unnest(array[@owner, @member]) u;
            insert into refresh_tokens (token_hash, family_id, user_id, tenant, created_at, expires_at)
            select sha256((s.id::text)::bytea), s.id, s.user_id, @tenant, @now, @now + interval '30 days' from sessions s where s.user_id in (@owner, @member);
            insert into integrations (tenant_id, id, connector, display_name, settings, credentials, next_due_at) values
                (@tenant, @integration, 'n8n', @m || ' n8n', jsonb_build_object('baseUrl', 'https://' || @m || '.example'), '\xdeadbeef', @now + interval '1 day');
            insert into sync_runs (tenant_id, id, integration_id, connector, trigger, status, message, queued_at, updated_at)
                values (@tenant, @run, @integration, 'n8n', 'manual', 'succeeded', @m || ' message', @now, @now);
            insert into sync_requests (tenant_id, run_id, operation, request, fetched_at, rows, sampled, thresholded)
                values (@tenant, @run, 'GET /' || @m, jsonb_build_object('q', @m), @now, 1, false, false);
            insert into kpi_values (tenant_id, kpi, day, value, day_ended, first_seen_at, changed_at)
                select @tenant, 'web.sessions', date '2026-01-01' + n, n - 5.25, true, @now, @now from generate_series(0, 299) n;
            insert into kpi_restatements (tenant_id, kpi, day, old_value, new_value, at) values (@tenant, 'web.sessions', '2026-01-01', 1, 2, @now);
            insert into breakdown_days (tenant_id, source, dimension, day, is_whole, withheld, run_id, changed_at) values (@tenant, 1, 'landing_page', '2026-01-01', true, false, @run, @now);
            insert into breakdown_values (tenant_id, source, dimension, day, member, parts) values (@tenant, 1, 'landing_page', '2026-01-01', '/' || @m, '{"web.sessions": 1}');
            insert into workflows (tenant_id, integration_id, workflow_id, name, active, updated_at) values (@tenant, @integration, 'w', '=cmd|' || @m, true, @now);
            insert into workflow_prices (tenant_id, integration_id, workflow_id, from_day, minutes) values (@tenant, @integration, 'w', '2026-01-01', 5);
            insert into executions (tenant_id, integration_id, execution_id, workflow_id, status, kind, started_at)
                select @tenant, @integration, n::text, 'w', 'succeeded', 'production', @now from generate_series(1, 5000) n;
            insert into automation_daily (tenant_id, integration_id, day, workflow_id, executions, succeeded, failed, finished_ms) values (@tenant, @integration, '2026-01-01', 'w', 1, 1, 0, 5);
            insert into api_tokens (tenant_id, id, name, token_hash, signing_secret, scopes, created_by, created_at)
                values (@tenant, @run, @m || ' token', sha256(@m::bytea), '\xfeedface', '{read,push}', @member, @now);
            insert into push_log (tenant_id, request_id, position, at, token_id, token_name, address, outcome, execution_id, workflow_id, state) values
                (@tenant, @run, 0, @now, @run, @m || ' token', '203.0.113.7', 'accepted', '1', 'w', 'succeeded');
            insert into idempotency_keys (tenant_id, key, run_ids, created_at) values (@tenant, @m, array[@run], @now);
            insert into custom_kpis (tenant_id, id, key, name, description, unit, direction, aggregation, created_at, updated_at)
                values (@tenant, gen_random_uuid(), 'custom.k', @m || ' KPI', '', 'count', 'up', 'sum', @now, @now);
            insert into dashboards (tenant_id, id, owner_id, shared, name, tiles, created_at, updated_at) values
                (@tenant, @run, @member, true, @m || ' shared', jsonb_build_array(jsonb_build_object('text', @m)), @now, @now), (@tenant, @integration, @member, false, @m || ' private', '[]', @now, @now);
            insert into dashboard_shares (tenant_id, id, dashboard_id, label, token_hash, created_by, created_at, expires_at)
                values (@tenant, @run, @run, @m || ' link', sha256((@m || 's')::bytea), @member, @now, @now + interval '1 day');
            insert into goals (tenant_id, id, kpi, name, period, starts_on, target_from, targets, created_at, updated_at) values (@tenant, @run, 'web.sessions', @m || ' note', 'month', '2026-10-01', '{2026-10-01}', '{200}', @now, @now);
            insert into calculated_kpis (tenant_id, id, key, name, description, unit, direction, formula, created_at, updated_at) values (@tenant, @run, 'calc.own', @m || ' note', '', 'count', 'up', 'web.sessions / 2', @now, @now);
            insert into annotations (tenant_id, id, from_day, to_day, text, created_at, updated_at) values (@tenant, @run, '2026-11-02', '2026-11-03', @m || ' note', @now, @now);
            insert into insight_states (tenant_id, insight_id, state, says, magnitude, text, set_at) values (@tenant, @run, 'dismissed', 'up', 1, @m || ' note', @now);
            insert into imports (tenant_id, id, file_name, delimiter, decimal_mark, dates, bytes, rows, created_at, updated_at)
                values (@tenant, @run, @m || '.csv', 'comma', 'point', 'iso', 1, 1, @now, @now);
            insert into google_grants (tenant_id, id, user_id, kind, account, credentials, created_at, expires_at)
                values (@tenant, gen_random_uuid(), @member, 'oauth', @memberEmail, '\xfeedface', @now, @now);
            insert into import_chunks (tenant_id, import_id, position, data) values (@tenant, @run, 0, @m::bytea);
            insert into invitations (tenant_id, id, email, email_key, role, token_hash, invited_by, created_at, expires_at)
                values (@tenant, gen_random_uuid(), @m || '-invited@x.example', upper(@m || '-invited@x.example'), 'viewer', sha256((@m || 'i')::bytea), @owner, @now, @now);
            insert into audit_log (tenant_id, at, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, subject_name, before, after, address, user_agent) values
                (@tenant, @now, 'person', @member, @memberEmail, 'session.opened', null, null, null, null, '{"method": "password"}', '192.0.2.7', @m || ' browser'),
                (@tenant, @now, 'person', @owner, @ownerEmail, 'member.role_changed', 'person', @member::text, @memberEmail,
                 jsonb_build_object('role', 'viewer', 'note', 'was ' || upper(@memberEmail) || '.'), jsonb_build_object('role', 'member', 'name', @m || ' Member', 'other', 'a' || @memberEmail), '192.0.2.8', 'x');
            insert into mail_outbox (id, tenant, kind, payload, next_attempt_at, created_at) values (gen_random_uuid(), @tenant, 'planted', '\x00', @now + interval '9 days', @now);
            insert into dead_letters (queue, body, reason, received_at) values ('sync-n8n-poison', jsonb_build_object('tenantId', upper(@tenant::text))::text, 'x', @now);
            """,
            new
            {
                tenant = planted.Id,
                owner = planted.Owner,
                member = planted.Member,
                integration = planted.Integration,
                run = planted.Run,
                m = marker,
                ownerEmail = planted.OwnerEmail,
                memberEmail = planted.MemberEmail,
                hash = passwordHash,
                now,
            });
        return planted;
    }
}
