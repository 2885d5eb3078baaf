using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Privacy;

/// <summary>Data protection: everything out, everything gone; for a business and for a person.</summary>
public sealed class PrivacyEndpoints
{
    internal PrivacyEndpoints() { }

    /// <summary><c>POST tenant/exports</c>.</summary>
    public Task<IResult> StartExportAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>GET tenant/exports</c>.</summary>
    public Task<IResult> ListExportsAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>GET tenant/exports/{id}</c>.</summary>
    public Task<IResult> ExportAsync(HttpRequest request, string id, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>GET tenant/exports/{id}/download</c>.</summary>
    public Task<IResult> DownloadAsync(HttpRequest request, string id, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>POST tenant/deletion</c>.</summary>
    public Task<IResult> RequestDeletionAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>DELETE tenant/deletion</c>.</summary>
    public Task<IResult> CancelDeletionAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>GET auth/me/export</c>.</summary>
    public Task<IResult> ExportMeAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary><c>DELETE auth/me</c>.</summary>
    public Task<IResult> EraseMeAsync(HttpRequest request, CancellationToken cancellationToken) => throw new NotImplementedException();
}

/// <summary>The exports of the business, newest first.</summary>
internal sealed record ExportsResponse(IReadOnlyList<ExportEntry> Exports);

/// <summary>An export of everything: <c>done</c> of <c>total</c> tables are written. It can be downloaded until <c>expiresAt</c>.</summary>
internal sealed record ExportEntry(
    Guid Id, [property: System.ComponentModel.DataAnnotations.AllowedValues("queued", "running", "succeeded", "failed")] string Status, int Done, int Total, long? Bytes,
    string? RequestedBy, DateTimeOffset CreatedAt, DateTimeOffset? FinishedAt, DateTimeOffset? ExpiresAt, string? Message);

/// <summary>Delete the business; its name, typed, so that it is not done by mistake.</summary>
internal sealed record DeleteTenantRequest(string Name);

/// <summary>When the business will be gone for good; until then an owner can undo it.</summary>
internal sealed record DeleteTenantResponse(DateTimeOffset DeleteAfter);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(ExportsResponse))]
[JsonSerializable(typeof(ExportEntry))]
[JsonSerializable(typeof(DeleteTenantRequest))]
[JsonSerializable(typeof(DeleteTenantResponse))]
internal sealed partial class PrivacyJson : JsonSerializerContext;
