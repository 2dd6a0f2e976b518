using System.Diagnostics;
using System.Globalization;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Solana.Rpc;
using Lumora.Chain.Tiles;
using Lumora.Chain.Verification;
using Lumora.Cli.Conflicts;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;
using Lumora.Cli.Trust;
using Lumora.Domain.Log;

namespace Lumora.Cli.Audit;

/// <summary>One audit of one log: everything that follows from its files, then what the server tells, then the chain.</summary>
internal sealed class AuditRun(AuditSubject subject, IAuditProgress progress)
{
    /// <summary>Every entry is a leaf.</summary>
    public const string EntriesClaim = "entries_valid";

    private const int FindingsMax = 1_000;
    private const int EvidenceMax = 20;
    private const int KeepingShare = 9;
    private const string CheckpointClaim = "checkpoint_signed";
    private const string EarlierClaim = "extends_earlier";

    private readonly ILogSource _source = subject.Source;
    private readonly AuditVerdict _verdict = new();
    private readonly List<ConflictEvidence> _evidence = [];
    private AuditFold _fold = new(subject);
    private TreeEdge _edge = TreeEdge.Empty;
    private ExportCheck? _export;
    private long _read;
    private int _anchors;
    private long _keptAt = Stopwatch.GetTimestamp();
    private TimeSpan _keeping;

    /// <summary>What shows findings to others.</summary>
    public IReadOnlyList<ConflictEvidence> Evidence => _evidence;

    private long Entries => _edge.Size + _read;

    /// <summary>Audits and reports; findings are in the report, only what keeps it from its work is thrown.</summary>
    public async Task<AuditReport> RunAsync(CancellationToken cancellationToken)
    {
        var (startedAt, clock) = (DateTimeOffset.UtcNow, Stopwatch.StartNew());
        var earlier = await KeptAsync(isPart: false, cancellationToken);
        var part = await KeptAsync(isPart: true, cancellationToken);
        _verdict.Claims.AddRange(subject.Key.Claims);
        var audited = await CheckpointAsync(startedAt, cancellationToken);
        if (audited is not null)
        {
            Witnessed(audited.Note);
            if (earlier is { } state)
                await EarlierAsync(state.State, state.Fold, audited, cancellationToken);
            if (part is { } left && left.State.Edge.Size > _edge.Size && !_verdict.Breaks(EarlierClaim))
                await EarlierAsync(left.State, left.Fold, audited, cancellationToken);
            var edge = await DeriveAsync(audited, cancellationToken);
            if (Entries > 0)
                FoldClaims.Add(_verdict, _fold, subject.Epochs);
            await new ServerAnswers(subject, _fold, _verdict, Entries).RunAsync(cancellationToken);
            Exported();
            await AnchorsAsync(audited, cancellationToken);
            // What has a fault is looked at again from where everything was well.
            if (_verdict.Findings.Count == 0 && edge is not null)
                await KeepAsync(audited, edge, isPart: false, cancellationToken);
            if (subject.StateFolder is { } folder)
                await AuditState.RemovePartAsync(folder, cancellationToken);
        }

        return new AuditReport(
            _source.Name, subject.Shard, (audited is null ? subject.Key.Key : SignerOf(audited)).ToString(), audited?.Checkpoint.Origin, audited?.Checkpoint.Size ?? 0,
            audited?.Checkpoint.Root.ToBase64(), _verdict.Claims, _verdict.Findings,
            new AuditCounts(
                Entries, _fold.Streams.Streams, _fold.Ledger.Journals, _fold.Ledger.Events, _fold.Ledger.Accounts, _fold.Detached, _anchors,
                _fold.Purchases.Purchases, _fold.Rewards.Epochs),
            _edge.Size, [], startedAt, Math.Round(clock.Elapsed.TotalSeconds, 3))
        {
            Unable = _verdict.Unable,
        };
    }

    private async Task<(AuditState State, AuditFold Fold)?> KeptAsync(bool isPart, CancellationToken cancellationToken) =>
        subject.StateFolder is { } folder
            ? await AuditState.ReadAsync(folder, isPart, subject, cancellationToken)
            : null;

    private async Task KeepAsync(SeenCheckpoint audited, TreeEdge edge, bool isPart, CancellationToken cancellationToken)
    {
        if (subject.StateFolder is { } folder)
            await new AuditState(subject.Shard, SignerOf(audited), subject.Epochs, audited.Note, audited.From, audited.At, edge)
                .WriteAsync(folder, isPart, _fold, cancellationToken);
    }

