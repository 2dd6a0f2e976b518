using System.Globalization;
using System.Text;
using Lumora.Chain.Tests.Merkle;
using Lumora.Chain.Tiles;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Tests.Verification;

/// <summary>
/// A log of the first <c>size</c> golden entries, what was done to its files, and what fsck must say first. An edit changes the
/// file <c>path</c>: <c>remove</c>; <c>from</c> (a path of the log of <c>fromSize</c> entries, or of the same size) in its place; then <c>cut</c> bytes
/// at the end, <c>append</c> (hexadecimal), and the bit 1 of the byte <c>flip</c> (from the end when negative).
/// </summary>
internal sealed record LogVector(string Desc, int Size, LogEdit[] Edits, bool WantErr, string? Reason) : IVector;

/// <summary>One change of one file.</summary>
internal sealed record LogEdit(
    string Path, bool? Remove = null, string? From = null, int? FromSize = null, int? Cut = null, string? Append = null, int? Flip = null);

/// <summary>Published logs with changed files.</summary>
internal static class LogMutations
{
    private static readonly int[] Sizes = [1, 5, 255, 256, 300];

    /// <summary>All cases.</summary>
    public static IEnumerable<LogVector> All() => [.. Sizes.SelectMany(EachFile), .. Mixed()];

    /// <summary>The files of the log of the first <paramref name="size"/> golden entries, its checkpoint among them.</summary>
    public static Dictionary<string, byte[]> Files(int size)
    {
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        var builder = new TileBuilder();
        var leaves = new List<MerkleHash>();
        for (var i = 0; i < size; i++)
        {
            leaves.Add(RecursiveTree.Leaf(GoldenLog.Entry(i)));
            builder.Append(GoldenLog.Entry(i), leaves[i], (tile, bytes) => files.Add(tile.Path, bytes));
        }

        foreach (var (tile, bytes) in builder.Partials())
            files.Add(tile.Path, bytes);
        var text = $"{GoldenLog.Origin}\n{size.ToString(CultureInfo.InvariantCulture)}\n{RecursiveTree.Root(leaves.ToArray()).ToBase64()}\n";
        files.Add("checkpoint", Encoding.UTF8.GetBytes(text + "\n" + Forge.LogLine(text)));
        return files;
    }

    /// <summary>The same log after the edits of a case.</summary>
    public static Dictionary<string, byte[]> Edited(LogVector vector)
    {
        var files = Files(vector.Size);
        foreach (var edit in vector.Edits)
        {
            if (edit.Remove == true)
            {
                Assert.True(files.Remove(edit.Path));
                continue;
            }

            var bytes = edit.From is null ? files[edit.Path] : Files(edit.FromSize ?? vector.Size)[edit.From];
            bytes = [.. bytes[..^(edit.Cut ?? 0)], .. Convert.FromHexString(edit.Append ?? "")];
            if (edit.Flip is { } at)
                bytes[at < 0 ? bytes.Length + at : at] ^= 1;
            files[edit.Path] = bytes;
        }

        return files;
    }

    private static IEnumerable<LogVector> EachFile(int size)
    {
        yield return new($"{size}: whole", size, [], false, null);
        foreach (var path in Files(size).Keys.Where(path => path != "checkpoint"))
        {
            Assert.True(TileId.TryParse(path, out var tile));
            LogVector Case(string desc, LogEdit edit, string reason) => new($"{size}: {path} {desc}", size, [edit], true, reason);

            var bytes = Files(size)[path].Length;
            yield return Case("is missing", new(path, Remove: true), $"{path}: The tile {path} is missing");
            if (tile.Level == TileId.Entries)
            {
                var last = tile.FirstLeaf + tile.Width - 1;
                yield return Case("with its first entry changed", new(path, Flip: 2), $"entry {tile.FirstLeaf}: its bytes in the bundle and its hash in {Over(tile)} differ");
                yield return Case("with its last entry changed", new(path, Flip: -1), $"entry {last}: its bytes in the bundle and its hash in {Over(tile)} differ");
                yield return Case("with a longer first length", new(path, Flip: 0), $"{path}: ");
                yield return Case("without its last byte", new(path, Cut: 1), $"{path}: Entry {tile.Width - 1} of the bundle says");
                yield return Case("with a byte behind", new(path, Append: "00"), $"{path}: 1 bytes follow the {tile.Width} entries");
                yield return Case("with an empty entry behind", new(path, Append: "0000"), $"{path}: 2 bytes follow the {tile.Width} entries");
                yield return Case("empty", new(path, Cut: bytes), $"{path}: The bundle holds 0 entries, not {tile.Width}");
                continue;
            }

            string Says(int hash) => tile.Level == 0
                ? $"entry {tile.FirstLeaf + hash}: its bytes in the bundle and its hash in {path} differ"
                : $"{path}: hash {hash} is ";
            yield return Case("with its first hash changed", new(path, Flip: 0), Says(0));
            yield return Case("with its last hash changed", new(path, Flip: -1), Says(tile.Width - 1));
            yield return Case("without its last byte", new(path, Cut: 1), $"{path}: A tile of {tile.Width} hashes has {bytes} bytes, not {bytes - 1}");
            yield return Case("without its last hash", new(path, Cut: 32), $"{path}: A tile of {tile.Width} hashes has {bytes} bytes, not {bytes - 32}");
            yield return Case("with a byte behind", new(path, Append: "00"), $"{path}: A tile of {tile.Width} hashes has {bytes} bytes, not {bytes + 1}");
            yield return Case("with a hash behind", new(path, Append: new string('0', 64)), $"{path}: A tile of {tile.Width} hashes has {bytes} bytes, not {bytes + 32}");
            yield return Case("empty", new(path, Cut: bytes), $"{path}: A tile of {tile.Width} hashes has {bytes} bytes, not 0");
        }

        yield return new($"{size}: no checkpoint", size, [new("checkpoint", Remove: true)], true, "checkpoint: missing");
        yield return new($"{size}: checkpoint changed", size, [new("checkpoint", Flip: 30)], true, "checkpoint: ");
        yield return new($"{size}: checkpoint cut", size, [new("checkpoint", Cut: 1)], true, "checkpoint: The note does not end with a newline");
        yield return new(
            $"{size}: checkpoint of one entry more", size, [new("checkpoint", From: "checkpoint", FromSize: size + 1)], true, " is missing");
        yield return new(
            $"{size}: entries of another log", size, [.. Files(size).Keys.Where(path => path != "checkpoint").Select(path => Other(path, size))], true,
            size == 1 ? "checkpoint: its root is " : "entry 0: ");
    }

