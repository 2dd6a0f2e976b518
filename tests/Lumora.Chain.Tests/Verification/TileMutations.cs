using System.Globalization;
using Lumora.Chain.Tiles;

namespace Lumora.Chain.Tests.Verification;

/// <summary>The bytes of a tile of hashes, in hexadecimal, and the verdict.</summary>
internal sealed record TileVector(string Desc, int Width, string Tile, bool WantErr, string? Reason) : IVector;

/// <summary>The bytes of a bundle, in hexadecimal, and the verdict.</summary>
internal sealed record BundleVector(string Desc, int Width, string Bundle, bool WantErr, string? Reason) : IVector;

/// <summary>The path of a tile, the tile that it names, and the verdict; a path is refused without a reason.</summary>
internal sealed record PathVector(string Desc, string Path, int? Level, long? Index, int? Width, bool WantErr) : IVector
{
    /// <inheritdoc/>
    [System.Text.Json.Serialization.JsonIgnore]
    public string? Reason => WantErr ? "" : null;
}

/// <summary>Tiles, bundles and paths in the right and in every wrong shape.</summary>
internal static class TileMutations
{
    /// <summary>Cases of tiles.</summary>
    public static IEnumerable<TileVector> Tiles()
    {
        foreach (var width in (int[])[1, 2, 3])
        {
            var tile = Enumerable.Range(0, width * 32).Select(i => (byte)i).ToArray();
            yield return new($"{width}: whole", width, Hex(tile), false, null);
            IEnumerable<int> lengths =
                [0, 1, 31, 33, (width * 32) - 1, (width * 32) + 1, (width * 32) + 2, (width - 1) * 32, (width + 1) * 32, 256];
            foreach (var length in lengths.Distinct().Where(length => length != width * 32))
                yield return new(
                    Text($"{width}: {length} bytes"), width, Hex([.. tile.Concat(tile).Concat(new byte[256]).Take(length)]), true,
                    Text($"A tile of {width} hashes has {width * 32} bytes, not {length}"));
        }
    }

    /// <summary>Cases of bundles.</summary>
    public static IEnumerable<BundleVector> Bundles()
    {
        yield return new("one entry", 1, "0003616263", false, null);
        yield return new("one entry of no bytes", 1, "0000", false, null);
        yield return new("three entries", 3, "0001610000000262 63".Replace(" ", "", StringComparison.Ordinal), false, null);
        yield return new("256 entries of no bytes", 256, new string('0', 1024), false, null);
        yield return new("an entry of 257 bytes", 1, "0101" + new string('a', 514), false, null);
        yield return Refused("nothing", 1, "", "The bundle holds 0 entries, not 1");
        yield return Refused("half a length", 1, "00", "Entry 0 of the bundle has no length: it is cut off");
        yield return Refused("a length alone", 1, "0001", "Entry 0 of the bundle says 1 bytes, 0 are left");
        yield return Refused("a byte is missing", 1, "00036162", "Entry 0 of the bundle says 3 bytes, 2 are left");
        yield return Refused("length one too large", 1, "0004616263", "Entry 0 of the bundle says 4 bytes, 3 are left");
        yield return Refused("length one too small", 1, "0002616263", "1 bytes follow the 1 entries");
        yield return Refused("length little-endian", 1, "0300616263", "Entry 0 of the bundle says 768 bytes, 3 are left");
        yield return Refused("length of 65,535", 1, "ffff616263", "Entry 0 of the bundle says 65535 bytes, 3 are left");
        yield return Refused("a byte behind", 1, "000361626300", "1 bytes follow the 1 entries");
        yield return Refused("an empty entry behind", 1, "00036162630000", "2 bytes follow the 1 entries");
        yield return Refused("a second entry behind", 1, "00036162630001 64".Replace(" ", "", StringComparison.Ordinal), "3 bytes follow the 1 entries");
        yield return Refused("one entry too few", 3, "000161000162", "The bundle holds 2 entries, not 3");
        yield return Refused("the second is cut off", 2, "0001610005", "Entry 1 of the bundle says 5 bytes, 0 are left");
        yield return Refused("the second has half a length", 2, "00016100", "Entry 1 of the bundle has no length: it is cut off");
        yield return Refused("the first runs into the second", 2, "00026100016 2".Replace(" ", "", StringComparison.Ordinal), "Entry 1 of the bundle says 354 bytes, 0 are left");
        yield return Refused("257 entries", 256, new string('0', 1028), "2 bytes follow the 256 entries");
        yield return Refused("255 entries in a full bundle", 256, new string('0', 1020), "The bundle holds 255 entries, not 256");
        yield return Refused("a full bundle in a partial place", 255, new string('0', 1024), "2 bytes follow the 255 entries");
        yield return Refused("a line per entry", 1, "6162630a", "Entry 0 of the bundle says 24930 bytes, 2 are left");
    }

