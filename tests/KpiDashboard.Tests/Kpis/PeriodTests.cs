using System.Globalization;
using FsCheck;
using FsCheck.Xunit;
using KpiDashboard.Api;
using KpiDashboard.Kpis;
using KpiDashboard.Metrics;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace KpiDashboard.Tests.Kpis;

public sealed class PeriodTests
{
    private static readonly DateOnly Today = new(2026, 11, 21);

    private static Period Read(string query, DateOnly? completeThrough = null, DateOnly? today = null) =>
        Period.Read(new QueryReader(new DefaultHttpContext { Request = { QueryString = new QueryString(query) } }.Request), today ?? Today, completeThrough);

    private static IReadOnlyDictionary<string, string[]> Errors(string query) => Assert.Throws<ApiProblem>(() => Read(query)).Errors!;

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(8, 8)]
    [InlineData(9, 1)]
    [InlineData(400, 1)]
    [InlineData(0, 1)]
    [InlineData(-1, 1)]
    public void A_preset_ends_at_the_last_complete_day_of_the_last_week_and_else_yesterday(int completeDaysAgo, int endsDaysAgo) =>
        Assert.Equal(Today.AddDays(-endsDaysAgo), Read("?range=last_7_days", Today.AddDays(-completeDaysAgo)).To);

    [Fact]
    public void Without_any_complete_day_a_preset_ends_yesterday() => Assert.Equal(Today.AddDays(-1), Read("").To);

    [Theory]
    [InlineData("", "last_7_days", 7)]
    [InlineData("?range=last_7_days", "last_7_days", 7)]
    [InlineData("?range=last_day", "last_day", 1)]
    [InlineData("?range=last_28_days", "last_28_days", 28)]
    [InlineData("?range=last_90_days", "last_90_days", 90)]
    [InlineData("?range=last_12_months", "last_12_months", 365)]
    public void A_preset_has_as_many_days_as_its_name_says(string query, string range, int days)
    {
        var period = Read(query, Today.AddDays(-2));
        Assert.Equal((range, Today.AddDays(-2), days), (period.Range, period.To, period.To.DayNumber - period.From.DayNumber + 1));
    }

    [Theory]
    [InlineData("last_day", "previous_year")]
    [InlineData("last_7_days", "previous_year")]
    [InlineData("last_28_days", "previous_period")]
    [InlineData("last_28_days", "previous_year")]
    [InlineData("last_90_days", "previous_year")]
    [InlineData("last_12_months", "previous_year")]
    public void A_preset_that_ends_with_a_given_day_is_the_preset_of_a_reader_whose_last_complete_day_that_is(string range, string compare)
    {
        var whole = Read($"?range={range}&compare={compare}", Today.AddDays(-3));
        // Of a source that is complete for less, or for more.
        foreach (var other in new DateOnly?[] { null, Today.AddDays(-6), Today.AddDays(-1) })
            Assert.Equal(whole, Read(FormattableString.Invariant($"?range={range}&to={whole.To:yyyy-MM-dd}&compare={compare}"), other));
    }

    [Theory]
    [InlineData("?range=last_7_days&to=2026-11-23", "to", "'to' (2026-11-23) is in the future.")]
    [InlineData("?range=last_7_days&to=1999-01-01", "to", "'to' must be 2001-01-01 or later.")]
    [InlineData("?range=last_7_days&to=yesterday", "to", null)]
    [InlineData("?range=whenever&to=2026-11-20", "range", null)]
    [InlineData("?range=today&to=2026-11-20", "to", "'to' must be left out, or be 2026-11-21, where 'range' is today.")]
    [InlineData("?range=last_7_days&from=2026-11-20", "range", "Give either 'range' or 'from' and 'to', not both.")]
    public void A_preset_cannot_end_with_what_is_no_day_of_it(string query, string field, string? sentence)
    {
        var said = Errors(query)[field].Single();
        Assert.Contains($"'{field}'", said, StringComparison.Ordinal);
        if (sentence is not null) Assert.Equal(sentence, said);
    }

    [Theory]
    [InlineData("2028-03-01", "2027-03-01", "2028-02-29")]
    [InlineData("2029-03-01", "2028-02-29", "2029-02-28")]
    [InlineData("2028-02-29", "2027-03-01", "2028-02-28")]
    [InlineData("2027-01-01", "2026-01-01", "2026-12-31")]
    public void Twelve_months_end_yesterday_and_begin_the_day_after_the_same_date_a_year_before(string today, string from, string to)
    {
        var period = Read("?range=last_12_months", today: DateOnly.Parse(today, CultureInfo.InvariantCulture));
        Assert.Equal((from, to), ($"{period.From:O}", $"{period.To:O}"));
    }

    [Fact]
    public void Dates_that_are_given_are_taken_as_they_are()
    {
        var period = Read("?from=2026-01-05&to=2026-02-10&compare=none");
        Assert.Equal(new Period("custom", new DateOnly(2026, 1, 5), new DateOnly(2026, 2, 10), "none", null, null), period);
    }

    [Fact]
    public void A_range_may_end_tomorrow_because_a_property_may_be_a_day_ahead() => Assert.Equal(Today.AddDays(1), Read("?from=2026-11-22&to=2026-11-22").To);

    [Theory]
    [InlineData("?from=2026-11-01", "to", "'to' is missing: give both 'from' and 'to'.")]
    [InlineData("?to=2026-11-01", "from", "'from' is missing: give both 'from' and 'to'.")]
    [InlineData("?from=2026-11-02&to=2026-11-01", "from", "'from' (2026-11-02) is after 'to' (2026-11-01).")]
    [InlineData("?from=2026-11-02&to=2026-11-23", "to", "'to' (2026-11-23) is in the future.")]
    [InlineData("?from=2024-01-01&to=2026-11-01", "from", "The range may have at most 800 days.")]
    [InlineData("?from=2026-11-01&to=2026-11-02&range=last_day", "range", "Give either 'range' or 'from' and 'to', not both.")]
    [InlineData("?from=yesterday&to=2026-11-02", "from", "'from' must be a date like 2026-11-21; 'yesterday' is none.")]
    [InlineData("?from=2026-02-29&to=2026-11-02", "from", "'from' must be a date like 2026-11-21; '2026-02-29' is none.")]
    [InlineData("?from=2026-11-01&to=01.11.2026", "to", "'to' must be a date like 2026-11-21; '01.11.2026' is none.")]
    [InlineData("?range=last_week", "range", "'range' must be one of last_7_days, last_day, last_28_days, last_90_days, last_12_months, today; 'last_week' is none.")]
    [InlineData("?compare=last_year", "compare", "'compare' must be one of previous_period, previous_year, none; 'last_year' is none.")]
    [InlineData("?from=2026-11-01&from=2026-11-02&to=2026-11-03", "from", "'from' is given more than once.")]
    public void Wrong_input_is_answered_with_a_sentence_about_the_field(string query, string field, string sentence)
    {
        var errors = Errors(query);
        Assert.Equal([sentence], errors[field]);
        Assert.Single(errors);
    }

    [Fact]
    public void Several_wrong_fields_are_told_together() =>
        Assert.Equal(["compare", "from", "to"], Errors("?from=x&to=y&compare=z").Keys.Order());

    [Fact]
    public void A_range_of_800_days_is_taken_and_of_801_is_not()
    {
        var to = new DateOnly(2026, 11, 20);
        Assert.Equal(to.AddDays(-799), Read($"?from={to.AddDays(-799):O}&to={to:O}").From);
        Assert.Contains("from", Errors($"?from={to.AddDays(-800):O}&to={to:O}").Keys);
    }

    [Theory]
    [InlineData("?from=0001-01-01&to=0001-01-02")]
    [InlineData("?from=0001-01-01&to=0001-12-31&compare=previous_year")]
    [InlineData("?from=1899-12-31&to=1900-01-01")]
    public void A_range_before_there_was_anything_to_measure_is_refused_and_no_fault_of_ours(string query) =>
        Assert.Equal(["'from' must be 2000-01-01 or later."], Errors(query)["from"]);

    [Theory]
    [InlineData("th-TH")]
    [InlineData("ar-SA")]
    [InlineData("fa-IR")]
    public void Sentences_show_dates_as_they_were_written_whatever_calendar_the_server_has(string culture)
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(culture);
            Assert.Equal(["'from' (2026-11-02) is after 'to' (2026-11-01)."], Errors("?from=2026-11-02&to=2026-11-01")["from"]);
            Assert.Equal(["'to' (2026-11-23) is in the future."], Errors("?from=2026-11-02&to=2026-11-23")["to"]);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Property(MaxTest = 500)]
    public void The_previous_period_has_as_many_days_and_ends_the_day_before(DoNotSize<uint> start, DoNotSize<uint> length)
    {
        var (from, to) = Range(start, length);
        var (otherFrom, otherTo) = Period.Other("custom", from, to, "previous_period");
        Assert.Equal(from, otherTo!.Value.AddDays(1));
        Assert.Equal(to.DayNumber - from.DayNumber, otherTo.Value.DayNumber - otherFrom!.Value.DayNumber);
    }

    [Property(MaxTest = 500)]
    public void Last_year_of_days_that_a_person_chose_is_the_same_dates_however_many_they_are(DoNotSize<uint> start, DoNotSize<uint> length)
    {
        var (from, to) = Range(start, length);
        var (otherFrom, otherTo) = Period.Other("custom", from, to, "previous_year");
        Assert.Equal(YearBefore(from), otherFrom);
        // The only other day there is: the 29th that ends the February of a year before, where whole months are compared.
        if (otherTo is { Month: 2, Day: 29 }) Assert.Equal((1, 28, 1), (from.Day, to.Day, to.AddDays(1).Day));
        else Assert.Equal(YearBefore(to), otherTo);

        static DateOnly YearBefore(DateOnly day) => new(day.Year - 1, day.Month, day is { Month: 2, Day: 29 } ? 28 : day.Day);
    }

    [Property(MaxTest = 300)]
    public void Last_year_of_whole_months_is_whole_months(DoNotSize<uint> start, byte months)
    {
        var from = new DateOnly(2000 + (int)(start.Item % 60), 1 + (int)(start.Item / 60 % 12), 1);
        var to = from.AddMonths(1 + (months % 24)).AddDays(-1);
        var (otherFrom, otherTo) = Period.Other("custom", from, to, "previous_year");
        Assert.Equal((from.AddYears(-1), from.AddYears(-1).AddMonths(1 + (months % 24)).AddDays(-1)), (otherFrom!.Value, otherTo!.Value));
    }

    [Property(MaxTest = 300)]
    public void Last_year_of_a_preset_of_whole_weeks_or_of_one_day_keeps_the_weekdays_and_of_a_longer_one_the_dates(DoNotSize<uint> start)
    {
        var today = new DateOnly(2020, 1, 1).AddDays((int)(start.Item % 7300));
        foreach (var range in Period.Presets)
        {
            var period = Read($"?range={range}&compare=previous_year", today: today);
            if (range is "today" or "last_day" or "last_7_days" or "last_28_days")
            {
                Assert.Equal((period.From.AddDays(-364), period.To.AddDays(-364), true), (period.CompareFrom, period.CompareTo, period.ComparesWeekdays));
                Assert.Null(period.CompareNote);
                continue;
            }

            Assert.Equal((period.To.AddYears(-1).Month, false), (period.CompareTo!.Value.Month, period.ComparesWeekdays));
            // Neither overlaps the other.
            Assert.True(period.CompareTo < period.From);
        }
    }

    [Property(MaxTest = 500)]
    public void Where_the_two_have_not_as_many_days_the_answer_says_so_and_only_there(DoNotSize<uint> start, DoNotSize<uint> length, byte compare)
    {
        var (from, to) = Range(start, length);
        var period = Read($"?from={from:O}&to={to:O}&compare={new[] { "previous_period", "previous_year", "none" }[compare % 3]}", today: to);
        Assert.Equal(period.CompareDays is { } days && days != period.Days, period.CompareNote is not null);
        if (period.CompareNote is { } note)
        {
            Assert.Contains("29 February", note, StringComparison.Ordinal);
            Assert.Contains($" {period.Days} day", note, StringComparison.Ordinal);
            Assert.Contains($" {period.CompareDays} day", note, StringComparison.Ordinal);
            Assert.Equal(1, Math.Abs(period.Days - period.CompareDays!.Value));
        }
    }

    [Theory]
    [InlineData("2026-01-01", "2026-11-18", "2025-01-01", "2025-11-18")]
    [InlineData("2026-02-01", "2026-02-28", "2025-02-01", "2025-02-28")]
    [InlineData("2026-11-09", "2026-11-15", "2025-11-09", "2025-11-15")]
    [InlineData("2028-02-29", "2028-02-29", "2027-02-28", "2027-02-28")]
    [InlineData("2028-02-01", "2028-02-29", "2027-02-01", "2027-02-28")]
    [InlineData("2029-02-01", "2029-02-28", "2028-02-01", "2028-02-29")]
    [InlineData("2029-01-01", "2029-02-28", "2028-01-01", "2028-02-29")]
    [InlineData("2029-02-10", "2029-02-28", "2028-02-10", "2028-02-28")]
    [InlineData("2029-01-01", "2029-03-15", "2028-01-01", "2028-03-15")]
    [InlineData("2028-01-01", "2028-12-31", "2027-01-01", "2027-12-31")]
    public void Last_year_is_what_a_person_means(string from, string to, string otherFrom, string otherTo)
    {
        var other = Period.Other("custom", DateOnly.Parse(from, CultureInfo.InvariantCulture), DateOnly.Parse(to, CultureInfo.InvariantCulture), "previous_year");
        Assert.Equal((otherFrom, otherTo), ($"{other.From:O}", $"{other.To:O}"));
    }

    [Fact]
    public void Nothing_to_compare_with_is_no_period() => Assert.Equal((null, null), Period.Other("custom", Today, Today, "none"));

    [Property(MaxTest = 1000)]
    public void Any_two_dates_give_a_period_or_a_sentence_and_never_a_fault(DoNotSize<uint> one, DoNotSize<uint> other, bool near, byte compare)
    {
        // Of all days there are, or within ten years of today.
        var from = Day(one.Item, near);
        var to = near ? from.AddDays((int)(other.Item % 1000)) : Day(other.Item, near);
        try
        {
            var period = Read($"?from={from:O}&to={to:O}&compare={new[] { "previous_period", "previous_year", "none" }[compare % 3]}");
            Assert.Equal((from, to), (period.From, period.To));
            Assert.True(from <= to && to <= Today.AddDays(1) && to.DayNumber - from.DayNumber < Period.MaxDays);
            Assert.Equal(compare % 3 == 2, period.CompareFrom is null);
            Assert.Equal(period.CompareFrom is null, period.CompareTo is null);
            // What the period is made for must not overflow either.
            Assert.NotEmpty(MetricsEndpoints.Buckets(period.From, period.To, "week", DayOfWeek.Sunday));
        }
        catch (ApiProblem problem)
        {
            Assert.Equal(400, problem.Status);
            Assert.True(from > to || to > Today.AddDays(1) || to.DayNumber - from.DayNumber >= Period.MaxDays || from.Year < 2000);
        }

        static DateOnly Day(uint number, bool near) =>
            near ? Today.AddDays(-(int)(number % 3650)) : DateOnly.FromDayNumber((int)(number % (uint)(DateOnly.MaxValue.DayNumber + 1)));
    }

    private static (DateOnly From, DateOnly To) Range(DoNotSize<uint> start, DoNotSize<uint> length)
    {
        var from = new DateOnly(2000, 1, 1).AddDays((int)(start.Item % 14_600));
        return (from, from.AddDays((int)(length.Item % Period.MaxDays)));
    }
}
