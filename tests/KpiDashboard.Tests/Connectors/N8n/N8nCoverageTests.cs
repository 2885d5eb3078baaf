using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using KpiDashboard.Connectors.N8n;
using Xunit;

namespace KpiDashboard.Tests.Connectors.N8n;

/// <summary>Where the list of an n8n is whole: generated lists with old, odd and missing records, and the ones that were seen.</summary>
public sealed class N8nCoverageTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    private static DateTimeOffset Ago(double days) => Now - TimeSpan.FromDays(days);

    private static DateTimeOffset? Since(IEnumerable<double> daysAgo, bool isWhole = true)
    {
        var coverage = new N8nCoverage();
        foreach (var days in daysAgo) coverage.Add(Brief(days), Ago(400));
        return coverage.Since(Now, isWhole)?.Since;
    }

    /// <summary>One of an n8n whose ids are no numbers: by its time alone.</summary>
    private static ListedRun Brief(double daysAgo) => new(Ago(daysAgo), Ago(daysAgo), null);

    /// <summary>A run of a real n8n, numbered as it started.</summary>
    private sealed record Run(long Id, double StartedAgo, double EndedAgo, bool Kept = false);

    /// <summary>What n8n lists of them now, having pruned what ended before: newest first, unfinished and kept ones included; here the finished ones.</summary>
    private static List<ListedRun> Listed(IEnumerable<Run> runs, double prunedAgo) =>
        [.. runs.Where(run => run.EndedAgo >= 0 && (run.EndedAgo < prunedAgo || run.Kept)).OrderByDescending(run => run.Id).Select(run => new ListedRun(Ago(run.StartedAgo), Ago(run.EndedAgo), run.Id))];

    private static CoverageStart? Since(IEnumerable<ListedRun> list)
    {
        var coverage = new N8nCoverage();
        foreach (var run in list) coverage.Add(run, Ago(400));
        return coverage.Since(Now);
    }

    /// <summary>Short runs, evenly over days; the first has number 1 and the last is just over.</summary>
    private static List<Run> Shorts(int perDay, int days) =>
        [.. Enumerable.Range(1, perDay * days).Select(i => new Run(i, days - ((double)i / perDay) + 0.001, days - ((double)i / perDay)))];

    [Theory]
    [InlineData(55, 20, 4)]
    [InlineData(5, 30, 14)]
    [InlineData(1, 60, 14)]
    [InlineData(300, 9, 2)]
    public void What_took_long_outlives_its_day_and_does_not_make_it_whole(int perDay, int days, double pruned)
    {
        var runs = Shorts(perDay, days);
        var least = runs.Where(run => run.EndedAgo < pruned).Max(run => run.EndedAgo);
        Assert.Equal(Ago(least), Since(Listed(runs, pruned))!.Value.Since);
        // One that began days before and ended since; one a day that waits for ten days; as many as there are short ones.
        foreach (var every in new[] { 1_000_000, perDay, 1 })
        {
            var among = runs.Select(run => run.Id % every == every / 2 || (every == 1_000_000 && run.Id == (long)(perDay * (days - pruned - 1.5)))
                ? new[] { run, run with { Id = run.Id, EndedAgo = run.EndedAgo - 10 } } : [run]).SelectMany(both => both)
                .Select((run, i) => run with { Id = i + 1 }).ToList();
            var since = Since(Listed(among, pruned))!.Value;
            Assert.Equal((every, Ago(least)), (every, since.Since));
            Assert.Null(since.FirstStart);
        }
    }

    [Theory]
    [InlineData(55, 14, 6)]
    [InlineData(55, 14, 10)]
    [InlineData(55, 14, 50)]
    [InlineData(5, 14, 8)]
    [InlineData(8, 4, 20)]
    [InlineData(2, 14, 5)]
    public void Runs_that_were_annotated_right_behind_a_pruned_list_do_not_extend_it(int perDay, double pruned, int keptEvery)
    {
        var runs = Shorts(perDay, 40);
        var gone = runs.Where(run => run.EndedAgo >= pruned).ToList();
        for (var shift = 0; shift < keptEvery; shift++)
        {
            var since = Since(Listed(runs.Select(run => run with { Kept = (run.Id + shift) % keptEvery == 0 }), pruned))!.Value.Since;
            // One that stands beside the list, two away from it, cannot be told from one of it.
            Assert.InRange(gone.Count(run => Ago(run.StartedAgo) >= since && (run.Id + shift) % keptEvery != 0), 0, 2);
        }
    }

    [Fact]
    public void An_n8n_whose_first_run_is_listed_was_never_pruned_unless_that_run_alone_was_kept()
    {
        var runs = Shorts(349, 1);
        Assert.Equal(Ago(runs[0].StartedAgo), Since(Listed(runs, 1000))!.Value.FirstStart);
        // Some deleted one by one, and one that waits.
        Assert.Equal(Ago(runs[0].StartedAgo), Since(Listed(runs.Where(run => run.Id == 1 || run.Id % 5 != 0), 1000))!.Value.FirstStart);
        Assert.Null(Since(Listed(runs.Where(run => run.Id > 1), 1000))!.Value.FirstStart);
        foreach (var (perDay, days, pruned) in new[] { (55, 20, 4.0), (55, 5, 4.0), (3, 30, 14.0), (20, 15, 14.0) })
        {
            var kept = Since(Listed(Shorts(perDay, days).Select(run => run with { Kept = run.Id == 1 }), pruned))!.Value;
            Assert.Null(kept.FirstStart);
            Assert.True(kept.Since > Ago(pruned), $"{perDay} {days} {kept}");
        }

        // It waited for a week, and what started beside it is gone.
        var waited = Shorts(20, 20).Select(run => run.Id == 1 ? run with { EndedAgo = 10 } : run);
        Assert.Null(Since(Listed(waited, 14))!.Value.FirstStart);
    }

    [Fact]
    public void Where_all_runs_take_long_their_ends_tell()
    {
        var runs = Shorts(4, 60).Select(run => run with { EndedAgo = run.EndedAgo - 2 }).ToList();
        Assert.Equal(Ago(runs.Where(run => run.EndedAgo is >= 0 and < 14).Max(run => run.EndedAgo)), Since(Listed(runs, 14))!.Value.Since);
    }

    /// <summary>
    /// n8ns with runs short and long, of which some are deleted and some annotated, pruned at any time; coverage begins the day after the least end. Where nothing is
    /// annotated, nothing that was pruned started on a day that counts, and days begin to count soon after what was pruned last. An annotated run right beside the list
    /// cannot be told from one of it: where up to one run in eight is, one list in two hundred may count days too many.
    /// </summary>
    [Fact]
    public void Nothing_pruned_started_where_the_list_is_called_whole()
    {
        const int Worlds = 4000;
        var wrong = new List<string>();
        var told = 0;
        for (var seed = 0; seed < Worlds; seed++)
        {
            var random = new Random(seed);
            var (days, perDay, pruned) = (random.Next(3, 61), random.Next(2, 41), random.Next(2, 41));
            var (lasting, kept) = (random.Next(0, 61), seed % 2 == 0 ? 0 : random.Next(1, 13));
            var world = $"{seed}: {days} days of {perDay}, pruned after {pruned}, {lasting} % long, {kept} % annotated";
            var (all, id) = (new List<Run>(), 0L);
            foreach (var one in Shorts(perDay, days))
            {
                var start = one.StartedAgo - (random.NextDouble() * 0.3 / perDay);
                // One in eight is not saved, and takes a number all the same.
                if (++id > 1 && random.Next(8) == 0) continue;
                var took = random.Next(100) < lasting ? 0.5 + (random.NextDouble() * 11) : random.NextDouble() * 0.05;
                all.Add(new Run(id, start, start - took, random.Next(100) < kept));
            }

            var gone = all.Where(run => run.EndedAgo >= pruned && !run.Kept).ToList();
            if (Since(Listed(all, pruned)) is not { } found) continue;
            told++;
            var missing = found.FirstStart is null
                ? gone.Count(run => Ago(run.StartedAgo).UtcDateTime.Date > found.Since.UtcDateTime.Date)
                : gone.Count;
            if (kept == 0 ? missing > 0 : missing > 3) wrong.Add($"{world}; {missing} of {gone.Count} are missing since {found}");
            Assert.True(found.Since <= Ago(Math.Min(pruned, days)).AddDays(3 + (30.0 / perDay)), $"{world}; too late: {found}");
        }

        Assert.True(told > Worlds * 9 / 10, $"Of {Worlds} only {told} told anything.");
        Assert.DoesNotContain(wrong, world => world.Contains(" 0 % annotated", StringComparison.Ordinal));
        Assert.True(wrong.Count < Worlds / 200, string.Join('\n', wrong));
    }

    private static IEnumerable<double> Body(int count, double days) => Enumerable.Range(0, count).Select(i => days * (i + 1) / count);

    [Fact]
    public void One_kept_from_100_days_ago_does_not_make_95_days_of_zeros() => Assert.Equal(Ago(4), Since([.. Body(20, 4), 100]));

    [Theory]
    [InlineData(10)]
    [InlineData(30)]
    [InlineData(100)]
    [InlineData(390)]
    [InlineData(99, 100)]
    [InlineData(20, 50, 99, 100, 101, 200)]
    [InlineData(12, 19, 26, 33, 40)]
    public void Kept_records_behind_a_pruned_list_do_not_extend_it(params int[] kept) => Assert.Equal(Ago(4), Since([.. Body(20, 4), .. kept.Select(day => (double)day)]));

    [Fact]
    public void A_silence_with_as_much_behind_it_hides_nothing()
    {
        // Ten days of holidays, and a year at another pace before.
        Assert.Equal(Ago(370), Since([.. Body(400, 10), .. Body(700, 350).Select(day => 20 + day)]));
        // Rare runs are silent between them.
        Assert.Equal(Ago(70.5), Since(Enumerable.Range(0, 11).Select(week => 0.5 + (7.0 * week))));
        // A clock that stood in 2020 for a while, among real runs.
        Assert.Equal(Ago(30), Since([.. Body(200, 10), 2000, 2000.1, 2000.2, .. Body(400, 20).Select(day => 10 + day)]));
        // As the last of all, it tells nothing; nor does one that says it started just now far down in the list.
        Assert.Equal(Ago(10), Since([.. Body(200, 10), 2000]));
        Assert.Equal(Ago(30), Since([.. Body(400, 20), 0.01, .. Body(200, 10).Select(day => 20 + day)]));
    }

    [Fact]
    public void Nothing_of_late_says_nothing()
    {
        Assert.Null(Since([]));
        Assert.Null(Since([100]));
        Assert.Null(Since([40, 41, 42, 100]));
    }

    [Fact]
    public void Old_records_in_between_do_not_end_the_reading_and_old_ones_in_a_row_do()
    {
        var coverage = new N8nCoverage();
        foreach (var day in Body(30, 3)) coverage.Add(Brief(day), Ago(10));
        for (var i = 0; i < N8nCoverage.Certain - 1; i++) coverage.Add(Brief(2000), Ago(10));
        Assert.False(coverage.HasPassed);
        coverage.Add(Brief(3.1), Ago(10));
        Assert.False(coverage.HasPassed);
        for (var i = 0; i < N8nCoverage.Certain; i++) coverage.Add(Brief(11 + i), Ago(10));
        Assert.True(coverage.HasPassed);
    }

    /// <summary>
    /// A body of records, some of them missing, with odd ones strewn in (far in the past or at another time of the body, never as many in a row as are certain) and a few
    /// kept far behind it. Whatever they are, coverage begins where the body does.
    /// </summary>
    [Property(MaxTest = 400)]
    public Property Old_odd_and_missing_records_neither_extend_coverage_nor_hide_what_is_behind_them()
    {
        var lists =
            from days in Gen.Choose(3, 300)
            from perDay in Gen.Choose(3, 12)
            from seed in Gen.Choose(0, int.MaxValue - 1)
            from kept in Gen.Choose(0, 6)
            from odd in Gen.Choose(0, 12)
            from split in Gen.Choose(0, 1000)
            select (days, perDay, seed, kept, odd, split);
        return Prop.ForAll(lists.ToArbitrary(), list =>
        {
            var random = new Random(list.seed);
            // One in five is missing: deleted one by one.
            var body = Enumerable.Range(1, list.days * list.perDay).Where(i => i == 1 || random.Next(5) > 0).Select(i => (double)i / list.perDay).ToList();
            var expected = Ago(body[^1]);
            var records = new List<double>(body);
            for (var i = 0; i < list.odd; i++)
            {
                // Before the end of the body, by pairs at most: with real ones behind them to tell.
                if (records.Count > 8) records.Insert(random.Next(1, records.Count - 6), random.Next(2) == 0 ? 500 + (random.NextDouble() * 2000) : random.NextDouble() * 0.2);
            }

            var behind = body[^1];
            for (var i = 0; i < list.kept; i++) records.Add(behind += 40 + (random.NextDouble() * 60));

            // Read in two messages, it is the same.
            var (whole, first) = (new N8nCoverage(), new N8nCoverage());
            foreach (var record in records) whole.Add(Brief(record), Ago(5000));
            var cut = list.split % records.Count;
            foreach (var record in records.Take(cut)) first.Add(Brief(record), Ago(5000));
            var second = new N8nCoverage(first.State);
            foreach (var record in records.Skip(cut)) second.Add(Brief(record), Ago(5000));

            var (found, halfway) = (whole.Since(Now)?.Since, first.Since(Now, isWhole: false)?.Since);
            return (found == expected).Label($"{found} instead of {expected}")
                .And((second.Since(Now)?.Since == found).Label("two messages"))
                .And((halfway is null || halfway >= expected).Label($"halfway {halfway}"));
        });
    }
}
