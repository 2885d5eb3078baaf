namespace KpiDashboard.Connectors.N8n;

/// <summary>A finished run as the list tells of it; plausible by itself.</summary>
/// <param name="Start">When it started.</param>
/// <param name="Stop">When it ended; its start where nobody knows.</param>
/// <param name="Id">Its number; null where ids are no numbers.</param>
internal readonly record struct ListedRun(DateTimeOffset Start, DateTimeOffset Stop, long? Id);

/// <summary>Where the list is whole.</summary>
/// <param name="Since">The least end of a finished run in it: whatever started later is listed, and of what started earlier a part may be pruned.</param>
/// <param name="FirstStart">Not null: the very first run of this n8n is among them, so that nothing was ever pruned; when it started.</param>
internal readonly record struct CoverageStart(DateTimeOffset Since, DateTimeOffset? FirstStart);

/// <summary>
/// From when on n8n's list is whole. It comes newest first, and n8n prunes what <em>ended</em> long ago: what waits or took long outlives the runs beside which it started,
/// so no start tells where the list begins. Single old records outlive pruning as well (annotated), clocks were wrong at times, and records are deleted one by one. So no
/// extreme tells it either: what counts is the unbroken body of the list. Pure, and goes on from a checkpoint.
/// </summary>
/// <remarks>
/// <para>Only finished runs tell anything: those that wait or run are never pruned. Short ones and long ones are looked at apart, because long ones outlive their day and must
/// not make days look whole of which the short ones are gone.</para>
/// <para>Records fall into stretches, cut where half a day passed without one or numbers are missing. A record that comes later in the list and yet started later than whole
/// stretches before it shows that one of both is odd: the smaller side is. Going back, a stretch belongs to the body if the silence before it is a usual one, or if behind
/// that silence there is about as much again, and if not far more numbers are missing than in the body: a few records far behind, or strewn among missing ones, were left
/// over when the rest was pruned.</para>
/// </remarks>
internal sealed class N8nCoverage
{
    /// <summary>n8n sorts by id, which is given when an execution is created; in queue mode it may start later.</summary>
    internal static readonly TimeSpan Overlap = TimeSpan.FromHours(6);

    /// <summary>What a checkpoint holds of ends; more than is ever asked about.</summary>
    private const int MostDays = 1000;

    /// <summary>So many records in a row from before an instant, and the list has passed it: fewer may be odd ones with the rest behind them.</summary>
    internal const int Certain = 20;

    private readonly CoverageBody _brief, _long;
    private readonly SortedDictionary<DateOnly, DayOfEnds> _ends = [];
    private int _passed;

    /// <param name="state">Of an earlier message; null to begin.</param>
    public N8nCoverage(CoverageState? state = null)
    {
        (_brief, _long, _passed) = (new CoverageBody(state?.Brief), new CoverageBody(state?.Long), state?.Passed ?? 0);
        foreach (var day in state?.Ends ?? []) _ends[day.Day] = day;
    }

    /// <summary>What a checkpoint keeps.</summary>
    public CoverageState State => new(_brief.State, _long.State, _passed, [.. _ends.Values]);

    /// <summary>Whether no finished run was listed.</summary>
    public bool IsEmpty => _brief.IsEmpty && _long.IsEmpty;

    /// <summary>Whether the list has surely come to what ended before the instant that records were added with.</summary>
    public bool HasPassed => _passed >= Certain;

    /// <summary>Takes the next finished run of the list.</summary>
    /// <param name="run">The run.</param>
    /// <param name="before">What <see cref="HasPassed"/> is asked about.</param>
    public void Add(ListedRun run, DateTimeOffset before)
    {
        // One that started before and ended after may have outlived the pruning of its day: it says neither.
        if (run.Stop < before) _passed++;
        else if (run.Start >= before) _passed = 0;
        if (run.Stop - run.Start <= Overlap)
        {
            _brief.Add(run);
            return;
        }

        _long.Add(run);
        var day = DateOnly.FromDateTime(run.Stop.UtcDateTime);
        _ends[day] = _ends.TryGetValue(day, out var others)
            ? others with { Count = others.Count + 1, Least = run.Stop < others.Least ? run.Stop : others.Least }
            : new DayOfEnds(day, 1, run.Stop);
        if (_ends.Count > MostDays) _ends.Remove(_ends.Keys.First());
    }

