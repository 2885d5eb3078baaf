using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.DependencyInjection;

#pragma warning disable CA1711 // Names are the worker's.
namespace Microsoft.Azure.Functions.Worker.Middleware
{
    /// <summary>The rest of the invocation pipeline.</summary>
    /// <param name="context">The invocation.</param>
    public delegate Task FunctionExecutionDelegate(FunctionContext context);

    /// <summary>Middleware around every function, whatever its trigger.</summary>
    public interface IFunctionsWorkerMiddleware
    {
        /// <summary>Runs around <paramref name="next"/>.</summary>
        /// <param name="context">The invocation.</param>
        /// <param name="next">The rest of the pipeline.</param>
        Task Invoke(FunctionContext context, FunctionExecutionDelegate next);
    }
}

namespace Microsoft.Azure.Functions.Worker
{
    /// <summary>Builds the invocation pipeline.</summary>
    public interface IFunctionsWorkerApplicationBuilder
    {
        /// <summary>Services of the app.</summary>
        IServiceCollection Services { get; }

        /// <summary>Adds middleware behind what was added before.</summary>
        /// <param name="middleware">Makes the delegate from the next one.</param>
        IFunctionsWorkerApplicationBuilder Use(Func<FunctionExecutionDelegate, FunctionExecutionDelegate> middleware);
    }
}

namespace Microsoft.Extensions.Hosting
{
    /// <summary>Ways to add middleware.</summary>
    public static class MiddlewareWorkerApplicationBuilderExtensions
    {
        /// <summary>Adds middleware of a type, one instance for all invocations.</summary>
        /// <typeparam name="T">The middleware.</typeparam>
        /// <param name="builder">The pipeline.</param>
        public static IFunctionsWorkerApplicationBuilder UseMiddleware<T>(this IFunctionsWorkerApplicationBuilder builder)
            where T : class, IFunctionsWorkerMiddleware
        {
            ArgumentNullException.ThrowIfNull(builder);
            builder.Services.AddSingleton<T>();
            return builder.Use(next => context => Invoke<T>(context, next));
        }

        /// <summary>Adds middleware of a type for the invocations that satisfy a condition.</summary>
        /// <typeparam name="T">The middleware.</typeparam>
        /// <param name="builder">The pipeline.</param>
        /// <param name="predicate">The condition.</param>
        public static IFunctionsWorkerApplicationBuilder UseWhen<T>(
            this IFunctionsWorkerApplicationBuilder builder, Func<FunctionContext, bool> predicate)
            where T : class, IFunctionsWorkerMiddleware
        {
            ArgumentNullException.ThrowIfNull(builder);
            ArgumentNullException.ThrowIfNull(predicate);
            builder.Services.AddSingleton<T>();
            return builder.Use(next => context => predicate(context) ? Invoke<T>(context, next) : next(context));
        }

        /// <summary>Adds inline middleware.</summary>
        /// <param name="builder">The pipeline.</param>
        /// <param name="middleware">Runs around its second argument.</param>
        public static IFunctionsWorkerApplicationBuilder UseMiddleware(
            this IFunctionsWorkerApplicationBuilder builder, Func<FunctionContext, Func<Task>, Task> middleware)
        {
            ArgumentNullException.ThrowIfNull(builder);
            ArgumentNullException.ThrowIfNull(middleware);
            return builder.Use(next => context => middleware(context, () => next(context)));
        }

        /// <summary>Adds inline middleware for the invocations that satisfy a condition.</summary>
        /// <param name="builder">The pipeline.</param>
        /// <param name="predicate">The condition.</param>
        /// <param name="middleware">Runs around its second argument.</param>
        public static IFunctionsWorkerApplicationBuilder UseWhen(
            this IFunctionsWorkerApplicationBuilder builder, Func<FunctionContext, bool> predicate, Func<FunctionContext, Func<Task>, Task> middleware)
        {
            ArgumentNullException.ThrowIfNull(builder);
            ArgumentNullException.ThrowIfNull(predicate);
            ArgumentNullException.ThrowIfNull(middleware);
            return builder.Use(next => context => predicate(context) ? middleware(context, () => next(context)) : next(context));
        }

        private static Task Invoke<T>(FunctionContext context, FunctionExecutionDelegate next)
            where T : class, IFunctionsWorkerMiddleware =>
            context.InstanceServices.GetRequiredService<T>().Invoke(context, next);
    }
}
#pragma warning restore CA1711
