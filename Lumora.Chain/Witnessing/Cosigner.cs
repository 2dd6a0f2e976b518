using System.Collections.Concurrent;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Tiles;
using Lumora.Chain.Verification;
using Lumora.Chain.Witnesses;
using Microsoft.Extensions.Logging;

namespace Lumora.Chain.Witnessing;

/// <summary>
/// Asks all witnesses of a policy at once and gives out a checkpoint only with its quorum. What came in is kept until the
/// checkpoint is through, so that witnesses need not be up at the same time.
/// </summary>
public sealed partial class Cosigner : ICosigner, IDisposable
{
    private const int AnswerBytesMax = SignedNote.BytesMax;

    private static readonly TimeSpan RetryMin = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(5);

    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        PooledConnectionLifetime = ConnectionLifetime,
    })
    {
        MaxResponseContentBufferSize = AnswerBytesMax,
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private readonly WitnessPolicy _policy;
    private readonly WitnessOptions _options;
    private readonly WitnessStatus _status;
    private readonly TimeProvider _clock;
    private readonly ILogger<Cosigner> _logger;
    private readonly ConcurrentDictionary<string, Round> _rounds = new(StringComparer.Ordinal);

    /// <summary>A cosigner for <paramref name="policy"/>.</summary>
    public Cosigner(WitnessPolicy policy, WitnessOptions options, WitnessStatus status, TimeProvider clock, ILogger<Cosigner> logger)
    {
        (_policy, _options, _status, _clock, _logger) = (policy, options, status, clock, logger);
    }

    private TimeSpan TimeLimit => TimeSpan.FromMilliseconds(_options.TimeoutMs);

    /// <inheritdoc/>
    public bool IsWitnessed(PublishedCheckpoint checkpoint, byte[] served)
    {
        try
        {
            // The log's own signature is the publisher's to check.
            var note = SignedNote.Parse(served);
            return !_policy.NeedsCosignatures
                || (note.Text == SignedNote.Parse(checkpoint.Note).Text && _policy.IsQuorumMet(Cosigners(note)));
        }
        catch (Exception exception) when (exception is FormatException or VerificationException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public async Task<byte[]?> CosignAsync(PublishedCheckpoint checkpoint, ITileReader tiles, CancellationToken cancellationToken)
    {
        var round = _rounds.GetOrAdd(checkpoint.Shard, _ => new Round(Seats()));
        var note = SignedNote.Parse(checkpoint.Note);
        round.Begin(note.Text);
        _status.Asked(checkpoint.Shard, checkpoint.Checkpoint.Size);
        await AskAsync(round, checkpoint, tiles, cancellationToken);
        if (!_policy.IsQuorumMet(round.Cosigned.Keys))
        {
            _status.Late(checkpoint.Shard);
            return null;
        }

        _status.Witnessed(checkpoint.Shard);
        var cosigned = _policy.Witnesses.Where(witness => round.Cosigned.ContainsKey(witness.Name))
            .Aggregate(note, (all, witness) => all.With(round.Cosigned[witness.Name])).ToBytes();
        // Nothing leaves that we would not believe ourselves.
        return IsWitnessed(checkpoint, cosigned)
            ? cosigned
            : throw new LogRefusedException($"The cosigned checkpoint of the log {checkpoint.Shard} does not hold under the policy.");
    }

    /// <inheritdoc/>
    public async Task<AnchoredAnswer> NewestAsync(IReadOnlyList<VerifierKey> keys, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeLimit);
        var shown = await Task.WhenAll(Reachable().Select(witness => ShownAsync(witness, keys, limit.Token)));
        cancellationToken.ThrowIfCancellationRequested();
        return shown.OfType<AnchoredAnswer>().MaxBy(answer => answer.Newest!.Size) ?? new AnchoredAnswer(null, "no witness shows one");
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private IEnumerable<PolicyWitness> Reachable() => _policy.Witnesses.Where(witness => witness.Url is not null);

    private List<Seat> Seats() => [.. Reachable().Select(witness => new Seat(witness, new WitnessClient(_http, witness)))];

    private IEnumerable<string> Cosigners(SignedNote note)
    {
        var good = NoteVerifier.Verify(note, _policy.WitnessKeys);
        return _policy.Witnesses.Where(witness => good.Any(one => one.Key.Equals(witness.Key))).Select(witness => witness.Name);
    }

    /// <summary>Asks who has not cosigned yet and is not to be left alone, until the quorum is there and the others had their time.</summary>
    private async Task AskAsync(Round round, PublishedCheckpoint checkpoint, ITileReader tiles, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var now = _clock.GetUtcNow();
        var asked = round.Seats
            .Where(seat => seat.RetryAt <= now && !round.Cosigned.ContainsKey(seat.Witness.Name))
            .Select(seat => AskAsync(seat, checkpoint, tiles, stop.Token)).ToList();
        Task? grace = null;
        while (asked.Count > 0)
        {
            if (_policy.IsQuorumMet(round.Cosigned.Keys))
                grace ??= Task.Delay(TimeSpan.FromMilliseconds(_options.GraceMs), _clock, stop.Token);
            var ended = await Task.WhenAny([.. asked, .. grace is null ? Array.Empty<Task>() : [grace]]);
            if (ended == grace)
                break;
            var answer = (Task<(Seat Seat, NoteSignature? Cosignature)>)ended;
            asked.Remove(answer);
            if (await answer is { Cosignature: { } cosignature, Seat.Witness.Name: var name })
                round.Cosigned[name] = cosignature;
        }

        await stop.CancelAsync();
        await Task.WhenAll(asked);
        cancellationToken.ThrowIfCancellationRequested();
    }

    private async Task<(Seat Seat, NoteSignature? Cosignature)> AskAsync(
        Seat seat, PublishedCheckpoint checkpoint, ITileReader tiles, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(TimeLimit);
        try
        {
            var cosignature = await seat.Client.CosignAsync(checkpoint.Checkpoint, checkpoint.Note, tiles, limit.Token);
            seat.Succeeded();
            _status.Cosigned(seat.Witness.Name);
            return (seat, cosignature);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The quorum was there without it; that is no failure.
            return (seat, null);
        }
        catch (Exception fault) when (fault is WitnessRefusedException or HttpRequestException or IOException
            or TileMissingException or FormatException or OperationCanceledException)
        {
            var why = fault is OperationCanceledException ? $"no answer within {_options.TimeoutMs} ms" : fault.Message;
            if (_status.Failed(checkpoint.Shard, seat.Witness.Name, why))
                LogFailure(seat.Witness.Name, seat.Witness.Url!, checkpoint.Shard, checkpoint.Checkpoint.Size, why);
            seat.Failed(_clock.GetUtcNow(), TimeSpan.FromMilliseconds(_options.RetryMsMax));
            return (seat, null);
        }
    }

    private async Task<AnchoredAnswer?> ShownAsync(
        PolicyWitness witness, IReadOnlyList<VerifierKey> keys, CancellationToken cancellationToken)
    {
        try
        {
            return await new WitnessClient(_http, witness).NewestAsync(keys[0].Name, keys, cancellationToken) is { } newest
                ? new AnchoredAnswer(newest, $"witness {witness.Name} at {witness.Url}")
                : null;
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or OperationCanceledException)
        {
            // A witness that is away delays nothing but cosigning.
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The witness {Witness} at {Url} does not cosign the checkpoint of {Size} leaves of shard {Shard}: {Reason}")]
    private partial void LogFailure(string witness, Uri url, string shard, long size, string reason);

    /// <summary>One witness, as one shard asks it.</summary>
    private sealed class Seat(PolicyWitness witness, WitnessClient client)
    {
        private TimeSpan _pause = RetryMin;

        public PolicyWitness Witness { get; } = witness;

        public WitnessClient Client { get; } = client;

        public DateTimeOffset RetryAt { get; private set; } = DateTimeOffset.MinValue;

        public void Succeeded() => _pause = RetryMin;

        public void Failed(DateTimeOffset now, TimeSpan pauseMax)
        {
            RetryAt = now + _pause;
            _pause = _pause * 2 < pauseMax ? _pause * 2 : pauseMax;
        }
    }

    /// <summary>The checkpoint of a shard that is being cosigned. One publisher at a time calls for a shard.</summary>
    private sealed class Round(IReadOnlyList<Seat> seats)
    {
        private string? _text;

        public IReadOnlyList<Seat> Seats { get; } = seats;

        public Dictionary<string, NoteSignature> Cosigned { get; } = new(StringComparer.Ordinal);

        public void Begin(string text)
        {
            if (_text == text)
                return;
            _text = text;
            Cosigned.Clear();
        }
    }
}
