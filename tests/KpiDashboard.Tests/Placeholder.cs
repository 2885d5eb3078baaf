namespace KpiDashboard.Tests; public sealed class Placeholder { [Xunit.Fact] public void Ok() => Xunit.Assert.Equal(2, 1 + 1); }
