using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace KpiDashboard.IntegrationTests.LocalHost;

[Trait("Clock", "none")]
public sealed class HttpTests : IDisposable
{
    private readonly TempFolder _data = new();

    public void Dispose() => _data.Dispose();

    [Theory]
    [InlineData("ReturnsText")]
    [InlineData("ReturnsPoco")]
    [InlineData("ReturnsNull")]
    [InlineData("ReturnsNothing")]
    [InlineData("ReturnsTask")]
    public async Task What_is_no_HTTP_result_gives_200_with_an_empty_body(string function)
    {
        await using TestApp app = await TestApp.StartAsync(_data.Path, [typeof(ReturnFunctions)]);

        HttpResponseMessage response = await app.Client.GetAsync(Api(function), TestApp.Ct);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(TestApp.Ct));
    }

    [Fact]
    public async Task An_action_result_a_typed_result_and_a_response_written_by_hand_reach_the_client()
    {
        await using TestApp app = await TestApp.StartAsync(_data.Path, [typeof(ReturnFunctions)]);

        HttpResponseMessage action = await app.Client.PostAsync(Api("ReturnsAction"), null, TestApp.Ct);
        Assert.Equal(HttpStatusCode.Created, action.StatusCode);
        Assert.Equal("""{"id":2,"name":"POST"}""", await action.Content.ReadAsStringAsync(TestApp.Ct));
        Assert.Equal("""{"id":3,"name":"ok"}""", await app.Client.GetStringAsync(Api("ReturnsResult"), TestApp.Ct));
        Assert.Equal(HttpStatusCode.NotFound, (await app.Client.GetAsync(Api("ReturnsResult?missing"), TestApp.Ct)).StatusCode);
        Assert.Equal("static", await app.Client.GetStringAsync(Api("StaticFunction"), TestApp.Ct));
        HttpResponseMessage written = await app.Client.GetAsync(Api("WritesItself"), TestApp.Ct);
        Assert.Equal((418, "teapot"), ((int)written.StatusCode, await written.Content.ReadAsStringAsync(TestApp.Ct)));
    }

    [Fact]
    public async Task An_exception_gives_500_with_an_empty_body_and_is_logged()
    {
        await using TestApp app = await TestApp.StartAsync(_data.Path, [typeof(ReturnFunctions)]);

        HttpResponseMessage response = await app.Client.GetAsync(Api("Throws"), TestApp.Ct);

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(TestApp.Ct));
        Assert.False(response.Headers.Contains("x-secret"));
        Assert.Contains(app.Logs.Entries, entry => entry.Text.StartsWith("Function Throws ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_response_that_breaks_off_cannot_be_taken_for_a_whole_one()
    {
        await using TestApp app = await TestApp.StartAsync(_data.Path, [typeof(ReturnFunctions)]);

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => app.Client.GetStringAsync(Api("ThrowsLate"), TestApp.Ct));
    }

    [Theory]
    [InlineData("GET", "things/41", 200, "thing 42")]
    [InlineData("POST", "THINGS/41", 200, "thing 42")]
    [InlineData("DELETE", "things/41", 200, "deleted 41")]
    [InlineData("PUT", "things/41", 404, "")]
    [InlineData("GET", "things/x", 404, "")]
    [InlineData("GET", "things/special", 200, "special")]
    [InlineData("GET", "optional", 200, "none default")]
    [InlineData("GET", "optional/a%20b", 200, "a b default")]
    [InlineData("GET", "typed/0f8fad5b-d9cb-469f-a165-70867728950e/2026-02-03", 200, "0f8fad5bd9cb469fa16570867728950e 2026-02-03")]
    [InlineData("GET", "files/a/b.txt", 200, "a/b.txt")]
    [InlineData("GET", "days/2026-02-03", 500, "")] // As under the worker: a route value is text or JSON, and this is not JSON of a DateOnly.
    [InlineData("GET", "nowhere", 404, "")]
    public async Task Routes_methods_constraints_and_route_values(string method, string path, int status, string body)
    {
        await using TestApp app = await TestApp.StartAsync(_data.Path, [typeof(RouteFunctions)]);
        using HttpRequestMessage request = new(new HttpMethod(method), Api(path));

        HttpResponseMessage response = await app.Client.SendAsync(request, TestApp.Ct);

        Assert.Equal((status, body), ((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestApp.Ct)));
    }

    [Fact]
    public async Task A_function_sees_its_definition_binding_data_services_and_the_callers_trace()
    {
        await using TestApp app = await TestApp.StartAsync(_data.Path, [typeof(RouteFunctions)]);
        using HttpRequestMessage request = new(HttpMethod.Get, Api("context/x7"));
        request.Headers.Add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");

        HttpResponseMessage response = await app.Client.SendAsync(request, TestApp.Ct);
        JsonElement seen = await response.Content.ReadFromJsonAsync<JsonElement>(TestApp.Ct);

        Assert.Equal("Context", seen.GetProperty("name").GetString());
        Assert.Equal("KpiDashboard.IntegrationTests.LocalHost.RouteFunctions.Context", seen.GetProperty("entryPoint").GetString());
        Assert.Equal("KpiDashboard.IntegrationTests.dll", seen.GetProperty("assembly").GetString());
        Assert.Equal("httpTrigger", seen.GetProperty("trigger").GetString());
        Assert.Equal("x7", seen.GetProperty("id").GetString());
        Assert.StartsWith("00-0af7651916cd43dd8448eb211c80319c-", seen.GetProperty("traceParent").GetString(), StringComparison.Ordinal);
        Assert.True(seen.GetProperty("sameToken").GetBoolean());
        Assert.True(seen.GetProperty("sameServices").GetBoolean());
    }

    [Theory]
    [InlineData("NeedsFunctionKey", null, 401)]
    [InlineData("NeedsFunctionKey", "wrong", 401)]
    [InlineData("NeedsFunctionKey", "", 401)]
    [InlineData("NeedsFunctionKey", "host-key", 200)]
    [InlineData("NeedsFunctionKey", "other-host-key", 200)]
    [InlineData("NeedsFunctionKey", "master-key", 200)]
    [InlineData("NeedsMasterKey", "host-key", 401)]
    [InlineData("NeedsMasterKey", "master-key", 200)]
    public async Task Keys_open_what_their_level_allows_by_header_and_by_query(string function, string? key, int status)
    {
        await using TestApp app = await TestApp.StartAsync(
            _data.Path, [typeof(KeyFunctions)], null,
            "--set", "Functions:Keys:default=host-key", "--set", "Functions__Keys__ci=other-host-key", "--set", "Functions:MasterKey=master-key");
        using HttpRequestMessage byHeader = new(HttpMethod.Get, Api(function));
        if (key is not null)
            byHeader.Headers.Add("x-functions-key", key);
        using HttpRequestMessage byQuery = new(HttpMethod.Get, Api(key is null ? function : $"{function}?code={key}"));

        foreach (HttpRequestMessage request in (HttpRequestMessage[])[byHeader, byQuery])
        {
            HttpResponseMessage response = await app.Client.SendAsync(request, TestApp.Ct);
            Assert.Equal((status, status == 200 ? "in" : ""), ((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestApp.Ct)));
        }
    }

    [Fact]
    public async Task Without_configured_keys_some_are_made_once_and_kept_for_the_owner_only()
    {
        string keys;
        string file = Path.Combine(_data.Path, "keys.json");
        await using (TestApp first = await TestApp.StartAsync(_data.Path, [typeof(KeyFunctions)]))
            keys = await File.ReadAllTextAsync(file, TestApp.Ct);
        await using TestApp app = await TestApp.StartAsync(_data.Path, [typeof(KeyFunctions)]);
        using JsonDocument document = JsonDocument.Parse(keys);
        string hostKey = document.RootElement.GetProperty("Default").GetString()!;

        Assert.Equal(keys, await File.ReadAllTextAsync(file, TestApp.Ct));
        Assert.Equal("in", await app.Client.GetStringAsync(Api($"NeedsFunctionKey?code={hostKey}"), TestApp.Ct));
        Assert.Equal(HttpStatusCode.Unauthorized, (await app.Client.GetAsync(Api($"NeedsMasterKey?code={hostKey}"), TestApp.Ct)).StatusCode);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Fact]
    public async Task Middleware_runs_in_order_and_sees_the_request_only_behind_ConfigureFunctionsWebApplication()
    {
        await using TestApp app = await StartWithMiddlewareAsync();

        Assert.Equal("same", await app.Client.GetStringAsync(Api("Scoped"), TestApp.Ct));

        await TestApp.EventuallyAsync(() => app.Recorder.Count("disposed") == 1, "the scope was disposed");
        Assert.Equal(["first True", "second", "inline before", "function", "inline after", "second after", "first after", "disposed"], app.Recorder.Events);
    }

    [Theory]
    [InlineData("mode=short", 403, "short-cut")]
    [InlineData("mode=write", 429, "by hand")]
    [InlineData("mode=replace", 200, "replaced")]
    public async Task Middleware_may_answer_itself_or_replace_the_result(string query, int status, string body)
    {
        await using TestApp app = await StartWithMiddlewareAsync();

        HttpResponseMessage response = await app.Client.GetAsync(Api($"Scoped?{query}"), TestApp.Ct);

        Assert.Equal((status, body), ((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestApp.Ct)));
        Assert.Equal(query == "mode=replace" ? 1 : 0, app.Recorder.Count("function"));
    }

    [Fact]
    public async Task UseWhen_runs_only_where_its_condition_holds()
    {
        await using TestApp app = await TestApp.StartAsync(_data.Path, [typeof(RouteFunctions)], builder =>
        {
            builder.ConfigureFunctionsWebApplication();
            builder.UseWhen<FirstMiddleware>(context => context.FunctionDefinition.Name == "Special");
            builder.UseWhen(context => context.FunctionDefinition.Name == "Special", async (context, next) =>
            {
                context.InstanceServices.GetRequiredService<Recorder>().Add("inline");
                await next();
            });
        });

        await app.Client.GetStringAsync(Api("things/1"), TestApp.Ct);
        Assert.Empty(app.Recorder.Events);
        await app.Client.GetStringAsync(Api("things/special"), TestApp.Ct);
        Assert.Equal(["first False", "inline", "first after"], app.Recorder.Events);
    }

    [Fact]
    public async Task A_client_that_leaves_cancels_the_function()
    {
        await using TestApp app = await StartWithMiddlewareAsync();
        using CancellationTokenSource leave = new();

        Task<HttpResponseMessage> request = app.Client.GetAsync(Api("Scoped?wait"), leave.Token);
        await TestApp.EventuallyAsync(() => app.Recorder.Count("function") == 1, "the function ran");
        await leave.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await TestApp.EventuallyAsync(() => app.Recorder.Count("canceled") == 1, "the function was cancelled");
    }

    [Fact]
    public async Task A_function_that_runs_longer_than_functionTimeout_is_cancelled_and_fails()
    {
        await using TestApp app = await StartWithMiddlewareAsync("--set", "AzureFunctionsJobHost:functionTimeout=00:00:01");

        HttpResponseMessage response = await app.Client.GetAsync(Api("Scoped?wait"), TestApp.Ct);

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Equal(1, app.Recorder.Count("canceled"));
    }

    private Task<TestApp> StartWithMiddlewareAsync(params string[] args) =>
        TestApp.StartAsync(
            _data.Path,
            [typeof(ScopedFunction)],
            builder =>
            {
                builder.Services.AddScoped<ScopedThing>();
                builder.UseMiddleware<FirstMiddleware>();
                builder.ConfigureFunctionsWebApplication();
                builder.UseMiddleware<SecondMiddleware>();
                builder.UseMiddleware(async (context, next) =>
                {
                    context.InstanceServices.GetRequiredService<Recorder>().Add("inline before");
                    await next();
                    context.InstanceServices.GetRequiredService<Recorder>().Add("inline after");
                });
            },
            args);

    private static Uri Api(string path) => new($"api/{path}", UriKind.Relative);
}
