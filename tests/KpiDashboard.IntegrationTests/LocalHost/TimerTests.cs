using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using KpiDashboard.LocalHost.Startup;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KpiDashboard.IntegrationTests.LocalHost;

public sealed class HourlyTimer(Recorder recorder, TimeProvider time)
{
    [Function("Hourly")]
    public void Run([TimerTrigger("0 0 * * * *")] TimerInfo timer) =>
        recorder.Add($"{time.GetUtcNow():HH:mm} {timer.IsPastDue} last {timer.ScheduleStatus!.Last:HH:mm} next {timer.ScheduleStatus.Next:HH:mm}");
}

public sealed class FailingTimer(Recorder recorder, TimeProvider time)
{
    [Function("FailingTimer")]
    public Task RunAsync([TimerTrigger("%Schedule%")] TimerInfo timer)
    {
        recorder.Add($"{time.GetUtcNow():HH:mm}");
        throw new InvalidOperationException($"past due: {timer.IsPastDue}");
    }
}

public sealed class SlowTimer(Recorder recorder)
{
    [Function("SlowTimer")]
    public async Task RunAsync([TimerTrigger("00:10:00")] TimerInfo timer, CancellationToken cancellationToken)
    {
        recorder.Add(timer.IsPastDue ? "begin late" : "begin");
        await recorder.WaitAtAsync("slow", cancellationToken);
        recorder.Add("end");
    }
}

public sealed class StartTimer(Recorder recorder)
{
    [Function("AtStart")]
    public void Run([TimerTrigger("0 0 0 1 1 *", RunOnStartup = true)] TimerInfo timer) => recorder.Add($"started {timer.IsPastDue}");

    [Function("Often")]
    public void Often([TimerTrigger("*/5 * * * * *")] TimerInfo timer) => recorder.Add($"often {timer.ScheduleStatus is null}");
}

/// <summary>
/// A clock that knows what waits for it. One that jumps between a timer's look at the clock and its wait leaves that wait a minute late, and
/// nothing here moves it on.
/// </summary>
public sealed class TimerClock(DateTimeOffset start) : FakeTimeProvider(start)
{
    private readonly ConcurrentBag<(DateTimeOffset Begun, DateTimeOffset Due)> _waits = [];

    /// <summary>Whether something waits for the moment, or, as a timer does for one that is far, for a minute from now.</summary>
    public bool IsWaitedFor(DateTimeOffset moment)
    {
        var now = GetUtcNow();
        return _waits.Any(wait => wait.Begun == now && (wait.Due == moment || (wait.Due == now.AddMinutes(1) && wait.Due < moment)));
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var now = GetUtcNow();
        var timer = base.CreateTimer(callback, state, dueTime, period);
        if (dueTime >= TimeSpan.Zero) _waits.Add((now, now + dueTime));
        return timer;
    }
}

public sealed class TimerTests : IDisposable
{
    private static readonly DateTimeOffset s_noon = new(2026, 3, 29, 12, 0, 30, TimeSpan.Zero);

    private readonly TempFolder _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task A_timer_fires_at_each_occurrence_in_UTC_and_is_told_the_last_and_the_next()
    {
        TimerClock time = new(s_noon);
        await using TestApp app = await StartAsync(time, [typeof(HourlyTimer)]);

        await FireAsync(time, app, "Hourly", "13:00");
        await FireAsync(time, app, "Hourly", "14:00");

        Assert.Equal(["13:00 False last 00:00 next 13:00", "14:00 False last 13:00 next 14:00"], app.Recorder.Events);
    }

    [Fact]
    public async Task A_timer_that_was_down_for_26_hours_fires_exactly_once_as_past_due_and_then_by_its_schedule()
    {
        TimerClock time = new(s_noon);
        await using (TestApp first = await StartAsync(time, [typeof(HourlyTimer)]))
            await FireAsync(time, first, "Hourly", "13:00");

        TimerClock later = new(time.GetUtcNow() + TimeSpan.FromHours(26.5));
        await using TestApp app = await StartAsync(later, [typeof(HourlyTimer)]);
        await TestApp.EventuallyAsync(() => app.Recorder.Events.Count == 1, "the timer made up for the downtime");
        await FireAsync(later, app, "Hourly", "1.16:00");
        await FireAsync(later, app, "Hourly", "1.17:00");

        Assert.Equal(
            ["15:30 True last 13:00 next 14:00", "16:00 False last 15:30 next 16:00", "17:00 False last 16:00 next 17:00"], app.Recorder.Events);
    }

    [Fact]
    public async Task A_timer_that_missed_nothing_does_not_fire_at_a_restart()
    {
        TimerClock time = new(s_noon);
        await using (TestApp first = await StartAsync(time, [typeof(HourlyTimer)]))
            await FireAsync(time, first, "Hourly", "13:00");

        TimerClock later = new(time.GetUtcNow() + TimeSpan.FromMinutes(30));
        await using TestApp app = await StartAsync(later, [typeof(HourlyTimer)]);
        await FireAsync(later, app, "Hourly", "14:00");

        Assert.Equal(["14:00 False last 13:00 next 14:00"], app.Recorder.Events);
    }

