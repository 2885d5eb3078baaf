using System.Text.Json;
using System.Text.Json.Serialization;

namespace KpiDashboard.Api;

/// <summary>Enumerations travel as <c>snake_case</c> words.</summary>
internal sealed class SnakeCaseEnum<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
    where T : struct, Enum;
