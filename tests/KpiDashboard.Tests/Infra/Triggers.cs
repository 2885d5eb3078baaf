using System.Reflection;
using KpiDashboard.Functions;
using Microsoft.Azure.Functions.Worker;

namespace KpiDashboard.Tests.Infra;

/// <summary>What the triggers of the function app ask of the platform.</summary>
internal static class Triggers
{
    private static readonly ParameterInfo[] Parameters =
    [
        .. typeof(App).Assembly.GetTypes().SelectMany(type => type.GetMethods()).Where(method => method.IsDefined(typeof(FunctionAttribute))).SelectMany(method => method.GetParameters()),
    ];

    /// <summary>Queues that are read, poison queues among them.</summary>
    public static IReadOnlyList<string> Queues { get; } = [.. Parameters.Select(parameter => parameter.GetCustomAttribute<QueueTriggerAttribute>()?.QueueName).OfType<string>()];

    /// <summary>Scale groups on Flex Consumption: all HTTP functions together, each queue function, each timer.</summary>
    public static int ScaleGroups { get; } = 1 + Queues.Count + Parameters.Count(parameter => parameter.IsDefined(typeof(TimerTriggerAttribute)));
}
