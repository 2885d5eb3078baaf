using KpiDashboard.Api;
using KpiDashboard.Mail;
using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.Members;

internal static class MembersServices
{
    /// <summary>Registers the people of a business, and the demonstration that they may look at.</summary>
    public static IServiceCollection AddMembers(this IServiceCollection services)
    {
        services.AddEndpoint<DemoEndpoints>();
        services.AddEndpoint<MemberEndpoints>();
        services.AddSingleton<IMailKind, InvitationMail>();
        services.AddSingleton<IMailKind, OwnershipTransferredMail>();
        services.AddApiPart(MemberJson.Default, DemoJson.Default);
        return services;
    }
}
