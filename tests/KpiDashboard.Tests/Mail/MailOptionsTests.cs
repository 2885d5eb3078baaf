using KpiDashboard.Api;
using KpiDashboard.Mail;
using MailKit.Net.Smtp;
using Microsoft.Extensions.Configuration;
using MimeKit;
using Xunit;

namespace KpiDashboard.Tests.Mail;

public sealed class MailOptionsTests
{
    [Fact]
    public void Nothing_set_is_valid_and_means_that_nothing_is_sent()
    {
        var options = new MailOptions();
        Assert.Empty(Failures(options));
        Assert.False(options.IsConfigured);
    }

    [Theory]
    [InlineData("Mail:From", "smtp.example.com", "", "", "", "", "")]
    [InlineData("Mail:From", "", "", "", "", "", "not an address")]
    [InlineData("Mail:From", "", "", "", "", "", "Ada <ada@example.com>")]
    [InlineData("Mail:Host", "smtp://example.com", "", "", "", "", "kpi@example.com")]
    [InlineData("Mail:Port", "", "0", "", "", "", "")]
    [InlineData("Mail:Port", "", "smtp", "", "", "", "")]
    [InlineData("Mail:Security", "", "", "Ssl", "", "", "")]
    [InlineData("Mail:Security", "", "", "1", "", "", "")]
    [InlineData("Mail:Password", "smtp.example.com", "", "", "ada", "", "kpi@example.com")]
    [InlineData("Mail:Password", "smtp.example.com", "", "None", "ada", "secret", "kpi@example.com")]
    public void What_is_set_wrongly_is_named(string named, string host, string port, string security, string user, string password, string from)
    {
        var options = new MailOptions { Host = host, Port = port, Security = security.Length == 0 ? "Auto" : security, UserName = user, Password = password, From = from };
        Assert.Contains(named, Assert.Single(Failures(options)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("smtp.example.com", "", "auto", 587)]
    [InlineData("smtp.example.com", "", "Tls", 465)]
    [InlineData("smtp.example.com", "2525", "StartTls", 2525)]
    [InlineData("127.0.0.1", "25", "None", 25)]
    [InlineData("localhost", "", "None", 587)]
    public void A_server_with_its_password_is_taken_as_it_is_meant(string host, string port, string security, int expected)
    {
        var options = new MailOptions { Host = host, Port = port, Security = security, UserName = "ada", Password = "secret", From = "kpi@example.com" };
        Assert.Empty(Failures(options));
        Assert.Equal(expected, options.PortNumber);
    }

    [Theory]
    [InlineData("https://kpi.example.com", "https://kpi.example.com/verify-email#t")]
    [InlineData("https://kpi.example.com/app/", "https://kpi.example.com/app/verify-email#t")]
    [InlineData("http://localhost:7071", "http://localhost:7071/verify-email#t")]
    public void A_page_has_an_address_below_the_configured_one(string root, string expected) => Assert.Equal(expected, Address(root).Of("/verify-email#t").AbsoluteUri);

    [Theory]
    [InlineData("http://kpi.example.com")]
    [InlineData("https://kpi.example.com/?x")]
    [InlineData("https://user@kpi.example.com")]
    [InlineData("kpi.example.com")]
    public void An_address_that_must_not_be_mailed_is_refused_at_start(string root) => Assert.False(WebOptions.IsValid(new WebOptions { BaseUrl = root }));

    [Fact]
    public void Without_an_address_no_link_is_made() => Assert.Equal(503, Assert.Throws<ApiProblem>(() => Address("").Of("x")).Status);

    [Theory]
    [InlineData(550, SmtpErrorCode.RecipientNotAccepted, true)]
    [InlineData(554, SmtpErrorCode.MessageNotAccepted, true)]
    [InlineData(450, SmtpErrorCode.RecipientNotAccepted, false)]
    [InlineData(530, SmtpErrorCode.RecipientNotAccepted, false)]
    [InlineData(553, SmtpErrorCode.SenderNotAccepted, false)]
    [InlineData(554, SmtpErrorCode.UnexpectedStatusCode, false)]
    public void Only_a_refusal_of_the_recipient_or_of_the_mail_is_final_and_the_servers_words_are_not_repeated(int code, SmtpErrorCode what, bool final)
    {
        var delivery = SmtpTransport.Judge(new SmtpCommandException(what, (SmtpStatusCode)code, new MailboxAddress("", "ada@example.com"), "5.7.1 ada@example.com is not welcome"));
        Assert.Equal(final ? DeliveryOutcome.Refused : DeliveryOutcome.Later, delivery.Outcome);
        Assert.Contains($"({code}, 5.7.1)", delivery.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain("ada", delivery.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Attempts_grow_apart_and_end_after_three_days()
    {
        Assert.Equal(["00:00:10", "00:00:30", "00:02:00", "00:10:00", "01:00:00", "01:00:00"], Enumerable.Range(1, 6).Select(attempt => MailSender.DelayAfter(attempt).ToString()));
        var whole = Enumerable.Range(1, MailSender.MaxAttempts - 1).Aggregate(TimeSpan.Zero, (sum, attempt) => sum + MailSender.DelayAfter(attempt));
        Assert.InRange(whole, TimeSpan.FromHours(71), TimeSpan.FromHours(73));
    }

    private static WebAddress Address(string root) => new(new ConfigurationBuilder().AddInMemoryCollection([new("Web:BaseUrl", root)]).Build());

    private static IEnumerable<string> Failures(MailOptions options) => new MailOptionsValidator().Validate(null, options).Failures ?? [];
}
