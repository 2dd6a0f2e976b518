using Lumora.Chain.Solana;
using Lumora.Cli.Reports;
using Lumora.Domain.Anchoring;

namespace Lumora.Cli.Audit;

/// <summary>An entry that says that a transaction is finalized.</summary>
/// <param name="Index">Its place in the log.</param>
/// <param name="Signature">The transaction.</param>
/// <param name="Slot">The slot that it names.</param>
/// <param name="BlockTime">The block's time that it names, or null.</param>
internal readonly record struct FinalizedEntry(long Index, string Signature, long Slot, DateTimeOffset? BlockTime);

/// <summary>What the log itself says about its anchors, in streams <c>anchor/{shard}/{size}</c>: what the chain is asked for.</summary>
internal sealed class AnchorEntries : IAuditPart
{
    private readonly HashSet<PublicKey> _payers = [];
    private readonly List<FinalizedEntry> _finalized = [];

    /// <summary>The addresses that pay for anchors.</summary>
    public IReadOnlyCollection<PublicKey> Payers => _payers;

    /// <summary>Entries that say that a transaction is finalized.</summary>
    public IReadOnlyList<FinalizedEntry> Finalized => _finalized;

    /// <inheritdoc/>
    public IEnumerable<Finding> Take(LoggedEvent entry)
    {
        if (entry.Leaf.Type == "anchor_prepared" && entry.Event is AnchorPrepared prepared && PublicKey.TryParse(prepared.Payer, out var payer))
            _payers.Add(payer);
        else if (entry.Leaf.Type == "anchor_finalized" && entry.Event is AnchorFinalized { Signature: not null } e)
            _finalized.Add(new FinalizedEntry(entry.Index, e.Signature, e.Slot, e.BlockTime));
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
            output.Write(anchor.Slot);
            output.Write(anchor.BlockTime?.UtcTicks ?? 0);
        });
    }

    /// <inheritdoc/>
    public void Load(BinaryReader input)
    {
        _payers.UnionWith(input.ReadList(() => new PublicKey(input.ReadString())));
        _finalized.AddRange(input.ReadList(() => new FinalizedEntry(input.ReadInt64(), input.ReadString(), input.ReadInt64(), Time(input.ReadInt64()))));

        static DateTimeOffset? Time(long ticks) => ticks == 0 ? null : new DateTimeOffset(ticks, TimeSpan.Zero);
    }
}
