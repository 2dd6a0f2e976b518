using System.Text;
using Lumora.Chain.Notes;
using Lumora.Chain.Tiles;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Tests;

/// <summary>
/// A log of 70,000 entries <c>lumora-golden-&lt;i&gt;</c> whose roots, checkpoint and cosignature three Go verifiers, OpenSSL
/// and two Ed25519 libraries agree on. Ed25519 is deterministic: these bytes come out again or something is wrong.
/// </summary>
public sealed class GoldenLog : ITileReader
{
    public const int Size = 70_000;
    public const string Origin = "lumora.example/ledger";
    public const string LogKey = "lumora.example/ledger+e3e22f24+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
    public const string WitnessKey = "witness.example/w1+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU";

    public const string Checkpoint =
        "lumora.example/ledger\n70000\nveHu6BygID/Za/wvkXaepGNc8Hk1VZT2lGcANwxswuQ=\n\n"
        + "\u2014 lumora.example/ledger 4+IvJP4wypn5snH/UxHJCkrNXYS+q8/JoJR8PHK6g4v5p8wJltaiAxX1fP8hNqjSnU/RQvCAA7fM5jGTc8vVHr/xagc=\n";

    public const string Cosignature =
        "\u2014 witness.example/w1 3xwKNQAAAABlU/EABsBrwElFI83CtRCQFz19rzNEdXu/oil3JJ8MpU1dmX9Yqnp4xDUX+u99fBs3KHUucxH5UbPXkQxNskwTfMMnDw==\n";

    public static readonly DateTimeOffset CosignedAt = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);

    private static readonly Lazy<GoldenLog> Shared = new(() => new GoldenLog());

    private GoldenLog()
    {
        var builder = new TileBuilder();
        for (var i = 0; i < Size; i++)
        {
            var entry = Entry(i);
            builder.Append(entry, MerkleHash.OfLeaf(entry), (tile, bytes) => Tiles.Add(tile, bytes));
        }

        foreach (var (tile, bytes) in builder.Partials())
            Tiles.Add(tile, bytes);
        Root = builder.Root();
    }

    public static GoldenLog Instance => Shared.Value;

    public IDictionary<TileId, byte[]> Tiles { get; } = new Dictionary<TileId, byte[]>();

    public MerkleHash Root { get; }

    public static byte[] Entry(long index) => Encoding.ASCII.GetBytes($"lumora-golden-{index}");

    public static NoteSigner LogSigner() => new(Origin, SignatureKind.Ed25519, Enumerable.Repeat((byte)1, 32).ToArray());

    public static NoteSigner WitnessSigner() =>
        new("witness.example/w1", SignatureKind.CosignatureV1, Enumerable.Repeat((byte)2, 32).ToArray());

    public ValueTask<byte[]?> ReadAsync(TileId tile, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Tiles.TryGetValue(tile, out var bytes) ? bytes : null);
}
