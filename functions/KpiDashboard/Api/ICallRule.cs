namespace KpiDashboard.Api;

/// <summary>Who may call an operation.</summary>
internal enum Callers
{
    /// <summary>Anybody.</summary>
    Anybody,

    /// <summary>Who signed in, or has a token.</summary>
    Known,

    /// <summary>Who has the function key.</summary>
    Operators,
}

/// <summary>On a trigger method, beside <see cref="OperationAttribute"/>: who may call it, as far as the description of the API tells.</summary>
internal interface ICallRule
{
    /// <summary>Who may call it.</summary>
    Callers Callers { get; }

    /// <summary>A request may say which business it means.</summary>
    bool NamesBusiness { get; }

    /// <summary>It is about the person: a session need not say which business it means.</summary>
    bool Person { get; }

    /// <summary>A signature is accepted in place of a token.</summary>
    bool Signature { get; }
}
