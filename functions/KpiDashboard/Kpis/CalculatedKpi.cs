
namespace KpiDashboard.Kpis;

/// <summary>A calculated KPI as it is stored.</summary>
internal sealed record CalculatedKpi(string Key, string Name, string Description, KpiUnit Unit, KpiDirection Direction, string Formula)
{
    /// <summary>Source of every calculated KPI.</summary>
    public const string Source = "calculated";

    /// <summary>Formulas over formulas over formulas: so many at most.</summary>
    public const int MaxDepth = 5;

    /// <summary>
    /// Makes definitions of calculated KPIs: each is computed from the stored parts of all that it names, applied to the range as a whole. Those that cannot be
    /// computed are told with the sentence why.
    /// </summary>
    /// <param name="kpis">All of a tenant.</param>
    /// <param name="known">Every other KPI by key, hidden ones not; null for none.</param>
    /// <param name="part">The definition of a stored part.</param>
    public static (IReadOnlyList<KpiDefinition> Definitions, IReadOnlyDictionary<string, string> Problems) Define(
        IEnumerable<CalculatedKpi> kpis, Func<string, KpiDefinition?> known, Func<string, KpiDefinition> part)
    {
        var all = kpis.ToDictionary(kpi => kpi.Key, StringComparer.Ordinal);
        var made = new Dictionary<string, (KpiDefinition? Definition, string? Problem, int Depth)>(StringComparer.Ordinal);
        foreach (var key in all.Keys) Make(key, []);
        return (
            [.. all.Keys.Select(key => made[key].Definition).OfType<KpiDefinition>()],
            made.Where(item => item.Value.Problem is not null).ToDictionary(item => item.Key, item => item.Value.Problem!, StringComparer.Ordinal));

        (KpiDefinition? Definition, string? Problem, int Depth) Make(string key, IReadOnlyList<string> path)
        {
            if (made.TryGetValue(key, out var done)) return done;
            if (path.Contains(key)) return (null, $"The formula leads back to itself: {string.Join(" → ", path.SkipWhile(step => step != key).Append(key))}.", 0);
            // Recursion is bounded here and not by how many there are.
            if (path.Count >= MaxDepth) return (null, $"Formulas may rest on each other at most {MaxDepth} deep.", 0);
            return made[key] = Of(all[key], [.. path, key]);
        }

        (KpiDefinition? Definition, string? Problem, int Depth) Of(CalculatedKpi kpi, IReadOnlyList<string> path)
        {
            var (formula, problem) = Kpis.Formula.Read(kpi.Formula);
            if (formula is null) return (null, problem, 0);
            if (formula.Uses.Count == 0) return (null, "The formula names no KPI.", 0);
            var (uses, depth) = (new Dictionary<string, KpiDefinition>(StringComparer.Ordinal), 0);
            foreach (var use in formula.Uses)
            {
                if (all.ContainsKey(use))
                {
                    var inner = Make(use, path);
                    if (inner.Definition is null) return (null, inner.Problem!.StartsWith("The formula leads", StringComparison.Ordinal) || inner.Problem.StartsWith("Formulas may", StringComparison.Ordinal) ? inner.Problem : $"It rests on '{use}', which cannot be computed: {inner.Problem}", 0);
                    uses[use] = inner.Definition;
                    depth = Math.Max(depth, inner.Depth);
                }
                else if (use == HealthScore.Key)
                {
                    return (null, $"'{use}' cannot be used in a formula: it rests on other weeks than the range.", 0);
                }
                else if (known(use) is { } definition)
                {
                    uses[use] = definition;
                }
                else
                {
                    return (null, $"There is no KPI '{(use.Length <= 60 ? use : use[..60] + "…")}'; GET /api/kpis lists them.", 0);
                }
            }

            if (depth + 1 > MaxDepth) return (null, $"Formulas may rest on each other at most {MaxDepth} deep.", 0);
            if (formula.WrongUnit(use => uses[use].Unit, kpi.Unit) is { } wrong) return (null, wrong, 0);
            var parts = uses.Values.SelectMany(use => use.Parts).Distinct(StringComparer.Ordinal).ToList();
            return (new KpiDefinition
            {
                Key = kpi.Key,
                Name = kpi.Name,
                Description = kpi.Description,
                Unit = kpi.Unit,
                Direction = kpi.Direction,
                Aggregation = formula.AddsUp(use => uses[use].Aggregation == KpiAggregation.Sum) ? KpiAggregation.Sum : KpiAggregation.Ratio,
                Source = Source,
                Sources = [.. uses.Values.SelectMany(use => use.Sources).Distinct(StringComparer.Ordinal)],
                Formula = formula.Text,
                Parts = parts,
                Uses = [.. uses.Values],
                Lacks = economics => uses.Values.Select(use => use.Lacks(economics)).FirstOrDefault(lack => lack is not null),
                OwnWay = [.. parts.Select(part).Where(stored => stored.Aggregation != KpiAggregation.Sum)],
                // Shared formulas are computed once an evaluation, however many ways lead to them.
                Compute = inputs => formula.Compute(use => inputs.Once(uses[use])),
            }, null, depth + 1);
        }
    }
}
