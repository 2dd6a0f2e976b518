using System.Security.Cryptography;
using Lumora.Projections.Hosting;

namespace Lumora.Chain.Log;

/// <summary>The file of a key that signs notes: a seed of 32 bytes, for its owner alone.</summary>
public static class NoteSeed
{
    /// <summary>Bytes of a seed.</summary>
    public const int Size = 32;

    /// <summary>Reads the seed in <paramref name="file"/>, or makes it.</summary>
    /// <exception cref="InvalidOperationException">Others than the owner may read it, or it is no seed.</exception>
    public static byte[] ReadOrCreate(string file) =>
        Checked(file, SecretFile.ReadOrCreate(file, () => RandomNumberGenerator.GetBytes(Size)));

    /// <summary>Reads the seed in <paramref name="file"/>.</summary>
    /// <exception cref="InvalidOperationException">Others than the owner may read it, or it is no seed.</exception>
    public static byte[] Read(string file) => Checked(file, SecretFile.Read(file));

    private static byte[] Checked(string file, byte[] seed) => seed.Length == Size
        ? seed
        : throw new InvalidOperationException($"The key file {file} does not hold {Size} bytes.");
}
