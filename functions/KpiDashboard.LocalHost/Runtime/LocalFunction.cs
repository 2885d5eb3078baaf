using KpiDashboard.LocalHost.Worker.Messages;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>A function that the worker told of.</summary>
/// <param name="Metadata">What it told.</param>
/// <param name="Parameter">Name of the parameter with the trigger.</param>
/// <param name="Trigger">The trigger with its settings resolved.</param>
/// <param name="Disabled">Switched off by <c>AzureWebJobs.NAME.Disabled</c>.</param>
internal sealed record LocalFunction(RpcFunctionMetadata Metadata, string Parameter, FunctionTrigger Trigger, bool Disabled)
{
    public string Name => Metadata.Name;

    public string Id => Metadata.FunctionId;
}

/// <summary>A trigger with its settings resolved.</summary>
internal abstract record FunctionTrigger(string Type);

internal sealed record HttpTrigger(string Route, IReadOnlyList<string> Methods, KeyLevel Level) : FunctionTrigger("httpTrigger");

internal sealed record TimerTrigger(TimerSchedule Schedule, string Expression, bool Monitored, bool RunOnStartup) : FunctionTrigger("timerTrigger");

internal sealed record QueueTrigger(string Queue, string Connection) : FunctionTrigger("queueTrigger");

/// <summary>Which key a call needs, as the worker names it.</summary>
internal enum KeyLevel
{
    /// <summary>None.</summary>
    Anonymous,

    /// <summary>Keys of users, which there are none of.</summary>
    User,

    /// <summary>A host key, or the master key.</summary>
    Function,

    /// <summary>The master key.</summary>
    System,

    /// <summary>The master key.</summary>
    Admin,
}
