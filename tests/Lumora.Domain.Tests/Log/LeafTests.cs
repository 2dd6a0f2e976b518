using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using CsCheck;
using Lumora.Domain.Kernel;
using Lumora.Domain.Log;
using Lumora.Domain.Merkle;

namespace Lumora.Domain.Tests.Log;

public sealed partial class LeafTests
{
    private static readonly Leaf Sample = new(
        "main", "ledger/main", 3, Guid.Parse("0193a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5b"), "transaction_posted",
        new DateTimeOffset(2026, 1, 31, 23, 59, 59, TimeSpan.Zero), "system:test", null);

    [GeneratedRegex(
        "^### (?<name>.+?)\n.*?^```json event\n(?<input>.*?)\n```\n.*?^```json leaf\n(?<leaf>.*?)\n```\n.*?^Leaf hash: `(?<hash>[0-9a-f]{64})`",
        RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Vector();

    /// <summary>The document is the contract: what it prints is what the code must write.</summary>
    [Fact]
    public void The_vectors_of_the_document_come_out_byte_for_byte()
    {
        var vectors = Vector().Matches(File.ReadAllText(Document()).ReplaceLineEndings("\n"));
        Assert.True(vectors.Count >= 3, "docs/leaf.md holds at least three vectors");
        foreach (Match vector in vectors)
        {
            var (leaf, data) = ReadEvent(vector.Groups["input"].Value);
            var bytes = leaf.Encode(data).Bytes;
            Assert.Equal(vector.Groups["leaf"].Value, Encoding.UTF8.GetString(bytes));
            Assert.Equal(vector.Groups["hash"].Value, MerkleHash.OfLeaf(bytes).ToString());
            Assert.Equal(leaf, Leaf.Decode(bytes).Leaf);
        }
    }

    [Fact]
    public void Data_that_just_fits_stays_in_the_leaf_and_one_byte_more_is_detached()
    {
        var overhead = Sample.Encode("\"\""u8).Bytes.Length;
        var fits = Json(new string('x', Leaf.BytesMax - overhead));
        var encoded = Sample.Encode(fits);
        Assert.Equal(Leaf.BytesMax, encoded.Bytes.Length);
        Assert.Null(encoded.DetachedData);

        var over = Json(new string('x', Leaf.BytesMax - overhead + 1));
        encoded = Sample.Encode(over);
        Assert.Equal(over, encoded.DetachedData);
        var detached = Leaf.Decode(encoded.Bytes).Detached;
        Assert.Equal(new DetachedData(Convert.ToHexStringLower(SHA256.HashData(over)), over.Length), detached);
    }

    /// <summary>The numbers are quoted in docs/leaf.md.</summary>
    [Fact]
    public void The_long_vector_of_the_document_holds()
    {
        var bytes = Sample.Encode(Json(new { text = new string('x', 70_000) })).Bytes;
        var document = File.ReadAllText(Document());
        Assert.Contains(Encoding.UTF8.GetString(bytes), document, StringComparison.Ordinal);
        Assert.Contains(MerkleHash.OfLeaf(bytes).ToString(), document, StringComparison.Ordinal);
    }

    [Fact]
    public void The_spelling_of_the_stored_data_does_not_change_the_leaf() =>
        Assert.Equal(
            Sample.Encode("""{"a":"1","b":[1,2.5]}"""u8).Bytes,
            Sample.Encode("""{ "b": [1.0, 2.50], "a": "\u0031" }"""u8).Bytes);

    [Theory]
    [InlineData(""" {"at":"2026-01-31T23:59:59.000000Z","data":{},"id":"0193a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5b","meta":{"actor":null,"causation":null},"shard":"main","stream":"s","type":"t","v":1,"version":1}""", "canonical")]
    [InlineData("""{"at":"2026-01-31T23:59:59.000000Z","data":{},"id":"0193a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5b","meta":{"actor":null,"causation":null},"shard":"main","stream":"s","type":"t","v":2,"version":1}""", "\"v\":1")]
    [InlineData("""{"at":"2026-01-31T23:59:59Z","data":{},"id":"0193a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5b","meta":{"actor":null,"causation":null},"shard":"main","stream":"s","type":"t","v":1,"version":1}""", "time")]
    [InlineData("""{"at":"2026-01-31T23:59:59.000000Z","data":{},"id":"0193A1B2","meta":{"actor":null,"causation":null},"shard":"main","stream":"s","type":"t","v":1,"version":1}""", "id")]
    [InlineData("""{"at":"2026-01-31T23:59:59.000000Z","data":{},"id":"0193a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5b","meta":{"actor":null},"shard":"main","stream":"s","type":"t","v":1,"version":1}""", "meta")]
    [InlineData("""{"at":"2026-01-31T23:59:59.000000Z","data":{},"extra":1,"id":"0193a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5b","meta":{"actor":null,"causation":null},"shard":"main","stream":"s","type":"t","v":1,"version":1}""", "members")]
    [InlineData("""{"at":"2026-01-31T23:59:59.000000Z","data":{},"id":"0193a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5b","meta":{"actor":null,"causation":null},"shard":"main","stream":"s","type":"t","v":1,"version":0}""", "version")]
    [InlineData("""{"at":"2026-01-31T23:59:59.000000Z","data":{},"id":"0193a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5b","meta":{"actor":null,"causation":null},"shard":"main","stream":"s","type":"t","v":1,"version":"1"}""", "version")]
    [InlineData("""{"at":"2026-01-31T23:59:59.000000Z","data":{},"id":"0193a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5b","meta":{"actor":null,"causation":null},"shard":"main","stream":"s","type":"t","v":1,"version":9007199254740994}""", "version")]
    [InlineData("""{"at":"2026-01-31T23:59:59.000000Z","data":{},"id":"0193a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5b","meta":{"actor":null,"causation":null},"shard":"main","stream":"s","type":"t","v":1,"version":1000000000000000000}""", "version")]
    [InlineData("""{"at":"2026-01-31T23:59:59.000000Z","data":{},"id":"0193A1B2-c3d4-7e5f-8a6b-0c1d2e3f4a5b","meta":{"actor":null,"causation":null},"shard":"main","stream":"s","type":"t","v":1,"version":1}""", "lower case")]
    [InlineData("""{"at":"2026-01-31T23:59:59.000000Z","data":{},"id":" 0193a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5b","meta":{"actor":null,"causation":null},"shard":"main","stream":"s","type":"t","v":1,"version":1}""", "lower case")]
    [InlineData("""{"at":"2026-01-31T23:59:59.000000Z","data":{},"id":"0193a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5b","meta":{"actor":null,"causation":null},"shard":"main","stream":"s","type":"t","v":1,"version":1.5}""", "version")]
    [InlineData("[]", "\"v\":1")]
    public void What_is_no_leaf_of_version_1_is_refused_with_the_reason(string text, string reason)
    {
        var exception = Assert.Throws<FormatException>(() => Leaf.Decode(Encoding.UTF8.GetBytes(text)));
        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
    }

    /// <summary>The reference becomes a path and a length: a log's operator may have written anything there.</summary>
    [Theory]
    [InlineData("""{"length":1e300,"sha256":"358f3e1cab105d42e604e7ab375ead4aa39b3351c7e7b5465bb4e1f0bab40c9d"}""")]
    [InlineData("""{"length":1.5,"sha256":"358f3e1cab105d42e604e7ab375ead4aa39b3351c7e7b5465bb4e1f0bab40c9d"}""")]
    [InlineData("""{"length":-1,"sha256":"358f3e1cab105d42e604e7ab375ead4aa39b3351c7e7b5465bb4e1f0bab40c9d"}""")]
    [InlineData("""{"length":1,"sha256":"358F3E1CAB105D42E604E7AB375EAD4AA39B3351C7E7B5465BB4E1F0BAB40C9D"}""")]
    [InlineData("""{"length":1,"sha256":"../../checkpoint"}""")]
    [InlineData("""{"length":1,"sha256":""}""")]
    public void What_names_no_data_by_its_hash_is_no_reference(string data) =>
        Assert.Null(Leaf.Decode(Sample.Encode(Encoding.UTF8.GetBytes(data)).Bytes).Detached);

    [Fact]
    public void Every_leaf_reads_back_as_it_was_written() =>
        Gen.Select(Gen.String[Gen.Char.AlphaNumeric, 0, 20], Gen.Long[1, 1L << 53], Gen.Int, Gen.Bool).Sample((text, version, number, actor) =>
        {
            var leaf = Sample with { Stream = text, Version = version, Actor = actor ? text : null, Causation = actor ? null : text };
            var decoded = Leaf.Decode(leaf.Encode(Json(new { text, number })).Bytes);
            Assert.Equal(leaf, decoded.Leaf);
            Assert.Equal(number, decoded.Data.GetProperty("number").GetInt32());
        });

    private static (Leaf Leaf, byte[] Data) ReadEvent(string json)
    {
        var root = JsonDocument.Parse(json).RootElement;
        return (
            new Leaf(
                root.GetProperty("shard").GetString()!, root.GetProperty("stream").GetString()!,
                root.GetProperty("version").GetInt64(), root.GetProperty("id").GetGuid(), root.GetProperty("type").GetString()!,
                Moment.Truncate(root.GetProperty("at").GetDateTimeOffset()), root.GetProperty("actor").GetString(),
                root.GetProperty("causation").GetString()),
            Encoding.UTF8.GetBytes(root.GetProperty("data").GetRawText()));
    }

    private static byte[] Json<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value);

    private static string Document()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Lumora.sln")))
            folder = folder.Parent;
        return Path.Combine(folder.FullName, "docs", "leaf.md");
    }
}
