using System.Diagnostics;
using System.Globalization;
using Lumora.Chain.Log;
using Lumora.Chain.Tiles;
using Lumora.Chain.Verification;
using Lumora.Cli.Conflicts;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;
using Lumora.Cli.Trust;
using Lumora.Domain.Log;
using Lumora.Domain.Merkle;

namespace Lumora.Cli.Audit;

/// <summary>One audit of one log: everything that follows from its files, then what the server tells, then the chain.</summary>
internal sealed class AuditRun(AuditSubject subject, IAuditProgress progress)
{
    /// <summary>Every entry is a leaf.</summary>
    public const string EntriesClaim = "entries_valid";

    private const int FindingsMax = 1_000;
    private const int EvidenceMax = 20;
    private const int GrowthLooks = 10;
    private const string TreeClaim = "tree_whole";
    private const string CheckpointClaim = "checkpoint_signed";
    private const string DataClaim = "data_present";
    private const string EarlierClaim = "extends_earlier";

    private static readonly TimeSpan GrowthPause = TimeSpan.FromMilliseconds(500);

    private readonly ILogSource _source = subject.Source;
    private readonly List<Finding> _findings = [];
    private readonly List<Claim> _claims = [];
    private readonly List<MerkleHash> _hashes = [];
    private readonly List<ConflictEvidence> _evidence = [];
    private AuditFold _fold = new(subject.Epochs);
    private TreeEdge _edge = TreeEdge.Empty;
    private int _anchors;

    /// <summary>What shows findings to others.</summary>
    public IReadOnlyList<ConflictEvidence> Evidence => _evidence;

    private long Entries => _edge.Size + _hashes.Count;

    /// <summary>Audits and reports; findings are in the report, only what keeps it from its work is thrown.</summary>
    public async Task<AuditReport> RunAsync(CancellationToken cancellationToken)
    {
        var (startedAt, clock) = (DateTimeOffset.UtcNow, Stopwatch.StartNew());
        var earlier = subject.StateFolder is { } folder
            ? await AuditState.ReadAsync(folder, subject.Shard, subject.Key.Key, subject.Epochs, cancellationToken)
            : null;
        _claims.AddRange(subject.Key.Claims);
        var audited = await CheckpointAsync(startedAt, cancellationToken);
        if (audited is not null)
        {
            Witnessed(audited.Note);
            if (earlier is { } state)
                await EarlierAsync(state.State, state.Fold, audited, cancellationToken);
            var edge = await DeriveAsync(audited, cancellationToken);
            Fold();
            await AggregatesAsync(cancellationToken);
            await ExportAsync(cancellationToken);
            await AnchorsAsync(audited, cancellationToken);
            // What has a fault is looked at again from where everything was well.
            if (subject.StateFolder is { } kept && _findings.Count == 0 && edge is not null)
                await new AuditState(subject.Shard, subject.Key.Key, subject.Epochs, audited.Note, audited.From, audited.At, edge)
                    .WriteAsync(kept, _fold, cancellationToken);
        }

        return new AuditReport(
            _source.Name, subject.Shard, subject.Key.Key.ToString(), audited?.Checkpoint.Origin, audited?.Checkpoint.Size ?? 0,
            audited?.Checkpoint.Root.ToBase64(), _claims, _findings,
            new AuditCounts(
                Entries, _fold.Streams.Streams, _fold.Ledger.Journals, _fold.Ledger.Events, _fold.Ledger.Accounts, _fold.Detached, _anchors,
                _fold.Purchases.Purchases, _fold.Rewards.Epochs),
            _edge.Size, [], startedAt, Math.Round(clock.Elapsed.TotalSeconds, 3));
    }

