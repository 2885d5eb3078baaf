using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using KpiDashboard.Demo.Datasets;
using KpiDashboard.Demo.Simulation;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Demo.N8n;

/// <summary>An n8n that the simulator serves under <c>/{Name}/api/v1</c>.</summary>
internal sealed record N8nInstance(string Name, string ApiKey, N8nDataset Dataset);

/// <summary>How an <see cref="N8nSimulator"/> is set up.</summary>
internal sealed record N8nSimulatorOptions
{
    /// <summary>0 picks a free port.</summary>
    public int Port { get; init; }

    /// <summary>Served from the start; more by <see cref="N8nSimulator.Add"/>.</summary>
    public IReadOnlyList<N8nInstance> Instances { get; init; } = [];

    /// <summary>Refuses <c>status=running</c> and <c>excludePinnedData</c>, and writes ids as numbers, as old versions do.</summary>
    public bool OldVersion { get; init; }
}

/// <summary>
/// The public API of n8n (workflows, executions, insights summary) for several instances on 127.0.0.1, after recordings of 2.41.1: cursor paging from the newest id on, running
/// executions left out of the plain list, <c>stoppedAt</c> on waiting ones, error bodies, pruning by the end of executions, keys of members and without scopes.
/// </summary>
internal sealed class N8nSimulator : IAsyncDisposable
{
    private static readonly string[] Statuses = ["canceled", "crashed", "error", "new", "running", "success", "unknown", "waiting"];

    private readonly N8nSimulatorOptions options;
    private readonly TimeProvider time;
    private readonly ConcurrentDictionary<string, Instance> instances = new();
    private SimulatorServer server = null!;

    private N8nSimulator(N8nSimulatorOptions options, TimeProvider time)
    {
        this.options = options;
        this.time = time;
        foreach (var instance in options.Instances)
            Add(instance);
    }

    /// <summary>For example <c>http://127.0.0.1:41235/</c>.</summary>
    public Uri BaseAddress => server.BaseAddress;

    /// <summary>Script of faults by instance name and counters of requests.</summary>
    public Faults Faults { get; } = new();

    /// <summary>Starts serving.</summary>
    public static async Task<N8nSimulator> StartAsync(N8nSimulatorOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        var simulator = new N8nSimulator(options, time);
        simulator.server = await SimulatorServer.StartAsync(options.Port, simulator.HandleAsync, cancellationToken);
        return simulator;
    }

    /// <summary>What a tenant enters as its n8n address, for example <c>http://127.0.0.1:41235/merch-shop</c>.</summary>
    public Uri BaseUrl(string instance) => new(BaseAddress, instance);

    /// <summary>Serves one more instance.</summary>
    public void Add(N8nInstance instance) => instances[instance.Name] = new Instance(instance);

    /// <summary>Everything that has started by now and was not pruned, oldest first; running ones included.</summary>
    public IReadOnlyList<SimulatedExecution> Executions(string instance) => Find(instance).Executions(time.GetUtcNow());

    /// <summary>
    /// Deletes executions that ended before then, as n8n does after 14 days, whenever they started. As there, what waits or runs stays, and so
    /// does what is annotated (<see cref="Keep"/>).
    /// </summary>
    public void Prune(string instance, DateTimeOffset before) => Find(instance).Prune(before);

    /// <summary>Deletes a single execution.</summary>
    public void Delete(string instance, long id) => Find(instance).Delete(id);

    /// <summary>Annotates an execution: it outlives every pruning.</summary>
    public void Keep(string instance, long id) => Find(instance).Keep(id);

    /// <summary>
    /// The clock of the instance stood elsewhere when an execution started: that is what it tells of it. Its place in the list is that of its id,
    /// as before.
    /// </summary>
    /// <param name="instance">Name of the instance.</param>
    /// <param name="id">Id of the execution.</param>
    /// <param name="startedAt">When it started by that clock.</param>
    /// <param name="endsRight">Whether the clock had been set by the time it ended; else it ended by the wrong one as well.</param>
    public void SetClock(string instance, long id, DateTimeOffset startedAt, bool endsRight = false) =>
        Find(instance).SetClock(id, startedAt, endsRight);

