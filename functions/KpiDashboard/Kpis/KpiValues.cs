using System.Globalization;
using KpiDashboard.Data;

namespace KpiDashboard.Kpis;

/// <summary>A month of one KPI of one source.</summary>
/// <param name="Source">Number of the source.</param>
/// <param name="Kpi">Key of the KPI.</param>
/// <param name="Month">Its first day.</param>
/// <param name="Days">31 places; null where there is no value.</param>
internal readonly record struct StoredMonth(short Source, string Kpi, DateOnly Month, decimal?[] Days);

/// <summary>
/// The one way from stored values to the engine: the months of some KPIs of a business over a range of days, of all its sources or of some.
/// </summary>
internal static class KpiValues
{
    /// <summary>Reads them: one round trip, a range of the primary key.</summary>
    /// <param name="tx">The tenant's transaction.</param>
    /// <param name="kpis">Keys of stored KPIs.</param>
    /// <param name="from">First day.</param>
    /// <param name="to">Last day; days of its month after it come, too.</param>
    /// <param name="sources">Numbers of the sources; null for all.</param>
    public static async Task<IReadOnlyList<StoredMonth>> LoadAsync(
        TenantTransaction tx, IReadOnlyCollection<string> kpis, DateOnly from, DateOnly to, IReadOnlyCollection<short>? sources)
    {
        var months = new List<StoredMonth>();
        await tx.ReadAsync(
            """
            select m.source, k.key, m.month, m.days
            from kpi_keys k
            join kpi_months m on m.tenant_id = @tenant and m.kpi = k.number and m.month between @first and @to
                             and (@sources::smallint[] is null or m.source = any (@sources))
            where k.tenant_id = @tenant and k.key = any (@kpis)
            """,
            new { kpis = kpis.ToArray(), first = FirstOfMonth(from), to, sources = sources?.ToArray() },
            reader => months.Add(new StoredMonth(
                reader.GetInt16(0), reader.GetString(1), reader.GetFieldValue<DateOnly>(2), reader.GetFieldValue<decimal?[]>(3))));
        return months;
    }

    /// <summary>Days that the database wrote as a text with commas, as arrays of days have no mapper.</summary>
    public static IReadOnlyList<DateOnly> DaysOf(string? text) => text is null
        ? []
        : [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(day => DateOnly.ParseExact(day, "yyyy-MM-dd",
            CultureInfo.InvariantCulture))];

    /// <summary>The first day of the month of a day.</summary>
    public static DateOnly FirstOfMonth(DateOnly day) => new(day.Year, day.Month, 1);
}
