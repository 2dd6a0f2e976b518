using Lumora.Chain.Notes;
using Lumora.Chain.Verification;

namespace Lumora.Chain.Witnesses;

/// <summary>A good cosignature by a witness of the policy.</summary>
/// <param name="Witness">Who cosigned.</param>
/// <param name="At">When, by the witness's clock: as of then this was the largest consistent tree that it saw.</param>
public sealed record WitnessCosignature(PolicyWitness Witness, DateTimeOffset At);

/// <summary>A checkpoint that a log has signed, held against a policy.</summary>
/// <param name="Checkpoint">What it says.</param>
/// <param name="Note">The note it came in.</param>
/// <param name="Cosignatures">Who of the policy's witnesses has cosigned it, in the order of the policy.</param>
/// <param name="IsQuorumMet">Whether they are enough: only then is the checkpoint valid under the policy.</param>
public sealed record WitnessedCheckpoint(
    Checkpoint Checkpoint, SignedNote Note, IReadOnlyList<WitnessCosignature> Cosignatures, bool IsQuorumMet);

/// <summary>Checks signed checkpoints against a policy, with no network.</summary>
public static class PolicyVerifier
{
    /// <summary>Checks the signature of one of the policy's logs and all cosignatures of its witnesses.</summary>
    /// <exception cref="FormatException">The bytes are no checkpoint.</exception>
    /// <exception cref="VerificationException">No log of the policy has signed, or a known signature is bad.</exception>
    public static WitnessedCheckpoint Verify(ReadOnlySpan<byte> note, WitnessPolicy policy) =>
        Verify(note, policy, policy.LogKeys);

    /// <summary>
    /// The same for logs that are known from elsewhere: a policy need not list any. Two keys of one name are a log whose key is
    /// being replaced; either signature will do.
    /// </summary>
    /// <exception cref="FormatException">The bytes are no checkpoint.</exception>
    /// <exception cref="VerificationException">None of <paramref name="logs"/> has signed, or a known signature is bad.</exception>
    public static WitnessedCheckpoint Verify(
        ReadOnlySpan<byte> note, WitnessPolicy policy, IReadOnlyCollection<VerifierKey> logs)
    {
        if (logs.Count == 0)
            throw new VerificationException("The policy lists no log, and none was given.");
        var verified = NoteVerifier.VerifyCheckpoint(note, logs, policy.WitnessKeys);
        var cosignatures = policy.Witnesses
            .Join(verified.Cosignatures, witness => witness.Key, good => good.Key, (witness, good) => new WitnessCosignature(witness, good.CosignedAt!.Value))
            .ToList();
        return new WitnessedCheckpoint(
            verified.Checkpoint, verified.Note, cosignatures,
            policy.IsQuorumMet(cosignatures.Select(cosignature => cosignature.Witness.Name)));
    }
}
