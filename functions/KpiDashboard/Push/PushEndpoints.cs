using System.Globalization;
using System.Text.Json.Serialization;
using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Identity;
using KpiDashboard.Kpis;
using KpiDashboard.Tenancy;
using KpiDashboard.Webhooks;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Push;

/// <summary><c>POST push</c>: readings of custom KPIs. Good ones are written together, in one transaction; each bad one is named with its reason.</summary>
public sealed class PushEndpoints
{
    /// <summary>Most readings of one request.</summary>
    internal const int MaxReadings = 10_000;

    /// <summary>Largest body, in bytes.</summary>
    public const int Limit = 2 * 1024 * 1024;

    /// <summary>How many refusals are told one by one.</summary>
    internal const int MostRejected = 1_000;

    private readonly Database _database;
    private readonly TimeProvider _time;

    internal PushEndpoints(Database database, TimeProvider time) => (_database, _time) = (database, time);

    /// <summary>Takes readings.</summary>
    public async Task<IResult> PushAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var bytes = await JsonBody.ReadBytesAsync(request, Limit, cancellationToken);
        var body = JsonBody.Parse(request, bytes, PushJson.Default.PushRequest);
        if (body.Readings.Count is 0 or > MaxReadings) throw ApiProblem.Invalid("readings", $"'readings' must have 1 to {MaxReadings:N0} entries; send the rest in another request.");
        var (key, now) = (IdempotencyKeys.Of(request, "push"), _time.GetUtcNow());
        var answer = await _database.InTenantAsync(caller.TenantId, tx => IdempotencyKeys.OnceAsync(tx, key, bytes, now, PushJson.Default.PushResponse, async () =>
        {
            await CustomReadings.LockAsync(tx);
            var tenant = await TenantProfile.LoadAsync(tx) ?? throw ApiProblem.NotFound("This business no longer exists.");
            var rules = new CustomReadings(await TenantCatalogue.LoadAsync(tx), tenant.Today(_time));
            var readings = new Dictionary<(string Kpi, DateOnly Day), (int Index, decimal Value)>();
            var rejected = new List<RejectedItem>();
            for (var index = 0; index < body.Readings.Count; index++)
            {
                if (Refusal(body.Readings[index], rules, readings, index) is { } reason) rejected.Add(new RejectedItem(index, reason));
            }

            var written = await KpiWriter.WriteAsync(tx, [.. readings.Select(item => (item.Key.Kpi, item.Key.Day, item.Value.Value))], null, null, tenant.Today(_time), now);
            if (written.Changed > 0) await TenantProfile.BumpVersionAsync(tx);
            return new PushResponse(
                written.Changed, written.Readings - written.Changed, written.Restated, rejected.Count > MostRejected ? rejected[..MostRejected] : rejected, rejected.Count);
        }), cancellationToken);
        return new JsonAnswer<PushResponse>(answer, PushJson.Default.PushResponse);
    }

    private static string? Refusal(PushReading? reading, CustomReadings rules, Dictionary<(string Kpi, DateOnly Day), (int Index, decimal Value)> readings, int index)
    {
        if (reading is null) return "It is null.";
        var (kpi, reason) = rules.Kpi(reading.Kpi);
        if (kpi is null) return reason;
        if (!DateOnly.TryParseExact(reading.Date, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)) return "'date' must be a date like 2026-11-21.";
        if (rules.Day(day) is { } wrongDay) return wrongDay;
        if (reading.Value is not { } value) return "'value' is missing. A day without a value is not pushed at all.";
        if (CustomReadings.Value(value) is { } wrongValue) return wrongValue;
        // Which of two is right nobody here can know.
        return readings.TryAdd((kpi, day), (index, decimal.Round(value, CustomReadings.Decimals))) ? null : $"Reading {readings[(kpi, day)].Index} is for the same KPI and day already.";
    }
}

/// <summary>Readings to write, 10,000 at most.</summary>
internal sealed record PushRequest(IReadOnlyList<PushReading?> Readings);

/// <summary>One value of one KPI on one day.</summary>
/// <param name="Kpi">Key of a custom KPI.</param>
/// <param name="Date"><c>YYYY-MM-DD</c>, in the tenant's time zone.</param>
/// <param name="Value">In the KPI's unit.</param>
internal sealed record PushReading(string? Kpi = null, string? Date = null, decimal? Value = null);

/// <summary>
/// What became of the readings. <c>accepted</c>, <c>unchanged</c> and <c>rejectedCount</c> add up to how many came; the first 1,000 that were rejected are named. <c>restated</c> are
/// those accepted that changed a day that had ended.
/// </summary>
internal sealed record PushResponse(int Accepted, int Unchanged, int Restated, IReadOnlyList<RejectedItem> Rejected, int RejectedCount = 0);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(CustomKpisResponse))]
[JsonSerializable(typeof(CreateKpiRequest))]
[JsonSerializable(typeof(UpdateKpiRequest))]
[JsonSerializable(typeof(PushRequest))]
[JsonSerializable(typeof(PushResponse))]
[JsonSerializable(typeof(ImportResponse))]
[JsonSerializable(typeof(ImportsResponse))]
[JsonSerializable(typeof(IReadOnlyList<ImportError>))]
internal sealed partial class PushJson : JsonSerializerContext;
