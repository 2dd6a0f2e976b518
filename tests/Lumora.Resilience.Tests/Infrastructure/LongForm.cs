namespace Lumora.Resilience.Tests.Infrastructure;

/// <summary>Whether the long forms run (<c>LUMORA_LONG=1</c>), and seeds that can be given again (<c>LUMORA_SEED</c>).</summary>
internal static class LongForm
{
    /// <summary>True when the long forms run.</summary>
    public static bool IsAsked => Environment.GetEnvironmentVariable("LUMORA_LONG") == "1";

    /// <summary>A source of chance whose seed stands in the test's output.</summary>
    public static Random NewRandom()
    {
        var invariant = System.Globalization.CultureInfo.InvariantCulture;
        var seed = int.TryParse(Environment.GetEnvironmentVariable("LUMORA_SEED"), invariant, out var given)
            ? given
            : Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"LUMORA_SEED={seed.ToString(invariant)}");
        return new Random(seed);
    }
}
