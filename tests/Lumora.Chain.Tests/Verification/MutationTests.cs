using System.Text;
using Lumora.Chain.Notes;
using Lumora.Chain.Tests.Merkle;
using Lumora.Chain.Tiles;
using Lumora.Chain.Verification;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Tests.Verification;

/// <summary>
/// Good and changed proofs, notes, keys, tiles and bundles: each is taken or refused for the reason that its file says. The files
/// are made by the generators here and compared with them; <c>LUMORA_UPDATE_VECTORS=1</c> writes them anew.
/// </summary>
public sealed class MutationTests
{
    private static readonly VerifierKey Witness = VerifierKey.Parse(GoldenLog.WitnessKey);

    [Fact]
    public void Inclusion_proofs() =>
        Verdicts.Check(VectorFile.Read("inclusion.json", ProofMutations.Inclusion()), vector => ProofVerifier.VerifyInclusion(
            Hash(vector.LeafHash), vector.LeafIdx, vector.TreeSize, Hashes(vector.Proof), Hash(vector.Root)));

    [Fact]
    public void Consistency_proofs() =>
        Verdicts.Check(VectorFile.Read("consistency.json", ProofMutations.Consistency()), vector => ProofVerifier.VerifyConsistency(
            vector.Size1, Hash(vector.Root1), vector.Size2, Hash(vector.Root2), Hashes(vector.Proof)));

    [Fact]
    public void Signed_checkpoints() =>
        Verdicts.Check(VectorFile.Read("notes.json", NoteMutations.All()), vector =>
        {
            var bytes = vector.NoteHex is { } hex ? Convert.FromHexString(hex) : Encoding.UTF8.GetBytes(vector.Note!);
            var verified = NoteVerifier.VerifyCheckpoint(bytes, VerifierKey.Parse(vector.Log ?? GoldenLog.LogKey), Witness);
            Assert.Equal(vector.Cosignatures, verified.Cosignatures.Count);
            Assert.Equal(bytes, verified.Note.ToBytes());
        });

    [Fact]
    public void Verifier_keys() =>
        Verdicts.Check(VectorFile.Read("keys.json", KeyMutations.All()), vector => Assert.Equal(vector.Vkey, VerifierKey.Parse(vector.Vkey).ToString()));

    [Fact]
    public void Proof_files() =>
        Verdicts.Check(VectorFile.Read("log-proofs.json", LogProofMutations.All()), vector => LogProofVerifier.Verify(
            Encoding.UTF8.GetBytes(vector.Proof), Encoding.UTF8.GetBytes(vector.Entry), VerifierKey.Parse(GoldenLog.LogKey)));

    [Fact]
    public void Tiles_of_hashes() =>
        Verdicts.Check(VectorFile.Read("tiles.json", TileMutations.Tiles()), vector =>
        {
            var hashes = HashTile.Decode(Convert.FromHexString(vector.Tile), vector.Width);
            Assert.Equal(vector.Tile, Convert.ToHexStringLower(HashTile.Encode(hashes)));
        });

    [Fact]
    public void Bundles_of_entries() =>
        Verdicts.Check(VectorFile.Read("bundles.json", TileMutations.Bundles()), vector =>
        {
            var entries = EntryBundle.Decode(Convert.FromHexString(vector.Bundle), vector.Width);
            Assert.Equal(vector.Bundle, Convert.ToHexStringLower(EntryBundle.Encode([.. entries.Select(entry => entry.ToArray())])));
        });

    [Fact]
    public void Paths_of_tiles() =>
        Verdicts.Check(VectorFile.Read("paths.json", TileMutations.Paths()), vector =>
        {
            if (!TileId.TryParse(vector.Path, out var tile))
                throw new FormatException("refused");
            Assert.Equal(new TileId(vector.Level!.Value, vector.Index!.Value, vector.Width!.Value), tile);
            Assert.Equal(vector.Path, tile.Path);
        });

    [Fact]
    public void Whole_logs() =>
        Verdicts.Check(VectorFile.Read("logs.json", LogMutations.All()), vector =>
        {
            var files = LogMutations.Edited(vector);
            var report = LogFsck.RunAsync(
                new FileTiles(files), VerifierKey.Parse(GoldenLog.LogKey), files.GetValueOrDefault("checkpoint"), onEntry: null,
                TestContext.Current.CancellationToken).GetAwaiter().GetResult();
            if (!report.IsWhole)
                throw new VerificationException(report.Problems[0]);
        });

    /// <summary>The prefixes 0x00 and 0x01 keep them apart: the two children of a node, taken as an entry, are no leaf of the tree.</summary>
    [Fact]
    public void An_inner_node_does_not_pass_for_an_entry()
    {
        var leaves = Enumerable.Range(0, 4).Select(i => RecursiveTree.Leaf(GoldenLog.Entry(i))).ToArray();
        byte[] entry = [.. leaves[0].ToArray(), .. leaves[1].ToArray()];
        var right = RecursiveTree.Root(leaves.AsSpan(2));
        Assert.Throws<VerificationException>(
            () => ProofVerifier.VerifyInclusion(MerkleHash.OfLeaf(entry), 0, 2, [right], RecursiveTree.Root(leaves)));
        Assert.Throws<VerificationException>(
            () => ProofVerifier.VerifyInclusion(MerkleHash.OfLeaf([1, .. entry]), 0, 2, [right], RecursiveTree.Root(leaves)));
    }

    private static MerkleHash Hash(string text) =>
        MerkleHash.TryParseBase64(text, out var hash) ? hash : throw new InvalidDataException($"{text} is no hash.");

    private static MerkleHash[] Hashes(string[] texts) => [.. texts.Select(Hash)];
}
