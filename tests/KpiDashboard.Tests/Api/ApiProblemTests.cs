using System.Diagnostics;
using System.Text.Json.Nodes;
using KpiDashboard.Api;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace KpiDashboard.Tests.Api;

public sealed class ApiProblemTests
{
    private static async Task<(HttpResponse Response, JsonObject Body)> WriteAsync(ApiProblem problem)
    {
        var context = new DefaultHttpContext { TraceIdentifier = "trace-1" };
        context.Response.Body = new MemoryStream();
        context.Response.Headers.ETag = "\"of the answer that did not come\"";
        await problem.WriteAsync(context.Response, TestContext.Current.CancellationToken);
        context.Response.Body.Position = 0;
        return (context.Response, JsonNode.Parse(context.Response.Body)!.AsObject());
    }

    public static TheoryData<string, int> Kinds => new()
    {
        { "validation", 400 }, { "body", 400 }, { "unauthorized", 401 }, { "forbidden", 403 }, { "not-found", 404 }, { "conflict", 409 }, { "too-large", 413 }, { "fault", 500 },
        { "unavailable", 503 },
    };

    private static ApiProblem Make(string kind) => kind switch
    {
        "validation" => ApiProblem.Invalid("from", "'from' is wrong."),
        "body" => ApiProblem.BadBody("The body is empty."),
        "unauthorized" => ApiProblem.Unauthorized("Sign in."),
        "forbidden" => ApiProblem.Forbidden("Not you."),
        "not-found" => ApiProblem.NotFound("Nowhere."),
        "conflict" => ApiProblem.Conflict("Not now."),
        "too-large" => ApiProblem.TooLarge(65536),
        "fault" => ApiProblem.Fault(),
        "unavailable" => ApiProblem.Unavailable("Soon.", 5),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_problem_has_the_members_of_RFC_9457_and_a_trace_id(string kind, int status)
    {
        var (response, body) = await WriteAsync(Make(kind));

        Assert.Equal((status, "application/problem+json", "no-store"), (response.StatusCode, response.ContentType, response.Headers.CacheControl.ToString()));
        Assert.Equal(kind == "validation" ? ["detail", "errors", "status", "title", "traceId", "type"] : ["detail", "status", "title", "traceId", "type"], body.Select(member => member.Key).Order());
        Assert.Equal($"https://kpi-dashboard.example/problems/{kind}", (string?)body["type"]);
        Assert.Equal(status, (int?)body["status"]);
        Assert.Matches("^[A-Z].+[^.]$", (string?)body["title"]);
        Assert.Matches("^['A-Z].+\\.$", (string?)body["detail"]);
        Assert.Equal(Activity.Current?.TraceId.ToHexString() ?? "trace-1", (string?)body["traceId"]);
        Assert.Empty(response.Headers.ETag.ToString());
    }

    [Fact]
    public async Task Every_wrong_field_has_its_sentences()
    {
        var (_, body) = await WriteAsync(ApiProblem.Invalid(new Dictionary<string, string[]> { ["from"] = ["'from' is wrong."], ["to"] = ["'to' is wrong, too."] }));
        Assert.Equal("""{"from":["\u0027from\u0027 is wrong."],"to":["\u0027to\u0027 is wrong, too."]}""", body["errors"]!.ToJsonString());
        Assert.Equal("'from' is wrong. 'to' is wrong, too.", (string?)body["detail"]);
    }

    [Fact]
    public async Task A_refused_caller_is_told_how_to_sign_in_and_a_waiting_one_for_how_long()
    {
        Assert.Equal("Bearer", (await WriteAsync(ApiProblem.Unauthorized("Sign in."))).Response.Headers.WWWAuthenticate.ToString());
        Assert.Equal("5", (await WriteAsync(ApiProblem.Unavailable("Soon.", 5))).Response.Headers.RetryAfter.ToString());
        Assert.Empty((await WriteAsync(ApiProblem.Forbidden("Not you."))).Response.Headers.WWWAuthenticate.ToString());
    }

    [Fact]
    public async Task The_trace_id_is_that_of_the_trace_that_the_request_belongs_to()
    {
        using var activity = new Activity("request").SetIdFormat(ActivityIdFormat.W3C).Start();
        var (_, body) = await WriteAsync(ApiProblem.Fault());
        Assert.Equal(activity.TraceId.ToHexString(), (string?)body["traceId"]);
    }

    [Fact]
    public async Task Cookies_that_were_set_or_taken_back_survive_and_everything_else_of_the_answer_that_did_not_come_goes()
    {
        var context = new DefaultHttpContext();
        context.Response.Body = new MemoryStream();
        context.Response.Cookies.Append("kpi_challenge", "sealed");
        context.Response.Cookies.Append("kpi_refresh", "");
        context.Response.Headers["X-Other"] = "of the answer that did not come";
        await ApiProblem.SecondFactorCode().WriteAsync(context.Response, TestContext.Current.CancellationToken);
        Assert.Equal<string?>(["kpi_challenge=sealed; path=/", "kpi_refresh=; path=/"], context.Response.Headers.SetCookie.ToArray());
        Assert.Empty(context.Response.Headers["X-Other"].ToString());
    }

    [Fact]
    public void A_database_that_is_away_is_503_and_a_wrong_statement_is_a_fault()
    {
        var full = ApiProblem.OfOutage(new Npgsql.PostgresException("too many clients", "FATAL", "FATAL", "53300"));
        Assert.Equal((503, 5), (full!.Status, full.RetryAfterSeconds));
        Assert.NotNull(ApiProblem.OfOutage(new Npgsql.NpgsqlException("The connection pool has been exhausted", new TimeoutException())));
        Assert.Null(ApiProblem.OfOutage(new Npgsql.PostgresException("syntax error", "ERROR", "ERROR", "42601")));
        Assert.Null(ApiProblem.OfOutage(new InvalidOperationException()));
    }
}
