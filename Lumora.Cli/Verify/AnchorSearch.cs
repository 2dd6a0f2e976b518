using System.Globalization;
using Lumora.Chain.Merkle;
using Lumora.Chain.Notes;
using Lumora.Chain.Solana;
using Lumora.Chain.Tiles;
using Lumora.Chain.Verification;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;
using Lumora.Domain.Merkle;

namespace Lumora.Cli.Verify;

/// <summary>What the chain says about one entry.</summary>
/// <param name="Claim">How well it is anchored.</param>
/// <param name="Finding">What is wrong, or null.</param>
/// <param name="Proof">The proof against the anchored checkpoint, or null.</param>
internal sealed record AnchorAnswer(Claim Claim, Finding? Finding, TlogProof? Proof);

/// <summary>Finds a finalized memo with a checkpoint that covers an entry, and links the entry to that checkpoint.</summary>
/// <param name="chain">Where to look.</param>
/// <param name="keys">Whose checkpoints count: the keys of the log.</param>
/// <param name="source">The log, for a path to the anchored size; null offline.</param>
internal sealed class AnchorSearch(ChainServer chain, IReadOnlyList<VerifierKey> keys, ILogSource? source)
{
    private const string Name = "anchored";

    // Anchors are final in the order of their slots but for few, and anybody may copy an old checkpoint into a new memo.
    private const int SmallerMax = 16;

    /// <summary>Looks from the newest memo back until several of the log's own no longer cover the entry.</summary>
    public async Task<AnchorAnswer> FindAsync(
        MerkleHash leaf, TlogProof proof, Checkpoint checkpoint, CancellationToken cancellationToken)
    {
        MemoCheckpoint? other = null;
        var (limit, smaller) = ("", 0);
        try
        {
            await foreach (var memo in MemoCheckpoints.SearchAsync(chain.Rpc, chain.Address, keys, until: null, cancellationToken))
            {
                if (memo.Checkpoint.Size <= proof.Index)
                {
                    // With a known payer, strangers' copies count for nothing.
                    if ((!chain.IsAddressGiven || memo.FeePayer == chain.Address) && ++smaller == SmallerMax)
                        break;
                    continue;
                }

                if (memo.Checkpoint.Size == checkpoint.Size)
                    return memo.Checkpoint.Root == checkpoint.Root
                        ? Anchored(memo, proof with { Checkpoint = memo.Note })
                        : Fork(memo, $"it holds the root {memo.Checkpoint.Root} for {checkpoint.Size} entries, the proof's checkpoint says {checkpoint.Root}: both are signed by the log, a fork");
                if (source is not null)
                    return await LinkAsync(source, memo, leaf, proof.Index, cancellationToken);
                other = memo;
            }
        }
        catch (SearchLimitException reached)
        {
            limit = $"; {reached.Message}";
        }

        var detail = other is null
            ? $"no finalized memo on the cluster {chain.GenesisHash} holds a checkpoint that covers the entry yet{limit}"
            : string.Create(
                CultureInfo.InvariantCulture,
                $"the checkpoint of {other.Checkpoint.Size} entries stands in transaction {other.Signature}, the proof is for {checkpoint.Size}: fetch one for it with --server and --save");
        return new AnchorAnswer(new Claim(Name, Standing.NotProven, detail), null, null);
    }

    private async Task<AnchorAnswer> LinkAsync(
        ILogSource tiles, MemoCheckpoint memo, MerkleHash leaf, long index, CancellationToken cancellationToken)
    {
        try
        {
            var path = await new TreeReader(tiles, memo.Checkpoint.Size).InclusionAsync(index, cancellationToken);
            ProofVerifier.VerifyInclusion(leaf, index, memo.Checkpoint.Size, path, memo.Checkpoint.Root);
            return Anchored(memo, new TlogProof(index, path, memo.Note));
        }
        catch (VerificationException exception)
        {
            return Fork(memo, $"its checkpoint does not hold the entry by the log's tiles: {exception.Message}");
        }
        catch (Exception exception) when (exception is TileMissingException or FormatException)
        {
            return Fork(memo, $"its checkpoint of {memo.Checkpoint.Size} entries cannot be compared: {exception.Message}");
        }
    }

    private AnchorAnswer Anchored(MemoCheckpoint memo, TlogProof proof) => new(
        new Claim(Name, Standing.ProvenOnChain, string.Create(
            CultureInfo.InvariantCulture,
            $"the checkpoint of {memo.Checkpoint.Size} entries is the memo of transaction {memo.Signature}, finalized in slot {memo.Slot}{Time(memo)}, cluster {chain.GenesisHash}")),
        null,
        proof);

    private static AnchorAnswer Fork(MemoCheckpoint memo, string what) => new(
        new Claim(Name, Standing.NotProven, "the chain says otherwise"),
        new Finding(Name, $"transaction {memo.Signature}", what),
        null);

    private static string Time(MemoCheckpoint memo) => memo.BlockTime is { } time
        ? string.Create(CultureInfo.InvariantCulture, $" at {time.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z")
        : "";
}
