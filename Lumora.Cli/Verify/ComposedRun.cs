using System.Globalization;
using Lumora.Chain.Anchoring;
using Lumora.Chain.Notes;
using Lumora.Chain.Solana;
using Lumora.Chain.Verification;
using Lumora.Chain.Witnesses;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;
using Lumora.Cli.Trust;
using Lumora.Domain.Kernel;

namespace Lumora.Cli.Verify;

/// <summary>Checks a composed proof (docs/composed-proof.md): an event of a region, through the global log, up to its transaction.</summary>
/// <param name="key">The keys of both logs, and whose cosignatures are wanted.</param>
/// <param name="payers">Addresses that may pay for the transaction; none: whichever paid.</param>
/// <param name="genesis">The cluster that the transaction must stand on; null: any.</param>
internal sealed class ComposedRun(TrustedKey key, IReadOnlyCollection<string> payers, string? genesis)
{
    /// <summary>What holds and how well.</summary>
    public List<Claim> Claims { get; } = [.. key.Claims];

    /// <summary>What does not hold.</summary>
    public List<Finding> Findings { get; } = [];

    /// <summary>What needs no network; null when a part of it does not hold.</summary>
    public VerifiedComposedProof? CheckOffline(string file, byte[] bytes, Guid? expected)
    {
        VerifiedComposedProof verified;
        try
        {
            verified = AnchoredProof.Verify(
                bytes, new ComposedTrust(key.Policy?.For(key.Keys) ?? WitnessPolicy.OfLogs(key.Keys), payers, genesis));
        }
        catch (Exception exception) when (exception is FormatException or VerificationException)
        {
            Claims.Add(new Claim("composed_proof", Standing.NotProven, "does not hold"));
            Findings.Add(new Finding("composed_proof", file, exception.Message));
            return null;
        }

        var (region, global) = (verified.Region, verified.Global);
        Proven("checkpoint_signed", Signed(region.Checkpoint.Checkpoint));
        Proven("entry_in_tree", $"entry {region.Index} leads to that root");
        Proven("event_readable", EventLine.Of(region.Leaf.Leaf));
        if (expected is { } id && region.Leaf.Leaf.Id != id)
            Findings.Add(new Finding("event_readable", file, $"it is the event {region.Leaf.Leaf.Id}, not {id}"));
        Proven("global_signed", Signed(global.Checkpoint.Checkpoint));
        Proven("record_in_tree", $"entry {global.Index} leads to that root");
        Proven("checkpoint_recorded", $"that entry, {EventLine.Of(global.Leaf.Leaf)}, records the region's checkpoint");
        Witnessed(file, verified);
        if (verified.Proof.Anchor is { } anchor)
            Proven("transaction_signed", string.Create(
                CultureInfo.InvariantCulture,
                $"transaction {anchor.Signature} holds the checkpoint of {global.Checkpoint.Checkpoint.Size} entries as its memo; its signatures are good, {PaidBy(anchor)}"));
        return Findings.Count == 0 ? verified : null;
    }

    /// <summary>Compares the transaction with the chain, or says that this is left to do.</summary>
    /// <exception cref="UnableException">The server serves another cluster than the proof's.</exception>
    public async Task CheckAnchorAsync(ChainServer? chain, string file, VerifiedComposedProof verified, CancellationToken cancellationToken)
    {
        if (verified.Proof.Anchor is not { } anchor)
        {
            Anchored(Standing.NotProven, "the file holds no transaction: none that covers the record was final when it was made. Fetch it again later");
            return;
        }

        if (chain is null)
        {
            Anchored(Standing.NeedsChain, string.Create(
                CultureInfo.InvariantCulture, $"give --rpc to ask whether transaction {anchor.Signature} is final in slot {anchor.Slot} of the cluster {anchor.GenesisHash}"));
            return;
        }

        if (chain.GenesisHash != anchor.GenesisHash)
            throw new UnableException($"{chain.Rpc.NodeAddress.Authority} serves the cluster {chain.GenesisHash}, the proof's transaction stands on {anchor.GenesisHash}.");
        if (await MemoCheckpoints.ReadAsync(chain.Rpc, anchor.Signature, key.Keys, cancellationToken) is not { } memo)
        {
            Anchored(Standing.NotProven, $"{chain.Rpc.NodeAddress.Authority} knows no finalized transaction {anchor.Signature}; servers forget old ones, ask another one");
            return;
        }

        // Null where the server keeps transactions longer than blocks.
        var block = await chain.Rpc.GetBlockAsync(memo.Slot, ct: cancellationToken);
        Compare(file, "slot", anchor.Slot.ToString(CultureInfo.InvariantCulture), memo.Slot.ToString(CultureInfo.InvariantCulture));
        Compare(file, "block", anchor.Blockhash, block?.Blockhash);
        Compare(file, "block time", anchor.BlockTime, (block?.BlockTime ?? memo.BlockTime)?.ToWire());
        Anchored(
            Findings.Count == 0 ? Standing.ProvenOnChain : Standing.NotProven,
            string.Create(
                CultureInfo.InvariantCulture,
                $"transaction {anchor.Signature} is final in slot {memo.Slot}{(block is null ? ", whose block the server has not" : $", block {block.Blockhash}")}, cluster {chain.GenesisHash}"));
    }

    /// <summary>What the file says against what the chain says; nothing where one of them does not say it.</summary>
    private void Compare(string file, string what, string? said, string? chain)
    {
        if (said is not null && chain is not null && said != chain)
            Findings.Add(new Finding("anchored", file, $"it says {what} {said}, the chain says {chain}"));
    }

    private void Witnessed(string file, VerifiedComposedProof verified)
    {
        var own = WitnessPolicy.Parse(System.Text.Encoding.UTF8.GetBytes(verified.Proof.Policy));
        if (key.Policy is null && own.Witnesses.Count > 0)
        {
            Claims.Add(new Claim(WitnessCheck.Claim, Standing.NotProven, "the file names witnesses, and nobody has said which ones count: give --policy or a trust file with one"));
            return;
        }

        // The quorum is asked of the global checkpoint: what it covers, the region's checkpoint too, is what the witnesses hold the log to.
        var (claim, finding) = WitnessCheck.Check(verified.Global.Checkpoint.Note.ToBytes(), key, $"{file}, global checkpoint");
        if (claim is not null)
            Claims.Add(claim);
        if (finding is not null)
            Findings.Add(finding);
        if (key.Policy is { NeedsCosignatures: true })
            Claims.Add(verified.Region.Checkpoint.IsQuorumMet
                ? new Claim("region_witnessed", Standing.ProvenOffline, "the quorum is met on the region's checkpoint too")
                : new Claim("region_witnessed", Standing.NotProven, "the region's checkpoint carries no quorum of its own; the global log records it"));
    }

    private string PaidBy(AnchorEvidence anchor)
    {
        var payer = Transaction.Deserialize(Convert.FromBase64String(anchor.Transaction)).Message.AccountKeys[0].Key;
        return payers.Count > 0 ? $"{payer} paid for it, as named" : $"{payer} paid for it, whom nobody has named: give --anchor or a trust file";
    }

    private static string Signed(Checkpoint checkpoint) => string.Create(
        CultureInfo.InvariantCulture, $"{checkpoint.Origin} has signed {checkpoint.Size} entries with the root {checkpoint.Root.ToBase64()}");

    private void Proven(string claim, string detail) => Claims.Add(new Claim(claim, Standing.ProvenOffline, detail));

    private void Anchored(Standing standing, string detail) => Claims.Add(new Claim("anchored", standing, detail));
}
