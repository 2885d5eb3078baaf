using FsCheck.Xunit;
using KpiDashboard.Security;
using KpiDashboard.Mail;
using KpiDashboard.Tenancy;
using Xunit;

namespace KpiDashboard.Tests.Security;

/// <summary>Names: at the door, and where they stand in a mail to somebody else.</summary>
public sealed class PlainTextTests
{
    [Theory]
    [InlineData("\u202Egnp.exe")]
    [InlineData("Shop\u202A")]
    [InlineData("Sh\u2066op\u2069")]
    [InlineData("Sh\u200Bop")]
    [InlineData("Sh\u200Dop")]
    [InlineData("Sh\u200Cop")]
    [InlineData("Shop\uFEFF")]
    [InlineData("S\u00ADhop")]
    [InlineData("Shop\u200E")]
    [InlineData("Shop\u061C")]
    [InlineData("Sh\u2060op")]
    [InlineData("Shop\u2028Bcc: x")]
    [InlineData("Sh\u2029op")]
    [InlineData("\u3164")]
    [InlineData("\u2800\u2800")]
    [InlineData("Shop\U000E0041")]
    [InlineData("Shop\U000E0101")]
    [InlineData("Shop\uFFFE")]
    [InlineData("Shop\uFE0F")]
    public void What_cannot_be_seen_or_turns_the_text_around_is_refused_at_the_door_and_gone_from_mails(string name)
    {
        Assert.NotNull(PlainText.Fault("name", name, 60));
        var errors = new Dictionary<string, string[]>();
        TenantRules.Name(errors, "businessName", name);
        Assert.StartsWith("'businessName'", errors["businessName"][0], StringComparison.Ordinal);
        var clean = PlainText.Clean(name);
        Assert.True(clean.Trim().Length == 0 || PlainText.Fault("name", clean, 60) is null, clean);
        Assert.Equal(clean, PlainText.Clean(clean));
        Assert.DoesNotContain(MailText.Outside(name), sign => char.IsControl(sign) || sign is '\u202E' or '\u2028' or '\u200B');
    }

    [Fact]
    public void Half_a_character_is_none()
    {
        foreach (var name in new[] { "Shop\ud800", "\udc00Shop", "a\udc00\ud800b" })
        {
            Assert.NotNull(PlainText.Fault("name", name, 60));
            Assert.DoesNotContain(PlainText.Clean(name), char.IsSurrogate);
        }
    }

    [Theory]
    [InlineData("Merch Shop")]
    [InlineData("Dr. Müller & Söhne")]
    [InlineData("株式会社 例")]
    [InlineData("شركة المثال")]
    [InlineData("می\u200Cخواهم")]
    [InlineData("Ünïcödé ✨")]
    [InlineData("👨\u200D👩\u200D👧 Family")]
    [InlineData("❤\uFE0F Love")]
    [InlineData("Booking.com")]
    public void Names_that_people_have_are_taken(string name)
    {
        Assert.Null(PlainText.Fault("name", name, 60));
        Assert.Equal(name, PlainText.Clean(name));
    }

    [Theory]
    [InlineData("Visit https://evil.example now")]
    [InlineData("http://evil.example")]
    [InlineData("www.evil.example")]
    [InlineData("WWW.evil.example")]
    public void An_address_is_no_name_of_a_business_or_a_person(string name)
    {
        var errors = new Dictionary<string, string[]>();
        TenantRules.Name(errors, "businessName", name);
        Assert.Contains("address of the web", errors["businessName"][0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Booking.com", "Booking\u2024com")]
    [InlineData("Dr. Who", "Dr. Who")]
    [InlineData("Visit https://evil.example/x", "Visit https: evil\u2024example/x")]
    [InlineData("mail me@evil.example", "mail me(at)evil\u2024example")]
    [InlineData("a\r\nBcc: x", "a Bcc: x")]
    [InlineData("10.0.0.1", "10\u20240\u20240\u20241")]
    [InlineData("evil。example", "evil\u2024example")]
    [InlineData(null, "")]
    public void In_a_mail_a_name_is_one_line_and_no_link(string? name, string expected) => Assert.Equal(expected, MailText.Outside(name));

    [Property(MaxTest = 300)]
    public void Whatever_the_name_a_subject_of_it_is_short_plain_and_leads_nowhere(string name)
    {
        var said = MailText.Outside(name);
        Assert.InRange(said.Length, 0, 80);
        Assert.DoesNotContain("://", said, StringComparison.Ordinal);
        Assert.DoesNotContain('@', said);
        Assert.DoesNotContain(said, char.IsControl);
        Assert.Equal(said, PlainText.Clean(said));
    }

    [Fact]
    public void No_mail_says_a_name_as_it_was_typed()
    {
        var raw = new System.Text.RegularExpressions.Regex(@"\{(invitation|mail|found|user|account)\.(Business|InvitedBy|By|ToName|Name|Tenant|display_name)\}|, (mail\.ToName|found\.Name|user\.display_name|account\.display_name),");
        var folder = Path.Combine(Repository.Root, "functions", "KpiDashboard");
        var files = Directory.GetFiles(folder, "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}") && File.ReadAllText(file).Contains("new ComposedMail(", StringComparison.Ordinal)).ToList();
        Assert.InRange(files.Count, 3, 50);
        Assert.All(files, file => Assert.DoesNotMatch(raw, File.ReadAllText(file)));
    }

    [Theory]
    [InlineData("Order sync", false)]
    [InlineData("Größe & Mühe 42", false)]
    [InlineData("注文", false)]
    [InlineData("مزامنة الطلبات", true)]
    [InlineData("הזמנות 2", true)]
    [InlineData("Sync مزامنة", true)]
    public void A_name_from_right_to_left_stands_apart_from_the_English_around_it(string name, bool apart) =>
        Assert.Equal(apart ? $"\u2068{name}\u2069" : name, PlainText.Isolated(name));
}
