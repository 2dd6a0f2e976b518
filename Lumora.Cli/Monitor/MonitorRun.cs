using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Lumora.Chain.Log;
using Lumora.Chain.Merkle;
using Lumora.Chain.Solana.Rpc;
using Lumora.Chain.Tiles;
using Lumora.Chain.Verification;
using Lumora.Cli.Conflicts;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;
using Lumora.Domain.Log;
using Lumora.Domain.Merkle;

namespace Lumora.Cli.Monitor;

/// <summary>How long what may take.</summary>
/// <param name="Stall">Events wait for the log, or it does not answer.</param>
/// <param name="AnchorLate">An entry waits for its anchor.</param>
/// <param name="AgeMax">No new checkpoint; null: a log may be quiet.</param>
internal sealed record MonitorLimits(TimeSpan Stall, TimeSpan AnchorLate, TimeSpan? AgeMax);

/// <summary>What is followed.</summary>
internal sealed record MonitorSubject(
    ServerLog Source, string Shard, TrustedKey Key, ChainServer? Chain, string? StateFolder, string EvidenceFolder, MonitorLimits Limits);

/// <summary>Looks at a log again and again; what was found good is what the next look is held against.</summary>
internal sealed class MonitorRun : IDisposable
{
    private readonly MonitorSubject _subject;
    private readonly MonitorLines _lines;
    private readonly TimeProvider _clock;
    private readonly ConflictSearch _search;
    private MonitorState? _state;
    private TreeEdge _edge = TreeEdge.Empty;
    private readonly WitnessWatch _witnesses;
    private readonly MonitorSilence _logSilence;
    private readonly MonitorSilence _chainSilence;
    private DateTimeOffset? _waitingSince;

    private MonitorRun(MonitorSubject subject, MonitorLines lines, TimeProvider clock)
    {
        (_subject, _lines, _clock, _search) = (subject, lines, clock, new ConflictSearch(subject.Key, subject.Source));
        _witnesses = new WitnessWatch(subject, _search, lines, clock);
        _logSilence = new MonitorSilence("unreachable", subject.Limits.Stall, lines, clock);
        _chainSilence = new MonitorSilence("chain_unreachable", subject.Limits.Stall, lines, clock);
    }

    /// <summary>Takes up what an earlier monitor has left.</summary>
    /// <exception cref="UnableException">The state is damaged, or another log's.</exception>
    public static async Task<MonitorRun> OpenAsync(
        MonitorSubject subject, MonitorLines lines, TimeProvider clock, CancellationToken cancellationToken)
    {
        var run = new MonitorRun(subject, lines, clock);
        if (subject.StateFolder is { } folder && await MonitorState.ReadAsync(folder, subject.Shard, subject.Key, cancellationToken) is { } kept)
        {
            (run._state, run._edge) = kept;
            lines.Say("resumed", string.Create(CultureInfo.InvariantCulture, $"after the checkpoint of {kept.Edge.Size} entries, seen at {kept.State.At.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z"));
        }

        return run;
    }

