using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Xunit;
using KpiDashboard.Api;
using KpiDashboard.Functions.Middleware;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace KpiDashboard.Tests.Security;

/// <summary>Text that no text column holds: what is told of it, and what becomes of it.</summary>
public sealed class KeptTextTests
{
    private static readonly UTF8Encoding Strict = new(false, true);

    /// <summary>What may stand in JSON in place of a character, as bytes within quotes.</summary>
    public static TheoryData<string, string, bool> Units => new()
    {
        { "NUL", @"\u0000", false },
        { "lone high surrogate", @"\ud83d", false },
        { "lone low surrogate", @"\uDE00", false },
        { "two high surrogates", @"\ud83d\ud83d", false },
        { "a pair the wrong way round", @"\ude00\ud83d", false },
        { "high surrogate before a letter", @"\ud83dx", false },
        { "high surrogate before an escape", @"\ud83d\n", false },
        { "raw surrogate", "\u00ED\u00A0\u0080", false },
        { "overlong", "\u00C0\u0080", false },
        { "cut off", "\u00E2\u0082", false },
        { "no UTF-8", "\u00FF", false },
        { "pair", @"\ud83d\ude00", true },
        { "noncharacter FFFE", @"\ufffe", true },
        { "noncharacter FFFF", @"\uffff", true },
        { "backslash before u", @"\\u0000", true },
        { "raw emoji", "\u00F0\u009F\u0098\u0080", true },
    };

    private static byte[] Latin1(string text) => Encoding.Latin1.GetBytes(text);

    [Theory]
    [MemberData(nameof(Units))]
    public void Every_kind_of_code_unit_is_told_by_its_field_and_cleaned_to_the_replacement(string what, string unit, bool good)
    {
        var json = Latin1($$"""{"a":[{"b":"x"},{"bé":1,"c":"x{{unit}}y"}],"d":"ok"}""").Replace(Latin1("é"), "é"u8);
        Assert.Equal(good ? null : "a[1].c", KeptText.FirstBadField(json));
        var clean = KeptText.CleanJson(json);
        if (good) Assert.Same(json, clean);
        using var document = JsonDocument.Parse(clean);
        var text = document.RootElement.GetProperty("a")[1].GetProperty("c").GetString()!;
        Assert.Equal((what, !good), (what, text.Contains(KeptText.Replacement)));
        Assert.True(KeptText.IsKept(text));
        Assert.StartsWith("x", text, StringComparison.Ordinal);
        Assert.EndsWith("y", text.Replace("\n", "y", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal("ok", document.RootElement.GetProperty("d").GetString());
    }

    [Theory]
    [MemberData(nameof(Units))]
    public void A_body_with_it_is_refused_with_a_sentence_that_names_the_field(string what, string unit, bool good)
    {
        var request = new DefaultHttpContext().Request;
        var error = Record.Exception(() => JsonBody.Parse(request, Latin1($$"""{"workflowId":"1","executionId":"{{unit}}","status":"success"}"""), KpiDashboard.Webhooks.N8nWebhookJson.Default.N8nEventRequest));
        if (good) Assert.Null(error);
        else Assert.Equal((what, 400, "executionId"), (what, Assert.IsType<ApiProblem>(error).Status, ((ApiProblem)error).Errors!.Single().Key));
    }

    [Theory]
    [MemberData(nameof(Units))]
    public void A_claim_with_it_is_read_clean_or_the_token_is_none(string what, string unit, bool good)
    {
        static string Part(string json) => Microsoft.IdentityModel.Tokens.Base64UrlEncoder.Encode(Latin1(json));
        var token = $"{Part("""{"alg":"RS256","kid":"k"}""")}.{Part($$"""{"sub":"1","name":"x{{unit}}"}""")}.c2ln";
        try
        {
            Assert.True(KeptText.IsKept(KpiDashboard.Identity.OidcTokens.Text(KpiDashboard.Identity.OidcTokens.Claims(KpiDashboard.Identity.OidcTokens.Parse(token)), "name")), what);
        }
        catch (KpiDashboard.Identity.OidcException)
        {
            Assert.False(good, what);
        }
    }

    [Property(MaxTest = 2000)]
    public void Whatever_is_cleaned_can_be_kept_and_what_could_be_kept_is_untouched(string? text)
    {
        text ??= "";
        var clean = KeptText.Clean(text);
        Assert.True(KeptText.IsKept(clean));
        if (KeptText.IsKept(text)) Assert.Same(text, clean);
        Assert.Equal(clean, Strict.GetString(Strict.GetBytes(clean)));
        for (var length = 0; length <= text.Length; length++) Assert.True(!KeptText.IsKept(text) || KeptText.IsKept(KeptText.Cut(text, length)));
    }

    [Property(MaxTest = 2000)]
    public void Any_bytes_are_cleaned_to_text_and_clean_bytes_stay(byte[] bytes)
    {
        var clean = KeptText.CleanJson([.. "{\"a\":\""u8, .. bytes, .. "\"}"u8]);
        Assert.Same(clean, KeptText.CleanJson(clean));
        Assert.Equal(Encoding.UTF8.GetString(clean), Strict.GetString(clean));
        KeptText.FirstBadField(bytes);
        try
        {
            using var document = JsonDocument.Parse(clean);
            foreach (var property in document.RootElement.EnumerateObject()) Assert.True(KeptText.IsKept(property.Name) && KeptText.IsKept(property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString() : ""));
        }
        catch (JsonException)
        {
            // No JSON, before and after.
        }
    }

    [Fact]
    public void Addresses_and_headers_are_looked_at_before_anything_reads_them_and_a_browsers_name_is_replaced()
    {
        var context = new DefaultHttpContext { Request = { QueryString = new QueryString("?kpi=a%00b&ok=%F0%9F%98%80") } };
        context.Request.Headers["Idempotency-Key"] = "x\ud83d";
        context.Request.Headers.UserAgent = "Agent\0 \ud83d";
        context.Request.RouteValues["id"] = "\0";
        var problem = Assert.Throws<ApiProblem>(() => TextMiddleware.Check(context.Request));
        Assert.Equal((400, "Idempotency-Key,id,kpi"), (problem.Status, string.Join(',', problem.Errors!.Keys.Order(StringComparer.Ordinal))));
        Assert.Equal("Agent\ufffd \ufffd", context.Request.Headers.UserAgent);
    }
}

file static class Bytes
{
    public static byte[] Replace(this byte[] all, ReadOnlySpan<byte> old, ReadOnlySpan<byte> with)
    {
        var at = all.AsSpan().IndexOf(old);
        return [.. all.AsSpan(0, at), .. with, .. all.AsSpan(at + old.Length)];
    }
}
