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
        foreach (var days in daysAgo) coverage.Add(Ago(days), Ago(400));
        return coverage.Since(Now, isWhole);
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
        foreach (var day in Body(30, 3)) coverage.Add(Ago(day), Ago(10));
        for (var i = 0; i < N8nCoverage.Certain - 1; i++) coverage.Add(Ago(2000), Ago(10));
        Assert.False(coverage.HasPassed);
        coverage.Add(Ago(3.1), Ago(10));
        Assert.False(coverage.HasPassed);
        for (var i = 0; i < N8nCoverage.Certain; i++) coverage.Add(Ago(11 + i), Ago(10));
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
            foreach (var record in records) whole.Add(Ago(record), Ago(5000));
            var cut = list.split % records.Count;
            foreach (var record in records.Take(cut)) first.Add(Ago(record), Ago(5000));
            var second = new N8nCoverage(first.State);
            foreach (var record in records.Skip(cut)) second.Add(Ago(record), Ago(5000));

            var (found, halfway) = (whole.Since(Now), first.Since(Now, isWhole: false));
            return (found == expected).Label($"{found} instead of {expected}")
                .And((second.Since(Now) == found).Label("two messages"))
                .And((halfway is null || halfway >= expected).Label($"halfway {halfway}"));
        });
    }
}
