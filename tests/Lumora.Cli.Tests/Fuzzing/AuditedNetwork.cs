using System.Text.Json;
using Lumora.Chain.Blobs;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Tiles;
using Lumora.Chain.Verification;
using Lumora.Cli.Audit;
using Lumora.Cli.Logs;
using Lumora.Domain.Log;
using Lumora.Integration.Tests.Cli;

namespace Lumora.Cli.Tests.Fuzzing;

/// <summary>The log of a whole network and what an audit of it comes to, entry by entry.</summary>
internal sealed class AuditedNetwork : IDisposable
{
    public const string Shard = "main";

    private readonly ForgedLog _log = new();
    private readonly ForgedNetwork _network = new();

    /// <summary>Entries of the whole log.</summary>
    public int Count => _network.Count;

    public TrustedKey Key => new([VerifierKey.Parse(_log.Key)], IsPinned: true);

    public AuditSubject Subject => SubjectOf(new NoLog(), Key);

    /// <summary>An audit of <paramref name="source"/> that is asked for nothing beside the log.</summary>
    public static AuditSubject SubjectOf(ILogSource source, TrustedKey? key = null) =>
        new(source, Shard, key ?? new TrustedKey([], IsPinned: true), Chain: null, EpochLength.Default, StateFolder: null, SignedIn: false);

    /// <summary>The entry at <paramref name="index"/>; those of the log so far.</summary>
    public DecodedLeaf Entry(int index) => Leaf.Decode(_log.Entries.ElementAt(index));

    /// <summary>Adds entries until there are <paramref name="count"/>, and signs a checkpoint of them.</summary>
    public async Task<(byte[] Note, TreeEdge Edge)> GrowAsync(int count)
    {
        _network.WriteTo(_log, _log.Count, count - _log.Count);
        await _log.PublishAsync();
        var files = new FolderBlobStore(Path.Combine(_log.Folder, "log"));
        var note = (await files.ReadAsync(LogPublisher.CheckpointPath, TestContext.Current.CancellationToken))!;
        return (note, await TreeEdge.ReadAsync(new BlobTiles(files), _log.Published(), TestContext.Current.CancellationToken));
    }

    /// <summary>The fold of all entries so far.</summary>
    public AuditFold Fold()
    {
        var fold = new AuditFold(Subject);
        for (var i = 0; i < _log.Count; i++)
            Assert.Empty(fold.Take(Logged(i)));
        return fold;
    }

    /// <summary>The entry at <paramref name="index"/> as checks see it, with data of its own or with other data.</summary>
    public LoggedEvent Logged(int index, byte[]? data = null) => Entry(index) is var entry
        ? new LoggedEvent(index, entry.Leaf, data ?? entry.DataBytes)
        : throw new InvalidOperationException();

    public byte[] Sign(string text) => _log.Sign(text);

    public void Dispose() => _log.Dispose();
}

/// <summary>What is folded entry by entry needs none.</summary>
internal sealed class NoLog : ILogSource
{
    public string Name => "no log";

    public bool IsCopy => true;

    public Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken) => Task.FromResult<byte[]?>(null);

    public ValueTask<byte[]?> ReadAsync(TileId tile, CancellationToken cancellationToken) => ValueTask.FromResult<byte[]?>(null);

    public Task<Stream?> ExportAsync(long from, CancellationToken cancellationToken) => Task.FromResult<Stream?>(null);

    public Task<JsonElement?> AskAsync(string query, object variables, CancellationToken cancellationToken) => Task.FromResult<JsonElement?>(null);

    public void Dispose()
    {
    }
}
