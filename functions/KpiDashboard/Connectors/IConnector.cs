using System.Text.Json;
using KpiDashboard.Kpis;

namespace KpiDashboard.Connectors;

/// <summary>
/// One provider. A connector asks the provider for a window of days, hands what it read to the sink and returns how it went. It knows nothing of
/// Azure, queues or SQL; it never retries (one access-token refresh apart), sleeps or writes: that belongs to the sync engine.
/// </summary>
internal interface IConnector
{
    /// <summary>Stable key, for example <c>google-analytics</c>; also the suffix of its queue <c>sync-&lt;key&gt;</c>.</summary>
    string Key { get; }

    /// <summary>What an owner calls it, for example <c>Google Analytics 4</c>.</summary>
    string DisplayName { get; }

    /// <summary>
    /// Names what is down when a fetch ends as <see cref="ProviderDown"/>: integrations with the same key stop asking together. By default all of a connector;
    /// a connector to servers of the tenants' own names the server. Holds no secret.
    /// </summary>
    string ProviderKey(JsonElement settings) => Key;

    /// <summary>
    /// Cuts a window into the slices that one queue message handles, newest first so that a dashboard is useful within seconds.
    /// A connector that pages by cursor instead of by day returns the window as one slice and continues through <see cref="FetchSucceeded.Checkpoint"/>.
    /// </summary>
    IReadOnlyList<DayWindow> Slice(DayWindow window);

    /// <summary>By what it can divide its values; empty where it does not.</summary>
    IReadOnlyList<BreakdownDimension> Dimensions => [];

    /// <summary>Reads one slice. Throws only for faults of our own (a bug); everything a provider can do is a <see cref="FetchOutcome"/>.</summary>
    Task<FetchOutcome> FetchAsync(FetchRequest request, IFetchSink sink, CancellationToken cancellationToken);

    /// <summary>The provider counts requests at once, a test among them: it waits its turn behind whatever reads the same integration.</summary>
    bool TestsOneAtATime => false;

    /// <summary>
    /// Asks the provider for as little as tells whether a sync would work; null if it would. By default a fetch of the window, which is short, whose readings are
    /// thrown away.
    /// </summary>
    async Task<ConnectionProblem?> TestAsync(FetchRequest request, CancellationToken cancellationToken) =>
        ConnectionProblem.Of(await FetchAsync(request, new NoSink(), cancellationToken));

    /// <summary>Ids of all workflows that these credentials show; null where there are none by nature, or that cannot be told now.</summary>
    Task<IReadOnlySet<string>?> ShownWorkflowsAsync(FetchRequest request, CancellationToken cancellationToken) => Task.FromResult<IReadOnlySet<string>?>(null);
}

/// <summary>Whole days, both ends included, in the time zone that the provider reports in.</summary>
internal readonly record struct DayWindow(DateOnly From, DateOnly To)
{
    /// <summary>How many days, both ends counted.</summary>
    public int Days => To.DayNumber - From.DayNumber + 1;
}

/// <summary>What a connector is asked to read.</summary>
internal sealed record FetchRequest
{
    /// <summary>Which integration; for caches of access tokens and for logs.</summary>
    public required Guid IntegrationId { get; init; }

    /// <summary>The days to read, in <see cref="TimeZone"/>.</summary>
    public required DayWindow Window { get; init; }

    /// <summary>Time zone of the property where the provider has one (known after its first answer), otherwise the tenant's.</summary>
    public required TimeZoneInfo TimeZone { get; init; }

    /// <summary>The connector's own settings as the tenant entered them (for example <c>{"propertyId":"123"}</c>).</summary>
    public required JsonElement Settings { get; init; }

    /// <summary>Decrypted credentials (for example <c>{"refreshToken":"…"}</c>). Never logged, never in an outcome.</summary>
    public required JsonElement Credentials { get; init; }

