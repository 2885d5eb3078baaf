using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using KpiDashboard.Kpis;
using KpiDashboard.Metrics;
using KpiDashboard.Sources;
using KpiDashboard.Tenancy;
using KpiDashboard.Tests.Kpis;
using Xunit;

namespace KpiDashboard.Tests.Formulas;

/// <summary>Reading and computing formulas, and calculated KPIs in the engine.</summary>
public sealed class FormulaTests
{
    private static readonly DateOnly Monday = new(2026, 11, 2);

    private static decimal? Compute(string text, params (string Key, decimal? Value)[] values) =>
        Formula.Read(text).Formula!.Evaluate(key => values.Single(value => value.Key == key).Value);

    private static TenantCatalogue Catalogue(params CalculatedKpi[] kpis) => new([Pushed("custom.balance", KpiAggregation.Last), Pushed("custom.spend", KpiAggregation.Sum)], kpis);

    private static KpiDefinition Pushed(string key, KpiAggregation aggregation) => new()
    {
        Key = key,
        Name = key,
        Description = "",
        Unit = KpiUnit.Currency,
        Direction = KpiDirection.Up,
        Aggregation = aggregation,
        Source = TenantCatalogue.PushSource,
        IsSparse = true,
    };

    private static CalculatedKpi Calc(string key, string formula, KpiUnit unit = KpiUnit.Number) => new(key, "Name of " + key, "", unit, KpiDirection.Up, formula);

    [Theory]
    [InlineData("1 + 2 * 3", 7)]
    [InlineData("(1 + 2) * 3", 9)]
    [InlineData("10 - 4 - 3", 3)]
    [InlineData("24 / 4 / 2", 3)]
    [InlineData("2 × 3 − 8 ÷ 4", 4)]
    [InlineData("-2 * -3", 6)]
    [InlineData("--2", 2)]
    [InlineData("min(3, 1, 2) + max(1, 2) + abs(-4) + round(2.5)", 10)]
    [InlineData("round(1.23456, 2)", 1.23)]
    [InlineData("  0.5*( 4 )  ", 2)]
    public void Arithmetic_is_as_at_school(string text, decimal expected) => Assert.Equal(expected, Compute(text));

