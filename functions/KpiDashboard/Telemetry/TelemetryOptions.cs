namespace KpiDashboard.Telemetry;

/// <summary>What is told of the app's doings; section <c>Telemetry</c>. Where to is told by the settings that Azure and OpenTelemetry have for that.</summary>
internal sealed class TelemetryOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Telemetry";

    /// <summary>Setting of the host and of ours: the Application Insights resource. Empty: nothing goes there.</summary>
    public const string ConnectionStringKey = "APPLICATIONINSIGHTS_CONNECTION_STRING";

    /// <summary>Setting of the host and of ours: <c>Authorization=AAD;ClientId=…</c> to show an Entra token there; the resource refuses everything else if local authentication is off.</summary>
    public const string AuthenticationStringKey = "APPLICATIONINSIGHTS_AUTHENTICATION_STRING";

    /// <summary>Setting of OpenTelemetry: a collector. Empty: nothing goes there.</summary>
    public const string OtlpEndpointKey = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>Which part of the traces of API reads is exported, 0 to 1. Syncs, changes and whatever failed always are.</summary>
    public double ReadSamplingRatio { get; set; } = 0.1;

    /// <summary>
    /// 32 bytes or more in base64: the key that tenant ids are hashed with. Empty: telemetry names no tenant at all. Not to be rotated with the others: a new
    /// key makes every tenant a stranger to its own past.
    /// </summary>
    public string TenantKey { get; set; } = "";

    internal static bool RatioIsValid(TelemetryOptions options) => options.ReadSamplingRatio is >= 0 and <= 1;

    internal static bool KeyIsValid(TelemetryOptions options) =>
        options.TenantKey.Length == 0 || (Convert.TryFromBase64String(options.TenantKey, new byte[256], out var length) && length >= 32);
}
