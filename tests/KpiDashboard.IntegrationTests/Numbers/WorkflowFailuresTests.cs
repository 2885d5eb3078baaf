using System.Globalization;
using Dapper;
using KpiDashboard.Data;
using KpiDashboard.Automation;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Embedded;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Numbers;

/// <summary>
/// Which workflows have failed and not worked since, as the statement finds them in the days asked about, compared with what the meaning says word
/// by word, worked out over all days of generated workflows.
/// </summary>
[Trait("Clock", "none")]
public sealed class WorkflowFailuresTests(PostgresFixture postgres)
{
    private static readonly DateOnly s_first = new(2025, 1, 1);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task What_fails_is_found_in_the_days_asked_about_as_over_all_days(int seed)
    {
        var cancelled = TestContext.Current.CancellationToken;
        var (owner, app) = await TestSecrets.MigratedDatabaseAsync(postgres, cancelled);
        await using var source = NpgsqlDataSource.Create(app);
        var database = new Database(() => source);
        var random = new Random(seed);
        Guid tenant = Guid.NewGuid(), one = Guid.NewGuid(), other = Guid.NewGuid();
        List<Day> days = [];
        foreach (var (integration, workflow) in from i in new[] { one, other } from w in Enumerable.Range(0, 40) select (i, $"w{w}"))
        {
            // From ones that always work to ones that never do, and some that come and go.
            var (works, fails, runs) = (random.NextDouble() * random.Next(2), random.NextDouble(), random.NextDouble());
            for (var day = 0; day < 120; day++)
            {
                if (random.NextDouble() > runs) continue;
                // Null: successes of this day cannot be known.
                int? succeeded = random.Next(20) == 0 ? null : random.NextDouble() < works ? random.Next(1, 5) : 0;
                days.Add(new Day(integration, workflow, s_first.AddDays(day), succeeded, random.NextDouble() < fails ? random.Next(1, 4) : 0));
            }
        }

        await using (var connection = new NpgsqlConnection(owner))
        {
            await connection.OpenAsync(cancelled);
            await connection.ExecuteAsync(
                """
                insert into tenants (id, name, time_zone, currency) values (@tenant, 'T', 'UTC', 'EUR');
                insert into integrations (tenant_id, id, connector, display_name, next_due_at, source)
                values (@tenant, @one, 'n8n', 'a', now(), 1), (@tenant, @other, 'n8n', 'b', now(), 2);
                insert into workflows (tenant_id, integration_id, workflow_id, name, active, updated_at)
                select @tenant, i, 'w' || n, 'W' || n, true, now() from unnest(array[@one, @other]) i, generate_series(0, 39) n;
                """,
                new { tenant, one, other });
            await connection.ExecuteAsync(
                """
                insert into automation_daily (tenant_id, integration_id, day, workflow_id, executions, succeeded, failed)
                select @tenant, d.* from unnest(@integrations, @on, @workflows, @ran, @succeeded, @failed) d
                """,
                new
                {
                    tenant,
                    integrations = days.Select(day => day.Integration).ToArray(),
                    on = days.Select(day => day.On).ToArray(),
                    workflows = days.Select(day => day.Workflow).ToArray(),
                    ran = days.Select(_ => 1).ToArray(),
                    succeeded = days.Select(day => day.Succeeded).ToArray(),
                    failed = days.Select(day => day.Failed).ToArray(),
                });
        }

        var found = 0;
        foreach (var (from, length, only) in from f in new[] { 0, 40, 90, 113, 119 } from l in new[] { 1, 7, 30 } from o in new[] { null, new[] { other } } select (f, l, o))
        {
            var (start, end) = (s_first.AddDays(from), s_first.AddDays(from + length - 1));
            var told = await database.ReadTenantAsync(tenant, null, tx => WorkflowFailures.LoadAsync(tx, start, end, only), cancelled);
            var meant = Meant(days.Where(day => only is null || only.Contains(day.Integration)), start, end);
            Assert.Equal(meant, told.Select(Line).Order(StringComparer.Ordinal));
            found += told.Count;
        }

        Assert.NotEqual(0, found);
    }

    private static IEnumerable<string> Meant(IEnumerable<Day> days, DateOnly from, DateOnly to) =>
        days.Where(day => day.On <= to).GroupBy(day => (day.Integration, day.Workflow)).Select(group =>
        {
            DateOnly? worked = group.Where(day => day.Succeeded > 0).Select(day => (DateOnly?)day.On).Max();
            var since = group.Where(day => day.Failed > 0 && (worked is null || day.On > worked)).ToList();
            return since.Count > 0 && since.Max(day => day.On) >= from && since.Sum(day => day.Failed) >= 2
                ? Line(new WorkflowFailures(
                    group.Key.Integration, group.Key.Workflow, $"W{group.Key.Workflow[1..]}", since.Min(day => day.On), since.Max(day => day.On), since.Sum(day => day.Failed)))
                : null;
        }).OfType<string>().Order(StringComparer.Ordinal);

    private static string Line(WorkflowFailures failing) => string.Create(
        CultureInfo.InvariantCulture, $"{failing.IntegrationId} {failing.Id} {failing.Name} {failing.Since:O} {failing.Last:O} {failing.Failed}");

    private sealed record Day(Guid Integration, string Workflow, DateOnly On, int? Succeeded, int Failed);
}
