using KpiDashboard.Identity;
using Xunit;

namespace KpiDashboard.Tests.Identity;

public sealed class PermissionsTests
{
    // Who may do what, written down a second time: role or scope, then what it may.
    [Theory]
    [InlineData("owner", "SignedIn Read Refresh Push ManageTokens ManageMembers ManageSettings ReadAudit ManageTenant")]
    [InlineData("admin", "SignedIn Read Refresh Push ManageTokens ManageMembers ManageSettings")]
    [InlineData("member", "SignedIn Read Refresh Push")]
    [InlineData("viewer", "SignedIn Read")]
    [InlineData("machine", "")]
    [InlineData("root", "")]
    [InlineData("Owner", "")]
    [InlineData("", "")]
    public void A_role_may_this_and_nothing_else(string role, string allowed) =>
        Assert.Equal(
            allowed.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(),
            Enum.GetValues<Permission>().Where(permission => Permissions.RoleMay(role, permission)).Select(permission => permission.ToString()).Order());

    [Theory]
    [InlineData("read", "Read")]
    [InlineData("refresh", "Refresh")]
    [InlineData("push", "Push")]
    [InlineData("n8n", "PushExecutions")]
    [InlineData("read refresh", "Read Refresh")]
    [InlineData("owner", "")]
    [InlineData("*", "")]
    [InlineData("READ", "")]
    [InlineData("", "")]
    public void Scopes_may_this_and_nothing_else(string scopes, string allowed) =>
        Assert.Equal(
            allowed.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(),
            Enum.GetValues<Permission>()
                .Where(permission => Permissions.ScopesMay(scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries), permission))
                .Select(permission => permission.ToString()).Order());

    [Fact]
    public void A_token_may_have_the_four_scopes_of_the_interface() => Assert.Equal(["n8n", "push", "read", "refresh"], Permissions.Scopes.Order());

    [Fact]
    public void No_token_manages_tokens_so_that_a_leaked_one_cannot_make_more() => Assert.False(Permissions.ScopesMay(Permissions.Scopes, Permission.ManageTokens));
}
