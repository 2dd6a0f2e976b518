using System.Text;
using CsCheck;
using Lumora.Chain.Tests.Verification;
using Lumora.Chain.Tiles;
using Lumora.Domain.Log;

namespace Lumora.Chain.Tests.Fuzzing;

/// <summary>Fuzzers of a log's files: paths, tiles, bundles, and the leaves in them.</summary>
public sealed class TileFuzzTests
{
    [Fact]
    public void Paths_of_tiles() => Fuzz.Parser(
        [.. TileMutations.Paths().Where(vector => !vector.WantErr).Select(vector => Encoding.ASCII.GetBytes(vector.Path))],
        input => TileId.TryParse(Encoding.Latin1.GetString(input), out var tile)
            ? Encoding.ASCII.GetBytes(tile.Path)
            : throw new FormatException("refused"));

    /// <summary>The first byte of an input is the width less one.</summary>
    [Fact]
    public void Tiles_of_hashes() => Fuzz.Parser(
        [[0, .. new byte[32]], [2, .. new byte[96]], [255, .. new byte[8192]]],
        input => input.Length == 0 ? [] : [input[0], .. HashTile.Encode(HashTile.Decode(input.AsSpan(1), input[0] + 1))]);

    /// <summary>The first byte of an input is the width less one.</summary>
    [Fact]
    public void Bundles_of_entries() => Fuzz.Parser(
        [[0, 0, 3, 1, 2, 3], [2, 0, 1, 1, 0, 0, 0, 2, 5, 6], [255, .. new byte[512]]],
        input => input.Length == 0
            ? []
            : [input[0], .. EntryBundle.Encode([.. EntryBundle.Decode(input.AsMemory(1), input[0] + 1).Select(entry => entry.ToArray())])]);

    [Fact]
    public void What_is_cut_from_a_full_tile_is_the_partial_one() =>
        Gen.Select(Gen.Byte.Array[0, 20].Array[256], Gen.Int[1, 255]).Sample(
            (entries, width) =>
            {
                Assert.Equal(EntryBundle.Encode(entries[..width]), EntryBundle.Cut(EntryBundle.Encode(entries), width));
                var tile = HashTile.Encode([.. entries.Select(entry => Domain.Merkle.MerkleHash.OfLeaf(entry))]);
                Assert.Equal(tile[..(32 * width)], HashTile.Cut(tile, width));
                Assert.Throws<FormatException>(() => HashTile.Cut(tile.AsSpan(0, 32 * width), width));
                Assert.Throws<FormatException>(() => EntryBundle.Cut(EntryBundle.Encode(entries[..width]), width));
            },
            seed: LongForm.Seed, iter: LongForm.Iterations(50));

    /// <summary>Detached data too is a reference to hostile bytes.</summary>
    [Fact]
    public void Leaves() => Fuzz.Parser(
        [
            .. LogProofMutations.All().Where(vector => !vector.WantErr).Select(vector => Encoding.UTF8.GetBytes(vector.Entry)),
            """{"at":"2026-01-31T23:59:59.000000Z","data":{"length":70011,"sha256":"358f3e1cab105d42e604e7ab375ead4aa39b3351c7e7b5465bb4e1f0bab40c9d"},"id":"0193a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5b","meta":{"actor":"system:test","causation":"é\n"},"shard":"main","stream":"ledger/main","type":"transaction_posted","v":1,"version":9007199254740992}"""u8.ToArray(),
            """{"at":"0001-01-01T00:00:00.000000Z","data":[1.5,-1e-7,[[null]],{"":true}],"id":"ffffffff-ffff-ffff-ffff-ffffffffffff","meta":{"actor":"","causation":null},"shard":"","stream":"","type":"","v":1,"version":1}"""u8.ToArray(),
        ],
        input =>
        {
            var decoded = Leaf.Decode(input);
            if (decoded.Detached is { } detached)
                Assert.True(detached.Length >= 0 && detached.Sha256.Length == 64 && detached.Sha256.All(char.IsAsciiHexDigitLower));
            return decoded.Leaf.Encode(Encoding.UTF8.GetBytes(decoded.Data.GetRawText())).Bytes;
        },
        iterations: 10_000);

    [Fact]
    public void Leaves_nested_without_end_are_refused()
    {
        foreach (var (open, close) in (ReadOnlySpan<(string, string)>)[("[", "]"), ("{\"a\":", "}")])
        {
            var data = string.Concat(Enumerable.Repeat(open, 5_000)) + "0" + string.Concat(Enumerable.Repeat(close, 5_000));
            Assert.Throws<FormatException>(() => Leaf.Decode(Encoding.UTF8.GetBytes(data)));
        }
    }
}
