using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Mail;
using Microsoft.Extensions.DependencyInjection;

[assembly: Grant(
    Permission.ManageMembers,
    "Invite people, change their roles, deactivate and remove them (owners: only an owner)", From = "admin")]

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
        services.AddTables(
            OwnedTable.OfTenant("invitations")
                .Without("token_hash", "The hash of an invitation's link."));
        services.AddApiPart(MemberJson.Default, DemoJson.Default);
        return services;
    }
}
