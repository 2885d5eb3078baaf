namespace KpiDashboard.Tenancy;

/// <summary>Tenant settings that money KPIs rest on, in the tenant's currency (null where that does not matter).</summary>
internal sealed record TenantEconomics(decimal? HourlyLabourCost, decimal? AutomationCostPerMonth, string? Currency = null)
{
    /// <summary>Automation cost of one day: the month's cost spread evenly over the days of that month.</summary>
    public decimal DailyCost(DateOnly day) => (AutomationCostPerMonth ?? 0) / DateTime.DaysInMonth(day.Year, day.Month);
}
