using KpiDashboard.Api;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Access;

/// <summary>
/// What somebody gains or takes away for good, whichever route leads there. A route says which it always exercises (<see cref="RequiresAttribute.Power"/>) and
/// which it may, depending on what is asked (<see cref="RequiresAttribute.Powers"/>); what each takes stands once, in <see cref="PowerTable"/>.
/// </summary>
public enum Power
{
    /// <summary>Nothing of the kind.</summary>
    None,

    /// <summary>Give somebody an owner's rights: hand over, change a role, reactivate an owner, invite somebody as one.</summary>
    MakeOwner,

    /// <summary>Take an owner's rights away: change the role, deactivate, remove.</summary>
    UnmakeOwner,

    /// <summary>Take all data of the business out: make an export, download one.</summary>
    TakeDataOut,

    /// <summary>Have the business deleted.</summary>
    DeleteBusiness,

    /// <summary>Make a token, which works without anybody signing in.</summary>
    MakeToken,

    /// <summary>Say which source is read with which credentials: connect, connect again, give a key.</summary>
    ConnectSource,

    /// <summary>Cut a source off.</summary>
    DisconnectSource,

    /// <summary>No longer ask the people of the business for a second factor.</summary>
    WaiveSecondFactor,

    /// <summary>Set the own second factor up, make recovery codes, turn it off.</summary>
    ChangeSecondFactor,

    /// <summary>Erase the own account.</summary>
    EraseAccount,
}

/// <summary>What exercising a power takes besides the permission.</summary>
internal enum Proof
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Who it is, within the last 15 minutes; where the account has a second factor, in a session that gave a code of it.</summary>
    Fresh,

    /// <summary>The same, and where the account has a second factor, a code of it within the last 15 minutes.</summary>
    FreshFactor,
}

/// <summary>The one table of powers.</summary>
internal static class PowerTable
{
    private static readonly Dictionary<Power, (Proof Proof, string Words)> Table = new()
    {
        [Power.MakeOwner] = (Proof.Fresh, "Make somebody an owner: hand the business over, give the role, reactivate an owner, invite one"),
        [Power.UnmakeOwner] = (Proof.Fresh, "Take the owner's role away from somebody, deactivate or remove an owner"),
        [Power.TakeDataOut] = (Proof.Fresh, "Export all data of the business, and download such an export"),
        [Power.DeleteBusiness] = (Proof.Fresh, "Have the business deleted"),
        [Power.MakeToken] = (Proof.Fresh, "Make an API or webhook token"),
        [Power.ConnectSource] = (Proof.Fresh, "Connect a source, or change what it is read with"),
        [Power.DisconnectSource] = (Proof.Fresh, "Disconnect a source"),
        [Power.WaiveSecondFactor] = (Proof.Fresh, "No longer ask the people of the business for a second factor"),
        [Power.ChangeSecondFactor] = (Proof.FreshFactor, "Set the own second factor up, make recovery codes, turn it off"),
        [Power.EraseAccount] = (Proof.Fresh, "Erase the own account"),
    };

    /// <summary>Every power with what it takes, in the order of the documentation.</summary>
    public static IReadOnlyDictionary<Power, (Proof Proof, string Words)> All => Table;

    /// <summary>What a power takes.</summary>
    public static Proof Of(Power power) => power is Power.None ? Proof.None : Table[power].Proof;

    /// <summary>Refuses a request that exercises a power without what it takes; nothing must have been written by then.</summary>
    /// <param name="request">The request.</param>
    /// <param name="power">What it is about to do.</param>
    /// <exception cref="ApiProblem">403 <c>confirm-identity</c>: the page asks for the password or a code, and tries again.</exception>
    public static void Demand(this HttpRequest request, Power power)
    {
        var admission = request.HttpContext.Features.Get<Admission>() ?? throw ApiProblem.Forbidden("A token belongs to a business and not to a person; sign in for this.");
        if (admission.Required.Power != power && !admission.Required.Powers.Contains(power))
            throw new InvalidOperationException($"A route exercises {power} and does not say so in its [Requires].");
        admission.Demand(power);
    }
}

/// <summary>How a person was let in: for the powers that a request turns out to exercise.</summary>
/// <param name="Required">What the route says.</param>
/// <param name="Now">When it was let in.</param>
/// <param name="AuthenticatedAt">When the person last proved who it is in this session.</param>
/// <param name="SecondFactor">The account has a second factor.</param>
/// <param name="FactorAt">When this session last gave a code of it; null: never.</param>
internal sealed record Admission(RequiresAttribute Required, DateTimeOffset Now, DateTimeOffset AuthenticatedAt, bool SecondFactor, DateTimeOffset? FactorAt)
{
    /// <summary>How long after a sign-in what is dangerous needs no new proof.</summary>
    private static readonly TimeSpan FreshFor = TimeSpan.FromMinutes(15);

    /// <inheritdoc cref="PowerTable.Demand"/>
    public void Demand(Power power)
    {
        var proof = PowerTable.Of(power);
        if (proof is Proof.None) return;
        var factorIsStale = SecondFactor && (FactorAt is not { } given || (proof is Proof.FreshFactor && Now - given > FreshFor));
        // A code alone proves both: it is asked for where the password would not be enough.
        if (factorIsStale) throw ApiProblem.ConfirmIdentity(code: true);
        if (Now - AuthenticatedAt > FreshFor) throw ApiProblem.ConfirmIdentity(code: false);
    }
}
