using System.Text;
using KpiDashboard.Api;
using KpiDashboard.Identity;
using KpiDashboard.Sync;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace KpiDashboard.Tests.Api;

public sealed class JsonBodyTests
{
    private static HttpRequest Request(byte[] body, string? contentType = "application/json", bool announced = false)
    {
        var request = new DefaultHttpContext().Request;
        request.Body = new MemoryStream(body);
        request.ContentType = contentType;
        if (announced) request.ContentLength = body.Length;
        return request;
    }

    private static Task<CreateTokenRequest?> ReadAsync(string body, string? contentType = "application/json") =>
        JsonBody.ReadAsync(Request(Encoding.UTF8.GetBytes(body), contentType), TokenJson.Default.CreateTokenRequest, TestContext.Current.CancellationToken);

    private static async Task<ApiProblem> RefusedAsync(string body, string? contentType = "application/json") =>
        await Assert.ThrowsAsync<ApiProblem>(() => ReadAsync(body, contentType));

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/json; charset=utf-8")]
    [InlineData("application/vnd.api+JSON")]
    [InlineData(null)]
    public async Task A_good_body_is_read(string? contentType)
    {
        var body = await ReadAsync("""{"name":"cron","scopes":["refresh"],"expiresAt":"2027-01-01T00:00:00Z"}""", contentType);
        Assert.Equal(("cron", "refresh", 2027), (body!.Name, Assert.Single(body.Scopes), body.ExpiresAt!.Value.Year));
    }

    [Theory]
    [InlineData("", "The body is empty; this route takes a JSON object.")]
    [InlineData("null", "The body is null; this route takes a JSON object.")]
    [InlineData("{", "The body is not valid JSON (line 1).")]
    [InlineData("{\n\"name\": \"a\",\n]", "The body is not valid JSON (line 3).")]
    [InlineData("hello", "The body is not valid JSON (line 1).")]
    [InlineData("{}", "The body lacks name, scopes.")]
    [InlineData("""{"name":"cron"}""", "The body lacks scopes.")]
    public async Task A_body_that_is_none_is_refused_with_what_is_wrong(string body, string sentence)
    {
        var problem = await RefusedAsync(body);
        Assert.Equal((400, sentence), (problem.Status, problem.Message));
    }

    [Theory]
    [InlineData("""{"name":5,"scopes":[]}""", "name", "'name' has a value of the wrong kind.")]
    [InlineData("""{"name":null,"scopes":[]}""", "name", "'name' has a value of the wrong kind.")]
    [InlineData("""{"name":"\ud800","scopes":[]}""", "name", "'name' holds a character that no text can hold (NUL, or half of a character).")]
    [InlineData("""{"name":"a","scopes":"read"}""", "scopes", "'scopes' has a value of the wrong kind.")]
    [InlineData("""{"name":"a","scopes":["read",5]}""", "scopes[1]", "'scopes[1]' has a value of the wrong kind.")]
    [InlineData("""{"name":"a","scopes":[],"expiresAt":"2026-13-01"}""", "expiresAt", "'expiresAt' has a value of the wrong kind.")]
    [InlineData("""{"name":"a","scopes":[],"expires":null}""", "expires", "'expires' is not a field of this request.")]
    public async Task A_wrong_field_is_named(string body, string field, string sentence)
    {
        var problem = await RefusedAsync(body);
        Assert.Equal((400, "validation"), (problem.Status, problem.Type));
        Assert.Equal([sentence], problem.Errors![field]);
    }

    [Theory]
    [InlineData("a.b")]
    [InlineData("it's")]
    [InlineData("with space")]
    [InlineData("$type")]
    [InlineData("")]
    public async Task An_unknown_field_with_an_odd_name_is_named_too_and_our_types_never_are(string field)
    {
        var problem = await RefusedAsync($$"""{"name":"a","scopes":[],"{{field}}":1}""");
        Assert.Equal(400, problem.Status);
        Assert.Contains($"'{field}'", problem.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("KpiDashboard", problem.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Request", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    public async Task A_body_that_says_it_is_no_JSON_is_refused(string contentType) =>
        Assert.Equal("The body must be JSON with Content-Type: application/json.", (await RefusedAsync("""{"name":"a","scopes":[]}""", contentType)).Message);

    [Fact]
    public async Task A_body_nested_without_end_is_refused() => Assert.Equal(400, (await RefusedAsync("""{"name":""" + new string('[', 10_000))).Status);

    [Fact]
    public async Task An_empty_body_is_nothing_where_it_may_be_left_out() =>
        Assert.Null(await JsonBody.ReadAsync(Request([], null), RunJson.Default.RefreshRequest, TestContext.Current.CancellationToken, optional: true));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_over_the_limit_is_refused_whether_it_announces_its_length_or_not(bool announced)
    {
        var fits = new byte[JsonBody.DefaultLimit];
        Assert.Equal(fits.Length, (await JsonBody.ReadBytesAsync(Request(fits, announced: announced), JsonBody.DefaultLimit, TestContext.Current.CancellationToken)).Length);
        var problem = await Assert.ThrowsAsync<ApiProblem>(() =>
            JsonBody.ReadBytesAsync(Request(new byte[JsonBody.DefaultLimit + 1], announced: announced), JsonBody.DefaultLimit, TestContext.Current.CancellationToken));
        Assert.Equal((413, "The body may have at most 64 KB."), (problem.Status, problem.Message));
    }
}