    [Fact]
    public async Task An_exception_does_not_stop_the_schedule()
    {
        TimerClock time = new(s_noon);
        await using TestApp app = await StartAsync(time, [typeof(FailingTimer)], "--set", "Schedule=0 */15 * * * *");

        await FireAsync(time, app, "FailingTimer", "12:15");
        await FireAsync(time, app, "FailingTimer", "12:30");
        await FireAsync(time, app, "FailingTimer", "12:45");

        Assert.Equal(["12:15", "12:30", "12:45"], app.Recorder.Events);
        Assert.True(app.Logs.Entries.Count(entry => entry.Text.StartsWith("Function FailingTimer ", StringComparison.Ordinal)) >= 2);
    }

    [Fact]
    public async Task A_changed_schedule_makes_up_for_nothing()
    {
        TimerClock time = new(s_noon);
        await using (TestApp first = await StartAsync(time, [typeof(FailingTimer)], "--set", "Schedule=0 */15 * * * *"))
            await FireAsync(time, first, "FailingTimer", "12:15");

        TimerClock later = new(time.GetUtcNow() + TimeSpan.FromDays(1) + TimeSpan.FromMinutes(1));
        await using TestApp app = await StartAsync(later, [typeof(FailingTimer)], "--set", "Schedule=0 */20 * * * *");
        await FireAsync(later, app, "FailingTimer", "1.12:20");

        Assert.Equal(["12:20"], app.Recorder.Events);
        Assert.DoesNotContain(app.Logs.Entries, entry => entry.Text.Contains("made up for", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Runs_of_one_timer_do_not_overlap_and_occurrences_during_a_run_do_not_pile_up()
    {
        TimerClock time = new(s_noon);
        await using TestApp app = await StartAsync(time, [typeof(SlowTimer)]);
        await FireAsync(time, app, "SlowTimer", "12:10:30");

        time.Advance(TimeSpan.FromHours(2));
        app.Recorder.Open("slow");
        await TestApp.EventuallyAsync(() => app.Recorder.Count("end") == 2, "the run after the long one ended");

        Assert.Equal(["begin", "end", "begin", "end"], app.Recorder.Events);
    }

    [Fact]
    public async Task What_ends_because_the_host_stops_is_told_as_no_failure()
    {
        TimerClock time = new(s_noon);
        (LogList logs, Recorder recorder) ended;
        await using (TestApp app = await StartAsync(time, [typeof(SlowTimer)]))
        {
            ended = (app.Logs, app.Recorder);
            await FireAsync(time, app, "SlowTimer", "12:10:30");
        }

        Assert.Equal(["begin"], ended.recorder.Events);
        Assert.DoesNotContain(ended.logs.Entries, entry => entry.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task RunOnStartup_fires_at_the_start_and_a_schedule_faster_than_a_minute_is_not_monitored()
    {
        TimerClock time = new(s_noon);
        await using TestApp app = await StartAsync(time, [typeof(StartTimer)]);

        await TestApp.EventuallyAsync(() => app.Recorder.Count("started False") == 1, "it ran at the start");
        await TestApp.EventuallyAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return app.Recorder.Count("often True") > 0;
            },
            "the fast timer fired");
        Assert.DoesNotContain("Often", await File.ReadAllTextAsync(Path.Combine(_data.Path, "timers.json"), TestApp.Ct), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_schedule_that_cannot_be_read_stops_the_start_with_a_sentence()
    {
        StartupException e = await Assert.ThrowsAsync<StartupException>(
            () => StartAsync(new TimerClock(s_noon), [typeof(FailingTimer)], "--set", "Schedule=every hour"));

        Assert.Equal("Function FailingTimer has the schedule 'every hour', which is neither a six-field NCRONTAB expression nor a time span.", e.Message);
    }

    private Task<TestApp> StartAsync(TimerClock time, Type[] classes, params string[] args) =>
        TestApp.StartAsync(_data.Path, classes, builder => builder.Services.AddSingleton<TimeProvider>(time), args);

    /// <summary>Waits until the timer has noted an occurrence as its next one, lets just that moment come, and waits for the run.</summary>
    private async Task FireAsync(TimerClock time, TestApp app, string function, string due)
    {
        DateTimeOffset moment = new(s_noon.Date + TimeSpan.Parse(due, CultureInfo.InvariantCulture), TimeSpan.Zero);
        await TestApp.EventuallyAsync(() => NextOf(function) == moment && time.IsWaitedFor(moment), $"{function} waited for {due}");
        int before = app.Recorder.Events.Count;
        time.SetUtcNow(moment);
        await TestApp.EventuallyAsync(() => app.Recorder.Events.Count > before, $"{function} ran at {due}");
    }

    private DateTimeOffset? NextOf(string function)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(_data.Path, "timers.json")));
            return document.RootElement.TryGetProperty(function, out JsonElement status) ? status.GetProperty("Next").GetDateTimeOffset() : null;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }
}

public sealed class AdminTests(AzuriteFixture azurite) : IClassFixture<AzuriteFixture>, IDisposable
{
    private readonly TempFolder _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task A_timer_and_a_queue_function_run_by_hand()
    {
        await using TestApp app = await StartAsync();

        HttpResponseMessage timer = await PostAsync(app, "startTIMERless", """{"input":""}""");
        Assert.Equal(HttpStatusCode.NotFound, timer.StatusCode);
        timer = await PostAsync(app, "AtStart", """{"input":""}""");
        HttpResponseMessage queue = await PostAsync(app, "Orders", """{"input":"{\"id\":9,\"name\":\"by hand\"}"}""");

        Assert.Equal((HttpStatusCode.Accepted, HttpStatusCode.Accepted), (timer.StatusCode, queue.StatusCode));
        await TestApp.EventuallyAsync(() => app.Recorder.Count("started False") == 2 && app.Recorder.Count("order 9 by hand") == 1, "both ran");
        Assert.Equal(0, (await azurite.Queue("orders").GetPropertiesAsync(TestApp.Ct)).Value.ApproximateMessagesCount);
    }

    [Theory]
    [InlineData("Special", """{"input":""}""", 400)]
    [InlineData("Orders", "not JSON", 400)]
    [InlineData("Orders", "[]", 400)]
    [InlineData("Nobody", "{}", 404)]
    public async Task What_cannot_run_by_hand_is_refused(string function, string body, int status)
    {
        await using TestApp app = await StartAsync();

        Assert.Equal(status, (int)(await PostAsync(app, function, body)).StatusCode);
    }

    [Theory]
    [InlineData("admin/functions")]
    [InlineData("admin/functions/Orders")]
    [InlineData("admin/host/status")]
    public async Task Admin_needs_the_master_key(string path)
    {
        await using TestApp app = await StartAsync();

        foreach (string query in (string[])["", "?code=", "?code=host", "?code=wrong"])
        {
            HttpResponseMessage refused = await app.Client.GetAsync(new Uri(path + query, UriKind.Relative), TestApp.Ct);
            Assert.Equal((HttpStatusCode.Unauthorized, ""), (refused.StatusCode, await refused.Content.ReadAsStringAsync(TestApp.Ct)));
        }

        Assert.Equal(HttpStatusCode.OK, (await app.Client.GetAsync(new Uri(path + "?code=master", UriKind.Relative), TestApp.Ct)).StatusCode);
        HttpResponseMessage post = await app.Client.PostAsJsonAsync(new Uri("admin/functions/Orders?code=host", UriKind.Relative), new { input = "{}" }, TestApp.Ct);
        Assert.Equal(HttpStatusCode.Unauthorized, post.StatusCode);
    }

    [Fact]
    public async Task The_list_names_every_function_with_its_trigger()
    {
        await using TestApp app = await StartAsync();

        JsonElement list = await app.Client.GetFromJsonAsync<JsonElement>(new Uri("admin/functions?code=master", UriKind.Relative), TestApp.Ct);

        JsonElement orders = list.EnumerateArray().Single(function => function.GetProperty("name").GetString() == "Orders");
        Assert.Equal("queueTrigger", orders.GetProperty("config").GetProperty("bindings")[0].GetProperty("type").GetString());
        JsonElement special = list.EnumerateArray().Single(function => function.GetProperty("name").GetString() == "Special");
        Assert.EndsWith("/api/things/special", special.GetProperty("invoke_url_template").GetString(), StringComparison.Ordinal);
        JsonElement status = await app.Client.GetFromJsonAsync<JsonElement>(new Uri("admin/host/status?code=master", UriKind.Relative), TestApp.Ct);
        Assert.Equal("Running", status.GetProperty("state").GetString());
    }

    private async Task<TestApp> StartAsync()
    {
        await azurite.Queue("orders").CreateIfNotExistsAsync(cancellationToken: TestApp.Ct);
        return await TestApp.StartAsync(
            _data.Path, [typeof(OrderQueue), typeof(StartTimer), typeof(RouteFunctions)], null,
            "--set", $"AzureWebJobsStorage={azurite.ConnectionString}", "--set", "Functions:MasterKey=master", "--set", "Functions:Keys:default=host");
    }

    private static Task<HttpResponseMessage> PostAsync(TestApp app, string function, string body) =>
        app.Client.PostAsync(new Uri($"admin/functions/{function}?code=master", UriKind.Relative), new StringContent(body), TestApp.Ct);
}
