namespace KpiDashboard.Demo.Datasets;

/// <summary>A workflow of a simulated n8n.</summary>
internal sealed record SimulatedWorkflow
{
    public required string Id { get; init; }
    public required string Name { get; init; }
    public bool Active { get; init; } = true;

    /// <summary>What the owner entered as fixed time saved; null if nothing.</summary>
    public decimal? TimeSavedMinutes { get; init; }

    /// <summary>n8n's <c>saveDataSuccessExecution</c>: all or none; null where it does not say, and the instance's default counts.</summary>
    public bool? KeepsSuccesses { get; init; }

    /// <summary>Runs after each failure.</summary>
    public string? ErrorWorkflow { get; init; }

    /// <summary><c>webhook</c> or <c>trigger</c> (schedule and app triggers).</summary>
    public string Mode { get; init; } = "trigger";

    /// <summary>How many production runs a day has; null for none by itself.</summary>
    public Func<DateOnly, int>? Runs { get; init; }

    /// <summary>Local hours between which it runs.</summary>
    public (double From, double To) Hours { get; init; } = (7, 22);

    /// <summary>Part of the runs that fail.</summary>
    public double FailureRate { get; init; }

    /// <summary>Seconds of a run, from and to.</summary>
    public (double From, double To) Seconds { get; init; } = (0.8, 6);

    /// <summary>Called by each run, in mode <c>integrated</c>.</summary>
    public string? CallsSubWorkflow { get; init; }

    /// <summary>Names of its tags.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>The project that it belongs to; null for the owner's own.</summary>
    public (string Id, string Name)? Project { get; init; }

    /// <summary>Where it fails and with which words; which of them is told by the run.</summary>
    public IReadOnlyList<(string Node, string Message)> Failures { get; init; } = [("HTTP Request", "The service refused the connection - perhaps it is offline")];

    /// <summary>Which run of a day, by its number from 0, fails; instead of <see cref="FailureRate"/>.</summary>
    public Func<DateOnly, int, bool>? Incident { get; init; }
}

/// <summary>One execution as it will have been in the end; what n8n shows of it depends on the moment.</summary>
internal sealed record SimulatedExecution
{
    public required long Id { get; init; }
    public required string WorkflowId { get; init; }
    public required string Mode { get; init; }
    public required DateTimeOffset StartedAt { get; init; }
    public required TimeSpan Duration { get; init; }

    /// <summary><c>success</c>, <c>error</c>, <c>crashed</c>, <c>canceled</c> or <c>unknown</c>.</summary>
    public required string Outcome { get; init; }

    /// <summary>Sleeps until then in a Wait node before it goes on.</summary>
    public DateTimeOffset? WaitTill { get; init; }

    /// <summary>The failed execution that this one does again.</summary>
    public long? RetryOf { get; init; }

    /// <summary>Where and why it fails; null for what its workflow says.</summary>
    public (string Node, string Message)? Failure { get; init; }

    /// <summary>When it is over.</summary>
    public DateTimeOffset EndsAt => (WaitTill ?? StartedAt) + Duration;

    /// <summary>n8n's status at a moment; null before it starts.</summary>
    public string? StatusAt(DateTimeOffset now) =>
        now < StartedAt ? null : now < WaitTill ? "waiting" : now < EndsAt ? "running" : Outcome;
}

/// <summary>
/// The executions of one n8n: a function of the instance and the day alone, so every look at it sees the same past. Ids grow with the start and have gaps, as other
/// projects' executions make them in a real one.
/// </summary>
internal sealed class N8nDataset
{
    internal const int IdStep = 10;

    private readonly int seed;
    private readonly TimeZoneInfo zone;
    private readonly DateOnly firstDay;
    private readonly IReadOnlyList<SimulatedExecution> extra;
    private readonly long firstId;
    private readonly List<SimulatedExecution> made = [];
    private readonly Lock gate = new();
    private DateOnly madeThrough;

    /// <param name="seed">Which chance.</param>
    /// <param name="timeZone">IANA name; hours and days are local there.</param>
    /// <param name="firstDay">First day with executions.</param>
    /// <param name="workflows">What runs.</param>
    /// <param name="extra">Single executions besides; their ids are given here.</param>
    /// <param name="firstId">Number of the first execution; 1 is the very first that an n8n ever had.</param>
    public N8nDataset(
        int seed, string timeZone, DateOnly firstDay, IReadOnlyList<SimulatedWorkflow> workflows, IReadOnlyList<SimulatedExecution>? extra = null, long firstId = 1001)
    {
        this.seed = seed;
        this.firstId = firstId;
        zone = TimeZoneInfo.FindSystemTimeZoneById(timeZone);
        this.firstDay = firstDay;
        this.extra = extra ?? [];
        madeThrough = firstDay.AddDays(-1);
        Workflows = workflows;
    }

    public IReadOnlyList<SimulatedWorkflow> Workflows { get; }

    /// <summary>Whether somebody tries something in the editor now and then.</summary>
    public bool IsTried { get; init; } = true;

