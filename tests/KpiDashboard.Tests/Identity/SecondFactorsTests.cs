using System.Text;
using KpiDashboard.Identity;
using OtpNet;
using Xunit;

namespace KpiDashboard.Tests.Identity;

public sealed class SecondFactorsTests
{
    private static readonly byte[] Secret = Encoding.ASCII.GetBytes("12345678901234567890");

    // RFC 6238 appendix B, SHA-1: the last six of its eight digits.
    [Theory]
    [InlineData(59L, "287082")]
    [InlineData(1111111109L, "081804")]
    [InlineData(1111111111L, "050471")]
    [InlineData(1234567890L, "005924")]
    [InlineData(2000000000L, "279037")]
    [InlineData(20000000000L, "353130")]
    public void Codes_are_those_of_RFC_6238(long seconds, string code) =>
        Assert.Equal(seconds / 30, SecondFactors.FindStep(Secret, code, DateTimeOffset.FromUnixTimeSeconds(seconds)));

    [Theory]
    [InlineData(-2, false)]
    [InlineData(-1, true)]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void A_code_is_taken_one_step_early_or_late_and_told_its_own_step(int steps, bool taken)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_015);
        var code = new Totp(Secret).ComputeTotp(now.UtcDateTime.AddSeconds(30 * steps));
        Assert.Equal(taken ? now.ToUnixTimeSeconds() / 30 + steps : null, SecondFactors.FindStep(Secret, code, now));
    }

    [Theory]
    [InlineData("")]
    [InlineData("28708")]
    [InlineData("2870820")]
    [InlineData("28708a")]
    [InlineData("٢٨٧٠٨٢")]
    public void What_is_no_code_fits_no_step(string code) => Assert.Null(SecondFactors.FindStep(Secret, code, DateTimeOffset.FromUnixTimeSeconds(59)));
}
