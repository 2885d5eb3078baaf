using System.Collections.Immutable;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Azure.Functions.Worker;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>A function that was found, and how to call it.</summary>
internal sealed class LocalFunction(
    string name,
    string entryPoint,
    MethodInfo method,
    ImmutableArray<FunctionParameter> parameters,
    FunctionParameter triggerParameter,
    FunctionTrigger trigger,
    bool disabled) : FunctionDefinition
{
    public override string Name => name;

    public override string EntryPoint => entryPoint;

    public override ImmutableArray<FunctionParameter> Parameters => parameters;

    public override string PathToAssembly => method.DeclaringType!.Assembly.Location;

    public override string Id { get; } = new Guid(SHA256.HashData(Encoding.UTF8.GetBytes(name.ToUpperInvariant())).AsSpan(0, 16)).ToString("N");

    public override IImmutableDictionary<string, BindingMetadata> InputBindings { get; } =
        ImmutableDictionary<string, BindingMetadata>.Empty.Add(triggerParameter.Name, new LocalBinding(triggerParameter.Name, trigger.Type, BindingDirection.In));

    public override IImmutableDictionary<string, BindingMetadata> OutputBindings { get; } =
        trigger is HttpTrigger && method.ReturnType != typeof(void) && method.ReturnType != typeof(Task) && method.ReturnType != typeof(ValueTask)
            ? ImmutableDictionary<string, BindingMetadata>.Empty.Add("$return", new LocalBinding("$return", "http", BindingDirection.Out))
            : ImmutableDictionary<string, BindingMetadata>.Empty;

    public MethodInfo Method => method;

    /// <summary>The parameter with the trigger attribute.</summary>
    public FunctionParameter TriggerParameter => triggerParameter;

    public FunctionTrigger Trigger => trigger;

    /// <summary>Switched off by <c>AzureWebJobs.NAME.Disabled</c>.</summary>
    public bool Disabled => disabled;
}

/// <summary>A trigger with its settings resolved.</summary>
internal abstract record FunctionTrigger(string Type);

internal sealed record HttpTrigger(string Route, IReadOnlyList<string> Methods, AuthorizationLevel Level) : FunctionTrigger("httpTrigger");

internal sealed record TimerTrigger(TimerSchedule Schedule, string Expression, bool Monitored, bool RunOnStartup) : FunctionTrigger("timerTrigger");

internal sealed record QueueTrigger(string Queue, string Connection) : FunctionTrigger("queueTrigger");

internal sealed class LocalBinding(string name, string type, BindingDirection direction) : BindingMetadata
{
    public override string Name => name;

    public override string Type => type;

    public override BindingDirection Direction => direction;
}
