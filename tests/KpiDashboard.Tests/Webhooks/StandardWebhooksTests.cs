using System.Text;
using KpiDashboard.Access;
using KpiDashboard.Api;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace KpiDashboard.Tests.Webhooks;

public sealed class StandardWebhooksTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);
    private static readonly Guid Token = Guid.NewGuid();

    /// <summary>
    /// Made without this code: <c>printf '%s' 'ID.TIMESTAMP.BODY' | openssl dgst -sha256 -mac HMAC -macopt hexkey:KEY -binary | base64</c>. The first is the example of the
    /// specification's reference libraries.
    /// </summary>
    [Theory]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "{\"test\": 2432232314}", "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")]
    [InlineData("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "m1", "1700000000", "{\"connectors\":[\"n8n\"]}", "TfJf6+otgqipmp6Bh81IYDNBBn92W/QGDxX72Sq9J00=")]
    [InlineData("whsec_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_8", "m2", "1700000000", "Grüße, 世界", "QbSW3GDtILZbGo3l/55RV+l2m6SmjM11njl5rH0/C6g=")]
    public void A_signature_is_what_openssl_makes_of_the_same_parts(string secret, string id, string timestamp, string body, string expected) =>
        Assert.Equal("v1," + expected, StandardWebhooks.Sign(secret, id, timestamp, Encoding.UTF8.GetBytes(body)));

    [Fact]
    public void A_fresh_secret_is_32_bytes_of_standard_base64_that_the_reference_libraries_decode()
    {
        foreach (var secret in Enumerable.Range(0, 200).Select(_ => StandardWebhooks.FreshSecret()))
        {
            Assert.StartsWith("whsec_", secret, StringComparison.Ordinal);
            Assert.Equal(32, Convert.FromBase64String(secret[6..]).Length);
            Assert.Equal(Convert.FromBase64String(secret[6..]), StandardWebhooks.Key(secret));
        }
    }

    [Fact]
    public void A_secret_of_an_early_build_counts_as_what_it_stood_for()
    {
        var bytes = Enumerable.Repeat((byte)0xFB, 32).ToArray();
        Assert.Equal(bytes, StandardWebhooks.Key("whsec_" + Microsoft.AspNetCore.WebUtilities.WebEncoders.Base64UrlEncode(bytes)));
    }

    [Fact]
    public void One_good_signature_among_several_is_enough_and_other_versions_do_not_count()
    {
        var (secret, other) = (StandardWebhooks.FreshSecret(), StandardWebhooks.FreshSecret());
        var good = StandardWebhooks.Sign(secret, "m", "1700000000", "b"u8);
        var bad = StandardWebhooks.Sign(other, "m", "1700000000", "b"u8);
        Assert.True(Read(signature: $"{bad} {good}").IsSignedBy(secret, "b"u8));
        Assert.True(Read(signature: $"v1,%%% v1a,{good[3..]} {good}").IsSignedBy(secret, "b"u8));
        Assert.False(Read(signature: $"{bad} {bad}").IsSignedBy(secret, "b"u8));
        Assert.False(Read(signature: $"v2,{good[3..]} v1a,{good[3..]} {good[3..]}").IsSignedBy(secret, "b"u8));
        Assert.False(Read(signature: string.Join(' ', Enumerable.Repeat(bad, 16).Append(good))).IsSignedBy(secret, "b"u8));
    }

    [Fact]
    public void Whatever_is_changed_the_signature_no_longer_fits()
    {
        var secret = StandardWebhooks.FreshSecret();
        var good = StandardWebhooks.Sign(secret, "m", "1700000000", "body"u8);
        Assert.True(Read(signature: good).IsSignedBy(secret, "body"u8));
        Assert.False(Read(signature: good).IsSignedBy(secret, "Body"u8));
        Assert.False(Read(signature: good).IsSignedBy(secret, []));
        Assert.False(Read(id: "n", signature: good).IsSignedBy(secret, "body"u8));
        Assert.False(Read(timestamp: "1700000001", signature: good).IsSignedBy(secret, "body"u8));
        Assert.False(Read(signature: good[..^4] + "AAA=").IsSignedBy(secret, "body"u8));
        Assert.False(Read(signature: "v1,").IsSignedBy(secret, "body"u8));
    }

    [Theory]
    [InlineData(-301, false)]
    [InlineData(-300, true)]
    [InlineData(0, true)]
    [InlineData(300, true)]
    [InlineData(301, false)]
    public void Five_minutes_either_way_are_tolerated(int seconds, bool admitted)
    {
        var timestamp = (Now.ToUnixTimeSeconds() + seconds).ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (admitted) Assert.Equal(timestamp, Read(timestamp: timestamp).Timestamp);
        else Assert.Equal(401, Assert.Throws<ApiProblem>(() => Read(timestamp: timestamp)).Status);
    }

    [Theory]
    [InlineData("id", "")]
    [InlineData("id", "a b")]
    [InlineData("id", "é")]
    [InlineData("timestamp", "")]
    [InlineData("timestamp", "1.7e9")]
    [InlineData("timestamp", "-5")]
    [InlineData("timestamp", "999999999999")]
    [InlineData("timestamp", "1700000000000000")]
    [InlineData("token", "")]
    [InlineData("token", "not-an-id")]
    public void A_malformed_header_is_401_with_a_sentence_that_names_it(string which, string value)
    {
        var problem = Assert.Throws<ApiProblem>(() => Read(
            which == "id" ? value : "m", which == "timestamp" ? value : "1700000000", token: which == "token" ? value : null));
        Assert.Equal(401, problem.Status);
        Assert.Contains(which == "token" ? "X-Kpi-Token-Id" : "webhook-" + which, problem.Message, StringComparison.Ordinal);
    }

    private static SignedMessage Read(string id = "m", string timestamp = "1700000000", string signature = "v1,AAAA", string? token = null)
    {
        var request = new DefaultHttpContext().Request;
        request.Headers["webhook-id"] = id;
        request.Headers["webhook-timestamp"] = timestamp;
        request.Headers["webhook-signature"] = signature;
        request.QueryString = new QueryString($"?token={token ?? Token.ToString()}");
        return StandardWebhooks.Read(request, Now);
    }
}
