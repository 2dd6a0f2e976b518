using Lumora.Chain.Tiles;

namespace Lumora.Chain.Tests.Verification;

/// <summary>Tiles by their paths, from memory.</summary>
internal sealed class FileTiles(IReadOnlyDictionary<string, byte[]> files) : ITileReader
{
    public ValueTask<byte[]?> ReadAsync(TileId tile, CancellationToken cancellationToken) =>
        ValueTask.FromResult(files.GetValueOrDefault(tile.Path));
}
