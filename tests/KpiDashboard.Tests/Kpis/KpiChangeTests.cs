using FsCheck;
using FsCheck.Xunit;
using KpiDashboard.Kpis;
using Xunit;

namespace KpiDashboard.Tests.Kpis;

public sealed class KpiChangeTests
{
    private static KpiValue Value(decimal? value, ValueStatus status = ValueStatus.Final) => new(value, value is null ? ValueStatus.NotMeasurable : status, 7, 7);

    [Fact]
    public void A_change_is_a_fraction_of_the_earlier_value()
    {
        Assert.Equal((0.25m, null), KpiChange.Of(Value(125), Value(100)));
        Assert.Equal((-0.333333m, null), KpiChange.Of(Value(200), Value(300)));
        Assert.Equal((-1m, null), KpiChange.Of(Value(0), Value(300)));
    }

    [Fact]
    public void Provisional_values_are_compared() =>
        Assert.Equal((0.5m, null), KpiChange.Of(Value(15, ValueStatus.Provisional), Value(10, ValueStatus.Provisional)));

    [Fact]
    public void From_a_loss_to_a_smaller_one_is_up_and_to_a_larger_one_is_down()
    {
        Assert.Equal((0.5m, null), KpiChange.Of(Value(-50), Value(-100)));
        Assert.Equal((-0.5m, null), KpiChange.Of(Value(-150), Value(-100)));
        Assert.Equal((2m, null), KpiChange.Of(Value(100), Value(-100)));
    }

    [Fact]
    public void A_percentage_that_would_mislead_is_withheld_with_its_reason()
    {
        Assert.Equal((null, "not_measurable"), KpiChange.Of(Value(null), Value(10)));
        Assert.Equal((null, "not_measurable"), KpiChange.Of(Value(null), null));
        Assert.Equal((null, "partial"), KpiChange.Of(Value(5, ValueStatus.Partial), Value(10)));
        Assert.Equal((null, "partial"), KpiChange.Of(Value(5, ValueStatus.Partial), null));
        Assert.Equal((null, "no_previous"), KpiChange.Of(Value(5), null));
        Assert.Equal((null, "no_previous"), KpiChange.Of(Value(5), Value(null)));
        Assert.Equal((null, "previous_partial"), KpiChange.Of(Value(5), Value(10, ValueStatus.Partial)));
        Assert.Equal((null, "previous_partial"), KpiChange.Of(Value(5), Value(0, ValueStatus.Partial)));
        Assert.Equal((null, "zero_previous"), KpiChange.Of(Value(5), Value(0)));
        Assert.Equal((null, "zero_previous"), KpiChange.Of(Value(0), Value(0)));
    }

    [Property(MaxTest = 500)]
    public void There_is_either_a_change_or_a_reason_and_its_sign_is_that_of_the_difference(int now, int before, bool nowPartial, bool beforePartial, bool nowKnown, bool beforeKnown)
    {
        var current = Value(nowKnown ? now : null, nowPartial ? ValueStatus.Partial : ValueStatus.Final);
        var earlier = Value(beforeKnown ? before : null, beforePartial ? ValueStatus.Partial : ValueStatus.Provisional);

        var (change, withheld) = KpiChange.Of(current, earlier);

        Assert.NotEqual(change is null, withheld is null);
        Assert.Equal(nowKnown && beforeKnown && !nowPartial && !beforePartial && before != 0, change is not null);
        if (change is { } fraction) Assert.Equal(Math.Sign(now - before), Math.Sign(fraction));
    }
}
