using KpiDashboard.LocalHost.Runtime;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>HTTP side of an invocation.</summary>
public static class FunctionContextExtensions
{
    /// <summary>
    /// The request of an HTTP function; null for other functions, and in middleware that was registered before <c>ConfigureFunctionsWebApplication()</c>.
    /// </summary>
    /// <param name="context">The invocation.</param>
    public static HttpContext? GetHttpContext(this FunctionContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Items.TryGetValue(HttpIntegration.HttpContextKey, out object? value) ? value as HttpContext : null;
    }
}

/// <summary>Results of an invocation.</summary>
public static class FunctionContextBindingFeatureExtensions
{
    /// <summary>The result of the function, to read after it ran or to replace.</summary>
    /// <param name="context">The invocation.</param>
    public static InvocationResult GetInvocationResult(this FunctionContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new LocalInvocationResult(Bindings(context));
    }

    /// <summary>The result of the function as a <typeparamref name="T"/>.</summary>
    /// <typeparam name="T">Type of the result.</typeparam>
    /// <param name="context">The invocation.</param>
    /// <exception cref="InvalidOperationException">The result is of another type.</exception>
    public static InvocationResult<T> GetInvocationResult<T>(this FunctionContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        FunctionBindings bindings = Bindings(context);
        return bindings.InvocationResult is T
            ? new LocalInvocationResult<T>(bindings)
            : throw new InvalidOperationException($"The invocation result is a {bindings.InvocationResult?.GetType().ToString() ?? "null"}, not a {typeof(T)}.");
    }

    private static FunctionBindings Bindings(FunctionContext context) =>
        context.Features.Get<FunctionBindings>() ?? throw new InvalidOperationException($"No feature of type {typeof(FunctionBindings)} is registered.");
}

/// <summary>Loggers for an invocation.</summary>
public static class FunctionContextLoggerExtensions
{
    /// <summary>A logger named after a type.</summary>
    /// <typeparam name="T">The type.</typeparam>
    /// <param name="context">The invocation.</param>
    public static ILogger<T> GetLogger<T>(this FunctionContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.InstanceServices.GetRequiredService<ILogger<T>>();
    }

    /// <summary>A logger with a name.</summary>
    /// <param name="context">The invocation.</param>
    /// <param name="categoryName">The name.</param>
    public static ILogger GetLogger(this FunctionContext context, string categoryName)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.InstanceServices.GetRequiredService<ILoggerFactory>().CreateLogger(categoryName);
    }
}

/// <summary>The result of an invocation.</summary>
public abstract class InvocationResult : InvocationResult<object>;

/// <summary>The result of an invocation.</summary>
/// <typeparam name="T">Its type.</typeparam>
public abstract class InvocationResult<T>
{
    /// <summary>The result. For HTTP an <see cref="IResult"/> or an MVC action result is written to the response; anything else is not.</summary>
    public abstract T? Value { get; set; }
}
