using System.Text;
using System.Text.Json;
using Lumora.Chain.Blobs;
using Lumora.Chain.Notes;
using Lumora.Chain.Verification;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;
using Lumora.Domain.Kernel;
using Lumora.Domain.Merkle;

namespace Lumora.Cli.Monitor;

/// <summary>A time by which an entry was seen that calls for an anchor.</summary>
/// <param name="Index">The newest such entry then.</param>
/// <param name="SeenAt">When it was seen.</param>
internal sealed record WaitingEntry(long Index, DateTimeOffset SeenAt);

/// <summary>What a monitor keeps between two looks, format <c>lumora-monitor/1</c>.</summary>
/// <param name="Format">The format's name.</param>
/// <param name="Shard">The log's shard.</param>
/// <param name="Key">A key of it.</param>
/// <param name="Note">The newest checkpoint that was found good, verbatim.</param>
/// <param name="From">Where it was got.</param>
/// <param name="At">When.</param>
/// <param name="Levels">The right edge of its tree: the partial tile of each level, base64.</param>
/// <param name="Peaks">The roots of its perfect subtrees, base64.</param>
/// <param name="Anchored">Entries that a finalized anchor covers.</param>
/// <param name="Waiting">Entries that wait for an anchor, oldest first.</param>
/// <param name="Anchor">The newest transaction that was looked at for anchors, also one of others, or null.</param>
internal sealed record MonitorState(
    string Format, string Shard, string Key, string Note, string From, DateTimeOffset At, IReadOnlyList<IReadOnlyList<string>> Levels,
    IReadOnlyList<string> Peaks, long Anchored, IReadOnlyList<WaitingEntry> Waiting, string? Anchor = null)
{
    /// <summary>The format's name.</summary>
    public const string FormatName = "lumora-monitor/1";

    private const string FileName = "monitor.json";

    /// <summary>Reads the state in <paramref name="folder"/>; null when there is none.</summary>
    /// <exception cref="UnableException">It is damaged, or another log's.</exception>
    public static async Task<(MonitorState State, TreeEdge Edge)?> ReadAsync(
        string folder, string shard, TrustedKey key, CancellationToken cancellationToken) =>
        await new FolderBlobStore(folder).ReadAsync(FileName, cancellationToken) is { } bytes
            ? Parse(bytes, Path.Combine(folder, FileName), shard, key)
            : null;

    /// <summary>Reads the bytes of <paramref name="file"/>.</summary>
    /// <exception cref="UnableException">It is damaged, or another log's.</exception>
    public static (MonitorState State, TreeEdge Edge) Parse(byte[] bytes, string file, string shard, TrustedKey key)
    {
        try
        {
            var state = JsonSerializer.Deserialize<MonitorState>(bytes, WireJson.Messages);
            if (state is not { Format: FormatName })
                throw new FormatException($"its format is not {FormatName}.");
            // The reader of JSON does not look at what stands in a list.
            if (state.Levels.Any(level => level is null) || state.Waiting.Any(waiting => waiting is null))
                throw new FormatException("null stands where a level or an entry belongs.");
            var note = SignedNote.Parse(Encoding.UTF8.GetBytes(state.Note));
            // The key that the state names may have been replaced since: what counts is that one of ours has signed.
            if (state.Shard != shard || !key.Keys.Any(one => note.Signatures.Any(line => line.IsOf(one))))
                throw new UnableException($"{file} is of the log {state.Shard} with the key {state.Key}, not of {shard} with {key.Names}. Give another --state folder for each log.");
            var checkpoint = NoteVerifier.VerifyCheckpoint(note.ToBytes(), key.Keys, []).Checkpoint;
            var edge = new TreeEdge(checkpoint.Size, [.. state.Levels.Select(level => (IReadOnlyList<MerkleHash>)[.. level.Select(Hash)])], [.. state.Peaks.Select(Hash)]);
            edge.MustHave(checkpoint.Root);
            return (state, edge);
        }
        catch (Exception exception) when (exception is JsonException or FormatException or VerificationException)
        {
            throw new UnableException($"{file} is damaged: {exception.Message} Delete it to begin at the log's newest checkpoint.", exception);
        }
    }

    /// <summary>This with the edge of its checkpoint's tree.</summary>
    public MonitorState With(TreeEdge edge) => this with
    {
        Levels = [.. edge.Levels.Select(level => (IReadOnlyList<string>)[.. level.Select(hash => hash.ToBase64())])],
        Peaks = [.. edge.Peaks.Select(hash => hash.ToBase64())],
    };

    /// <summary>Writes it into <paramref name="folder"/>: all of it or, after a crash, what was there before.</summary>
    public Task WriteAsync(string folder, CancellationToken cancellationToken) =>
        new FolderBlobStore(folder).ReplaceAsync(FileName, ToBytes(), cancellationToken);

    /// <summary>The file.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, WireJson.Messages);

    private static MerkleHash Hash(string text) =>
        MerkleHash.TryParseBase64(text, out var hash) ? hash : throw new FormatException($"\"{text}\" is no hash.");
}
