using System.Globalization;
using System.Net;
using System.Text.Json;
using KpiDashboard.Security;
using KpiDashboard.Tenancy;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KpiDashboard.Connectors.N8n;

/// <summary>Reads workflows and executions of one n8n through its public API. See README.md beside this file.</summary>
internal sealed partial class N8nConnector(
    IHttpClientFactory httpClients, IOptionsMonitor<N8nOptions> options, OutboundGuard guard, TimeProvider time, ILogger<N8nConnector> logger) : IKeyConnector, IRunsConnector
{
    // Each a request of its own. What is left over is asked for the next time.
    private const int MaxLookups = 50;

    // An n8n that fails at so many of them need not be asked for the rest now.
    private const int MaxFailedLookups = 5;

    private const int MaxWorkflowPages = 20;
    private const int WorkflowPageSize = 100;
    private const int MaxUnfinishedPages = 4;
    private const int MaxPageSize = 250;

    /// <inheritdoc />
    public string Key => "n8n";

    /// <inheritdoc />
    public string DisplayName => "n8n";

    /// <summary>
    /// Each n8n is a provider of its own: one tenant's broken server must not keep us from those of others. With the path, because several n8n may stand
    /// behind one host.
    /// </summary>
    public string ProviderKey(JsonElement settings) =>
        N8nClient.ApiAddress(ReadText(settings, "baseUrl")) is { } api ? $"{Key}:{api.Authority}{api.AbsolutePath}".ToLowerInvariant() : $"{Key}:none";

    /// <summary>One slice: n8n pages by cursor from the newest execution on, so older days cannot be reached without passing the newer ones.</summary>
    public IReadOnlyList<DayWindow> Slice(DayWindow window) => [window];

    /// <inheritdoc />
    public KeyConnection? Read(string? baseUrl, string? apiKey, IDictionary<string, string[]> errors)
    {
        var api = N8nClient.ApiAddress(baseUrl);
        if (api is null) errors[ConnectionProblem.Address] = ["'settings.baseUrl' must be the web address of your n8n, such as https://n8n.example.com, without a question mark or a user name."];
        else if (guard.Objection(api) is { } objection) errors[ConnectionProblem.Address] = [$"'settings.baseUrl' cannot be used. {objection}"];
        var key = apiKey?.Trim();
        if (!IsKey(key)) errors[ConnectionProblem.Key] = ["'credentials.apiKey' must be an API key of your n8n; create one there under Settings, n8n API."];
        if (api is null || errors.Count > 0) return null;
        var address = api.AbsoluteUri[..^"/api/v1".Length];
        return new KeyConnection(
            JsonSerializer.SerializeToElement(new Dictionary<string, string> { ["baseUrl"] = address }, N8nJson.Default.DictionaryStringString),
            JsonSerializer.SerializeToElement(new Dictionary<string, string> { ["apiKey"] = key! }, N8nJson.Default.DictionaryStringString));
    }

    /// <summary>One workflow, one execution in the list, and that one by itself: each needs a scope of its own.</summary>
    public async Task<ConnectionProblem?> TestAsync(FetchRequest request, CancellationToken cancellationToken)
    {
        var (api, apiKey, failure) = Open(request);
        if (failure is not null) return ConnectionProblem.Of(failure);
        using var http = httpClients.CreateClient(N8nClient.HttpClientName);
        var client = new N8nClient(http, api!, apiKey!, time);
        var workflows = await client.GetAsync("workflows?limit=1", N8nJson.Default.N8nWorkflowPage, cancellationToken);
        if (workflows.Status == HttpStatusCode.NotFound && await client.IsN8nAsync(cancellationToken))
        {
            return new("An n8n answers at this address, but not its public API: it is switched off there (N8N_PUBLIC_API_DISABLED), not part of its plan, or this n8n is too old "
                + "to have one. Update n8n or switch the API on.", ConnectionProblem.Address);
        }

        if (Problem(workflows, "workflow:list") is { } first) return first;
        if (workflows.Value!.Data is null) return NotN8n();
        var executions = await client.GetAsync("executions?limit=1&includeData=false", N8nJson.Default.N8nExecutionPage, cancellationToken);
        if (Problem(executions, "execution:list") is { } second) return second;
        if (executions.Value!.Data is not { } data) return NotN8n();
        if (data.Count == 0 || N8nValues.Id(data[0]?.Id) is not { } id) return null;
        var one = await client.GetAsync($"executions/{Uri.EscapeDataString(id)}?includeData=false", N8nJson.Default.N8nExecution, cancellationToken);
        // Workflows and executions are read by lists, and those answer. A single one only tells later how a run ended that the lists no longer show: that it fails here
        // (deleted in between, a record that this n8n cannot read any more) says nothing of the address. Only a permission that is missing can be given now.
        return one is { Failure: AuthorizationLost, Status: HttpStatusCode.Forbidden } ? Problem(one, "execution:read") : null;

        static ConnectionProblem NotN8n() => new("Something answers at this address, but it is not n8n's public API.", ConnectionProblem.Address);

        static ConnectionProblem? Problem<T>(N8nAnswer<T> answer, string scope) =>
            answer.Failure is null ? null
            : answer.Failure is AuthorizationLost && answer.Status == HttpStatusCode.Forbidden
                ? new($"The n8n API key lacks the scope {scope}. Give it workflow:list, execution:list and execution:read, or create a new key with them.", ConnectionProblem.Key)
            : ConnectionProblem.Of(answer.Failure);
    }

    /// <inheritdoc />
    public async Task<IReadOnlySet<string>?> ShownWorkflowsAsync(FetchRequest request, CancellationToken cancellationToken)
    {
        var (api, apiKey, failure) = Open(request);
        if (failure is not null) return null;
        using var http = httpClients.CreateClient(N8nClient.HttpClientName);
        return await new Reading(request, new N8nClient(http, api!, apiKey!, time), time, options.CurrentValue).ShownAsync(cancellationToken);
    }

    private static bool IsKey(string? key) => key is { Length: > 0 and <= 4096 } && key.All(c => c is >= ' ' and <= '~');

    private static (Uri? Api, string? Key, FetchOutcome? Failure) Open(FetchRequest request)
    {
        if (N8nClient.ApiAddress(ReadText(request.Settings, "baseUrl")) is not { } api)
            return (null, null, new RequestRefused("The n8n address must be a web address such as https://n8n.example.com, without a question mark or a user name."));
        return ReadText(request.Credentials, "apiKey") is { } key && IsKey(key)
            ? (api, key, null)
            : (null, null, new AuthorizationLost("No usable n8n API key is stored for this connection. Create one in n8n under Settings, n8n API, and enter it."));
    }

    /// <inheritdoc />
    public async Task<FetchOutcome> FetchAsync(FetchRequest request, IFetchSink sink, CancellationToken cancellationToken)
    {
        var (api, apiKey, failure) = Open(request);
        if (failure is not null) return failure;

        using var http = httpClients.CreateClient(N8nClient.HttpClientName);
        var reading = new Reading(request, new N8nClient(http, api!, apiKey!, time), time, options.CurrentValue);
        var outcome = await reading.RunAsync(cancellationToken);
        if (outcome is FetchSucceeded)
            reading.HandOver(sink);
        else
            LogFailed(logger, request.IntegrationId, outcome.GetType().Name);
        return outcome;
    }

    /// <inheritdoc />
    public async Task<LookOutcome> LookAsync(FetchRequest request, DateTimeOffset since, IFetchSink sink, CancellationToken cancellationToken)
    {
        var (api, apiKey, failure) = Open(request);
        if (failure is not null) return new(failure, false);
        using var http = httpClients.CreateClient(N8nClient.HttpClientName);
        return await N8nRuns.LookAsync(new N8nClient(http, api!, apiKey!, time), since, request.UnfinishedExecutions, time, sink, cancellationToken);
    }

    /// <inheritdoc />
    public async Task<FailureAnswer> AskFailureAsync(FetchRequest request, string execution, CancellationToken cancellationToken)
    {
        var (api, apiKey, failure) = Open(request);
        if (failure is not null) return new(null, null, failure);
        using var http = httpClients.CreateClient(N8nClient.HttpClientName);
        return await new N8nClient(http, api!, apiKey!, time).AskFailureAsync(execution, cancellationToken);
    }

    /// <inheritdoc />
    public Uri? RunAddress(string? baseUrl, string workflow, string execution) => N8nRuns.Address(baseUrl, workflow, execution);

    private static string? ReadText(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
        && value.GetString()!.Trim() is { Length: > 0 } text ? text : null;

    [LoggerMessage(3200, LogLevel.Warning, "n8n fetch for integration {IntegrationId} ended as {Outcome}")]
    private static partial void LogFailed(ILogger logger, Guid integrationId, string outcome);

    /// <summary>One fetch. Collects everything and hands it over only when it went well.</summary>
    private sealed class Reading(FetchRequest request, N8nClient client, TimeProvider time, N8nOptions options)
    {
        private readonly List<WorkflowReading> workflows = [];
        private readonly List<WorkflowLabels> labels = [];
        private readonly Dictionary<string, ExecutionReading> executions = [];
        private readonly HashSet<string> tracked = [.. request.UnfinishedExecutions];
        private readonly List<RequestRecord> records = [];
        private readonly DateTimeOffset windowStart = LocalDay.Start(request.Window.From, request.TimeZone);
        private readonly DateTimeOffset windowEnd = LocalDay.Start(request.Window.To.AddDays(1), request.TimeZone);
        private readonly int pageSize = Math.Clamp(options.PageSize, 1, MaxPageSize);
        private readonly List<string> shortfalls = [];
        private N8nCoverage coverage = new();
        private DateOnly? readThrough = request.ReadThrough;
        private DateTimeOffset? oldestUnfinished;
        private FetchOutcome? workflowsFailed;
        private bool unfinishedUnknown, listed, listedBefore;

        // What n8n itself counts, by id: where the list has come to, and which workflows leave it to the instance whether successes are kept.
        private readonly Dictionary<string, (string Workflow, DateTimeOffset Stopped, bool Succeeded)> counted = new(StringComparer.Ordinal);
        private readonly HashSet<string> byDefault = new(StringComparer.Ordinal);
        private DateTimeOffset? reached;
        private bool isTwice;

        public async Task<FetchOutcome> RunAsync(CancellationToken cancellationToken)
        {
            var checkpoint = ReadCheckpoint(request.Checkpoint);
            if (checkpoint is null)
            {
                // Names, and what a success saves: executions count without them. A key that is refused, or a wait that is asked for, is another matter.
                if (await ReadWorkflowsAsync(cancellationToken) is { } failure)
                {
                    if (failure is AuthorizationLost or RateLimited)
                        return failure;
                    workflowsFailed = failure;
                    shortfalls.Add($"The list of workflows could not be read, so new ones have no name yet. {Reason(failure)}");
                }
            }

            // First what goes on now, then the list: what ends in between is found finished in the list, and the later reading of an execution wins.
            foreach (var status in checkpoint is null ? ["running", "waiting"] : Array.Empty<string>())
            {
                if (await ReadUnfinishedAsync(status, cancellationToken) is { } failure)
                {
                    if (failure is AuthorizationLost or RateLimited)
                        return failure;
                    unfinishedUnknown = true;
                    shortfalls.Add($"Which runs are {status} could not be read. {Reason(failure)}");
                }
            }

            if (checkpoint is not null)
                (coverage, readThrough, listedBefore) = (new N8nCoverage(checkpoint.Covered), checkpoint.ReadThrough, checkpoint.Listed);
            var carried = checkpoint?.OldestUnfinished;
            var (next, listFailure) = await ReadExecutionsAsync(checkpoint?.Cursor, cancellationToken);
            if (listFailure is not null)
                // What failed first says more than the list that failed after it.
                return workflowsFailed ?? listFailure;
            if (checkpoint is null)
                await ReadInsightsAsync(isWhole: next is null, cancellationToken);
            if (next is not null)
            {
                NoteUnfinished(carried);
                return new FetchSucceeded
                {
                    Checkpoint = JsonSerializer.Serialize(new N8nCheckpoint(next, coverage.State, oldestUnfinished, readThrough, listed || listedBefore), N8nJson.Default.N8nCheckpoint),
                    // An execution that started up to the overlap later may still come on the next page.
                    ReadInFullFrom = coverage.Since(time.GetUtcNow(), isWhole: false) is { } reached
                        ? LocalDay.Of(reached.Since + N8nCoverage.Overlap, request.TimeZone).AddDays(1)
                        : request.Window.To.AddDays(1),
                    ListsAllWorkflows = listed,
                    Shortfall = Shortfall,
                };
            }

            var (lost, leftOver) = await ReadTrackedAsync(cancellationToken);
            NoteUnfinished(carried);
            // Not found may be not shown: without the list of workflows nobody can tell which.
            if (!listed && !listedBefore && lost.Count > 0) (lost, leftOver) = ([], true);
            return Succeeded(lost, leftOver || unfinishedUnknown) with { ListsAllWorkflows = listed, Shortfall = Shortfall };
        }

        /// <summary>Ids of all workflows that are shown; null if the list could not be read to its end.</summary>
        public async Task<IReadOnlySet<string>?> ShownAsync(CancellationToken cancellationToken) =>
            await ReadWorkflowsAsync(cancellationToken) is null && listed ? workflows.Select(workflow => workflow.WorkflowId).ToHashSet(StringComparer.Ordinal) : null;

        private string? Shortfall => shortfalls.Count == 0 ? null : string.Join(' ', shortfalls);

        private static string Reason(FetchOutcome failure) => failure switch
        {
            ProviderDown down => down.Reason,
            RequestRefused refused => refused.Reason,
            AuthorizationLost lost => lost.Reason,
            RateLimited limited => limited.Reason,
            _ => throw new ArgumentOutOfRangeException(nameof(failure), failure.GetType().Name, null),
        };

        public void HandOver(IFetchSink sink)
        {
            foreach (var record in records)
                sink.Add(record);
            foreach (var workflow in workflows)
                sink.Add(workflow);
            foreach (var label in labels)
                sink.Add(label);
            foreach (var execution in executions.Values)
                sink.Add(execution);
        }

        private FetchSucceeded Succeeded(IReadOnlyList<string> lost, bool leftOver)
        {
            var now = time.GetUtcNow();
            var yesterday = LocalDay.Of(now, request.TimeZone).AddDays(-1);
            var complete = yesterday < request.Window.To ? yesterday : request.Window.To;

            // Nothing at all is kept, or nothing of late: a new n8n, one that saves no executions, or all were pruned. Which one cannot be told, so no day is called complete.
            var since = coverage.Since(now);
            if (coverage.IsEmpty || (since is null && readThrough is null))
                return new FetchSucceeded { LostExecutions = lost, ReadInFullFrom = request.Window.To.AddDays(1) };

            // The body of the list ends inside the window: what ended earlier was pruned, and so perhaps a part of what started on that day; nothing was of an n8n whose very
            // first run is listed. Where an earlier run had read up to it, nothing is missing in between.
            var first = since is not { } start ? LocalDay.Of(now, request.TimeZone)
                : start.FirstStart is { } begun ? LocalDay.Of(begun, request.TimeZone)
                : LocalDay.Of(start.Since, request.TimeZone).AddDays(1);
            var measurableFrom = readThrough >= first.AddDays(-2) ? (DateOnly?)null : first;
            DateOnly? final = complete;
            if (oldestUnfinished is { } open && LocalDay.Of(open, request.TimeZone).AddDays(-1) is var before && before < complete)
                final = before;
            return new FetchSucceeded
            {
                CompleteThrough = complete,
                FinalThrough = leftOver ? null : final,
                MeasurableFrom = measurableFrom > request.Window.From ? measurableFrom : null,
                LostExecutions = lost,
            };
        }

        private async Task<FetchOutcome?> ReadWorkflowsAsync(CancellationToken cancellationToken)
        {
            string? cursor = null;
            var excludePinned = "&excludePinnedData=true";
            for (var page = 0; page < MaxWorkflowPages; page++)
            {
                var answer = await client.GetAsync(
                    $"workflows?limit={WorkflowPageSize}{excludePinned}{CursorQuery(cursor)}", N8nJson.Default.N8nWorkflowPage, cancellationToken);
                if (answer.Status == HttpStatusCode.BadRequest && excludePinned.Length > 0)
                {
                    // Versions that do not know the parameter refuse it; the rest of the request is fine.
                    excludePinned = "";
                    answer = await client.GetAsync($"workflows?limit={WorkflowPageSize}{CursorQuery(cursor)}", N8nJson.Default.N8nWorkflowPage, cancellationToken);
                }

                if (answer.Failure is not null)
                    return answer.Failure;
                if (answer.Value!.Data is not { } data)
                    return new RequestRefused("What answers at this address is not n8n's public API.");
                Record("workflows", new N8nQuery(WorkflowPageSize, null, cursor), data.Count);
                foreach (var workflow in data)
                {
                    if (N8nValues.Id(workflow?.Id) is { } id)
                    {
                        if (!N8nValues.SaysWhetherSuccessesAreKept(workflow!.Settings))
                            byDefault.Add(id);
                        workflows.Add(new WorkflowReading(
                            id, PlainText.Clean(workflow!.Name ?? "").Trim() is { Length: > 0 } name ? name : id, workflow.Active == true && workflow.IsArchived != true,
                            N8nValues.TimeSavedMinutes(workflow.Settings))
                        {
                            KeepsSuccesses = N8nValues.KeepsSuccesses(workflow.Settings),
                            ChangedAt = N8nValues.Plausible(N8nValues.Instant(workflow.UpdatedAt), time.GetUtcNow()),
                        });
                        labels.Add(N8nRuns.Labels(id, workflow));
                    }
                }

                var next = answer.Value.NextCursor;
                if (string.IsNullOrEmpty(next) || data.Count == 0)
                {
                    listed = true;
                    return null;
                }

                if (next == cursor)
                    return new ProviderDown("Your n8n repeats the same page of workflows.");
                cursor = next;
            }

            // More than 2,000 workflows: the newest are known by name, the others by id through their executions.
            return null;
        }

        /// <summary>
        /// Whether more ran than is listed: n8n counts what it does not keep, and what the instance keeps by default shows nowhere else. Newer versions only, and with a scope
        /// that a key need not have: where it is not told, nothing is said.
        /// </summary>
        private async Task ReadInsightsAsync(bool isWhole, CancellationToken cancellationToken)
        {
            // Whole hours, as n8n counts; and nothing that ended a moment ago, since it counts late.
            var now = time.GetUtcNow();
            var week = now.AddDays(-7);
            var from = windowStart > week ? windowStart : week;
            from = NextHour(from);
            // A list that says the same twice may have left something out instead.
            if (!listed || isTwice || from >= now || !(isWhole || coverage.HasPassed || reached < from - N8nCoverage.Overlap))
                return;
            // What was pruned is not listed either, and nobody threw it away.
            if (coverage.Since(now, isWhole) is not { } covered)
                return;
            if (covered.FirstStart is null && covered.Since > from)
                from = NextHour(covered.Since);
            if (from >= now)
                return;
            var answer = await client.GetAsync(
                $"insights/summary?startDate={Uri.EscapeDataString(Text(from))}&endDate={Uri.EscapeDataString(Text(now))}", N8nJson.Default.N8nInsights, cancellationToken);
            if (answer.Value is not { Total.Value: { } total and >= 0 and < 1e9, Failed.Value: { } failed and >= 0 and < 1e9 })
                return;
            Record("insights/summary", null, 1);
            var seen = counted.Values.Where(run => run.Stopped >= from).ToList();
            var (missing, succeeded) = (total - seen.Count, seen.Count(run => run.Succeeded));
            // All that happened is listed: what was thought of it before was wrong, or is over.
            if (missing <= 0)
            {
                var whole = LocalDay.Of(from, request.TimeZone).AddDays(1);
                for (var i = 0; i < workflows.Count; i++)
                {
                    if (byDefault.Contains(workflows[i].WorkflowId)) workflows[i] = workflows[i] with { ListedInFullFrom = whole };
                }
            }

            // A few may be long ones that began before what was read, or were deleted by hand.
            if (!(missing > Math.Max(5, total / 10) || (succeeded == 0 && total - failed >= 2)))
                return;
            var kept = seen.Where(run => run.Succeeded).Select(run => run.Workflow).ToHashSet(StringComparer.Ordinal);
            for (var i = 0; i < workflows.Count; i++)
            {
                if (workflows[i].Active && byDefault.Contains(workflows[i].WorkflowId) && !kept.Contains(workflows[i].WorkflowId))
                    workflows[i] = workflows[i] with { KeepsSuccesses = false };
            }

            shortfalls.Add(
                $"Since {Day(from)} your n8n counted {total:0} runs and lists {seen.Count}: not all are kept there. Either successes are thrown away by default (EXECUTIONS_DATA_SAVE_ON_SUCCESS), or "
                + "runs were deleted. Workflows of which no success is listed are left out of the totals.");

            static DateTimeOffset NextHour(DateTimeOffset instant) =>
                new(instant.UtcTicks - (instant.UtcTicks % TimeSpan.TicksPerHour) + TimeSpan.TicksPerHour, TimeSpan.Zero);

            static string Text(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

            string Day(DateTimeOffset instant) => LocalDay.Of(instant, request.TimeZone).ToString("d MMM", CultureInfo.InvariantCulture);
        }

        private async Task<FetchOutcome?> ReadUnfinishedAsync(string status, CancellationToken cancellationToken)
        {
            string? cursor = null;
            for (var page = 0; page < MaxUnfinishedPages; page++)
            {
                var answer = await GetExecutionsAsync(status, cursor, cancellationToken);

                // Older versions do not know the status and refuse it. Then the plain list has to do.
                if (answer.Status == HttpStatusCode.BadRequest)
                    return null;
                if (answer.Failure is not null)
                    return answer.Failure;
                var data = answer.Value!.Data ?? [];
                foreach (var execution in data)
                    Take(execution, always: true);
                var next = answer.Value.NextCursor;
                if (string.IsNullOrEmpty(next) || next == cursor || data.Count == 0)
                    return null;
                cursor = next;
            }

            return null;
        }

        /// <returns>The cursor to go on from (null at the end), or a failure.</returns>
        private async Task<(string? Next, FetchOutcome? Failure)> ReadExecutionsAsync(string? cursor, CancellationToken cancellationToken)
        {
            var fromCheckpoint = cursor is not null;
            for (var page = 0; page < Math.Max(1, options.MaxPagesPerFetch); page++)
            {
                var answer = await GetExecutionsAsync(null, cursor, cancellationToken);
                if (answer.Status == HttpStatusCode.BadRequest && fromCheckpoint && page == 0)
                {
                    // The cursor of an earlier message is no longer good (n8n was updated in between): begin again, which only costs time.
                    fromCheckpoint = false;
                    cursor = null;
                    coverage = new N8nCoverage();
                    answer = await GetExecutionsAsync(null, cursor, cancellationToken);
                }

                if (answer.Failure is not null)
                    return (null, answer.Failure);
                if (answer.Value!.Data is not { } data)
                    return (null, new RequestRefused("What answers at this address is not n8n's public API."));
                foreach (var execution in data)
                {
                    Take(execution, always: false);
                    if (N8nValues.Listed(execution, time.GetUtcNow()) is not { } run)
                        continue;
                    coverage.Add(run, windowStart - N8nCoverage.Overlap);
                    reached = run.Start;
                    if (N8nValues.IsCounted(execution.Mode, execution.Status) && N8nValues.Id(execution.Id) is { } id && N8nValues.Id(execution.WorkflowId) is { } workflow)
                        isTwice |= !counted.TryAdd(id, (workflow, run.Stop, execution.Status == "success"));
                }

                var next = answer.Value.NextCursor;
                if (coverage.HasPassed || string.IsNullOrEmpty(next) || data.Count == 0)
                    return (null, null);
                if (next == cursor)
                    return (null, new ProviderDown("Your n8n repeats the same page of executions."));
                cursor = next;
            }

            return (cursor, null);
        }

        /// <summary>
        /// Asks one by one for what was unfinished earlier and did not turn up. What cannot be told stays unfinished, with the days from it on, and is asked for again;
        /// it does not keep back what the lists told.
        /// </summary>
        private async Task<(IReadOnlyList<string> Lost, bool LeftOver)> ReadTrackedAsync(CancellationToken cancellationToken)
        {
            var lost = new List<string>();
            var (asked, failed) = (0, new List<FetchOutcome>());
            foreach (var id in tracked)
            {
                if (executions.ContainsKey(id))
                    continue;
                if (asked++ == MaxLookups || failed.Count == MaxFailedLookups || failed is [.., RateLimited or AuthorizationLost])
                    return Told(true);
                var answer = await client.GetAsync($"executions/{Uri.EscapeDataString(id)}?includeData=false", N8nJson.Default.N8nExecution, cancellationToken);

                // Pruned or deleted: how it ended will never be known.
                if (answer.Status == HttpStatusCode.NotFound && answer.Failure is RequestRefused)
                {
                    lost.Add(id);
                    continue;
                }

                if (answer.Failure is { } failure)
                {
                    failed.Add(failure);
                    continue;
                }

                Record($"executions/{id}", null, 1);
                Take(answer.Value, always: true);
            }

            return Told(failed.Count > 0);

            (IReadOnlyList<string>, bool) Told(bool leftOver)
            {
                if (failed.Count > 0)
                    shortfalls.Add($"How {(failed.Count == 1 ? "a run that was going on" : $"{failed.Count} runs that were going on")} ended could not be read. {Reason(failed[^1])}");
                return (lost, leftOver);
            }
        }

        private async Task<N8nAnswer<N8nExecutionPage>> GetExecutionsAsync(string? status, string? cursor, CancellationToken cancellationToken)
        {
            var filter = status is null ? "" : $"&status={status}";
            var answer = await client.GetAsync(
                $"executions?limit={pageSize}&includeData=false{filter}{CursorQuery(cursor)}", N8nJson.Default.N8nExecutionPage, cancellationToken);
            if (answer.Failure is null)
                Record("executions", new N8nQuery(pageSize, status, cursor), answer.Value!.Data?.Count ?? 0);
            return answer;
        }

        /// <summary>
        /// Keeps an execution of the window; one from outside only if it is asked for by itself. Days outside the window are read in part at best, and a part
        /// must not pass for the whole.
        /// </summary>
        private void Take(N8nExecution? raw, bool always)
        {
            if (N8nValues.Reading(raw, time.GetUtcNow()) is not { } execution)
                return;
            var inside = execution.StartedAt >= windowStart && execution.StartedAt < windowEnd;
            if (always || inside || tracked.Contains(execution.ExecutionId))
                executions[execution.ExecutionId] = N8nRuns.Told(raw!, execution);
        }

        private void NoteUnfinished(DateTimeOffset? carried)
        {
            oldestUnfinished = carried;
            foreach (var execution in executions.Values)
            {
                if (execution.Status == ExecutionStatus.Unfinished && (oldestUnfinished is null || execution.StartedAt < oldestUnfinished))
                    oldestUnfinished = execution.StartedAt;
            }
        }

        private void Record(string path, N8nQuery? query, int rows) => records.Add(new RequestRecord
        {
            Operation = $"GET {client.ApiPath}/{path}",
            Request = query is null ? null : JsonSerializer.Serialize(query, N8nJson.Default.N8nQuery),
            FetchedAt = time.GetUtcNow(),
            Rows = rows,
        });

        private static string CursorQuery(string? cursor) => cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}";

        private static N8nCheckpoint? ReadCheckpoint(string? json)
        {
            if (json is null)
                return null;
            try
            {
                return JsonSerializer.Deserialize(json, N8nJson.Default.N8nCheckpoint) is { Cursor.Length: > 0 } checkpoint ? checkpoint : null;
            }
            catch (JsonException)
            {
                return null;
            }
        }
    }
}
