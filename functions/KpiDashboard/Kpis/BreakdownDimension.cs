using System.Text.Json;
using System.Text.Json.Serialization;
using KpiDashboard.Api;

namespace KpiDashboard.Kpis;

/// <summary>By what visits are divided.</summary>
[JsonConverter(typeof(SnakeCaseEnum<BreakdownDimension>))]
internal enum BreakdownDimension
{
    /// <summary>How a visit came: Organic Search, Direct, Email …</summary>
    Channel,

    /// <summary>What it was made with: desktop, mobile, tablet.</summary>
    Device,

    /// <summary>Where from.</summary>
    Country,

    /// <summary>The page that it began on, without its query.</summary>
    LandingPage,
}

/// <summary>Which numbers are divided, and by what.</summary>
internal static class Breakdowns
{
    /// <summary>Values of a dimension that are kept of a day, those with most visits; the others are not told apart.</summary>
    public const int MostPerDay = 50;

    /// <summary>All dimensions, in the order of the page.</summary>
    public static IReadOnlyList<BreakdownDimension> Dimensions { get; } = Enum.GetValues<BreakdownDimension>();

    /// <summary>Their names in the API and in the database.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Dimensions.Select(NameOf)];

    /// <summary>A dimension's name in the API and in the database.</summary>
    public static string NameOf(BreakdownDimension dimension) => JsonNamingPolicy.SnakeCaseLower.ConvertName(dimension.ToString());

    /// <summary>
    /// By what a KPI can be divided: all of its parts must be. Users cannot, because one person counts under several values; and what a business calculates itself cannot,
    /// because a formula with a constant in it makes no sense of a part.
    /// </summary>
    public static IReadOnlyList<BreakdownDimension> Of(KpiDefinition kpi) =>
        ReferenceEquals(KpiCatalogue.Find(kpi.Key), kpi) && kpi.Parts.All(part => KpiCatalogue.Part(part).IsDivided) ? Dimensions : [];
}
