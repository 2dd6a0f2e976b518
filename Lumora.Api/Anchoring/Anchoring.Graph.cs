using System.Globalization;
using GraphQL;
using Lumora.Domain.Anchoring;
using Lumora.Projections.Anchoring;
using Lumora.Projections.EventStore;
using Marten;

namespace Lumora.Api.GraphQL;

/// <summary>A checkpoint of the log on its way into a Solana memo, or there.</summary>
/// <param name="Size">Events that the checkpoint covers.</param>
/// <param name="Root">Root of the Merkle tree over them, base64.</param>
/// <param name="State">How far it is: only finalized counts as proof.</param>
/// <param name="Signature">The newest transaction; null before the first is signed.</param>
/// <param name="Slot">Slot of its block.</param>
/// <param name="GenesisHash">The cluster.</param>
/// <param name="Payer">Address of the anchor key, which signs the transaction.</param>
/// <param name="BlockTime">Time of its block, once finalized and where known.</param>
/// <param name="PreparedAt">When the checkpoint was chosen.</param>
/// <param name="FinalizedAt">When it was seen to stand for good; null until then.</param>
public sealed record Anchor(
    long Size, string Root, AnchorStage State, string? Signature, long? Slot, string GenesisHash, string Payer,
    DateTimeOffset? BlockTime, DateTimeOffset PreparedAt, DateTimeOffset? FinalizedAt)
{
    internal static Anchor From(AnchorView view) => new(
        view.Size, view.Root, view.Stage, view.Signature, view.Slot, view.GenesisHash, view.Payer, view.BlockTime,
        view.PreparedAt, view.FinalizedAt);
}

public sealed partial class Query
{
    /// <summary>Anchors of the global log, the smallest checkpoint first; ask with last for the newest.</summary>
    [AllowAnyone]
    public static async Task<Connection<Anchor>> Anchors(
        [FromServices] ShardSessions sessions, PageRequest page, CancellationToken ct)
    {
        var shard = sessions.ShardOf(ShardRole.Global);
        var (after, before) = (Index(page.After, otherwise: -1), Index(page.Before, long.MaxValue));
        await using var session = sessions.Query(ShardRole.Global);
        var range = session.Query<AnchorView>().Where(view => view.Shard == shard && view.Size > after && view.Size < before);
        var rows = await (page.Backward ? range.OrderByDescending(view => view.Size) : range.OrderBy(view => view.Size))
            .Take(page.Take).ToListAsync(ct);
        return page.Page([.. rows.Select(Anchor.From)], anchor => anchor.Size.ToString(CultureInfo.InvariantCulture));
    }
}