    /// <summary>Starts an execution now. It ends after the duration, as time goes on.</summary>
    /// <returns>Its id.</returns>
    public long Start(
        string instance, string workflowId, TimeSpan duration, string outcome = "success", string mode = "webhook", DateTimeOffset? waitTill = null, long? retryOf = null,
        (string Node, string Message)? failure = null) =>
        Find(instance).Start(workflowId, duration, outcome, mode, waitTill, Now, retryOf, failure);

    /// <summary>Does a failed execution again, as the button of n8n does; once it succeeded, the failed one names it.</summary>
    /// <returns>Its id.</returns>
    public long Retry(string instance, long failed, TimeSpan duration, string outcome = "success") =>
        Start(instance, Executions(instance).Single(execution => execution.Id == failed).WorkflowId, duration, outcome, "retry", retryOf: failed);

    /// <summary>So many bytes of what went through it stand before the error of every execution that is told with its data.</summary>
    public int RunDataBytes { get; set; } = 20_000;

    /// <summary>How many executions of an instance were told with their data.</summary>
    public int WithData(string instance) => withData.GetValueOrDefault(instance);

    private readonly ConcurrentDictionary<string, int> withData = new();

    /// <summary>Which requests of which instance are answered with 500, by path and query; beside <see cref="Faults"/>.</summary>
    public Func<string, string, bool>? Refuses { get; set; }

