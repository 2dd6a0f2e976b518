using System.Text;
using Lumora.Chain.Log;
using Lumora.Chain.Merkle;
using Lumora.Chain.Notes;
using Lumora.Chain.Tiles;
using Lumora.Chain.Witnesses;
using Lumora.Chain.Witnessing;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Tests.Witnesses;

/// <summary>The golden witness with a state folder, and requests about the golden log.</summary>
internal sealed class WitnessBench : IDisposable
{
    private readonly NoteSigner _key;
    private readonly NoteSigner _log = GoldenLog.LogSigner();
    private FolderCheckpointLock _state;

    public WitnessBench(NoteSigner? key = null)
    {
        _key = key ?? GoldenLog.WitnessSigner();
        _state = new FolderCheckpointLock(Folder);
        Witness = Open(_state);
    }

    public string Folder { get; } = Path.Combine(Path.GetTempPath(), $"lumora-witness-{Guid.NewGuid():N}");

    public Witness Witness { get; private set; }

    public ICheckpointLock State => _state;

    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>A witness with the golden keys on <paramref name="state"/>.</summary>
    public Witness Open(ICheckpointLock state, IShownConflicts? conflicts = null) =>
        new(_key, [_log.Verifier], state, new FixedClock(GoldenLog.CosignedAt), conflicts);

    /// <summary>A new process on the same folder.</summary>
    public void Restart()
    {
        Witness.Dispose();
        _state.Dispose();
        _state = new FolderCheckpointLock(Folder);
        Witness = Open(_state);
    }

    /// <summary>The golden log at <paramref name="size"/>, signed and in the lock.</summary>
    public async Task<PublishedCheckpoint> SignedAsync(long size)
    {
        var root = await new TreeReader(Tiles(size), size).RootAsync(Ct);
        return new PublishedCheckpoint("ledger", new Checkpoint(GoldenLog.Origin, size, root), Note(size, root));
    }

    /// <summary>The tiles of the golden log at <paramref name="size"/>.</summary>
    public static ITileReader Tiles(long size) => new Edge(size);

    public byte[] Note(long size, MerkleHash root)
    {
        var text = new Checkpoint(GoldenLog.Origin, size, root).ToText();
        return new SignedNote(text, [_log.Sign(text)]).ToBytes();
    }

    /// <summary>A well-formed request with the golden log's own proof from <paramref name="old"/> to <paramref name="size"/>.</summary>
    public async Task<AddCheckpointRequest> RequestAsync(long old, long size)
    {
        var tree = new TreeReader(new Edge(size), size);
        var proof = old > 0 && old < size ? await tree.ConsistencyAsync(old, Ct) : [];
        return new AddCheckpointRequest(old, proof, Note(size, await tree.RootAsync(Ct)));
    }

    public Task<WitnessAnswer> AskAsync(AddCheckpointRequest request) => Witness.AddCheckpointAsync(request.ToBytes(), Ct);

    public Task<WitnessAnswer> AskAsync(string body) => Witness.AddCheckpointAsync(Encoding.UTF8.GetBytes(body), Ct);

    public async Task<long> SizeAsync() =>
        await _state.ReadAsync(Witness.HashOf(GoldenLog.Origin), Ct) is { } note
            ? Checkpoint.Parse(SignedNote.Parse(note).Text).Size
            : 0;

    public void Dispose()
    {
        Witness.Dispose();
        _state.Dispose();
        _key.Dispose();
        _log.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>The golden log as it was at another size: its tiles at that size.</summary>
    private sealed class Edge : ITileReader
    {
        private readonly Dictionary<TileId, byte[]> _tiles = [];

        public Edge(long size)
        {
            var builder = new TileBuilder();
            for (var i = 0L; i < size; i++)
                builder.Append(GoldenLog.Entry(i), MerkleHash.OfLeaf(GoldenLog.Entry(i)), (tile, bytes) => _tiles[tile] = bytes);
            foreach (var (tile, bytes) in builder.Partials())
                _tiles[tile] = bytes;
        }

        public ValueTask<byte[]?> ReadAsync(TileId tile, CancellationToken cancellationToken) =>
            ValueTask.FromResult(_tiles.GetValueOrDefault(tile));
    }

    private sealed class FixedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
