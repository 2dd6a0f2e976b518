using System.Globalization;
using System.Text;
using Lumora.Chain.Notes;
using Lumora.Chain.Verification;
using Lumora.Cli.Conflicts;
using Lumora.Cli.Reports;
using Lumora.Domain.Anchoring;
using Lumora.Domain.Kernel;

namespace Lumora.Cli.Audit;

/// <summary>
/// The checkpoints of region shards that the global log records in <c>checkpoint/{shard}</c>: each is the one that its event names, of
/// that region's log, signed by it where its key is known, and follows by the domain's own rules: sizes grow, one root for each size.
/// </summary>
/// <param name="subject">What is audited, with the keys of regions.</param>
internal sealed class RecordedCheckpoints(AuditSubject subject) : IAuditPart
{
    /// <summary>The claim that this checks.</summary>
    public const string Claim = "checkpoints_recorded";

    private const string Prefix = "checkpoint/";

    private readonly SortedDictionary<string, Region> _regions = new(StringComparer.Ordinal);
    private readonly List<ConflictEvidence> _forks = [];

    /// <summary>Regions of which a checkpoint is recorded.</summary>
    public int Regions => _regions.Count;

    /// <summary>Checkpoints so far.</summary>
    public int Checkpoints => _regions.Values.Sum(region => region.Signers.Values.Sum());

    /// <summary>Two recorded checkpoints of one size with two roots, both signed by the region's log.</summary>
    public IReadOnlyList<ConflictEvidence> Forks => _forks;

    /// <summary>Checkpoints whose signature no key shows that was given, by region.</summary>
    public IReadOnlyList<(string Region, int Checkpoints)> Unchecked =>
    [
        .. _regions
            .Select(region => (region.Key, region.Value.Signers.Where(signer => !IsKnown(region.Key, signer.Key)).Sum(signer => signer.Value)))
            .Where(open => open.Item2 > 0),
    ];

    /// <inheritdoc/>
    public IEnumerable<Finding> Take(LoggedEvent entry)
    {
        var leaf = entry.Leaf;
        if (leaf.Type != ComposedProofVerifier.RecordType && !leaf.Stream.StartsWith(Prefix, StringComparison.Ordinal))
            return [];
        return Fault(entry) is { } fault ? [new Finding(Claim, entry.Where, fault)] : [];
    }

    /// <inheritdoc/>
    public void Save(BinaryWriter output) => output.WriteList(_regions.Values, region =>
    {
        output.WriteJson(region.Newest);
        output.WriteJson(region.Seen);
        output.WriteList(region.Signers, signer =>
        {
            output.Write(signer.Key);
            output.Write7BitEncodedInt(signer.Value);
        });
    });

    /// <inheritdoc/>
    public void Load(BinaryReader input)
    {
        foreach (var (newest, seen, signers) in input.ReadList(() => (
            input.ReadJson<RegionCheckpoint>(), input.ReadJson<ConflictNote>(),
            input.ReadList(() => KeyValuePair.Create(input.ReadString(), input.Read7BitEncodedInt())))))
            _regions[newest.Shard] = new Region(newest, seen, new Dictionary<string, int>(signers, StringComparer.Ordinal));
    }

    private string? Fault(LoggedEvent entry)
    {
        if (entry.Event is not CheckpointRecorded e)
            return entry.Fault ?? $"{entry.Leaf.Type} is no record of a checkpoint";
        if (entry.Leaf.Stream != RegionCheckpoint.StreamOf(e.Shard))
            return $"it records a checkpoint of the shard {e.Shard}";
        var (signer, fault) = Read(e);
        if (fault is not null)
            return fault;
        var region = _regions.GetValueOrDefault(e.Shard);
        var seen = new ConflictNote(e.Note, $"{subject.Source.Name}, {entry.Where}", e.RecordedAt);
        // Recorded twice, the same checkpoint says nothing new.
        if (RegionCheckpointDecider.Record(region?.Newest, subject.Shard, e) is Decision.Rejected { Reason: var reason })
        {
            if (region is not null && region.Newest.Size == e.Size)
                KeepFork(e.Shard, region.Seen, seen);
            return reason.Message;
        }

        var signers = region?.Signers ?? new Dictionary<string, int>(StringComparer.Ordinal);
        signers[signer] = signers.GetValueOrDefault(signer) + 1;
        _regions[e.Shard] = new Region((RegionCheckpoint)RegionCheckpoint.Evolve(region?.Newest, e)!, seen, signers);
        return null;
    }

    /// <summary>Reads the note that an event holds; the key that has signed it, empty where none of its log is known.</summary>
    private (string Signer, string? Fault) Read(CheckpointRecorded e)
    {
        try
        {
            var bytes = Encoding.UTF8.GetBytes(e.Note);
            var note = SignedNote.Parse(bytes);
            VerifierKey[] keys = [.. subject.Regions[e.Shard]];
            var checkpoint = keys.Length > 0
                ? NoteVerifier.VerifyCheckpoint(bytes, keys, []).Checkpoint
                : Checkpoint.Parse(note.Text);
            if (keys.Length == 0 && checkpoint.Origin != OriginOf(e.Shard))
                return ("", $"its checkpoint is of the log {checkpoint.Origin}, that of {e.Shard} is {OriginOf(e.Shard)}");
            if (checkpoint.Size != e.Size || checkpoint.Root.ToBase64() != e.Root)
                return ("", string.Create(
                    CultureInfo.InvariantCulture,
                    $"its checkpoint is of {checkpoint.Size} entries with the root {checkpoint.Root.ToBase64()}, the event names {e.Size} with {e.Root}"));
            return (keys.FirstOrDefault(key => note.Signatures.Any(line => line.IsOf(key)))?.ToString() ?? "", null);
        }
        catch (FormatException exception)
        {
            return ("", $"its note is no checkpoint: {exception.Message}");
        }
        catch (VerificationException exception)
        {
            return ("", $"its checkpoint is not one of the log of {e.Shard}: {exception.Message}");
        }
    }

    // All logs of an operator have one origin with the shard behind it.
    private string OriginOf(string shard) => $"{subject.Key.Key.Name[..(subject.Key.Key.Name.LastIndexOf('/') + 1)]}{shard}";

    private bool IsKnown(string region, string signer) => subject.Regions[region].Any(key => key.ToString() == signer);

    private void KeepFork(string shard, ConflictNote first, ConflictNote second)
    {
        VerifierKey[] signers = [.. subject.Regions[shard].Where(key => IsOf(first, key) || IsOf(second, key))];
        // Others are convinced by signatures alone.
        if (Array.Exists(signers, key => IsOf(first, key)) && Array.Exists(signers, key => IsOf(second, key)))
            _forks.Add(new ConflictEvidence(
                ConflictKind.Fork, string.Join('\n', signers.AsEnumerable()), $"two checkpoints of {shard} of one size have two roots", first, second, [], Entry: null));

        static bool IsOf(ConflictNote note, VerifierKey key) =>
            SignedNote.Parse(Encoding.UTF8.GetBytes(note.Note)).Signatures.Any(line => line.IsOf(key));
    }

    private sealed record Region(RegionCheckpoint Newest, ConflictNote Seen, Dictionary<string, int> Signers);
}
