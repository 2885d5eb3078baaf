using System.Security.Cryptography;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using KpiDashboard.Security;
using Microsoft.Extensions.Options;
using Xunit;

namespace KpiDashboard.Tests.Security;

public sealed class SecretSealerTests
{
    private static readonly string One = Convert.ToBase64String([.. Enumerable.Range(1, 32).Select(i => (byte)i)]);
    private static readonly string Two = Convert.ToBase64String([.. Enumerable.Range(33, 32).Select(i => (byte)i)]);

    private static SecretSealer Sealer(string current, params (string Id, string Key)[] keys) =>
        new(new Settings(new SecretOptions { CurrentKey = current, Keys = keys.ToDictionary(key => key.Id, key => key.Key) }));

    [Property(MaxTest = 300, Arbitrary = [typeof(UnicodeTexts)])]
    public void Any_text_comes_back_for_the_purpose_it_was_sealed_for(Text secret, Text purpose)
    {
        var sealer = Sealer("k1", ("k1", One));
        Assert.Equal(secret.Value, sealer.Open(sealer.Seal(secret.Value, purpose.Value), purpose.Value));
    }

    [Fact]
    public void The_same_text_is_sealed_differently_each_time_and_does_not_show_through()
    {
        var sealer = Sealer("k1", ("k1", One));
        var values = Enumerable.Range(0, 50).Select(_ => sealer.Seal("refresh-token-of-somebody", "p")).ToList();
        Assert.Equal(50, values.Select(Convert.ToHexString).Distinct().Count());
        Assert.All(values, value => Assert.Equal(-1, value.AsSpan().IndexOf("refresh"u8)));
    }

    [Fact]
    public void A_sealed_value_is_AES_256_GCM_in_the_layout_that_is_documented()
    {
        // Opened without the product: 1 byte length, key id, 12 nonce, 16 tag, ciphertext, purpose as associated data.
        var value = Sealer("k1", ("k1", One)).Seal("wörd", "integration:1");
        Assert.Equal(1 + 2 + 12 + 16 + 5, value.Length);
        Assert.Equal((2, (byte)'k', (byte)'1'), (value[0], value[1], value[2]));
        using var aes = new AesGcm(Convert.FromBase64String(One), 16);
        var plain = new byte[5];
        aes.Decrypt(value.AsSpan(3, 12), value.AsSpan(31), value.AsSpan(15, 16), plain, "integration:1"u8);
        Assert.Equal("wörd"u8, plain);
    }

