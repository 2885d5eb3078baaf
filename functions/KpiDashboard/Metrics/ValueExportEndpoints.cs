using System.Globalization;
using System.Text.Json;
using CsvHelper;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Kpis;
using KpiDashboard.Sources;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Metrics;

/// <summary>Values as files.</summary>
public sealed class ValueExportEndpoints
{
    private readonly Database _database;
    private readonly TimeProvider _time;

    internal ValueExportEndpoints(Database database, TimeProvider time) => (_database, _time) = (database, time);

    /// <summary><c>GET export</c>: a row per KPI and day, week or month, exactly as the pages compute them. Written row by row; the connection is given back before.</summary>
    public async Task<IResult> ExportAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var query = new QueryReader(request);
        var (format, grain) = (query.Choice("format", "csv", "json"), query.Choice("grain", "day", "week", "month"));
        var (tenant, kpis, only, table, sources) = await _database.InTenantAsync(request.Caller().TenantId, async tx =>
        {
            var tenant = await TenantProfile.LoadAsync(tx) ?? throw ApiProblem.NotFound("This business no longer exists.");
            var sources = SourceSelection.Read(query, await SourceState.LoadAsync(tx, tenant, _time.GetUtcNow()));
            var catalogue = await TenantCatalogue.LoadAsync(tx);
            var kpis = MetricsEndpoints.ReadKpis(query, catalogue, catalogue.Visible);
            var period = Period.Read(query, tenant.Today(_time), SourceState.PeriodThrough(sources));
            var only = MetricsEndpoints.ReadMember(query, kpis);
            return (tenant, kpis, only, await MetricsEndpoints.TableAsync(tx, kpis, only, period, sources.Clocks, tenant.Economics), sources);
        }, cancellationToken);

        var name = string.Create(CultureInfo.InvariantCulture, $"kpis-{table.From:yyyy-MM-dd}-{table.To:yyyy-MM-dd}-{grain}.{format}");
        var rows = kpis.SelectMany(kpi =>
        {
            var currency = SourceCurrencies.Of(kpi, sources, tenant, table);
            return MetricsEndpoints.Points(kpi, table, grain, (DayOfWeek)tenant.WeekStart).Select(point => new ExportedValue(point.Date, kpi.Key, kpi.Name, point.Value, kpi.Unit, currency, point.Status, only?.Dimension, only?.Member));
        });
        return format == "csv"
            ? new StreamedAnswer("text/csv; charset=utf-8", name, null, (output, token) => WriteCsvAsync(output, rows, grain, only is not null, token))
            : new StreamedAnswer("application/json; charset=utf-8", name, null, (output, token) => RowFiles.WriteJsonAsync(
                output, "rows", ProvenanceJson.Default.ExportedValue, rows.ToAsyncEnumerable(), json =>
                {
                    json.WriteString("from", table.From.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
                    json.WriteString("to", table.To.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
                    json.WriteString("grain", grain);
                    json.WriteString("timeZone", tenant.TimeZone);
                }, token));
    }

    /// <summary>Writes a file that <see cref="Push.CsvFile"/> reads again, as far as its numbers may be pushed.</summary>
    internal static async Task WriteCsvAsync(Stream output, IEnumerable<ExportedValue> rows, string grain, bool isPart, CancellationToken cancellationToken)
    {
        // Without it the value of a month looks like that of its first day.
        var isDaily = grain == "day";
        await using var csv = CsvWriter.Create(output, RowFiles.Csv, leaveOpen: true);
        await csv.WriteRecordAsync(["date", "kpi", "name", "value", "unit", "currency", "status", .. isDaily ? Array.Empty<string>() : ["grain"], .. isPart ? ["dimension", "member"] : Array.Empty<string>()], cancellationToken);
        foreach (var row in rows)
        {
            csv.WriteField(row.Date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
            csv.WriteField(row.Kpi);
            csv.WriteField(row.Name);
            // A number is no formula, even if it begins with a minus.
            if (row.Value is { } value) csv.WriteField(value);
            else csv.WriteField((string?)null);
            csv.WriteField(Word(row.Unit));
            csv.WriteField(row.Currency);
            csv.WriteField(Word(row.Status));
            if (!isDaily) csv.WriteField(grain);
            if (isPart)
            {
                csv.WriteField(Word(row.Dimension!.Value));
                csv.WriteField(row.Member);
            }

            await csv.EndRecordAsync(cancellationToken);
        }

        await csv.FlushAsync(cancellationToken);
    }

    private static string Word<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}
