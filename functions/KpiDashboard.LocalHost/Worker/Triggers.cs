using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Microsoft.Azure.Functions.Worker.Extensions.Abstractions
{
    /// <summary>Base of the attributes that tie a function to the outside.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    public abstract class BindingAttribute : Attribute;

    /// <summary>Base of the attributes that mark the parameter a function is started by.</summary>
    [AttributeUsage(AttributeTargets.Parameter)]
    public abstract class TriggerBindingAttribute : BindingAttribute;
}

namespace Microsoft.Azure.Functions.Worker
{
    /// <summary>Marks a public method as a function.</summary>
    /// <param name="name">Name of the function, unique in the app without regard to case.</param>
    [AttributeUsage(AttributeTargets.Method)]
#pragma warning disable CA1813 // The worker's class is not sealed either.
    public class FunctionAttribute(string name) : Attribute
#pragma warning restore CA1813
    {
        /// <summary>Name of the function.</summary>
        public string Name { get; } = name;
    }

    /// <summary>Which key an HTTP request must carry.</summary>
    public enum AuthorizationLevel
    {
        /// <summary>None.</summary>
        Anonymous = 0,

        /// <summary>A user token; the Functions host no longer implements it and LocalHost refuses to start with it.</summary>
        User = 1,

        /// <summary>A function key, a host key or the master key.</summary>
        Function = 2,

        /// <summary>A system key or the master key.</summary>
        System = 3,

        /// <summary>The master key.</summary>
        Admin = 4,
    }

    /// <summary>Marks the parameter that receives the HTTP request.</summary>
    public sealed class HttpTriggerAttribute : TriggerBindingAttribute
    {
        /// <summary>Any method, with a function key.</summary>
        public HttpTriggerAttribute() => AuthLevel = AuthorizationLevel.Function;

        /// <summary>The methods given. The host asks for a function key then, although <see cref="AuthLevel"/> reads as anonymous.</summary>
        /// <param name="methods">HTTP methods, any case.</param>
        public HttpTriggerAttribute(params string[] methods) => Methods = methods;

        /// <summary>Any method, with the key given.</summary>
        /// <param name="authLevel">The key that is needed.</param>
        public HttpTriggerAttribute(AuthorizationLevel authLevel) => AuthLevel = authLevel;

        /// <summary>The methods and the key given.</summary>
        /// <param name="authLevel">The key that is needed.</param>
        /// <param name="methods">HTTP methods, any case.</param>
        public HttpTriggerAttribute(AuthorizationLevel authLevel, params string[] methods)
        {
            AuthLevel = authLevel;
            Methods = methods;
        }

        /// <summary>Route template below the route prefix of <c>host.json</c>; the name of the function if null.</summary>
        public string? Route { get; set; }

        /// <summary>HTTP methods that reach the function; all if null.</summary>
        public string[]? Methods { get; private set; }

        /// <summary>The key that is needed.</summary>
        public AuthorizationLevel AuthLevel { get; private set; }
    }

    /// <summary>Marks the parameter of a function that runs on a schedule.</summary>
    public sealed class TimerTriggerAttribute : TriggerBindingAttribute
    {
        /// <summary>With the schedule given.</summary>
        /// <param name="schedule">Six-field NCRONTAB expression (seconds first), a <see cref="TimeSpan"/>, or <c>%Setting%</c> that holds one of them.</param>
        public TimerTriggerAttribute(string schedule)
        {
            Schedule = schedule;
            UseMonitor = true;
        }

        /// <summary>The expression as written.</summary>
        public string Schedule { get; private set; }

        /// <summary>Whether occurrences are recorded so that one missed during a downtime is made up for; never for schedules of less than a minute.</summary>
        public bool UseMonitor { get; set; }

        /// <summary>Whether the function also runs each time the app starts.</summary>
        public bool RunOnStartup { get; set; }
    }

    /// <summary>What a timer function is told about its schedule.</summary>
#pragma warning disable CA1515, CA1052
    public class TimerInfo
    {
        /// <summary>Last and next occurrence; null when the schedule is not monitored or the run was asked for by hand.</summary>
        public ScheduleStatus? ScheduleStatus { get; set; }

        /// <summary>Whether this run makes up for occurrences missed while the app was down.</summary>
        public bool IsPastDue { get; set; }
    }

    /// <summary>Recorded occurrences of a timer, in UTC.</summary>
    public class ScheduleStatus
    {
        /// <summary>When the timer last fired; <see cref="DateTime.MinValue"/> before the first time.</summary>
        public DateTime Last { get; set; }

        /// <summary>When the timer should fire next.</summary>
        public DateTime Next { get; set; }

        /// <summary>When this record was written.</summary>
        public DateTime LastUpdated { get; set; }
    }
#pragma warning restore CA1515, CA1052

    /// <summary>Marks the parameter that receives a message of a storage queue.</summary>
    /// <param name="queueName">Name of the queue, or <c>%Setting%</c>.</param>
    public sealed class QueueTriggerAttribute(string queueName) : TriggerBindingAttribute
    {
        /// <summary>Name of the queue as written.</summary>
        public string QueueName { get; } = queueName;

        /// <summary>Name of the setting with the storage connection; <c>AzureWebJobsStorage</c> if null.</summary>
        public string? Connection { get; set; }
    }
}
