using System.Runtime.CompilerServices;
using System.Text;
using Lumora.Chain.Blobs;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Domain.Kernel;
using Lumora.Domain.Log;
using Lumora.Domain.Merkle;

namespace Lumora.Integration.Tests.Cli;

/// <summary>A log whose operator signs whatever he likes: tree and signatures are good, its events are not.</summary>
internal sealed class ForgedLog : ILeafSource, IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly List<LeafRow> _rows = [];
    private readonly LogSigner _signer = new(new NoteSigner("forged.example/main", SignatureKind.Ed25519, new byte[32]));

    public string Folder { get; } = Path.Combine(Path.GetTempPath(), $"lumora-forged-{Guid.NewGuid():N}");

    public string Key => _signer.Key.ToString();

    public void Add<T>(string stream, long version, T @event, string actor = "system:test", Guid? id = null)
    {
        var type = EventCatalog.All.Single(pair => pair.Type == typeof(T)).Name;
        var leaf = new Leaf("main", stream, version, id ?? Guid.NewGuid(), type, Start.AddSeconds(_rows.Count), actor, null);
        var bytes = leaf.Encode(Encoding.UTF8.GetBytes(System.Text.Json.JsonSerializer.Serialize(@event, WireJson.Events))).Bytes;
        Add(bytes);
    }

    public void Add(byte[] bytes) => _rows.Add(new LeafRow(_rows.Count, MerkleHash.OfLeaf(bytes), bytes, null));

    public async Task PublishAsync()
    {
        using var folderLock = new FolderCheckpointLock(Path.Combine(Folder, "lock"));
        var publisher = new LogPublisher("main", this, new FolderBlobStore(Path.Combine(Folder, "log")), folderLock, _signer);
        await publisher.PublishAsync(TestContext.Current.CancellationToken);
    }

    public Task<long> SizeAsync(CancellationToken cancellationToken) => Task.FromResult((long)_rows.Count);

    public async IAsyncEnumerable<LeafRow> ReadAsync(long begin, long end, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        for (var i = begin; i < end; i++)
            yield return _rows[(int)i];
    }

    public void Dispose()
    {
        _signer.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
