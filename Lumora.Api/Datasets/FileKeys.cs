using System.Security.Cryptography;
using System.Text;
using Lumora.Domain.Kernel;

namespace Lumora.Api.Datasets;

/// <summary>
/// Wraps age file keys for their rest in the database: AES-256-GCM under the operator's key, bound to the dataset,
/// version and file, so that a wrapped key moved to another row opens nothing. Layout: nonce (12) ‖ sealed key (16) ‖ tag (16).
/// </summary>
internal static class FileKeys
{
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    /// <summary>Wraps <paramref name="fileKey"/> for <paramref name="place"/> (<c>datasetId/version/file</c>).</summary>
    public static byte[] Wrap(ReadOnlySpan<byte> fileKey, string place, ReadOnlySpan<byte> operatorKey)
    {
        var wrapped = new byte[NonceBytes + fileKey.Length + TagBytes];
        var nonce = wrapped.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var cipher = new AesGcm(operatorKey, TagBytes);
        cipher.Encrypt(nonce, fileKey, wrapped.AsSpan(NonceBytes, fileKey.Length), wrapped.AsSpan(^TagBytes), Bind(place));
        return wrapped;
    }

    /// <summary>The key that was wrapped for <paramref name="place"/>.</summary>
    /// <exception cref="AuthenticationTagMismatchException">Another operator key, another place, or changed bytes.</exception>
    public static byte[] Unwrap(ReadOnlySpan<byte> wrapped, string place, ReadOnlySpan<byte> operatorKey)
    {
        Check.That(wrapped.Length > NonceBytes + TagBytes);
        var fileKey = new byte[wrapped.Length - NonceBytes - TagBytes];
        using var cipher = new AesGcm(operatorKey, TagBytes);
        cipher.Decrypt(
            wrapped[..NonceBytes], wrapped[NonceBytes..^TagBytes], wrapped[^TagBytes..], fileKey, Bind(place));
        return fileKey;
    }

    private static byte[] Bind(string place) => Encoding.UTF8.GetBytes($"lumora/file-key/1\n{place}");
}
