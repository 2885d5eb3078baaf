using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using KpiDashboard.Identity;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KpiDashboard.Tests.Identity;

public sealed class AccessTokensTests
{
    private static readonly Guid User = Guid.Parse("0190b2c4-0000-7000-8000-000000000001");
    private static readonly Guid Tenant = Guid.Parse("0190b2c4-0000-7000-8000-000000000002");
    private static readonly Guid Session = Guid.Parse("0190b2c4-0000-7000-8000-000000000009");
    private static readonly byte[] FirstKey = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];
    private static readonly byte[] SecondKey = [.. Enumerable.Range(101, 48).Select(i => (byte)i)];

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero));
    private readonly Settings _settings = new(new AuthOptions { CurrentKey = "one", SigningKeys = new() { ["one"] = Convert.ToBase64String(FirstKey) } });

    private AccessTokens Tokens => new(_settings, _time);

    [Fact]
    public async Task A_token_speaks_for_its_person_tenant_and_session() =>
        Assert.Equal(new AccessTokenIdentity(User, Tenant, Session), await Tokens.ReadAsync(Tokens.Issue(User, Tenant, Session)));

    [Fact]
    public void A_token_carries_ids_and_times_and_neither_a_role_nor_anything_about_the_person()
    {
        var (header, payload, _) = Parts(Tokens.Issue(User, Tenant, Session));
        Assert.Equal(["aud", "exp", "iat", "iss", "nbf", "sid", "sub", "tid"], payload.Select(claim => claim.Key).Order());
        Assert.Equal(("HS256", "one"), ((string)header["alg"]!, (string)header["kid"]!));
        Assert.Equal(15 * 60, (long)payload["exp"]! - (long)payload["iat"]!);
    }

    [Fact]
    public async Task A_token_ends_exactly_fifteen_minutes_after_it_was_issued()
    {
        var token = Tokens.Issue(User, Tenant, Session);
        _time.Advance(TimeSpan.FromMinutes(15) - TimeSpan.FromMilliseconds(1));
        Assert.NotNull(await Tokens.ReadAsync(token));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Null(await Tokens.ReadAsync(token));
        _time.Advance(TimeSpan.FromDays(365));
        Assert.Null(await Tokens.ReadAsync(token));
    }

    [Fact]
    public async Task A_token_from_a_machine_whose_clock_is_a_minute_ahead_is_taken_and_more_is_not()
    {
        var token = Tokens.Issue(User, Tenant, Session);
        _time.AutoAdvanceAmount = TimeSpan.Zero;
        var behind = new FakeTimeProvider(_time.GetUtcNow().AddMinutes(-1));
        Assert.NotNull(await new AccessTokens(_settings, behind).ReadAsync(token));
        behind = new FakeTimeProvider(_time.GetUtcNow().AddMinutes(-1).AddSeconds(-1));
        Assert.Null(await new AccessTokens(_settings, behind).ReadAsync(token));
    }

    [Fact]
    public async Task A_token_signed_with_another_key_of_the_same_name_is_refused()
    {
        var other = new AccessTokens(new Settings(new AuthOptions { CurrentKey = "one", SigningKeys = new() { ["one"] = Convert.ToBase64String(SecondKey) } }), _time);
        Assert.Null(await Tokens.ReadAsync(other.Issue(User, Tenant, Session)));
    }

    [Fact]
    public async Task After_a_new_key_new_tokens_are_signed_with_it_and_old_ones_live_on_until_their_key_is_taken_away()
    {
        var tokens = Tokens;
        var old = tokens.Issue(User, Tenant, Session);
        _settings.CurrentValue = new AuthOptions { CurrentKey = "two", SigningKeys = new() { ["one"] = Convert.ToBase64String(FirstKey), ["two"] = Convert.ToBase64String(SecondKey) } };
        var fresh = tokens.Issue(User, Tenant, Session);

        Assert.Equal("two", (string)Parts(fresh).Header["kid"]!);
        Assert.NotNull(await tokens.ReadAsync(old));
        Assert.NotNull(await tokens.ReadAsync(fresh));

        _settings.CurrentValue = new AuthOptions { CurrentKey = "two", SigningKeys = new() { ["two"] = Convert.ToBase64String(SecondKey) } };
        Assert.Null(await tokens.ReadAsync(old));
        Assert.NotNull(await tokens.ReadAsync(fresh));
    }

    [Fact]
    public async Task A_token_made_by_hand_with_our_key_is_taken_so_that_the_refusals_below_are_for_their_one_flaw() =>
        Assert.NotNull(await Tokens.ReadAsync(Make(_ => { }, _ => { })));

    [Theory]
    [InlineData("two")]
    [InlineData("ONE")]
    [InlineData("")]
    [InlineData("../one")]
    [InlineData(null)]
    public async Task An_unknown_or_missing_key_id_is_refused_even_with_the_right_signature(string? kid) =>
        Assert.Null(await Tokens.ReadAsync(Make(header => { header.Remove("kid"); if (kid is not null) header["kid"] = kid; }, _ => { })));

    [Theory]
    [InlineData("none")]
    [InlineData("None")]
    [InlineData("NONE")]
    public async Task A_token_without_a_signature_is_refused(string algorithm)
    {
        var signed = Make(header => header["alg"] = algorithm, _ => { });
        Assert.Null(await Tokens.ReadAsync(signed));
        Assert.Null(await Tokens.ReadAsync(signed[..(signed.LastIndexOf('.') + 1)]));
        Assert.Null(await Tokens.ReadAsync(signed[..signed.LastIndexOf('.')]));
    }

    [Theory]
    [InlineData("RS256")]
    [InlineData("ES256")]
    [InlineData("PS256")]
    [InlineData("HS384")]
    [InlineData("HS512")]
    [InlineData("hs256")]
    public async Task A_token_that_names_another_algorithm_is_refused_though_signed_with_our_key_as_HMAC(string algorithm) =>
        Assert.Null(await Tokens.ReadAsync(Make(header => header["alg"] = algorithm, _ => { })));

    [Theory]
    [InlineData("HS256", true)]
    [InlineData("HS384", false)]
    [InlineData("HS512", false)]
    public async Task Only_HMAC_SHA256_is_taken_however_good_another_signature_with_our_key_is(string algorithm, bool taken)
    {
        // A key that is long enough for all of them.
        byte[] key = [.. SecondKey, .. SecondKey];
        _settings.CurrentValue = new AuthOptions { CurrentKey = "one", SigningKeys = new() { ["one"] = Convert.ToBase64String(key) } };
        var (header, payload, _) = Parts(Tokens.Issue(User, Tenant, Session));
        header["alg"] = algorithm;
        var signed = $"{Encode(header)}.{Encode(payload)}";
        var bytes = Encoding.ASCII.GetBytes(signed);
        var signature = algorithm switch { "HS256" => HMACSHA256.HashData(key, bytes), "HS384" => HMACSHA384.HashData(key, bytes), _ => HMACSHA512.HashData(key, bytes) };
        Assert.Equal(taken, await Tokens.ReadAsync($"{signed}.{WebEncoders.Base64UrlEncode(signature)}") is not null);
    }

    [Fact]
    public async Task A_token_really_signed_with_RSA_by_a_key_that_it_brings_itself_is_refused()
    {
        using var rsa = RSA.Create(2048);
        var parameters = rsa.ExportParameters(false);
        var (header, payload, _) = Parts(Tokens.Issue(User, Tenant, Session));
        header["alg"] = "RS256";
        header["jwk"] = new JsonObject { ["kty"] = "RSA", ["kid"] = "one", ["n"] = WebEncoders.Base64UrlEncode(parameters.Modulus!), ["e"] = WebEncoders.Base64UrlEncode(parameters.Exponent!) };
        var signed = $"{Encode(header)}.{Encode(payload)}";
        Assert.Null(await Tokens.ReadAsync(
            $"{signed}.{WebEncoders.Base64UrlEncode(rsa.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}"));
    }

    [Theory]
    [InlineData("sid", "0190b2c4-0000-7000-8000-000000000005")]
    [InlineData("tid", "0190b2c4-0000-7000-8000-000000000003")]
    [InlineData("sub", "0190b2c4-0000-7000-8000-000000000004")]
    [InlineData("exp", 4_000_000_000)]
    public async Task A_payload_that_was_changed_is_refused(string claim, object value)
    {
        var (header, payload, signature) = Parts(Tokens.Issue(User, Tenant, Session));
        payload[claim] = JsonSerializer.SerializeToNode(value);
        Assert.Null(await Tokens.ReadAsync($"{Encode(header)}.{Encode(payload)}.{signature}"));
    }

    [Fact]
    public async Task A_change_of_any_character_of_the_payload_or_of_the_signature_is_refused()
    {
        var token = Tokens.Issue(User, Tenant, Session);
        // The last character of the signature holds two unused bits.
        for (var i = token.IndexOf('.') + 1; i < token.Length - 1; i++)
        {
            if (token[i] == '.') continue;
            var changed = token[..i] + (token[i] == 'A' ? 'B' : 'A') + token[(i + 1)..];
            Assert.True(await Tokens.ReadAsync(changed) is null, $"Character {i} was changed unnoticed.");
        }
    }

    [Theory]
    [InlineData("iss", "somebody-else")]
    [InlineData("aud", "another-app")]
    [InlineData("sub", "me")]
    [InlineData("tid", "")]
    public async Task A_token_with_our_signature_but_not_of_ours_is_refused(string claim, string value) =>
        Assert.Null(await Tokens.ReadAsync(Make(_ => { }, payload => payload[claim] = value)));

    [Theory]
    [InlineData("sub")]
    [InlineData("tid")]
    [InlineData("sid")]
    [InlineData("exp")]
    [InlineData("iss")]
    [InlineData("aud")]
    public async Task A_token_that_lacks_a_claim_is_refused(string claim) => Assert.Null(await Tokens.ReadAsync(Make(_ => { }, payload => payload.Remove(claim))));

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("a.b.c")]
    [InlineData("..")]
    [InlineData("{}.{}.{}")]
    [InlineData("eyJhbGciOiJIUzI1NiJ9..")]
    [InlineData("ключ.ключ.ключ")]
    public async Task Nonsense_is_refused_without_a_fault(string token) => Assert.Null(await Tokens.ReadAsync(token));

    [Theory]
    [InlineData("one", 32, "Strict", true)]
    [InlineData("one", 64, "Lax", true)]
    [InlineData("one", 32, "None", true)]
    [InlineData("one", 31, "Strict", false)]
    [InlineData("one", 0, "Strict", false)]
    [InlineData("two", 32, "Strict", false)]
    [InlineData("", 32, "Strict", false)]
    [InlineData("one", 32, "strict", false)]
    [InlineData("one", 32, "", false)]
    public void Settings_need_a_current_key_of_32_bytes_and_a_known_same_site_word(string current, int bytes, string sameSite, bool valid) =>
        Assert.Equal(valid, AuthOptions.IsValid(new AuthOptions { CurrentKey = current, SigningKeys = new() { ["one"] = Convert.ToBase64String(new byte[bytes]) }, CookieSameSite = sameSite }));

    [Fact]
    public void A_weak_old_key_and_one_that_is_no_base64_are_refused_too()
    {
        var good = Convert.ToBase64String(FirstKey);
        Assert.False(AuthOptions.IsValid(new AuthOptions { CurrentKey = "one", SigningKeys = new() { ["one"] = good, ["old"] = Convert.ToBase64String(new byte[8]) } }));
        Assert.False(AuthOptions.IsValid(new AuthOptions { CurrentKey = "one", SigningKeys = new() { ["one"] = "not base64 at all!" } }));
    }

    /// <summary>A token made without the library: HMAC-SHA256 with the first key over whatever header and payload.</summary>
    private string Make(Action<JsonObject> changeHeader, Action<JsonObject> changePayload)
    {
        var now = _time.GetUtcNow().ToUnixTimeSeconds();
        var header = new JsonObject { ["alg"] = "HS256", ["kid"] = "one", ["typ"] = "JWT" };
        var payload = new JsonObject
        {
            ["sub"] = User.ToString(),
            ["tid"] = Tenant.ToString(),
            ["sid"] = Session.ToString(),
            ["aud"] = "kpi-dashboard",
            ["iss"] = "kpi-dashboard",
            ["iat"] = now,
            ["nbf"] = now,
            ["exp"] = now + 900,
        };
        changeHeader(header);
        changePayload(payload);
        var signed = $"{Encode(header)}.{Encode(payload)}";
        return $"{signed}.{WebEncoders.Base64UrlEncode(HMACSHA256.HashData(FirstKey, Encoding.ASCII.GetBytes(signed)))}";
    }

    private static (JsonObject Header, JsonObject Payload, string Signature) Parts(string token) => token.Split('.') switch
    {
        [var header, var payload, var signature] =>
            (JsonNode.Parse(WebEncoders.Base64UrlDecode(header))!.AsObject(), JsonNode.Parse(WebEncoders.Base64UrlDecode(payload))!.AsObject(), signature),
        _ => throw new FormatException(token),
    };

    private static string Encode(JsonObject part) => WebEncoders.Base64UrlEncode(Encoding.UTF8.GetBytes(part.ToJsonString()));

    private sealed class Settings(AuthOptions first) : IOptionsMonitor<AuthOptions>
    {
        public AuthOptions CurrentValue { get; set; } = first;

        public AuthOptions Get(string? name) => CurrentValue;

        public IDisposable? OnChange(Action<AuthOptions, string?> listener) => null;
    }
}
