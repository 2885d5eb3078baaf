namespace KpiDashboard.Connectors.N8n;

/// <summary>Section <c>N8n</c>. Defaults fit every installation; tests make pages and message sizes small.</summary>
internal sealed class N8nOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "N8n";

    /// <summary>Executions asked for at a time; n8n gives at most 250.</summary>
    public int PageSize { get; set; } = 250;

    /// <summary>Pages of executions read in one fetch; the rest goes on from a checkpoint.</summary>
    public int MaxPagesPerFetch { get; set; } = 20;

    /// <summary>Longest wait for one answer, in seconds.</summary>
    public int TimeoutSeconds { get; set; } = 30;
}
