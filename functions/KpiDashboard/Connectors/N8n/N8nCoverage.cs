namespace KpiDashboard.Connectors.N8n;

/// <summary>
/// From when on n8n's list is whole. It comes newest first, and n8n prunes from its old end; but single old records outlive that (annotated, waiting), clocks were wrong
/// at times, and records are deleted one by one. So no extreme of the list tells where it begins: what counts is the unbroken body of it. Pure, and goes on from a
/// checkpoint.
/// </summary>
/// <remarks>
/// Records fall into stretches, cut where half a day passed without one. A record that comes later in the list and yet started later than whole stretches before it shows
/// that one of both is odd: the smaller side is. Going back, a stretch belongs to the body if the silence before it is a usual one, or if behind that silence there is
/// about as much again: a few records far behind were left over when the rest was pruned.
/// </remarks>
internal sealed class N8nCoverage
{
    /// <summary>n8n sorts by id, which is given when an execution is created; in queue mode it may start later.</summary>
    internal static readonly TimeSpan Overlap = TimeSpan.FromHours(6);

    /// <summary>So many records in a row from before an instant, and the list has passed it: fewer may be odd ones with the rest behind them.</summary>
    internal const int Certain = 20;

    /// <summary>Days without a record that are usual: a long weekend. By default n8n prunes after 14.</summary>
    private const double Usual = 3, Longest = 14;

    private static readonly TimeSpan Quiet = TimeSpan.FromHours(12);

    private readonly List<CoverageStretch> _stretches;
    private readonly List<DateTimeOffset> _dissent;
    private int _passed;

    /// <param name="state">Of an earlier message; null to begin.</param>
    public N8nCoverage(CoverageState? state = null) =>
        (_stretches, _dissent, _passed) = ([.. state?.Stretches ?? []], [.. state?.Dissent ?? []], state?.Passed ?? 0);

    /// <summary>What a checkpoint keeps.</summary>
    public CoverageState State => new([.. _stretches], [.. _dissent], _passed);

    /// <summary>Whether nothing was listed.</summary>
    public bool IsEmpty => _stretches.Count == 0;

    /// <summary>Whether the list has surely come to what started before the instant that records were added with.</summary>
    public bool HasPassed => _passed >= Certain;

    /// <summary>Takes the next record of the list.</summary>
    /// <param name="start">When it started; plausible by itself.</param>
    /// <param name="before">What <see cref="HasPassed"/> is asked about.</param>
    public void Add(DateTimeOffset start, DateTimeOffset before)
    {
        _passed = start < before ? _passed + 1 : 0;
        if (_stretches.Count == 0 || start <= _stretches[^1].Newest + Overlap)
        {
            _dissent.Clear();
            Append(start);
            return;
        }

        // It started later than what came before it in the list. Whether that or this is odd is told by how many say so.
        _dissent.Add(start);
        var least = _dissent.Min();
        var (keep, against) = (_stretches.Count, 0);
        while (keep > 0 && _stretches[keep - 1].Newest + Overlap < least) against += _stretches[--keep].Count;
        if (_dissent.Count < Math.Min(against, Certain)) return;
        _stretches.RemoveRange(keep, _stretches.Count - keep);
        foreach (var one in _dissent) Append(one);
        _dissent.Clear();
    }

    /// <summary>Start of the oldest record of the unbroken body; null if there is none that reaches up to about now, and then nothing can be said.</summary>
    /// <param name="now">When the list was read.</param>
    /// <param name="isWhole">False while more of the list is to come: then its last records may still prove odd.</param>
    public DateTimeOffset? Since(DateTimeOffset now, bool isWhole = true)
    {
        var last = _stretches.Count;
        for (var open = 0; !isWhole && last > 0 && open < Certain;) open += _stretches[--last].Count;
        if (last == 0 || (now - _stretches[0].Newest).TotalDays > Longest) return null;

        var (since, count) = (_stretches[0].Oldest, _stretches[0].Count);
        for (var next = 1; next < last;)
        {
            var end = EndOfBody(next, last, since, count / Math.Max((now - since).TotalDays, 7));
            if (end < next) break;
            for (; next <= end; next++) count += _stretches[next].Count;
            since = _stretches[end].Oldest;
        }

        return since;
    }

    /// <summary>The stretch up to which those from <paramref name="next"/> on belong to what is newer; an earlier one if they do not.</summary>
    private int EndOfBody(int next, int last, DateTimeOffset since, double perDay)
    {
        var (all, together) = (0, 0);
        for (var i = next; i < last; i++)
        {
            var silence = ((i == next ? since : _stretches[i - 1].Oldest) - _stretches[i].Newest).TotalDays;
            if (silence <= Usual && i == next) return i;
            // Rare runs are silent for longer.
            if (silence > Math.Max(Longest, 4 / perDay)) break;
            all += _stretches[i].Count;
            together = silence <= Usual ? together + _stretches[i].Count : _stretches[i].Count;
            if (together >= Certain || all / Math.Max((since - _stretches[i].Oldest).TotalDays, 1) >= perDay / 8) return i;
        }

        return -1;
    }

    private void Append(DateTimeOffset start)
    {
        if (_stretches.Count > 0 && _stretches[^1] is var last && last.Oldest - start <= Quiet)
            _stretches[^1] = last with { Oldest = start < last.Oldest ? start : last.Oldest, Count = last.Count + 1 };
        else
            _stretches.Add(new CoverageStretch(start, start, 1));
    }
}

/// <summary>Records of a list without half a silent day between them.</summary>
internal sealed record CoverageStretch(DateTimeOffset Newest, DateTimeOffset Oldest, int Count);

/// <summary>What <see cref="N8nCoverage"/> has seen so far.</summary>
internal sealed record CoverageState(IReadOnlyList<CoverageStretch> Stretches, IReadOnlyList<DateTimeOffset> Dissent, int Passed);
