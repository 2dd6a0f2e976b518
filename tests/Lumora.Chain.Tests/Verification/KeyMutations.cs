using Lumora.Chain.Notes;

namespace Lumora.Chain.Tests.Verification;

/// <summary>A verifier key's text and its verdict.</summary>
internal sealed record KeyVector(string Desc, string Vkey, bool WantErr, string? Reason) : IVector;

/// <summary>Good verifier keys and ways to misspell them.</summary>
internal static class KeyMutations
{
    private const string Example = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    private const string NoForm = "is written name+id+key";
    private const string NoKey = "holds no Ed25519 key";
    private const string NoId = "does not have the id that it says";

    /// <summary>All cases.</summary>
    public static IEnumerable<KeyVector> All()
    {
        var key = Convert.FromBase64String(Example.Split('+', 3)[2])[1..];
        foreach (var vkey in (string[])[Example, GoldenLog.LogKey, GoldenLog.WitnessKey, Forge.Vkey("имя/é", 1, key), Forge.Vkey("x", 4, key)])
            yield return new KeyVector($"good: {vkey}", vkey, false, null);
        foreach (var vkey in (string[])
            ["", "+", "++", "example.com/foo", "example.com/foo+530d903a", "+530d903a" + Example[24..], " " + Example, "\t" + Example, "example.com/foo " + Example[15..],
                "exa mple" + Example[7..], "exa\u00a0mple" + Example[7..], "exa\u2003mple" + Example[7..], "exa\u0000mple" + Example[7..], "exa\u001bmple" + Example[7..],
                "exa\nmple" + Example[7..], Example.Replace('+', ' ')])
            yield return Refused("form", vkey, NoForm);
        foreach (var vkey in (string[])
            [Example + "=", Example + "\n", Example + " ", Example + "A", Example[..^1], Example[..^4], Example + "AAAA", Example.Insert(30, " "),
                Example.Insert(30, "\n"), "example.com/foo+530d903a+", "example.com/foo+530d903a+AQ==", Example[..^2] + "_k", Example + "+" + Example])
            yield return Refused("key", vkey, NoKey);
        foreach (var vkey in (string[])
            [Example.Replace("530d903a", "530d903b", StringComparison.Ordinal), Example.Replace("530d903a", "530D903A", StringComparison.Ordinal),
                Example.Replace("530d903a", "", StringComparison.Ordinal), Example.Replace("530d903a", "30d903a", StringComparison.Ordinal),
                Example.Replace("530d903a", "0530d903a", StringComparison.Ordinal), Example.Replace("530d903a", "0x530d903a", StringComparison.Ordinal),
                Example.Replace("530d903a", "530d903a ", StringComparison.Ordinal), Example.Replace("example", "Example", StringComparison.Ordinal),
                Example.Replace("Aeky", "Aekz", StringComparison.Ordinal), Example.Replace("Aeky", "BOky", StringComparison.Ordinal)])
            yield return Refused("id", vkey, NoId);
        foreach (var type in (byte[])[0, 2, 3, 5, 7, 0x81, 0xff])
            yield return Refused("type", Forge.Vkey("example.com/foo", type, key), $"has the unknown type {type}");
        var mlDsa = MlDsa44.PublicKey([.. Enumerable.Repeat((byte)6, 32)]);
        yield return new KeyVector("good: ML-DSA-44", Forge.Vkey("witness.example/pq", 6, mlDsa), false, null);
        yield return new KeyVector("ML-DSA-44 with one bit changed", Forge.Vkey("witness.example/pq", 6, mlDsa).Insert(60, "A").Remove(61, 1), true, NoId);
        foreach (var (desc, bytes) in ((string, byte[])[])[("32 bytes", key), ("one byte short", mlDsa[..^1]), ("one byte long", [.. mlDsa, 0]), ("none", [])])
            yield return new KeyVector($"ML-DSA-44 of {desc}", Forge.Vkey("witness.example/pq", 6, bytes), true, "holds no ML-DSA-44 key");
        yield return new KeyVector("an ML-DSA-44 key as one of Ed25519", Forge.Vkey("witness.example/pq", 4, mlDsa), true, NoKey);
    }

    private static KeyVector Refused(string what, string vkey, string reason) => new($"{what}: {vkey}", vkey, true, reason);
}
