using System.Security.Cryptography;
using Dapper;
using KpiDashboard.Data;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.Security;
using KpiDashboard.Tests.Shared;
using Microsoft.Extensions.Options;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Schema;

/// <summary>Sealing everything anew, on a real database, as the application's role.</summary>
public sealed class SecretRotationTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const int Rows = 450;
    private readonly SecretOptions _options = new() { CurrentKey = "a", Keys = new() { ["a"] = NewKey() } };
    private NpgsqlDataSource _owner = null!, _app = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private SecretSealer Sealer => new(new Monitor(_options));

    private SecretRotation Rotation => new(new Database(() => _app), Sealer, Contributed.Of<SealedColumn>());

    public async ValueTask InitializeAsync()
    {
        var (owner, app) = await TestSecrets.MigratedDatabaseAsync(postgres, Cancel);
        (_owner, _app) = (NpgsqlDataSource.Create(owner), NpgsqlDataSource.Create(app));
    }

    /// <summary>A column that nobody thought of would be lost with the old key.</summary>
    [Fact]
    public async Task Every_binary_column_is_rotated_or_known_to_be_no_sealed_one()
    {
        HashSet<string> notSealed =
        [
            "account_tokens.token_hash", "api_tokens.token_hash", "dashboard_shares.token_hash", "idempotency_keys.body_hash", "import_chunks.data", "invitations.token_hash", "rate_limits.key", "refresh_tokens.token_hash",
            "tenant_export_parts.content",
        ];
        await using var connection = await _owner.OpenConnectionAsync(Cancel);
        var columns = await connection.QueryAsync<string>(
            """
            select c.relname || '.' || a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.atttypid = 'bytea'::regtype
            """);
        Assert.Equal(Contributed.SealedColumns.Keys.Concat(notSealed).Order(StringComparer.Ordinal), columns.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_was_sealed_with_one_key_is_sealed_with_the_next_and_opens_without_the_first()
    {
        var texts = await PlantAsync();
        _options.Keys["b"] = NewKey();
        _options.CurrentKey = "b";
        var told = new List<ColumnRotation>();
        var result = await Rotation.RotateAsync(new Told(told), Cancel);
        Assert.True(result.IsComplete);
        Assert.Equal("b", result.Key);
        Assert.Equal(Contributed.SealedColumns.Keys.Select(column => new ColumnRotation(column, column == "users.totp_secret" || column == "mail_outbox.payload" ? Rows : 2, 0, 0)), result.Columns);
        Assert.Contains(told, column => column is { Column: "users.totp_secret", Resealed: > 0 and < Rows });

        _options.Keys.Remove("a");
        foreach (var ((column, id), text) in texts) Assert.Equal(text, Sealer.Open(await ReadAsync(column, id), Contributed.SealedColumns[column](id)));
        // Again: nothing is left to do.
        Assert.All((await Rotation.RotateAsync(null, Cancel)).Columns, column => Assert.Equal(0, column.Resealed));
    }

    [Fact]
    public async Task Cut_off_it_goes_on_where_it_stopped_and_what_cannot_be_opened_is_counted_and_left()
    {
        var texts = await PlantAsync();
        _options.Keys["b"] = NewKey();
        _options.CurrentKey = "b";
        using var cut = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Rotation.RotateAsync(new Cut(cut, "mail_outbox.payload"), cut.Token));
        var (column, id) = texts.Keys.First(key => key.Column == "users.totp_secret");
        await using (var connection = await _owner.OpenConnectionAsync(Cancel))
            await connection.ExecuteAsync("update users set totp_secret = set_byte(totp_secret, 40, (get_byte(totp_secret, 40) + 1) % 256) where id = @id", new { id });
        var before = await ReadAsync(column, id);

        var result = await Rotation.RotateAsync(null, Cancel);
        Assert.False(result.IsComplete);
        Assert.Equal(new ColumnRotation("users.totp_secret", Rows - 1, 1, 0), result.Columns.Single(entry => entry.Column == "users.totp_secret"));
        Assert.InRange(result.Columns.Single(entry => entry.Column == "mail_outbox.payload").Resealed, 1, Rows - 1);
        Assert.Equal(before, await ReadAsync(column, id));
    }

    [Fact]
    public async Task What_changed_between_reading_and_writing_is_not_overwritten()
    {
        var texts = await PlantAsync();
        var (column, id) = texts.Keys.First(key => key.Column == "integrations.credentials");
        await using var connection = await _app.OpenConnectionAsync(Cancel);
        var replaced = await connection.ExecuteScalarAsync<int>(
            "select replace_sealed(@column, @ids, @old, @new)", new { column, ids = new[] { id }, old = new[] { new byte[] { 1 } }, @new = new[] { new byte[] { 2 } } });
        Assert.Equal(0, replaced);
        Assert.Equal(texts[(column, id)], Sealer.Open(await ReadAsync(column, id), Contributed.SealedColumns[column](id)));
        await Assert.ThrowsAsync<PostgresException>(() => connection.ExecuteAsync("select * from list_sealed('users.password_hash', '', @id, 1)", new { id }));
    }

    public async ValueTask DisposeAsync()
    {
        await _owner.DisposeAsync();
        await _app.DisposeAsync();
    }

    private static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    /// <summary>Secrets of two businesses in every column; of two columns more than fit into one batch.</summary>
    private async Task<Dictionary<(string Column, Guid Id), string>> PlantAsync()
    {
        var texts = new Dictionary<(string Column, Guid Id), string>();
        byte[] Seal(string column, Guid id) => Sealer.Seal(texts[(column, id)] = $"secret of {column} {id}", Contributed.SealedColumns[column](id));
        await using var connection = await _owner.OpenConnectionAsync(Cancel);
        var users = new List<Guid>();
        for (var i = 0; i < Rows; i++)
        {
            var (user, mail) = (Guid.NewGuid(), Guid.NewGuid());
            users.Add(user);
            await connection.ExecuteAsync(
                """
                insert into users (id, email, email_key, display_name, totp_secret) values (@user, @user::text || '@x.example', @user::text, 'U', @totp);
                insert into mail_outbox (id, kind, payload, next_attempt_at, created_at) values (@mail, 'k', @payload, now(), now());
                """, new { user, mail, totp = Seal("users.totp_secret", user), payload = Seal("mail_outbox.payload", mail) });
        }

        for (var i = 0; i < 2; i++)
        {
            var (tenant, integration, token, grant) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
            await connection.ExecuteAsync(
                """
                insert into tenants (id, name, time_zone, currency) values (@tenant, 'T', 'UTC', 'EUR');
                insert into integrations (tenant_id, id, connector, display_name, credentials) values (@tenant, @integration, 'n8n', 'n8n', @credentials);
                insert into integrations (tenant_id, id, connector, display_name) values (@tenant, gen_random_uuid(), 'google-analytics', 'Google');
                insert into api_tokens (tenant_id, id, name, token_hash, signing_secret, scopes, created_at) values (@tenant, @token, 'n', sha256(@token::text::bytea), @signing, '{}', now());
                insert into api_tokens (tenant_id, id, name, token_hash, signing_secret, scopes, created_at) values (@tenant, gen_random_uuid(), 'n', sha256(@tenant::text::bytea), '', '{}', now());
                insert into google_grants (tenant_id, id, user_id, kind, credentials, created_at, expires_at) values (@tenant, @grant, @user, 'oauth', @granted, now(), now());
                """,
                new
                {
                    tenant,
                    integration,
                    token,
                    grant,
                    user = users[i],
                    credentials = Seal("integrations.credentials", integration),
                    signing = Seal("api_tokens.signing_secret", token),
                    granted = Seal("google_grants.credentials", grant),
                });
        }

        return texts;
    }

    private async Task<byte[]> ReadAsync(string column, Guid id)
    {
        await using var connection = await _owner.OpenConnectionAsync(Cancel);
        return (await connection.ExecuteScalarAsync<byte[]>($"select {column.Split('.')[1]} from {column.Split('.')[0]} where id = @id", new { id }))!;
    }

    private sealed class Monitor(SecretOptions value) : IOptionsMonitor<SecretOptions>
    {
        public SecretOptions CurrentValue => value;

        public SecretOptions Get(string? name) => value;

        public IDisposable? OnChange(Action<SecretOptions, string?> listener) => null;
    }

    private sealed class Told(List<ColumnRotation> told) : IProgress<ColumnRotation>
    {
        public void Report(ColumnRotation value) => told.Add(value);
    }

    private sealed class Cut(CancellationTokenSource source, string column) : IProgress<ColumnRotation>
    {
        public void Report(ColumnRotation value)
        {
            if (value.Column == column) source.Cancel();
        }
    }
}
