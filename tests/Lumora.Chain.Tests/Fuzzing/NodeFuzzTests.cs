using System.Text;
using System.Text.Json;
using Lumora.Chain.Cryptography;
using Lumora.Chain.Solana;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Datasets;
using Lumora.Domain.Kernel;
using Lumora.Domain.Participants;
using Lumora.Domain.Purchases;
using Lumora.Domain.Tasks;

namespace Lumora.Chain.Tests.Fuzzing;

/// <summary>Fuzzers of what participants, nodes, buyers and the sites that nodes read send.</summary>
public sealed class NodeFuzzTests
{
    private static readonly Curve25519 Curve = new();
    private static readonly byte[] Seed = [.. Enumerable.Repeat((byte)5, 32)];
    private static readonly byte[] Key = Curve.Ed25519PublicKey(Seed);
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);

    private static readonly SignableRequest Request = new(
        "POST", "lumora.example", "/v1/leases", "", new Dictionary<string, string>(StringComparer.Ordinal) { [ContentDigest.FieldName] = ContentDigest.Of("{}"u8) });

    [Fact]
    public void Messages_to_sign_in() => Fuzz.Parser(
        [
            Bytes("lumora.example wants you to sign in with your Solana account:\nGwAF45zjfyGzUbd3i3hXxzGeuchzEZXwpRYHZM5912F1\n\nSign in.\n\nURI: https://lumora.example/\nVersion: 1\nNonce: 32891757abc\nIssued At: 2026-05-01T11:59:30.000Z\nResources:\n- https://a.example"),
            Bytes("a wants you to sign in with your Solana account:\nb"),
        ],
        input =>
        {
            var message = SignInMessage.TryParse(Wide(input), out var read) ? read : throw new FormatException("refused");
            foreach (var time in (string?[])[message.IssuedAt, message.ExpirationTime, message.NotBefore])
                SignInMessage.ReadTime(time);
            return Wide(message.ToString());
        });

    /// <summary>Of a signed request's two fields nothing can be changed but the label.</summary>
    [Fact]
    public void Signatures_of_requests()
    {
        var good = NodeRequest.Sign(Request, "node", Now, "0123456789abcdef", Seed, Curve);
        var parameters = good.Input[(good.Input.IndexOf('=', StringComparison.Ordinal) + 1)..];
        Fuzz.Parser(
            [Bytes($"{good.Input}\n{good.Signature}")],
            input =>
            {
                var lines = Wide(input).Split('\n', 2);
                var fields = new SignatureFields(lines[0], lines.Length > 1 ? lines[1] : "");
                var verified = NodeRequest.Verify(Request, fields, Now, id => id == "node" ? Key : null, Curve);
                if (verified.Value is null)
                    throw new FormatException(verified.Rejection!.Code);
                Assert.EndsWith($"={parameters}", fields.Input, StringComparison.Ordinal);
                return input;
            });
    }

    [Fact]
    public void Digests_of_bodies() => Fuzz.Parser(
        [Bytes(ContentDigest.Of("{}"u8)), Bytes($"sha-512=:AA==:, {ContentDigest.Of("{}"u8)}")],
        input => ContentDigest.Matches(Wide(input), System.Security.Cryptography.SHA256.HashData("{}"u8)) ? input : throw new FormatException("refused"));

    [Fact]
    public void Tokens()
    {
        var key = new byte[SignedToken.KeyBytes];
        Fuzz.Parser(
            [Bytes(SignedToken.Seal("quote", new NodeLimits(5, null), key))],
            input =>
            {
                Assert.True(SignedToken.TryOpen<NodeLimits>("quote", Wide(input), key, out var limits) || limits is null);
                return limits is null ? throw new FormatException("refused") : Bytes(SignedToken.Seal("quote", limits, key));
            });
    }

    /// <summary>Every identifier and number of the wire has one spelling.</summary>
    [Theory]
    [InlineData("amount", "0", "9223372036854775807")]
    [InlineData("version", "1.4.0", "999999.0.1")]
    [InlineData("address", "GwAF45zjfyGzUbd3i3hXxzGeuchzEZXwpRYHZM5912F1", "11111111111111111111111111111111")]
    [InlineData("recipient", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p")]
    [InlineData("sealed", "v1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "v1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public void Small_texts(string what, string one, string other) => Fuzz.Parser(
        [Bytes(one), Bytes(other)],
        input =>
        {
            var text = Encoding.UTF8.GetString(input);
            return Bytes(what switch
            {
                "amount" when Amount.TryParse(text, out var amount) => amount.ToString(),
                "version" when SemVer.TryParse(text, out var version) => version.ToString(),
                "address" when PublicKey.TryParse(text, out var address) => address.Key,
                "recipient" when AgeRecipient.TryParse(text, out var recipient, out _) => recipient.Text,
                "sealed" when Sealed.TryParse(text, out var box) => box.Text,
                _ => throw new FormatException("refused"),
            });
        },
        iterations: 2_000);

    /// <summary>What still decrypts is what was encrypted.</summary>
    [Fact]
    public async Task Encrypted_files()
    {
        var identity = AgeIdentity.Generate(bytes => bytes.Fill(9));
        using var plain = new MemoryStream("what was encrypted"u8.ToArray());
        using var file = new MemoryStream();
        await AgeEncryptor.EncryptAsync(plain, file, [identity.Recipient(Curve)], Curve, bytes => bytes.Fill(8), TestContext.Current.CancellationToken);
        Fuzz.Parser(
            [file.ToArray()],
            input =>
            {
                using var destination = new MemoryStream();
                AgeDecryptor.DecryptAsync(new MemoryStream(input), destination, [identity], Curve, TestContext.Current.CancellationToken).GetAwaiter().GetResult();
                Assert.Equal(plain.ToArray(), destination.ToArray());
                return input;
            },
            [typeof(AgeException)], iterations: 2_000);
    }

    /// <summary>A robots.txt is never refused, and asked for any address it answers in time.</summary>
    [Fact]
    public void Robots_files() => Fuzz.Parser(
        [Bytes("User-agent: LumoraNode\nDisallow: /a*b$\nAllow: /a\nCrawl-delay: 1.5\nSitemap: https://a.example/s.xml\n\nUser-agent: *\nDisallow: /%7e\n")],
        input =>
        {
            var robots = RobotsTxt.Parse(input);
            robots.IsAllowed("LumoraNode", new Uri("https://a.example/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab?x=%7E"));
            Assert.InRange(robots.CrawlDelay("LumoraNode") ?? TimeSpan.Zero, TimeSpan.Zero, TimeSpan.FromSeconds(RobotsTxt.CrawlDelaySecondsMax));
            Assert.True(robots.IsAllowed("LumoraNode", new Uri("https://a.example/robots.txt")));
            return input;
        },
        allocatedPerByte: 400);

    /// <summary>A result of a node is judged, whatever its JSON holds.</summary>
    [Fact]
    public void Results_of_nodes()
    {
        var root = new string('a', 64);
        var page = new PageResult("https://a.example/", "https://a.example/", 200, 5, root, 1, Now, Now, PageOutcome.Fetched);
        var receipt = new WorkReceipt("lease_x", "node", 1, 5, 9, root, WorkStatus.Complete, 1_700_000_000_000, 1_700_000_001_000, "sig");
        var result = new TaskResult("lease_x", root, 1, 9, root, [page], new Dictionary<string, int>(StringComparer.Ordinal), receipt);
        Fuzz.Parser(
            [JsonSerializer.SerializeToUtf8Bytes(result, WireJson.Messages)],
            input =>
            {
                var read = JsonSerializer.Deserialize<TaskResult>(input, WireJson.Messages) ?? throw new JsonException("null");
                if (NodeProtocolShapes.Check(read) is { } wrong)
                    throw new JsonException(wrong.Message);
                receipt.SigningBytes();
                return input;
            },
            [typeof(JsonException)], allocatedPerByte: 400);
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Wide(byte[] input) => Encoding.Latin1.GetString(input);

    private static byte[] Wide(string text) => Encoding.Latin1.GetBytes(text);
}
