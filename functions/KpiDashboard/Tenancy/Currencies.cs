namespace KpiDashboard.Tenancy;

/// <summary>
/// Currencies of ISO 4217 and how many decimals their amounts have. The page has the same decimals in <c>static-web/src/lib/currency.ts</c>; a test compares them, so that
/// a sentence of the API and the tile beside it say one amount.
/// </summary>
internal static class Currencies
{
    /// <summary>Decimals of most currencies.</summary>
    public const int UsualDecimals = 2;

    // ISO 4217, list one of 2026-01: currencies in use, without funds, metals and test codes.
    private static readonly HashSet<string> InUse = Words(
        """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD
        EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK
        LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB
        RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD
        XCG XOF XPF YER ZAR ZMW ZWG
        """);

    // Left the list within the last years; a provider may still tell money in them, and that is not money in another currency.
    private static readonly HashSet<string> Withdrawn = Words("ANG BGN BYR CUC HRK LTL LVL MRO SLL STD VEB VEF ZMK ZWD ZWL");

    // ISO 4217's minor units, where they are not 2.
    private static readonly Dictionary<string, int> Unusual = new[]
    {
        (Decimals: 0, Codes: Words("BIF BYR CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF")),
        (Decimals: 3, Codes: Words("BHD IQD JOD KWD LYD OMR TND")),
    }.SelectMany(group => group.Codes.Select(code => KeyValuePair.Create(code, group.Decimals))).ToDictionary(StringComparer.Ordinal);

    /// <summary>Codes of the currencies that a business may have.</summary>
    public static IReadOnlyCollection<string> Codes => InUse;

    /// <summary>The currencies whose amounts do not have <see cref="UsualDecimals"/>.</summary>
    public static IReadOnlyDictionary<string, int> UnusualDecimals => Unusual;

    /// <summary>Whether it is the code of a currency in use.</summary>
    public static bool IsInUse(string? code) => code is not null && InUse.Contains(code);

    /// <summary>
    /// The code that a provider told if it is one of a currency, else null: what a provider says in its place (<c>(not set)</c>, nothing, <c>XXX</c>) must reach nobody
    /// as a currency.
    /// </summary>
    public static string? OrNull(string? code) => code?.Trim().ToUpperInvariant() is { } plain && (InUse.Contains(plain) || Withdrawn.Contains(plain)) ? plain : null;

    /// <summary>Decimals of an amount: 0 of yen, 3 of Kuwaiti dinars, 2 of what is not known.</summary>
    public static int Decimals(string? code) => code is not null && Unusual.TryGetValue(code, out var decimals) ? decimals : UsualDecimals;

    private static HashSet<string> Words(string codes) => [.. codes.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)];
}
