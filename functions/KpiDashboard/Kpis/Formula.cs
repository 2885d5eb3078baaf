using System.Globalization;
using Superpower;
using Superpower.Model;
using Superpower.Parsers;

namespace KpiDashboard.Kpis;

/// <summary>A piece of a formula.</summary>
internal interface IFormulaNode;

/// <summary>A number as it was written.</summary>
internal sealed record FormulaNumber(decimal Value) : IFormulaNode;

/// <summary>A KPI by its key.</summary>
internal sealed record FormulaKpi(string Key) : IFormulaNode;

/// <summary>Two pieces with one of <c>+ - * /</c> between them.</summary>
internal sealed record FormulaOperation(char Operator, IFormulaNode Left, IFormulaNode Right) : IFormulaNode;

/// <summary>One of <c>min max abs round</c>.</summary>
internal sealed record FormulaCall(string Function, IReadOnlyList<IFormulaNode> Arguments) : IFormulaNode;

/// <summary>
/// A formula over KPIs: <c>+ - * /</c> (also × ÷ −), parentheses, decimal numbers, <c>min max abs round</c> and KPI keys. It is read into a tree by a parser that knows
/// nothing else, and computed in decimals; there is nothing in it that could run.
/// </summary>
internal sealed class Formula
{
    /// <summary>Longest formula, in characters.</summary>
    public const int MaxLength = 500;

    /// <summary>Parentheses within parentheses; the parser calls itself for each.</summary>
    private const int MaxDepth = 20;

    private static readonly TextParser<Unit> Blank = Character.WhiteSpace.IgnoreMany();

    private static readonly TextParser<IFormulaNode> Number = Lexeme(Span.Regex(@"[0-9]{1,15}(\.[0-9]{1,8})?").Named("number"))
        .Select(text => (IFormulaNode)new FormulaNumber(decimal.Parse(text.ToStringValue(), CultureInfo.InvariantCulture)));

    private static readonly TextParser<IFormulaNode> Kpi = Lexeme(Span.Regex(@"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+").Named("KPI key"))
        .Select(text => (IFormulaNode)new FormulaKpi(text.ToStringValue()));

    private static readonly TextParser<IFormulaNode> Call =
        from name in Lexeme(Span.Regex("(min|max|abs|round)(?![a-z0-9_.])").Named("min, max, abs or round"))
        from arguments in Parse.Ref(() => Sum!).ManyDelimitedBy(Symbol(',')).Between(Symbol('('), Symbol(')'))
        select (IFormulaNode)new FormulaCall(name.ToStringValue(), arguments);

    private static readonly TextParser<IFormulaNode> Factor =
        from signs in Lexeme(Character.In('-', '−')).Many()
        from value in Call.Try().Or(Kpi.Try()).Or(Number).Or(Parse.Ref(() => Sum!).Between(Symbol('('), Symbol(')')))
        select signs.Length % 2 == 0 ? value : new FormulaOperation('-', new FormulaNumber(0), value);

    private static readonly TextParser<IFormulaNode> Product = Parse.Chain(
        Lexeme(Character.In('*', '/', '×', '÷')), Factor, (sign, left, right) => new FormulaOperation(sign is '*' or '×' ? '*' : '/', left, right));

    private static readonly TextParser<IFormulaNode> Sum = Parse.Chain(
        Lexeme(Character.In('+', '-', '−')), Product, (sign, left, right) => new FormulaOperation(sign == '+' ? '+' : '-', left, right));

    private static readonly TextParser<IFormulaNode> Whole = Blank.IgnoreThen(Sum).AtEnd();

