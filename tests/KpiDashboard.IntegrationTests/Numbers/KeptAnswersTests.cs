using System.Globalization;
using System.Text.Json.Nodes;
using Dapper;
using KpiDashboard.Demo.Seeding;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.IntegrationTests.Schema;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Numbers;

/// <summary>
/// Answers are kept by data version, in each instance by itself. Whatever is written, through whichever of them or beside them: none tells what
/// was so before.
/// </summary>
[Trait("Clock", "none")]
public sealed class KeptAnswersTests(PostgresFixture postgres)
{
    private const string Business = "Merch Shop";
    private const int Steps = 40;

    private static readonly string[] Reads =
    [
        "metrics/summary?range=last_28_days", "metrics/summary?range=last_7_days&with=insights", "metrics/history?kpis=shop.revenue,web.sessions&range=last_28_days",
        "metrics/provenance?kpi=web.sessions&date=2026-11-20", "metrics/web.sessions/breakdown?dimension=channel&range=last_28_days",
        "automation/performance?range=last_28_days", "insights/business?range=last_28_days", "goals", "kpis", "integrations", "sources", "tenant", "annotations",
    ];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task No_answer_tells_what_was_so_before_a_write(int seed)
    {
        await using var one = await DemoOfNovember.StartAsync(postgres, Cancelled);
        await using var other = await DemoOfNovember.OpenAsync(one.Owner, Cancelled);
        await using var truth = await DemoOfNovember.OpenAsync(one.Owner, Cancelled, keepsAnswers: false);
        var random = new Random(seed);
        var writer = new Writer(random, one.Owner, [one, other]);
        var (kept, differing) = (0, 0);
        Dictionary<string, string> last = new(StringComparer.Ordinal);
        for (var step = 0; step < Steps; step++)
        {
            // Now and then nothing is written, so that what is kept is told at all.
            var written = random.Next(4) == 0 ? "nothing" : await writer.WriteAsync();
            foreach (var path in random.GetItems(Reads, 3).Distinct())
            {
                var so = await truth.GetAsync(Business, path, Cancelled);
                // Twice: the second time it is what was kept.
                foreach (var app in random.Next(2) == 0 ? new[] { one, other, one } : [other, one, other])
                    Assert.True(so == await app.GetAsync(Business, path, Cancelled), $"After {written} (seed {seed}, step {step}), {path} tells what is not so.");
                if (last.TryGetValue(path, out var before)) (kept, differing) = before == so ? (kept + 1, differing) : (kept, differing + 1);
                last[path] = so;
            }
        }

        // A test of answers that never change would show nothing, nor one of answers that always do.
        Assert.True(kept > 10 && differing > 10, $"{kept} answers were the same as before, {differing} were not.");
    }

    [Fact]
    public async Task An_answer_of_one_business_is_never_told_to_another_that_asks_the_same()
    {
        await using var app = await DemoOfNovember.StartAsync(postgres, Cancelled);
        await using var truth = await DemoOfNovember.OpenAsync(app.Owner, Cancelled, keepsAnswers: false);
        foreach (var path in Reads)
        {
            List<string> told = [];
            foreach (var business in new[] { Business, "Nordlicht Automation", Business, "Nordlicht Automation" })
            {
                told.Add(await app.GetAsync(business, path, Cancelled));
                Assert.Equal(await truth.GetAsync(business, path, Cancelled), told[^1]);
            }

            Assert.Equal(told[0], told[2]);
        }
    }

    /// <summary>Changes things as people, machines and connectors do.</summary>
    private sealed class Writer(Random random, string owner, DemoOfNovember[] apps)
    {
        private readonly Guid _tenant = DemoSeeder.TenantId(Business);
        private int _made;

        public async Task<string> WriteAsync()
        {
            var (app, number) = (apps[random.Next(apps.Length)], random.Next(1, 1000).ToString(CultureInfo.InvariantCulture));
            var day = new DateOnly(2026, 11, random.Next(3, 28));
            var (verb, path, json) = random.Next(9) switch
            {
                0 => ("post", "goals", $$"""{"kpi":"shop.revenue","target":{{number}},"rhythm":"monthly"}"""),
                1 when await FirstAsync(app, "goals", "goals") is { } goal => ("patch", $"goals/{goal}", $$"""{"target":{{number}}}"""),
                2 when await FirstAsync(app, "goals", "goals") is { } goal => ("delete", $"goals/{goal}", null),
                3 => ("post", "annotations", $$"""{"text":"Sale {{number}}","from":"{{day:yyyy-MM-dd}}"}"""),
                4 => ("post", "kpis/calculated", $$"""{"key":"calc.k{{++_made}}","name":"K {{_made}}","formula":"shop.revenue / {{number}}","unit":"number","direction":"up"}"""),
                5 when (await app.GetAsync(Business, "insights/business?range=last_28_days", Cancelled)) is var said
                    && JsonNode.Parse(said)!["insights"]!.AsArray() is [{ } insight, ..] => ("post", $"insights/{insight["id"]}/dismiss", null),
                6 => ("post", "kpis/custom", $$"""{"key":"custom.c{{++_made}}","name":"C {{_made}}","unit":"count","direction":"up","aggregation":"sum"}"""),
                _ => ("sql", "", (string?)null),
            };
            if (verb != "sql")
            {
                var said = await app.SendAsync(verb, Business, path, json, Cancelled);
                return $"{verb} {path} {json} ({said[..Math.Min(60, said.Length)]})";
            }

            // What a sync does: a day is restated, or a source falls behind, and the version moves in the same transaction.
            await using var connection = new NpgsqlConnection(owner);
            await connection.OpenAsync(Cancelled);
            await using var transaction = await connection.BeginTransactionAsync(Cancelled);
            var restates = random.Next(2) == 0;
            await connection.ExecuteAsync(
                restates
                    ? """
                      update kpi_months m set days[@place] = coalesce(m.days[@place], 0) + 1
                      from kpi_keys k where k.tenant_id = @tenant and m.tenant_id = @tenant and k.number = m.kpi and k.key in ('web.sessions', 'shop.revenue')
                        and m.month = '2026-11-01'
                      """
                    : "update integrations set complete_through = complete_through - 1, final_through = final_through - 1 where tenant_id = @tenant and connector = 'google-analytics'",
                new { tenant = _tenant, place = day.Day }, transaction);
            await connection.ExecuteAsync("update tenants set data_version = data_version + 1 where id = @tenant", new { tenant = _tenant }, transaction);
            await transaction.CommitAsync(Cancelled);
            return restates ? $"a restatement of {day:yyyy-MM-dd}" : "a source that fell behind";
        }

        private static async Task<string?> FirstAsync(DemoOfNovember app, string path, string list) =>
            JsonNode.Parse(await app.GetAsync(Business, path, Cancelled))![list]!.AsArray() is [{ } first, ..] ? (string?)first["id"] : null;
    }
}
