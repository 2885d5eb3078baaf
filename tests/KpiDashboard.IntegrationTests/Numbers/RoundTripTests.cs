using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using KpiDashboard.IntegrationTests.App;
using Xunit;

namespace KpiDashboard.IntegrationTests.Numbers;

/// <summary>
/// How often a read goes to the database and with how many statements, in the whole app, as Npgsql's own spans tell: one span is one round trip.
/// </summary>
[Collection(SecondAppCollection.Name)]
public sealed class RoundTripTests(AppFixture app)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>The route; round trips when its answer is made; statements of these at most.</summary>
    public static TheoryData<string, int, int> Routes => new()
    {
        { "api/metrics/summary?range=last_28_days", 2, 11 },
        { "api/metrics/summary?range=last_28_days&with=insights", 2, 18 },
        { "api/metrics/summary?range=last_12_months&compare=previous_year", 2, 11 },
        { "api/metrics/history?kpis=shop.revenue&range=last_28_days", 2, 7 },
        { "api/metrics/history?kpis=web.sessions&range=last_28_days&dimension=channel&member=Direct", 2, 7 },
        { "api/insights/business?range=last_28_days", 2, 16 },
        { "api/automation/performance?range=last_28_days", 2, 15 },
        { "api/automation/executions", 2, 8 },
        { "api/goals", 2, 8 },
        { "api/kpis", 1, 5 },
        { "api/sources", 2, 7 },
        { "api/integrations", 2, 10 },
        { "api/metrics/provenance?kpi=web.sessions&date=2026-11-20", 2, 10 },
        { "api/metrics/web.sessions/breakdown?dimension=channel&range=last_28_days", 2, 12 },
        { "api/annotations", 2, 10 },
    };

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task A_read_makes_no_more_round_trips_than_stand_beside_its_route(string path, int trips, int statements)
    {
        using var spans = new Spans();
        using var client = await app.SignInAsync();
        var (made, tag) = await AskAsync(client, spans, Fresh(path), null, HttpStatusCode.OK);
        Assert.True(made.Trips <= trips, $"{made.Trips} round trips:\n{string.Join("\n\n", made.Texts)}");
        Assert.True(made.Statements <= statements, $"{made.Statements} statements:\n{string.Join("\n\n", made.Texts)}");

        // Unchanged for who has it, whoever else has asked: one.
        var (unchanged, _) = await AskAsync(client, spans, Last, tag, HttpStatusCode.NotModified);
        Assert.Equal(1, unchanged.Trips);
    }

    [Theory]
    [InlineData("api/metrics/summary?range=last_28_days")]
    [InlineData("api/metrics/summary?range=last_28_days&with=insights")]
    [InlineData("api/metrics/history?kpis=shop.revenue&range=last_28_days")]
    [InlineData("api/insights/business?range=last_28_days")]
    [InlineData("api/automation/performance?range=last_28_days")]
    [InlineData("api/goals")]
    [InlineData("api/metrics/web.sessions/breakdown?dimension=channel&range=last_28_days")]
    public async Task A_reader_who_has_nothing_is_told_what_was_kept_in_one_round_trip(string path)
    {
        using var spans = new Spans();
        using var client = await app.SignInAsync();
        await AskAsync(client, spans, Fresh(path), null, HttpStatusCode.OK);
        var (kept, _) = await AskAsync(client, spans, Last, null, HttpStatusCode.OK);
        Assert.Equal(1, kept.Trips);
    }

    // No answer is kept of a question that nobody asked yet.
    private string Last { get; set; } = "";

    private string Fresh(string path) => Last = $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}asked={Guid.NewGuid():N}";

    private static async Task<((int Trips, int Statements, List<string> Texts) Made, EntityTagHeaderValue? Tag)> AskAsync(
        HttpClient client, Spans spans, string path, EntityTagHeaderValue? tag, HttpStatusCode expected)
    {
        var trace = ActivityTraceId.CreateRandom();
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom()}-01");
        if (tag is not null) request.Headers.IfNoneMatch.Add(tag);
        Activity.Current = null;
        using var response = await client.SendAsync(request, Cancelled);
        Assert.Equal(expected, response.StatusCode);
        await response.Content.ReadAsByteArrayAsync(Cancelled);
        var texts = spans.Of(trace.ToString());
        return ((texts.Count, texts.Sum(text => text.Count(one => one == ';') + 1), texts), response.Headers.ETag);
    }

    private sealed class Spans : IDisposable
    {
        private readonly ConcurrentQueue<Activity> _stopped = new();
        private readonly ActivityListener _listener;

        public Spans()
        {
            _listener = new ActivityListener
            {
                ShouldListenTo = source => source.Name == "Npgsql",
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = _stopped.Enqueue,
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public List<string> Of(string trace) =>
        [
            // A connection that is opened has a span, too; it is kept for the next.
            .. _stopped.Where(span => span.TraceId.ToString() == trace && span.TagObjects.Any(tag => tag.Key == "db.query.text"))
                .Select(span => $"{span.OperationName}: {string.Join(" ", span.TagObjects.Select(tag => $"{tag.Key}={tag.Value}"))}"),
        ];

        public void Dispose() => _listener.Dispose();
    }
}
