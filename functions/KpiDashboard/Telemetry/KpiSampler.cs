using System.Diagnostics;
using System.Reflection;
using KpiDashboard.Api;
using Microsoft.Extensions.Options;
using OpenTelemetry.Trace;

namespace KpiDashboard.Telemetry;

/// <summary>
/// Which traces are exported: those of timers, queues, syncs and changes all, of API reads a part, of health checks none. What is not exported is recorded all
/// the same, so that <see cref="SpanGuard"/> can export what fails. Decides where work enters the app and by the trace's id, not by what a caller says:
/// nobody outside switches our telemetry on or off.
/// </summary>
internal sealed class KpiSampler : Sampler
{
    /// <summary>How spans of functions begin, in the worker (schema 1.37) and in LocalHost.</summary>
    private const string FunctionPrefix = "function ";

    /// <summary>On a span that is not sampled although its caller's is: .NET would let it inherit the caller's flag, so <see cref="SpanGuard"/> takes that off.</summary>
    internal const string UnsampledTag = "kpi.unsampled";

    private static readonly SamplingResult Unsampled = new(SamplingDecision.RecordOnly, [new(UnsampledTag, true)]);

    private readonly TraceIdRatioBasedSampler _ratio;
    private readonly SamplingResult _read;
    private readonly HashSet<string> _reads, _checks;

    public KpiSampler(IOptions<TelemetryOptions> options, TriggerAssembly triggers)
    {
        var ratio = options.Value.ReadSamplingRatio;
        _ratio = new TraceIdRatioBasedSampler(ratio);
        // Application Insights then knows how many each exported one stands for.
        _read = new SamplingResult(SamplingDecision.RecordAndSample, [new("microsoft.sample_rate", (float)(ratio * 100))]);
        var gets = OpenApiDocument.Operations(triggers.Assembly).Where(operation => operation.Verbs is ["get"]).ToLookup(operation => operation.Route.StartsWith("health/", StringComparison.Ordinal), operation => NameOf(operation.Method));
        (_checks, _reads) = (gets[true].ToHashSet(StringComparer.Ordinal), gets[false].ToHashSet(StringComparer.Ordinal));
    }

    /// <inheritdoc />
    public override SamplingResult ShouldSample(in SamplingParameters samplingParameters)
    {
        var name = samplingParameters.Name;
        if (name.StartsWith(FunctionPrefix, StringComparison.Ordinal))
        {
            var function = name[FunctionPrefix.Length..];
            if (_checks.Contains(function)) return Unsampled;
            if (_reads.Contains(function)) return _ratio.ShouldSample(samplingParameters).Decision == SamplingDecision.RecordAndSample ? _read : Unsampled;
            return new SamplingResult(SamplingDecision.RecordAndSample);
        }

        // What goes on with a message: its parent is whatever that carries.
        if (samplingParameters.Kind == ActivityKind.Consumer) return new SamplingResult(SamplingDecision.RecordAndSample);
        return new SamplingResult(
            (samplingParameters.ParentContext.TraceFlags & ActivityTraceFlags.Recorded) != 0 ? SamplingDecision.RecordAndSample : SamplingDecision.RecordOnly);
    }

    /// <summary>The attribute is the worker's, which this library does not know: read by name.</summary>
    private static string NameOf(MethodInfo method)
    {
        var function = method.GetCustomAttributes().Single(attribute => attribute.GetType().Name == "FunctionAttribute");
        return (string)function.GetType().GetProperty("Name")!.GetValue(function)!;
    }
}
