using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MimeKit;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>
/// <c>/mail</c>: the mails that were caught on this machine, for a person to read. Mails come from whoever can reach the catcher, so they are shown as if they
/// were hostile: nothing of them runs, nothing is loaded, and their HTML sits in a frame without an origin.
/// </summary>
internal sealed partial class CaughtMailPages(string folder)
{
    private const int MostListed = 100;
    private const string TimeFormat = "yyyyMMdd'T'HHmmssfff'Z'";

    private const string PagePolicy =
        "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    // A mail's styles are inline because mail programs know no others, which is what this one 'unsafe-inline' is for; the sandbox takes scripts, forms and
    // the origin away. A click may take the reader to where a link leads, which is what mails are for.
    private const string MailPolicy =
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; frame-ancestors 'self'; sandbox allow-top-navigation-by-user-activation";

    public void Map(IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder mail = routes.MapGroup("/mail");
        mail.MapGet("", (Delegate)ListAsync);
        mail.MapGet("/style.css", Style);
        mail.MapGet("/{id}", ShowAsync);
        mail.MapGet("/{id}/html", HtmlAsync);
    }

    /// <summary>
    /// By the names localhost and 127.0.0.1 only: a page elsewhere whose name was made to lead here must not read what lets people in. Looked at before any
    /// <c>X-Forwarded-…</c> is believed, because such a page writes those headers as it likes; and whoever sends one is no browser on this machine.
    /// </summary>
    public static Task RefuseOtherHosts(HttpContext http, RequestDelegate next)
    {
        if (!http.Request.Path.StartsWithSegments("/mail", StringComparison.OrdinalIgnoreCase))
            return next(http);
        bool ours = http.Request.Host.Host is "localhost" or "127.0.0.1"
            && !http.Request.Headers.Keys.Any(name => name.StartsWith("X-Forwarded-", StringComparison.OrdinalIgnoreCase) || name.Equals("Forwarded", StringComparison.OrdinalIgnoreCase));
        if (ours)
            return next(http);
        http.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    private static IResult Style()
    {
        using var reader = new StreamReader(typeof(CaughtMailPages).Assembly.GetManifestResourceStream("KpiDashboard.LocalHost.Runtime.caught-mail.css")!);
        return Results.Text(reader.ReadToEnd(), "text/css", Encoding.UTF8);
    }

    private async Task<IResult> ListAsync(HttpContext http)
    {
        string[] all = [.. Directory.EnumerateFiles(folder, "*.eml").OrderDescending(StringComparer.Ordinal)];
        StringBuilder items = new();
        foreach (string path in all.Take(MostListed))
        {
            string id = Path.GetFileNameWithoutExtension(path);
            if (TimeOf(id) is not { } time || await HeadersAsync(path, http.RequestAborted) is not { } headers)
                continue;
            string to = InternetAddressList.TryParse(headers[HeaderId.To] ?? "", out InternetAddressList? list) ? Addresses(list) : headers[HeaderId.To] ?? "";
            items.Append(
                CultureInfo.InvariantCulture,
                $"""
                <li><a href="/mail/{id}"><span class="subject">{Encode(Subject(headers[HeaderId.Subject]))}</span>{Time(time)}<span class="to quiet">To {Encode(to)}</span></a></li>

                """);
        }

        string intro = all.Length switch
        {
            0 => "Nothing has been sent yet. Mails that the app sends are kept here and go nowhere else.",
            1 => "1 mail, kept on this machine and sent nowhere else.",
            > MostListed => Text($"The newest {MostListed} of {all.Length} mails, kept on this machine and sent nowhere else."),
            _ => Text($"{all.Length} mails, newest first, kept on this machine and sent nowhere else."),
        };
        return Page(http, "Mail", $"<main><h1>Mail</h1>\n<p class=\"quiet\">{intro}</p>\n{(items.Length == 0 ? "" : $"<ol>\n{items}</ol>\n")}</main>");
    }

    private async Task<IResult> ShowAsync(HttpContext http, string id)
    {
        if (await MailAsync(id, http.RequestAborted) is not { } mail)
            return NotThere(http);
        using MimeMessage message = mail;
        string html = message.HtmlBody is null
            ? ""
            : $"<h2>As HTML</h2>\n<iframe src=\"/mail/{id}/html\" sandbox=\"allow-top-navigation-by-user-activation\" title=\"The mail as HTML\"></iframe>\n";
        string text = message.TextBody is not { } plain ? "" : $"<h2>As plain text</h2>\n<pre tabindex=\"0\">{WithLinks(plain.TrimEnd())}</pre>\n";
        return Page(http, Subject(message.Subject),
            $"""
            <nav><a href="/mail">All mails</a></nav>
            <main>
            <h1>{Encode(Subject(message.Subject))}</h1>
            <dl>
            <dt>From</dt><dd>{Encode(Addresses(message.From))}</dd>
            <dt>To</dt><dd>{Encode(Addresses(message.To))}</dd>
            <dt>Caught</dt><dd>{Time(TimeOf(id)!.Value)}</dd>
            </dl>
            {html}{text}</main>
            """);
    }

    private async Task<IResult> HtmlAsync(HttpContext http, string id)
    {
        if (await MailAsync(id, http.RequestAborted) is not { } mail)
            return NotThere(http);
        using MimeMessage message = mail;
        if (message.HtmlBody is not { } html)
            return NotThere(http);
        // Links leave the frame: what they lead to may not be framed.
        const string Base = "<base target=\"_top\">";
        Match head = Head().Match(html);
        return Send(http, MailPolicy, head.Success ? html.Insert(head.Index + head.Length, Base) : Base + html);
    }

    private async Task<MimeMessage?> MailAsync(string id, CancellationToken cancellationToken)
    {
        if (TimeOf(id) is null)
            return null;
        try
        {
            return await MimeMessage.LoadAsync(Path.Combine(folder, id + ".eml"), cancellationToken);
        }
        catch (Exception e) when (e is IOException or FormatException)
        {
            return null;
        }
    }

    private static async Task<HeaderList?> HeadersAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            return await HeaderList.LoadAsync(path, cancellationToken);
        }
        catch (Exception e) when (e is IOException or FormatException)
        {
            // It went while the list was made, or it is no mail.
            return null;
        }
    }

    private static IResult NotThere(HttpContext http)
    {
        http.Response.StatusCode = StatusCodes.Status404NotFound;
        return Page(http, "No such mail", "<nav><a href=\"/mail\">All mails</a></nav>\n<main><h1>No such mail</h1>\n<p>The oldest go when there are more than 500.</p></main>");
    }

    private static IResult Page(HttpContext http, string title, string body) => Send(http, PagePolicy,
        $"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>{Encode(title)} · KPI Dashboard</title>
        <link rel="stylesheet" href="/mail/style.css">
        </head>
        <body>
        {body}
        </body>
        </html>
        """);

    private static IResult Send(HttpContext http, string policy, string html)
    {
        IHeaderDictionary headers = http.Response.Headers;
        headers.ContentSecurityPolicy = policy;
        headers.XContentTypeOptions = "nosniff";
        headers.CacheControl = "no-store";
        headers["Referrer-Policy"] = "no-referrer";
        return Results.Content(html, "text/html", Encoding.UTF8, http.Response.StatusCode);
    }

    /// <summary>When a mail was caught, from its id; null if it is no id of ours, which keeps paths out of it too.</summary>
    private static DateTimeOffset? TimeOf(string id) =>
        Id().IsMatch(id) && DateTimeOffset.TryParseExact(id[..19], TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
            ? time
            : null;

    private static string Time(DateTimeOffset time) => Text($"<time datetime=\"{time:yyyy-MM-dd'T'HH:mm:ss'Z'}\">{time:d MMM yyyy, HH:mm:ss} UTC</time>");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Subject(string? subject) => string.IsNullOrWhiteSpace(subject) ? "(no subject)" : subject;

    private static string Addresses(InternetAddressList list) =>
        string.Join(", ", list.Mailboxes.Select(box => string.IsNullOrEmpty(box.Name) ? box.Address : $"{box.Name} <{box.Address}>"));

    private static string Encode(string text) => WebUtility.HtmlEncode(text);

    private static string WithLinks(string text)
    {
        StringBuilder html = new();
        int at = 0;
        foreach (Match link in Link().Matches(text))
        {
            html.Append(Encode(text[at..link.Index])).Append("<a href=\"").Append(Encode(link.Value)).Append("\">").Append(Encode(link.Value)).Append("</a>");
            at = link.Index + link.Length;
        }

        return html.Append(Encode(text[at..])).ToString();
    }

    [GeneratedRegex(@"^\d{8}T\d{9}Z-[0-9a-f]{10}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Id();

    [GeneratedRegex(@"<head\b[^>]*>", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Head();

    [GeneratedRegex(@"https?://[^\s<>""]+[^\s<>"".,;:!?)]", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Link();
}