    private Formula(string text, IFormulaNode root)
    {
        (Text, Root) = (text, root);
        Uses = [.. Keys(root).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>As it was written, without blanks around it.</summary>
    public string Text { get; }

    /// <summary>The whole of it.</summary>
    public IFormulaNode Root { get; }

    /// <summary>Keys of the KPIs in it, each once, in the order in which they come.</summary>
    public IReadOnlyList<string> Uses { get; }

    /// <summary>Reads a formula, or says in a sentence why it is none.</summary>
    /// <returns>Exactly one of both is null.</returns>
    public static (Formula? Formula, string? Problem) Read(string? text)
    {
        text = text?.Trim() ?? "";
        if (text.Length is 0 or > MaxLength) return (null, $"The formula must have 1 to {MaxLength} characters.");
        var depth = 0;
        foreach (var sign in text)
        {
            depth += sign switch { '(' => 1, ')' => -1, _ => 0 };
            if (depth > MaxDepth) return (null, $"The formula has more than {MaxDepth} parentheses within each other.");
        }

        var result = Whole.TryParse(text);
        if (!result.HasValue)
        {
            var at = result.ErrorPosition.HasValue ? result.ErrorPosition.Absolute : text.Length;
            return (null, at >= text.Length
                ? "The formula ends too early: a number, a KPI key or a closing parenthesis is missing."
                : $"The formula cannot be read from character {at + 1} on, at '{Short(text[at..])}'. It may have + - * / ( ), numbers like 0.5, KPI keys, and min, max, abs and round.");
        }

        return Calls(result.Value).Select(Wrong).FirstOrDefault(wrong => wrong is not null) is { } problem ? (null, problem) : (new Formula(text, result.Value), null);
    }

    /// <summary>Computes it. Null where a KPI has no value, at a division by zero, and where a number would have more digits than a decimal holds.</summary>
    /// <param name="value">Value of a KPI by key.</param>
    public decimal? Evaluate(Func<string, decimal?> value)
    {
        try
        {
            return Compute(value);
        }
        catch (OverflowException)
        {
            return null;
        }
    }

    /// <summary>Computes it. Null where a KPI has no value, and at a division by zero.</summary>
    /// <param name="value">Value of a KPI by key.</param>
    /// <exception cref="OverflowException">A number would have more digits than a decimal holds: told apart from what has nothing to divide by.</exception>
    public decimal? Compute(Func<string, decimal?> value)
    {
        return Of(Root);

        decimal? Of(IFormulaNode node)
        {
            switch (node)
            {
                case FormulaNumber number: return number.Value;
                case FormulaKpi kpi: return value(kpi.Key);
                case FormulaOperation operation:
                    var (left, right) = (Of(operation.Left), Of(operation.Right));
                    return operation.Operator switch
                    {
                        '+' => left + right,
                        '-' => left - right,
                        '*' => left * right,
                        _ => KpiInputs.Divide(left, right),
                    };
                case FormulaCall call:
                    var values = new decimal[call.Arguments.Count];
                    for (var index = 0; index < values.Length; index++)
                    {
                        if (Of(call.Arguments[index]) is not { } argument) return null;
                        values[index] = argument;
                    }

                    return call.Function switch
                    {
                        "min" => values.Min(),
                        "max" => values.Max(),
                        "abs" => Math.Abs(values[0]),
                        _ => Math.Round(values[0], values.Length > 1 ? (int)values[1] : 0, MidpointRounding.AwayFromZero),
                    };
                default: throw new ArgumentOutOfRangeException(nameof(node), node, null);
            }
        }
    }

    /// <summary>Whether days of it add up to the range: sums, differences and multiples of KPIs that do. All else must be computed from the range as a whole.</summary>
    /// <param name="addsUp">Whether a KPI does.</param>
    public bool AddsUp(Func<string, bool> addsUp)
    {
        return Of(Root);

        bool Of(IFormulaNode node) => node switch
        {
            FormulaKpi kpi => addsUp(kpi.Key),
            FormulaOperation { Operator: '-', Left: FormulaNumber { Value: 0 } } negative => Of(negative.Right),
            FormulaOperation { Operator: '+' or '-' } operation => Of(operation.Left) && Of(operation.Right),
            FormulaOperation { Operator: '*' } operation => (Of(operation.Left) && IsConstant(operation.Right)) || (IsConstant(operation.Left) && Of(operation.Right)),
            FormulaOperation operation => Of(operation.Left) && IsConstant(operation.Right),
            _ => false,
        };
    }

    /// <summary>Why the units in it do not go together, or with the unit that it is to have; null when they do.</summary>
    /// <param name="unitOf">Unit of a KPI by key.</param>
    /// <param name="wanted">The unit that it is to have.</param>
    public string? WrongUnit(Func<string, KpiUnit> unitOf, KpiUnit wanted)
    {
        string? problem = null;
        var result = Of(Root);
        if (problem is not null || result is null) return problem;
        var (name, fits) = result.Value switch
        {
            { IsPlain: true } => ("a plain number", wanted is KpiUnit.Count or KpiUnit.Ratio or KpiUnit.Number or KpiUnit.Score),
            { Money: 1, IsMoney: true } => ("money", wanted == KpiUnit.Currency),
            { Seconds: 1, IsTime: true } => ("seconds", wanted == KpiUnit.Seconds),
            { Minutes: 1, IsTime: true } => ("minutes", wanted == KpiUnit.Minutes),
            { Milliseconds: 1, IsTime: true } => ("milliseconds", wanted == KpiUnit.Milliseconds),
            // Money an hour, hours an hour of work: there is no word for it.
            _ => ("a mixture of units", wanted == KpiUnit.Number || (wanted == KpiUnit.Currency && result.Value.Money == 1)),
        };
        return fits ? null : $"The formula gives {name}, which cannot be shown in the unit '{wanted.ToString().ToLowerInvariant()}'.";

        // Null: a constant, which fits anything.
        Dimension? Of(IFormulaNode node)
        {
            switch (node)
            {
                case FormulaKpi kpi: return Dimension.Of(unitOf(kpi.Key));
                case FormulaOperation { Operator: '*' or '/' } operation:
                    var (left, right) = (Of(operation.Left), Of(operation.Right));
                    if (left is null && right is null) return null;
                    return (left ?? default).Combine(right ?? default, operation.Operator == '*' ? 1 : -1);
                case FormulaOperation operation: return Same([operation.Left, operation.Right], operation.Operator == '+' ? "added" : "subtracted");
                case FormulaCall { Function: "round" or "abs" } call: return Of(call.Arguments[0]);
                case FormulaCall call: return Same(call.Arguments, "compared");
                default: return null;
            }
        }

        Dimension? Same(IReadOnlyList<IFormulaNode> nodes, string done)
        {
            Dimension? first = null;
            foreach (var node in nodes)
            {
                var dimension = Of(node);
                first ??= dimension;
                if (dimension is { } other && other != first)
                    problem ??= $"'{Short(Words(nodes[0]))}' and '{Short(Words(node))}' are of different units and cannot be {done}.";
            }

            return first;
        }
    }

    private static string? Wrong(FormulaCall call) => (call.Function, call.Arguments.Count) switch
    {
        ("abs", not 1) => "'abs' takes one value.",
        ("min" or "max", < 2 or > 10) => $"'{call.Function}' takes 2 to 10 values, separated by commas.",
        ("round", not (1 or 2)) => "'round' takes a value, and then the number of decimals.",
        ("round", 2) when call.Arguments[1] is not FormulaNumber { Value: 0 or 1 or 2 or 3 or 4 or 5 or 6 or 7 or 8 } => "'round' takes as its second value a number of decimals from 0 to 8.",
        _ => null,
    };

    private static bool IsConstant(IFormulaNode node) => !Keys(node).Any();

    private static IEnumerable<string> Keys(IFormulaNode node) => node switch
    {
        FormulaKpi kpi => [kpi.Key],
        FormulaOperation operation => Keys(operation.Left).Concat(Keys(operation.Right)),
        FormulaCall call => call.Arguments.SelectMany(Keys),
        _ => [],
    };

    private static IEnumerable<FormulaCall> Calls(IFormulaNode node) => node switch
    {
        FormulaOperation operation => Calls(operation.Left).Concat(Calls(operation.Right)),
        FormulaCall call => call.Arguments.SelectMany(Calls).Prepend(call),
        _ => [],
    };

    private static string Words(IFormulaNode node) => node switch
    {
        FormulaNumber number => number.Value.ToString(CultureInfo.InvariantCulture),
        FormulaKpi kpi => kpi.Key,
        FormulaOperation operation => $"{Words(operation.Left)} {operation.Operator} {Words(operation.Right)}",
        FormulaCall call => $"{call.Function}({string.Join(", ", call.Arguments.Select(Words))})",
        _ => throw new ArgumentOutOfRangeException(nameof(node), node, null),
    };

    private static string Short(string text) => text.Length <= 40 ? text : text[..40] + "…";

    private static TextParser<T> Lexeme<T>(TextParser<T> parser) => parser.Then(value => Blank.Value(value));

    private static TextParser<char> Symbol(char sign) => Lexeme(Character.EqualTo(sign));

    /// <summary>Powers of what a value is measured in; counts and ratios are plain numbers.</summary>
    private readonly record struct Dimension(int Money, int Seconds, int Minutes, int Milliseconds)
    {
        public bool IsPlain => this == default;

        public bool IsMoney => (Seconds, Minutes, Milliseconds) == default;

        public bool IsTime => Money == 0 && Math.Abs(Seconds) + Math.Abs(Minutes) + Math.Abs(Milliseconds) == 1;

        public static Dimension Of(KpiUnit unit) => unit switch
        {
            KpiUnit.Currency => new(1, 0, 0, 0),
            KpiUnit.Seconds => new(0, 1, 0, 0),
            KpiUnit.Minutes => new(0, 0, 1, 0),
            KpiUnit.Milliseconds => new(0, 0, 0, 1),
            _ => default,
        };

        public Dimension Combine(Dimension other, int power) =>
            new(Money + power * other.Money, Seconds + power * other.Seconds, Minutes + power * other.Minutes, Milliseconds + power * other.Milliseconds);
    }
}
