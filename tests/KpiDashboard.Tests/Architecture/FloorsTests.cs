using Xunit;

namespace KpiDashboard.Tests.Architecture;

/// <summary>The house has floors: a slice uses slices below its own floor, and no others (docs/architecture.md, "Floors").</summary>
[Trait("Clock", "none")]
public sealed class FloorsTests
{
    /// <summary>
    /// The slices from the ground up, each with what it is. A new slice gets its place here; nothing is excepted. The documentation prints this list.
    /// </summary>
    private static readonly (string Slice, string What)[] Floors =
    [
        ("Api", "requests, answers, problems, the description of the API; knows no slice"),
        ("Data", "Postgres, storage queues, migrations; what is done every hour"),
        ("Security", "sealed secrets and their rotation, addresses that may be called"),
        ("Telemetry", "metrics, traces, logs"),
        ("Tenancy", "a business: its settings, its clock, its currency, the version of its data"),
        ("Access", "who asks, what they may, how often; how a business is opened and read"),
        ("Auditing", "who did what"),
        ("Mail", "mails on their way out"),
        ("Identity", "how people and machines prove who they are"),
        ("Members", "the people of a business"),
        ("Kpis", "the number engine: catalogue, values, table, comparisons, formulas, score, band of the usual"),
        ("Connectors", "the contract, and a folder for each connector"),
        ("Sources", "what is known of the sources of a business: clocks, state, freshness, choice, currency"),
        ("Automation", "runs and workflows"),
        ("Sync", "the engine that reads sources, and connecting them"),
        ("Push", "what a business tells of itself"),
        ("Goals", "goals"),
        ("Annotations", "notes on days"),
        ("Insights", "what the numbers say"),
        ("Metrics", "how numbers are asked for"),
        ("Formulas", "KPIs that a business computes from others"),
        ("Dashboards", "dashboards and their read-only links"),
        ("Businesses", "a business as a whole: list, overview, settings, roles"),
        ("Webhooks", "what automation tools report"),
        ("Privacy", "export, deletion, housekeeping"),
        ("Operations", "readiness, retention, what operators see and do"),
    ];

    private static readonly IReadOnlyList<IReadOnlyList<string>> Order = [.. Floors.Select(floor => (IReadOnlyList<string>)[floor.Slice])];

    private static readonly Lazy<SliceGraph> Product = new(() => SliceGraph.Read(
        "KpiDashboard",
        Repository.Sources("KpiDashboard")
            .Select(path => (Path.GetRelativePath(Repository.Root, path).Replace('\\', '/'), File.ReadAllText(path)))
            .Append(("ImplicitUsings.cs", ImplicitUsings))));

