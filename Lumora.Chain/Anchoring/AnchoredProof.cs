using Lumora.Chain.Notes;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Programs;
using Lumora.Chain.Verification;
using Lumora.Chain.Witnesses;

namespace Lumora.Chain.Anchoring;

/// <summary>What somebody who checks a composed proof knows from elsewhere: the trust file of the network.</summary>
/// <param name="Policy">Keys of the logs and witnesses.</param>
/// <param name="Payers">Addresses of the anchor key, base58; empty: anybody's transaction will do.</param>
/// <param name="GenesisHash">The cluster; null: any.</param>
public sealed record ComposedTrust(WitnessPolicy Policy, IReadOnlyCollection<string> Payers, string? GenesisHash);

/// <summary>
/// Checks composed proofs whole, with no network: both logs and the anchor's transaction. That the transaction is final on its
/// cluster needs the chain: ask it for the signature.
/// </summary>
public static class AnchoredProof
{
    /// <summary>Checks a file. Where its anchor is null, the two logs alone are shown.</summary>
    /// <exception cref="FormatException">The file or a part of it has the wrong form; the message names the part.</exception>
    /// <exception cref="VerificationException">A part does not hold; the message names it and says why.</exception>
    public static VerifiedComposedProof Verify(ReadOnlySpan<byte> file, ComposedTrust trust)
    {
        var verified = ComposedProofVerifier.Verify(file, trust.Policy);
        if (verified.Proof.Anchor is { } anchor)
            ComposedProofVerifier.Part("anchor", () => Check(anchor, verified.Global.Checkpoint, trust));
        return verified;
    }

    private static bool Check(AnchorEvidence anchor, WitnessedCheckpoint checkpoint, ComposedTrust trust)
    {
        if (trust.GenesisHash is { } genesis)
            ComposedProofVerifier.Demand(
                anchor.GenesisHash == genesis, $"it is on the cluster {anchor.GenesisHash}, not on {genesis}.");
        ComposedProofVerifier.Demand(
            StrictText.TryBase64(anchor.Transaction, out var bytes), "its transaction is no canonical base64.");
        var transaction = Transaction.Deserialize(bytes);
        ComposedProofVerifier.Demand(transaction.Signature == anchor.Signature, $"its transaction is {transaction.Signature}, not {anchor.Signature}.");
        ComposedProofVerifier.Demand(transaction.SignaturesVerify(), "a signature of its transaction is bad.");
        var payer = transaction.Message.AccountKeys[0].Key;
        ComposedProofVerifier.Demand(
            trust.Payers.Count == 0 || trust.Payers.Contains(payer, StringComparer.Ordinal), $"its transaction is paid for by {payer}, not by the anchor key.");
        var memos = transaction.DataFor(MemoProgram.ProgramId).ToList();
        ComposedProofVerifier.Demand(memos.Count == 1, $"its transaction has {memos.Count} memos, not one.");
        // The memo is the log's own note; what is proven may carry cosignatures besides.
        var memo = PolicyVerifier.Verify(memos[0], trust.Policy);
        return ComposedProofVerifier.Demand(
            memo.Note.Text == checkpoint.Note.Text,
            $"its memo is a checkpoint of {memo.Checkpoint.Size} leaves of {memo.Checkpoint.Origin}, not the global one of {checkpoint.Checkpoint.Size}.");
    }
}
