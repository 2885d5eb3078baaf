using System.Text;
using FsCheck;
using FsCheck.Xunit;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Identity;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace KpiDashboard.Tests.Identity;

/// <summary>What sign-in and token requests are refused for before the database is asked; there is none here.</summary>
public sealed class SignInInputTests
{
    private static DefaultHttpContext Post(string json)
    {
        var context = new DefaultHttpContext();
        context.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes(json));
        context.Request.ContentType = "application/json";
        context.Features.Set(new Caller(Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(), null, "owner", "a@b.example"));
        return context;
    }

    [Theory]
    [InlineData("Owner@Demo.Example")]
    [InlineData("  owner@demo.example\t")]
    [InlineData("OWNER@DEMO.EXAMPLE")]
    public void Upper_and_lower_case_and_surrounding_blanks_are_the_same_address(string typed) =>
        Assert.Equal(SessionEndpoints.EmailKey("owner@demo.example"), SessionEndpoints.EmailKey(typed));

    [Fact]
    public void An_address_typed_with_composed_or_combined_accents_is_the_same() =>
        Assert.Equal(SessionEndpoints.EmailKey("jos\u00e9@demo.example"), SessionEndpoints.EmailKey("jose\u0301@demo.example"));

    [Fact]
    public void Accents_and_dots_still_tell_addresses_apart()
    {
        Assert.NotEqual(SessionEndpoints.EmailKey("jose@demo.example"), SessionEndpoints.EmailKey("jos\u00e9@demo.example"));
        Assert.NotEqual(SessionEndpoints.EmailKey("j.ose@demo.example"), SessionEndpoints.EmailKey("jose@demo.example"));
    }

    [Theory]
    [InlineData("tr-TR")]
    [InlineData("en-US")]
    [InlineData("lt-LT")]
    public void An_address_is_looked_up_the_same_in_any_culture_of_the_server(string culture)
    {
        var before = System.Globalization.CultureInfo.CurrentCulture;
        try
        {
            System.Globalization.CultureInfo.CurrentCulture = System.Globalization.CultureInfo.GetCultureInfo(culture);
            Assert.Equal("INFO@DEMO.EXAMPLE", SessionEndpoints.EmailKey("info@demo.example"));
        }
        finally
        {
            System.Globalization.CultureInfo.CurrentCulture = before;
        }
    }

    [Property(MaxTest = 300)]
    public void The_key_of_a_key_is_itself(NonNull<string> text)
    {
        var key = SessionEndpoints.EmailKey(text.Get);
        Assert.Equal(key, SessionEndpoints.EmailKey(key));
    }

    [Theory]
    [InlineData("""{"email":"","password":"x"}""", "email")]
    [InlineData("""{"email":"  ","password":"x"}""", "email")]
    [InlineData("""{"email":"a@b.example","password":""}""", "password")]
    [InlineData("""{"email":"a\u0000@b.example","password":"x"}""", "email")]
    [InlineData("""{"email":"a@b.example\n","password":"x\ud800"}""", "password")]
    [InlineData("""{"email":"a\ufffe@b.example","password":"x"}""", "email")]
    [InlineData("""{"email":"\udc00@b.example","password":"x"}""", "email")]
    [InlineData("""{"email":null,"password":"x"}""", "email")]
    [InlineData("""{"email":"a@b.example","password":12345678}""", "password")]
    [InlineData("""{"email":"a@b.example","password":"x","remember":true}""", "remember")]
    public async Task A_sign_in_that_cannot_be_read_is_refused_with_the_field(string json, string field)
    {
        var endpoints = new SessionEndpoints(null!, null!, null!, null!, null!, TimeProvider.System);
        var problem = await Assert.ThrowsAsync<ApiProblem>(() => endpoints.LoginAsync(Post(json).Request, TestContext.Current.CancellationToken));
        Assert.Equal(400, problem.Status);
        Assert.Contains($"'{field}'", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_password_of_more_than_256_characters_is_refused_before_it_costs_anything()
    {
        var endpoints = new SessionEndpoints(null!, null!, null!, null!, null!, TimeProvider.System);
        var problem = await Assert.ThrowsAsync<ApiProblem>(() =>
            endpoints.LoginAsync(Post($$"""{"email":"a@b.example","password":"{{new string('x', 257)}}"}""").Request, TestContext.Current.CancellationToken));
        Assert.Equal(["'password' must have 1 to 256 characters."], problem.Errors!["password"]);
    }

    [Theory]
    [InlineData("""{"name":"","scopes":["read"]}""", "name")]
    [InlineData("""{"name":"   ","scopes":["read"]}""", "name")]
    [InlineData("""{"name":"a\u0000b","scopes":["read"]}""", "name")]
    [InlineData("""{"name":"n","scopes":[]}""", "scopes")]
    [InlineData("""{"name":"n","scopes":["root"]}""", "scopes")]
    [InlineData("""{"name":"n","scopes":["read","READ"]}""", "scopes")]
    [InlineData("""{"name":"n","scopes":[null]}""", "scopes")]
    [InlineData("""{"name":"n","scopes":["read"],"expiresAt":"2026-11-21T12:00:00Z"}""", "expiresAt")]
    [InlineData("""{"name":"n","scopes":["read"],"expiresAt":"tomorrow"}""", "expiresAt")]
    [InlineData("""{"name":"n","scopes":["read"],"scope":"push"}""", "scope")]
    public async Task A_token_that_cannot_be_made_as_asked_is_refused_with_the_field(string json, string field)
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero));
        var endpoints = new TokenEndpoints(null!, null!, null!, time);
        var problem = await Assert.ThrowsAsync<ApiProblem>(() => endpoints.CreateAsync(Post(json).Request, TestContext.Current.CancellationToken));
        Assert.Equal(400, problem.Status);
        Assert.Contains($"'{field}'", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fresh_tokens_have_256_bits_and_are_kept_as_a_hash_only()
    {
        var tokens = Enumerable.Range(0, 100).Select(_ => TokenHash.Fresh("kpi_")).ToList();
        Assert.Equal(100, tokens.Distinct().Count());
        Assert.All(tokens, token => Assert.Matches("^kpi_[A-Za-z0-9_-]{43}$", token));
        Assert.Equal("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", Convert.ToHexStringLower(TokenHash.Of("test")));
    }
}