    /// <summary>What <c>ImplicitUsings</c> adds to a library.</summary>
    private const string ImplicitUsings =
        """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    [Fact]
    public void A_slice_uses_slices_of_lower_floors_only()
    {
        // A graph that was not read has no faults either.
        Assert.True(Product.Value.Uses.Count > 2_000, $"Only {Product.Value.Uses.Count} uses were found.");
        Assert.Contains(Product.Value.Uses, use => use is { From: "Sync", To: "Connectors", Symbol: "IConnector" });
        Assert.Contains(Product.Value.Uses, use => use is { From: "Sync", To: "Data", Symbol: "ExecuteAsync" });
        Assert.Empty(Product.Value.Faults(Order));
    }

    [Fact]
    public void No_slices_use_each_other_however_far_round() => Assert.Empty(Product.Value.Circles());

    [Fact]
    public void Every_folder_of_the_product_is_a_slice_and_every_file_says_the_slice_of_its_folder()
    {
        var product = Path.Combine(Repository.Root, "functions", "KpiDashboard");
        var sources = Repository.Sources("KpiDashboard")
            .Select(path => (File: Path.GetRelativePath(product, path).Replace('\\', '/'), Text: File.ReadAllText(path)))
            .ToList();
        Assert.Equal(
            Floors.Select(floor => floor.Slice).Order(StringComparer.Ordinal),
            sources.Where(source => source.File.Contains('/')).Select(source => source.File.Split('/')[0]).Distinct().Order(StringComparer.Ordinal));
        Assert.Equal(["KpiDashboardServices.cs"], sources.Where(source => !source.File.Contains('/')).Select(source => source.File));
        Assert.Empty(
            from source in sources
            where source.File.Contains('/')
            let expected = $"namespace KpiDashboard.{Path.GetDirectoryName(source.File)!.Replace('/', '.').Replace('\\', '.')};"
            where !source.Text.Split('\n').Any(line => line.TrimEnd() == expected)
            select $"{source.File} does not say '{expected}'.");
    }

    [Fact]
    public void The_documentation_prints_the_floors()
    {
        const string begin = "<!-- floors: written by the tests with KPI_UPDATE_DOCS=1 -->\n", end = "<!-- /floors -->";
        var file = Path.Combine(Repository.Root, "docs", "architecture.md");
        var text = File.ReadAllText(file).ReplaceLineEndings("\n");
        Assert.Contains(begin, text, StringComparison.Ordinal);
        var (before, after) = (text[..text.IndexOf(begin, StringComparison.Ordinal)], text[text.IndexOf(end, StringComparison.Ordinal)..]);
        var table = "| floor | slice | what it is |\n| --- | --- | --- |\n"
            + string.Concat(Floors.Select((floor, index) => $"| {index + 1} | {floor.Slice} | {floor.What} |\n"));
        var expected = before + begin + table + after;
        if (Environment.GetEnvironmentVariable("KPI_UPDATE_DOCS") == "1") File.WriteAllText(file, text = expected);
        Assert.True(
            text == expected,
            "The floors in docs/architecture.md are not those of the code any more. Run the tests once with KPI_UPDATE_DOCS=1, and commit it.");
    }

    public static TheoryData<string, string> WaysToUse => new()
    {
        { "a type", "namespace House.Low; class A { House.High.B? b; }" },
        { "a type by its using", "using House.High; namespace House.Low; class A { B? b; }" },
        { "a using alone", "using House.High; namespace House.Low; class A;" },
        { "a using within the namespace", "namespace House.Low { using House.High; class A; }" },
        { "a part of the namespace's name", "namespace House.Low; class A { High.B? b; }" },
        { "an alias", "using Other = House.High.B; namespace House.Low; class A { Other? b; }" },
        { "a static using", "using static House.High.Tools; namespace House.Low; class A { int x = Of(1); }" },
        { "an extension method", "using House.High; namespace House.Low; class A { int x = 1.Twice(); }" },
        { "an attribute", "using House.High; namespace House.Low; [Mark] class A;" },
        { "an argument of an attribute", "namespace House.Low; [System.ComponentModel.Description(House.High.Tools.Word)] class A;" },
        { "a constant", "namespace House.Low; class A { const string X = House.High.Tools.Word; }" },
        { "a base class", "namespace House.Low; class A : House.High.B;" },
        { "a type argument", "using System.Collections.Generic; namespace House.Low; class A { List<House.High.B> all = []; }" },
        { "a pattern", "namespace House.Low; class A { bool Is(object o) => o is House.High.B { Size: 1 }; }" },
        { "a member of what somebody else gives", "namespace House.Low; class A { int Of(Middle.C c) => c.Made().Size; }" },
        { "the name of a member", "namespace House.Low; class A { string x = nameof(House.High.B.Size); }" },
        { "a nested namespace", "namespace House.Low.Deep; class A { House.High.B? b; }" },
        { "a nested namespace of the other", "namespace House.Low; class A { House.High.Deep.D? d; }" },
    };

    [Theory]
    [MemberData(nameof(WaysToUse))]
    public void A_use_that_goes_up_is_found_and_named_with_file_and_line(string way, string source)
    {
        var faults = FaultsOfLow(Read(("Low/A.cs", source.Replace("; class", ";\nclass", StringComparison.Ordinal)))).ToList();
        Assert.True(faults.Count > 0, $"{way} was not seen.");
        Assert.Contains(faults, fault => fault.EndsWith("of High, which is above it.", StringComparison.Ordinal));
    }

    [Fact]
    public void The_line_is_the_one_of_the_use() =>
        Assert.Equal(
            ["Low/A.cs:4: Low uses B of High, which is above it."],
            FaultsOfLow(Read(("Low/A.cs", "namespace House.Low;\nclass A\n{\n    House.High.B? b;\n}"))));

    [Fact]
    public void Words_alone_are_no_use()
    {
        const string source =
            """
            namespace House.Low;
            /// <summary>Not <see cref="House.High.B"/>.</summary>
            class A { string B = "House.High.B"; int High = 1; /* House.High.B */ int Of() => High; }
            """;
        Assert.Empty(FaultsOfLow(Read(("Low/A.cs", source))));
    }

    [Fact]
    public void What_goes_down_is_allowed_and_what_stays_on_its_floor_is_not()
    {
        var graph = Read(("High/E.cs", "namespace House.High; class E { House.Middle.C? c; }"));
        bool OfE(string fault) => fault.StartsWith("High/E.cs", StringComparison.Ordinal);
        Assert.DoesNotContain(graph.Faults([["Low"], ["Middle"], ["High"]]), OfE);
        Assert.EndsWith("which is on the same floor.", Assert.Single(graph.Faults([["Low"], ["Middle", "High"]]), OfE), StringComparison.Ordinal);
    }

    [Fact]
    public void A_circle_of_three_is_found_with_a_place_for_each_step()
    {
        var graph = SliceGraph.Read("House",
        [
            ("A.cs", "namespace House.A; class One { House.B.Two? x; }"), ("B.cs", "namespace House.B; class Two { House.C.Three? x; }"),
            ("C.cs", "namespace House.C; class Three { House.A.One? x; }"), ("D.cs", "namespace House.D; class Four { House.A.One? x; }"),
        ]);
        Assert.Equal("A, B, C use each other: A → B at A.cs:1; B → C at B.cs:1; C → A at C.cs:1.", Assert.Single(graph.Circles()));
        Assert.Single(graph.Faults([["A"], ["B"], ["C"], ["D"]]), fault => fault.StartsWith("A.cs", StringComparison.Ordinal));
    }

    [Fact]
    public void A_slice_without_a_floor_and_a_floor_without_a_slice_are_told() =>
        Assert.Equal(
            ["High has no floor.", "Cellar is on a floor, but holds no code."],
            Read().Faults([["Cellar"], ["Low"], ["Middle"]]).Where(fault => !fault.Contains(':', StringComparison.Ordinal)));

    private static IEnumerable<string> FaultsOfLow(SliceGraph graph) =>
        graph.Faults([["Low"], ["Middle"], ["High"]]).Where(fault => fault.StartsWith("Low/", StringComparison.Ordinal));

    /// <summary>Three slices, the middle one of which gives what belongs to the highest (and so uses it), beside some sources.</summary>
    private static SliceGraph Read(params (string Path, string Text)[] more) => SliceGraph.Read("House",
    [
        ("Low/Z.cs", "namespace House.Low; class Z;"),
        ("Middle/C.cs", "namespace House.Middle; class C { public House.High.B Made() => new(); }"),
        ("High/B.cs",
            """
            namespace House.High { class B { public int Size { get; set; } } class MarkAttribute : System.Attribute; }
            namespace House.High
            {
                static class Tools
                {
                    public const string Word = "x";
                    public static int Of(int x) => x;
                    public static int Twice(this int x) => 2 * x;
                }
            }
            namespace House.High.Deep { class D; }
            """),
        .. more,
    ]);
}
