namespace Lumora.Chain.Tiles;

/// <summary>Where tiles come from: a folder, an object store, a web server.</summary>
public interface ITileReader
{
    /// <summary>The bytes of exactly this tile, or null when there is none.</summary>
    ValueTask<byte[]?> ReadAsync(TileId tile, CancellationToken cancellationToken);
}

/// <summary>A tile that the tree of the checkpoint must have is not there.</summary>
public sealed class TileMissingException(TileId tile) : Exception($"The tile {tile.Path} is missing.")
{
    /// <summary>The tile that was looked for.</summary>
    public TileId Tile { get; } = tile;
}

/// <summary>What every reader of tiles does alike.</summary>
public static class TileReading
{
    /// <summary>
    /// The bytes of the tile, cut from the full tile where that stands in its place: partials may be deleted once the full
    /// tile exists (tlog-tiles: "clients fall back to the full tile").
    /// </summary>
    /// <exception cref="TileMissingException">Neither exists.</exception>
    /// <exception cref="FormatException">The full tile that stands in its place is none.</exception>
    public static async ValueTask<byte[]> ReadOrFullAsync(
        this ITileReader reader, TileId tile, CancellationToken cancellationToken)
    {
        if (await reader.ReadAsync(tile, cancellationToken) is { } bytes)
            return bytes;
        if (tile.IsFull || await reader.ReadAsync(tile.Full, cancellationToken) is not { } full)
            throw new TileMissingException(tile);
        return tile.Level == TileId.Entries ? EntryBundle.Cut(full, tile.Width) : HashTile.Cut(full, tile.Width);
    }
}
