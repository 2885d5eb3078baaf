using System.Reflection;
using KpiDashboard.Auditing;
using KpiDashboard.Identity;
using Xunit;

namespace KpiDashboard.Tests.Auditing;

public sealed class AuditActionsTests
{
    private static readonly string[] Constants =
        [.. typeof(AuditActions).GetFields(BindingFlags.Static | BindingFlags.Public).Where(field => field.IsLiteral).Select(field => (string)field.GetRawConstantValue()!)];

    [Fact]
    public void Every_action_has_its_words_and_none_is_there_twice()
    {
        Assert.True(Constants.Length > 25, $"Only {Constants.Length} actions were found.");
        Assert.Equal(Constants.Order(StringComparer.Ordinal), AuditActions.Words.Keys.Order(StringComparer.Ordinal));
        Assert.All(AuditActions.Words.Values, words => Assert.Matches(@"^[A-Z].*[^.]$", words));
    }

    /// <summary>As the check constraint of audit_log in 0003_identity.sql.</summary>
    [Fact]
    public void Every_action_is_one_that_the_database_takes() => Assert.All(Constants, action => Assert.Matches(@"\A[a-z_]+\.[a-z_]+\z", action));

    /// <summary>What happens to how an account is entered is told by mail, in case it was somebody else; what is not, with the reason.</summary>
    [Fact]
    public void Every_change_of_an_account_has_a_mail()
    {
        Dictionary<string, string> silent = new()
        {
            [AuditActions.EmailVerified] = "it was done from the mailbox itself",
            [AuditActions.AccountErased] = "there is no account any more, and its address is forgotten",
        };
        Assert.Equal(
            Constants.Where(action => action.StartsWith("account.", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
            AccountChanges.Mails.Keys.Concat(silent.Keys).Order(StringComparer.Ordinal));
        Assert.All(AccountChanges.Mails.Values, mail =>
        {
            Assert.Matches("^[a-z-]+$", mail.Kind);
            Assert.Contains("{0}", mail.Sentence, StringComparison.Ordinal);
            Assert.NotEmpty(mail.Subject);
        });
        // One kind of mail, one text.
        Assert.Equal(AccountChanges.Mails.Values.Select(mail => mail.Kind).Distinct().Count(), AccountChanges.Mails.Values.Distinct().Count());
    }

    [Theory]
    [InlineData(null, null, "")]
    [InlineData("""{"role":"viewer"}""", """{"role":"admin"}""", "role:viewer>admin")]
    [InlineData("""{"a":1,"b":null}""", """{"c":true,"d":{"x":[1]}}""", "a:1> b:> c:>true d:>{\"x\":[1]}")]
    public void Changes_are_the_union_of_both_sides_field_by_field(string? before, string? after, string expected) =>
        Assert.Equal(expected, string.Join(' ', AuditEndpoints.Changes(before, after).Select(change => $"{change.Field}:{change.Before}>{change.After}")));
}
