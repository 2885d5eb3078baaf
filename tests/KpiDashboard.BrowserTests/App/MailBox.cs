using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit;

namespace KpiDashboard.BrowserTests.App;

/// <summary>People who are new here, and the mails that they get; mails are caught on this machine.</summary>
internal static partial class MailBox
{
    public const string Password = "seven quiet otters sing";

    public static string FreshAddress() => $"web-{Guid.NewGuid():N}@example.com";

    /// <summary>What registers somebody with a business of its own.</summary>
    public static object Registration(string email) =>
        new { email, password = Password, displayName = "Anna Smith", businessName = "Own Test Shop", timeZone = "Europe/London", currency = "GBP" };

    /// <summary>Registers without the page; returns a client that is signed in.</summary>
    public static async Task<HttpClient> RegisterAsync(this AppFixture app, string email)
    {
        var http = new HttpClient { BaseAddress = app.Address };
        using var response = await http.PostAsJsonAsync("api/auth/register", Registration(email), TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, $"POST auth/register answered {(int)response.StatusCode}: {text}");
        var session = JsonNode.Parse(text)!;
        http.DefaultRequestHeaders.Add("X-Kpi-Token", session["accessToken"]!.GetValue<string>());
        http.DefaultRequestHeaders.Add("X-Kpi-Tenant", session["tenant"]!["id"]!.GetValue<string>());
        return http;
    }

    /// <summary>The link to a page in the newest mail to an address.</summary>
    public static async Task<string> LinkAsync(this AppFixture app, string email, string page)
    {
        using var http = new HttpClient { BaseAddress = app.Address };
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(1));
        while (true)
        {
            var list = await http.GetStringAsync("mail", limit.Token);
            foreach (var mail in MailInList().Matches(list).Where(row => row.Value.Contains(email, StringComparison.OrdinalIgnoreCase)))
            {
                var link = Regex.Match(await http.GetStringAsync(mail.Groups["address"].Value, limit.Token), $@"https?://[^\s""<]+/{page}#token=[\w-]+");
                if (link.Success) return link.Value;
            }

            await Task.Delay(200, limit.Token);
        }
    }

    [GeneratedRegex("""<li><a href="(?<address>/mail/[^"]+)">.*?</li>""", RegexOptions.Singleline)]
    private static partial Regex MailInList();
}
