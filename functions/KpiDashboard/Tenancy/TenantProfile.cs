using KpiDashboard.Data;

namespace KpiDashboard.Tenancy;

/// <summary>A tenant's settings, and the version of its data.</summary>
internal sealed record TenantProfile(
    Guid Id, string Name, string TimeZone, string Currency, string Locale, short WeekStart, decimal? HourlyLabourCost, decimal? AutomationCostPerMonth,
    long DataVersion, bool IsDemo, short FiscalYearStartMonth, string? Headline = null)
{
    /// <summary>The tenant's time zone.</summary>
    public TimeZoneInfo Zone => TimeZoneNames.Of(TimeZone);

    /// <summary>What money KPIs rest on.</summary>
    public TenantEconomics Economics => new(HourlyLabourCost, AutomationCostPerMonth, Currency);

    /// <summary>The date that the tenant's clock shows.</summary>
    public DateOnly Today(TimeProvider time) => LocalDay.Of(time.GetUtcNow(), Zone);

    /// <summary>Reads the tenant of the transaction; null when it is gone.</summary>
    public static Task<TenantProfile?> LoadAsync(TenantTransaction tx) =>
        tx.Known?.Find<TenantProfile>() is { } known ? Task.FromResult<TenantProfile?>(known) : tx.QuerySingleOrDefaultAsync<TenantProfile>(Sql);

    /// <summary>Asks the same in a batch.</summary>
    public static Task<TenantProfile?> AskAsync(SqlBatch batch, Guid tenant) =>
        batch.Add(Sql, null, tenant, async (reader, token) => (await SqlBatch.RowsAsync<TenantProfile>(reader, token)).SingleOrDefault());

    private const string Sql =
        """
        select id, name, safe_zone(time_zone) as TimeZone, currency, locale, week_start as WeekStart, hourly_labour_cost as HourlyLabourCost,
               automation_cost_per_month as AutomationCostPerMonth, data_version as DataVersion, is_demo as IsDemo,
               fiscal_year_start_month as FiscalYearStartMonth, headline
        from tenants where id = @tenant
        """;

    /// <summary>Tells every reader's ETag that something changed.</summary>
    public static Task BumpVersionAsync(TenantTransaction tx) =>
        tx.ExecuteAsync("update tenants set data_version = data_version + 1 where id = @tenant");
}

/// <summary>Business days.</summary>
internal static class LocalDay
{
    /// <summary>The date on a wall clock in a zone at an instant.</summary>
    public static DateOnly Of(DateTimeOffset instant, TimeZoneInfo zone) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(instant, zone).DateTime);

    /// <summary>First instant of a day in a zone; the same as <c>start_of_day</c> in SQL.</summary>
    /// <remarks>Where daylight saving skips midnight the day begins when the clock comes back; where midnight comes twice, with the first.</remarks>
    public static DateTimeOffset Start(DateOnly day, TimeZoneInfo zone)
    {
        var midnight = day.ToDateTime(TimeOnly.MinValue);
        for (var skipped = 0; skipped < 4 && zone.IsInvalidTime(midnight); skipped++)
            midnight = midnight.AddMinutes(30);

        // The first of two has the greater offset.
        var offset = zone.IsAmbiguousTime(midnight) ? zone.GetAmbiguousTimeOffsets(midnight).Max() : zone.GetUtcOffset(midnight);
        return new DateTimeOffset(midnight, offset);
    }
}
