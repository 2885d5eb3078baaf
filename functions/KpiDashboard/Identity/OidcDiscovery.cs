using System.Collections.Concurrent;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace KpiDashboard.Identity;

/// <summary>A sign-in through a provider that cannot go on. The message is for our log; the person is told by a word that the page knows.</summary>
/// <param name="problem">One of <see cref="OidcProblems"/>.</param>
/// <param name="reason">Why, in our words: never what the provider sent.</param>
/// <param name="inner">The fault below.</param>
internal sealed class OidcException(string problem, string reason, Exception? inner = null) : Exception(reason, inner)
{
    /// <summary>What the page is told.</summary>
    public string Problem => problem;
}

/// <summary>Why a sign-in through a provider ended, as <c>/sign-in?problem=…</c> says it; stable.</summary>
internal static class OidcProblems
{
    public const string Cancelled = "cancelled", Expired = "expired", Provider = "provider", Unverified = "unverified", NoAccount = "no-account", Deactivated = "deactivated";
}

/// <summary>
/// What providers publish about themselves: addresses and signing keys. Kept for twelve hours; a key that is not among them makes it be read again at once,
/// but not more than once a minute, because anybody can send a token with a made-up key id.
/// </summary>
/// <remarks>Not <c>ConfigurationManager</c>: its refresh runs in the background (since 8.0), so that the very sign-in that met the new key would fail.</remarks>
internal sealed class OidcDiscovery(IHttpClientFactory clients, TimeProvider time)
{
    internal static readonly TimeSpan Lifetime = TimeSpan.FromHours(12), ForcedInterval = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>The provider's addresses and keys.</summary>
    /// <param name="provider">The provider.</param>
    /// <param name="anew">Something is missing in what is kept.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="OidcException">They cannot be read, and none are kept.</exception>
    public async Task<OpenIdConnectConfiguration> GetAsync(OidcProvider provider, bool anew, CancellationToken cancellationToken)
    {
        var entry = _entries.GetOrAdd(provider.Issuer, _ => new Entry());
        if (!anew && entry.Fresh(time.GetUtcNow()) is { } fresh) return fresh;
        await entry.Gate.WaitAsync(cancellationToken);
        try
        {
            var now = time.GetUtcNow();
            if (!anew && entry.Fresh(now) is { } meanwhile) return meanwhile;
            if (anew && entry.Configuration is { } kept && (now - entry.ForcedAt).Duration() < ForcedInterval) return kept;
            if (anew) entry.ForcedAt = now;
            try
            {
                entry.Configuration = await ReadAsync(provider, cancellationToken);
                entry.FetchedAt = now;
            }
            catch (OidcException) when (entry.Configuration is not null)
            {
                // Old keys are as good as they were; asked again in a minute.
                entry.FetchedAt = now - Lifetime + ForcedInterval;
            }

            return entry.Configuration;
        }
        finally
        {
            entry.Gate.Release();
        }
    }

    private async Task<OpenIdConnectConfiguration> ReadAsync(OidcProvider provider, CancellationToken cancellationToken)
    {
        OpenIdConnectConfiguration found;
        try
        {
            var documents = new HttpDocumentRetriever(clients.CreateClient(OidcClient.HttpClientName)) { RequireHttps = !provider.IsLocal };
            found = await OpenIdConnectConfigurationRetriever.GetAsync($"{provider.Issuer.TrimEnd('/')}/.well-known/openid-configuration", documents, cancellationToken);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            throw new OidcException(OidcProblems.Provider, "its discovery document or its keys cannot be read", error);
        }

        var issuer = provider.IsEveryDirectory ? OidcTokens.EveryDirectory : provider.Issuer;
        if (found.Issuer != issuer) throw new OidcException(OidcProblems.Provider, "its discovery document names another issuer");
        if (!provider.Allows(found.AuthorizationEndpoint) || !provider.Allows(found.TokenEndpoint) || found.SigningKeys.Count == 0)
            throw new OidcException(OidcProblems.Provider, "its discovery document lacks an address or keys");
        return found;
    }

    private sealed class Entry
    {
        public SemaphoreSlim Gate { get; } = new(1);

        public OpenIdConnectConfiguration? Configuration { get; set; }

        public DateTimeOffset FetchedAt { get; set; }

        public DateTimeOffset ForcedAt { get; set; }

        public OpenIdConnectConfiguration? Fresh(DateTimeOffset now) => Configuration is { } kept && now - FetchedAt < Lifetime ? kept : null;
    }
}