    [Fact]
    public void A_change_of_any_single_byte_is_noticed()
    {
        var sealer = Sealer("k1", ("k1", One), ("k2", Two));
        var value = sealer.Seal("a secret", "p");
        for (var i = 0; i < value.Length; i++)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                var changed = (byte[])value.Clone();
                changed[i] ^= (byte)(1 << bit);
                Assert.ThrowsAny<CryptographicException>(() => sealer.Open(changed, "p"));
            }
        }
    }

    [Fact]
    public void A_value_that_was_cut_or_added_to_is_noticed_at_any_length()
    {
        var sealer = Sealer("k1", ("k1", One));
        var value = sealer.Seal("a secret", "p");
        for (var length = 0; length < value.Length; length++) Assert.ThrowsAny<CryptographicException>(() => sealer.Open(value.AsSpan(0, length), "p"));
        Assert.ThrowsAny<CryptographicException>(() => sealer.Open([.. value, 0], "p"));
    }

    [Theory]
    [InlineData("integration:2")]
    [InlineData("Integration:1")]
    [InlineData("integration:1 ")]
    [InlineData("")]
    public void A_value_cannot_be_opened_for_another_purpose(string purpose)
    {
        var sealer = Sealer("k1", ("k1", One));
        var value = sealer.Seal("a secret", "integration:1");
        Assert.ThrowsAny<CryptographicException>(() => sealer.Open(value, purpose));
    }

    [Fact]
    public void A_key_that_is_not_configured_is_named_and_the_value_is_not_opened()
    {
        var value = Sealer("old", ("old", One)).Seal("a secret", "p");
        var fault = Assert.Throws<CryptographicException>(() => Sealer("new", ("new", Two)).Open(value, "p"));
        Assert.Contains("'old'", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_key_of_the_same_name_does_not_open_it()
    {
        var value = Sealer("k1", ("k1", One)).Seal("a secret", "p");
        Assert.ThrowsAny<CryptographicException>(() => Sealer("k1", ("k1", Two)).Open(value, "p"));
    }

    [Fact]
    public void After_a_new_key_old_values_open_and_new_ones_are_sealed_with_it()
    {
        var old = Sealer("k1", ("k1", One)).Seal("old", "p");
        var rotated = Sealer("k2", ("k1", One), ("k2", Two));
        Assert.Equal("old", rotated.Open(old, "p"));
        var fresh = rotated.Seal("new", "p");
        Assert.Equal("new", Sealer("k2", ("k2", Two)).Open(fresh, "p"));
        Assert.ThrowsAny<CryptographicException>(() => Sealer("k1", ("k1", One)).Open(fresh, "p"));
    }

    [Theory]
    [InlineData("k1", "k1", 32, true)]
    [InlineData("2026-11", "2026-11", 32, true)]
    [InlineData("K", "K", 32, true)]
    [InlineData("k2", "k1", 32, false)]
    [InlineData("", "k1", 32, false)]
    [InlineData("", "", 32, false)]
    [InlineData("k1", "k1", 16, false)]
    [InlineData("k1", "k1", 31, false)]
    [InlineData("k1", "k1", 33, false)]
    [InlineData("k1", "k1", 64, false)]
    [InlineData("k1", "k1", 0, false)]
    [InlineData("k_1", "k_1", 32, false)]
    [InlineData("ключ", "ключ", 32, false)]
    [InlineData("12345678901234567890123456789012", "12345678901234567890123456789012", 32, true)]
    [InlineData("123456789012345678901234567890123", "123456789012345678901234567890123", 32, false)]
    public void Settings_need_a_current_key_with_a_plain_name_and_32_bytes(string current, string id, int bytes, bool valid) =>
        Assert.Equal(valid, SecretOptions.IsValid(new SecretOptions { CurrentKey = current, Keys = new() { [id] = Convert.ToBase64String(new byte[bytes]) } }));

    [Fact]
    public void A_key_that_is_no_base64_is_refused_be_it_the_current_one_or_an_old_one()
    {
        Assert.False(SecretOptions.IsValid(new SecretOptions { CurrentKey = "k1", Keys = new() { ["k1"] = "not base64!" } }));
        Assert.False(SecretOptions.IsValid(new SecretOptions { CurrentKey = "k1", Keys = new() { ["k1"] = One, ["k0"] = "not base64!" } }));
    }

    [Fact]
    public void No_key_at_all_is_valid_but_a_name_without_its_key_or_a_key_without_a_name_is_not()
    {
        Assert.True(SecretOptions.IsValid(new SecretOptions()));
        Assert.False(SecretOptions.IsValid(new SecretOptions { CurrentKey = "k1" }));
        Assert.False(SecretOptions.IsValid(new SecretOptions { Keys = new() { ["k1"] = One } }));
    }

    /// <summary>A text that is valid Unicode; FsCheck's own are mostly ASCII.</summary>
    public sealed record Text(string Value);

    public static class UnicodeTexts
    {
        public static Arbitrary<Text> Texts() => Gen.OneOf(Gen.Choose(0, 0x7F), Gen.Choose(0x80, 0xD7FF), Gen.Choose(0xE000, 0xFFFF), Gen.Choose(0x10000, 0x10FFFF))
            .ArrayOf().Select(runes => new Text(string.Concat(runes.Select(char.ConvertFromUtf32)))).ToArbitrary();
    }

    private sealed class Settings(SecretOptions options) : IOptionsMonitor<SecretOptions>
    {
        public SecretOptions CurrentValue { get; } = options;

        public SecretOptions Get(string? name) => CurrentValue;

        public IDisposable? OnChange(Action<SecretOptions, string?> listener) => null;
    }
}
