using System.Globalization;
using System.Net;
using System.Text;

namespace KpiDashboard.Mail;

/// <summary>Makes the plain text and the HTML of a mail. Both say the same, and both spell the link out.</summary>
internal static class MailRenderer
{
    private const string Product = "KPI Dashboard";

    // Mail programs ignore style sheets to varying degrees: the inline styles alone make a complete light mail, and the sheet turns it dark where it is
    // understood. The colours are the dashboard's own (static-web/src/tokens.css), fixed here because a mail outlives them.
    private const string DarkStyles =
        "@media (prefers-color-scheme: dark) { .page { background: #0b1220 !important } .card { background: #111a2b !important; color: #e5e9f0 !important } "
        + ".quiet { color: #9ba6b9 !important } .link { color: #60a5fa !important } .rule { border-color: #202b40 !important } }";

    /// <summary>The plain text, with lines of any length.</summary>
    public static string Text(MailBody body)
    {
        var text = new StringBuilder();
        if (body.Greeting is not null) Add(body.Greeting);
        foreach (var paragraph in body.Paragraphs) Add(paragraph);
        if (body.Action is { } action) Add($"{action.Text}:\n{action.Link.AbsoluteUri}");
        if (body.Footnote is not null) Add(body.Footnote);
        // What mail programs know as the beginning of a signature; the space belongs to it.
        text.Append("-- \n").Append(Product).Append('\n');
        return text.ToString();

        void Add(string paragraph) => text.Append(Lines(paragraph)).Append("\n\n");
    }

    /// <summary>The HTML: no table, no picture, nothing to load.</summary>
    public static string Html(string subject, MailBody body)
    {
        var html = new StringBuilder();
        html.Append(
            CultureInfo.InvariantCulture,
            $"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="supported-color-schemes" content="light dark">
            <title>{Encode(subject)}</title>
            <style>{DarkStyles}</style>
            </head>
            <body class="page" style="margin:0;padding:0;background:#f8f7f4">
            <div class="page" style="padding:24px 12px;background:#f8f7f4">
            <div class="card" style="max-width:520px;margin:0 auto;padding:28px 24px;border-radius:8px;background:#ffffff;color:#0f172a;font:15px/1.55 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;overflow-wrap:anywhere">
            <p class="quiet" style="margin:0 0 20px;font-size:13px;font-weight:600;color:#566072">{Product}</p>

            """);
        if (body.Greeting is not null) Paragraph(body.Greeting);
        foreach (var paragraph in body.Paragraphs) Paragraph(paragraph);
        if (body.Action is { } action)
        {
            var link = Encode(action.Link.AbsoluteUri);
            html.Append(CultureInfo.InvariantCulture,
                $"""
                <p style="margin:24px 0"><a href="{link}" style="display:inline-block;padding:12px 20px;border-radius:8px;background:#2563eb;color:#ffffff;font-weight:600;text-decoration:none">{Encode(action.Text)}</a></p>
                <p class="quiet" style="margin:0 0 16px;font-size:13px;color:#566072">If the button does not work, open this address:<br><a class="link" href="{link}" style="color:#1d4ed8">{link}</a></p>

                """);
        }

        if (body.Footnote is not null)
            html.Append(CultureInfo.InvariantCulture, $"<p class=\"quiet rule\" style=\"margin:24px 0 0;padding-top:16px;border-top:1px solid #e3e0d9;font-size:13px;color:#566072\">{Encode(body.Footnote)}</p>\n");
        html.Append("</div>\n</div>\n</body>\n</html>\n");
        return html.ToString();

        void Paragraph(string text) => html.Append("<p style=\"margin:0 0 16px\">").Append(Encode(text)).Append("</p>\n");
    }

    private static string Lines(string text) => text.ReplaceLineEndings("\n").Trim();

    // Line breaks survive; everything else is text, whatever it looks like.
    private static string Encode(string text) => WebUtility.HtmlEncode(Lines(text)).Replace("\n", "<br>", StringComparison.Ordinal);
}
