using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Tiles;

namespace Lumora.Chain.Witnessing;

/// <summary>Stands between a checkpoint that is signed and its publishing: gets the cosignatures that the policy asks for.</summary>
public interface ICosigner
{
    /// <summary>Whether <paramref name="served"/>, a form of <paramref name="checkpoint"/> that lies published, may stay as it is.</summary>
    bool IsWitnessed(PublishedCheckpoint checkpoint, byte[] served);

    /// <summary>
    /// The note to publish; null while the quorum is not met: call again, with the same checkpoint. A fault of a witness
    /// is no exception.
    /// </summary>
    /// <param name="checkpoint">What stands in the lock.</param>
    /// <param name="tiles">The log's tiles, from which proofs are made.</param>
    /// <param name="cancellationToken">Ends the asking.</param>
    Task<byte[]?> CosignAsync(PublishedCheckpoint checkpoint, ITileReader tiles, CancellationToken cancellationToken);

    /// <summary>
    /// The largest checkpoint of the log that a witness shows, signed by one of <paramref name="keys"/>. Witnesses are set back by no
    /// backup of ours; one that does not answer delays by no more than its time limit.
    /// </summary>
    Task<AnchoredAnswer> NewestAsync(IReadOnlyList<VerifierKey> keys, CancellationToken cancellationToken);
}

/// <summary>No policy: what is signed is published.</summary>
public sealed class NoWitnesses : ICosigner
{
    /// <inheritdoc/>
    public bool IsWitnessed(PublishedCheckpoint checkpoint, byte[] served) => served.AsSpan().SequenceEqual(checkpoint.Note);

    /// <inheritdoc/>
    public Task<byte[]?> CosignAsync(PublishedCheckpoint checkpoint, ITileReader tiles, CancellationToken cancellationToken) =>
        Task.FromResult<byte[]?>(checkpoint.Note);

    /// <inheritdoc/>
    public Task<AnchoredAnswer> NewestAsync(IReadOnlyList<VerifierKey> keys, CancellationToken cancellationToken) =>
        Task.FromResult(new AnchoredAnswer(null, "no witnesses"));
}
