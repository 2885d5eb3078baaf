using System.Globalization;
using OpenTelemetry;
using OpenTelemetry.Logs;

namespace KpiDashboard.Telemetry;

/// <summary>Stands before the exporters and sees every log entry: a tenant becomes its hash, and <see cref="Mask"/> is put over every text.</summary>
internal sealed class LogGuard(TenantHash tenants) : BaseProcessor<LogRecord>
{
    /// <inheritdoc />
    public override void OnEnd(LogRecord data)
    {
        var text = data.FormattedMessage;
        if (data.Attributes is { Count: > 0 } attributes)
        {
            var guarded = new KeyValuePair<string, object?>[attributes.Count];
            for (var at = 0; at < guarded.Length; at++)
            {
                var (key, value) = (attributes[at].Key, attributes[at].Value);
                if (key is "Tenant" or "TenantId" && value is Guid tenant)
                {
                    var hash = tenants.Of(tenant) ?? "…";
                    text = text?.Replace(tenant.ToString("D", CultureInfo.InvariantCulture), hash, StringComparison.OrdinalIgnoreCase);
                    value = hash;
                }
                else if (value is string words)
                {
                    value = Mask.Of(words);
                }

                guarded[at] = new(key, value);
            }

            data.Attributes = guarded;
        }

        data.FormattedMessage = text is null ? null : Mask.Of(text);
        if (data.Exception is { } error && error.ToString() is var whole && Mask.Of(whole) is var masked && masked != whole) data.Exception = new MaskedException(error, masked);
    }

    /// <summary>An exception whose text held something that must not leave.</summary>
    private sealed class MaskedException(Exception error, string masked) : Exception($"{error.GetType().FullName}: {Mask.Of(error.Message)}")
    {
        /// <inheritdoc />
        public override string? StackTrace => error.StackTrace;

        /// <inheritdoc />
        public override string ToString() => masked;
    }
}
