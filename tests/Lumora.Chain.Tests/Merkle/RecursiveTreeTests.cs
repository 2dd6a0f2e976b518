using System.Numerics;
using CsCheck;
using Lumora.Chain.Merkle;
using Lumora.Chain.Tiles;
using Lumora.Chain.Verification;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Tests.Merkle;

/// <summary>Compact range, tile builder, tile reader and verifier against the recursive definition of RFC 6962.</summary>
public sealed class RecursiveTreeTests
{
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;

    /// <summary>The test tree of the Certificate Transparency implementations.</summary>
    private static readonly MerkleHash[] Known =
    [
        .. new[] { "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f" }
            .Select(hex => RecursiveTree.Leaf(Convert.FromHexString(hex))),
    ];

    [Theory]
    [InlineData(0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData(1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")]
    [InlineData(2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125")]
    [InlineData(3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77")]
    [InlineData(4, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7")]
    [InlineData(5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4")]
    [InlineData(6, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef")]
    [InlineData(7, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c")]
    [InlineData(8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")]
    public async Task The_roots_of_the_known_tree_come_out_by_four_ways(int size, string root)
    {
        var builder = new TileBuilder();
        var range = new CompactRange();
        foreach (var leaf in Known[..size])
        {
            builder.Append([], leaf, (_, _) => { });
            range.Append(leaf);
        }

        Assert.Equal(root, RecursiveTree.Root(Known.AsSpan(0, size)).ToString());
        Assert.Equal(root, builder.Root().ToString());
        Assert.Equal(root, range.Root().ToString());
        Assert.Equal(root, (await new TreeReader(new MemoryTiles(Known[..size]), size).RootAsync(None)).ToString());
    }

    /// <summary>The examples of RFC 6962 §2.1.3, by the letters of its figure of seven leaves.</summary>
    [Theory]
    [InlineData(0, 0, "b h l")]
    [InlineData(3, 0, "c g l")]
    [InlineData(4, 0, "f j k")]
    [InlineData(6, 0, "i k")]
    [InlineData(0, 3, "c d g l")]
    [InlineData(0, 4, "l")]
    [InlineData(0, 6, "i j k")]
    public async Task The_examples_of_the_RFC_come_out(int index, int old, string letters)
    {
        var nodes = Enumerable.Range(0, 6).ToDictionary(i => "abcdef"[i], i => Known[i]);
        nodes['j'] = Known[6];
        nodes['g'] = RecursiveTree.Node(nodes['a'], nodes['b']);
        nodes['h'] = RecursiveTree.Node(nodes['c'], nodes['d']);
        nodes['i'] = RecursiveTree.Node(nodes['e'], nodes['f']);
        nodes['k'] = RecursiveTree.Node(nodes['g'], nodes['h']);
        nodes['l'] = RecursiveTree.Node(nodes['i'], nodes['j']);
        var tree = new TreeReader(new MemoryTiles(Known[..7]), 7);
        var proof = old == 0 ? await tree.InclusionAsync(index, None) : await tree.ConsistencyAsync(old, None);
        Assert.Equal<IEnumerable<MerkleHash>>(letters.Split(' ').Select(letter => nodes[letter[0]]), proof);
    }

    [Fact]
    public void Random_trees_equal_the_recursive_definition() =>
        Gen.Select(Gen.Int[1, 3_000], Gen.Int[0, 1 << 20], Gen.Int[0, 1 << 20]).Sample(
            (size, a, b) =>
            {
                var leaves = Leaves(size);
                var (index, old) = (a % size, 1 + (b % size));
                var root = RecursiveTree.Root(leaves);
                var tree = new TreeReader(new MemoryTiles(leaves), size);
                Assert.Equal(root, Now(tree.RootAsync(None).AsTask()));

                var path = Now(tree.InclusionAsync(index, None));
                Assert.Equal(RecursiveTree.Path(index, leaves), path);
                Assert.Equal(RecursiveTree.PathLength(index, size), path.Count);
                Assert.Equal(root, RecursiveTree.RootOf(index, size, leaves[index], [.. path]));
                ProofVerifier.VerifyInclusion(leaves[index], index, size, path, root);

                var oldRoot = RecursiveTree.Root(leaves.AsSpan(0, old));
                var proof = Now(tree.ConsistencyAsync(old, None));
                Assert.Equal(RecursiveTree.Proof(old, leaves), proof);
                Assert.Equal(RecursiveTree.ProofLength(old, size), proof.Count);
                Assert.Equal((oldRoot, root), RecursiveTree.RootsOf(old, size, oldRoot, [.. proof]));
                ProofVerifier.VerifyConsistency(old, oldRoot, size, root, proof);
            },
            seed: LongForm.Seed, iter: LongForm.Iterations(60));

    /// <summary>
    /// Trees of up to 2⁶³ leaves that are all alike: each level has one hash, so that every tile can be made up. Nothing may
    /// overflow, and the verifier must say what the recursive definition says.
    /// </summary>
    [Fact]
    public void Proofs_in_trees_of_any_size_hold()
    {
        var sizes = Gen.Select(Gen.Int[0, 62], Gen.Long[0, long.MaxValue]).Select((bits, low) => (1L << bits) + (low & ((1L << bits) - 1)));
        Gen.Select(sizes, Gen.Long[0, long.MaxValue], Gen.Long[0, long.MaxValue]).Sample(
            (size, a, b) =>
            {
                var (index, old) = (a % size, 1 + (b % size));
                var tree = new TreeReader(new UniformTiles(), size);
                var root = UniformTiles.Root(size);
                Assert.Equal(root, Now(tree.RootAsync(None).AsTask()));

                var path = Now(tree.InclusionAsync(index, None));
                Assert.Equal(root, RecursiveTree.RootOf(index, size, UniformTiles.Perfect[0], [.. path]));
                ProofVerifier.VerifyInclusion(UniformTiles.Perfect[0], index, size, path, root);

                var proof = Now(tree.ConsistencyAsync(old, None));
                var oldRoot = UniformTiles.Root(old);
                Assert.Equal((oldRoot, root), RecursiveTree.RootsOf(old, size, oldRoot, [.. proof]));
                ProofVerifier.VerifyConsistency(old, oldRoot, size, root, proof);
                if (old < size)
                    Assert.Throws<VerificationException>(() => ProofVerifier.VerifyConsistency(old, oldRoot, size, root, [.. proof, root]));
            },
            seed: LongForm.Seed, iter: LongForm.Iterations(1_000));
    }

    [Fact]
    public void A_builder_resumed_at_any_size_goes_on_the_same_way()
    {
        var leaves = Leaves(900);
        var whole = new MemoryTiles(leaves);
        var builder = new TileBuilder();
        for (var size = 0; size <= 600; size++)
        {
            Assert.Equal(RecursiveTree.Root(leaves.AsSpan(0, size)), builder.Root());
            Resume(builder, leaves, until: (size / 256 * 256) + 257, whole);
            builder.Append([], leaves[size], (_, _) => { });
        }
    }

    [Fact]
    public void A_builder_resumed_at_random_big_sizes_goes_on_the_same_way() =>
        Gen.Int[60_000, LongForm.IsAsked ? 400_000 : 70_000].Sample(
            size =>
            {
                var leaves = Leaves(size + 300);
                var builder = new TileBuilder();
                foreach (var leaf in leaves[..size])
                    builder.Append([], leaf, (_, _) => { });
                Resume(builder, leaves, leaves.Length, new MemoryTiles(leaves));
            },
            seed: LongForm.Seed, iter: LongForm.IsAsked ? 50 : 2, threads: 1);

    /// <summary>Takes the tree up from its partial tiles, as a host that starts does, and appends up to a size.</summary>
    private static void Resume(TileBuilder stopped, MerkleHash[] leaves, int until, MemoryTiles whole)
    {
        var partials = stopped.Partials().ToDictionary(partial => partial.Tile.Level, partial => partial.Bytes);
        List<IReadOnlyList<MerkleHash>> levels = [];
        for (var level = 0; TileId.CountAt(level, stopped.Size) > 0; level++)
            levels.Add(partials.TryGetValue(level, out var tile) ? HashTile.Decode(tile, tile.Length / MerkleHash.Size) : []);
        var width = (int)(stopped.Size % TileId.WidthMax);
        var bundle = width == 0 ? [] : EntryBundle.Decode(partials[TileId.Entries], width).Select(entry => entry.ToArray());
        var resumed = TileBuilder.Resume(stopped.Size, levels, [.. bundle]);
        Assert.Equal(stopped.Root(), resumed.Root());
        foreach (var leaf in leaves[(int)stopped.Size..until])
            resumed.Append([], leaf, (tile, bytes) => Assert.Equal(whole.Files[tile], bytes));
        Assert.Equal(RecursiveTree.Root(leaves.AsSpan(0, until)), resumed.Root());
    }

    private static MerkleHash[] Leaves(int count) => [.. Enumerable.Range(0, count).Select(i => RecursiveTree.Leaf(BitConverter.GetBytes(i)))];

    private static T Now<T>(Task<T> task) => task.GetAwaiter().GetResult();

    private sealed class UniformTiles : ITileReader
    {
        /// <summary>The root of 2^i leaves.</summary>
        public static readonly MerkleHash[] Perfect = [.. Levels()];

        public static MerkleHash Root(long size)
        {
            if (BitOperations.IsPow2(size))
                return Perfect[BitOperations.Log2((ulong)size)];
            var k = 1L << BitOperations.Log2((ulong)size);
            return RecursiveTree.Node(Perfect[BitOperations.Log2((ulong)size)], Root(size - k));
        }

        public ValueTask<byte[]?> ReadAsync(TileId tile, CancellationToken cancellationToken) =>
            ValueTask.FromResult<byte[]?>(HashTile.Encode([.. Enumerable.Repeat(Perfect[8 * tile.Level], tile.Width)]));

        private static IEnumerable<MerkleHash> Levels()
        {
            var hash = RecursiveTree.Leaf([]);
            for (var level = 0; level < 63; level++)
            {
                yield return hash;
                hash = RecursiveTree.Node(hash, hash);
            }
        }
    }
}
