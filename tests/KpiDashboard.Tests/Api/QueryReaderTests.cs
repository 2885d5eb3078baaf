using FsCheck;
using FsCheck.Xunit;
using KpiDashboard.Api;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace KpiDashboard.Tests.Api;

public sealed class QueryReaderTests
{
    private static QueryReader Reader(string query) => new(new DefaultHttpContext { Request = { QueryString = new QueryString(query) } }.Request);

    private static string? ErrorOf(string query, Action<QueryReader> read, string field)
    {
        var reader = Reader(query);
        read(reader);
        var problem = Record.Exception(reader.ThrowIfInvalid) as ApiProblem;
        return problem is null ? null : Assert.Single(problem.Errors![field]);
    }

    [Theory]
    [InlineData("", 50)]
    [InlineData("?limit=", 50)]
    [InlineData("?limit=1", 1)]
    [InlineData("?limit=200", 200)]
    [InlineData("?limit=007", 7)]
    public void A_number_within_its_limits_is_taken_and_an_absent_one_is_the_usual(string query, int expected) =>
        Assert.Equal(expected, Reader(query).Number("limit", 50, 1, 200));

    [Theory]
    [InlineData("0")]
    [InlineData("201")]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("1e2")]
    [InlineData("%2B5")]
    [InlineData("%205")]
    [InlineData("1,000")]
    [InlineData("99999999999999999999")]
    [InlineData("many")]
    [InlineData("%D9%A5")]
    public void Any_other_number_is_refused_with_its_limits(string text) =>
        Assert.Equal("'limit' must be a whole number from 1 to 200.", ErrorOf($"?limit={text}", reader => reader.Number("limit", 50, 1, 200), "limit"));

    [Theory]
    [InlineData("2026-02-29")]
    [InlineData("2026-2-1")]
    [InlineData("26-02-01")]
    [InlineData("2026-02-01T00:00:00Z")]
    [InlineData(" 2026-02-01")]
    [InlineData("today")]
    [InlineData("0000-01-01")]
    public void A_date_that_is_none_is_refused_and_quoted(string text) =>
        Assert.Equal($"'from' must be a date like 2026-11-21; '{text}' is none.", ErrorOf($"?from={Uri.EscapeDataString(text)}", reader => reader.Date("from"), "from"));

    [Property(MaxTest = 300)]
    public void Every_date_is_read_back(DoNotSize<uint> number)
    {
        var day = DateOnly.FromDayNumber((int)(number.Item % (uint)(DateOnly.MaxValue.DayNumber + 1)));
        var reader = Reader($"?from={day:O}");
        Assert.Equal(day, reader.Date("from"));
        reader.ThrowIfInvalid();
    }

    [Property(MaxTest = 500)]
    public void No_query_makes_the_reader_throw_anything_but_a_problem(NonNull<string> name, NonNull<string> value)
    {
        var reader = Reader($"?{Uri.EscapeDataString("q" + name.Get)}={Uri.EscapeDataString(value.Get)}&q={Uri.EscapeDataString(value.Get)}");
        _ = reader.Date("q");
        _ = reader.Id("q");
        _ = reader.Number("q", 1, 1, 9);
        _ = reader.Choice("q", "a", "b");
        Assert.True(Record.Exception(reader.ThrowIfInvalid) is null or ApiProblem { Status: 400 });
    }

    [Fact]
    public void A_word_must_be_one_of_the_choices_in_their_own_case_and_the_first_when_absent()
    {
        Assert.Equal("day", Reader("").Choice("grain", "day", "week"));
        Assert.Equal("week", Reader("?grain=week").Choice("grain", "day", "week"));
        Assert.Equal("'grain' must be one of day, week; 'Week' is none.", ErrorOf("?grain=Week", reader => reader.Choice("grain", "day", "week"), "grain"));
    }

    [Fact]
    public void A_long_wrong_word_is_quoted_shortened() =>
        Assert.Equal($"'grain' must be one of day, week; '{new string('x', 40)}…' is none.", ErrorOf($"?grain={new string('x', 150)}", reader => reader.Choice("grain", "day", "week"), "grain"));

    [Fact]
    public void A_text_may_have_as_many_characters_as_the_field_takes_and_no_more()
    {
        Assert.Equal(new string('x', 200), Reader($"?q={new string('x', 200)}").Text("q"));
        Assert.Equal("'q' may have at most 200 characters.", ErrorOf($"?q={new string('x', 201)}", reader => reader.Text("q"), "q"));
        Assert.Equal("'q' may have at most 3 characters.", ErrorOf("?q=four", reader => reader.Text("q", 3), "q"));
    }

    [Theory]
    [InlineData("?limit=5&limit=6")]
    [InlineData("?limit=&limit=6")]
    [InlineData("?limit=6&limit=")]
    public void A_field_given_twice_is_refused_even_if_one_of_them_is_empty(string query) =>
        Assert.Equal("'limit' is given more than once.", ErrorOf(query, reader => reader.Number("limit", 50, 1, 200), "limit"));

    [Theory]
    [InlineData("0190b2c4-1111-7222-8333-44445555666")]
    [InlineData("0190b2c4111172228333444455556666")]
    [InlineData("{0190b2c4-1111-7222-8333-444455556666}")]
    [InlineData("1")]
    public void An_id_has_one_form_only(string text) =>
        Assert.Equal("'id' must be an id like 0190b2c4-….", ErrorOf($"?id={Uri.EscapeDataString(text)}", reader => reader.Id("id"), "id"));

    [Fact]
    public void An_id_in_its_form_is_read() =>
        Assert.Equal(Guid.Parse("0190b2c4-1111-7222-8333-444455556666"), Reader("?id=0190B2C4-1111-7222-8333-444455556666").Id("id"));

    [Fact]
    public void All_that_is_wrong_is_told_at_once_and_each_field_once()
    {
        var reader = Reader("?from=x&limit=y");
        reader.Date("from");
        reader.Date("from");
        reader.Number("limit", 1, 1, 2);
        var problem = Assert.Throws<ApiProblem>(reader.ThrowIfInvalid);
        Assert.Equal((400, "validation"), (problem.Status, problem.Type));
        Assert.Equal(["from", "limit"], problem.Errors!.Keys.Order());
        Assert.All(problem.Errors!.Values, sentences => Assert.Single(sentences));
        Assert.Contains("'from'", problem.Message, StringComparison.Ordinal);
        Assert.Contains("'limit'", problem.Message, StringComparison.Ordinal);
    }
}
