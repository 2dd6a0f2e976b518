using System.Security.Cryptography;
using Lumora.Cli.Logs;
using Lumora.Domain.Kernel;
using Lumora.Domain.Log;

namespace Lumora.Cli.Audit;

/// <summary>Reads data that was too long for its leaf.</summary>
internal static class DetachedReading
{
    /// <summary>The data that a leaf names by SHA-256 and length, or what is wrong with it.</summary>
    public static async Task<(ReadOnlyMemory<byte>? Data, string? Fault)> ReadAsync(
        ILogSource source, DetachedData detached, CancellationToken cancellationToken)
    {
        var path = $"data/{detached.Sha256}";
        if (await source.ReadAsync(path, cancellationToken) is not { } bytes)
            return (null, $"its data {path} is missing");
        if (bytes.Length != detached.Length || Convert.ToHexStringLower(SHA256.HashData(bytes)) != detached.Sha256)
            return (null, $"its data {path} has other bytes than the entry names");
        try
        {
            // As in a leaf: one spelling, and every text in it is Unicode.
            return CanonicalJson.Canonicalize(bytes).AsSpan().SequenceEqual(bytes)
                ? (bytes, null)
                : (null, $"its data {path} is not canonical JSON");
        }
        catch (FormatException exception)
        {
            return (null, $"its data {path} is not canonical JSON: {exception.Message}");
        }
    }
}
