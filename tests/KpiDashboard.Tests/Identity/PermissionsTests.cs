using System.Reflection;
using KpiDashboard.Access;
using KpiDashboard.Identity;
using Xunit;

namespace KpiDashboard.Tests.Identity;

public sealed class PermissionsTests
{
    // Who may do what, written down a second time: role or scope, then what it may.
    [Theory]
    [InlineData("owner", "SignedIn Read Refresh Push ManageTokens ManageMembers ManageSettings ManageIntegrations KeepDashboards ShareDashboards ManageShares ManageNumbers ReadAudit ManageTenant")]
    [InlineData("admin", "SignedIn Read Refresh Push ManageTokens ManageMembers ManageSettings ManageIntegrations KeepDashboards ShareDashboards ManageShares ManageNumbers")]
    [InlineData("member", "SignedIn Read Refresh Push KeepDashboards ShareDashboards ManageNumbers")]
    [InlineData("viewer", "SignedIn Read KeepDashboards")]
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

    [Fact]
    public void Every_permission_that_can_be_granted_says_what_it_allows_and_every_granted_one_is_among_them()
    {
        Assert.Equal(Enum.GetValues<Permission>().Where(permission => permission is not (Permission.Anonymous or Permission.Operate)), Permissions.All.Keys.Order());
        Assert.All(Permissions.All.Values, Assert.NotEmpty);
        Assert.Subset(Permissions.All.Keys.ToHashSet(), Permissions.Roles.SelectMany(Permissions.Of).ToHashSet());
    }

    [Fact]
    public void The_table_of_powers_in_the_documentation_is_the_one_in_the_code()
    {
        const string begin = "<!-- powers: written by the tests with KPI_UPDATE_DOCS=1 -->\n", end = "<!-- /powers -->";
        var file = Path.Combine(Repository.Root, "docs", "security.md");
        var text = File.ReadAllText(file).ReplaceLineEndings("\n");
        var (from, to) = (text.IndexOf(begin, StringComparison.Ordinal), text.IndexOf(end, StringComparison.Ordinal));
        Assert.True(from > 0 && to > from, "docs/security.md has no table of powers.");
        var doors =
            from type in typeof(Functions.App).Assembly.GetExportedTypes()
            from method in type.GetMethods()
            let required = method.GetCustomAttribute<RequiresAttribute>()
            where required is not null
            let trigger = method.GetParameters().SelectMany(parameter => parameter.GetCustomAttributes<Microsoft.Azure.Functions.Worker.HttpTriggerAttribute>()).Single()
            from power in required.Powers.Append(required.Power)
            where power != Power.None
            select (power, Route: $"`{trigger.Methods![0].ToUpperInvariant()} {trigger.Route}`{(required.Power == power ? "" : " (where it does)")}");
        var table = string.Concat(PowerTable.All.Select(entry =>
            $"| {entry.Value.Words} | {(entry.Value.Proof == Proof.FreshFactor ? "who it is, and a code where a second factor is on" : "who it is")} | "
            + $"{string.Join(", ", doors.Where(door => door.power == entry.Key).Select(door => door.Route).Order(StringComparer.Ordinal))} |\n"));
        var expected = $"{text[..(from + begin.Length)]}| power | proved in the last 15 minutes | doors |\n| --- | --- | --- |\n{table}{text[to..]}";
        if (Environment.GetEnvironmentVariable("KPI_UPDATE_DOCS") == "1") File.WriteAllText(file, text = expected);
        Assert.True(text == expected, "The table of powers in docs/security.md is not the one of the code any more. Run the tests once with KPI_UPDATE_DOCS=1, and commit it.");
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(90, true)]
    [InlineData(91, false)]
    public void A_sign_in_lasts_a_day_at_least_and_ninety_at_most(int days, bool valid) =>
        Assert.Equal(valid, AuthOptions.SessionsAreValid(new AuthOptions { SessionMaxDays = days }));

    [Fact]
    public void The_table_in_the_documentation_is_the_one_in_the_code()
    {
        const string begin = "<!-- roles: written by the tests with KPI_UPDATE_DOCS=1 -->\n", end = "<!-- /roles -->";
        var file = Path.Combine(Repository.Root, "docs", "security.md");
        var text = File.ReadAllText(file).ReplaceLineEndings("\n");
        var (from, to) = (text.IndexOf(begin, StringComparison.Ordinal), text.IndexOf(end, StringComparison.Ordinal));
        Assert.True(from > 0 && to > from, "docs/security.md has no place for the table of roles.");
        var table = $"| allowed to | {string.Join(" | ", Permissions.Roles)} |\n| --- |{string.Concat(Permissions.Roles.Select(_ => " --- |"))}\n"
            + string.Concat(Permissions.All.Select(permission =>
                $"| {permission.Value} (`{Permissions.Word(permission.Key)}`) | {string.Join(" | ", Permissions.Roles.Select(role => Permissions.RoleMay(role, permission.Key) ? "yes" : "–"))} |\n"));
        var expected = text[..(from + begin.Length)] + table + text[to..];
        if (Environment.GetEnvironmentVariable("KPI_UPDATE_DOCS") == "1") File.WriteAllText(file, text = expected);
        Assert.True(text == expected, "The table of roles in docs/security.md is not the one of Identity/Permissions.cs any more. Run the tests once with KPI_UPDATE_DOCS=1 to write it anew, and commit it.");
    }
}
