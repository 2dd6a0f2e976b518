using System.Text;
using Lumora.Chain.Blobs;
using Lumora.Chain.Log;
using Lumora.Chain.Merkle;
using Lumora.Chain.Notes;
using Lumora.Chain.Verification;
using Lumora.Chain.Witnesses;
using Lumora.Chain.Witnessing;
using Lumora.Domain.Anchoring;
using Lumora.Domain.Kernel;
using Lumora.Domain.Log;
using Lumora.Projections.Anchoring;
using Lumora.Projections.EventStore;
using Marten;
using Microsoft.Extensions.Options;

namespace Lumora.Chain.Anchoring;

/// <summary>Why there is no composed proof (yet).</summary>
public enum ComposedProofFault
{
    /// <summary>No such log.</summary>
    LogNotFound,

    /// <summary>The log is the global one, whose proofs need no second log.</summary>
    LogIsGlobal,

    /// <summary>The event is not in the region's log.</summary>
    EventNotFound,

    /// <summary>No checkpoint that covers the event is recorded and published in the global log yet.</summary>
    EventNotRecorded,
}

/// <summary>Makes composed proofs (docs/composed-proof.md) of events in region shards.</summary>
public sealed class ComposedProofs(ShardLogs logs, ShardSessions sessions, IOptions<WitnessOptions> witnesses)
{
    // Read once, as the cosigner reads it.
    private readonly WitnessPolicy? _policy = witnesses.Value.ReadPolicy();

    /// <summary>
    /// The proof of <paramref name="eventId"/> in the log of <paramref name="shard"/>: with the newest finalized anchor when that covers
    /// the event and, where there is a quorum, its checkpoint is kept with cosignatures; else under the published checkpoint.
    /// </summary>
    public async Task<(ComposedProof? Proof, ComposedProofFault? Fault)> FindAsync(string shard, Guid eventId, CancellationToken ct)
    {
        var global = logs.Find(sessions.ShardOf(ShardRole.Global))!;
        if (logs.Find(shard) is not { } region)
            return (null, ComposedProofFault.LogNotFound);
        if (region.Shard == global.Shard)
            return (null, ComposedProofFault.LogIsGlobal);
        if (await region.Leaves.FindAsync(eventId, ct) is not { } leaf)
            return (null, ComposedProofFault.EventNotFound);

        var anchor = await AnchorAsync(global.Shard, ct);
        var memo = anchor is null ? null : await CosignedNotes.FindAsync(global.Blobs, Encoding.UTF8.GetBytes(anchor.Memo), ct);
        var anchored = memo is null ? null : await ComposeAsync(region, leaf, global, memo, anchor, ct);
        if (anchored is { IsWitnessed: true })
            return (anchored.Proof, null);
        var logged = await global.Blobs.ReadAsync(LogPublisher.CheckpointPath, ct) is { } note
            ? await ComposeAsync(region, leaf, global, note, null, ct)
            : null;
        // An anchor from before there were witnesses proves less than what they have cosigned, and more than nothing.
        var best = logged is { IsWitnessed: true } ? logged : anchored ?? logged;
        return best is null ? (null, ComposedProofFault.EventNotRecorded) : (best.Proof, null);
    }

    private async Task<AnchorView?> AnchorAsync(string shard, CancellationToken ct)
    {
        await using var query = sessions.Query(ShardRole.Global);
        // One is in flight at most.
        var newest = await query.Query<AnchorView>().Where(anchor => anchor.Shard == shard)
            .OrderByDescending(anchor => anchor.Size).Take(2).ToListAsync(ct);
        return newest.FirstOrDefault(anchor => anchor.Stage == AnchorStage.Finalized);
    }

    /// <summary>The proof under the global checkpoint <paramref name="note"/>; null when that does not cover the event.</summary>
    private async Task<Composed?> ComposeAsync(
        ShardLog region, LeafRow leaf, ShardLog global, byte[] note, AnchorView? anchor, CancellationToken ct)
    {
        var size = NoteVerifier.VerifyCheckpoint(note, global.KnownKeys, []).Checkpoint.Size;
        var records = await global.Leaves.SearchAsync(
            new LeafSearch(-1, size, Backward: true, 1, RegionCheckpoint.StreamOf(region.Shard), ComposedProofVerifier.RecordType), ct);
        if (records is not [var record])
            return null;
        var recorded = await CosignedNotes.FindAsync(
            region.Blobs, Encoding.UTF8.GetBytes(Leaf.Decode(record.Bytes).Data.GetProperty("note").GetString()!), ct);
        var regionSize = NoteVerifier.VerifyCheckpoint(recorded, region.KnownKeys, []).Checkpoint.Size;
        if (leaf.Index >= regionSize)
            return null;
        var proof = new ComposedProof(
            await EntryAsync(region, leaf, regionSize, recorded, ct), await EntryAsync(global, record, size, note, ct),
            anchor is null ? null : Evidence(anchor), PolicyOf([.. Signers(note, global), .. Signers(recorded, region)]));
        // Nothing leaves that we would not believe ourselves.
        var policy = WitnessPolicy.Parse(Encoding.UTF8.GetBytes(proof.Policy));
        var verified = AnchoredProof.Verify(proof.ToBytes(), new ComposedTrust(policy, anchor is null ? [] : [anchor.Payer], anchor?.GenesisHash));
        return new Composed(proof, verified.Global.Checkpoint.IsQuorumMet);
    }

    /// <summary>The keys that have signed, and the host's witnesses without their addresses, which are for nobody else.</summary>
    private string PolicyOf(IReadOnlyList<VerifierKey> signers) =>
        (_policy?.For(signers) ?? WitnessPolicy.OfLogs(signers)).ToText();

    private static IEnumerable<VerifierKey> Signers(byte[] note, ShardLog log)
    {
        var lines = SignedNote.Parse(note).Signatures;
        return log.KnownKeys.Where(key => lines.Any(line => line.IsOf(key)));
    }

    private static async Task<ProvenEntry> EntryAsync(ShardLog log, LeafRow leaf, long size, byte[] note, CancellationToken ct)
    {
        var path = await new TreeReader(new BlobTiles(log.Blobs), size).InclusionAsync(leaf.Index, ct);
        return new ProvenEntry(
            Encoding.UTF8.GetString(new TlogProof(leaf.Index, path, note).ToBytes()), Encoding.UTF8.GetString(leaf.Bytes));
    }

    private static AnchorEvidence Evidence(AnchorView anchor) => new(
        anchor.GenesisHash, anchor.Signature!, anchor.Slot!.Value, anchor.Blockhash!, anchor.BlockTime?.ToWire(), anchor.RawTransaction!);

    private sealed record Composed(ComposedProof Proof, bool IsWitnessed);
}
