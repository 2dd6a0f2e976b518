using Lumora.Chain.Tiles;

namespace Lumora.Chain.Blobs;

/// <summary>Reads the tiles of a log from its blobs.</summary>
public sealed class BlobTiles(IBlobStore blobs) : ITileReader
{
    /// <inheritdoc/>
    public async ValueTask<byte[]?> ReadAsync(TileId tile, CancellationToken cancellationToken) =>
        await blobs.ReadAsync(tile.Path, cancellationToken);
}