    /// <summary>Keeps what it has come to from time to time, and never for more than a tenth of the time.</summary>
    private async ValueTask OnEdgeAsync(SeenCheckpoint audited, Func<TreeEdge> edge, CancellationToken cancellationToken)
    {
        var isEarly = subject.KeepEvery > TimeSpan.Zero
            && Stopwatch.GetElapsedTime(_keptAt) is var since && (since < subject.KeepEvery || since < _keeping * KeepingShare);
        if (isEarly || _verdict.Findings.Count > 0 || _export is { Findings.Count: > 0 })
            return;
        var began = Stopwatch.GetTimestamp();
        await KeepAsync(audited, edge(), isPart: true, cancellationToken);
        _keptAt = Stopwatch.GetTimestamp();
        _keeping = Stopwatch.GetElapsedTime(began, _keptAt);
    }

    private async Task<SeenCheckpoint?> CheckpointAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var note = await _source.ReadAsync(LogPublisher.CheckpointPath, cancellationToken);
        try
        {
            var checkpoint = NoteVerifier.VerifyCheckpoint(note ?? throw new FormatException("missing"), subject.Key.Keys, []).Checkpoint;
            _verdict.Claim(CheckpointClaim, string.Create(CultureInfo.InvariantCulture, $"{checkpoint.Origin} has signed {checkpoint.Size} entries with the root {checkpoint.Root.ToBase64()}"));
            return new SeenCheckpoint(checkpoint, note, $"{_source.Name}/{LogPublisher.CheckpointPath}", now);
        }
        catch (Exception exception) when (exception is VerificationException or FormatException)
        {
            _verdict.Findings.Add(new Finding(CheckpointClaim, "checkpoint", exception.Message));
            _verdict.Claim(CheckpointClaim, "without a good checkpoint nothing below it can be judged");
            return null;
        }
    }

    private void Witnessed(byte[] note)
    {
        var (claim, finding) = WitnessCheck.Check(note, subject.Key, LogPublisher.CheckpointPath);
        if (finding is not null)
            _verdict.Findings.Add(finding);
        if (claim is not null)
            _verdict.Claims.Add(claim);
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
            var (fault, evidence) = await new ConflictSearch(subject.Key, _source).CompareAsync(first, second, cancellationToken);
            if (evidence is not null)
                _evidence.Add(evidence);
            if (fault is not null)
                _verdict.Findings.Add(new Finding(EarlierClaim, where, $"the log has signed another history since: {fault}"));
            else if (shrunk)
                _verdict.Findings.Add(new Finding(EarlierClaim, where, string.Create(
                    CultureInfo.InvariantCulture, $"the log gives a checkpoint of {audited.Checkpoint.Size} entries now: an old one, or a log that was set back")));
        }
        catch (Exception exception) when (exception is TileMissingException or FormatException)
        {
            _verdict.Findings.Add(new Finding(EarlierClaim, where, $"it cannot be compared: {exception.Message}"));
        }

        _verdict.Claim(EarlierClaim, $"the log extends the {where}");
        if (!_verdict.Breaks(EarlierClaim))
            (_fold, _edge) = (fold, state.Edge);
    }

    private async Task<TreeEdge?> DeriveAsync(SeenCheckpoint audited, CancellationToken cancellationToken)
    {
        progress.Begin("Entries and tiles", audited.Checkpoint.Size);
        await using var export = audited.Checkpoint.Size > 0 ? await ExportCheck.OpenAsync(_source, _edge.Size, cancellationToken) : null;
        _export = export;
        var prefixes = new ConflictSearch(subject.Key, new NewestTiles(_source));
        var fsck = await LogFsck.RunAsync(
            _source, audited.Checkpoint, _edge, OnNextAsync, cancellationToken,
            subject.StateFolder is null ? null : edge => OnEdgeAsync(audited, edge, cancellationToken));
        _verdict.Findings.AddRange(fsck.Problems.Select(problem => Split(AuditVerdict.TreeClaim, problem)));
        var search = new ConflictSearch(subject.Key, _source);
        foreach (var (index, bytes) in fsck.Rewritten.Take(EvidenceMax))
            if (await search.RewrittenAsync(audited, index, bytes, _source.Name, cancellationToken) is { } evidence)
                _evidence.Add(evidence);
        _evidence.AddRange(_fold.Recorded.Forks.Take(EvidenceMax));
        _verdict.Claim(AuditVerdict.TreeClaim, string.Create(CultureInfo.InvariantCulture, $"{Entries} entries hashed again, every tile and the root derived from them and compared"));
        return fsck.Edge;

        async ValueTask OnNextAsync(long index, ReadOnlyMemory<byte> bytes)
        {
            await OnEntryAsync(index, bytes, cancellationToken);
            if (_fold.Archived.TakeDue() is { } said)
                await OnAnchorAsync(prefixes, said, audited, cancellationToken);
        }
    }

    /// <summary>What the log says that it has anchored must be a prefix of the tree that it shows now.</summary>
    private async Task OnAnchorAsync(ConflictSearch prefixes, SaidCheckpoint said, SeenCheckpoint audited, CancellationToken cancellationToken)
    {
        var (fault, evidence) = await prefixes.JudgeAsync(said.Seen, audited, cancellationToken);
        if (fault is not null)
            _verdict.Findings.Add(new Finding(ArchivedAnchors.Claim, said.Where, $"its memo is of another history: {fault}"));
        if (evidence is not null && said.IsSigned && _evidence.Count < EvidenceMax)
            _evidence.Add(evidence);
    }

    private async ValueTask OnEntryAsync(long index, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        _read++;
        progress.Report(index + 1);
        if (_export is { } export)
            await export.TakeAsync(index, bytes, cancellationToken);
        if (_verdict.Findings.Count >= FindingsMax)
            return;
        DecodedLeaf entry;
        try
        {
            entry = Leaf.Decode(bytes);
        }
        catch (FormatException exception)
        {
            _verdict.Findings.Add(new Finding(EntriesClaim, Entry(index), exception.Message));
            return;
        }

        if (!string.Equals(entry.Leaf.Shard, subject.Shard, StringComparison.Ordinal))
            _verdict.Findings.Add(new Finding(EntriesClaim, Entry(index), $"it is an event of the shard {entry.Leaf.Shard}, not of {subject.Shard}"));
        var data = entry.DataBytes;
        if (entry.Detached is { } detached)
        {
            _fold.Detached++;
            var (read, fault) = await DetachedReading.ReadAsync(_source, detached, cancellationToken);
            data = read ?? data;
            if (fault is not null)
                _verdict.Findings.Add(new Finding(FoldClaims.DataClaim, Entry(index), fault));
        }

        _verdict.Findings.AddRange(_fold.Take(new LoggedEvent(index, entry.Leaf, data)));
    }

    private void Exported()
    {
        if (Entries == 0)
            return;
        if (_export is null)
        {
            _verdict.Claims.Add(new Claim(ExportCheck.Claim, Standing.NotProven, "there is no export here to compare"));
            return;
        }

        _verdict.Findings.AddRange(_export.Findings);
        _verdict.Claim(ExportCheck.Claim, "the lines of /v1/events are the entries of the bundles, byte by byte");
    }

    private async Task AnchorsAsync(SeenCheckpoint audited, CancellationToken cancellationToken)
    {
        if (subject.ChainFault is { } fault)
        {
            _verdict.CannotCompare(AnchorCheck.Claim, "the anchors", fault);
            return;
        }

        if (subject.Chain is null)
        {
            _verdict.Claims.Add(new Claim(AnchorCheck.Claim, Standing.NeedsChain, "give --rpc to compare the log's anchors on Solana"));
            return;
        }

        progress.Begin("Anchors", 0);
        AnchorCheck check;
        try
        {
            check = await AnchorCheck.RunAsync(
                _source, subject.Chain, subject.Key, audited, _fold.Anchors, progress.Report, cancellationToken);
        }
        catch (Exception exception) when (exception is SolanaException or VerificationException)
        {
            _verdict.CannotCompare(AnchorCheck.Claim, "the anchors", exception);
            return;
        }

        _anchors = check.Matching;
        _verdict.Findings.AddRange(check.Findings);
        _evidence.AddRange(check.Evidence);
        _verdict.Claims.Add(check.ToClaim());
    }

    private VerifierKey SignerOf(SeenCheckpoint audited)
    {
        var lines = SignedNote.Parse(audited.Note).Signatures;
        return subject.Key.Keys.First(key => lines.Any(line => line.IsOf(key)));
    }

    /// <summary>The full check writes "where: what".</summary>
    private static Finding Split(string claim, string problem)
    {
        var colon = problem.IndexOf(": ", StringComparison.Ordinal);
        return colon < 0 ? new Finding(claim, "log", problem) : new Finding(claim, problem[..colon], problem[(colon + 2)..]);
    }

    private static string Entry(long index) => string.Create(CultureInfo.InvariantCulture, $"entry {index}");
}
