using System.Text.Json;
using Lumora.Chain.Solana;
using Lumora.Domain.Log;

namespace Lumora.Cli.Audit;

/// <summary>What the log itself says about its anchors, in streams <c>anchor/{shard}/{size}</c>.</summary>
internal sealed class AnchorEntries
{
    private readonly HashSet<PublicKey> _payers = [];
    private readonly List<(long Index, string Signature)> _finalized = [];

    /// <summary>The addresses that pay for anchors.</summary>
    public IReadOnlyCollection<PublicKey> Payers => _payers;

    /// <summary>Entries that say that a transaction is finalized.</summary>
    public IReadOnlyList<(long Index, string Signature)> Finalized => _finalized;

    /// <summary>Takes the next entry.</summary>
    public void Take(long index, DecodedLeaf entry)
    {
        if (entry.Leaf.Type == "anchor_prepared" && PublicKey.TryParse(Text(entry.Data, "payer"), out var payer))
            _payers.Add(payer);
        else if (entry.Leaf.Type == "anchor_finalized" && Text(entry.Data, "signature") is { } signature)
            _finalized.Add((index, signature));
    }

    private static string? Text(JsonElement data, string name) =>
        data.ValueKind == JsonValueKind.Object && data.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
