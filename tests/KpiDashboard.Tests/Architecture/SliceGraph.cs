using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace KpiDashboard.Tests.Architecture;

/// <summary>That a slice uses another, at one place of the sources.</summary>
/// <param name="From">The slice that the place belongs to.</param>
/// <param name="To">The slice of what is named there.</param>
/// <param name="Symbol">What is named.</param>
/// <param name="File">Path of the source.</param>
/// <param name="Line">Its line, from 1.</param>
internal sealed record SliceUse(string From, string To, string Symbol, string File, int Line)
{
    public string Where => $"{File}:{Line}";
}

/// <summary>
/// Which slice uses which. A slice is the namespace below the product's root. The compiler says what each name in the sources means, so that an alias, a name
/// written out in full, an extension method, an attribute and a <c>using</c> that nothing needs are all seen, and a word that only looks like one is not.
/// </summary>
internal sealed class SliceGraph
{
    private SliceGraph(IReadOnlyList<string> slices, IReadOnlyList<SliceUse> uses) => (Slices, Uses) = (slices, uses);

    /// <summary>All slices that hold code, by name.</summary>
    public IReadOnlyList<string> Slices { get; }

    /// <summary>Every use of a slice by another, in order of file and line.</summary>
    public IReadOnlyList<SliceUse> Uses { get; }

    /// <summary>Reads the graph out of sources.</summary>
    /// <param name="root">The namespace above all slices; what lies in it directly is above every floor and may use them all.</param>
    /// <param name="sources">Path and text of each source.</param>
    public static SliceGraph Read(string root, IEnumerable<(string Path, string Text)> sources)
    {
        var options = CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.CSharp14);
        var trees = sources.Select(source => CSharpSyntaxTree.ParseText(source.Text, options, source.Path)).ToList();
        var compilation = CSharpCompilation.Create(root, trees, References(), new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary));
        var slices = new SortedSet<string>(StringComparer.Ordinal);
        var uses = new HashSet<SliceUse>();
        foreach (var tree in trees)
        {
            var model = compilation.GetSemanticModel(tree);
            foreach (var part in tree.GetCompilationUnitRoot().DescendantNodes().OfType<BaseNamespaceDeclarationSyntax>())
            {
                if (Slice(root, part.Name.ToString()) is not { } from) continue;
                slices.Add(from);
                // What a file imports belongs to the slice that the file declares.
                foreach (var name in tree.GetCompilationUnitRoot().Usings.Cast<SyntaxNode>().Append(part).SelectMany(Names))
                    if (Target(root, model, name) is var (to, symbol) && to != from) uses.Add(Use(from, to, symbol, name));
            }
        }

        return new([.. slices], [.. uses.OrderBy(use => use.File, StringComparer.Ordinal).ThenBy(use => use.Line).ThenBy(use => use.To, StringComparer.Ordinal)]);
    }

    /// <summary>Uses that go up, or stay on their floor, each as a sentence with file and line.</summary>
    /// <param name="floors">Slices from the ground up; those of one floor together.</param>
    public IEnumerable<string> Faults(IReadOnlyList<IReadOnlyList<string>> floors)
    {
        var floorOf = floors.SelectMany((slices, floor) => slices.Select(slice => (slice, floor))).ToDictionary(pair => pair.slice, pair => pair.floor, StringComparer.Ordinal);
        foreach (var slice in Slices.Where(slice => !floorOf.ContainsKey(slice))) yield return $"{slice} has no floor.";
        foreach (var slice in floorOf.Keys.Where(slice => !Slices.Contains(slice))) yield return $"{slice} is on a floor, but holds no code.";
        foreach (var use in Uses)
            if (floorOf.TryGetValue(use.From, out var from) && floorOf.TryGetValue(use.To, out var to) && to >= from)
                yield return $"{use.Where}: {use.From} uses {use.Symbol} of {use.To}, which is {(to == from ? "on the same floor" : "above it")}.";
    }

    /// <summary>Slices that reach each other, each circle once, with a use of each as proof. Holds whatever the floors are.</summary>
    public IEnumerable<string> Circles()
    {
        var direct = Uses.ToLookup(use => use.From, use => use.To);
        var reach = Slices.ToDictionary(slice => slice, slice => Reached(slice, direct), StringComparer.Ordinal);
        var told = new HashSet<string>(StringComparer.Ordinal);
        foreach (var slice in Slices.Where(slice => reach[slice].Contains(slice)))
        {
            if (!told.Add(slice)) continue;
            List<string> circle = [slice, .. Slices.Where(other => other != slice && reach[slice].Contains(other) && reach[other].Contains(slice))];
            told.UnionWith(circle);
            var proofs = Uses.Where(use => circle.Contains(use.From) && circle.Contains(use.To)).DistinctBy(use => (use.From, use.To));
            yield return $"{string.Join(", ", circle)} use each other: {string.Join("; ", proofs.Select(use => $"{use.From} → {use.To} at {use.Where}"))}.";
        }
    }

    private static HashSet<string> Reached(string start, ILookup<string, string> direct)
    {
        var reached = new HashSet<string>(StringComparer.Ordinal);
        var open = new Queue<string>(direct[start]);
        while (open.TryDequeue(out var slice))
            if (reached.Add(slice))
                foreach (var next in direct[slice]) open.Enqueue(next);
        return reached;
    }

    private static IEnumerable<SimpleNameSyntax> Names(SyntaxNode node) => node.DescendantNodes().OfType<SimpleNameSyntax>();

    /// <summary>The slice, and what of it, that a name means; null for what is no slice's.</summary>
    private static (string Slice, string Symbol)? Target(string root, SemanticModel model, SimpleNameSyntax name)
    {
        // The name after "namespace" declares, it does not use.
        if (name.Ancestors().OfType<BaseNamespaceDeclarationSyntax>().FirstOrDefault() is { } declared && declared.Name.Span.Contains(name.Span)) return null;
        var info = model.GetSymbolInfo(name);
        var symbol = info.Symbol ?? info.CandidateSymbols.FirstOrDefault();
        // A using names a namespace and no more; elsewhere the name of a namespace is only the way to a type, which is seen itself.
        if (symbol is INamespaceSymbol imported)
            return name.Ancestors().OfType<UsingDirectiveSyntax>().Any() && Slice(root, imported.ToDisplayString()) is { } opened ? (opened, imported.ToDisplayString()) : null;
        if (symbol is null or ILocalSymbol or IParameterSymbol or IRangeVariableSymbol or ILabelSymbol or ITypeParameterSymbol) return null;
        var space = (symbol as INamedTypeSymbol ?? symbol.ContainingType)?.ContainingNamespace;
        return space is not null && Slice(root, space.ToDisplayString()) is { } slice ? (slice, symbol.Name) : null;
    }

    private static string? Slice(string root, string space) =>
        space.StartsWith(root + ".", StringComparison.Ordinal) ? space[(root.Length + 1)..].Split('.')[0] : null;

    private static SliceUse Use(string from, string to, string symbol, SimpleNameSyntax name)
    {
        var place = name.GetLocation().GetLineSpan();
        return new(from, to, symbol, place.Path, place.StartLinePosition.Line + 1);
    }

    /// <summary>Everything that the running tests may use, which is all that the product is built with, the product's own parts apart.</summary>
    private static IEnumerable<MetadataReference> References() =>
        ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => !Path.GetFileName(path).StartsWith("KpiDashboard", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path));
}
