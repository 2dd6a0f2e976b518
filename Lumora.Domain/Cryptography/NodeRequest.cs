using Lumora.Domain.Kernel;

namespace Lumora.Domain.Cryptography;

/// <summary>
/// What the node protocol asks of a signature: it covers everything that decides the request's meaning, and it is
/// fresh. The same rules sign and verify. The nonce's uniqueness is for the server's replay guard.
/// </summary>
public static class NodeRequest
{
    /// <summary>How far <c>created</c> may lie from the server's clock, either way, in seconds.</summary>
    public const int SkewSecondsMax = 60;

    /// <summary>A field that a signature must cover when the request has it: where a chunk goes.</summary>
    public const string UploadOffsetField = "upload-offset";

    private const int NonceLengthMin = 16;
    private const int NonceLengthMax = 64;

    /// <summary>The components that a signature of <paramref name="request"/> covers, in order.</summary>
    public static IReadOnlyList<string> Components(SignableRequest request)
    {
        var components = new List<string> { "@method", "@authority", "@path", "@query" };
        foreach (var field in (ReadOnlySpan<string>)[ContentDigest.FieldName, UploadOffsetField])
        {
            if (request.Fields.ContainsKey(field))
                components.Add(field);
        }

        return components;
    }

    /// <summary>Signs <paramref name="request"/>, whose <c>content-digest</c> is set when it has a body.</summary>
    /// <param name="request">What will be sent.</param>
    /// <param name="nodeId">Base58 of the node's public key.</param>
    /// <param name="now">The node's clock.</param>
    /// <param name="nonce">16 to 64 characters, new for each request.</param>
    /// <param name="seed">The node's secret.</param>
    /// <param name="curve">Ed25519.</param>
    public static SignatureFields Sign(
        SignableRequest request, string nodeId, DateTimeOffset now, string nonce, ReadOnlySpan<byte> seed, ICurve25519 curve) =>
        HttpMessageSignature.Sign(
            request,
            new SignatureParameters(Components(request), now.ToUnixTimeSeconds(), null, nonce, nodeId),
            seed,
            curve);

    /// <summary>Verifies mathematics, coverage and freshness; the body's digest is compared by who reads the body.</summary>
    /// <returns>
    /// The parameters, or <c>signature_malformed</c>, <c>signature_key</c>, <c>signature_wrong</c>,
    /// <c>signature_incomplete</c>, <c>signature_expired</c>.
    /// </returns>
    public static Result<SignatureParameters> Verify(
        SignableRequest request, SignatureFields fields, DateTimeOffset now, Func<string, byte[]?> keyOf, ICurve25519 curve)
    {
        var verified = HttpMessageSignature.Verify(request, fields, keyOf, curve);
        if (verified.Value is not { } parameters)
            return verified;
        if (Components(request).Except(parameters.Components, StringComparer.Ordinal).FirstOrDefault() is { } missing)
            return new Rejection("signature_incomplete", $"The signature must cover \"{missing}\".");
        if (parameters.Nonce?.Length is not (>= NonceLengthMin and <= NonceLengthMax))
            return new Rejection("signature_incomplete", "The signature must carry a nonce of 16 to 64 characters.");
        var seconds = now.ToUnixTimeSeconds();
        if (Math.Abs(seconds - parameters.CreatedAt) > SkewSecondsMax || parameters.ExpiresAt < seconds)
            return new Rejection(
                "signature_expired",
                $"The signature was made at {parameters.CreatedAt}, this clock says {seconds}; " +
                $"at most {SkewSecondsMax} s may lie between.");
        return verified;
    }
}
