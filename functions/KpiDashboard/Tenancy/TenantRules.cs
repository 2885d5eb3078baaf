using KpiDashboard.Security;
using System.Globalization;

namespace KpiDashboard.Tenancy;

/// <summary>What a business may be set to; each rule adds a sentence that names the field, or nothing.</summary>
internal static class TenantRules
{
    /// <summary>A name of 1 to 200 characters, each of which can be seen, and no address: it stands in mails to people who did not ask for them.</summary>
    public static void Name(IDictionary<string, string[]> errors, string field, string? value)
    {
        if (PlainText.Fault(field, value, 200) is { } fault)
            errors[field] = [fault];
        else if (value!.Contains("://", StringComparison.Ordinal) || value.Contains("www.", StringComparison.OrdinalIgnoreCase))
            errors[field] = [$"'{field}' must be a name, not an address of the web."];
    }

    /// <summary>An IANA time zone of a place (or UTC) that this process knows; <see cref="TimeZoneNames"/> asks the database as well.</summary>
    public static void TimeZone(IDictionary<string, string[]> errors, string field, string? value)
    {
        if (value is null || !(value == "UTC" || value.Contains('/')) || TimeZoneNames.Find(value) is null)
            errors[field] = [$"'{field}' must be an IANA time zone like Europe/Berlin."];
    }

    /// <summary>An ISO 4217 currency in use.</summary>
    public static void Currency(IDictionary<string, string[]> errors, string field, string? value)
    {
        if (!Currencies.IsInUse(value)) errors[field] = [$"'{field}' must be an ISO 4217 currency like EUR."];
    }

    /// <summary>A BCP 47 locale such as <c>en-GB</c>.</summary>
    public static void Locale(IDictionary<string, string[]> errors, string field, string? value)
    {
        var parts = value?.Split('-') ?? [];
        if (value is not { Length: >= 2 and <= 35 } || parts[0].Length is < 2 or > 3 || !parts[0].All(char.IsAsciiLetterLower)
            || !parts.Skip(1).All(part => part.Length is >= 2 and <= 8 && part.All(char.IsAsciiLetterOrDigit)))
            errors[field] = [$"'{field}' must be a locale like en-GB."];
    }

    /// <summary>An amount of money from 0 to 999999999, with at most two decimals; null is none.</summary>
    public static void Amount(IDictionary<string, string[]> errors, string field, decimal? value)
    {
        if (value is < 0 or > 999_999_999 || value is { } amount && decimal.Round(amount, 2) != amount)
            errors[field] = [string.Create(CultureInfo.InvariantCulture, $"'{field}' must be an amount from 0 to 999999999 with at most two decimals, or null.")];
    }

    /// <summary>First day of a week: 0 = Sunday … 6 = Saturday.</summary>
    public static void WeekStart(IDictionary<string, string[]> errors, string field, int value)
    {
        if (value is < 0 or > 6) errors[field] = [$"'{field}' must be 0 (Sunday) to 6 (Saturday)."];
    }

    /// <summary>A month from 1 to 12.</summary>
    public static void Month(IDictionary<string, string[]> errors, string field, int value)
    {
        if (value is < 1 or > 12) errors[field] = [$"'{field}' must be a month from 1 (January) to 12 (December)."];
    }
}
