using CsCheck;
using Lumora.Chain.Merkle;
using Lumora.Chain.Tiles;
using Lumora.Chain.Verification;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Tests.Verification;

public sealed class ProofVerifierTests
{
    /// <summary>The test tree of the Certificate Transparency implementations.</summary>
    private static readonly MerkleHash[] Leaves =
    [
        .. new[] { "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f" }
            .Select(hex => MerkleHash.OfLeaf(Convert.FromHexString(hex))),
    ];

    [Theory]
    [InlineData(3, 7, "0298d122 07506a85 fac54203 837dbb15")]
    [InlineData(4, 7, "837dbb15")]
    [InlineData(6, 8, "0ebc5d34 ca854ea1 d37ee418")]
    public async Task Known_consistency_proofs_come_out(int oldSize, int size, string prefixes)
    {
        var tree = new TreeReader(new MemoryTiles(Leaves[..size]), size);
        var proof = await tree.ConsistencyAsync(oldSize, TestContext.Current.CancellationToken);
        Assert.Equal<IEnumerable<string>>(prefixes.Split(' '), proof.Select(hash => hash.ToString()[..8]));
        ProofVerifier.VerifyConsistency(oldSize, Root(Leaves[..oldSize]), size, Root(Leaves[..size]), proof);
    }

    [Fact]
    public async Task A_known_inclusion_proof_comes_out()
    {
        var tree = new TreeReader(new MemoryTiles(Leaves), 8);
        var path = await tree.InclusionAsync(0, TestContext.Current.CancellationToken);
        Assert.Equal<IEnumerable<string>>(["96a296d2", "5f083f0a", "6b47aaf2"], path.Select(hash => hash.ToString()[..8]));
        ProofVerifier.VerifyInclusion(Leaves[0], 0, 8, path, Root(Leaves));
    }

    /// <summary>All sizes around the borders of a tile, each against the slow recursive definition.</summary>
    [Fact]
    public async Task Every_proof_of_every_small_tree_equals_the_recursive_definition_and_holds()
    {
        var leaves = Enumerable.Range(0, 40).Select(i => MerkleHash.OfLeaf(BitConverter.GetBytes(i))).ToArray();
        for (var size = 1; size <= leaves.Length; size++)
        {
            var tree = new TreeReader(new MemoryTiles(leaves[..size]), size);
            var root = Root(leaves[..size]);
            Assert.Equal(root, await tree.RootAsync(TestContext.Current.CancellationToken));
            for (var i = 0; i < size; i++)
            {
                var path = await tree.InclusionAsync(i, TestContext.Current.CancellationToken);
                Assert.Equal(Path(i, leaves[..size]), path);
                ProofVerifier.VerifyInclusion(leaves[i], i, size, path, root);
            }

            for (var old = 1; old <= size; old++)
            {
                var proof = await tree.ConsistencyAsync(old, TestContext.Current.CancellationToken);
                Assert.Equal(Subproof(old, leaves[..size], known: true), proof);
                ProofVerifier.VerifyConsistency(old, Root(leaves[..old]), size, root, proof);
            }
        }
    }

    [Fact]
    public void A_proof_changed_anywhere_is_refused() =>
        Gen.Select(Gen.Int[2, 300], Gen.Int[0, 1 << 20], Gen.Int[0, 1 << 20], Gen.Int[0, 7]).Sample((size, a, b, mutation) =>
        {
            var leaves = Enumerable.Range(0, size).Select(i => MerkleHash.OfLeaf(BitConverter.GetBytes(i))).ToArray();
            var index = a % size;
            var root = Root(leaves);
            var path = Path(index, leaves).ToList();
            var leaf = leaves[index];
            var at = b % path.Count;
            switch (mutation)
            {
                case 0: path.RemoveAt(at); break;
                case 1: path.Insert(at, root); break;
                case 2: path.Add(MerkleHash.EmptyRoot); break;
                case 3: path[at] = MerkleHash.OfChildren(path[at], path[at]); break;
                case 4: leaf = MerkleHash.OfLeaf("other"u8); break;
                case 5: root = leaf; break;
                case 6: index = index == 0 ? size : index - 1; break;
                default: index = -1; break;
            }

            Assert.Throws<VerificationException>(() => ProofVerifier.VerifyInclusion(leaf, index, size, path, root));
        });

