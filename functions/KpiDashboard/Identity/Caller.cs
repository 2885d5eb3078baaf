using KpiDashboard.Api;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Identity;

/// <summary>Who makes a request, for which tenant.</summary>
/// <param name="TenantId">The tenant that the request acts in.</param>
/// <param name="UserId">The person; null for a machine.</param>
/// <param name="TokenId">The API or webhook token; null for a person.</param>
/// <param name="Role">Role of the person in the tenant (<c>owner</c>, <c>admin</c>, <c>member</c>, <c>viewer</c>) or <c>machine</c>.</param>
internal sealed record Caller(Guid TenantId, Guid? UserId, Guid? TokenId, string Role);

internal static class CallerExtensions
{
    /// <summary>The authenticated caller of this request.</summary>
    /// <exception cref="ApiProblem">401: the route takes no anonymous requests and none was let through by mistake.</exception>
    public static Caller Caller(this HttpRequest request) =>
        request.HttpContext.Features.Get<Caller>() ?? throw ApiProblem.Unauthorized("Sign in first, or send a token.");
}
