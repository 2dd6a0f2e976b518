using System.Globalization;
using System.Numerics;
using System.Text;
using Lumora.Chain.Merkle;
using Lumora.Chain.Notes;
using Lumora.Chain.Tiles;
using Lumora.Chain.Verification;
using Lumora.Cli.Logs;
using Lumora.Domain.Merkle;

namespace Lumora.Cli.Conflicts;

/// <summary>A checkpoint whose signature is good, with the note that it came in and where that was got.</summary>
internal sealed record SeenCheckpoint(Checkpoint Checkpoint, byte[] Note, string From, DateTimeOffset At)
{
    /// <summary>The note for an evidence file.</summary>
    public ConflictNote ToNote() => new(Encoding.UTF8.GetString(Note), From, At);
}

/// <summary>What comparing two checkpoints of a log has shown.</summary>
/// <param name="Fault">Why the larger does not extend the smaller; null when it does.</param>
/// <param name="Evidence">What shows it to others; null when there is no fault, or nothing that would convince them.</param>
internal sealed record Comparison(string? Fault, ConflictEvidence? Evidence);

/// <summary>Compares checkpoints of one log, and keeps what shows a contradiction.</summary>
/// <param name="key">The log's keys.</param>
/// <param name="tiles">The log, for its proofs.</param>
internal sealed class ConflictSearch(TrustedKey key, ITileReader tiles)
{
    /// <summary>Does <paramref name="larger"/> extend <paramref name="smaller"/>, by the tiles at hand?</summary>
    /// <exception cref="TileMissingException">A tile is missing.</exception>
    /// <exception cref="FormatException">A tile has another length.</exception>
    public async Task<Comparison> CompareAsync(SeenCheckpoint smaller, SeenCheckpoint larger, CancellationToken cancellationToken)
    {
        var (old, next) = (smaller.Checkpoint, larger.Checkpoint);
        if (old.Size == 0)
            return new Comparison(null, null);
        IReadOnlyList<MerkleHash> path = old.Size == next.Size
            ? []
            : await new TreeReader(tiles, next.Size).ConsistencyAsync(old.Size, cancellationToken);
        try
        {
            ProofVerifier.VerifyConsistency(old.Size, old.Root, next.Size, next.Root, path);
            return new Comparison(null, null);
        }
        catch (VerificationException exception)
        {
            if (old.Size == next.Size)
                return new Comparison(exception.Message, Fork(smaller, larger, exception.Message, []));
            // The walk starts at the old root where that is a whole subtree: what the tiles have there belongs to the proof.
            if (BitOperations.IsPow2(old.Size))
                path = [await SubtreeAsync(old.Size, next.Size, cancellationToken), .. path];
            var isForked = ProofVerifier.RootsOf(old.Size, next.Size, path) is var (first, whole) && whole == next.Root && first != old.Root;
            return new Comparison(
                isForked ? exception.Message : $"{exception.Message} Its tiles are not those of its own checkpoint, so that they show nothing to others.",
                isForked ? Fork(smaller, larger, exception.Message, path) : null);
        }
    }

    /// <summary>The same, where tiles that are missing or have another length are a fault as well: the log owes them.</summary>
    public async Task<Comparison> JudgeAsync(SeenCheckpoint smaller, SeenCheckpoint larger, CancellationToken cancellationToken)
    {
        try
        {
            return await CompareAsync(smaller, larger, cancellationToken);
        }
        catch (Exception exception) when (exception is TileMissingException or FormatException)
        {
            return new Comparison(string.Create(
                CultureInfo.InvariantCulture, $"its checkpoint of {smaller.Checkpoint.Size} entries cannot be compared: {exception.Message}"), null);
        }
    }

    /// <summary>Evidence that an entry was served with other bytes than <paramref name="covering"/> covers; null when the tiles do not show it.</summary>
    public async Task<ConflictEvidence?> RewrittenAsync(
        SeenCheckpoint covering, long index, byte[] bytes, string from, CancellationToken cancellationToken)
    {
        try
        {
            var tile = TileId.At(0, index / TileId.WidthMax, covering.Checkpoint.Size)!.Value;
            var hashes = HashTile.Decode(await tiles.ReadOrFullAsync(tile, cancellationToken), tile.Width);
            var hash = hashes[(int)(index % TileId.WidthMax)];
            var path = await new TreeReader(tiles, covering.Checkpoint.Size).InclusionAsync(index, cancellationToken);
            ProofVerifier.VerifyInclusion(hash, index, covering.Checkpoint.Size, path, covering.Checkpoint.Root);
            if (MerkleHash.OfLeaf(bytes) == hash)
                return null;
            return new ConflictEvidence(
                ConflictKind.RewrittenEntry, SignersOf(covering), $"the bytes of entry {index} hash to {MerkleHash.OfLeaf(bytes)}, the signed tree holds {hash}",
                covering.ToNote(), Second: null, Texts(path),
                new ConflictEntry(index, Convert.ToBase64String(bytes), hash.ToBase64(), from));
        }
        catch (Exception exception) when (exception is VerificationException or TileMissingException or FormatException)
        {
            return null;
        }
    }

    private ConflictEvidence Fork(SeenCheckpoint first, SeenCheckpoint second, string what, IReadOnlyList<MerkleHash> path) => new(
        ConflictKind.Fork, SignersOf(first, second), what, first.ToNote(), second.ToNote(), Texts(path), Entry: null);

    /// <summary>The keys of the log that have signed, one a line: whoever checks needs one for each note.</summary>
    private string SignersOf(params SeenCheckpoint[] seen)
    {
        var lines = seen.SelectMany(one => SignedNote.Parse(one.Note).Signatures).ToList();
        return string.Join('\n', key.Keys.Where(known => lines.Any(line => line.IsOf(known))));
    }

    /// <summary>The root of the first <paramref name="size"/> leaves, a power of two, from the tiles of a larger tree.</summary>
    private async Task<MerkleHash> SubtreeAsync(long size, long treeSize, CancellationToken cancellationToken)
    {
        var height = BitOperations.Log2((ulong)size);
        var (level, width) = (height / 8, 1 << (height % 8));
        var tile = TileId.At(level, 0, treeSize)!.Value;
        return HashTile.Root(HashTile.Decode(await tiles.ReadOrFullAsync(tile, cancellationToken), tile.Width).AsSpan(0, width));
    }

    private static IReadOnlyList<string> Texts(IEnumerable<MerkleHash> hashes) => [.. hashes.Select(hash => hash.ToBase64())];
}
