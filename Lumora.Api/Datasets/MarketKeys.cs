using System.Security.Cryptography;
using Lumora.Domain.Purchases;
using Lumora.Projections.Hosting;

namespace Lumora.Api.Datasets;

/// <summary>The market's own secrets: files of mode 0600 in the keys folder, made at the first start.</summary>
public sealed class MarketKeys
{
    private readonly byte[] tokens;
    private readonly byte[] files;

    /// <summary>Reads the keys, or makes them.</summary>
    public MarketKeys(LumoraHome home)
    {
        tokens = Read(home, "market-tokens.key");
        files = Read(home, "dataset-files.key");
    }

    /// <summary>Signs quotes and grants.</summary>
    public ReadOnlySpan<byte> Tokens => tokens;

    /// <summary>Wraps file keys.</summary>
    public ReadOnlySpan<byte> Files => files;

    private static byte[] Read(LumoraHome home, string name)
    {
        var path = Path.Combine(home.Keys, name);
        var key = SecretFile.ReadOrCreate(path, () => RandomNumberGenerator.GetBytes(SignedToken.KeyBytes));
        return key.Length == SignedToken.KeyBytes
            ? key
            : throw new InvalidOperationException($"The key file {path} must hold {SignedToken.KeyBytes} bytes.");
    }
}
