using System.Text;
using System.Text.Json;
using Lumora.Chain.Notes;
using Lumora.Chain.Witnesses;
using Lumora.Domain.Log;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Verification;

/// <summary>What one log's half of a composed proof has shown.</summary>
/// <param name="Index">The entry's place in the log.</param>
/// <param name="Leaf">The event.</param>
/// <param name="Checkpoint">The log's checkpoint, held against the policy.</param>
public sealed record ComposedEntry(long Index, DecodedLeaf Leaf, WitnessedCheckpoint Checkpoint);

/// <summary>What a composed proof shows with no network.</summary>
/// <param name="Proof">The file.</param>
/// <param name="Region">The event in the region's log.</param>
/// <param name="Global">The event in the global log that records the region's checkpoint.</param>
public sealed record VerifiedComposedProof(ComposedProof Proof, ComposedEntry Region, ComposedEntry Global);

/// <summary>
/// Checks the two logs of a composed proof: the event stands in the region's checkpoint, that checkpoint stands in an event of the
/// global log, that event stands in the global checkpoint. The anchor's transaction is checked by
/// <see cref="Lumora.Chain.Anchoring"/>, which knows Solana's format.
/// </summary>
public static class ComposedProofVerifier
{
    /// <summary>The event by which the global log records a region's checkpoint.</summary>
    public const string RecordType = "checkpoint_recorded";

    /// <summary>Checks <paramref name="file"/> with the keys of <paramref name="trusted"/>; the file's own policy must agree.</summary>
    /// <exception cref="FormatException">The file or a part of it has the wrong form; the message names the part.</exception>
    /// <exception cref="VerificationException">A part does not hold; the message names it and says why.</exception>
    public static VerifiedComposedProof Verify(ReadOnlySpan<byte> file, WitnessPolicy trusted)
    {
        var proof = ComposedProof.Parse(file);
        var own = Part("policy", () => WitnessPolicy.Parse(Encoding.UTF8.GetBytes(proof.Policy)));
        var region = Part("region", () => Check(proof.Region, trusted));
        var global = Part("global", () => Check(proof.Global, trusted));
        // What the file says of its policy is for those who have none: it must not say another thing than the pinned one.
        Part("policy", () => Demand(
            own.LogKeys.Contains(LogOf(region, trusted)) && own.LogKeys.Contains(LogOf(global, trusted)),
            "it does not list the keys that have signed both checkpoints."));
        Part("policy", () => Demand(
            own.ToText() == proof.Policy, "it is not in the spelling that the format asks for."));
        Part("policy", () => Demand(
            own.LogKeys.All(key => trusted.LogKeys.Contains(key) || IsSecondKey(key, region) || IsSecondKey(key, global))
                && (trusted.Witnesses.Count == 0 || own.WitnessKeys.All(trusted.WitnessKeys.Contains)),
            "it lists keys that the pinned policy does not know."));
        Part("global", () => CheckRecord(region, global));
        return new VerifiedComposedProof(proof, region, global);
    }

    internal static T Part<T>(string name, Func<T> check)
    {
        try
        {
            return check();
        }
        catch (FormatException fault)
        {
            throw new FormatException($"{name}: {fault.Message}", fault);
        }
        catch (VerificationException fault)
        {
            throw new VerificationException($"{name}: {fault.Message}");
        }
    }

    internal static bool Demand(bool holds, string otherwise) => holds ? true : throw new VerificationException(otherwise);

    private static ComposedEntry Check(ProvenEntry entry, WitnessPolicy trusted)
    {
        var proof = TlogProof.Parse(entry.ProofBytes);
        Demand(proof.Extra is null, "the proof has an extra line, which nothing signs.");
        Demand(proof.ToBytes().AsSpan().SequenceEqual(entry.ProofBytes), "the proof has another spelling than the format asks for.");
        var witnessed = PolicyVerifier.Verify(proof.Checkpoint.Span, trusted);
        ProofVerifier.VerifyInclusion(
            MerkleHash.OfLeaf(entry.LeafBytes), proof.Index, witnessed.Checkpoint.Size, proof.Path, witnessed.Checkpoint.Root);
        return new ComposedEntry(proof.Index, Leaf.Decode(entry.LeafBytes), witnessed);
    }

    private static VerifierKey LogOf(ComposedEntry entry, WitnessPolicy trusted) => trusted.LogKeys.First(key =>
        key.Name == entry.Checkpoint.Checkpoint.Origin
        && entry.Checkpoint.Note.Signatures.Any(line => line.IsOf(key)));

    /// <summary>A key that has signed beside the pinned one, for it is being replaced: unknown, and ignored as its signature is.</summary>
    private static bool IsSecondKey(VerifierKey key, ComposedEntry entry) =>
        key.Name == entry.Checkpoint.Checkpoint.Origin && entry.Checkpoint.Note.Signatures.Any(line => line.IsOf(key));

    /// <summary>The global event is the record of exactly the region's checkpoint.</summary>
    private static bool CheckRecord(ComposedEntry region, ComposedEntry global)
    {
        var (shard, leaf) = (region.Leaf.Leaf.Shard, global.Leaf.Leaf);
        Demand(region.Checkpoint.Checkpoint.Origin != global.Checkpoint.Checkpoint.Origin, "both halves are of one log.");
        Demand(leaf.Shard != shard, $"both events are of the shard {shard}.");
        Demand(leaf.Type == RecordType, $"the event is {leaf.Type}, not {RecordType}.");
        Demand(leaf.Stream == $"checkpoint/{shard}", $"the event is of {leaf.Stream}, not of checkpoint/{shard}.");
        Demand(Member(global.Leaf.Data, "shard") == shard, $"the event does not record a checkpoint of {shard}.");
        var recorded = SignedNote.Parse(Encoding.UTF8.GetBytes(Member(global.Leaf.Data, "note")));
        return Demand(
            recorded.Text == region.Checkpoint.Note.Text,
            $"the event records another checkpoint than the region's of {region.Checkpoint.Checkpoint.Size} leaves.");
    }

    private static string Member(JsonElement data, string name) =>
        data.ValueKind == JsonValueKind.Object && data.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : throw new FormatException($"The recorded checkpoint has no {name}.");
}
