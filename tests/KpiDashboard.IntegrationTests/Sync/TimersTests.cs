using KpiDashboard.Functions.Triggers;
using KpiDashboard.Identity;
using KpiDashboard.IntegrationTests.Access;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.Mail;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KpiDashboard.IntegrationTests.Sync;

/// <summary>What the clock starts, as the functions themselves, in the whole app, with bad businesses among the others: each function ends well, and the others are served.</summary>
[Collection(SecondAppCollection.Name)]
public sealed class TimersTests(AppFixture app)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_timer_serves_the_others_when_one_business_is_broken_and_says_which_one_it_is()
    {
        await using var world = new AccessWorld(app);
        var (healthy, integration, leaving) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        var (odd, held) = (Guid.NewGuid(), Guid.NewGuid());
        var (import, export) = (Guid.NewGuid(), Guid.NewGuid());
        await world.ExecuteAsync(
            """
            insert into tenants (id, name, time_zone, currency) select t, 'Timers ' || t::text, 'Europe/Berlin', 'EUR' from unnest(array[@healthy, @leaving, @odd, @held]) t;
            update tenants set delete_after = now() - interval '1 minute' where id = @leaving;
            insert into integrations (tenant_id, id, connector, display_name, next_due_at)
            select t, case when t = @healthy then @integration else gen_random_uuid() end, 'n8n', 'n8n', now() - interval '1 minute' from unnest(array[@healthy, @odd, @held]) t;
            -- Past its time, in both.
            insert into executions (tenant_id, integration_id, execution_id, workflow_id, status, kind, started_at, stopped_at)
            select tenant_id, id, 'old', 'w', 'succeeded', 'production', now() - interval '200 days', now() - interval '200 days' from integrations where tenant_id in (@healthy, @odd);
            insert into kpi_values (tenant_id, kpi, day, value, day_ended, first_seen_at, changed_at)
            select t, 'custom.old', '2020-01-01', 1, true, now(), now() from unnest(array[@healthy, @odd]) t;
            insert into custom_kpis (tenant_id, id, key, name, description, unit, direction, aggregation, created_at, updated_at)
            values (@healthy, gen_random_uuid(), 'custom.a', 'A', '', 'count', 'up', 'sum', now(), now());
            -- Whose messages got lost.
            insert into imports (tenant_id, id, file_name, delimiter, decimal_mark, dates, bytes, rows, created_at, updated_at)
            values (@healthy, @import, 'f.csv', 'comma', 'point', 'iso', 1, 1, now() - interval '1 hour', now() - interval '1 hour');
            insert into import_chunks (tenant_id, import_id, position, data)
            select @healthy, @import, 0, convert_to(E'date,kpi,value\n' || (now() - interval '3 days')::date::text || E',custom.a,5\n', 'utf8');
            insert into tenant_exports (tenant_id, id, created_at, updated_at) values (@healthy, @export, now() - interval '1 hour', now() - interval '1 hour');
            """, new { healthy, integration, leaving, odd, held, import, export });
        var person = await world.PersonAsync(healthy, "owner");
        var address = (await world.QueryAsync<string>("select email from users where id = @Id", new { person.Id })).Single();
        var mail = await app.Database.InTenantAsync(
            healthy, tx => app.Services.GetRequiredService<MailOutbox>().AddAsync(tx, ResetPasswordMail.Kind, new ResetMailData(address).ToJson()), Cancelled);
        // The broken ones: a zone of nowhere (as a restore onto another server may bring it), instants that no client reads, no settings, messages that cannot be; and one
        // that something keeps from being deleted.
        await world.ExecuteAsync(
            """
            update mail_outbox set created_at = now() - interval '1 hour', next_attempt_at = now() - interval '1 hour' where id = @mail;
            alter table tenants disable trigger user;
            update tenants set time_zone = 'Mars/Base' where id = @odd;
            alter table tenants enable trigger user;
            update integrations set next_due_at = '-infinity', settings = '[1, [2]]', credentials = '\xdeadbeef' where tenant_id = @odd;
            insert into sync_runs (tenant_id, id, integration_id, connector, trigger, status, queued_at, updated_at, next_attempt_at, traceparent)
            select tenant_id, gen_random_uuid(), id, connector, 'manual', 'queued', '4000-01-01 BC', '4000-01-01 BC', '4000-01-01 BC', repeat('x', 100000) from integrations where tenant_id = @odd;
            insert into imports (tenant_id, id, file_name, delimiter, decimal_mark, dates, bytes, rows, created_at, updated_at, traceparent)
            values (@odd, gen_random_uuid(), 'f.csv', 'comma', 'point', 'iso', 1, 1, '-infinity', '-infinity', repeat('x', 100000));
            insert into tenant_exports (tenant_id, id, created_at, updated_at, traceparent) values (@odd, gen_random_uuid(), '-infinity', '-infinity', repeat('x', 100000));
            insert into mail_outbox (id, tenant, kind, payload, next_attempt_at, created_at) values (gen_random_uuid(), @odd, 'planted', '\x00', '4000-01-01 BC', '4000-01-01 BC');
            create table timers_test_holds (tenant uuid references tenants (id));
            insert into timers_test_holds values (@held);
            update tenants set delete_after = '4000-01-01 BC' where id = @held;
            """, new { mail, odd, held });
        try
        {
            var timers = ActivatorUtilities.CreateInstance<Timers>(app.Services);
            // Twice: what failed once must not be in the way of the second time.
            for (var round = 0; round < 2; round++)
            {
                foreach (var function in typeof(Timers).GetMethods().Where(method => method.GetParameters().FirstOrDefault()?.ParameterType == typeof(TimerInfo)))
                    await (Task)function.Invoke(timers, [new TimerInfo(), Cancelled])!;
            }

            await BecomesAsync(1, "select count(distinct tenant_id)::int from sync_runs where tenant_id = @healthy and trigger = 'schedule'", "the healthy one's sync is enqueued");
            await BecomesAsync(1, "select count(*)::int from integrations where tenant_id = @healthy and next_due_at > now()", "it is due later again");
            await BecomesAsync(1, "select count(*)::int from imports where id = @import and status = 'succeeded'", "its lost import ends");
            await BecomesAsync(1, "select count(*)::int from tenant_exports where id = @export and status = 'succeeded'", "its lost export ends");
            await BecomesAsync(1, "select count(*)::int from mail_outbox where id = @mail and status = 'sent'", "its lost mail is sent");
            await BecomesAsync(0, "select count(*)::int from executions where tenant_id = @healthy", "what is past its time is gone");
            await BecomesAsync(0, "select count(*)::int from kpi_values where tenant_id = @healthy and day < '2024-01-01'", "old values are gone");
            await BecomesAsync(0, "select count(*)::int from tenants where id = @leaving", "who asked for it is deleted");
            // Operators are told which ones they are, and nothing of the others.
            await BecomesAsync(2, "select count(distinct tenant_id)::int from list_tenant_faults(1000) where tenant_id in (@odd, @held)", "both broken ones are reported");
            await BecomesAsync(0, "select count(*)::int from list_tenant_faults(1000) where tenant_id in (@healthy, @leaving)", "nobody else is");
        }
        finally
        {
            await world.ExecuteAsync(
                """
                drop table timers_test_holds;
                update tenants set delete_after = now() - interval '1 minute' where id in (@held, @odd, @healthy);
                delete from mail_outbox where tenant = @odd;
                """, new { held, odd, healthy });
        }

        // What the app is still at may hold a row of them: then the next round takes it, as the next hour would.
        await Eventually.TrueAsync(async () =>
        {
            await app.Services.GetRequiredService<KpiDashboard.Privacy.Housekeeping>().RunAsync(CancellationToken.None);
            return (await world.QueryAsync<int>("select count(*)::int from tenants where id in (@held, @odd, @healthy)", new { held, odd, healthy })).Single() == 0;
        }, TimeSpan.FromMinutes(1), "all three are gone");

        Task BecomesAsync(int expected, string sql, string what) => Eventually.TrueAsync(
            async () => (await world.QueryAsync<int>(sql, new { healthy, odd, held, leaving, import, export, mail })).Single() == expected, TimeSpan.FromMinutes(1), what);
    }
}
