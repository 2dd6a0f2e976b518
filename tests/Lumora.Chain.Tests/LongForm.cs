namespace Lumora.Chain.Tests;

/// <summary>
/// How long the fuzzers and properties run (<c>LUMORA_LONG=1</c>: a hundred times as long), and a seed that can be given again: a
/// failure prints it, <c>LUMORA_SEED</c> repeats it.
/// </summary>
internal static class LongForm
{
    /// <summary>True when the long forms run.</summary>
    public static bool IsAsked => Environment.GetEnvironmentVariable("LUMORA_LONG") == "1";

    /// <summary>The seed of the first iteration, or null for a fresh one.</summary>
    public static string? Seed => Environment.GetEnvironmentVariable("LUMORA_SEED");

    /// <summary>Iterations: <paramref name="few"/>, or a hundred times as many.</summary>
    public static int Iterations(int few) => IsAsked ? few * 100 : few;
}