    /// <summary>Where the unbroken body begins; null if there is none that reaches up to about now, and then nothing can be said.</summary>
    /// <param name="now">When the list was read.</param>
    /// <param name="isWhole">False while more of the list is to come: then its last records may still prove odd.</param>
    public CoverageStart? Since(DateTimeOffset now, bool isWhole = true)
    {
        var (brief, lasting) = (_brief.Begin(now, isWhole), _long.Begin(now, isWhole));
        if (brief is not { } first) return lasting is { } only ? new CoverageStart(WhereEndsBegin(only.Least), null) : null;
        // A number is no proof for long runs: the first of all may have waited while others beside it were pruned.
        if (first.Low == 1) return new CoverageStart(first.Least, first.Oldest);
        // Annotated ones hide well among long ones that outlived their day: only where there is little else do those tell.
        if (first.Count >= Certain || lasting is not { } other || other.Count <= first.Count || other.Least >= first.Least)
            return new CoverageStart(first.Least, null);
        return new CoverageStart(WhereEndsBegin(other.Least) is var least && least < first.Least ? least : first.Least, null);
    }

    /// <summary>
    /// The least end of long runs, without those that were left over. Their starts thin out long before pruning, because the longest outlive it longest; their ends
    /// come evenly up to it, and behind it are those that somebody annotated.
    /// </summary>
    private DateTimeOffset WhereEndsBegin(DateTimeOffset least)
    {
        if (_ends.Count == 0) return least;
        var days = _ends.Values.Reverse().ToList();
        var (count, begin) = (days[0].Count, days[0].Least);
        for (var next = 1; next < days.Count; next++)
        {
            var last = days[next - 1].Day.DayNumber;
            var perDay = count / (double)(days[0].Day.DayNumber - last + 1);
            // So many days that four would be expected, and a long weekend at least.
            var window = Math.Max(3, (int)Math.Ceiling(4 / perDay));
            var behind = days.Skip(next).TakeWhile(day => day.Day.DayNumber >= last - window).Sum(day => day.Count);
            var isPruned = count >= CoverageBody.Few && behind < perDay * window / 3;
            // Pruning may have come to within this day: from its first end on it has as many as the others.
            var left = (days[next].Day.AddDays(1).ToDateTime(TimeOnly.MinValue) - days[next].Least.UtcDateTime).TotalDays;
            if (isPruned && (days[next].Day.DayNumber < last - 1 || days[next].Count < perDay * left / 2)) break;
            (count, begin) = (count + days[next].Count, days[next].Least);
            if (isPruned) break;
        }

        return begin > least ? begin : least;
    }
}

/// <summary>The stretches of one sort of runs; see <see cref="N8nCoverage"/>.</summary>
internal sealed class CoverageBody
{
    /// <summary>Days without a record that are usual: a long weekend. By default n8n prunes after 14.</summary>
    private const double Usual = 3, Longest = 14;

    /// <summary>Fewer say nothing of how dense numbers are.</summary>
    internal const int Few = 5;

    private static readonly TimeSpan Quiet = TimeSpan.FromHours(12);

    private readonly List<CoverageStretch> _stretches;
    private readonly List<ListedRun> _dissent;

    public CoverageBody(BodyState? state) => (_stretches, _dissent) = ([.. state?.Stretches ?? []], [.. state?.Dissent ?? []]);

    public BodyState State => new([.. _stretches], [.. _dissent]);

    public bool IsEmpty => _stretches.Count == 0;

    public void Add(ListedRun run)
    {
        if (_stretches.Count == 0 || run.Start <= _stretches[^1].Newest + N8nCoverage.Overlap)
        {
            _dissent.Clear();
            Append(run);
            return;
        }

        // It started later than what came before it in the list. Whether that or this is odd is told by how many say so.
        _dissent.Add(run);
        var least = _dissent.Min(one => one.Start);
        var (keep, against) = (_stretches.Count, 0);
        while (keep > 0 && _stretches[keep - 1].Newest + N8nCoverage.Overlap < least) against += _stretches[--keep].Count;
        if (_dissent.Count < Math.Min(against, N8nCoverage.Certain)) return;
        _stretches.RemoveRange(keep, _stretches.Count - keep);
        foreach (var one in _dissent) Append(one);
        _dissent.Clear();
    }

    /// <summary>The body as one stretch; null if there is none that reaches up to about now.</summary>
    public CoverageStretch? Begin(DateTimeOffset now, bool isWhole)
    {
        var last = _stretches.Count;
        for (var open = 0; !isWhole && last > 0 && open < N8nCoverage.Certain;) open += _stretches[--last].Count;
        if (last == 0 || (now - _stretches[0].Latest).TotalDays > Longest) return null;

        var body = _stretches[0];
        for (var next = 1; next < last;)
        {
            var end = EndOfBody(next, last, body, body.Count / Math.Max((now - body.Oldest).TotalDays, 7));
            if (end < next) break;
            for (; next <= end; next++) body = body.With(_stretches[next]);
        }

        return body;
    }

