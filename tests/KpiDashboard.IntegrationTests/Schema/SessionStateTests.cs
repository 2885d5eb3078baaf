using System.Net;
using System.Net.Http.Json;
using KpiDashboard.IntegrationTests.App;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Schema;

/// <summary>
/// A connection is not reset before its next user (<c>No Reset On Close</c>): what one request left on it, another would find. So whatever the app
/// has done, its connections carry nothing of a session.
/// </summary>
[Trait("Clock", "none")]
[Collection(SecondAppCollection.Name)]
public sealed class SessionStateTests(AppFixture app)
{
    private const int Connections = 12;

    [Fact]
    public async Task Connections_of_the_app_carry_nothing_over()
    {
        var cancelled = TestContext.Current.CancellationToken;
        using var client = await app.SignInAsync();
        string[] reads =
        [
            "api/metrics/summary?range=last_28_days&with=insights", "api/automation/executions", "api/tenants/export", "api/integrations", "api/health/ready",
            "api/metrics/export?range=last_28_days", "api/no-such-route", "api/metrics/provenance?kpi=web.sessions&date=never",
        ];
        await Task.WhenAll(reads.Select(async path => (await client.GetAsync(path, cancelled)).Dispose()));
        // A write that is refused, and one that is not.
        using var refused = await client.PostAsJsonAsync("api/goals", new { kpi = "no.such", name = "x" }, cancelled);
        Assert.False(refused.IsSuccessStatusCode);
        using var made = await client.PostAsJsonAsync("api/annotations", new { from = "2026-01-01", text = "Nothing is carried over" }, cancelled);
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);

        var source = app.Services.GetRequiredService<NpgsqlDataSource>();
        Assert.True(new NpgsqlConnectionStringBuilder(source.ConnectionString).NoResetOnClose);
        List<NpgsqlConnection> open = [];
        try
        {
            // At once, so that each is another one of the pool.
            for (var i = 0; i < Connections; i++) open.Add(await source.OpenConnectionAsync(cancelled));
            foreach (var connection in open) Assert.Equal("", await LeftAsync(connection, cancelled));
        }
        finally
        {
            foreach (var connection in open) await connection.DisposeAsync();
        }
    }

    [Fact]
    public async Task What_would_be_carried_over_is_seen()
    {
        var cancelled = TestContext.Current.CancellationToken;
        var text = app.OwnerConnectionString;
        string[] leave =
        [
            "select set_config('app.tenant_id', gen_random_uuid()::text, false)", "set statement_timeout = 1000", "select pg_advisory_lock(42)", "listen something",
            "create temporary table left_over (a integer)", "declare left_over cursor with hold for select 1",
        ];
        foreach (var sql in leave)
        {
            await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(text) { Pooling = false }.ConnectionString);
            await connection.OpenAsync(cancelled);
            Assert.Equal("", await LeftAsync(connection, cancelled));
            await using (var command = new NpgsqlCommand(sql, connection)) await command.ExecuteNonQueryAsync(cancelled);
            Assert.NotEqual("", await LeftAsync(connection, cancelled));
        }
    }

    // What a session still holds, in words; empty for nothing.
    private static async Task<string> LeftAsync(NpgsqlConnection connection, CancellationToken cancelled)
    {
        await using var command = new NpgsqlCommand(
            """
            select concat_ws('; ',
                nullif(current_setting('app.tenant_id', true), ''),
                -- What a client sends as it connects is a setting of its own ('client'). A transaction's own (transaction_read_only) count as set
                -- when it has ended, with the value that every session begins with.
                (select string_agg(name || ' = ' || setting, ', ') from pg_settings where source = 'session' and setting is distinct from reset_val),
                (select string_agg('lock ' || objid, ', ') from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()),
                (select string_agg('listens to ' || c, ', ') from pg_listening_channels() c),
                (select string_agg('cursor ' || name, ', ') from pg_cursors where is_holdable),
                (select string_agg('table ' || relname, ', ') from pg_class where relnamespace = pg_my_temp_schema()))
            """, connection);
        return (string)(await command.ExecuteScalarAsync(cancelled))!;
    }
}
