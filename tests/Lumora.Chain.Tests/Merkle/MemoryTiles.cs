using Lumora.Chain.Tiles;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Tests.Merkle;

/// <summary>The tiles of a tree in memory, as its publisher would write them at this size.</summary>
internal sealed class MemoryTiles : ITileReader
{
    public MemoryTiles(IEnumerable<MerkleHash> leaves)
    {
        var builder = new TileBuilder();
        foreach (var leaf in leaves)
            builder.Append([], leaf, Files.Add);
        foreach (var (tile, bytes) in builder.Partials())
            Files.Add(tile, bytes);
    }

    public Dictionary<TileId, byte[]> Files { get; } = [];

    public ValueTask<byte[]?> ReadAsync(TileId tile, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Files.GetValueOrDefault(tile));
}
