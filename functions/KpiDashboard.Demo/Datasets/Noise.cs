namespace KpiDashboard.Demo.Datasets;

/// <summary>Chance that is the same every time: a number is a function of what it is about, so a day looks the same whenever it is asked for.</summary>
internal static class Noise
{
    /// <summary>Evenly spread over 0 ≤ x &lt; 1.</summary>
    public static double Unit(int seed, int a, int b = 0)
    {
        // SplitMix64's finaliser: neighbouring inputs give unrelated outputs.
        var x = ((ulong)(uint)seed << 32 | (uint)a) + (ulong)(uint)b * 0x9E3779B97F4A7C15UL;
        x += 0x9E3779B97F4A7C15UL;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9UL;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBUL;
        return ((x ^ (x >> 31)) >> 11) * (1.0 / (1UL << 53));
    }

    /// <summary>Evenly spread between two numbers.</summary>
    public static double Between(double low, double high, int seed, int a, int b = 0) => low + (high - low) * Unit(seed, a, b);
}