    private async Task<SeenCheckpoint?> CheckpointAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var note = await _source.ReadAsync(LogPublisher.CheckpointPath, cancellationToken);
        try
        {
            var checkpoint = NoteVerifier.VerifyCheckpoint(note ?? throw new FormatException("missing"), subject.Key.Key).Checkpoint;
            Claim(CheckpointClaim, string.Create(CultureInfo.InvariantCulture, $"{checkpoint.Origin} has signed {checkpoint.Size} entries with the root {checkpoint.Root.ToBase64()}"));
            return new SeenCheckpoint(checkpoint, note, $"{_source.Name}/{LogPublisher.CheckpointPath}", now);
        }
        catch (Exception exception) when (exception is VerificationException or FormatException)
        {
            _findings.Add(new Finding(CheckpointClaim, "checkpoint", exception.Message));
            Claim(CheckpointClaim, "without a good checkpoint nothing below it can be judged");
            return null;
        }
    }

    private void Witnessed(byte[] note)
    {
        var (claim, finding) = WitnessCheck.Check(note, subject.Key, LogPublisher.CheckpointPath);
        if (finding is not null)
            _findings.Add(finding);
        if (claim is not null)
            _claims.Add(claim);
    }

    /// <summary>Holds the earlier checkpoint against this one; goes on from it when this one extends it.</summary>
    private async Task EarlierAsync(AuditState state, AuditFold fold, SeenCheckpoint audited, CancellationToken cancellationToken)
    {
        var earlier = new SeenCheckpoint(state.Checkpoint, state.Note, state.From, state.At);
        var where = string.Create(CultureInfo.InvariantCulture, $"checkpoint of {earlier.Checkpoint.Size} entries, seen at {state.At.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z");
        var shrunk = audited.Checkpoint.Size < earlier.Checkpoint.Size;
        try
        {
            var (first, second) = shrunk ? (audited, earlier) : (earlier, audited);
            var (fault, evidence) = await new ConflictSearch(subject.Key.Key, _source).CompareAsync(first, second, cancellationToken);
            if (evidence is not null)
                _evidence.Add(evidence);
            if (fault is not null)
                _findings.Add(new Finding(EarlierClaim, where, $"the log has signed another history since: {fault}"));
            else if (shrunk)
                _findings.Add(new Finding(EarlierClaim, where, string.Create(
                    CultureInfo.InvariantCulture, $"the log gives a checkpoint of {audited.Checkpoint.Size} entries now: an old one, or a log that was set back")));
        }
        catch (Exception exception) when (exception is TileMissingException or FormatException)
        {
            _findings.Add(new Finding(EarlierClaim, where, $"it cannot be compared: {exception.Message}"));
        }

        Claim(EarlierClaim, $"the log extends the {where}");
        if (!HasFindings(EarlierClaim))
            (_fold, _edge) = (fold, state.Edge);
    }

    private async Task<TreeEdge?> DeriveAsync(SeenCheckpoint audited, CancellationToken cancellationToken)
    {
        progress.Begin("Entries and tiles", audited.Checkpoint.Size);
        var fsck = await LogFsck.RunAsync(
            _source, audited.Checkpoint, _edge, (index, bytes, hash) => OnEntryAsync(index, bytes, hash, cancellationToken), cancellationToken);
        _findings.AddRange(fsck.Problems.Select(problem => Split(TreeClaim, problem)));
        var search = new ConflictSearch(subject.Key.Key, _source);
        foreach (var (index, bytes) in fsck.Rewritten.Take(EvidenceMax))
            if (await search.RewrittenAsync(audited, index, bytes, _source.Name, cancellationToken) is { } evidence)
                _evidence.Add(evidence);
        Claim(TreeClaim, string.Create(CultureInfo.InvariantCulture, $"{Entries} entries hashed again, every tile and the root derived from them and compared"));
        return fsck.Edge;
    }

    private async ValueTask OnEntryAsync(long index, ReadOnlyMemory<byte> bytes, MerkleHash hash, CancellationToken cancellationToken)
    {
        _hashes.Add(hash);
        progress.Report(index + 1);
        if (_findings.Count >= FindingsMax)
            return;
        DecodedLeaf entry;
        try
        {
            entry = Leaf.Decode(bytes.Span);
        }
        catch (FormatException exception)
        {
            _findings.Add(new Finding(EntriesClaim, Entry(index), exception.Message));
            return;
        }

        if (!string.Equals(entry.Leaf.Shard, subject.Shard, StringComparison.Ordinal))
            _findings.Add(new Finding(EntriesClaim, Entry(index), $"it is an event of the shard {entry.Leaf.Shard}, not of {subject.Shard}"));
        var data = entry.Data;
        if (entry.Detached is { } detached)
        {
            _fold.Detached++;
            var (read, fault) = await DetachedReading.ReadAsync(_source, detached, cancellationToken);
            data = read ?? data;
            if (fault is not null)
                _findings.Add(new Finding(DataClaim, Entry(index), fault));
        }

        _findings.AddRange(_fold.Take(new LoggedEvent(index, entry.Leaf, data)));
    }

    private void Fold()
    {
        if (Entries == 0)
            return;
        var (streams, ledger, purchases, rewards) = (_fold.Streams, _fold.Ledger, _fold.Purchases, _fold.Rewards);
        _findings.AddRange(ledger.Finish());
        Claim(EntriesClaim, "every entry is a leaf of version 1 in its canonical spelling");
        if (_fold.Detached > 0)
            Claim(DataClaim, string.Create(CultureInfo.InvariantCulture, $"{_fold.Detached} long data apart from their leaves have the SHA-256 that the leaf names"));
        Claim(StreamCheck.Claim, string.Create(CultureInfo.InvariantCulture, $"{streams.Streams} streams without a gap or a double inside; no event twice"));
        if (_fold.Erasures.Subjects > 0)
            Claim(ErasureCheck.Claim, _fold.Erasures.Detail);
        if (ledger.Journals > 0)
            Claim(LedgerCheck.Claim, string.Create(CultureInfo.InvariantCulture, $"{ledger.Events} ledger events replayed: {ledger.Accounts} accounts sum to 0, no floor broken, one outcome for each key"));
        if (purchases.Purchases > 0 || HasFindings(PurchaseCheck.Claim))
            Claim(PurchaseCheck.Claim, string.Create(
                CultureInfo.InvariantCulture,
                $"{purchases.Purchases} purchases: each price in its escrow before any of {purchases.Deliveries} hand-overs, paid out once and as agreed{(purchases.Pending > 0 ? $"; {purchases.Pending} with a transaction behind the last entry" : "")}"));
        if (rewards.Epochs > 0 || HasFindings(RewardCheck.Claim))
            RewardsClaim(rewards);
    }

    private void RewardsClaim(RewardCheck rewards)
    {
        var detail = string.Create(CultureInfo.InvariantCulture, $"{rewards.Epochs} epochs closed again from the contributions in the log: the same weights, amounts and roots, and paid so");
        // No event says how long an epoch is, and the trust in a node depends on it.
        if (rewards.WeightsOpen > 0 && !HasFindings(RewardCheck.Claim))
            _claims.Add(new Claim(RewardCheck.Claim, Standing.NotProven, string.Create(
                CultureInfo.InvariantCulture,
                $"{rewards.WeightsOpen} of {rewards.Epochs} epochs have weights that do not follow with epochs of {subject.Epochs.Seconds} s, a setting that is no event: give --epoch-seconds; all else follows")));
        else
            Claim(RewardCheck.Claim, detail);
    }

    private async Task AggregatesAsync(CancellationToken cancellationToken)
    {
        var check = new AggregateCheck(_source, subject.Shard, _fold, subject.SignedIn);
        // What was folded from other bytes than the signed ones would differ for that alone.
        if (HasFindings(TreeClaim) || await check.RunAsync(cancellationToken) is not { } findings)
        {
            _claims.Add(new Claim(AggregateCheck.Claim, Standing.NotProven, HasFindings(TreeClaim)
                ? "not compared: the bytes at hand are not those that the checkpoint covers"
                : check.WhyNot));
            return;
        }

        // A server tells what is now: what differs may be younger than the log that was read.
        if (findings.Count > 0 && await HasGrownAsync(cancellationToken))
        {
            _claims.Add(new Claim(AggregateCheck.Claim, Standing.NotProven, string.Create(
                CultureInfo.InvariantCulture, $"the log grew meanwhile and {findings.Count} answers differ, the first of {findings[0].Where}: audit again")));
            return;
        }

        _findings.AddRange(findings);
        Claim(AggregateCheck.Claim, check.Detail);
    }

    private async Task<bool> HasGrownAsync(CancellationToken cancellationToken)
    {
        // An event is in a checkpoint soon after it is in the answers.
        for (var i = 0; i < GrowthLooks; i++)
        {
            if (await _source.ReadAsync(LogPublisher.CheckpointPath, cancellationToken) is { } note && SizeOf(note) > Entries)
                return true;
            await Task.Delay(GrowthPause, cancellationToken);
        }

        return false;
    }

    private long SizeOf(byte[] note)
    {
        try
        {
            return NoteVerifier.VerifyCheckpoint(note, subject.Key.Key).Checkpoint.Size;
        }
        catch (Exception exception) when (exception is VerificationException or FormatException)
        {
            return 0;
        }
    }

    private async Task ExportAsync(CancellationToken cancellationToken)
    {
        if (Entries == 0)
            return;
        await using var export = await _source.ExportAsync(_edge.Size, cancellationToken);
        if (export is null)
        {
            _claims.Add(new Claim(ExportCheck.Claim, Standing.NotProven, "there is no export here to compare"));
            return;
        }

        progress.Begin("Export", _hashes.Count);
        _findings.AddRange(await ExportCheck.RunAsync(export, _edge.Size, _hashes, progress.Report, cancellationToken));
        Claim(ExportCheck.Claim, "the lines of /v1/events are the entries of the bundles, byte by byte");
    }

    private async Task AnchorsAsync(SeenCheckpoint audited, CancellationToken cancellationToken)
    {
        if (subject.Chain is null)
        {
            _claims.Add(new Claim(AnchorCheck.Claim, Standing.NeedsChain, "give --rpc to compare the log's anchors on Solana"));
            return;
        }

        progress.Begin("Anchors", 0);
        var check = await AnchorCheck.RunAsync(
            _source, subject.Chain, subject.Key.Key, audited, _fold.Anchors, progress.Report, cancellationToken);
        _anchors = check.Matching;
        _findings.AddRange(check.Findings);
        _evidence.AddRange(check.Evidence);
        _claims.Add(check.ToClaim());
    }

    private bool HasFindings(string claim) => _findings.Exists(finding => finding.Claim == claim);

    private void Claim(string name, string detail)
    {
        var broken = _findings.Count(finding => finding.Claim == name);
        var whole = _findings.All(finding => finding.Claim != TreeClaim);
        _claims.Add((broken, whole) switch
        {
            (0, true) => new Claim(name, Standing.ProvenOffline, detail),
            // What follows from entries that nobody has signed is worth nothing.
            (0, false) => new Claim(name, Standing.NotProven, "holds for the bytes at hand, which are not those that the checkpoint covers"),
            _ => new Claim(name, Standing.NotProven, broken == 1 ? "1 finding" : string.Create(CultureInfo.InvariantCulture, $"{broken} findings")),
        });
    }

    /// <summary>The full check writes "where: what".</summary>
    private static Finding Split(string claim, string problem)
    {
        var colon = problem.IndexOf(": ", StringComparison.Ordinal);
        return colon < 0 ? new Finding(claim, "log", problem) : new Finding(claim, problem[..colon], problem[(colon + 2)..]);
    }

    private static string Entry(long index) => string.Create(CultureInfo.InvariantCulture, $"entry {index}");
}
