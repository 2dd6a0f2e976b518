using Lumora.Chain.Tiles;

namespace Lumora.Cli.Audit;

/// <summary>Remembers the last tiles that were read: proofs of sizes that follow each other lead through the same ones.</summary>
internal sealed class NewestTiles(ITileReader tiles) : ITileReader
{
    // 8 KiB each; the proofs of two sizes in a row pass fewer.
    private const int Kept = 64;

    private readonly Dictionary<TileId, byte[]> _tiles = [];
    private readonly Queue<TileId> _order = new();

    /// <inheritdoc/>
    public async ValueTask<byte[]?> ReadAsync(TileId tile, CancellationToken cancellationToken)
    {
        if (_tiles.TryGetValue(tile, out var known))
            return known;
        if (await tiles.ReadAsync(tile, cancellationToken) is not { } bytes)
            return null;
        if (_order.Count == Kept)
            _tiles.Remove(_order.Dequeue());
        _order.Enqueue(tile);
        return _tiles[tile] = bytes;
    }
}
