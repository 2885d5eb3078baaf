using KpiDashboard.Data;
using KpiDashboard.Kpis;

namespace KpiDashboard.Tenancy;

/// <summary>A tenant's settings, and the version of its data.</summary>
internal sealed record TenantProfile(
    Guid Id, string Name, string TimeZone, string Currency, string Locale, short WeekStart, decimal? HourlyLabourCost, decimal? AutomationCostPerMonth,
    long DataVersion, bool IsDemo, short FiscalYearStartMonth)
{
    /// <summary>The tenant's time zone.</summary>
    public TimeZoneInfo Zone => TimeZoneInfo.FindSystemTimeZoneById(TimeZone);

    /// <summary>What money KPIs rest on.</summary>
    public TenantEconomics Economics => new(HourlyLabourCost, AutomationCostPerMonth);

    /// <summary>The date that the tenant's clock shows.</summary>
    public DateOnly Today(TimeProvider time) => LocalDay.Of(time.GetUtcNow(), Zone);

    /// <summary>Reads the tenant of the transaction; null when it is gone.</summary>
    public static Task<TenantProfile?> LoadAsync(TenantTransaction tx) => tx.QuerySingleOrDefaultAsync<TenantProfile>(
        """
        select id, name, time_zone as TimeZone, currency, locale, week_start as WeekStart, hourly_labour_cost as HourlyLabourCost,
               automation_cost_per_month as AutomationCostPerMonth, data_version as DataVersion, is_demo as IsDemo,
               fiscal_year_start_month as FiscalYearStartMonth
        from tenants where id = @tenant
        """);

    /// <summary>Tells every reader's ETag that something changed.</summary>
    public static Task BumpVersionAsync(TenantTransaction tx) =>
        tx.ExecuteAsync("update tenants set data_version = data_version + 1 where id = @tenant");
}

/// <summary>Business days.</summary>
internal static class LocalDay
{
    /// <summary>The date on a wall clock in a zone at an instant.</summary>
    public static DateOnly Of(DateTimeOffset instant, TimeZoneInfo zone) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(instant, zone).DateTime);
}
