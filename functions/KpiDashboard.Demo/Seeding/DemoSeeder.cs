using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dapper;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.Identity;
using KpiDashboard.Security;
using KpiDashboard.Sync;
using Npgsql;

namespace KpiDashboard.Demo.Seeding;

/// <summary>
/// Makes the demo tenants, their users and their integrations with the simulators. Never writes a number: those come from real syncs. Runs as kpi_owner, as
/// often as the app starts, because the simulators have other ports every time.
/// </summary>
internal sealed class DemoSeeder(string ownerConnectionString, SecretSealer sealer, TimeProvider time)
{
    /// <summary>Owner of every demo tenant.</summary>
    public const string OwnerEmail = "owner@demo.example";

    /// <summary>Viewer of the first.</summary>
    public const string ViewerEmail = "viewer@demo.example";

    /// <summary>Password of both.</summary>
    public const string Password = "demo-Passw0rd!";

    /// <summary>Id of a demo tenant; the same on every machine, so that a bookmark and a test find it again.</summary>
    public static Guid TenantId(string name) => StableId($"tenant:{name}");

    /// <summary>Id of a demo tenant's integration.</summary>
    public static Guid IntegrationId(string tenant, string connector) => StableId($"integration:{tenant}:{connector}");

    /// <summary>Makes or refreshes everything.</summary>
    /// <param name="n8nBaseUrl">Base address of the simulated n8n of an instance.</param>
    /// <param name="resetNumbers">The data sets were dated anew: forget what was read, so that it is read again.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async Task SeedAsync(Func<string, Uri> n8nBaseUrl, bool resetNumbers, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(ownerConnectionString);
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        Task<int> Run(string sql, object parameters) => connection.ExecuteAsync(new CommandDefinition(sql, parameters, transaction, cancellationToken: cancellationToken));
        var now = time.GetUtcNow();

        foreach (var (email, name) in new[] { (OwnerEmail, "Demo owner"), (ViewerEmail, "Demo viewer") })
        {
            var known = await connection.QuerySingleOrDefaultAsync<string>(new CommandDefinition(
                "select password_hash from users where id = @id", new { id = StableId($"user:{email}") }, transaction, cancellationToken: cancellationToken));
            // Hashing is slow by design: only where the demo password does not fit yet.
            if (known is not null && Passwords.Verify(Password, known, out var outdated) && !outdated) continue;
            await Run(
                """
                insert into users (id, email, email_key, display_name, password_hash, email_verified_at, created_at) values (@id, @email, @key, @name, @hash, @now, @now)
                on conflict (id) do update set password_hash = excluded.password_hash
                """,
                new { id = StableId($"user:{email}"), email, key = SessionEndpoints.EmailKey(email), name, hash = Passwords.Hash(Password), now });
        }

        for (var index = 0; index < DemoWorld.Tenants.Count; index++)
        {
            var tenant = DemoWorld.Tenants[index];
            var id = TenantId(tenant.Name);
            if (resetNumbers)
            {
                // Not the tenant itself: who is signed in stays signed in.
                await Run("delete from integrations where tenant_id = @id", new { id });
                await Run("delete from kpi_months where tenant_id = @id", new { id });
                await Run("delete from kpi_restatements where tenant_id = @id", new { id });
                await Run("delete from breakdown_days where tenant_id = @id", new { id });
            }

            await Run(
                """
                insert into tenants (id, name, time_zone, currency, locale, week_start, hourly_labour_cost, automation_cost_per_month, is_demo, created_at)
                values (@id, @name, @zone, @currency, @locale, @weekStart, @labour, @automation, true, @now)
                on conflict (id) do nothing
                """,
                new
                {
                    id,
                    name = tenant.Name,
                    zone = tenant.TimeZone,
                    currency = tenant.Currency,
                    locale = tenant.Locale,
                    weekStart = tenant.Locale == "en-US" ? 0 : 1,
                    labour = tenant.HourlyLabourCost,
                    automation = tenant.AutomationCostPerMonth,
                    now,
                });
            // Order of membership is the order in which tenants are listed.
            await Member(id, OwnerEmail, "owner", index);
            if (index == 0) await Member(id, ViewerEmail, "viewer", index);

            await Connect(tenant, "google-analytics", "Google Analytics", new { propertyId = tenant.Ga4PropertyId, propertyName = tenant.Name, account = DemoWorld.GoogleAccount(tenant), grant = "oauth" }, new { refreshToken = tenant.GoogleRefreshToken });
            if (tenant.N8nInstance is not null)
                await Connect(tenant, "n8n", "n8n", new { baseUrl = n8nBaseUrl(tenant.N8nInstance).ToString() }, new { apiKey = tenant.N8nApiKey });
        }

        await transaction.CommitAsync(cancellationToken);

        Task<int> Member(Guid tenant, string email, string role, int order) => Run(
            "insert into memberships (tenant_id, user_id, role, created_at) values (@tenant, @user, @role, @at) on conflict do nothing",
            new { tenant, user = StableId($"user:{email}"), role, at = now.AddMilliseconds(order) });

        Task<int> Connect(DemoTenant tenant, string connector, string name, object settings, object credentials)
        {
            var id = IntegrationId(tenant.Name, connector);
            return Run(
                """
                insert into integrations (tenant_id, id, connector, display_name, settings, credentials, next_due_at, created_at)
                values (@tenant, @id, @connector, @name, @settings::jsonb, @credentials, next_due_at('daily', 4::smallint, @zone, @id, @now), @now)
                on conflict (tenant_id, id) do update set settings = excluded.settings, credentials = excluded.credentials
                """,
                new
                {
                    tenant = TenantId(tenant.Name),
                    id,
                    connector,
                    name,
                    zone = tenant.TimeZone,
                    now,
                    settings = JsonSerializer.Serialize(settings),
                    credentials = sealer.Seal(JsonSerializer.Serialize(credentials), SyncRunner.CredentialPurpose(id)),
                });
        }
    }

    private static Guid StableId(string name) => new(SHA256.HashData(Encoding.UTF8.GetBytes("kpi-dashboard demo " + name)).AsSpan(0, 16));
}
