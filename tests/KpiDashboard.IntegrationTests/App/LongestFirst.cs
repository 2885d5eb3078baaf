using KpiDashboard.IntegrationTests.App;
using KpiDashboard.IntegrationTests.Identity;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(LongestFirst))]

namespace KpiDashboard.IntegrationTests.App;

/// <summary>
/// Collections that take minutes begin first: begun last, one of them alone keeps the run waiting while the other processor has nothing to do.
/// </summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] s_longest =
    [
        ".FaultRunTests", ".NothingIsLeftTests", ".ScheduleTests", AppCollection.Name, SecondAppCollection.Name, AccountsCollection.Name,
        ".StartCommandTests", ".MailOutboxTests", ".LocalDaysTests", ".RetentionTests", ".OwnServersTests", ".MailAppTests",
        ".CommandLineTests", ".RestartTests", ".DoubtedDaysTests",
    ];

    /// <inheritdoc />
    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [
            .. testCollections.OrderBy(one => Rank(one.TestCollectionDisplayName))
                .ThenBy(one => one.TestCollectionDisplayName, StringComparer.Ordinal),
        ];

    private static int Rank(string name)
    {
        var at = Array.FindIndex(s_longest, part => name.Contains(part, StringComparison.Ordinal));
        return at < 0 ? s_longest.Length : at;
    }
}
