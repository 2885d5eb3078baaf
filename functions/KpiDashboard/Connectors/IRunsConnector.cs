namespace KpiDashboard.Connectors;

/// <summary>What only sources of automations have: single runs that can be looked at as they happen.</summary>
internal interface IRunsConnector : IConnector
{
    /// <summary>
    /// Asks what goes on now and what began of late: few requests, because a person is looking and the next look is near. Hands on
    /// executions only, and those from outside
    /// <see cref="FetchRequest.Window"/> as well.
    /// </summary>
    /// <param name="request">As for a fetch; its window is not looked at.</param>
    /// <param name="since">What began before is known, as far as it ended.</param>
    /// <param name="sink">Takes the executions.</param>
    /// <param name="cancellationToken">Ends it.</param>
    Task<LookOutcome> LookAsync(FetchRequest request, DateTimeOffset since, IFetchSink sink, CancellationToken cancellationToken);

    /// <summary>Asks why one run failed, and reads no more of the answer than that.</summary>
    Task<FailureAnswer> AskFailureAsync(FetchRequest request, string execution, CancellationToken cancellationToken);

    /// <summary>Where the source shows a run to its owner; null if nobody knows where it is.</summary>
    Uri? RunAddress(string? baseUrl, string workflow, string execution);
}

/// <summary>What a look saw.</summary>
/// <param name="Failure">Why nothing was seen; null if all is well.</param>
/// <param name="IsWhole">Every run that began since then is among what was handed on.</param>
internal sealed record LookOutcome(FetchOutcome? Failure, bool IsWhole);

/// <summary>Why a run failed.</summary>
/// <param name="Message">As the source says it: not masked yet. Null if it says nothing.</param>
/// <param name="Node">Where in the workflow; null if that was not said.</param>
/// <param name="Failure">Not null: nobody answered; ask again later.</param>
internal sealed record FailureAnswer(string? Message, string? Node, FetchOutcome? Failure);