    /// <summary>The stretch up to which those from <paramref name="next"/> on belong to what is newer; an earlier one if they do not.</summary>
    private int EndOfBody(int next, int last, CoverageStretch body, double perDay)
    {
        var (all, together, usual) = (0, 0, true);
        for (var i = next; i < last; i++)
        {
            var silence = ((i == next ? body.Oldest : _stretches[i - 1].Oldest) - _stretches[i].Newest).TotalDays;
            // Rare runs are silent for longer.
            if (silence > Math.Max(Longest, 4 / perDay)) break;
            usual &= silence <= Usual;
            all += _stretches[i].Count;
            together = silence <= Usual ? together + _stretches[i].Count : _stretches[i].Count;
            if ((usual || together >= N8nCoverage.Certain || all / Math.Max((body.Oldest - _stretches[i].Oldest).TotalDays, 1) >= perDay / 8) && IsDense(body, _stretches[i].Low, all))
                return i;
        }

        return -1;
    }

    /// <summary>
    /// Whether so many records down to a number are about what the body has of as many numbers. Of few it must be most: among the last records of a pruned list the ones that
    /// were kept stand beside each other. Of many a quarter does: runs of other kinds, of other people and deleted ones have numbers, too.
    /// </summary>
    private static bool IsDense(CoverageStretch body, long? low, int count)
    {
        if (low is null || body is not { High: { } high, Low: { } lowest } || body.Count < Few || high <= lowest) return true;
        var expected = (double)(body.Count - 1) / (high - lowest) * (lowest - low.Value);
        return count >= expected * (count < Few ? 0.6 : count < N8nCoverage.Certain ? 0.4 : 0.25);
    }

    private void Append(ListedRun run)
    {
        if (_stretches.Count > 0 && _stretches[^1] is var last && last.Oldest - run.Start <= Quiet && !IsCut(run.Id)) _stretches[^1] = last.With(CoverageStretch.Of(run));
        else _stretches.Add(CoverageStretch.Of(run));
    }

    /// <summary>More numbers are missing before this one than there usually are.</summary>
    private bool IsCut(long? id)
    {
        if (id is null || _stretches[^1].Low is not { } low) return false;
        for (var i = _stretches.Count - 1; i >= Math.Max(0, _stretches.Count - Few); i--)
        {
            if (_stretches[i] is { Count: >= Few, High: { } high, Low: { } lowest } known) return low - id > (3.0 * (high - lowest) / (known.Count - 1)) + 0.5;
        }

        return false;
    }
}

/// <summary>Records of a list without half a silent day or missing numbers between them.</summary>
/// <param name="Newest">Latest start.</param>
/// <param name="Oldest">Earliest start.</param>
/// <param name="Count">How many.</param>
/// <param name="Latest">Latest end.</param>
/// <param name="Least">Earliest end.</param>
/// <param name="High">Highest number.</param>
/// <param name="Low">Lowest number.</param>
internal sealed record CoverageStretch(DateTimeOffset Newest, DateTimeOffset Oldest, int Count, DateTimeOffset Latest, DateTimeOffset Least, long? High, long? Low)
{
    public static CoverageStretch Of(ListedRun run) => new(run.Start, run.Start, 1, run.Stop, run.Stop, run.Id, run.Id);

    /// <summary>With an older one.</summary>
    public CoverageStretch With(CoverageStretch older) => this with
    {
        Oldest = older.Oldest < Oldest ? older.Oldest : Oldest,
        Count = Count + older.Count,
        Latest = older.Latest > Latest ? older.Latest : Latest,
        Least = older.Least < Least ? older.Least : Least,
        High = High is null || older.High is null ? null : Math.Max(High.Value, older.High.Value),
        Low = Low is null || older.Low is null ? null : Math.Min(Low.Value, older.Low.Value),
    };
}

/// <summary>What a <see cref="CoverageBody"/> has seen so far.</summary>
internal sealed record BodyState(IReadOnlyList<CoverageStretch> Stretches, IReadOnlyList<ListedRun> Dissent);

/// <summary>What <see cref="N8nCoverage"/> has seen so far.</summary>
internal sealed record CoverageState(BodyState? Brief, BodyState? Long, int Passed, IReadOnlyList<DayOfEnds>? Ends = null);

/// <summary>How many long runs ended on a day (UTC), and when the first of them did.</summary>
internal sealed record DayOfEnds(DateOnly Day, int Count, DateTimeOffset Least);
