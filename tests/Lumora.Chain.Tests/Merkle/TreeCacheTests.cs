using CsCheck;
using Lumora.Chain.Merkle;
using Lumora.Chain.Tiles;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Tests.Merkle;

/// <summary>A reader that shares what it keeps must make the very proofs of one that keeps nothing.</summary>
public sealed class TreeCacheTests
{
    private const int SizeMax = 140_000;
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;

    private static readonly MerkleHash[] Leaves =
        [.. Enumerable.Range(0, SizeMax).Select(i => MerkleHash.OfLeaf(BitConverter.GetBytes(i)))];

    /// <summary>The tree grows between the requests, and also goes back to a size that was asked before.</summary>
    [Fact]
    public void Proofs_of_a_shared_cache_are_those_of_a_reader_of_its_own()
    {
        var tiles = new TilesOfAnySize();
        Gen.Select(Gen.Int[1, SizeMax], Gen.Int[0, int.MaxValue], Gen.Int[0, int.MaxValue]).Array[1, 12].Sample(
            requests =>
            {
                var cache = new TreeCache();
                foreach (var (size, a, b) in requests)
                {
                    var (index, old) = (a % size, 1 + (b % size));
                    var shared = new TreeReader(tiles, size, cache);
                    var own = new TreeReader(tiles, size);
                    Assert.Equal(Now(own.InclusionAsync(index, None)), Now(shared.InclusionAsync(index, None)));
                    Assert.Equal(Now(own.ConsistencyAsync(old, None)), Now(shared.ConsistencyAsync(old, None)));
                    Assert.Equal(Now(own.RootAsync(None).AsTask()), Now(shared.RootAsync(None).AsTask()));
                }
            },
            seed: LongForm.Seed, iter: LongForm.Iterations(20));
    }

    [Fact]
    public async Task Many_requests_at_once_get_the_same_proofs()
    {
        var tiles = new TilesOfAnySize();
        var cache = new TreeCache();
        await Parallel.ForEachAsync(Enumerable.Range(0, 400), None, async (i, ct) =>
        {
            var (size, index) = (SizeMax - (i % 3), i * 311L);
            var path = await new TreeReader(tiles, size, cache).InclusionAsync(index, ct);
            Assert.Equal(await new TreeReader(tiles, size).InclusionAsync(index, ct), path);
        });
    }

    [Fact]
    public async Task Tiles_above_the_leaves_are_read_once()
    {
        var tiles = new CountingTiles(new TilesOfAnySize());
        var cache = new TreeCache();
        await new TreeReader(tiles, SizeMax, cache).InclusionAsync(1, None);
        tiles.Read.Clear();
        await new TreeReader(tiles, SizeMax, cache).InclusionAsync(70_000, None);
        // Its own tile of leaves, and the one of level 1 above it; the edge is known.
        Assert.Equal([0, 1], tiles.Read.Select(tile => tile.Level).Order());
    }

    /// <summary>The tiles of every tree that begins with these leaves, as a log has published them while it grew.</summary>
    private sealed class TilesOfAnySize : ITileReader
    {
        private static readonly List<MerkleHash[]> s_levels = Levels();

        public ValueTask<byte[]?> ReadAsync(TileId tile, CancellationToken cancellationToken) =>
            ValueTask.FromResult<byte[]?>(HashTile.Encode(s_levels[tile.Level].AsSpan((int)tile.Index * TileId.WidthMax, tile.Width).ToArray()));

        private static List<MerkleHash[]> Levels()
        {
            var levels = new List<MerkleHash[]> { Leaves };
            while (levels[^1].Length >= TileId.WidthMax)
                levels.Add([.. levels[^1].Chunk(TileId.WidthMax).Where(tile => tile.Length == TileId.WidthMax).Select(tile => RecursiveTree.Root(tile))]);
            return levels;
        }
    }

    private static T Now<T>(Task<T> task) => task.GetAwaiter().GetResult();

    private sealed class CountingTiles(ITileReader inner) : ITileReader
    {
        public List<TileId> Read { get; } = [];

        public ValueTask<byte[]?> ReadAsync(TileId tile, CancellationToken cancellationToken)
        {
            Read.Add(tile);
            return inner.ReadAsync(tile, cancellationToken);
        }
    }
}
