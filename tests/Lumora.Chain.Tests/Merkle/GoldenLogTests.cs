using System.Text;
using Lumora.Chain.Merkle;
using Lumora.Chain.Notes;
using Lumora.Chain.Tiles;
using Lumora.Chain.Verification;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Tests.Merkle;

public sealed class GoldenLogTests
{
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;

    [Fact]
    public void Keys_checkpoint_and_cosignature_come_out_byte_for_byte()
    {
        using var log = GoldenLog.LogSigner();
        using var witness = GoldenLog.WitnessSigner();
        Assert.Equal(GoldenLog.LogKey, log.Verifier.ToString());
        Assert.Equal(GoldenLog.WitnessKey, witness.Verifier.ToString());

        var text = new Checkpoint(GoldenLog.Origin, GoldenLog.Size, GoldenLog.Instance.Root).ToText();
        var note = new SignedNote(text, [log.Sign(text)]);
        Assert.Equal(GoldenLog.Checkpoint, Encoding.UTF8.GetString(note.ToBytes()));
        Assert.Equal(193, note.ToBytes().Length);

        var cosigned = note.With(witness.Cosign(text, GoldenLog.CosignedAt)).ToBytes();
        Assert.Equal(GoldenLog.Checkpoint + GoldenLog.Cosignature, Encoding.UTF8.GetString(cosigned));
        Assert.Equal(321, cosigned.Length);
    }

    [Theory]
    [InlineData(255, "e9c5ad2ff7b1f5fcab1e7955ce770b13b18c027638beeb9eee57eca9ab50c091")]
    [InlineData(256, "9a2af55b2262aec5011845182b58fbc0d2aacec3f6cedf124fe64810faf62e36")]
    [InlineData(257, "38a9df17d4ddf0b0d1ffb95bd85d838da940ed9d07a7d23536c5d5362e2ab79e")]
    [InlineData(65536, "7fd2f573c5e94226ceb889e44cc964bc8699ab541c8d627b8bd784a06c6c6d25")]
    [InlineData(65537, "979f4d1b6ac37051a820a33f55105ce9b990541657709eeed59655fd56554039")]
    public async Task Roots_of_prefixes_match_by_three_ways(int size, string root)
    {
        var range = new CompactRange();
        var builder = new TileBuilder();
        for (var i = 0; i < size; i++)
        {
            var entry = GoldenLog.Entry(i);
            range.Append(MerkleHash.OfLeaf(entry));
            builder.Append(entry, MerkleHash.OfLeaf(entry), (_, _) => { });
        }

        Assert.Equal(root, range.Root().ToString());
        Assert.Equal(root, builder.Root().ToString());
        // The partial tiles of the prefix are gone; the full ones take their place.
        if (size is 256 or 65536)
            Assert.Equal(root, (await new TreeReader(GoldenLog.Instance, size).RootAsync(None)).ToString());
    }

    [Fact]
    public void The_tiles_of_70000_leaves_have_the_shape_of_the_specification()
    {
        var tiles = GoldenLog.Instance.Tiles.Keys;
        Assert.Equal(273, tiles.Count(t => t is { Level: 0, IsFull: true }));
        Assert.Equal(273, tiles.Count(t => t is { Level: TileId.Entries, IsFull: true }));
        Assert.Equal(112, Assert.Single(tiles, t => t is { Level: 0, IsFull: false }).Width);
        Assert.Equal(1, tiles.Count(t => t is { Level: 1, IsFull: true }));
        Assert.Equal(17, Assert.Single(tiles, t => t is { Level: 1, IsFull: false }).Width);
        Assert.Equal(1, Assert.Single(tiles, t => t.Level == 2).Width);
        Assert.Equal([.. TileId.Between(0, GoldenLog.Size).OrderBy(t => t.Path, StringComparer.Ordinal)],
            tiles.OrderBy(t => t.Path, StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_known_consistency_proofs_come_out_and_hold()
    {
        var tree = new TreeReader(GoldenLog.Instance, GoldenLog.Size);
        var proof = await tree.ConsistencyAsync(65536, None);
        Assert.Equal("JCBfZoGIE5bJeNQMR2z+5aKU1x6plnrViadmIMBl3cw=", Assert.Single(proof).ToBase64());
        Assert.True(MerkleHash.TryParseHex("7fd2f573c5e94226ceb889e44cc964bc8699ab541c8d627b8bd784a06c6c6d25", out var root));
        ProofVerifier.VerifyConsistency(65536, root, GoldenLog.Size, GoldenLog.Instance.Root, proof);

        proof = await tree.ConsistencyAsync(65537, None);
        Assert.Equal(15, proof.Count);
        Assert.True(MerkleHash.TryParseHex("979f4d1b6ac37051a820a33f55105ce9b990541657709eeed59655fd56554039", out root));
        ProofVerifier.VerifyConsistency(65537, root, GoldenLog.Size, GoldenLog.Instance.Root, proof);
    }

    [Fact]
    public async Task A_proof_file_of_one_entry_is_verified_offline()
    {
        var tree = new TreeReader(GoldenLog.Instance, GoldenLog.Size);
        var path = await tree.InclusionAsync(12345, None);
        Assert.Equal(17, path.Count);
        var file = new TlogProof(12345, path, Encoding.UTF8.GetBytes(GoldenLog.Checkpoint)).ToBytes();
        var read = TlogProof.Parse(file);
        Assert.Equal(file, read.ToBytes());
        ProofVerifier.VerifyInclusion(
            MerkleHash.OfLeaf(GoldenLog.Entry(12345)), read.Index, GoldenLog.Size, read.Path, GoldenLog.Instance.Root);
        Assert.Throws<VerificationException>(() => ProofVerifier.VerifyInclusion(
            MerkleHash.OfLeaf(GoldenLog.Entry(12346)), read.Index, GoldenLog.Size, read.Path, GoldenLog.Instance.Root));
    }
}
