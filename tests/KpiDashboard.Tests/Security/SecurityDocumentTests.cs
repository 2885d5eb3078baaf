using System.Text.RegularExpressions;
using Xunit;

namespace KpiDashboard.Tests.Security;

/// <summary>What docs/security.md says of OWASP ASVS is so: each test that it names is there.</summary>
public sealed partial class SecurityDocumentTests
{
    private static readonly string s_text = File.ReadAllText(Path.Combine(Repository.Root, "docs", "security.md")).ReplaceLineEndings("\n");

    private static List<(string Id, string Here)> Rows =>
        [.. Row().Matches(s_text[s_text.IndexOf("<!-- asvs -->", StringComparison.Ordinal)..]).Select(row => (row.Groups[1].Value, row.Groups[2].Value))];

    [Fact]
    public void There_is_one_row_for_each_requirement_of_level_2()
    {
        Assert.Equal(259, Rows.Count);
        Assert.Equal(259, Rows.Select(row => row.Id).Distinct().Count());
        Assert.All(Rows, row => Assert.Matches("^(held: `|not held|does not apply: )", row.Here));
        Assert.InRange(Rows.Count(row => row.Here.StartsWith("held", StringComparison.Ordinal)), 60, 259);
    }

    [Fact]
    public void Each_test_that_is_named_is_there()
    {
        var classes = Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Select(File.ReadAllText).ToList();
        foreach (var (id, here) in Rows.Where(row => row.Here.StartsWith("held", StringComparison.Ordinal)))
        {
            var named = Named().Match(here);
            Assert.True(named.Success, $"{id}: {here}");
            var (type, method) = (named.Groups[1].Value, named.Groups[2].Value);
            var test = new Regex($@"\[(Fact|Theory|Property)[^\n]*\](\s*(\[[^\n]*\]|//[^\n]*))*\s*(public|internal) (async )?[\w<>]+ {method}\(");
            Assert.True(classes.Any(file => file.Contains($"class {type}", StringComparison.Ordinal) && test.IsMatch(file)), $"{id} names {type}.{method}, which is no test.");
        }
    }

    [GeneratedRegex(@"^\| (\d+\.\d+\.\d+) \| [^|]+ \| ([^|\n]+) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"^held: `(\w+)\.(\w+)`$")]
    private static partial Regex Named();
}