    [Fact]
    public void A_consistency_proof_changed_anywhere_is_refused() =>
        Gen.Select(Gen.Int[2, 300], Gen.Int[0, 1 << 20], Gen.Int[0, 1 << 20], Gen.Int[0, 5]).Sample((size, a, b, mutation) =>
        {
            var leaves = Enumerable.Range(0, size).Select(i => MerkleHash.OfLeaf(BitConverter.GetBytes(i))).ToArray();
            var old = 1 + (a % (size - 1));
            var (oldRoot, root) = (Root(leaves[..old]), Root(leaves));
            var proof = Subproof(old, leaves, known: true).ToList();
            var at = b % proof.Count;
            switch (mutation)
            {
                case 0: proof.RemoveAt(at); break;
                case 1: proof.Add(root); break;
                case 2: proof[at] = MerkleHash.OfChildren(proof[at], proof[at]); break;
                case 3: oldRoot = root; break;
                case 4: root = oldRoot; break;
                default: (oldRoot, root) = (root, oldRoot); break;
            }

            Assert.Throws<VerificationException>(() => ProofVerifier.VerifyConsistency(old, oldRoot, size, root, proof));
        });

    [Fact]
    public void A_whole_path_tells_both_roots_whatever_was_signed()
    {
        for (var size = 2; size <= Leaves.Length; size++)
            for (var old = 1; old < size; old++)
            {
                var (root, oldRoot) = (Root(Leaves[..size]), Root(Leaves[..old]));
                IReadOnlyList<MerkleHash> path = [.. Subproof(old, Leaves[..size], known: true)];
                if (int.IsPow2(old))
                    path = [oldRoot, .. path];
                Assert.Equal((oldRoot, root), ProofVerifier.RootsOf(old, size, path));
                Assert.Throws<VerificationException>(() => ProofVerifier.RootsOf(old, size, [.. path, root]));
                Assert.NotEqual((oldRoot, root), ProofVerifier.RootsOf(old, size, [MerkleHash.OfLeaf("other"u8), .. path.Skip(1)]));
            }

        Assert.Throws<VerificationException>(() => ProofVerifier.RootsOf(3, 3, [MerkleHash.EmptyRoot]));
    }

    [Fact]
    public void The_same_size_with_another_root_is_called_a_fork()
    {
        var exception = Assert.Throws<VerificationException>(
            () => ProofVerifier.VerifyConsistency(8, Root(Leaves), 8, MerkleHash.EmptyRoot, []));
        Assert.Contains("fork", exception.Message, StringComparison.Ordinal);
    }

    private static MerkleHash Root(IEnumerable<MerkleHash> leaves)
    {
        var range = new CompactRange();
        foreach (var leaf in leaves)
            range.Append(leaf);
        return range.Root();
    }

    private static int Split(int count)
    {
        var split = 1;
        while (split * 2 < count)
            split *= 2;
        return split;
    }

    private static IEnumerable<MerkleHash> Path(int index, MerkleHash[] leaves)
    {
        if (leaves.Length == 1)
            return [];
        var k = Split(leaves.Length);
        return index < k
            ? [.. Path(index, leaves[..k]), Root(leaves[k..])]
            : [.. Path(index - k, leaves[k..]), Root(leaves[..k])];
    }

    private static IEnumerable<MerkleHash> Subproof(int old, MerkleHash[] leaves, bool known)
    {
        if (old == leaves.Length)
            return known ? [] : [Root(leaves)];
        var k = Split(leaves.Length);
        return old <= k
            ? [.. Subproof(old, leaves[..k], known), Root(leaves[k..])]
            : [.. Subproof(old - k, leaves[k..], known: false), Root(leaves[..k])];
    }

    private sealed class MemoryTiles : ITileReader
    {
        private readonly Dictionary<TileId, byte[]> tiles = [];

        public MemoryTiles(IEnumerable<MerkleHash> leaves)
        {
            var builder = new TileBuilder();
            foreach (var leaf in leaves)
                builder.Append([], leaf, tiles.Add);
            foreach (var (tile, bytes) in builder.Partials())
                tiles.Add(tile, bytes);
        }

        public ValueTask<byte[]?> ReadAsync(TileId tile, CancellationToken cancellationToken) =>
            ValueTask.FromResult(tiles.TryGetValue(tile, out var bytes) ? bytes : null);
    }
}
