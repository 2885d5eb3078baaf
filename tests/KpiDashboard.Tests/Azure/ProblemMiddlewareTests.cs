using KpiDashboard.Api;
using KpiDashboard.Functions.Middleware;
using KpiDashboard.LocalHost.Runtime;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging.Abstractions;
using Moq;
using Xunit;

namespace KpiDashboard.Tests.AzureFlavour;

/// <summary>The worker writes a result after all middleware: an answer that fails then is nobody's, and the host passes on what there is, an empty 200.</summary>
public sealed class ProblemMiddlewareTests
{
    [Fact]
    public async Task An_answer_that_fails_before_its_first_byte_is_a_problem_and_not_an_empty_file()
    {
        var http = await WriteAsync(new StreamedAnswer("text/csv", "audit.csv", 10, (_, _) => throw new InvalidOperationException("unexpected")));

        Assert.Equal(500, http.Response.StatusCode);
        Assert.Equal("application/problem+json", http.Response.ContentType);
        Assert.Null(http.Response.ContentLength);
        Assert.False(http.Response.Headers.ContainsKey("Content-Disposition"));
        Assert.Contains("/problems/fault\"", Body(http), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_an_answer_raises_itself_is_told_as_it_is()
    {
        var http = await WriteAsync(new StreamedAnswer("text/csv", "audit.csv", null, (_, _) => throw ApiProblem.NotFound("There is no such file.")));

        Assert.Equal(404, http.Response.StatusCode);
        Assert.Contains("There is no such file.", Body(http), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_on_its_way_is_cut_off()
    {
        Mock<IHttpResponseFeature> started = new() { DefaultValue = DefaultValue.Mock };
        started.Setup(response => response.HasStarted).Returns(true);
        started.Setup(response => response.Headers).Returns(new HeaderDictionary());
        Mock<IHttpRequestLifetimeFeature> lifetime = new();

        await Assert.ThrowsAsync<InvalidOperationException>(() => WriteAsync(
            new StreamedAnswer("text/csv", "audit.csv", null, (_, _) => throw new InvalidOperationException("unexpected")),
            http =>
            {
                http.Features.Set(started.Object);
                http.Features.Set(lifetime.Object);
            }));

        lifetime.Verify(request => request.Abort(), Times.Once);
    }

    [Fact]
    public async Task An_answer_that_succeeds_stays_as_it_is()
    {
        var http = await WriteAsync(new StreamedAnswer("text/csv", "audit.csv", 2, (output, token) => output.WriteAsync("ok"u8.ToArray(), token).AsTask()));

        Assert.Equal((200, "text/csv", "ok"), (http.Response.StatusCode, http.Response.ContentType, Body(http)));
    }

    /// <summary>As the worker does it: the function, through the middleware, then what the invocation's result has become.</summary>
    private static async Task<HttpContext> WriteAsync(IResult result, Action<HttpContext>? prepare = null)
    {
        DefaultHttpContext http = new();
        http.Response.Body = new MemoryStream();
        prepare?.Invoke(http);
        var context = Invocation(http);
        await new ProblemMiddleware(NullLogger<ProblemMiddleware>.Instance).Invoke(context, inner =>
        {
            inner.GetInvocationResult().Value = result;
            return Task.CompletedTask;
        });
        await Assert.IsAssignableFrom<IResult>(context.GetInvocationResult().Value).ExecuteAsync(http);
        return http;
    }

    private static FunctionContext Invocation(HttpContext http)
    {
        Mock<IInvocationFeatures> features = new();
        features.Setup(all => all.Get<FunctionBindings>()).Returns(new FunctionBindings());
        Mock<FunctionContext> context = new() { DefaultValue = DefaultValue.Mock };
        context.SetupGet(invocation => invocation.Features).Returns(features.Object);
        context.SetupGet(invocation => invocation.Items).Returns(new Dictionary<object, object> { [HttpIntegration.HttpContextKey] = http });
        return context.Object;
    }

    private static string Body(HttpContext http) => System.Text.Encoding.UTF8.GetString(((MemoryStream)http.Response.Body).ToArray());
}
