using Lumora.Chain.Notes;
using Lumora.Domain.Log;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Verification;

/// <summary>What an offline check of one entry has shown.</summary>
/// <param name="Index">The entry's place in the log.</param>
/// <param name="Leaf">The event, read from the entry's bytes.</param>
/// <param name="Checkpoint">The signed checkpoint that covers it.</param>
public sealed record VerifiedEntry(long Index, DecodedLeaf Leaf, VerifiedCheckpoint Checkpoint);

/// <summary>Checks a <c>.tlog-proof</c> against an entry's bytes and the log's key, with no network.</summary>
public static class LogProofVerifier
{
    /// <summary>Checks the log's signature, then that <paramref name="entry"/> stands where the proof says.</summary>
    /// <exception cref="FormatException">The proof or the entry has the wrong form.</exception>
    /// <exception cref="VerificationException">The signature or the path does not hold.</exception>
    public static VerifiedEntry Verify(
        ReadOnlySpan<byte> proof, ReadOnlySpan<byte> entry, VerifierKey log, params IReadOnlyCollection<VerifierKey> witnesses)
    {
        var parsed = TlogProof.Parse(proof);
        var checkpoint = NoteVerifier.VerifyCheckpoint(parsed.Checkpoint.Span, log, witnesses);
        ProofVerifier.VerifyInclusion(
            MerkleHash.OfLeaf(entry), parsed.Index, checkpoint.Checkpoint.Size, parsed.Path, checkpoint.Checkpoint.Root);
        return new VerifiedEntry(parsed.Index, Leaf.Decode(entry.ToArray()), checkpoint);
    }
}
