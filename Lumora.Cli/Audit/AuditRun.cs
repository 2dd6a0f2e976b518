using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Verification;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;
using Lumora.Domain.Log;
using Lumora.Domain.Merkle;

namespace Lumora.Cli.Audit;

/// <summary>One audit of one log: everything that follows from its files, then the export, then the chain.</summary>
internal sealed class AuditRun(ILogSource source, string shard, TrustedKey key, ChainServer? chain, IAuditProgress progress)
{
    private const int FindingsMax = 1_000;
    private const string EntriesClaim = "entries_valid";
    private const string TreeClaim = "tree_whole";
    private const string CheckpointClaim = "checkpoint_signed";
    private const string DataClaim = "data_present";

    private readonly List<Finding> _findings = [];
    private readonly List<Claim> _claims = [];
    private readonly List<MerkleHash> _hashes = [];
    private readonly List<(long Index, DetachedData Data)> _detached = [];
    private readonly StreamCheck _streams = new();
    private readonly LedgerCheck _ledger = new();
    private readonly ErasureCheck _erasures = new();
    private readonly AnchorEntries _anchorEntries = new();
    private int _anchors;

    /// <summary>Audits and reports; findings are in the report, only what keeps it from its work is thrown.</summary>
    public async Task<AuditReport> RunAsync(CancellationToken cancellationToken)
    {
        var (startedAt, clock) = (DateTimeOffset.UtcNow, Stopwatch.StartNew());
        var note = await source.ReadAsync(LogPublisher.CheckpointPath, cancellationToken);
        var checkpoint = Read(note);
        _claims.Add(key.Claim);
        await DeriveAsync(note, checkpoint, cancellationToken);
        await DetachedAsync(cancellationToken);
        Fold();
        await ExportAsync(cancellationToken);
        await AnchorsAsync(checkpoint, cancellationToken);
        return new AuditReport(
            source.Name, shard, key.Key.ToString(), checkpoint?.Origin, checkpoint?.Size ?? 0, checkpoint?.Root.ToBase64(), _claims, _findings,
            new AuditCounts(
                _hashes.Count, _streams.Streams, _ledger.Journals, _ledger.Events, _ledger.Accounts, _detached.Count, _anchors),
            startedAt, Math.Round(clock.Elapsed.TotalSeconds, 3));
    }

    private Checkpoint? Read(byte[]? note)
    {
        try
        {
            return note is null ? null : NoteVerifier.VerifyCheckpoint(note, key.Key).Checkpoint;
        }
        catch (Exception exception) when (exception is VerificationException or FormatException)
        {
            // The full check below finds the same and reports it.
            return null;
        }
    }

    private async Task DeriveAsync(byte[]? note, Checkpoint? checkpoint, CancellationToken cancellationToken)
    {
        progress.Begin("Entries and tiles", checkpoint?.Size ?? 0);
        var fsck = await LogFsck.RunAsync(source, key.Key, note, OnEntry, cancellationToken);
        if (checkpoint is null)
        {
            _findings.AddRange(fsck.Problems.Select(problem => Split(CheckpointClaim, problem)));
            Claim(CheckpointClaim, "without a good checkpoint nothing below it can be judged");
            return;
        }

        Claim(CheckpointClaim, string.Create(CultureInfo.InvariantCulture, $"{checkpoint.Origin} has signed {checkpoint.Size} entries with the root {checkpoint.Root.ToBase64()}"));
        _findings.AddRange(fsck.Problems.Select(problem => Split(TreeClaim, problem)));
        Claim(TreeClaim, string.Create(CultureInfo.InvariantCulture, $"{_hashes.Count} entries hashed again, every tile and the root derived from them and compared"));
    }

    private void OnEntry(long index, ReadOnlyMemory<byte> bytes)
    {
        _hashes.Add(MerkleHash.OfLeaf(bytes.Span));
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

        if (!string.Equals(entry.Leaf.Shard, shard, StringComparison.Ordinal))
            _findings.Add(new Finding(EntriesClaim, Entry(index), $"it is an event of the shard {entry.Leaf.Shard}, not of {shard}"));
        if (_streams.Take(index, entry.Leaf) is { } gap)
            _findings.Add(gap);
        if (entry.Detached is { } data)
            _detached.Add((index, data));
        _anchorEntries.Take(index, entry);
        if (_erasures.Take(index, entry.Leaf, entry.Data) is { } unsealed)
            _findings.Add(unsealed);
        if (_ledger.Take(index, entry) is { } fault)
            _findings.Add(fault);
    }

    private async Task DetachedAsync(CancellationToken cancellationToken)
    {
        foreach (var (index, data) in _detached)
        {
            var path = $"data/{data.Sha256}";
            var bytes = await source.ReadAsync(path, cancellationToken);
            if (bytes is null)
                _findings.Add(new Finding(DataClaim, Entry(index), $"its data {path} is missing"));
            else if (bytes.Length != data.Length || Convert.ToHexStringLower(SHA256.HashData(bytes)) != data.Sha256)
                _findings.Add(new Finding(DataClaim, Entry(index), $"its data {path} has other bytes than the entry names"));
        }
    }

    private void Fold()
    {
        if (_hashes.Count == 0)
            return;
        _findings.AddRange(_ledger.Finish());
        Claim(EntriesClaim, "every entry is a leaf of version 1 in its canonical spelling");
        if (_detached.Count > 0)
            Claim(DataClaim, string.Create(CultureInfo.InvariantCulture, $"{_detached.Count} long data apart from their leaves have the SHA-256 that the leaf names"));
        Claim(StreamCheck.Claim, string.Create(CultureInfo.InvariantCulture, $"{_streams.Streams} streams without a gap or a double inside; no event twice"));
        if (_erasures.Subjects > 0)
            Claim(ErasureCheck.Claim, _erasures.Detail);
        if (_ledger.Journals > 0)
            Claim(LedgerCheck.Claim, string.Create(CultureInfo.InvariantCulture, $"{_ledger.Events} ledger events replayed: {_ledger.Accounts} accounts sum to 0, no floor broken, one outcome for each key"));
    }

    private async Task ExportAsync(CancellationToken cancellationToken)
    {
        if (_hashes.Count == 0)
            return;
        await using var export = await source.ExportAsync(cancellationToken);
        if (export is null)
        {
            _claims.Add(new Claim(ExportCheck.Claim, Standing.NotProven, "there is no export here to compare"));
            return;
        }

        progress.Begin("Export", _hashes.Count);
        _findings.AddRange(await ExportCheck.RunAsync(export, _hashes, progress.Report, cancellationToken));
        Claim(ExportCheck.Claim, "the lines of /v1/events are the entries of the bundles, byte by byte");
    }

    private async Task AnchorsAsync(Checkpoint? checkpoint, CancellationToken cancellationToken)
    {
        if (checkpoint is null)
            return;
        if (chain is null)
        {
            _claims.Add(new Claim(AnchorCheck.Claim, Standing.NeedsChain, "give --rpc to compare the log's anchors on Solana"));
            return;
        }

        progress.Begin("Anchors", 0);
        var check = await AnchorCheck.RunAsync(source, chain, key.Key, checkpoint, _anchorEntries, progress.Report, cancellationToken);
        (_anchors, var findings) = (check.Matching, check.Findings);
        _findings.AddRange(findings);
        _claims.Add(check.ToClaim());
    }

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
