using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Lumora.Chain.Notes;
using NSec.Cryptography;

namespace Lumora.Chain.Verification;

/// <summary>A signature that was checked and is good.</summary>
/// <param name="Key">Who signed.</param>
/// <param name="CosignedAt">When a witness says that it signed; null for a log's own signature.</param>
public sealed record GoodSignature(VerifierKey Key, DateTimeOffset? CosignedAt);

/// <summary>Checks the signatures of notes by the rules of C2SP signed-note.</summary>
public static class NoteVerifier
{
    private const int SignatureBytes = 64;

    /// <summary>The signatures of <paramref name="note"/> by <paramref name="keys"/>, one for each key.</summary>
    /// <exception cref="VerificationException">A known key's signature is bad, or no known key signed.</exception>
    public static IReadOnlyList<GoodSignature> Verify(SignedNote note, IReadOnlyCollection<VerifierKey> keys)
    {
        var good = new List<GoodSignature>();
        foreach (var signature in note.Signatures)
        {
            // "Verifiers MUST ignore signatures from unknown keys, even if they share a name with a known key."
            var key = keys.FirstOrDefault(signature.IsOf);
            if (key is null)
                continue;
            // "If a known key's signature fails to verify, the note MUST be rejected."
            if (FaultOf(note.Text, signature.Signature.Span, key, out var cosignedAt) is { } fault)
                throw new VerificationException($"The signature of {key.Name} (key id {key.Id:x8}) {fault}.");
            if (good.All(other => !other.Key.Equals(key)))
                good.Add(new GoodSignature(key, cosignedAt));
        }

        return good.Count > 0
            ? good
            : throw new VerificationException("No known key has signed the note.");
    }

    /// <summary>
    /// Reads a checkpoint that <paramref name="log"/> has signed. Cosignatures by <paramref name="witnesses"/> are checked
    /// too; whether there are enough of them is for the caller's policy.
    /// </summary>
    /// <exception cref="FormatException">The bytes are no checkpoint.</exception>
    /// <exception cref="VerificationException">The log has not signed it, or a known signature is bad.</exception>
    public static VerifiedCheckpoint VerifyCheckpoint(
        ReadOnlySpan<byte> bytes, VerifierKey log, params IReadOnlyCollection<VerifierKey> witnesses) =>
        VerifyCheckpoint(bytes, [log], witnesses);

    /// <summary>
    /// Reads a checkpoint that one of <paramref name="logs"/> has signed: a log whose key is being replaced has two, and a policy
    /// may name several logs. What unknown keys have signed is ignored.
    /// </summary>
    /// <exception cref="FormatException">The bytes are no checkpoint.</exception>
    /// <exception cref="VerificationException">No log of the set has signed it, or a known signature is bad.</exception>
    public static VerifiedCheckpoint VerifyCheckpoint(
        ReadOnlySpan<byte> bytes, IReadOnlyCollection<VerifierKey> logs, IReadOnlyCollection<VerifierKey> witnesses)
    {
        var note = SignedNote.Parse(bytes);
        var good = Verify(note, [.. logs, .. witnesses]);
        var signers = good.Where(signature => logs.Contains(signature.Key)).Select(signature => signature.Key).ToList();
        if (signers.Count == 0)
            throw new VerificationException($"The log {string.Join(" or ", logs.Select(log => log.Name).Distinct(StringComparer.Ordinal))} has not signed the checkpoint.");
        var checkpoint = Checkpoint.Parse(note.Text);
        // Our key names are the origins (tlog-checkpoint: "The log's key name SHOULD be the origin").
        if (signers.All(log => log.Name != checkpoint.Origin))
            throw new VerificationException($"The checkpoint is of {checkpoint.Origin}, not of {signers[0].Name}.");
        return new VerifiedCheckpoint(checkpoint, note, [.. good.Where(signature => signature.CosignedAt is not null)]);
    }

    /// <summary>What is wrong with a known key's signature, or null when it is good.</summary>
    private static string? FaultOf(string text, ReadOnlySpan<byte> signature, VerifierKey key, out DateTimeOffset? cosignedAt)
    {
        cosignedAt = null;
        var expected = key.Kind switch
        {
            SignatureKind.Ed25519 => SignatureBytes,
            SignatureKind.MlDsa44 => CosignatureV1.TimeBytes + MlDsa44.SignatureBytes,
            _ => CosignatureV1.TimeBytes + SignatureBytes,
        };
        if (signature.Length != expected)
            return string.Create(CultureInfo.InvariantCulture, $"has {signature.Length} bytes, not {expected}");
        if (key.Kind == SignatureKind.Ed25519)
            return IsGood(key, Encoding.UTF8.GetBytes(text), signature) ? null : "is bad";
        var seconds = BinaryPrimitives.ReadInt64BigEndian(signature);
        if (seconds < 0 || seconds > DateTimeOffset.MaxValue.ToUnixTimeSeconds())
            return string.Create(CultureInfo.InvariantCulture, $"is of the time {unchecked((ulong)seconds)}, which is none");
        cosignedAt = DateTimeOffset.FromUnixTimeSeconds(seconds);
        if (key.Kind != SignatureKind.MlDsa44)
            return IsGood(key, CosignatureV1.Message(seconds, text), signature[CosignatureV1.TimeBytes..]) ? null : "is bad";
        // tlog-cosignature: at time 0 the witness says nothing of the largest tree, and a policy counts no such signature.
        if (seconds == 0)
            return "is of no time";
        return SubtreeV1.Message(key.Name, seconds, text) is { } message
            ? MlDsa44.Verifies(key.PublicKey, message, signature[CosignatureV1.TimeBytes..]) ? null : "is bad"
            : "is on no checkpoint";
    }

    private static bool IsGood(VerifierKey key, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) =>
        PublicKey.TryImport(SignatureAlgorithm.Ed25519, key.PublicKey, KeyBlobFormat.RawPublicKey, out var publicKey)
        && SignatureAlgorithm.Ed25519.Verify(publicKey!, message, signature);
}

/// <summary>A checkpoint whose log signature is good.</summary>
/// <param name="Checkpoint">What it says.</param>
/// <param name="Note">The note it came in.</param>
/// <param name="Cosignatures">Good signatures of the witnesses that were asked for.</param>
public sealed record VerifiedCheckpoint(Checkpoint Checkpoint, SignedNote Note, IReadOnlyList<GoodSignature> Cosignatures);