    /// <summary>All that have started by then, oldest first.</summary>
    public IReadOnlyList<SimulatedExecution> StartedBy(DateTimeOffset now)
    {
        lock (gate)
        {
            var today = Zoned.Day(now, zone);
            while (madeThrough < today)
            {
                madeThrough = madeThrough.AddDays(1);
                Make(madeThrough);
            }

            // The list is sorted: everything up to the last that has started.
            int low = 0, high = made.Count;
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (made[middle].StartedAt <= now)
                    low = middle + 1;
                else
                    high = middle;
            }

            return made.GetRange(0, low);
        }
    }

    private void Make(DateOnly day)
    {
        var drafts = new List<SimulatedExecution>();
        for (var w = 0; w < Workflows.Count; w++)
        {
            var workflow = Workflows[w];
            var runs = workflow.Active && workflow.Runs is not null ? workflow.Runs(day) : 0;
            var fixedTime = runs == 1;
            for (var run = 0; run < runs; run++)
            {
                var chance = (w * 1000) + run;
                var place = fixedTime ? 0 : (run + Noise.Unit(seed, day.DayNumber, chance)) / runs;
                var hour = workflow.Hours.From + (workflow.Hours.To - workflow.Hours.From) * place;
                var start = Zoned.At(day, Seconds(Math.Min(hour * 3600, 86_000)), zone);
                var duration = Seconds(Noise.Between(workflow.Seconds.From, workflow.Seconds.To, seed + 1, day.DayNumber, chance));
                var fails = workflow.Incident?.Invoke(day, run) ?? Noise.Unit(seed + 2, day.DayNumber, chance) < workflow.FailureRate;
                drafts.Add(Draft(workflow.Id, workflow.Mode, start, duration, fails ? "error" : "success"));
                if (fails && workflow.ErrorWorkflow is { } handler)
                    drafts.Add(Draft(handler, "error", start + duration + Seconds(0.03), Seconds(0.4), "success"));
                else if (workflow.CallsSubWorkflow is { } called)
                    drafts.Add(Draft(called, "integrated", start + Seconds(0.1), duration - Seconds(0.3), "success"));
            }
        }

        // Now and then somebody tries something in the editor.
        var tries = IsTried && Noise.Unit(seed + 3, day.DayNumber) < 0.3 && day.DayOfWeek is not (DayOfWeek.Saturday or DayOfWeek.Sunday)
            ? 1 + (int)(Noise.Unit(seed + 4, day.DayNumber) * 3) : 0;
        for (var t = 0; t < tries; t++)
        {
            var workflow = Workflows[(int)(Noise.Unit(seed + 5, day.DayNumber, t) * Workflows.Count)];
            var start = Zoned.At(day, Seconds(Noise.Between(9, 17, seed + 6, day.DayNumber, t) * 3600), zone);
            drafts.Add(Draft(workflow.Id, "manual", start, Seconds(3.2), Noise.Unit(seed + 7, day.DayNumber, t) < 0.35 ? "error" : "success"));
        }

        var nextId = made.Count == 0 ? firstId : made[^1].Id + IdStep;
        foreach (var single in extra.Where(single => Zoned.Day(single.StartedAt, zone) == day))
            drafts.Add(single);
        foreach (var draft in drafts.OrderBy(draft => draft.StartedAt).ThenBy(draft => draft.WorkflowId, StringComparer.Ordinal))
        {
            made.Add(draft with { Id = nextId });
            nextId += IdStep;
        }
    }

    private static SimulatedExecution Draft(string workflow, string mode, DateTimeOffset start, TimeSpan duration, string outcome) =>
        new() { Id = 0, WorkflowId = workflow, Mode = mode, StartedAt = start, Duration = duration < Seconds(0.02) ? Seconds(0.02) : duration, Outcome = outcome };

    // Whole milliseconds, as n8n writes them.
    private static TimeSpan Seconds(double seconds) => TimeSpan.FromMilliseconds(Math.Round(seconds * 1000));
}