    /// <summary>Cases of paths.</summary>
    public static IEnumerable<PathVector> Paths()
    {
        foreach (var (level, index, width, path) in ((int, long, int, string)[])
            [
                (0, 0, 256, "tile/0/000"), (0, 7, 256, "tile/0/007"), (0, 999, 256, "tile/0/999"), (0, 1000, 256, "tile/0/x001/000"),
                (0, 1234067, 256, "tile/0/x001/x234/067"), (0, 999_999, 256, "tile/0/x999/999"), (1, 1_000_000, 256, "tile/1/x001/x000/000"),
                (0, 273, 112, "tile/0/273.p/112"), (1, 1, 17, "tile/1/001.p/17"), (2, 0, 1, "tile/2/000.p/1"), (7, 0, 127, "tile/7/000.p/127"),
                (0, 1000, 255, "tile/0/x001/000.p/255"), (TileId.Entries, 0, 256, "tile/entries/000"), (TileId.Entries, 273, 112, "tile/entries/273.p/112"),
                (0, (1L << 55) - 1, 255, "tile/0/x036/x028/x797/x018/x963/967.p/255"),
            ])
            yield return new(path, path, level, index, width, false);
        foreach (var path in (string[])
            [
                "", "/", "tile", "tile/", "tile/0", "tile/0/", "/tile/0/000", "tile//000", "tile/0//000", "tile/0/000/", " tile/0/000", "tile/0/000 ", "tile/0/000\n",
                "Tile/0/000", "tiles/0/000", "checkpoint", "tile/8/0/000", "tile/8/data/000", "tile/data/000", "tile/Entries/000", "tile/entry/000", "tile/-1/000",
                "tile/+1/000", "tile/00/000", "tile/01/000", "tile/8/000", "tile/64/000", "tile/255/000", "tile/4294967296/000", "tile/x/000", "tile/٠/000",
                "tile/0/0", "tile/0/00", "tile/0/0000", "tile/0/1000", "tile/0/+00", "tile/0/-01", "tile/0/ 01", "tile/0/0x1", "tile/0/٠٠١", "tile/0/x000/000",
                "tile/0/x000/001", "tile/0/001/000", "tile/0/X001/000", "tile/0/x001", "tile/0/x001/x000", "tile/0/x01/000", "tile/0/x0001/000", "tile/0/x001/00",
                "tile/0/x001//000", "tile/0/x999/x999/x999/x999/x999/x999/999", "tile/0/x001/x000/x000/x000/x000/x000/000", "tile/0/000.p", "tile/0/000.p/",
                "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/257", "tile/0/000.p/01", "tile/0/000.p/+1", "tile/0/000.p/-1", "tile/0/000.p/ 1", "tile/0/000.p/1 ",
                "tile/0/000.p/1/", "tile/0/000.p/1/2", "tile/0/000.p/x001", "tile/0/000.P/1", "tile/0/000p/1", "tile/0/000/.p/1", "tile/0/x001.p/000", "tile/0.p/000",
                "tile/0/x001/000.p.p/1", "tile/0/000.p/4294967297", "tile/0/../000", "tile/0/./000", "tile/0/..", "tile\\0\\000", "tile/0/000?", "tile/0/%30%30%30",
                "https://lumora.example/tile/0/000",
            ])
            yield return new($"no path: {path}", path, null, null, null, true);
    }

    private static BundleVector Refused(string desc, int width, string bundle, string reason) => new(desc, width, bundle, true, reason);

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
