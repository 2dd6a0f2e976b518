using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Verification;
using Lumora.Chain.Witnesses;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Witnessing;

/// <summary>What a witness answers to <c>add-checkpoint</c>.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="ContentType">The media type of the body.</param>
/// <param name="Body">Cosignature lines, or the last size, or why not.</param>
public sealed record WitnessAnswer(int Status, string ContentType, string Body);

/// <summary>
/// A witness of transparency logs (C2SP tlog-witness): it cosigns a checkpoint only after it was shown that the tree extends
/// the last one that it cosigned, and keeps no more than that last one of each log. Each sentence in quotes is the
/// specification's.
/// </summary>
public sealed class Witness : IDisposable
{
    /// <summary>The media type of the answer that names the last cosigned size.</summary>
    public const string SizeType = "text/x.tlog.size";

    private const string Text = "text/plain; charset=utf-8";

    private readonly NoteSigner _signer;
    private readonly ICheckpointLock _state;
    private readonly TimeProvider _clock;
    private readonly IShownConflicts _conflicts;
    private readonly Dictionary<string, Seen> _logs;

    /// <summary>A witness that signs with <paramref name="signer"/> what the keys <paramref name="logs"/> have signed.</summary>
    /// <param name="signer">Its key, Ed25519 or ML-DSA-44.</param>
    /// <param name="logs">Keys of logs; several of one name are one log.</param>
    /// <param name="state">Where the last checkpoint of each log is kept; nobody else writes there.</param>
    /// <param name="clock">The time of cosignatures.</param>
    /// <param name="conflicts">Keeps what shows that a log has forked; null: nobody does.</param>
    public Witness(
        NoteSigner signer, IEnumerable<VerifierKey> logs, ICheckpointLock state, TimeProvider clock, IShownConflicts? conflicts = null)
    {
        (_signer, _state, _clock, _conflicts) = (signer, state, clock, conflicts ?? new NoConflicts());
        _logs = logs.GroupBy(key => key.Name, StringComparer.Ordinal).ToDictionary(
            keys => keys.Key, keys => new Seen(HashOf(keys.Key), [.. keys.Distinct()]), StringComparer.Ordinal);
    }

    /// <summary>The key that cosigns.</summary>
    public VerifierKey Key => _signer.Verifier;