    /// <summary>What the previous <see cref="FetchSucceeded"/> of the same slice returned; null at its start.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>Day up to which an earlier run read everything; null during the first backfill. What happened since then cannot have been lost long before.</summary>
    public DateOnly? ReadThrough { get; init; }

    /// <summary>Executions that were seen running or waiting and whose end is not known yet (automation connectors only).</summary>
    public IReadOnlyList<string> UnfinishedExecutions { get; init; } = [];

    /// <summary>
    /// Days before the window that have values but lack a division by one of <see cref="IConnector.Dimensions"/>, ascending, within
    /// <see cref="MaxUndividedDays"/> days: an earlier question failed, or they were read before there were divisions. Empty where the connector divides nothing.
    /// </summary>
    public IReadOnlyList<DateOnly> UndividedDays { get; init; } = [];

    /// <summary>Longest range that is asked for again at a time.</summary>
    public const int MaxUndividedDays = 92;
}

/// <summary>Takes what a connector read. The engine writes it in one transaction after the fetch succeeded; a failed fetch writes none of it.</summary>
internal interface IFetchSink
{
    /// <summary>One KPI value of one day, in the unit of the catalogue. A day without data is not reported at all: never 0 for "nothing known".</summary>
    void Add(KpiReading reading);

    /// <summary>How the values of one day divide; replaces what was known of that day and dimension.</summary>
    void Add(BreakdownReading breakdown);

    /// <summary>An automation workflow as the provider describes it now.</summary>
    void Add(WorkflowReading workflow);

    /// <summary>How a workflow is sorted at the provider, for who keeps that.</summary>
    void Add(WorkflowLabels labels) { }

    /// <summary>One execution of a workflow; the same execution may come many times, the latest state wins.</summary>
    void Add(ExecutionReading execution);

    /// <summary>Lineage: one request that was made and what came with its answer.</summary>
    void Add(RequestRecord request);
}

/// <summary>A value of a stored KPI on a day of the provider's time zone.</summary>
internal readonly record struct KpiReading(string Kpi, DateOnly Day, decimal Value);

/// <summary>Values of a day by one dimension.</summary>
/// <param name="Dimension">By what.</param>
/// <param name="Day">A day of the provider's time zone.</param>
/// <param name="Members">By value of the dimension (1 to 200 characters, no personal data) the stored KPIs that add up, by key.</param>
/// <param name="IsWhole">All there was is listed: a value that is not listed was 0. Otherwise it is unknown.</param>
/// <param name="Withheld">The provider may have left out rows of few people.</param>
internal sealed record BreakdownReading(
    BreakdownDimension Dimension, DateOnly Day, IReadOnlyDictionary<string, IReadOnlyDictionary<string, decimal>> Members, bool IsWhole, bool Withheld);

/// <summary>A workflow. <paramref name="TimeSavedMinutes"/> is what the provider says one success saves (n8n's <c>settings.timeSavedPerExecution</c>), null if not set.</summary>
internal sealed record WorkflowReading(string WorkflowId, string Name, bool Active, decimal? TimeSavedMinutes)
{
    /// <summary>
    /// False: the workflow is set to throw its successful executions away (n8n's <c>settings.saveDataSuccessExecution = none</c>), so its successes, success rate and time
    /// saved are not measurable by pulling — never 0.
    /// </summary>
    public bool KeepsSuccesses { get; init; } = true;

    /// <summary>When it was last changed at the provider; null if that is not said.</summary>
    public DateTimeOffset? ChangedAt { get; init; }

    /// <summary>From this day on all of its runs are surely listed, whatever was thought of it before; null where nobody can tell.</summary>
    public DateOnly? ListedInFullFrom { get; init; }
}

