using System.Text;
using FsCheck;
using FsCheck.Xunit;
using Konscious.Security.Cryptography;
using KpiDashboard.Identity;
using Xunit;

namespace KpiDashboard.Tests.Identity;

// Alone: what other tests allocate would be counted here.
[Collection("alone")]
[Trait("Clock", "none")]
public sealed class PasswordsTests
{
    // Made by the reference implementation's own format, with parameters of long ago: 8 MiB, 1 pass, 2 lanes, 16 bytes.
    private static string Old(string password, int memory = 8192, int passes = 1, int lanes = 2, int length = 16)
    {
        byte[] salt = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
        using var argon = new Argon2id(Encoding.UTF8.GetBytes(password)) { Salt = salt, MemorySize = memory, Iterations = passes, DegreeOfParallelism = lanes };
        return $"$argon2id$v=19$m={memory},t={passes},p={lanes}${Convert.ToBase64String(salt).TrimEnd('=')}${Convert.ToBase64String(argon.GetBytes(length)).TrimEnd('=')}";
    }

    [Fact]
    public void A_hash_is_Argon2id_in_the_PHC_format_with_at_least_OWASPs_parameters()
    {
        var hash = Passwords.Hash("correct horse");
        Assert.Matches(@"^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$", hash);
    }

    [Fact]
    public void The_same_password_hashes_differently_each_time_and_both_verify()
    {
        var (one, other) = (Passwords.Hash("correct horse"), Passwords.Hash("correct horse"));
        Assert.NotEqual(one, other);
        Assert.True(Passwords.Verify("correct horse", one, out var outdated) && !outdated);
        Assert.True(Passwords.Verify("correct horse", other, out outdated) && !outdated);
    }

    [Theory]
    [InlineData("Correct horse")]
    [InlineData("correct horse ")]
    [InlineData("correct hors")]
    [InlineData("correct horse\0")]
    public void Another_password_does_not_fit(string other)
    {
        var hash = Passwords.Hash("correct horse");
        Assert.False(Passwords.Verify(other, hash, out var outdated));
        Assert.False(outdated);
    }

    [Theory]
    [InlineData("Straße–Ünïcödé")]
    [InlineData("パスワード🔐パスワード")]
    [InlineData("пароль со пробелами")]
    [InlineData("no character at all: \ufffe\uffff")]
    public void A_password_in_any_script_verifies_and_its_look_alike_without_accents_does_not(string password)
    {
        var hash = Passwords.Hash(password);
        Assert.True(Passwords.Verify(password, hash, out _));
        Assert.False(Passwords.Verify(Encoding.ASCII.GetString(Encoding.ASCII.GetBytes(password)), hash, out _));
    }

    [Fact]
    public void An_accent_typed_as_one_character_or_as_two_is_the_same_password()
    {
        // A Mac's file dialogs and some keyboards give the second form; NIST SP 800-63B asks for normalisation.
        Assert.True(Passwords.Verify("Cafe\u0301-1", Passwords.Hash("Caf\u00e9-1"), out _));
        Assert.True(Passwords.Verify("Caf\u00e9-1", Passwords.Hash("Cafe\u0301-1"), out _));
    }

    [Fact]
    public void A_password_of_the_greatest_length_verifies_and_its_last_character_counts()
    {
        var password = new string('x', Passwords.MaxLength);
        var hash = Passwords.Hash(password);
        Assert.True(Passwords.Verify(password, hash, out _));
        Assert.False(Passwords.Verify(password[..^1] + "y", hash, out _));
    }

    [Theory]
    [InlineData(8192, 1, 2, 16)]
    [InlineData(19456, 2, 1, 16)]
    [InlineData(19456, 3, 1, 32)]
    [InlineData(65536, 2, 1, 32)]
    public void A_hash_with_other_parameters_still_verifies_and_is_made_anew_if_they_are_not_todays(int memory, int passes, int lanes, int length)
    {
        Assert.True(Passwords.Verify("old", Old("old", memory, passes, lanes, length), out var outdated));
        Assert.Equal((memory, passes, lanes) != (19456, 2, 1), outdated);
    }

    [Fact]
    public void A_wrong_password_never_has_the_hash_renewed()
    {
        Assert.False(Passwords.Verify("new", Old("old"), out var outdated));
        Assert.False(outdated);
    }

    [Fact]
    public void Nobodys_hash_fits_no_password_not_even_the_one_it_is_compared_with()
    {
        Assert.False(Passwords.Verify("correct horse", null, out var outdated));
        Assert.False(outdated);
        Assert.False(Passwords.Verify("no account has this password", null, out outdated));
        Assert.False(outdated);
    }

    [Fact]
    public void Nobodys_hash_costs_as_much_memory_as_somebodys()
    {
        // The work is the filling of 19 MiB: what is allocated tells it without a clock.
        var hash = Passwords.Hash("correct horse");
        Passwords.Verify("warm", null, out _);
        var known = Allocated(() => Passwords.Verify("guess", hash, out _));
        var unknown = Allocated(() => Passwords.Verify("guess", null, out _));
        Assert.InRange(known, 19_000_000, long.MaxValue);
        Assert.InRange(unknown, known * 9 / 10, known * 11 / 10);

        // Over all threads: the library fills its lanes on others. The runtime may add to it, so the least of several counts.
        static long Allocated(Action work) => Enumerable.Range(0, 5).Min(_ =>
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            work();
            return GC.GetTotalAllocatedBytes(precise: true) - before;
        });
    }

    [Theory]
    [InlineData("")]
    [InlineData("plain text")]
    [InlineData("$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW")]
    [InlineData("$argon2i$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("$argon2id$v=16$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public void A_hash_of_another_kind_fits_nothing(string hash) => Assert.False(Passwords.Verify("plain text", hash, out _));

    [Property(MaxTest = 8)]
    public void Any_password_fits_its_own_hash_and_not_that_of_another(NonEmptyString password, NonEmptyString other)
    {
        var hash = Passwords.Hash(password.Get);
        Assert.True(Passwords.Verify(password.Get, hash, out _));
        Assert.Equal(password.Get == other.Get, Passwords.Verify(other.Get, hash, out _));
    }
}

[CollectionDefinition("alone", DisableParallelization = true)]
public sealed class Alone;
