using System.Globalization;
using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Xunit;
using KpiDashboard.Kpis;
using KpiDashboard.Tenancy;
using Xunit;

namespace KpiDashboard.Tests.Kpis;

/// <summary>Numbers in sentences: a currency's own decimals, and the digits that tell compared ones apart.</summary>
public sealed class NumberTextTests
{
    [Theory]
    [InlineData("JPY", "85", "¥85")]
    [InlineData("KRW", "85.4", "KRW 85")]
    [InlineData("KWD", "85", "KWD 85.000")]
    [InlineData("TND", "1.2345", "TND 1.235")]
    [InlineData("EUR", "85", "€85.00")]
    [InlineData("EUR", "-0.001", "€0.00")]
    [InlineData("EUR", "-2450", "−€2,450")]
    [InlineData("ISK", "12", "ISK 12")]
    [InlineData(null, "85", "85.00")]
    public void Money_has_the_decimals_of_its_currency(string? currency, string value, string expected) =>
        Assert.Equal(expected, NumberText.Shown(KpiUnit.Currency, decimal.Parse(value, CultureInfo.InvariantCulture), currency));

    [Theory]
    [InlineData("Ratio", "0.9985", "0.999", "99.85%", "99.9%")]
    [InlineData("Ratio", "0.9996", "1", "99.96%", "100%")]
    [InlineData("Ratio", "0.5", "0.6", "50%", "60%")]
    [InlineData("Count", "412.2", "412.4", "412.2", "412.4")]
    [InlineData("Currency", "1000.4", "1000.3", "€1,000.40", "€1,000.30")]
    [InlineData("Currency", "1000.0004", "1000.0003", "€1,000.0004", "€1,000.0003")]
    [InlineData("Currency", "30000", "29999.6", "€30,000.00", "€29,999.60")]
    [InlineData("Seconds", "99.999", "100", "99.999 s", "100 s")]
    public void Numbers_that_are_compared_have_the_digits_that_tell_them_apart(string unit, string one, string other, string shown, string otherShown) =>
        Assert.Equal([shown, otherShown], NumberText.Apart(Enum.Parse<KpiUnit>(unit), "EUR", decimal.Parse(one, CultureInfo.InvariantCulture), decimal.Parse(other, CultureInfo.InvariantCulture)));

    [Property(MaxTest = 2000)]
    public void Different_numbers_never_look_alike_and_are_in_the_order_that_they_look(int first, int second, byte scale, byte unit, byte currency)
    {
        var (one, other) = (new decimal(Math.Abs((long)first) % int.MaxValue) / Power(scale), new decimal(Math.Abs((long)second) % int.MaxValue) / Power(scale));
        var (kind, code) = ((KpiUnit)(unit % 8), new[] { "JPY", "EUR", "KWD", null }[currency % 4]);
        var shown = NumberText.Apart(kind, code, one, other);
        Assert.Equal(one == other, shown[0] == shown[1]);
        Assert.Equal(one.CompareTo(other), Read(shown[0]).CompareTo(Read(shown[1])));

        static decimal Power(byte scale) => (decimal)Math.Pow(10, scale % 9);
        static decimal Read(string text) => decimal.Parse(Regex.Match(text, "[0-9.,]+").Value, NumberStyles.Number, CultureInfo.InvariantCulture);
    }

    [Theory]
    [InlineData("EUR", "EUR")]
    [InlineData(" eur ", "EUR")]
    [InlineData("BGN", "BGN")]
    [InlineData("(not set)", null)]
    [InlineData("", null)]
    [InlineData("XXX", null)]
    [InlineData("€", null)]
    [InlineData("EURO", null)]
    [InlineData(null, null)]
    public void What_a_provider_says_is_a_currency_only_if_it_is_one(string? told, string? expected) => Assert.Equal(expected, Currencies.OrNull(told));

    [Fact]
    public void The_page_has_the_same_decimals()
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "static-web", "src", "lib", "currency.ts"));
        var page = Regex.Matches(text, @"^\s+(\d): '([A-Z ]+)'", RegexOptions.Multiline)
            .SelectMany(match => match.Groups[2].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(code => (code, int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))))
            .ToDictionary(item => item.code, item => item.Item2);
        Assert.Equal(Currencies.UnusualDecimals.OrderBy(item => item.Key, StringComparer.Ordinal), page.OrderBy(item => item.Key, StringComparer.Ordinal));
        Assert.All(Currencies.UnusualDecimals.Keys.Except(["BYR"]), code => Assert.True(Currencies.IsInUse(code)));
    }
}
