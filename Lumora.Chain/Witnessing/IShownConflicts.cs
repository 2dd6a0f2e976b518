using Lumora.Chain.Notes;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Witnessing;

/// <summary>Two checkpoints of one log, both signed by it, of which a witness was not shown that the second extends the first.</summary>
/// <param name="Log">The log's key, one that has signed the second.</param>
/// <param name="First">The note that was cosigned last, verbatim.</param>
/// <param name="Second">The note that was refused: its text and the log's own signatures.</param>
/// <param name="What">Why it was refused.</param>
/// <param name="Proof">
/// What makes it a fork to everybody: the consistency path in the second tree, none for trees of one size. Null when the proof that
/// came with the second shows nothing, which whoever hands on an honest checkpoint can bring about.
/// </param>
public sealed record ShownConflict(
    VerifierKey Log, byte[] First, byte[] Second, string What, IReadOnlyList<MerkleHash>? Proof);

/// <summary>Keeps what shows that a log has contradicted itself; a fault of the disk is its own to report.</summary>
public interface IShownConflicts
{
    /// <summary>Keeps <paramref name="conflict"/>. Called once for each request, also when it is the same again.</summary>
    Task KeepAsync(ShownConflict conflict);

    /// <summary>The witness was shown that <paramref name="checkpoint"/> extends what it has seen: nothing is to be said against it.</summary>
    Task ExtendsAsync(Checkpoint checkpoint);
}

/// <summary>Keeps nothing.</summary>
public sealed class NoConflicts : IShownConflicts
{
    /// <inheritdoc/>
    public Task KeepAsync(ShownConflict conflict) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task ExtendsAsync(Checkpoint checkpoint) => Task.CompletedTask;
}
