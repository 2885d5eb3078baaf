using KpiDashboard.Mail;
using Xunit;

namespace KpiDashboard.Tests.Mail;

public sealed class MailRendererTests
{
    private static readonly MailBody Body = new(
        "Hello Ada,", ["You asked for a new password.", "Choose it within one hour."],
        new MailAction("Choose a password", new Uri("https://kpi.example.com/reset-password?a=1&b=2#token=x_y-z")), "If you did not ask, do nothing.");

    [Fact]
    public void The_plain_text_says_everything_in_order_and_spells_the_link_out() => Assert.Equal(
        """
        Hello Ada,

        You asked for a new password.

        Choose it within one hour.

        Choose a password:
        https://kpi.example.com/reset-password?a=1&b=2#token=x_y-z

        If you did not ask, do nothing.

        --·
        KPI Dashboard

        """.Replace('·', ' '), MailRenderer.Text(Body));

    [Fact]
    public void The_HTML_says_the_same_with_a_button_and_the_link_spelled_out()
    {
        var html = MailRenderer.Html("A new password", Body);
        foreach (var text in (string[])["Hello Ada,", "You asked for a new password.", "Choose it within one hour.", ">Choose a password</a>", "If you did not ask, do nothing.", "<title>A new password</title>"])
            Assert.Contains(text, html, StringComparison.Ordinal);
        const string Link = "https://kpi.example.com/reset-password?a=1&amp;b=2#token=x_y-z";
        Assert.Equal(2, html.Split($"href=\"{Link}\"").Length - 1);
        Assert.Contains($">{Link}</a>", html, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;")]
    [InlineData("\" onmouseover=\"x", "&quot; onmouseover=&quot;x")]
    [InlineData("Müller & Söhne", "M&#252;ller &amp; S&#246;hne")]
    [InlineData("one\r\ntwo", "one<br>two")]
    public void Text_stays_text_wherever_it_stands(string text, string encoded)
    {
        var html = MailRenderer.Html(text, new MailBody(text, [text], new MailAction(text, new Uri("https://kpi.example.com/")), text));
        Assert.Equal(5, html.Split(encoded).Length - 1);
        Assert.DoesNotContain("<script", html, StringComparison.Ordinal);
        Assert.DoesNotContain(text, html, StringComparison.Ordinal);
    }

    [Fact]
    public void A_mail_needs_no_more_than_a_paragraph()
    {
        var body = new MailBody(null, ["One."]);
        Assert.Equal("One.\n\n-- \nKPI Dashboard\n", MailRenderer.Text(body));
        Assert.DoesNotContain("href", MailRenderer.Html("S", body), StringComparison.Ordinal);
    }

    [Fact]
    public void The_HTML_loads_nothing_and_turns_dark_where_that_is_understood()
    {
        var html = MailRenderer.Html("S", Body);
        Assert.Contains("prefers-color-scheme: dark", html, StringComparison.Ordinal);
        Assert.Contains("<meta name=\"color-scheme\" content=\"light dark\">", html, StringComparison.Ordinal);
        foreach (var loading in (string[])["<img", "<link", "url(", "@import", "<table"])
            Assert.DoesNotContain(loading, html, StringComparison.OrdinalIgnoreCase);
    }
}
