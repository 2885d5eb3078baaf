using System.Text.RegularExpressions;
using Xunit;

namespace KpiDashboard.Tests.Architecture;

/// <summary>What the server says to people, it says in words that a shopkeeper uses; the page's own words have a test beside
/// them.</summary>
[Trait("Clock", "none")]
public sealed partial class PlainWordsTests
{
    [Fact]
    public void No_sentence_of_the_server_has_words_that_only_its_makers_use()
    {
        // What operators read in logs, in metrics and in the description of the API is theirs.
        string[] operators = ["Telemetry", "Operations", "Api"];
        var sentences = Repository.Sources("KpiDashboard")
            .Where(path => !operators.Any(folder => path.Contains($"{Path.DirectorySeparatorChar}{folder}{Path.DirectorySeparatorChar}", StringComparison.Ordinal)))
            .SelectMany(path => File.ReadLines(path).Where(line => !IsForOperators().IsMatch(line)).SelectMany(Sentences).Select(text => (Path: Path.GetFileName(path), Text: text)))
            .ToList();
        Assert.True(sentences.Count > 700, $"Only {sentences.Count} sentences were found.");
        Assert.Empty(sentences.Where(sentence => Ours().IsMatch(sentence.Text)).Select(sentence => $"{sentence.Path}: {sentence.Text}"));
    }

    [Theory]
    [InlineData("""x("The sync was given up.")""", true)]
    [InlineData("""$"{name} gave up after {n} tries." """, true)]
    [InlineData("""[Key] = "Tried a sync again that had stopped",""", false)]
    [InlineData("""// "given up" is what we say""", false)]
    [InlineData("""var roi = facts.Now("automation.roi");""", false)]
    [InlineData("""$"A return of {roi:0.0} ×." """, false)]
    [InlineData("""Name = "The ROI of it" """, true)]
    public void The_scan_sees_what_it_must_and_nothing_else(string line, bool seen) => Assert.Equal(seen, Sentences(line).Any(Ours().IsMatch));

    private static IEnumerable<string> Sentences(string line) =>
        line.TrimStart().StartsWith("//", StringComparison.Ordinal)
            ? []
            : Literal().Matches(line).Select(match => Hole().Replace(match.Groups[1].Value, "…")).Where(text => text.Contains(' ', StringComparison.Ordinal));

    [GeneratedRegex("\"((?:[^\"\\\\]|\\\\.)*)\"")]
    private static partial Regex Literal();

    // Also the halves of holes with texts in them.
    [GeneratedRegex(@"\{[^}]*\}|^[^{]*?\}|\{[^}]*$")]
    private static partial Regex Hole();

    [GeneratedRegex(@"LoggerMessage|CreateCounter|CreateHistogram|CreateObservable|^\s*(select|insert|update|delete|from|where|join|and|or)\b", RegexOptions.IgnoreCase)]
    private static partial Regex IsForOperators();

    [GeneratedRegex(@"\bg(iven|ave|ives|iving) up\b|\bthresholded\b|\bthree clocks\b|\blast full day\b|\bROI\b|\bnot checked\b|\bLook at it\b(?! (and|or))", RegexOptions.IgnoreCase)]
    private static partial Regex Ours();
}
