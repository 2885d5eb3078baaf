using System.Globalization;
using KpiDashboard.Api;
using KpiDashboard.Kpis;
using Xunit;

namespace KpiDashboard.Tests.Api;

/// <summary>Numbers in sentences are written as the page writes its own: in the reader's language, in Latin letters and digits.</summary>
public sealed class NumberLanguageTests
{
    [Theory]
    // Nothing said, or nothing that is a language.
    [InlineData(null, "$24,671", "2,120", "17%", "0.9%")]
    [InlineData("", "$24,671", "2,120", "17%", "0.9%")]
    [InlineData("*", "$24,671", "2,120", "17%", "0.9%")]
    [InlineData("no language at all", "$24,671", "2,120", "17%", "0.9%")]
    [InlineData("x-ⅳ", "$24,671", "2,120", "17%", "0.9%")]
    [InlineData("en-US,en;q=0.9", "$24,671", "2,120", "17%", "0.9%")]
    [InlineData("de-DE,de;q=0.9,en;q=0.8", "24.671\u00a0$", "2.120", "17\u00a0%", "0,9\u00a0%")]
    [InlineData("de", "24.671\u00a0$", "2.120", "17\u00a0%", "0,9\u00a0%")]
    // A script of its own is not asked for within English words; where it is read keeps its separators.
    [InlineData("de-DE-u-nu-arab", "24.671\u00a0$", "2.120", "17\u00a0%", "0,9\u00a0%")]
    [InlineData("ru-RU", "$24,671", "2,120", "17%", "0.9%")]
    [InlineData("ja", "$24,671", "2,120", "17%", "0.9%")]
    [InlineData("he-IL", "$24,671", "2,120", "17%", "0.9%")]
    [InlineData("vi-VN", "24.671\u00a0$", "2.120", "17%", "0,9%")]
    public void A_number_is_written_as_its_reader_writes_it(string? header, string money, string count, string whole, string share)
    {
        Assert.Equal("24,671", 24671.ToString("N0", CultureInfo.InvariantCulture));
        Assert.NotNull(NumberLanguage.WriteFor(header));
        Assert.Equal(
            [money, count, whole, share, whole],
            [
                NumberText.Shown(KpiUnit.Currency, 24671.2m, "USD"), NumberText.Shown(KpiUnit.Count, 2120, null), NumberText.Shown(KpiUnit.Ratio, 0.17m, null),
                NumberText.Shown(KpiUnit.Ratio, 0.009m, null), NumberText.PercentWhole(0.17m),
            ]);
    }

    [Theory]
    [InlineData("ar-EG")]
    [InlineData("fa-IR")]
    [InlineData("hi-IN")]
    [InlineData("th-TH")]
    [InlineData("el-GR")]
    public void What_another_script_would_write_stays_in_latin_digits(string header)
    {
        NumberLanguage.WriteFor(header);
        Assert.Matches("^[$]24,671$", NumberText.Shown(KpiUnit.Currency, 24671.2m, "USD"));
        Assert.Matches("^0[.]9%$", NumberText.Shown(KpiUnit.Ratio, 0.009m, null));
    }

    [Fact]
    public async Task What_one_answer_is_written_in_is_nothing_to_the_next()
    {
        async Task<string> AnswerAsync(string header)
        {
            NumberLanguage.WriteFor(header);
            await Task.Yield();
            return NumberText.Shown(KpiUnit.Number, 1234.5m, null);
        }

        Assert.Equal(["1.235", "1,235"], await Task.WhenAll(AnswerAsync("de"), AnswerAsync("en")));
        Assert.Equal(CultureInfo.InvariantCulture, NumberLanguage.Current);
    }
}
