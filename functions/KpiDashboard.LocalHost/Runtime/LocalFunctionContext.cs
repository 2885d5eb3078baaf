using System.Collections;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>What came in and what goes out of an invocation.</summary>
internal sealed class FunctionBindings
{
    /// <summary>The trigger's value, by parameter name.</summary>
    public Dictionary<string, object?> InputData { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Further data of the trigger, as strings.</summary>
    public Dictionary<string, object?> TriggerMetadata { get; } = new(StringComparer.OrdinalIgnoreCase);

    public object? InvocationResult { get; set; }
}

/// <summary>One invocation; owns the scope its services come from.</summary>
internal sealed class LocalFunctionContext : FunctionContext, IAsyncDisposable
{
    private readonly IServiceScopeFactory _scopes;
    private readonly LocalBindingContext _bindingContext;
    private AsyncServiceScope? _scope;
    private IServiceProvider? _services;

    public LocalFunctionContext(LocalFunction function, FunctionBindings bindings, IServiceScopeFactory scopes, CancellationToken cancellationToken)
    {
        Function = function;
        Bindings = bindings;
        _scopes = scopes;
        _bindingContext = new LocalBindingContext(bindings.TriggerMetadata);
        CancellationToken = cancellationToken;
        Features.Set(bindings);
        Features.Set<FunctionDefinition>(function);
    }

    public LocalFunction Function { get; }

    public FunctionBindings Bindings { get; }

    public LocalTraceContext Trace { get; set; } = new("", "");

    public override string InvocationId { get; } = Guid.NewGuid().ToString();

    public override string FunctionId => Function.Id;

    public override TraceContext TraceContext => Trace;

    public override BindingContext BindingContext => _bindingContext;

    // Without a retry policy the worker has none either.
    public override RetryContext RetryContext => null!;

    public override FunctionDefinition FunctionDefinition => Function;

    public override IDictionary<object, object> Items { get; set; } = new Dictionary<object, object>();

    public override IInvocationFeatures Features { get; } = new InvocationFeatures();

    public override CancellationToken CancellationToken { get; }

    public override IServiceProvider InstanceServices
    {
        get
        {
            if (_services is null)
            {
                _scope = _scopes.CreateAsyncScope();
                _services = _scope.Value.ServiceProvider;
            }

            return _services;
        }
        set => _services = value;
    }

    public async ValueTask DisposeAsync()
    {
        if (_scope is { } scope)
            await scope.DisposeAsync();
        _scope = null;
        _services = null;
    }

    private sealed class LocalBindingContext(IReadOnlyDictionary<string, object?> data) : BindingContext
    {
        public override IReadOnlyDictionary<string, object?> BindingData => data;
    }

    private sealed class InvocationFeatures : IInvocationFeatures
    {
        private readonly Dictionary<Type, object> _features = [];

        public void Set<T>(T instance)
        {
            ArgumentNullException.ThrowIfNull(instance);
            _features[typeof(T)] = instance;
        }

        public T? Get<T>() => _features.TryGetValue(typeof(T), out object? feature) ? (T)feature : default;

        public IEnumerator<KeyValuePair<Type, object>> GetEnumerator() => _features.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}

internal sealed class LocalTraceContext(string traceParent, string traceState) : TraceContext
{
    public override string TraceParent => traceParent;

    public override string TraceState => traceState;
}

/// <summary>Holds the value as it was when asked for, as the worker's does: ask again after <c>next</c>.</summary>
internal sealed class LocalInvocationResult(FunctionBindings bindings) : InvocationResult
{
    private object? _value = bindings.InvocationResult;

    public override object? Value
    {
        get => _value;
        set => bindings.InvocationResult = _value = value;
    }
}

/// <inheritdoc cref="LocalInvocationResult"/>
internal sealed class LocalInvocationResult<T>(FunctionBindings bindings) : InvocationResult<T>
{
    private T? _value = (T?)bindings.InvocationResult;

    public override T? Value
    {
        get => _value;
        set => bindings.InvocationResult = _value = value;
    }
}
