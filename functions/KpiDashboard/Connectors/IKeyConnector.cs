using System.Text.Json;

namespace KpiDashboard.Connectors;

/// <summary>A connector that is connected by entering an address and a key; the others are connected by signing in at the provider.</summary>
internal interface IKeyConnector : IConnector
{
    /// <summary>
    /// Reads what a person entered. Adds a sentence to <paramref name="errors"/>, under <c>settings.baseUrl</c> or <c>credentials.apiKey</c>, for what cannot be right.
    /// Null exactly when there is one.
    /// </summary>
    KeyConnection? Read(string? baseUrl, string? apiKey, IDictionary<string, string[]> errors);
}

/// <summary>Settings and credentials as they are stored; the second is sealed first.</summary>
internal sealed record KeyConnection(JsonElement Settings, JsonElement Credentials);

/// <summary>Why a connection does not work.</summary>
/// <param name="Sentence">For the person who connects.</param>
/// <param name="Field">Which field to look at: <c>settings.baseUrl</c>, <c>credentials.apiKey</c>, <c>grant</c> or <c>propertyId</c>; null when no field helps, such as "asked too often".</param>
internal sealed record ConnectionProblem(string Sentence, string? Field)
{
    public const string Address = "settings.baseUrl", Key = "credentials.apiKey", Grant = "grant", Property = "propertyId";

    /// <summary>What an outcome says about a connection; null if it works.</summary>
    public static ConnectionProblem? Of(FetchOutcome outcome) => outcome switch
    {
        FetchSucceeded => null,
        AuthorizationLost lost => new(lost.Reason, Key),
        RequestRefused refused => new(refused.Reason, Address),
        ProviderDown down => new(down.Reason, Address),
        RateLimited limited => new($"{limited.Reason} Try again in a few minutes.", null),
        QuotaExhausted quota => new($"{quota.Reason} Try again later.", null),
        _ => throw new InvalidOperationException($"{outcome.GetType().Name} is an outcome that says nothing about a connection."),
    };
}

/// <summary>Takes readings and forgets them.</summary>
internal sealed class NoSink : IFetchSink
{
    public void Add(KpiReading reading) { }

    public void Add(BreakdownReading breakdown) { }

    public void Add(WorkflowReading workflow) { }

    public void Add(ExecutionReading execution) { }

    public void Add(RequestRecord request) { }
}