    [Theory]
    [InlineData("", "1 to 500")]
    [InlineData("1 +", "too early")]
    [InlineData("(1 + 2", "too early")]
    [InlineData("1 + 2)", "character 6")]
    [InlineData("web.sessions web.sessions", "character 14")]
    [InlineData("1e5", "character 2")]
    [InlineData("sqrt(2)", "character")]
    [InlineData("web.sessions; drop table tenants", "character 13")]
    [InlineData("System.IO.File.Delete(1)", "character 1")]
    [InlineData("web.sessions == 1", "character 14")]
    [InlineData("abs(1, 2)", "'abs' takes one value")]
    [InlineData("min(1)", "2 to 10 values")]
    [InlineData("round(1, web.sessions)", "number of decimals")]
    [InlineData("round(1, 9)", "number of decimals")]
    [InlineData("((((((((((((((((((((((1))))))))))))))))))))))", "20 parentheses")]
    public void What_is_no_formula_is_answered_with_a_sentence_that_says_where(string text, string part)
    {
        var (formula, problem) = Formula.Read(text);
        Assert.Null(formula);
        Assert.Contains(part, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_division_by_zero_an_unknown_part_and_a_number_beyond_all_digits_have_no_answer()
    {
        Assert.Null(Compute("1 / web.sessions", ("web.sessions", 0)));
        Assert.Null(Compute("1 + web.sessions", ("web.sessions", null)));
        Assert.Null(Compute("max(1, web.sessions)", ("web.sessions", null)));
        Assert.Null(Compute("999999999999999 * 999999999999999 * 999999999999999"));
    }

    [Property(MaxTest = 1000)]
    public void Any_text_is_read_or_answered_with_a_sentence_and_never_a_fault(string? text)
    {
        var (formula, problem) = Formula.Read(text);
        Assert.Equal(formula is null, problem is not null);
    }

    [Property(MaxTest = 300)]
    public Property A_formula_of_random_shape_gives_what_decimal_arithmetic_gives() =>
        Prop.ForAll(Expressions(4).ToArbitrary(), expression => Assert.Equal(expression.Value, Compute(expression.Text)));

    private static Gen<(string Text, decimal? Value)> Expressions(int depth)
    {
        var number = Gen.Choose(0, 1000).Select(cents => (Text: (cents / 10m).ToString("0.0", System.Globalization.CultureInfo.InvariantCulture), Value: (decimal?)(cents / 10m)));
        if (depth == 0) return number;
        var operation =
            from left in Expressions(depth - 1)
            from right in Expressions(depth - 1)
            from sign in Gen.Elements('+', '-', '*', '/')
            select (Text: $"({left.Text} {sign} {right.Text})", Value: sign switch
            {
                '+' => left.Value + right.Value,
                '-' => left.Value - right.Value,
                '*' => left.Value * right.Value,
                _ => right.Value is null or 0 ? null : left.Value / right.Value,
            });
        return Gen.OneOf(number, operation);
    }

    [Theory]
    [InlineData("shop.revenue + web.sessions", "Currency", "different units")]
    [InlineData("shop.revenue - shop.revenue / web.sessions", "Count", "money")]
    [InlineData("shop.revenue / web.sessions", "Ratio", "money")]
    [InlineData("shop.revenue / shop.revenue", "Currency", "plain number")]
    [InlineData("automation.time_saved + web.avg_session_duration", "Minutes", "different units")]
    [InlineData("min(shop.revenue, web.sessions)", "Currency", "compared")]
    public void Units_that_do_not_go_together_are_refused(string text, string unit, string part)
    {
        var catalogue = Catalogue(Calc("calc.x", text, Enum.Parse<KpiUnit>(unit)));
        Assert.Contains(part, catalogue.Problems["calc.x"], StringComparison.Ordinal);
        Assert.Null(catalogue.Find("calc.x"));
    }

    [Theory]
    [InlineData("shop.revenue - 100", "Currency", "Ratio")]
    [InlineData("shop.revenue - custom.spend", "Currency", "Sum")]
    [InlineData("0.3 * shop.revenue / 2 - (-custom.spend)", "Currency", "Sum")]
    [InlineData("shop.revenue / web.sessions", "Currency", "Ratio")]
    [InlineData("web.sessions + web.active_users", "Count", "Ratio")]
    [InlineData("automation.time_saved / 60", "Minutes", "Sum")]
    [InlineData("max(web.sessions, web.page_views)", "Count", "Ratio")]
    public void Units_that_go_together_are_taken_and_it_is_known_whether_days_add_up(string text, string unit, string aggregation)
    {
        var catalogue = Catalogue(Calc("calc.x", text, Enum.Parse<KpiUnit>(unit)));
        Assert.Empty(catalogue.Problems);
        Assert.Equal(aggregation, catalogue.Find("calc.x")!.Aggregation.ToString());
    }

    [Fact]
    public void Too_many_digits_are_told_as_that_and_not_as_nothing_to_divide_by()
    {
        var catalogue = Catalogue(Calc("calc.big", "web.sessions * 999999999999999 * 999999999999999"), Calc("calc.none", "web.sessions / web.page_views"));
        var table = new KpiTable(Monday, Monday, [("web.sessions", Monday, 5m), ("web.page_views", Monday, 0m)], SourceState.Clocks([]), new TenantEconomics(null, null));
        string? Why(string key) => MetricsEndpoints.Reason(catalogue.Find(key)!, table.Evaluate(catalogue.Find(key)!, Monday, Monday));
        Assert.Contains("more digits", Why("calc.big"), StringComparison.Ordinal);
        Assert.Contains("nothing to divide by", Why("calc.none"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("shop.revenue - automation.value_saved", true)]
    [InlineData("shop.revenue / automation.value_saved", true)]
    [InlineData("shop.revenue - 5", false)]
    [InlineData("shop.revenue / shop.transactions", false)]
    [InlineData("automation.value_saved * 2", false)]
    [InlineData("automation.roi * 1", false)]
    public void Money_of_two_currencies_is_never_put_together_whoever_its_currency_comes_from(string text, bool mixes)
    {
        // The property counts in euros, the business, and with it the cost of an hour, in pounds.
        var kpi = Catalogue(Calc("calc.mixed", text) with { Unit = text.Contains('/', StringComparison.Ordinal) && mixes || text.Contains("roi", StringComparison.Ordinal) ? KpiUnit.Ratio : KpiUnit.Currency }).Find("calc.mixed")!;
        var clocks = new Dictionary<string, SourceClock> { ["google-analytics"] = new(Monday, Monday, "EUR"), ["n8n"] = new(Monday, Monday) };
        var table = new KpiTable(
            Monday, Monday, [("shop.revenue", Monday, 100m), ("shop.transactions", Monday, 4m), ("automation.time_saved", Monday, 60m)], clocks, new TenantEconomics(40, 300, "GBP"));
        var value = table.Evaluate(kpi, Monday, Monday);
        Assert.Equal(mixes, value.Value is null);
        if (mixes) Assert.Contains("EUR and GBP", MetricsEndpoints.Reason(kpi, value), StringComparison.Ordinal);
    }

    [Fact]
    public void A_formula_that_leads_back_to_itself_or_to_nothing_is_told_and_the_others_work_on()
    {
        var catalogue = Catalogue(
            Calc("calc.a", "calc.b + 1"), Calc("calc.b", "calc.a * 2"), Calc("calc.self", "calc.self"), Calc("calc.gone", "custom.nothing + 1"), Calc("calc.ok", "web.sessions / 2"),
            Calc("calc.health", "business.health_score + 1"), Calc("calc.none", "1 + 1"));
        Assert.Contains("calc.a → calc.b → calc.a", catalogue.Problems["calc.a"], StringComparison.Ordinal);
        Assert.Contains("leads back", catalogue.Problems["calc.b"], StringComparison.Ordinal);
        Assert.Contains("calc.self → calc.self", catalogue.Problems["calc.self"], StringComparison.Ordinal);
        Assert.Contains("no KPI 'custom.nothing'", catalogue.Problems["calc.gone"], StringComparison.Ordinal);
        Assert.Contains("cannot be used", catalogue.Problems["calc.health"], StringComparison.Ordinal);
        Assert.Contains("names no KPI", catalogue.Problems["calc.none"], StringComparison.Ordinal);
        Assert.NotNull(catalogue.Find("calc.ok"));
    }

    [Fact]
    public void Formulas_rest_on_each_other_five_deep_and_no_deeper_and_many_paths_cost_nothing()
    {
        var chain = Enumerable.Range(0, 7).Select(level => Calc($"calc.l{level}", level == 0 ? "web.sessions" : string.Join(" + ", Enumerable.Repeat($"calc.l{level - 1}", 20)))).ToArray();
        var catalogue = Catalogue(chain);
        Assert.NotNull(catalogue.Find("calc.l4"));
        Assert.Null(catalogue.Find("calc.l5"));
        var table = new KpiTable(Monday, Monday, [("web.sessions", Monday, 1m)], SourceState.Clocks([]), new TenantEconomics(null, null));
        Assert.Equal(160_000m, table.On(catalogue.Find("calc.l4")!, Monday));
    }

    [Fact]
    public void A_ratio_is_of_the_sums_and_never_the_mean_of_the_days()
    {
        var kpi = Catalogue(Calc("calc.x", "shop.revenue / web.sessions", KpiUnit.Currency)).Find("calc.x")!;
        var table = new KpiTable(
            Monday, Monday.AddDays(1), [("shop.revenue", Monday, 10m), ("web.sessions", Monday, 1m), ("shop.revenue", Monday.AddDays(1), 10m), ("web.sessions", Monday.AddDays(1), 99m)],
            new Dictionary<string, SourceClock> { ["google-analytics"] = new(Monday.AddDays(1), Monday.AddDays(1)) }, new TenantEconomics(null, null));
        Assert.Equal(new KpiValue(0.2m, ValueStatus.Final, 2, 2), table.Evaluate(kpi, Monday, Monday.AddDays(1)));
    }

    [Fact]
    public void A_part_that_does_not_add_up_comes_in_its_own_way_and_the_least_complete_source_counts()
    {
        // Revenue of three days over the latest balance, which is read once.
        var kpi = Catalogue(Calc("calc.x", "shop.revenue / custom.balance", KpiUnit.Ratio)).Find("calc.x")!;
        var clocks = new Dictionary<string, SourceClock> { ["google-analytics"] = new(Monday.AddDays(2), Monday), [TenantCatalogue.PushSource] = new(DateOnly.MaxValue, DateOnly.MaxValue) };
        var table = new KpiTable(
            Monday, Monday.AddDays(2), [("shop.revenue", Monday, 10m), ("shop.revenue", Monday.AddDays(1), 20m), ("shop.revenue", Monday.AddDays(2), 30m), ("custom.balance", Monday, 30m)],
            clocks, new TenantEconomics(null, null));
        Assert.Equal(new KpiValue(2m, ValueStatus.Provisional, 3, 3), table.Evaluate(kpi, Monday, Monday.AddDays(2)));
        Assert.Equal(ValueStatus.NotMeasurable, table.Evaluate(kpi, Monday.AddDays(1), Monday.AddDays(2)).Status);
    }

    [Property(Arbitrary = [typeof(Sheets)], MaxTest = 100)]
    public void A_formula_over_sums_adds_up_over_any_split_and_equals_its_parts(Sheet sheet)
    {
        var catalogue = Catalogue(Calc("calc.sum", "web.sessions + 2 * web.page_views", KpiUnit.Count), Calc("calc.ratio", "web.page_views / web.sessions"));
        var (table, kpi, ratio) = (sheet.Table(), catalogue.Find("calc.sum")!, catalogue.Find("calc.ratio")!);
        var known = sheet.Known(sheet.From, sheet.To, "web.sessions", "web.page_views");
        var whole = table.Evaluate(kpi, sheet.From, sheet.To);
        Assert.Equal(known.Count == 0 ? null : sheet.Sum(known, "web.sessions") + (2 * sheet.Sum(known, "web.page_views")), whole.Value);
        // The same as the catalogue's own.
        Assert.Equal(table.Evaluate(KpiCatalogue.Find("web.pages_per_session")!, sheet.From, sheet.To), table.Evaluate(ratio, sheet.From, sheet.To));
        if (sheet.Days < 2) return;
        Assert.Equal(whole.Value ?? 0, (table.Evaluate(kpi, sheet.From, sheet.Split).Value ?? 0) + (table.Evaluate(kpi, sheet.Split.AddDays(1), sheet.To).Value ?? 0));
    }
}