/// <summary>How the owner of a workflow sorts it at the source.</summary>
/// <param name="WorkflowId">Which workflow.</param>
/// <param name="Tags">Names, each once.</param>
/// <param name="ProjectId">The part of the source that it belongs to; null if it is not divided, or that was not said.</param>
/// <param name="Project">What that part is called; null if that was not said.</param>
internal sealed record WorkflowLabels(string WorkflowId, IReadOnlyList<string> Tags, string? ProjectId, string? Project);

/// <summary>What became of an execution.</summary>
internal enum ExecutionStatus
{
    /// <summary>Not finished: new, running, waiting or unknown.</summary>
    Unfinished,

    /// <summary>Finished well.</summary>
    Succeeded,

    /// <summary>Finished badly: error or crashed.</summary>
    Failed,

    /// <summary>Stopped by a person; counts neither as success nor as failure.</summary>
    Canceled,
}

/// <summary>Why an execution ran; only <see cref="Production"/> counts in the automation KPIs.</summary>
internal enum ExecutionKind
{
    /// <summary>Trigger, webhook, schedule, retry: real work.</summary>
    Production,

    /// <summary>A person tried it in the editor.</summary>
    Manual,

    /// <summary>The run of an error workflow that another failure caused (n8n <c>mode=error</c>).</summary>
    ErrorHandler,

    /// <summary>Called by another workflow, which is counted itself.</summary>
    SubWorkflow,
}

/// <summary>One execution of a workflow. Instants are UTC; <paramref name="StoppedAt"/> is null until it finished.</summary>
internal sealed record ExecutionReading(
    string ExecutionId, string WorkflowId, ExecutionStatus Status, ExecutionKind Kind, DateTimeOffset StartedAt, DateTimeOffset? StoppedAt)
{
    /// <summary>Unfinished because it sleeps: until <see cref="WaitUntil"/>, or until somebody answers.</summary>
    public bool IsWaiting { get; init; }

    /// <summary>When it wakes up by itself; null if it does not, or does not sleep.</summary>
    public DateTimeOffset? WaitUntil { get; init; }

    /// <summary>While it waits: when it fell asleep; null if it does not, or that is not said.</summary>
    public DateTimeOffset? AsleepAt { get; init; }

    /// <summary>While it waits: when it is to go on, however far away; null if that is not said.</summary>
    public DateTimeOffset? WakesAt { get; init; }

    /// <summary>The run that did the work of this failed one again and succeeded; null while there is none.</summary>
    public string? RetriedBy { get; init; }

    /// <summary>The failed run whose work this one does again; null if it is none of those.</summary>
    public string? RetryOf { get; init; }
}

/// <summary>One request to a provider, for provenance. Holds no credential.</summary>
internal sealed record RequestRecord
{
    /// <summary>Method and address without query secrets, for example <c>POST /v1beta/properties/123:runReport</c>.</summary>
    public required string Operation { get; init; }

    /// <summary>Body or query as sent, as JSON, without credentials; null if there is none.</summary>
    public string? Request { get; init; }

    /// <summary>The provider's metadata as JSON (time zone, sampling, thresholding, quota …); null if there is none.</summary>
    public string? ResponseMetadata { get; init; }

    /// <summary>When the answer was complete.</summary>
    public required DateTimeOffset FetchedAt { get; init; }

    /// <summary>How many rows the answer held.</summary>
    public required int Rows { get; init; }

    /// <summary>The provider says that the answer rests on a sample.</summary>
    public bool Sampled { get; init; }

    /// <summary>The provider says that it withheld small numbers (GA4 <c>subjectToThresholding</c>).</summary>
    public bool Thresholded { get; init; }
}

/// <summary>How a fetch went. Every case is expected and is handled in one place, the runner.</summary>
internal abstract record FetchOutcome;

/// <summary>Everything asked for was read and handed to the sink.</summary>
internal sealed record FetchSucceeded : FetchOutcome
{
    /// <summary>Not null: the slice is not finished; ask again with this checkpoint in a new message.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>
    /// Automation connectors: first day of which this step, with the steps before it, has read every execution; earlier days are not added up yet.
    /// Null: the whole window.
    /// </summary>
    public DateOnly? ReadInFullFrom { get; init; }

