using CsCheck;
using Lumora.Domain.Merkle;

namespace Lumora.Domain.Tests.Merkle;

public sealed class MerkleTreeTests
{
    private static readonly byte[][] Entries =
    [
        .. new[] { "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f" }
            .Select(Convert.FromHexString),
    ];

    [Fact]
    public void The_empty_tree_has_the_hash_of_nothing()
    {
        const string expected = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        Assert.Equal(expected, new CompactRange().Root().ToString());
        Assert.Equal(expected, MerkleHash.EmptyRoot.ToString());
    }

    /// <summary>The well-known test tree of the Certificate Transparency implementations.</summary>
    [Theory]
    [InlineData(1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")]
    [InlineData(3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77")]
    [InlineData(7, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c")]
    [InlineData(8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")]
    public void Roots_match_the_known_tree(int size, string root) =>
        Assert.Equal(root, CompactRange.RootOf(Entries.Take(size).Select(e => (ReadOnlyMemory<byte>)e)).ToString());

    [Fact]
    public void The_streaming_root_equals_the_recursive_definition() =>
        Gen.Byte.Array[0, 40].List[0, 70].Sample(entries =>
        {
            var expected = Recursive([.. entries.Select(e => MerkleHash.OfLeaf(e))]);
            Assert.Equal(expected, CompactRange.RootOf(entries.Select(e => (ReadOnlyMemory<byte>)e)));
        });

    [Fact]
    public void A_stored_range_goes_on_where_it_stopped() =>
        Gen.Select(Gen.Int[0, 300], Gen.Int[0, 300]).Sample((before, after) =>
        {
            var whole = new CompactRange();
            for (var i = 0; i < before; i++)
                whole.Append(MerkleHash.OfLeaf(BitConverter.GetBytes(i)));
            var resumed = CompactRange.FromPeaks(whole.Size, [.. whole.Peaks]);
            for (var i = 0; i < after; i++)
            {
                whole.Append(MerkleHash.OfLeaf(BitConverter.GetBytes(i + 1000)));
                resumed.Append(MerkleHash.OfLeaf(BitConverter.GetBytes(i + 1000)));
            }

            Assert.Equal(whole.Root(), resumed.Root());
            Assert.Equal(before + after, resumed.Size);
        });

    [Fact]
    public void Peaks_that_do_not_fit_the_size_are_refused() =>
        Assert.Throws<ArgumentException>(() => CompactRange.FromPeaks(3, [MerkleHash.EmptyRoot]));

    /// <summary>Eight at once are another implementation of SHA-256 than the platform's: they must agree on any bytes.</summary>
    [Fact]
    public void Nodes_above_pairs_are_those_that_SHA_256_gives_one_by_one() =>
        Gen.Byte.Array[2 * MerkleHash.Size].List[0, 70].Sample(pairs =>
        {
            MerkleHash[] children = [.. pairs.SelectMany(pair => pair.Chunk(MerkleHash.Size)).Select(hash => new MerkleHash(hash))];
            var parents = new MerkleHash[pairs.Count + 1];
            MerkleHash.OfPairs(children, parents);
            var expected = pairs.Select(pair => new MerkleHash(System.Security.Cryptography.SHA256.HashData([1, .. pair])));
            Assert.Equal([.. expected, default], parents);
            MerkleHash.OfPairs(children, children);
            Assert.Equal(parents[..^1], children[..pairs.Count]);
        });

    [Fact]
    public void Pairs_are_of_two_and_their_nodes_need_room()
    {
        Assert.Throws<ArgumentException>(() => MerkleHash.OfPairs(new MerkleHash[3], new MerkleHash[3]));
        Assert.Throws<ArgumentException>(() => MerkleHash.OfPairs(new MerkleHash[4], new MerkleHash[1]));
    }

    [Fact]
    public void A_leaf_longer_than_the_stack_buffer_is_hashed_whole()
    {
        var entry = new byte[100_000];
        entry[^1] = 1;
        var expected = System.Security.Cryptography.SHA256.HashData([0, .. entry]);
        Assert.Equal(expected, MerkleHash.OfLeaf(entry).ToArray());
    }

    [Theory]
    [InlineData("6E340B9CFFB37A989CA544E6BB780A2C78901D3FB33738768511A30617AFA01D")]
    [InlineData("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01")]
    [InlineData("zz340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")]
    [InlineData(null)]
    public void A_hash_has_one_hexadecimal_spelling(string? text) => Assert.False(MerkleHash.TryParseHex(text, out _));

    [Fact]
    public void A_hash_has_one_base64_spelling()
    {
        var text = MerkleHash.EmptyRoot.ToBase64();
        Assert.True(MerkleHash.TryParseBase64(text, out var same));
        Assert.Equal(MerkleHash.EmptyRoot, same);
        Assert.False(MerkleHash.TryParseBase64(text.Insert(4, "\n"), out _));
        Assert.False(MerkleHash.TryParseBase64(text + " ", out _));
        // The last digit before the pad carries two bits that must be zero.
        Assert.False(MerkleHash.TryParseBase64(text[..^2] + (char)(text[^2] + 1) + "=", out _));
        Assert.False(MerkleHash.TryParseBase64("AAAA", out _));
    }

    private static MerkleHash Recursive(ReadOnlySpan<MerkleHash> leaves)
    {
        if (leaves.Length == 0)
            return MerkleHash.EmptyRoot;
        if (leaves.Length == 1)
            return leaves[0];
        var split = 1;
        while (split * 2 < leaves.Length)
            split *= 2;
        return MerkleHash.OfChildren(Recursive(leaves[..split]), Recursive(leaves[split..]));
    }
}
