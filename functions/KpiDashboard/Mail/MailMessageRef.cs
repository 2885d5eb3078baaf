using System.Text.Json.Serialization;

namespace KpiDashboard.Mail;

/// <summary>The message on the queue <c>mail</c>: which entry of the outbox to send. Delivered at least once; a second one finds nothing to do.</summary>
/// <param name="V">Version of this contract; 1.</param>
/// <param name="Id">The entry.</param>
/// <param name="Traceparent">W3C trace context of whoever asked for the mail; null if there is none.</param>
public sealed record MailMessageRef(int V, Guid Id, string? Traceparent)
{
    /// <summary>The version that this build writes and reads.</summary>
    public const int CurrentVersion = 1;
}

/// <summary>A mail as every attempt sends it; sealed in the outbox.</summary>
internal sealed record StoredMail(string To, string ToName, string Subject, string Text, string Html);

// Case-insensitive as the queue trigger's own binding is: what it could run, the poison function must be able to read.
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, PropertyNameCaseInsensitive = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(MailMessageRef))]
[JsonSerializable(typeof(StoredMail))]
internal sealed partial class MailJson : JsonSerializerContext;
