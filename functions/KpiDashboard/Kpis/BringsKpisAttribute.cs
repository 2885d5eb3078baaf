namespace KpiDashboard.Kpis;

/// <summary>What KPIs are about. Lists and dashboards show them in this order: money first.</summary>
internal enum KpiTopic
{
    /// <summary>What comes in and goes out.</summary>
    Money,

    /// <summary>Who comes, and what they do.</summary>
    Visitors,

    /// <summary>What is done without anybody's hands, and what that is worth.</summary>
    Automations,
}

/// <summary>KPIs that belong together, in their order.</summary>
internal interface IKpiList
{
    /// <summary>Each of them, hidden parts included.</summary>
    IReadOnlyList<KpiDefinition> All { get; }
}

/// <summary>That somebody brings KPIs.</summary>
internal interface IKpisBrought
{
    /// <summary>What they are about.</summary>
    KpiTopic Topic { get; }

    /// <summary>Who brings them.</summary>
    Type List { get; }

    /// <summary>The KPIs.</summary>
    IReadOnlyList<KpiDefinition> Kpis();
}

/// <summary>
/// Registers KPIs in the catalogue, from the folder of what reports them, so that no list names connectors:
/// <c>[assembly: BringsKpis&lt;ShopKpis&gt;(KpiTopic.Money)]</c>.
/// </summary>
/// <typeparam name="T">Who brings them.</typeparam>
/// <param name="topic">What they are about.</param>
[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
internal sealed class BringsKpisAttribute<T>(KpiTopic topic) : Attribute, IKpisBrought
    where T : IKpiList, new()
{
    /// <inheritdoc />
    public KpiTopic Topic => topic;

    /// <inheritdoc />
    public Type List => typeof(T);

    /// <inheritdoc />
    public IReadOnlyList<KpiDefinition> Kpis() => new T().All;
}
