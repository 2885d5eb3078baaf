using KpiDashboard.Api;
using KpiDashboard.Data;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace KpiDashboard.Mail;

internal static class MailServices
{
    /// <summary>Registers the outbox and what empties it. Slices add their <see cref="IMailKind"/>s themselves.</summary>
    public static IServiceCollection AddMail(this IServiceCollection services)
    {
        services.AddOptions<WebOptions>().BindConfiguration("Web")
            .Validate(WebOptions.IsValid, "Web:BaseUrl must be the https address of the web page (http for this machine only), for example https://kpi.example.com.").ValidateOnStart();
        services.AddOptions<MailOptions>().BindConfiguration(MailOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<MailOptions>, MailOptionsValidator>();
        services.AddSingleton<WebAddress>();
        services.TryAddSingleton<StorageQueues>();
        services.AddSingleton<SmtpTransport>();
        services.AddSingleton<MailOutbox>();
        services.AddEndpoint<MailSender>();
        return services;
    }
}
