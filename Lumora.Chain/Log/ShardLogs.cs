using Lumora.Chain.Blobs;
using Lumora.Chain.Notes;
using Lumora.Projections.EventStore;
using Lumora.Projections.Hosting;
using Microsoft.Extensions.Options;

namespace Lumora.Chain.Log;

/// <summary>The log of one shard, as this host sees it.</summary>
/// <param name="Shard">Its shard.</param>
/// <param name="Key">The key that its checkpoints are signed with; what an auditor pins.</param>
/// <param name="Blobs">Its tiles, bundles and checkpoint.</param>
/// <param name="Leaves">Its leaves in the database.</param>
public sealed record ShardLog(string Shard, VerifierKey Key, FolderBlobStore Blobs, LeafTable Leaves)
{
    /// <summary>All keys that sign its checkpoints, <see cref="Key"/> first: two while its key is being replaced.</summary>
    public IReadOnlyList<VerifierKey> Keys { get; init; } = [Key];

    /// <summary>Makes its inclusion proofs.</summary>
    public LogProofs Proofs { get; } = new(Blobs, Key);

    /// <summary>Its newest published checkpoint.</summary>
    public ServedCheckpoint Served => Proofs.Served;

    /// <summary><see cref="Keys"/>, and behind them those that have signed before.</summary>
    public IReadOnlyList<VerifierKey> KnownKeys { get; init; } = [Key];
}

/// <summary>The logs of all shards: where their files are, and which checkpoint is the newest.</summary>
public sealed class ShardLogs : IDisposable
{
    private readonly Dictionary<string, LogSigner> _signers;
    private readonly Dictionary<string, ShardLog> _logs;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, PublishedCheckpoint> _latest = new(StringComparer.Ordinal);
    private readonly HashSet<string> _agreed = new(StringComparer.Ordinal);
    private TaskCompletionSource _changed = New();

    /// <summary>Opens or makes the keys of all shards.</summary>
    public ShardLogs(ShardMap shards, LumoraHome home, IOptions<LogOptions> options)
    {
        _signers = shards.Names.ToDictionary(shard => shard, shard => LogKeys.Open(home, options.Value, shard), StringComparer.Ordinal);
        _logs = shards.Names.ToDictionary(
            shard => shard,
            shard => new ShardLog(
                shard,
                _signers[shard].Key,
                new FolderBlobStore(home.Folder("log", shard)),
                new LeafTable(shards.DataSource(shard), shards.LogSource(shard)))
            {
                Keys = _signers[shard].Keys,
                KnownKeys = _signers[shard].KnownKeys,
            },
            StringComparer.Ordinal);
    }

    /// <summary>All logs.</summary>
    public IReadOnlyCollection<ShardLog> All => _logs.Values;

    /// <summary>The log of <paramref name="shard"/>, or null when there is no such shard.</summary>
    public ShardLog? Find(string shard) => _logs.GetValueOrDefault(shard);

    /// <summary>The newest checkpoint that this host has published or found published, or null.</summary>
    public PublishedCheckpoint? Latest(string shard)
    {
        lock (_gate)
            return _latest.GetValueOrDefault(shard);
    }

    /// <summary>True once the log was compared with its newest anchor; see <see cref="LogPublisher.AgreesWithChain"/>.</summary>
    public bool MayBeAnchored(string shard)
    {
        lock (_gate)
            return _agreed.Contains(shard);
    }

    /// <summary>
    /// Waits for a published checkpoint of more than <paramref name="size"/> leaves: how anchoring learns of new ones.
    /// </summary>
    public async Task<PublishedCheckpoint> WaitForLargerAsync(string shard, long size, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (_latest.TryGetValue(shard, out var latest) && latest.Checkpoint.Size > size)
                    return latest;
                changed = _changed.Task;
            }

            await changed.WaitAsync(cancellationToken);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var signer in _signers.Values)
            signer.Dispose();
    }

    internal LogSigner SignerOf(string shard) => _signers[shard];

    internal void Publish(PublishedCheckpoint checkpoint, bool agreesWithChain)
    {
        lock (_gate)
        {
            if (agreesWithChain)
                _agreed.Add(checkpoint.Shard);
            if (_latest.TryGetValue(checkpoint.Shard, out var latest) && latest.Checkpoint.Size >= checkpoint.Checkpoint.Size)
                return;
            _latest[checkpoint.Shard] = checkpoint;
            _changed.TrySetResult();
            _changed = New();
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
