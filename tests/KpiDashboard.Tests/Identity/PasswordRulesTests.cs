using System.Text;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using KpiDashboard.Identity;
using Xunit;

namespace KpiDashboard.Tests.Identity;

public sealed class PasswordRulesTests
{
    private static readonly string[] Known = ["annabel.lee@merch-shop.example", "Annabel Lee", "Sea Kingdom Ltd"];

    private static string? Find(string? password, int minLength = 8) => PasswordRules.Find("password", password, minLength, Known);

    [Theory]
    [InlineData("four walruses read slowly")]
    [InlineData("correcthorsebatterystaple")]
    [InlineData("Xk2#pQ9!")]
    [InlineData("пароль со пробелами")]
    [InlineData("🦭🦭🐢🐍🦭🐢🐍🐙")]
    [InlineData("tabs\tand\nlines")]
    [InlineData("annabel's 7 dull umbrellas")]
    [InlineData("kingdom of snails and tea")]
    public void A_password_of_any_characters_that_nobody_tries_first_is_taken(string password) => Assert.Null(Find(password));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Xk2#pQ9")]
    // Seven characters, however many code units.
    [InlineData("🦭🐢🐍🐙🦀🦞🦐")]
    // Eight code points until the accents are composed.
    [InlineData("e\u0301kpqzwv")]
    public void A_password_of_less_than_eight_characters_is_too_short(string? password) =>
        Assert.Equal("'password' must have 8 to 256 characters; 15 or more are recommended.", Find(password));

    [Fact]
    public void The_least_length_is_a_setting_and_the_greatest_is_256()
    {
        Assert.Contains("12 to 256", Find("Xk2#pQ9!wor", 12), StringComparison.Ordinal);
        Assert.Null(Find("Xk2#pQ9!worm", 12));
        var longest = string.Concat(Enumerable.Range(0, 64).Select(i => $"{(char)('a' + i % 23)}{i % 7}Z{(char)('α' + i % 19)}"));
        Assert.Null(Find(longest));
        Assert.Contains("8 to 256", Find(longest + "x"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("password")]
    [InlineData("PassWord")]
    [InlineData("baseball")]
    [InlineData("trustno1")]
    [InlineData("password1")]
    [InlineData("Password2026!")]
    [InlineData("sunshine!!!")]
    [InlineData("iloveyou-77")]
    public void A_common_password_is_refused_whatever_its_case_and_with_what_is_appended_to_pass_a_rule(string password) =>
        Assert.Contains("attackers try first", Find(password), StringComparison.Ordinal);

    [Fact]
    public void Every_password_of_the_list_is_refused()
    {
        using var stream = typeof(PasswordRules).Assembly.GetManifestResourceStream("KpiDashboard.Identity.common-passwords.txt")!;
        using var reader = new StreamReader(stream);
        var listed = reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line != "#" && !line.StartsWith("# ", StringComparison.Ordinal)).ToList();
        Assert.Equal(17950, listed.Count);
        Assert.All(listed, password => Assert.NotNull(Find(password)));
    }

    [Theory]
    [InlineData("annabel.lee@merch-shop.example")]
    [InlineData("Annabel.Lee")]
    [InlineData("annabellee2026")]
    [InlineData("AnnabelLee!")]
    [InlineData("SeaKingdom99")]
    [InlineData("merch-shop-1")]
    [InlineData("KPI Dashboard")]
    [InlineData("kpidashboard123")]
    [InlineData("2026-annabel")]
    public void A_password_made_of_the_address_a_name_or_the_product_is_refused(string password) =>
        Assert.Contains("little more than your name", Find(password), StringComparison.Ordinal);

    [Theory]
    [InlineData("zzzzzzzzzzzz")]
    [InlineData("ababababab")]
    [InlineData("xyz1xyz1xyz1")]
    [InlineData("cdefghij")]
    [InlineData("98765432")]
    [InlineData("fghj4567")]
    [InlineData("poiuytrewq")]
    [InlineData("1234567890")]
    [InlineData("ззззжжжж")]
    public void Repetitions_and_sequences_are_refused(string password) => Assert.Contains("repeats characters", Find(password), StringComparison.Ordinal);

    [Property(MaxTest = 200)]
    public Property One_character_over_and_over_is_refused_whichever_it_is() => Prop.ForAll(
        Gen.Choose(0x20, 0x2fff).Where(c => !char.IsSurrogate((char)c)).ToArbitrary(), Gen.Choose(8, 256).ToArbitrary(),
        (c, length) => Find(new string((char)c, length)) is not null);

    [Property(MaxTest = 200)]
    public Property A_long_phrase_of_random_letters_is_taken_with_any_character_added() => Prop.ForAll(
        Gen.Choose(0, 21).Select(i => "bcdfghjklmnpqrstvwxzéß"[i]).ArrayOf(20).Where(letters => letters.Distinct().Count() > 8).ToArbitrary(), Gen.Choose(0x20, 0x2fff).Where(c => !char.IsSurrogate((char)c)).ToArbitrary(),
        (letters, c) => Find(new string(letters) + (char)c) is null);

    [Property(MaxTest = 500)]
    public void Anything_at_all_is_judged_without_a_fault_and_composed_or_not_alike(NonNull<string> text)
    {
        var sentence = Find(text.Get);
        Assert.True(sentence is null || sentence.StartsWith("'password' ", StringComparison.Ordinal));
        if (!text.Get.Contains('\uFFFE') && text.Get.Length < 50)
            Assert.Equal(sentence, Find(text.Get.Normalize(NormalizationForm.FormD)));
    }

    [Theory]
    [InlineData(19455, 2, 1, 8, false)]
    [InlineData(19456, 1, 1, 8, false)]
    [InlineData(19456, 2, 0, 8, false)]
    [InlineData(19456, 2, 1, 7, false)]
    [InlineData(2_000_000, 2, 1, 8, false)]
    [InlineData(19456, 2, 1, 8, true)]
    [InlineData(65536, 3, 4, 15, true)]
    public void Settings_that_would_make_passwords_weaker_than_OWASPs_least_stop_the_start(int memory, int passes, int lanes, int minLength, bool valid) =>
        Assert.Equal(valid, AuthOptions.PasswordsAreValid(new() { PasswordMemoryKib = memory, PasswordPasses = passes, PasswordLanes = lanes, PasswordMinLength = minLength }));
}