    /// <summary>One look at the log, its anchors, its witnesses and its server.</summary>
    /// <param name="isOnly">There is no further look: what cannot be read now is no matter of patience.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="UnableException">With <paramref name="isOnly"/>: the log cannot be read.</exception>
    public async Task PassAsync(bool isOnly, CancellationToken cancellationToken)
    {
        try
        {
            if (await ReadAsync(cancellationToken) is { } seen && await FollowAsync(seen, cancellationToken))
            {
                await SampleAsync(seen, cancellationToken);
                if (_subject.Chain is { } chain)
                    await AnchorsAsync(chain, seen, isOnly, cancellationToken);
                await _witnesses.LookAsync(seen, Evidence, cancellationToken);
                if (_subject.StateFolder is { } folder)
                    await _state!.With(_edge).WriteAsync(folder, cancellationToken);
            }

            await ServerAsync(cancellationToken);
            _logSilence.End("the log answers again");
        }
        catch (Exception exception) when (!isOnly && exception is UnableException or HttpRequestException or IOException
            or TileMissingException)
        {
            _logSilence.GoesOn(exception);
        }
        catch (Exception exception) when (exception is FormatException or TileMissingException)
        {
            _lines.Alarm("tree_broken", exception.Message);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _witnesses.Dispose();

    private async Task AnchorsAsync(ChainServer chain, SeenCheckpoint seen, bool isOnly, CancellationToken cancellationToken)
    {
        try
        {
            _state = await new AnchorWatch(chain, _subject, _search, _lines, _clock).LookAsync(_state!, seen, Evidence, cancellationToken);
            _chainSilence.End("the chain answers again");
        }
        catch (Exception exception) when (!isOnly && exception is SolanaException or VerificationException)
        {
            // What was seen of the log itself stands, and is kept.
            _chainSilence.GoesOn(exception);
        }
    }

    private async Task<SeenCheckpoint?> ReadAsync(CancellationToken cancellationToken)
    {
        var (source, keys) = (_subject.Source, _subject.Key.Keys);
        if (await source.ReadAsync(LogPublisher.CheckpointPath, cancellationToken) is not { } bytes)
        {
            if (_state is not null)
                _lines.Alarm("checkpoint_gone", "the log has no checkpoint any more");
            else
                _lines.Notice("no_checkpoint", "the log has no checkpoint yet");
            return null;
        }

        try
        {
            var verified = NoteVerifier.VerifyCheckpoint(bytes, keys, []);
            _lines.Over("bad_checkpoint", "the checkpoint is good again");
            _lines.Over("extension_lines", "the checkpoint has no more lines than three");
            _lines.Over("checkpoint_gone", "there is a checkpoint again");
            Signers.Report(verified.Note, _subject.Key, _lines);
            if (Trust.WitnessCheck.Check(bytes, _subject.Key, LogPublisher.CheckpointPath).Finding is { } unwitnessed)
                _lines.Alarm("not_witnessed", unwitnessed.What);
            else
                _lines.Over("not_witnessed", "the policy's quorum is met again");
            return new SeenCheckpoint(verified.Checkpoint, bytes, $"{source.Name}/{LogPublisher.CheckpointPath}", _clock.GetUtcNow());
        }
        catch (Exception exception) when (exception is FormatException or VerificationException)
        {
            _lines.Alarm(Signers.HasExtensions(bytes, keys) ? "extension_lines" : "bad_checkpoint", exception.Message);
            return null;
        }
    }

    /// <summary>Holds <paramref name="seen"/> against the newest good checkpoint; true when it extends it and its entries are good.</summary>
    private async Task<bool> FollowAsync(SeenCheckpoint seen, CancellationToken cancellationToken)
    {
        var size = seen.Checkpoint.Size;
        if (_state is null)
        {
            // Trusted as the first thing seen; an audit looks at what lies before it.
            try
            {
                _edge = await TreeEdge.ReadAsync(_subject.Source, seen.Checkpoint, cancellationToken);
            }
            catch (Exception exception) when (exception is VerificationException or FormatException)
            {
                _lines.Alarm("tree_broken", exception.Message);
                return false;
            }

            Keep(seen, size > 0 ? [new WaitingEntry(size - 1, seen.At)] : []);
            _lines.Say("checkpoint", string.Create(CultureInfo.InvariantCulture, $"{size} entries, root {seen.Checkpoint.Root.ToBase64()}: the first that is seen"));
            return true;
        }

        var last = new SeenCheckpoint(
            NoteVerifier.VerifyCheckpoint(Encoding.UTF8.GetBytes(_state.Note), _subject.Key.Keys, []).Checkpoint,
            Encoding.UTF8.GetBytes(_state.Note), _state.From, _state.At);
        var isSmaller = size < last.Checkpoint.Size;
        var (fault, evidence) = await _search.CompareAsync(isSmaller ? seen : last, isSmaller ? last : seen, cancellationToken);
        if (fault is not null)
        {
            _lines.Alarm("fork", fault, evidence is null ? null : await Evidence(evidence, cancellationToken), seen.Checkpoint.Root.ToString());
            return false;
        }

        if (isSmaller)
        {
            _lines.Alarm("set_back", string.Create(
                CultureInfo.InvariantCulture, $"the log gives a checkpoint of {size} entries after one of {last.Checkpoint.Size}"));
            return false;
        }

        _lines.Over("set_back", "the log gives its newest checkpoint again");
        if (size == last.Checkpoint.Size)
            return AgeAlarm();
        return await GrowAsync(seen, last, cancellationToken);
    }

    private async Task<bool> GrowAsync(SeenCheckpoint seen, SeenCheckpoint last, CancellationToken cancellationToken)
    {
        long? calling = null;
        var fsck = await LogFsck.RunAsync(_subject.Source, seen.Checkpoint, _edge, Look, cancellationToken);
        foreach (var (index, bytes) in fsck.Rewritten)
            if (await _search.RewrittenAsync(seen, index, bytes, _subject.Source.Name, cancellationToken) is { } evidence)
                _lines.Alarm("rewritten_entry", evidence.What, await Evidence(evidence, cancellationToken), $"{index}");
        if (!fsck.IsWhole)
        {
            _lines.Alarm("tree_broken", fsck.Problems[0]);
            return false;
        }

        _edge = fsck.Edge!;
        Keep(seen, calling is { } newest ? [.. _state!.Waiting, new WaitingEntry(newest, seen.At)] : _state!.Waiting);
        _lines.Over("tree_broken", "entries and tiles agree again");
        _lines.Over("old", "there is a new checkpoint");
        _lines.Say("checkpoint", string.Create(
            CultureInfo.InvariantCulture, $"{seen.Checkpoint.Size} entries, root {seen.Checkpoint.Root.ToBase64()}: extends {last.Checkpoint.Size}"));
        return true;

        ValueTask Look(long index, ReadOnlyMemory<byte> bytes)
        {
            try
            {
                // Entries about anchors and checkpoints alone call for no anchor.
                if (Leaf.Decode(bytes).Leaf.Type is var type && !type.StartsWith("anchor_", StringComparison.Ordinal) && !type.StartsWith("checkpoint_", StringComparison.Ordinal))
                    calling = index;
            }
            catch (FormatException exception)
            {
                _lines.Alarm("bad_entry", string.Create(CultureInfo.InvariantCulture, $"entry {index}: {exception.Message}"), subject: $"{index}");
            }

            return ValueTask.CompletedTask;
        }
    }

    private void Keep(SeenCheckpoint seen, IReadOnlyList<WaitingEntry> waiting) => _state = new MonitorState(
        MonitorState.FormatName, _subject.Shard, _subject.Key.Key.ToString(), Encoding.UTF8.GetString(seen.Note), seen.From, seen.At, [], [],
        _state?.Anchored ?? 0, waiting, _state?.Anchor);

    private bool AgeAlarm()
    {
        if (_subject.Limits.AgeMax is { } most && _clock.GetUtcNow() - _state!.At > most)
            _lines.Alarm("old", string.Create(CultureInfo.InvariantCulture, $"no new checkpoint since {_state.At.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z"));
        return true;
    }

    /// <summary>Reads one entry again, whichever: a rewrite of what was looked at long ago shows in time.</summary>
    private async Task SampleAsync(SeenCheckpoint seen, CancellationToken cancellationToken)
    {
        var size = seen.Checkpoint.Size;
        if (size == 0)
            return;
        var index = RandomNumberGenerator.GetInt32((int)Math.Min(size, int.MaxValue));
        var bundle = TileId.At(TileId.Entries, index / TileId.WidthMax, size)!.Value;
        try
        {
            var entry = EntryBundle.Decode(await _subject.Source.ReadOrFullAsync(bundle, cancellationToken), bundle.Width)[index % TileId.WidthMax];
            var path = await new TreeReader(_subject.Source, size).InclusionAsync(index, cancellationToken);
            try
            {
                ProofVerifier.VerifyInclusion(MerkleHash.OfLeaf(entry.Span), index, size, path, seen.Checkpoint.Root);
            }
            catch (VerificationException exception)
            {
                var evidence = await _search.RewrittenAsync(seen, index, entry.ToArray(), $"{_subject.Source.Name}/{bundle.Path}", cancellationToken);
                _lines.Alarm("rewritten_entry", exception.Message, evidence is null ? null : await Evidence(evidence, cancellationToken), $"{index}");
            }

            _lines.Over("tree_broken", $"{bundle.Path} can be read again", bundle.Path);
        }
        catch (Exception exception) when (exception is FormatException or TileMissingException)
        {
            _lines.Alarm("tree_broken", $"{bundle.Path}: {exception.Message}", subject: bundle.Path);
        }
    }

    /// <summary>What the server says of its own log: events that wait, or a refusal to sign.</summary>
    private async Task ServerAsync(CancellationToken cancellationToken)
    {
        if (await _subject.Source.LogTroubleAsync(cancellationToken) is not { } trouble)
        {
            _waitingSince = null;
            _lines.Over("stalled", "the log takes up events again");
            return;
        }

        _waitingSince ??= _clock.GetUtcNow();
        if (trouble.StartsWith("log_refused", StringComparison.Ordinal) || _clock.GetUtcNow() - _waitingSince >= _subject.Limits.Stall)
            _lines.Alarm("stalled", $"the server says {trouble}");
        else
            _lines.Notice("waiting", $"the server says {trouble}");
    }

    private Task<string> Evidence(ConflictEvidence evidence, CancellationToken cancellationToken) =>
        evidence.WriteAsync(_subject.EvidenceFolder, cancellationToken);
}