    /// <summary>
    /// In a log of one entry, bundle and tile are changed alike, so that only the root can show it; in larger ones the files are
    /// changed each for itself.
    /// </summary>
    private static LogEdit Other(string path, int size)
    {
        if (size > 1)
            return new LogEdit(path, Flip: path.Contains("entries", StringComparison.Ordinal) ? 2 : 5);
        var entry = "m"u8.ToArray();
        return path.Contains("entries", StringComparison.Ordinal)
            ? new LogEdit(path, Cut: Files(size)[path].Length, Append: "0001" + Convert.ToHexStringLower(entry))
            : new LogEdit(path, Cut: 32, Append: RecursiveTree.Leaf(entry).ToString());
    }

    private static IEnumerable<LogVector> Mixed()
    {
        LogEdit gone(string path) => new(path, Remove: true);
        yield return new(
            "full tiles stand in for partial ones", 300,
            [gone("tile/0/001.p/44"), gone("tile/entries/001.p/44"), new("tile/0/001", From: "tile/0/001", FromSize: 600), new("tile/entries/001", From: "tile/entries/001", FromSize: 600)],
            false, null);
        yield return new(
            "a full tile that is cut stands in for a partial one", 300,
            [gone("tile/0/001.p/44"), new("tile/0/001", From: "tile/0/001", FromSize: 600, Cut: 1)], true,
            "tile/0/001.p/44: A tile of 256 hashes has 8192 bytes, not 8191");
        yield return new(
            "a full bundle that is cut stands in for a partial one", 300,
            [gone("tile/entries/001.p/44"), new("tile/entries/001", From: "tile/entries/001", FromSize: 600, Cut: 1)], true,
            "tile/entries/001.p/44: Entry 255 of the bundle says");
        yield return new(
            "a partial tile stands in the place of a full one", 300, [new("tile/0/000", From: "tile/0/000.p/255", FromSize: 255)], true,
            "tile/0/000: A tile of 256 hashes has 8192 bytes, not 8160");
        yield return new(
            "a partial bundle stands in the place of a full one", 300, [new("tile/entries/000", From: "tile/entries/000.p/255", FromSize: 255)], true,
            "tile/entries/000: The bundle holds 255 entries, not 256");
        yield return new(
            "a full tile stands in the place of a partial one", 255, [new("tile/0/000.p/255", From: "tile/0/000", FromSize: 256)], true,
            "tile/0/000.p/255: A tile of 255 hashes has 8160 bytes, not 8192");
        yield return new(
            "a full bundle stands in the place of a partial one", 255, [new("tile/entries/000.p/255", From: "tile/entries/000", FromSize: 256)], true,
            "bytes follow the 255 entries");
        yield return new(
            "two bundles swapped", 600, [new("tile/entries/000", From: "tile/entries/001"), new("tile/entries/001", From: "tile/entries/000")], true,
            "entry 0: its bytes in the bundle and its hash in tile/0/000 differ");
        yield return new(
            "bundles and tiles swapped alike", 600,
            [new("tile/entries/000", From: "tile/entries/001"), new("tile/entries/001", From: "tile/entries/000"), new("tile/0/000", From: "tile/0/001"), new("tile/0/001", From: "tile/0/000")],
            true, "tile/1/000.p/2: hash 0 is ");
    }

    private static string Over(TileId bundle) => (bundle with { Level = 0 }).Path;
}
