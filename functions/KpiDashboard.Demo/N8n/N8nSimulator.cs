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
/// The public API of n8n (workflows, executions) for several instances on 127.0.0.1, after recordings of 2.41.1: cursor paging from the newest id on, running executions
/// left out of the plain list, <c>stoppedAt</c> on waiting ones, error bodies.
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
    /// Deletes executions that started before then, as n8n does after 14 days. As there, what waits or runs stays, and so does what is
    /// annotated (<see cref="Keep"/>).
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
    public long Start(string instance, string workflowId, TimeSpan duration, string outcome = "success", string mode = "webhook", DateTimeOffset? waitTill = null) =>
        Find(instance).Start(workflowId, duration, outcome, mode, waitTill, DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds()));

    /// <summary>From now on only this key is good.</summary>
    public void SetApiKey(string instance, string apiKey) => Find(instance).ApiKey = apiKey;

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
        if (context.Request.Headers["X-N8N-API-KEY"].ToString() != instance.ApiKey)
            await ErrorAsync(context, 401, "Unauthorized");
        else if (!HttpMethods.IsGet(context.Request.Method))
            await ErrorAsync(context, 405, "GET method not allowed");
        else if (path is [_, _, _, "workflows"])
            await WorkflowsAsync(context, instance, fault);
        else if (path is [_, _, _, "executions"])
            await ExecutionsAsync(context, instance, fault);
        else if (path is [_, _, _, "executions", var id] && long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            await ExecutionAsync(context, instance, number, fault);
        else
            await ErrorAsync(context, 404, "Not Found");
    }

    private async Task WorkflowsAsync(HttpContext context, Instance instance, Fault? fault)
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

        var all = instance.Served.Dataset.Workflows;
        var offset = (int)(position ?? 0);
        var page = all.Skip(offset).Take(limit).ToList();
        await SimulatorServer.WriteAsync(context, 200, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("data");
            foreach (var workflow in page)
                WriteWorkflow(json, workflow);
            json.WriteEndArray();
            json.WriteString("nextCursor", offset + page.Count < all.Count ? Cursor("offset", (offset + page.Count).ToString(CultureInfo.InvariantCulture), limit, quoted: false) : null);
            json.WriteEndObject();
        }, fault);
    }

    private async Task ExecutionsAsync(HttpContext context, Instance instance, Fault? fault)
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
            if (execution.Id >= lastId || workflow.Length > 0 && execution.WorkflowId != workflow)
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
                WriteExecution(json, execution, state);
            json.WriteEndArray();
            json.WriteString("nextCursor", more ? Cursor("lastId", page[^1].Execution.Id.ToString(CultureInfo.InvariantCulture), limit, quoted: true) : null);
            json.WriteEndObject();
        }, fault);
    }

    private async Task ExecutionAsync(HttpContext context, Instance instance, long id, Fault? fault)
    {
        var now = SimulatorServer.Now(context, fault, time);
        if (instance.Executions(now).FirstOrDefault(execution => execution.Id == id) is not { } found)
        {
            await ErrorAsync(context, 404, "Not Found");
            return;
        }

        await SimulatorServer.WriteAsync(context, 200, json => WriteExecution(json, found, found.StatusAt(now) ?? found.Outcome), fault);
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

    private void WriteExecution(Utf8JsonWriter json, SimulatedExecution execution, string status)
    {
        json.WriteStartObject();
        if (options.OldVersion)
            json.WriteNumber("id", execution.Id);
        else
            json.WriteString("id", execution.Id.ToString(CultureInfo.InvariantCulture));
        json.WriteBoolean("finished", status == "success");
        json.WriteString("mode", execution.Mode);
        json.WriteNull("retryOf");
        json.WriteNull("retrySuccessId");
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
        json.WriteEndObject();
    }

    private static void WriteWorkflow(Utf8JsonWriter json, SimulatedWorkflow workflow)
    {
        json.WriteStartObject();
        json.WriteString("id", workflow.Id);
        json.WriteString("name", workflow.Name);
        json.WriteBoolean("active", workflow.Active);
        json.WriteBoolean("isArchived", false);
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
        json.WriteEndObject();
        json.WriteNull("staticData");
        json.WriteNull("pinData");
        json.WriteStartArray("tags");
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
        private DateTimeOffset prunedBefore = DateTimeOffset.MinValue;

        public N8nInstance Served => served;

        public string ApiKey { get; set; } = served.ApiKey;

        public IReadOnlyList<SimulatedExecution> Executions(DateTimeOffset now)
        {
            var made = served.Dataset.StartedBy(now);
            lock (gate)
            {
                if (started.Count == 0 && deleted.Count == 0 && clocks.Count == 0 && prunedBefore == DateTimeOffset.MinValue)
                    return made;
                return
                [
                    .. made.Concat(started)
                        .Where(execution => execution.StartedAt <= now && !deleted.Contains(execution.Id)
                            && (execution.StartedAt >= prunedBefore || execution.EndsAt > now || kept.Contains(execution.Id)))
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

        public long Start(string workflowId, TimeSpan duration, string outcome, string mode, DateTimeOffset? waitTill, DateTimeOffset now)
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
                });
                return id;
            }
        }
    }
}