    /// <summary>Last day that the source is done with collecting as of this fetch; null if it cannot tell.</summary>
    public DateOnly? CompleteThrough { get; init; }

    /// <summary>Last day that the source will not change any more by its own rules; null if it cannot tell.</summary>
    public DateOnly? FinalThrough { get; init; }

    /// <summary>First day that the source still knows; earlier days are not measurable. Null if it cannot tell or it is unlimited.</summary>
    public DateOnly? MeasurableFrom { get; init; }

    /// <summary>IANA time zone that the provider reports days in; null if it has none of its own.</summary>
    public string? TimeZone { get; init; }

    /// <summary>ISO 4217 currency that the provider reports money in; null if it has none.</summary>
    public string? Currency { get; init; }

    /// <summary>Not null: the fetch went well but an allowance is nearly used up; put off what can wait (backfill before the daily run).</summary>
    public SlowDown? SlowDown { get; init; }

    /// <summary>Allowances that the provider told of: name, and the part that is left, 0 to 1.</summary>
    public IReadOnlyDictionary<string, double> Quotas { get; init; } = new Dictionary<string, double>();

    /// <summary>
    /// Those of <see cref="FetchRequest.UnfinishedExecutions"/> that the source was asked for and no longer knows (pruned or deleted). How they ended
    /// will never be known: stop asking, and count them neither as success nor as failure.
    /// </summary>
    public IReadOnlyList<string> LostExecutions { get; init; } = [];

    /// <summary>
    /// Automation connectors: the workflows that were handed on are all that the source shows to these credentials. What is missing from them is gone, or not shown any more.
    /// False where they were not asked for in this step, or not to their end.
    /// </summary>
    public bool ListsAllWorkflows { get; init; }

    /// <summary>
    /// Connectors that read KPI values by day: days of the window for which the answer held nothing. Where there were values, the engine asks once more
    /// before it believes that.
    /// </summary>
    public IReadOnlyList<DateOnly> EmptyDays { get; init; } = [];

    /// <summary>
    /// Not null: the main reading is there, but not something beside it (how days divide, what a single look-up would have told); a sentence for the owner. It never keeps
    /// the main reading back, is asked for again with the next sync, and stands in the run's message when the run is over, in whichever step it came up.
    /// </summary>
    public string? Shortfall { get; init; }
}

/// <summary>An allowance has ten per cent or less left; it fills up again at <paramref name="Until"/> at the latest.</summary>
internal sealed record SlowDown(DateTimeOffset Until, string Reason);

/// <summary>Asked too often; ask again at <paramref name="Until"/>. A wait, not a failure.</summary>
internal sealed record RateLimited(DateTimeOffset Until, string Reason) : FetchOutcome;

/// <summary>An hourly or daily allowance is used up; ask again at <paramref name="Until"/>. A wait, not a failure.</summary>
internal sealed record QuotaExhausted(DateTimeOffset Until, string Reason) : FetchOutcome;

/// <summary>The credentials no longer work; only a person can mend it by connecting again. <paramref name="Reason"/> is a sentence for the owner.</summary>
internal sealed record AuthorizationLost(string Reason) : FetchOutcome
{
    /// <summary>The credentials are good, but not for what is to be read (any more).</summary>
    public bool OfProperty { get; init; }

    /// <summary>The person let us in, but not to read.</summary>
    public bool OfScopes { get; init; }
}

/// <summary>The provider failed, timed out or answered with something unreadable. Counts as a failed attempt.</summary>
internal sealed record ProviderDown(string Reason, DateTimeOffset? RetryAfter = null) : FetchOutcome;

/// <summary>The provider refused the request itself: our bug or a wrong setting. Not retried.</summary>
internal sealed record RequestRefused(string Reason) : FetchOutcome;
