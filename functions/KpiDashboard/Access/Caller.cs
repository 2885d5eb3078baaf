using KpiDashboard.Api;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Access;

/// <summary>Who makes a request, for which tenant.</summary>
/// <param name="TenantId">The tenant that the request acts in.</param>
/// <param name="UserId">The person; null for a machine.</param>
/// <param name="SessionId">The person's session; null for a machine.</param>
/// <param name="TokenId">The API or webhook token; null for a person.</param>
/// <param name="Role">Role of the person in the tenant (<c>owner</c>, <c>admin</c>, <c>member</c>, <c>viewer</c>), as it is at this moment, or <c>machine</c>.</param>
/// <param name="Name">E-mail address of the person or name of the token, for the audit log.</param>
/// <param name="EmailVerified">The person proved that the address is its own.</param>
internal sealed record Caller(Guid TenantId, Guid? UserId, Guid? SessionId, Guid? TokenId, string Role, string Name, bool EmailVerified = true)
{
    /// <summary>The person; a machine is refused.</summary>
    /// <exception cref="ApiProblem">403: a token is nobody's session.</exception>
    public Guid Person => UserId ?? throw ApiProblem.Forbidden("A token belongs to a business and not to a person; sign in for this.");
}

internal static class CallerExtensions
{
    /// <summary>The authenticated caller of this request.</summary>
    /// <exception cref="ApiProblem">401: the route takes no anonymous requests and none was let through by mistake.</exception>
    public static Caller Caller(this HttpRequest request) =>
        request.HttpContext.Features.Get<Caller>() ?? throw ApiProblem.Unauthorized("Sign in first, or send a token.");
}