    /// <summary>The name of a log in paths: hex of SHA-256 of its origin.</summary>
    public static string HashOf(string origin) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(origin)));

    /// <summary>Answers <c>POST add-checkpoint</c>. A fault of the disk is thrown; then nothing was cosigned that a reader has seen.</summary>
    public async Task<WitnessAnswer> AddCheckpointAsync(ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        AddCheckpointRequest request;
        SignedNote note;
        Checkpoint checkpoint;
        try
        {
            request = AddCheckpointRequest.Parse(body.Span);
            note = SignedNote.Parse(request.Checkpoint.Span);
            checkpoint = Checkpoint.ParseLines(note.Text);
        }
        catch (FormatException exception)
        {
            return Refused(400, exception.Message);
        }

        // "If the checkpoint origin is unknown, the witness MUST respond with a 404 Not Found HTTP status code."
        if (!_logs.TryGetValue(checkpoint.Origin, out var log))
            return Refused(404, $"The log {checkpoint.Origin} is not known here.");
        try
        {
            // "403 Forbidden … if either no signature from a trusted key for the origin is present, or … the signature itself fails"
            NoteVerifier.Verify(note, log.Keys);
        }
        catch (VerificationException exception)
        {
            return Refused(403, exception.Message);
        }

        // "The old size MUST be equal to or lower than the checkpoint size. Otherwise … 400 Bad Request"
        if (request.OldSize > checkpoint.Size)
            return Refused(400, "The old size is larger than the checkpoint's.");
        // "checking the old size against the latest checkpoint and persisting the new checkpoint must be performed atomically"
        await log.Turn.WaitAsync(cancellationToken);
        try
        {
            return await CosignAsync(log, request, note, checkpoint, cancellationToken);
        }
        finally
        {
            log.Turn.Release();
        }
    }

    /// <summary>The last checkpoint that was cosigned of the log with <see cref="HashOf"/> <paramref name="hash"/>, or null.</summary>
    public async Task<byte[]?> CheckpointAsync(string hash, CancellationToken cancellationToken) =>
        _logs.Values.Any(log => log.Hash == hash) ? await _state.ReadAsync(hash, cancellationToken) : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var log in _logs.Values)
            log.Turn.Dispose();
    }

    private async Task<WitnessAnswer> CosignAsync(
        Seen log, AddCheckpointRequest request, SignedNote note, Checkpoint checkpoint, CancellationToken cancellationToken)
    {
        var stored = await _state.ReadAsync(log.Hash, cancellationToken);
        var last = stored is null
            ? new Checkpoint(checkpoint.Origin, 0, MerkleHash.EmptyRoot)
            : Checkpoint.Parse(SignedNote.Parse(stored).Text);
        // "the witness MAY log the request even if the checkpoint fails one of the consistency checks …, as it might be proof of log
        // misbehavior": two roots of one size are, whatever size the request goes on from.
        if (stored is not null && checkpoint.Size == last.Size && checkpoint.Root != last.Root)
            await KeepAsync(log, stored, note, $"Two trees of {last.Size} leaves have the roots {last.Root} and {checkpoint.Root}: a fork.", []);
        // "If it doesn't match … 409 Conflict … the tree size of the latest cosigned checkpoint in decimal, followed by a newline"
        if (request.OldSize != last.Size)
            return new WitnessAnswer(409, SizeType, string.Create(CultureInfo.InvariantCulture, $"{last.Size}\n"));
        // "A checkpoint of size zero MUST have the root hash of the empty tree … Otherwise … 422 Unprocessable Entity"
        if (checkpoint.Size == 0 && checkpoint.Root != MerkleHash.EmptyRoot)
            return Refused(422, "A tree of no leaves has the root of the empty tree.");
        try
        {
            ProofVerifier.VerifyConsistency(last.Size, last.Root, checkpoint.Size, checkpoint.Root, request.Proof);
        }
        catch (VerificationException exception)
        {
            if (last.Size > 0 && checkpoint.Size > last.Size)
                await KeepAsync(log, stored!, note, exception.Message, ForkProof(last, checkpoint, request.Proof));
            return Refused(422, exception.Message);
        }

        var cosignature = _signer.Cosign(note.Text, _clock.GetUtcNow());
        // "The witness MUST persist the new checkpoint before responding." A caller that has gone does not stop it half way.
        await _state.SwapAsync(
            log.Hash, stored, note.Only(log.Keys).With(cosignature).ToBytes(), CancellationToken.None);
        await _conflicts.ExtendsAsync(checkpoint);
        return new WitnessAnswer(200, Text, $"{cosignature.ToLine()}\n");
    }

    private Task KeepAsync(Seen log, byte[] stored, SignedNote note, string what, IReadOnlyList<MerkleHash>? proof)
    {
        var signed = note.Only(log.Keys);
        var key = log.Keys.First(key => signed.Signatures.Any(line => line.IsOf(key)));
        return _conflicts.KeepAsync(new ShownConflict(key, stored, signed.ToBytes(), what, proof));
    }

    /// <summary>
    /// The path, where it leads to the signed root of the new tree and to another root of its first leaves than was signed for them. From
    /// a whole subtree on, a path does not hold that root: nothing follows then.
    /// </summary>
    private static IReadOnlyList<MerkleHash>? ForkProof(Checkpoint last, Checkpoint next, IReadOnlyList<MerkleHash> path)
    {
        if (BitOperations.IsPow2(last.Size))
            return null;
        try
        {
            var (old, whole) = ProofVerifier.RootsOf(last.Size, next.Size, path);
            return whole == next.Root && old != last.Root ? path : null;
        }
        catch (VerificationException)
        {
            return null;
        }
    }

    private static WitnessAnswer Refused(int status, string why) => new(status, Text, $"{why}\n");

    private sealed record Seen(string Hash, IReadOnlyList<VerifierKey> Keys)
    {
        public SemaphoreSlim Turn { get; } = new(1);
    }
}
