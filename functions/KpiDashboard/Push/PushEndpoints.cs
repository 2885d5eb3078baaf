using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Kpis;
using KpiDashboard.Tenancy;
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
        using var document = JsonBody.ParseParts(request, bytes);
        var sent = Readings(document.RootElement);
        if (sent.Count is 0 or > MaxReadings) throw ApiProblem.Invalid("readings", $"'readings' must have 1 to {MaxReadings:N0} entries; send the rest in another request.");
        var (key, now) = (IdempotencyKeys.Of(request, "push"), _time.GetUtcNow());
        var answer = await _database.InTenantAsync(caller.TenantId, tx => IdempotencyKeys.OnceAsync(tx, key, bytes, now, PushJson.Default.PushResponse, async () =>
        {
            await CustomReadings.LockAsync(tx);
            var tenant = await TenantProfile.LoadAsync(tx) ?? throw ApiProblem.NotFound("This business no longer exists.");
            var rules = new CustomReadings(await TenantCatalogue.LoadAsync(tx), tenant.Today(_time), tenant.Currency);
            var readings = new Dictionary<(string Kpi, DateOnly Day), (int Index, decimal Value)>();
            var rejected = new List<RejectedItem>();
            for (var index = 0; index < sent.Count; index++)
            {
                if (Refusal(sent[index], rules, readings, index) is { } reason) rejected.Add(new RejectedItem(index, reason));
            }

            var written = await KpiWriter.WriteAsync(tx, [.. readings.Select(item => (item.Key.Kpi, item.Key.Day, item.Value.Value))], null, null, tenant.Today(_time), now);
            if (written.Changed > 0) await TenantProfile.BumpVersionAsync(tx);
            return new PushResponse(
                written.Changed, written.Readings - written.Changed, written.Restated, rejected.Count > MostRejected ? rejected[..MostRejected] : rejected,
                rejected.Count > MostRejected ? rejected.Count : null);
        }), cancellationToken);
        return new JsonAnswer<PushResponse>(answer, PushJson.Default.PushResponse);
    }

    /// <summary>What stands in <c>readings</c>, each to be judged by itself: one that is no reading must not cost the others.</summary>
    private static List<JsonElement> Readings(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object) throw ApiProblem.BadBody("The body must be a JSON object with 'readings'.");
        List<JsonElement>? found = null;
        foreach (var property in body.EnumerateObject())
        {
            if (property.Name != "readings") throw ApiProblem.Invalid(Short(property.Name), $"'{Short(property.Name)}' is not a field of this request.");
            if (found is not null) throw ApiProblem.Invalid("readings", "'readings' is given twice.");
            if (property.Value.ValueKind != JsonValueKind.Array) throw ApiProblem.Invalid("readings", "'readings' must be an array of readings.");
            found = [.. property.Value.EnumerateArray()];
        }

        return found ?? throw ApiProblem.BadBody("The body lacks readings.");
    }

    private static string Short(string text) => KeptText.Cut(text, 60);

    private static string? Refusal(
        JsonElement reading, CustomReadings rules, Dictionary<(string Kpi, DateOnly Day), (int Index, decimal Value)> readings, int index)
    {
        if (reading.ValueKind == JsonValueKind.Null) return "It is null.";
        if (reading.ValueKind != JsonValueKind.Object) return "It must be an object with 'kpi', 'date' and 'value'.";
        JsonElement? name = null, date = null, number = null;
        foreach (var field in reading.EnumerateObject())
        {
            switch (field.Name)
            {
                case "kpi": name = field.Value; break;
                case "date": date = field.Value; break;
                case "value": number = field.Value; break;
                // A misspelt name must not look like a field that was left out.
                default: return $"'{Short(field.Name)}' is not a field of a reading; it has 'kpi', 'date' and 'value'.";
            }
        }

        if (Text(name, "kpi") is { } noName) return noName;
        var (kpi, reason) = rules.Kpi(name?.GetString());
        if (kpi is null) return reason;
        if (Text(date, "date") is { } noDate) return noDate;
        if (!DateOnly.TryParseExact(date?.GetString(), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)) return "'date' must be a date like 2026-11-21.";
        if (rules.Day(day) is { } wrongDay) return wrongDay;
        if (number is not { ValueKind: not JsonValueKind.Null } given) return "'value' is missing. A day without a value is not pushed at all.";
        if (given.ValueKind != JsonValueKind.Number) return $"'value' must be a number without quotes, like 12.5; {Short(given.GetRawText())} is none.";
        // More digits before the point than a decimal has: far beyond what is kept.
        if (!given.TryGetDecimal(out var value)) return CustomReadings.TooGreat;
        if (CustomReadings.Value(value) is { } wrongValue) return wrongValue;
        // Which of two is right nobody here can know.
        return readings.TryAdd((kpi, day), (index, decimal.Round(value, CustomReadings.Decimals))) ? null : $"Reading {readings[(kpi, day)].Index} is for the same KPI and day already.";
    }

    private static string? Text(JsonElement? given, string field) => given switch
    {
        null or { ValueKind: JsonValueKind.Null } => null,
        { ValueKind: JsonValueKind.String } text => text.GetString()!.Contains(KeptText.Replacement, StringComparison.Ordinal) ? $"'{field}' {KeptText.Why}" : null,
        _ => $"'{field}' must be a text.",
    };
}

/// <summary>Readings to write, 10,000 at most. It says what may be sent; each reading is read by itself.</summary>
internal sealed record PushRequest(IReadOnlyList<PushReading?> Readings);

/// <summary>One value of one KPI on one day.</summary>
/// <param name="Kpi">Key of a custom KPI.</param>
/// <param name="Date"><c>YYYY-MM-DD</c>, in the tenant's time zone.</param>
/// <param name="Value">In the KPI's unit.</param>
internal sealed record PushReading(string? Kpi = null, string? Date = null, decimal? Value = null);

/// <summary>
/// What became of the readings. <c>accepted</c>, <c>unchanged</c> and the rejected add up to how many came; of more than 1,000 rejected the first are named, and
/// <c>rejectedCount</c> says how many there are. <c>restated</c> are those accepted that changed a day that had ended.
/// </summary>
internal sealed record PushResponse(int Accepted, int Unchanged, int Restated, IReadOnlyList<RejectedItem> Rejected,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? RejectedCount = null);

/// <summary>What was not taken of a request, by its place in it, counted from 0.</summary>
internal sealed record RejectedItem(int Index, string Reason);

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
