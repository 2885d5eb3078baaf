using System.Text.Json.Serialization;
using KpiDashboard.Api;

namespace KpiDashboard.Sources;

/// <summary>How a business is doing technically.</summary>
[JsonConverter(typeof(SnakeCaseEnum<TenantHealth>))]
internal enum TenantHealth
{
    /// <summary>Every source is read on time.</summary>
    Ok,

    /// <summary>Something heals by itself or was paused.</summary>
    Attention,

    /// <summary>A person must act.</summary>
    Trouble,

    /// <summary>Nothing is connected yet.</summary>
    Empty,
}
