using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Lumora.Chain.Blobs;
using Lumora.Cli.Reports;

namespace Lumora.Cli.Conflicts;

/// <summary>What an evidence file shows.</summary>
internal enum ConflictKind
{
    /// <summary>Two checkpoints of one log, of which neither extends the other.</summary>
    Fork,

    /// <summary>An entry was served with other bytes than the signed tree holds at its place.</summary>
    RewrittenEntry,

    /// <summary>
    /// Two checkpoints of one log, and a proof that did not show that the second extends the first. Whoever hands on an honest checkpoint
    /// can bring that about: it shows nothing yet.
    /// </summary>
    NotExtended,
}

/// <summary>A signed note as it was received.</summary>
/// <param name="Note">Its text and signature lines, verbatim.</param>
/// <param name="From">Where it was got.</param>
/// <param name="At">When, by the clock of whoever got it.</param>
internal sealed record ConflictNote(string Note, string From, DateTimeOffset At);

/// <summary>An entry as it was served.</summary>
/// <param name="Index">Its place in the log.</param>
/// <param name="Bytes">Its bytes, base64.</param>
/// <param name="SignedHash">The leaf hash that the signed tree holds there, base64.</param>
/// <param name="From">Where it was got.</param>
internal sealed record ConflictEntry(long Index, string Bytes, string SignedHash, string From);

/// <summary>
/// Evidence that whoever holds the log's key has contradicted itself, or that somebody served what the log did not sign; format
/// <c>lumora-evidence/1</c> (docs/audit.md). <c>lumora verify --evidence</c> checks it with the key alone.
/// </summary>
/// <param name="Kind">What it shows.</param>
/// <param name="Key">The log's keys that have signed, one a line, for the reader's convenience; whoever checks brings their own.</param>
/// <param name="What">The fault in words.</param>
/// <param name="First">The checkpoint of fewer entries, or the one that covers <paramref name="Entry"/>.</param>
/// <param name="Second">The other checkpoint.</param>
/// <param name="Proof">
/// Hashes, base64. Of a fork: the consistency path in the larger tree, with the root of its first leaves in front where their
/// number is a power of two; none for trees of one size. Of an entry: its inclusion path.
/// </param>
/// <param name="Entry">The entry that was served.</param>
internal sealed record ConflictEvidence(
    ConflictKind Kind, string Key, string What, ConflictNote First, ConflictNote? Second, IReadOnlyList<string> Proof, ConflictEntry? Entry)
{
    /// <summary>The format's name.</summary>
    public const string FormatName = "lumora-evidence/1";

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>The format, first in the file.</summary>
    [JsonPropertyOrder(-1)]
    public string Format { get; init; } = FormatName;

    /// <summary>The name of its file: the same for the same two notes.</summary>
    [JsonIgnore]
    public string FileName => Kind switch
    {
        ConflictKind.RewrittenEntry => string.Create(CultureInfo.InvariantCulture, $"rewritten-entry-{Entry!.Index}.json"),
        ConflictKind.NotExtended => $"not-extended-{Mark(First.Note)}-{Mark(Second!.Note)}.json",
        _ => $"fork-{Mark(First.Note)}-{Mark(Second!.Note)}.json",
    };

    /// <summary>Reads a file.</summary>
    /// <exception cref="UnableException">It is no evidence.</exception>
    public static ConflictEvidence Parse(byte[] bytes, string file)
    {
        try
        {
            var evidence = JsonSerializer.Deserialize<ConflictEvidence>(bytes, Json);
            return evidence is { Format: FormatName } ? evidence : throw new JsonException($"its format is not {FormatName}.");
        }
        catch (JsonException exception)
        {
            throw new UnableException($"{file} is no evidence: {exception.Message}", exception);
        }
    }

    /// <summary>Writes it into <paramref name="folder"/> under a name of its own; the file's path.</summary>
    public async Task<string> WriteAsync(string folder, CancellationToken cancellationToken)
    {
        await new FolderBlobStore(folder).ReplaceAsync(FileName, ToBytes(), cancellationToken);
        return Path.Combine(folder, FileName);
    }

    /// <summary>The file.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    // Size and the beginning of the root: forks at one size are two files.
    internal static string Mark(string note)
    {
        var lines = note.Split('\n');
        var root = new string([.. lines[2].Where(char.IsAsciiLetterOrDigit).Take(6)]);
        return $"{lines[1]}-{root}";
    }
}