    private DateTimeOffset Now => DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());

    /// <summary>From now on only this key is good, and those that were added.</summary>
    public void SetApiKey(string instance, string apiKey) => Find(instance).ApiKey = apiKey;

    /// <summary>A key of a member, who sees only some workflows: others and their runs are not listed, and not found.</summary>
    public void AddMemberKey(string instance, string apiKey, params IReadOnlyCollection<string> workflows) => Find(instance).MemberKeys[apiKey] = workflows.ToHashSet(StringComparer.Ordinal);

    /// <summary>What keys of the instance may do from now on, for example <c>workflow:list</c>; without any, everything.</summary>
    public void SetScopes(string instance, params string[] scopes) => Find(instance).Scopes = scopes.Length == 0 ? null : scopes.ToHashSet(StringComparer.Ordinal);

    /// <summary>Switches the public API off or on: off, every call is answered as one with a wrong key is.</summary>
    public void SwitchApi(string instance, bool on) => Find(instance).IsOff = !on;

    /// <summary>Changes a workflow, as somebody does in the editor now.</summary>
    public void Change(string instance, string workflow, Func<SimulatedWorkflow, SimulatedWorkflow> change) => Find(instance).Change(workflow, change, time.GetUtcNow());

    /// <summary>Deletes a workflow, and with it all its executions.</summary>
    public void DeleteWorkflow(string instance, string workflow) => Find(instance).DeleteWorkflow(workflow);

    /// <summary>Whether successes that end from now on are kept where a workflow does not say (n8n's EXECUTIONS_DATA_SAVE_ON_SUCCESS); the API does not tell.</summary>
    public void KeepSuccessesByDefault(string instance, bool keep) => Find(instance).KeepByDefault(keep, time.GetUtcNow());

    /// <summary>What ended in truth, whatever is kept of it: for n8n's insights, and for tests.</summary>
    public IReadOnlyList<SimulatedExecution> Ended(string instance, DateTimeOffset from, DateTimeOffset to) => Find(instance).Ended(from, to, time.GetUtcNow());

    /// <inheritdoc />
    public ValueTask DisposeAsync() => server.DisposeAsync();

    private Instance Find(string name) => instances.TryGetValue(name, out var instance) ? instance : throw new ArgumentException($"No n8n {name} is simulated.", nameof(name));

    private async Task HandleAsync(HttpContext context)
    {
        var path = (context.Request.Path.Value ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (path is [var name, "healthz"] && instances.ContainsKey(name))
        {
            await SimulatorServer.WriteAsync(context, 200, json =>
            {
                json.WriteStartObject();
                json.WriteString("status", "ok");
                json.WriteEndObject();
            });
            return;
        }

        if (path.Length < 4 || path[1] != "api" || path[2] != "v1" || !instances.TryGetValue(path[0], out var instance))
        {
            await ErrorAsync(context, 404, "Not Found");
            return;
        }

        var fault = Faults.Take(path[0]);
        if (await SimulatorServer.MisbehaveAsync(context, fault))
            return;
        if (Refuses?.Invoke(path[0], $"{context.Request.Path}{context.Request.QueryString}") == true)
        {
            await ErrorAsync(context, 500, "Internal Server Error");
            return;
        }

        // Switched off, it looks at no key: it answers all of them alike.
        var key = context.Request.Headers["X-N8N-API-KEY"].ToString();
        var sees = instance.MemberKeys.GetValueOrDefault(key);
        if (instance.IsOff || (key != instance.ApiKey && sees is null))
            await ErrorAsync(context, 401, "Unauthorized");
        else if (!HttpMethods.IsGet(context.Request.Method))
            await ErrorAsync(context, 405, "GET method not allowed");
        else if (ScopeOf(path) is { } scope && instance.Scopes?.Contains(scope) == false)
            await ErrorAsync(context, 403, "Forbidden");
        else if (path is [_, _, _, "workflows"])
            await WorkflowsAsync(context, instance, sees, fault);
        else if (path is [_, _, _, "executions"])
            await ExecutionsAsync(context, instance, sees, fault);
        else if (path is [_, _, _, "executions", var id] && long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            await ExecutionAsync(context, instance, number, sees, fault);
        else if (path is [_, _, _, "insights", "summary"] && !options.OldVersion)
            await InsightsAsync(context, instance, fault);
        else
            await ErrorAsync(context, 404, "Not Found");
    }

    private static string? ScopeOf(string[] path) => path switch
    {
        [_, _, _, "workflows"] => "workflow:list",
        [_, _, _, "executions"] => "execution:list",
        [_, _, _, "executions", _] => "execution:read",
        [_, _, _, "insights", "summary"] => "insights:read",
        _ => null,
    };

    /// <summary>n8n counts what ended, kept or not, and leaves out manual runs and sub-workflows.</summary>
    private async Task InsightsAsync(HttpContext context, Instance instance, Fault? fault)
    {
        var now = SimulatorServer.Now(context, fault, time);
        var (from, to) = (now.AddDays(-7), now);
        foreach (var (name, bad) in new[] { ("startDate", false), ("endDate", true) })
        {
            if (context.Request.Query[name].ToString() is not { Length: > 0 } text) continue;
            if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant))
            {
                await ErrorAsync(context, 400, "Invalid date");
                return;
            }

            if (bad) to = instant;
            else from = instant;
        }

        var ended = instance.Ended(from, to, now).Where(execution => execution.Mode is not ("manual" or "integrated" or "internal")).ToList();
        var failed = ended.Count(execution => execution.Outcome is "error" or "crashed");
        await SimulatorServer.WriteAsync(context, 200, json =>
        {
            json.WriteStartObject();
            foreach (var (name, value, unit) in new[]
            {
                ("total", (double)ended.Count, "count"), ("failed", failed, "count"), ("failureRate", ended.Count == 0 ? 0 : Math.Round((double)failed / ended.Count, 3), "ratio"),
                ("timeSaved", 0, "minute"), ("averageRunTime", ended.Count == 0 ? 0 : ended.Average(execution => (execution.EndsAt - execution.StartedAt).TotalMilliseconds), "millisecond"),
            })
            {
                json.WriteStartObject(name);
                json.WriteNumber("value", value);
                json.WriteNull("deviation");
                json.WriteString("unit", unit);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }, fault);
    }

    private async Task WorkflowsAsync(HttpContext context, Instance instance, IReadOnlySet<string>? sees, Fault? fault)
    {
        var query = context.Request.Query;
        if (options.OldVersion && query.ContainsKey("excludePinnedData"))
        {
            await ErrorAsync(context, 400, "Unknown query parameter 'excludePinnedData'");
            return;
        }

        var (limit, position, error) = Paging(query, "offset");
        if (error is not null)
        {
            await ErrorAsync(context, 400, error);
            return;
        }

        var all = instance.Workflows.Where(workflow => sees?.Contains(workflow.Workflow.Id) != false).ToList();
        var offset = (int)(position ?? 0);
        var page = all.Skip(offset).Take(limit).ToList();
        await SimulatorServer.WriteAsync(context, 200, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("data");
            foreach (var (workflow, changedAt) in page)
                WriteWorkflow(json, workflow, changedAt);
            json.WriteEndArray();
            json.WriteString("nextCursor", offset + page.Count < all.Count ? Cursor("offset", (offset + page.Count).ToString(CultureInfo.InvariantCulture), limit, quoted: false) : null);
            json.WriteEndObject();
        }, fault);
    }

    private async Task ExecutionsAsync(HttpContext context, Instance instance, IReadOnlySet<string>? sees, Fault? fault)
    {
        var query = context.Request.Query;
        var status = query["status"].ToString();
        var known = options.OldVersion ? ["error", "success", "waiting"] : Statuses;
        if (status.Length > 0 && !known.Contains(status))
        {
            await ErrorAsync(context, 400, $"request/query/status Invalid enum value. Expected {string.Join(" | ", known.Select(value => $"'{value}'"))}, received '{status}'");
            return;
        }

        var (limit, lastId, error) = Paging(query, "lastId");
        if (error is not null)
        {
            await ErrorAsync(context, 400, error);
            return;
        }

        var workflow = query["workflowId"].ToString();
        var now = SimulatorServer.Now(context, fault, time);
        var again = fault is Fault.DuplicatedPage && lastId is null;
        if (fault is Fault.DuplicatedPage)
            lastId = null;
        var page = new List<(SimulatedExecution Execution, string Status)>();
        var more = false;
        var all = instance.Executions(now);
        for (var i = all.Count - 1; i >= 0; i--)
        {
            var execution = all[i];
            // By a clock that ran ahead it has not even started; in truth it is over.
            var state = execution.StatusAt(now) ?? execution.Outcome;
            if (execution.Id >= lastId || workflow.Length > 0 && execution.WorkflowId != workflow || sees?.Contains(execution.WorkflowId) == false)
                continue;
            if (status.Length > 0 ? state != status : state == "running")
                continue;
            if (page.Count == limit)
            {
                more = true;
                break;
            }

            page.Add((execution, state));
        }

        var written = again ? page.SelectMany(row => new[] { row, row }) : page;

        await SimulatorServer.WriteAsync(context, 200, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("data");
            foreach (var (execution, state) in written)
                WriteExecution(json, instance, execution, state);
            json.WriteEndArray();
            json.WriteString("nextCursor", more ? Cursor("lastId", page[^1].Execution.Id.ToString(CultureInfo.InvariantCulture), limit, quoted: true) : null);
            json.WriteEndObject();
        }, fault);
    }

    private async Task ExecutionAsync(HttpContext context, Instance instance, long id, IReadOnlySet<string>? sees, Fault? fault)
    {
        var now = SimulatorServer.Now(context, fault, time);
        // What a key does not see is answered as what is not there.
        if (instance.Executions(now).FirstOrDefault(execution => execution.Id == id && sees?.Contains(execution.WorkflowId) != false) is not { } found)
        {
            await ErrorAsync(context, 404, "Not Found");
            return;
        }

        var isWhole = context.Request.Query["includeData"] == "true";
        if (isWhole)
            withData.AddOrUpdate(instance.Name, 1, static (_, n) => n + 1);
        var workflow = instance.Dataset.Workflows.FirstOrDefault(workflow => workflow.Id == found.WorkflowId);
        await SimulatorServer.WriteAsync(context, 200, json => WriteExecution(json, instance, found, found.StatusAt(now) ?? found.Outcome, isWhole ? workflow : null), fault);
    }

    /// <summary>What went through an execution, a lot of it and nobody's business, with why it failed at its end, as n8n writes it.</summary>
    private void WriteData(Utf8JsonWriter json, SimulatedExecution execution, string status, SimulatedWorkflow workflow)
    {
        json.WriteStartObject("data");
        json.WriteStartObject("startData");
        json.WriteEndObject();
        json.WriteStartObject("resultData");
        json.WriteStartObject("runData");
        json.WriteStartArray("Start");
        json.WriteStartObject();
        json.WriteString("payload", new string('x', RunDataBytes));
        json.WriteString("customer", "anna@customer.example");
        // What an item carries is called as it likes.
        json.WriteStartObject("error");
        json.WriteString("message", "not this one");
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteString("lastNodeExecuted", "Start");
        if (status is "error" or "crashed")
        {
            var (node, message) = execution.Failure ?? workflow.Failures[(int)(execution.Id / N8nDataset.IdStep % workflow.Failures.Count)];
            json.WriteStartObject("error");
            json.WriteString("level", "warning");
            json.WriteString("message", message);
            json.WriteString("stack", "NodeApiError: " + message + " at somewhere");
            json.WriteStartObject("node");
            json.WriteStartObject("parameters");
            json.WriteString("name", "not this one");
            json.WriteEndObject();
            json.WriteString("name", node);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Limit and position: from the cursor if there is one, which carries both, as n8n's does.</summary>
    private static (int Limit, long? Position, string? Error) Paging(IQueryCollection query, string field)
    {
        long limit = 100;
        long? position = null;
        if (query["cursor"].ToString() is { Length: > 0 } cursor)
        {
            try
            {
                using var json = JsonDocument.Parse(Convert.FromBase64String(cursor));
                limit = json.RootElement.GetProperty("limit").GetInt64();
                position = long.Parse(json.RootElement.GetProperty(field).ToString(), CultureInfo.InvariantCulture);
            }
            catch (Exception e) when (e is FormatException or JsonException or KeyNotFoundException or InvalidOperationException or OverflowException)
            {
                return (0, null, "An invalid cursor was provided");
            }
        }
        else if (query["limit"].ToString() is { Length: > 0 } text && !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit))
            return (0, null, "request/query/limit Expected number, received nan");

        // A larger limit is not refused but cut (recording err-limit).
        return ((int)Math.Clamp(limit, 1, 250), position, null);
    }

    private static string Cursor(string field, string value, int limit, bool quoted) =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes(quoted ? $$"""{"{{field}}":"{{value}}","limit":{{limit}}}""" : $$"""{"limit":{{limit}},"{{field}}":{{value}}}"""));

    private void WriteExecution(Utf8JsonWriter json, Instance instance, SimulatedExecution execution, string status, SimulatedWorkflow? told = null)
    {
        json.WriteStartObject();
        if (options.OldVersion)
            json.WriteNumber("id", execution.Id);
        else
            json.WriteString("id", execution.Id.ToString(CultureInfo.InvariantCulture));
        json.WriteBoolean("finished", status == "success");
        json.WriteString("mode", execution.Mode);
        json.WriteString("retryOf", execution.RetryOf?.ToString(CultureInfo.InvariantCulture));
        json.WriteString("retrySuccessId", instance.RetryOf(execution.Id, time.GetUtcNow())?.ToString(CultureInfo.InvariantCulture));
        json.WriteString("status", status);
        json.WriteString("startedAt", Instant(execution.StartedAt));

        // A waiting execution has a stoppedAt as well: the moment it fell asleep.
        json.WriteString("stoppedAt", status switch
        {
            "running" => null,
            "waiting" => Instant(execution.StartedAt.AddMilliseconds(16)),
            _ => Instant(execution.EndsAt),
        });
        json.WriteString("workflowId", execution.WorkflowId);
        json.WriteString("waitTill", status == "waiting" ? Instant(execution.WaitTill!.Value) : null);
        if (told is not null)
            WriteData(json, execution, status, told);
        json.WriteEndObject();
    }

    private static void WriteWorkflow(Utf8JsonWriter json, SimulatedWorkflow workflow, DateTimeOffset? changedAt)
    {
        json.WriteStartObject();
        json.WriteString("id", workflow.Id);
        json.WriteString("name", workflow.Name);
        json.WriteBoolean("active", workflow.Active);
        json.WriteBoolean("isArchived", false);
        if (changedAt is { } changed)
            json.WriteString("updatedAt", Instant(changed));
        json.WriteNumber("triggerCount", workflow.Active ? 1 : 0);
        json.WriteStartArray("nodes");
        json.WriteEndArray();
        json.WriteStartObject("connections");
        json.WriteEndObject();
        json.WriteStartObject("settings");
        json.WriteString("executionOrder", "v1");
        if (workflow.TimeSavedMinutes is { } minutes)
            json.WriteNumber("timeSavedPerExecution", minutes);
        if (workflow.ErrorWorkflow is not null)
            json.WriteString("errorWorkflow", workflow.ErrorWorkflow);
        if (workflow.KeepsSuccesses is { } keeps)
            json.WriteString("saveDataSuccessExecution", keeps ? "all" : "none");
        json.WriteEndObject();
        json.WriteNull("staticData");
        json.WriteNull("pinData");
        json.WriteStartArray("tags");
        foreach (var tag in workflow.Tags)
        {
            json.WriteStartObject();
            json.WriteString("id", "t" + tag.Length + tag[0]);
            json.WriteString("name", tag);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("shared");
        json.WriteStartObject();
        json.WriteString("role", "workflow:owner");
        json.WriteString("workflowId", workflow.Id);
        json.WriteString("projectId", workflow.Project?.Id ?? "oWnPr0ject000001");
        if (workflow.Project is { } project)
        {
            json.WriteStartObject("project");
            json.WriteString("id", project.Id);
            json.WriteString("name", project.Name);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static string Instant(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static Task ErrorAsync(HttpContext context, int status, string message) => SimulatorServer.WriteAsync(context, status, json =>
    {
        json.WriteStartObject();
        json.WriteString("message", message);
        json.WriteEndObject();
    });

    /// <summary>An instance with what tests changed in it.</summary>
    private sealed class Instance(N8nInstance served)
    {
        private readonly Lock gate = new();
        private readonly List<SimulatedExecution> started = [];
        private readonly HashSet<long> deleted = [], kept = [];
        private readonly Dictionary<long, (DateTimeOffset StartedAt, bool EndsRight)> clocks = [];
        private readonly Dictionary<string, (SimulatedWorkflow Workflow, DateTimeOffset At)> changed = new(StringComparer.Ordinal);
        private readonly HashSet<string> deletedWorkflows = new(StringComparer.Ordinal);

        // From when on successes of a workflow are kept or not; under the empty name, where a workflow does not say.
        private readonly Dictionary<string, List<(DateTimeOffset From, bool? Keeps)>> keeping = new(StringComparer.Ordinal);
        private DateTimeOffset prunedBefore = DateTimeOffset.MinValue;

        public string Name => served.Name;

        public N8nDataset Dataset => served.Dataset;

        public string ApiKey { get; set; } = served.ApiKey;

        public ConcurrentDictionary<string, IReadOnlySet<string>> MemberKeys { get; } = new(StringComparer.Ordinal);

        public HashSet<string>? Scopes { get; set; }

        public bool IsOff { get; set; }

        /// <summary>As they are now, with when they were last changed.</summary>
        public IReadOnlyList<(SimulatedWorkflow Workflow, DateTimeOffset? ChangedAt)> Workflows
        {
            get
            {
                lock (gate)
                {
                    return
                    [
                        .. served.Dataset.Workflows.Where(workflow => !deletedWorkflows.Contains(workflow.Id))
                            .Select(workflow => changed.TryGetValue(workflow.Id, out var now) ? (now.Workflow, now.At) : (workflow, (DateTimeOffset?)null)),
                    ];
                }
            }
        }

        public void Change(string id, Func<SimulatedWorkflow, SimulatedWorkflow> change, DateTimeOffset now)
        {
            lock (gate)
            {
                var workflow = change(changed.TryGetValue(id, out var before) ? before.Workflow : served.Dataset.Workflows.Single(one => one.Id == id));
                changed[id] = (workflow, now);
                SetKeeping(id, now, workflow.KeepsSuccesses);
            }
        }

        public void DeleteWorkflow(string id)
        {
            lock (gate)
                deletedWorkflows.Add(id);
        }

        public void KeepByDefault(bool keep, DateTimeOffset now)
        {
            lock (gate)
                SetKeeping("", now, keep);
        }

        private void SetKeeping(string id, DateTimeOffset from, bool? keeps)
        {
            if (!keeping.TryGetValue(id, out var list))
                keeping[id] = list = [];
            list.Add((from, keeps));
        }

        /// <summary>Whether an execution that ended was kept, by what was set at that moment.</summary>
        private bool IsSaved(SimulatedExecution execution)
        {
            if (execution.Outcome != "success")
                return true;
            var made = served.Dataset.Workflows.FirstOrDefault(workflow => workflow.Id == execution.WorkflowId)?.KeepsSuccesses;
            return SetAt(execution.WorkflowId, execution.EndsAt) ?? made ?? SetAt("", execution.EndsAt) ?? true;
        }

        private bool? SetAt(string id, DateTimeOffset instant) =>
            keeping.TryGetValue(id, out var list) ? list.Where(entry => entry.From <= instant).Select(entry => entry.Keeps).LastOrDefault() : null;

        public IReadOnlyList<SimulatedExecution> Ended(DateTimeOffset from, DateTimeOffset to, DateTimeOffset now)
        {
            var made = served.Dataset.StartedBy(now);
            lock (gate)
                return [.. made.Concat(started).Where(execution => execution.EndsAt <= now && execution.EndsAt >= from && execution.EndsAt <= to)];
        }

        public IReadOnlyList<SimulatedExecution> Executions(DateTimeOffset now)
        {
            var made = served.Dataset.StartedBy(now);
            lock (gate)
            {
                if (started.Count == 0 && deleted.Count == 0 && clocks.Count == 0 && prunedBefore == DateTimeOffset.MinValue && keeping.Count == 0 && deletedWorkflows.Count == 0
                    && served.Dataset.Workflows.All(workflow => workflow.KeepsSuccesses != false))
                    return made;
                return
                [
                    .. made.Concat(started)
                        .Where(execution => execution.StartedAt <= now && !deleted.Contains(execution.Id) && !deletedWorkflows.Contains(execution.WorkflowId)
                            && (execution.EndsAt > now || (IsSaved(execution) && (execution.EndsAt >= prunedBefore || kept.Contains(execution.Id)))))
                        .OrderBy(execution => execution.Id)
                        .Select(Told),
                ];
            }
        }

        /// <summary>As the instance tells it, by the clock that it had.</summary>
        private SimulatedExecution Told(SimulatedExecution execution)
        {
            if (!clocks.TryGetValue(execution.Id, out var clock))
                return execution;
            return execution with
            {
                StartedAt = clock.StartedAt,
                Duration = clock.EndsRight && execution.WaitTill is null && execution.EndsAt > clock.StartedAt
                    ? execution.EndsAt - clock.StartedAt
                    : execution.Duration,
            };
        }

        /// <summary>The retry of a failed execution that has succeeded by now.</summary>
        public long? RetryOf(long id, DateTimeOffset now)
        {
            lock (gate)
                return started.Find(execution => execution.RetryOf == id && execution.StatusAt(now) == "success")?.Id;
        }

        public void Keep(long id)
        {
            lock (gate)
                kept.Add(id);
        }

        public void SetClock(long id, DateTimeOffset startedAt, bool endsRight)
        {
            lock (gate)
                clocks[id] = (startedAt, endsRight);
        }

        public void Prune(DateTimeOffset before)
        {
            lock (gate)
                prunedBefore = before;
        }

        public void Delete(long id)
        {
            lock (gate)
                deleted.Add(id);
        }

        public long Start(string workflowId, TimeSpan duration, string outcome, string mode, DateTimeOffset? waitTill, DateTimeOffset now, long? retryOf, (string Node, string Message)? failure)
        {
            var made = served.Dataset.StartedBy(now);
            lock (gate)
            {
                // In the gap behind the newest generated id, so that ids keep growing with the start.
                var after = made.Count == 0 ? 0 : made[^1].Id;
                var id = after + 1;
                while (started.Any(execution => execution.Id == id))
                    id++;
                if (id >= after + N8nDataset.IdStep)
                    throw new InvalidOperationException("No more executions can be started between two generated ones.");
                started.Add(new SimulatedExecution
                {
                    Id = id,
                    WorkflowId = workflowId,
                    Mode = mode,
                    StartedAt = now,
                    Duration = duration,
                    Outcome = outcome,
                    WaitTill = waitTill,
                    RetryOf = retryOf,
                    Failure = failure,
                });
                return id;
            }
        }
    }
}
