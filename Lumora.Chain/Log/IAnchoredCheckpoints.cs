using Lumora.Chain.Notes;

namespace Lumora.Chain.Log;

/// <summary>
/// What a chain that no backup sets back holds of our own checkpoints: the third witness beside published checkpoint and
/// lock. It sees the restore of an old backup of everything.
/// </summary>
public interface IAnchoredCheckpoints
{
    /// <summary>
    /// The largest finalized checkpoint that one of the log's <paramref name="keys"/> has signed, also a key that was replaced since; null
    /// while it is not known. The first time, a log that was anchored before waits for the chain: 10 s for the connection and 10 s for the
    /// answer. After that it answers at once, or within a second when the chain is being asked: a chain that is away delays nothing.
    /// </summary>
    Task<AnchoredAnswer?> AskAsync(string shard, IReadOnlyList<VerifierKey> keys, CancellationToken cancellationToken);

    /// <summary>Why the global log's newest anchor could not be read; null when it could, or was not asked for.</summary>
    string? Fault { get; }
}

/// <summary>The chain's answer.</summary>
/// <param name="Newest">The checkpoint; null when the chain holds none.</param>
/// <param name="Where">Where it stands, for people.</param>
public sealed record AnchoredAnswer(Checkpoint? Newest, string Where);

/// <summary>For hosts and tests without a chain.</summary>
public sealed class NothingAnchored : IAnchoredCheckpoints
{
    /// <inheritdoc/>
    public string? Fault => null;

    /// <inheritdoc/>
    public Task<AnchoredAnswer?> AskAsync(string shard, IReadOnlyList<VerifierKey> keys, CancellationToken cancellationToken) =>
        Task.FromResult<AnchoredAnswer?>(new AnchoredAnswer(null, "no chain"));
}
