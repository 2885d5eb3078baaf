using KpiDashboard.Tenancy;
using Xunit;

namespace KpiDashboard.Tests.Tenancy;

public sealed class TenantRulesTests
{
    private static string? Sentence(Action<IDictionary<string, string[]>> rule)
    {
        var errors = new Dictionary<string, string[]>();
        rule(errors);
        if (errors.Count == 0) return null;
        var (field, sentences) = Assert.Single(errors);
        Assert.Equal("f", field);
        return Assert.Single(sentences);
    }

    [Theory]
    [InlineData("B", true)]
    [InlineData("  Café 🥐 ", true)]
    [InlineData(null, false)]
    [InlineData("", false)]
    [InlineData("   ", false)]
    [InlineData("a\nb", false)]
    [InlineData("a\0", false)]
    public void A_name_is_a_line_of_text(string? name, bool fits) => Assert.Equal(fits, Sentence(errors => TenantRules.Name(errors, "f", name)) is null);

    [Fact]
    public void A_name_has_at_most_200_characters_and_no_half_of_one()
    {
        Assert.Null(Sentence(errors => TenantRules.Name(errors, "f", new string('n', 200))));
        Assert.Contains("'f'", Sentence(errors => TenantRules.Name(errors, "f", new string('n', 201)))!, StringComparison.Ordinal);
        Assert.NotNull(Sentence(errors => TenantRules.Name(errors, "f", "a" + (char)0xD83E)));
    }

    [Theory]
    [InlineData("UTC", true)]
    [InlineData("Europe/Berlin", true)]
    [InlineData("America/Argentina/Buenos_Aires", true)]
    [InlineData("W. Europe Standard Time", false)]
    [InlineData("Mars/Base", false)]
    [InlineData("CET", false)]
    [InlineData("posix/Europe/Berlin", false)]
    [InlineData("right/Europe/Berlin", false)]
    [InlineData("POSIX/Europe/Berlin", false)]
    [InlineData("europe/berlin", false)]
    [InlineData(" Europe/Berlin ", false)]
    [InlineData("posixrules", false)]
    [InlineData("Factory", false)]
    [InlineData("localtime", false)]
    [InlineData("EST5EDT", false)]
    [InlineData("GMT+5", false)]
    [InlineData("<-03>3", false)]
    [InlineData("UTC+25", false)]
    [InlineData("Etc/GMT+5", true)]
    [InlineData("+02:00", false)]
    [InlineData("../etc/passwd", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void A_time_zone_is_of_the_IANA_database(string? zone, bool fits) => Assert.Equal(fits, Sentence(errors => TenantRules.TimeZone(errors, "f", zone)) is null);

    [Theory]
    [InlineData("EUR", true)]
    [InlineData("JPY", true)]
    [InlineData("eur", false)]
    [InlineData("XXX", false)]
    [InlineData("DEM", false)]
    [InlineData("EURO", false)]
    [InlineData(null, false)]
    public void A_currency_is_one_of_ISO_4217_in_use(string? currency, bool fits) => Assert.Equal(fits, Sentence(errors => TenantRules.Currency(errors, "f", currency)) is null);

    [Theory]
    [InlineData("en", true)]
    [InlineData("en-GB", true)]
    [InlineData("zh-Hant-TW", true)]
    [InlineData("EN-gb", false)]
    [InlineData("en_GB", false)]
    [InlineData("e", false)]
    [InlineData("en-", false)]
    [InlineData(null, false)]
    public void A_locale_has_the_form_of_BCP_47(string? locale, bool fits) => Assert.Equal(fits, Sentence(errors => TenantRules.Locale(errors, "f", locale)) is null);

    [Theory]
    [InlineData(null, true)]
    [InlineData("0", true)]
    [InlineData("45.50", true)]
    [InlineData("999999999", true)]
    [InlineData("999999999.01", false)]
    [InlineData("-0.01", false)]
    [InlineData("1.001", false)]
    public void An_amount_has_two_decimals_and_is_never_negative(string? amount, bool fits) => Assert.Equal(fits, Sentence(errors => TenantRules.Amount(
        errors, "f", amount is null ? null : decimal.Parse(amount, System.Globalization.CultureInfo.InvariantCulture))) is null);

    [Fact]
    public void Weeks_start_on_one_of_seven_days_and_years_in_one_of_twelve_months()
    {
        Assert.Equal(Enumerable.Range(0, 7), Enumerable.Range(-3, 20).Where(day => Sentence(errors => TenantRules.WeekStart(errors, "f", day)) is null));
        Assert.Equal(Enumerable.Range(1, 12), Enumerable.Range(-3, 20).Where(month => Sentence(errors => TenantRules.Month(errors, "f", month)) is null));
    }
}
