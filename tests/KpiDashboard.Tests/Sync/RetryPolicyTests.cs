using FsCheck;
using FsCheck.Xunit;
using KpiDashboard.Sync;
using Xunit;

namespace KpiDashboard.Tests.Sync;

public sealed class RetryPolicyTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 4)]
    [InlineData(4, 8)]
    [InlineData(5, 16)]
    [InlineData(6, 32)]
    [InlineData(7, 60)]
    [InlineData(8, 60)]
    [InlineData(100, 60)]
    [InlineData(0, 1)]
    [InlineData(-5, 1)]
    public void The_wait_doubles_from_a_minute_to_an_hour_and_is_at_least_half_of_that(int attempt, int minutes)
    {
        Assert.Equal(TimeSpan.FromMinutes(minutes), RetryPolicy.Backoff(attempt, 1));
        Assert.Equal(TimeSpan.FromMinutes(minutes / 2.0), RetryPolicy.Backoff(attempt, 0));
    }

    [Property(MaxTest = 1000)]
    public void The_wait_never_shrinks_with_attempts_and_stays_between_half_and_whole_and_within_an_hour(DoNotSize<int> attempt, NormalFloat jitter)
    {
        var wait = RetryPolicy.Backoff(attempt.Item, jitter.Get);
        var whole = RetryPolicy.Backoff(attempt.Item, 1);
        Assert.InRange(wait, whole / 2, whole);
        Assert.InRange(wait, TimeSpan.FromSeconds(30), TimeSpan.FromHours(1));
        if (attempt.Item < int.MaxValue) Assert.True(wait <= RetryPolicy.Backoff(attempt.Item + 1, jitter.Get));
    }

    [Property(MaxTest = 1000)]
    public void The_jitter_of_a_run_and_attempt_is_always_the_same_and_from_0_to_1(Guid run, DoNotSize<int> attempt)
    {
        var jitter = RetryPolicy.Jitter(run, attempt.Item);
        Assert.InRange(jitter, 0, 1);
        Assert.Equal(jitter, RetryPolicy.Jitter(new Guid(run.ToByteArray()), attempt.Item));
    }

    [Fact]
    public void A_thousand_runs_that_fail_together_do_not_come_back_together()
    {
        // Ids as the database makes them (random) and as this program makes them (by time): tenths must all be hit, none by more than a quarter.
        foreach (var make in new Func<int, Guid>[] { i => new Guid(i, 0x4a4a, 0x4b4b, [.. System.Security.Cryptography.SHA256.HashData(BitConverter.GetBytes(i)).Take(8)]), _ => Guid.CreateVersion7() })
        {
            var tenths = Enumerable.Range(0, 1000).Select(make).GroupBy(run => Math.Min(9, (int)(RetryPolicy.Jitter(run, 1) * 10))).Select(group => group.Count()).ToList();
            Assert.Equal(10, tenths.Count);
            Assert.All(tenths, count => Assert.InRange(count, 20, 250));
        }
    }

    [Fact]
    public void The_attempts_of_one_run_have_different_jitters()
    {
        var run = Guid.Parse("0190b2c4-1111-7222-8333-444455556666");
        Assert.Equal(RetryPolicy.MaxAttempts, Enumerable.Range(1, RetryPolicy.MaxAttempts).Select(attempt => RetryPolicy.Jitter(run, attempt)).Distinct().Count());
    }
}
