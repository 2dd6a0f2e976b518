using CsCheck;
using Lumora.Chain.Tiles;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Tests.Tiles;

public sealed class TileTests
{
    [Theory]
    [InlineData(0, 0, 256, "tile/0/000")]
    [InlineData(0, 1234067, 256, "tile/0/x001/x234/067")]
    [InlineData(2, 999, 1, "tile/2/999.p/1")]
    [InlineData(7, 1000, 255, "tile/7/x001/000.p/255")]
    [InlineData(TileId.Entries, 273, 112, "tile/entries/273.p/112")]
    [InlineData(TileId.Entries, 1000000, 256, "tile/entries/x001/x000/000")]
    public void A_tile_has_one_path(int level, long index, int width, string path)
    {
        var tile = new TileId(level, index, width);
        Assert.Equal(path, tile.Path);
        Assert.True(TileId.TryParse(path, out var read));
        Assert.Equal(tile, read);
    }

    [Theory]
    [InlineData("tile/0/0")]
    [InlineData("tile/0/x000/001")]
    [InlineData("tile/0/001/001")]
    [InlineData("tile/0/x001/x001")]
    [InlineData("tile/00/001")]
    [InlineData("tile/8/001")]
    [InlineData("tile/-1/001")]
    [InlineData("tile/0/001.p/256")]
    [InlineData("tile/0/001.p/0")]
    [InlineData("tile/0/001.p/01")]
    [InlineData("tile/0/001.p")]
    [InlineData("tile/0/001.p/1/2")]
    [InlineData("tile/0/../checkpoint")]
    [InlineData("tile/0//001")]
    [InlineData("tile/0/")]
    [InlineData("tile/data/001")]
    [InlineData("tile/0/x999/x999/x999/x999/x999/x999/x999/999")]
    [InlineData("checkpoint")]
    [InlineData("")]
    public void Any_other_path_is_refused(string path) => Assert.False(TileId.TryParse(path, out _));

    [Fact]
    public void Every_path_reads_back() =>
        Gen.Select(Gen.Int[-1, 7], Gen.Long[0, 1L << 54], Gen.Int[1, 256]).Sample((level, index, width) =>
        {
            var tile = new TileId(level, index, width);
            Assert.True(TileId.TryParse(tile.Path, out var read));
            Assert.Equal(tile, read);
        });

    [Fact]
    public void A_bundle_reads_back_and_gives_its_first_entries() =>
        Gen.Byte.Array[0, 50].List[1, 256].Sample(entries =>
        {
            var bundle = EntryBundle.Encode(entries);
            var read = EntryBundle.Decode(bundle, entries.Count);
            Assert.Equal(entries, read.Select(e => e.ToArray()));
            if (entries.Count < 256)
                Assert.Throws<FormatException>(() => EntryBundle.Decode(bundle, entries.Count + 1));
            if (entries.Count > 1 && entries.Count < 256)
                Assert.Throws<FormatException>(() => EntryBundle.Decode(bundle, entries.Count - 1));
            Assert.Throws<FormatException>(() => EntryBundle.Decode(bundle.Append((byte)0).ToArray(), entries.Count));
            Assert.Throws<FormatException>(() => EntryBundle.Decode(bundle.AsMemory(0, bundle.Length - 1), entries.Count));
        });

    [Fact]
    public void A_bundle_takes_the_longest_entry_and_no_longer_one()
    {
        var longest = new byte[65_535];
        Assert.Equal(longest, EntryBundle.Decode(EntryBundle.Encode([longest]), 1)[0].ToArray());
        Assert.Throws<ArgumentException>(() => EntryBundle.Encode([new byte[65_536]]));
    }

    /// <summary>What a publisher that stopped anywhere takes up must give the same tiles and the same root.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(65_537)]
    public void A_builder_resumed_from_its_partial_tiles_goes_on_the_same_way(int size)
    {
        var whole = new TileBuilder();
        for (var i = 0; i < size; i++)
            whole.Append(GoldenLog.Entry(i), MerkleHash.OfLeaf(GoldenLog.Entry(i)), (_, _) => { });
        var partials = whole.Partials().ToDictionary(p => p.Tile.Level, p => (p.Tile, p.Bytes));
        var levels = Enumerable.Range(0, 3).Select(level => partials.TryGetValue(level, out var p)
            ? (IReadOnlyList<MerkleHash>)HashTile.Decode(p.Bytes, p.Tile.Width)
            : []);
        var bundle = partials.TryGetValue(TileId.Entries, out var b)
            ? EntryBundle.Decode(b.Bytes, b.Tile.Width).Select(e => e.ToArray()).ToArray()
            : [];
        var resumed = TileBuilder.Resume(size, levels, bundle);
        Assert.Equal(whole.Root(), resumed.Root());

        var full = new List<(TileId Tile, byte[] Bytes)>();
        for (var i = size; i < size + 300; i++)
            resumed.Append(GoldenLog.Entry(i), MerkleHash.OfLeaf(GoldenLog.Entry(i)), (tile, bytes) => full.Add((tile, bytes)));
        foreach (var (tile, bytes) in full)
            Assert.Equal(GoldenLog.Instance.Tiles[tile], bytes);
        Assert.NotEmpty(full);
    }
}
