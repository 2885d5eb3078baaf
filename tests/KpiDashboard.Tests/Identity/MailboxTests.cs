using KpiDashboard.Identity;
using Xunit;

namespace KpiDashboard.Tests.Identity;

public sealed class MailboxTests
{
    [Theory]
    [InlineData("anna@example.com", "ANNA@EXAMPLE.COM")]
    [InlineData(" Anna@Example.com ", "ANNA@EXAMPLE.COM")]
    [InlineData("anna+1@example.com", "ANNA@EXAMPLE.COM")]
    [InlineData("anna+a+b@example.com", "ANNA@EXAMPLE.COM")]
    [InlineData("an.na@example.com", "AN.NA@EXAMPLE.COM")]
    [InlineData("a.n.n.a+x@gmail.com", "ANNA@GMAIL.COM")]
    [InlineData("anna@googlemail.com", "ANNA@GMAIL.COM")]
    [InlineData("+x@example.com", "+X@EXAMPLE.COM")]
    [InlineData("anna@example.com.", "ANNA@EXAMPLE.COM")]
    [InlineData("no address", "NO ADDRESS")]
    public void Addresses_of_one_mailbox_count_as_one(string address, string mailbox) => Assert.Equal(mailbox, Mailbox.Of(address));
}
