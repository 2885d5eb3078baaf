using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Security;
using Microsoft.Extensions.DependencyInjection;
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
        services.AddSingleton<SmtpTransport>();
        services.AddSingleton<MailOutbox>();
        services.AddEndpoint<MailSender>();
        services.AddSingleton(new WatchedQueues(new WatchedQueue(MailOutbox.Queue, IsInDatabase: true)));
        services.AddSingleton(new SealedColumn("mail_outbox.payload", MailOutbox.PurposeOf));
        services.AddHousekeeping("mails", (provider, token) => provider.GetRequiredService<MailOutbox>().PurgeAsync(
            provider.GetRequiredService<TimeProvider>().GetUtcNow() - MailOutbox.KeepFinished, token));
        return services;
    }
}