/// <summary>The n8n instances of the demo tenants.</summary>
internal static class DemoAutomation
{
    /// <summary>
    /// Merch Shop: five workflows that save time, an error workflow, a sub-workflow, one switched off. Order sync fails six times on the two days before
    /// <paramref name="anchor"/>; one execution waits for a customer's answer, one has been running for 20 minutes.
    /// </summary>
    public static N8nDataset MerchShop(MerchShop shop, DateTimeOffset anchor)
    {
        const int seed = 21;
        var zone = TimeZoneInfo.FindSystemTimeZoneById(shop.TimeZone);
        var today = Zoned.Day(anchor, zone);

        // Orders are synced in batches: 14 to 35 a day where there are 14 to 160 orders.
        int OrderSyncs(DateOnly day) => Math.Clamp((int)Math.Round(8 + 2.1 * Math.Sqrt(shop.Orders(day))), 12, 36);
        var start = new DateTimeOffset(anchor.UtcTicks - anchor.UtcTicks % TimeSpan.TicksPerSecond, TimeSpan.Zero);
        return new N8nDataset(seed, shop.TimeZone, today.AddDays(-396),
        [
            new()
            {
                Id = "mS1OrderSync0001", Name = "Order sync", Tags = ["Orders", "Shop"], TimeSavedMinutes = 2, ErrorWorkflow = "mS6ErrorMail0006", Mode = "webhook", Runs = OrderSyncs, Hours = (6, 23.5),
                Seconds = (1.1, 4.8), CallsSubWorkflow = "mS8AddressChk008",
                Failures = [("Book order", "429 Too Many Requests: the warehouse takes 40 orders a minute")],
                Incident = (day, run) => day == today.AddDays(-2) || day == today.AddDays(-1) ? run is 1 or 4 or 7 : day != today && Noise.Unit(seed + 2, day.DayNumber, run) < 0.015,
            },
            new()
            {
                Id = "mS2CartMail00002", Name = "Abandoned cart mail", Tags = ["Mail", "Shop"], TimeSavedMinutes = 4, ErrorWorkflow = "mS6ErrorMail0006",
                Runs = day => OrderSyncs(day) / 2, Hours = (8, 22), FailureRate = 0.02, Seconds = (0.9, 2.6),
                Failures = [("Send mail", "Invalid address: a domain needs a dot"), ("Find cart", "The service refused the connection - perhaps it is offline")],
            },
            new()
            {
                Id = "mS3StockAlert003", Name = "Stock alert", Tags = ["Shop"], TimeSavedMinutes = 3, ErrorWorkflow = "mS6ErrorMail0006",
                Runs = day => day.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday ? 4 : 8, Hours = (0.5, 23.9), FailureRate = 0.025, Seconds = (2, 9),
            },
            new()
            {
                Id = "mS4DailyReport04", Name = "Daily report", TimeSavedMinutes = 15, ErrorWorkflow = "mS6ErrorMail0006", Runs = _ => 1, Hours = (7, 7), FailureRate = 0.01,
                Seconds = (18, 41),
            },
            new()
            {
                Id = "mS5ReturnsIn0005", Name = "Returns intake", TimeSavedMinutes = 6, ErrorWorkflow = "mS6ErrorMail0006", Mode = "webhook",
                Runs = day => day.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday ? 3 : 6, Hours = (9, 18), FailureRate = 0.03, Seconds = (1.5, 7),
            },
            new() { Id = "mS6ErrorMail0006", Name = "Error mail" },
            new() { Id = "mS7OldImport0007", Name = "Spring sale import (old)", Active = false, TimeSavedMinutes = 10, Runs = _ => 1 },
            new() { Id = "mS8AddressChk008", Name = "Address check", Seconds = (0.3, 1) },
        ],
        [
            new()
            {
                Id = 0, WorkflowId = "mS5ReturnsIn0005", Mode = "webhook", StartedAt = start.AddHours(-5), Duration = TimeSpan.FromSeconds(3), Outcome = "success", WaitTill = start.AddDays(2),
            },
            new() { Id = 0, WorkflowId = "mS3StockAlert003", Mode = "trigger", StartedAt = start.AddMinutes(-20), Duration = TimeSpan.FromHours(3), Outcome = "success" },
        ]);
    }

    /// <summary>Nordlicht Studio: three workflows, of which the invoices have failed on every run for three days.</summary>
    public static N8nDataset NordlichtStudio(DateTimeOffset anchor)
    {
        const int seed = 22;
        const string timeZone = "Europe/Berlin";
        var today = Zoned.Day(anchor, TimeZoneInfo.FindSystemTimeZoneById(timeZone));
        static bool Weekend(DateOnly day) => day.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday;
        return new N8nDataset(seed, timeZone, today.AddDays(-396),
        [
            new()
            {
                Id = "nL1Enquiries0001", Name = "Enquiry to CRM", TimeSavedMinutes = 5, Mode = "webhook", Runs = day => Weekend(day) ? 3 : 9, Hours = (7, 21), FailureRate = 0.01,
            },
            new()
            {
                Id = "nL2Invoices00002", Name = "Invoices to accounting", Tags = ["Accounting"], TimeSavedMinutes = 8, ErrorWorkflow = "nL4ErrorChat0004", Runs = day => Weekend(day) ? 1 : 6, Hours = (8, 19),
                Failures = [("Upload invoice", "Forbidden - perhaps check your credentials? The access of “Accounting” has ended")],
                Incident = (day, run) => day >= today.AddDays(-3) || Noise.Unit(seed + 2, day.DayNumber, 1000 + run) < 0.01,
            },
            new() { Id = "nL3Newsletter003", Name = "Newsletter sign-up", Mode = "webhook", Runs = day => Weekend(day) ? 5 : 4, Hours = (6, 23), Seconds = (0.4, 1.2) },
            new() { Id = "nL4ErrorChat0004", Name = "Failure to chat" },
        ]);
    }
}
