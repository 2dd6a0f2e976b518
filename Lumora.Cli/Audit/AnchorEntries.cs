using System.Text.Json;
using Lumora.Chain.Solana;
using Lumora.Cli.Reports;

namespace Lumora.Cli.Audit;

/// <summary>What the log itself says about its anchors, in streams <c>anchor/{shard}/{size}</c>.</summary>
internal sealed class AnchorEntries : IAuditPart
{
    private readonly HashSet<PublicKey> _payers = [];
    private readonly List<(long Index, string Signature)> _finalized = [];

    /// <summary>The addresses that pay for anchors.</summary>
    public IReadOnlyCollection<PublicKey> Payers => _payers;

    /// <summary>Entries that say that a transaction is finalized.</summary>
    public IReadOnlyList<(long Index, string Signature)> Finalized => _finalized;

    /// <inheritdoc/>
    public IEnumerable<Finding> Take(LoggedEvent entry)
    {
        if (entry.Leaf.Type == "anchor_prepared" && PublicKey.TryParse(Text(entry.Data, "payer"), out var payer))
            _payers.Add(payer);
        else if (entry.Leaf.Type == "anchor_finalized" && Text(entry.Data, "signature") is { } signature)
            _finalized.Add((entry.Index, signature));
        return [];
    }

    /// <inheritdoc/>
    public void Save(BinaryWriter output)
    {
        output.WriteList(_payers, payer => output.Write(payer.ToString()));
        output.WriteList(_finalized, anchor =>
        {
            output.Write(anchor.Index);
            output.Write(anchor.Signature);
        });
    }

    /// <inheritdoc/>
    public void Load(BinaryReader input)
    {
        _payers.UnionWith(input.ReadList(() => new PublicKey(input.ReadString())));
        _finalized.AddRange(input.ReadList(() => (input.ReadInt64(), input.ReadString())));
    }

    private static string? Text(JsonElement data, string name) =>
        data.ValueKind == JsonValueKind.Object && data.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
