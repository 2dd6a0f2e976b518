using System.Globalization;
using System.Text.Json;
using Lumora.Domain.Ledger;

namespace Lumora.Projections.Ledger;

/// <summary>A batch as another host sent it.</summary>
/// <param name="Method">Of the HTTP request.</param>
/// <param name="Path">Of the HTTP request.</param>
/// <param name="Term"><see cref="LedgerSignature.TermHeader"/>.</param>
/// <param name="Time"><see cref="LedgerSignature.TimeHeader"/>.</param>
/// <param name="Signature"><see cref="LedgerSignature.Header"/>.</param>
/// <param name="Body">One call per line.</param>
public sealed record ForwardedBatch(
    string Method, string Path, string? Term, string? Time, string? Signature, ReadOnlyMemory<byte> Body);

/// <summary>What becomes of a batch of another host.</summary>
public enum ForwardResult
{
    /// <summary>Decided; the answer has a line for each call.</summary>
    Answered,

    /// <summary>The signature is wrong, or of another term, or its time is too far from the database's.</summary>
    Unauthenticated,

    /// <summary>More calls than a batch may have.</summary>
    TooLarge,

    /// <summary>This host is not the writer: read the lease again.</summary>
    NotTheWriter,
}

/// <summary>The answer to a batch of another host.</summary>
/// <param name="Result">What became of it.</param>
/// <param name="Signature"><see cref="LedgerSignature.Header"/> of the answer; null without a body.</param>
/// <param name="Body">The outcomes of a call per line, in the order of the calls.</param>
public sealed record ForwardAnswer(ForwardResult Result, string? Signature, byte[] Body)
{
    internal static ForwardAnswer Without(ForwardResult result) => new(result, null, []);
}

/// <summary>
/// The ledger of one shard as this host's callers see it: decided here while this host holds the lease, by the host that
/// does otherwise.
/// </summary>
internal sealed class ShardLedger(
    LedgerLeadership leadership, LedgerForwarder forwarder, LedgerSender sender, LedgerOptions options)
    : ILedger, IAsyncDisposable
{
    private int _disposed;

    /// <summary>How this host stands to the journal.</summary>
    public LedgerStanding Standing => leadership.Standing;

    /// <inheritdoc/>
    public Task<LedgerOutcome> SubmitAsync(LedgerRequest request, CancellationToken ct) =>
        leadership.Writer is { } writer ? writer.SubmitAsync(request, ct) : forwarder.SubmitAsync(request, ct);

    /// <inheritdoc/>
    public Task<IReadOnlyList<LedgerOutcome>> SubmitAsync(
        IReadOnlyList<LedgerRequest> requests, BulkMode mode, CancellationToken ct) =>
        leadership.Writer is { } writer ? writer.SubmitAsync(requests, mode, ct) : forwarder.SubmitAsync(requests, mode, ct);

    /// <summary>Takes the lease at once when it is free; else others serve this host's callers.</summary>
    public Task StartAsync(CancellationToken ct)
    {
        forwarder.Start(leadership, sender);
        return leadership.StartAsync(ct);
    }

    /// <summary>The host listens now: tells those who look for the writer.</summary>
    public void Listens() => leadership.Listens();

    /// <summary>Decides what waits and lets another host go on; callers that come now are forwarded.</summary>
    public Task HandOverAsync(CancellationToken ct) => leadership.HandOverAsync(ct);

    /// <summary>Takes no more requests, answers all that wait, and gives the lease back.</summary>
    public async Task DrainAsync(CancellationToken ct)
    {
        await forwarder.CompleteAsync().WaitAsync(ct);
        await leadership.HandOverAsync(ct);
    }

    /// <summary>Decides a batch of another host.</summary>
    public async Task<ForwardAnswer> ReceiveAsync(ForwardedBatch batch, CancellationToken ct)
    {
        if (leadership.Seen is not { } lease || !IsSigned(batch, lease))
            return ForwardAnswer.Without(ForwardResult.Unauthenticated);
        if (leadership.LiveWriter is not { } writer)
            return ForwardAnswer.Without(ForwardResult.NotTheWriter);
        var answers = new List<Task<IReadOnlyList<LedgerOutcome>?>>();
        foreach (var line in LedgerLines.Split(batch.Body))
        {
            if (answers.Count == options.ForwardBatchMax)
                return ForwardAnswer.Without(ForwardResult.TooLarge);
            answers.Add(DecideAsync(writer, line, ct));
        }

        var outcomes = await Task.WhenAll(answers);
        var body = LedgerLines.Join(outcomes.Select(LedgerWire.Encode));
        return new ForwardAnswer(
            ForwardResult.Answered, LedgerSignature.OfAnswer(lease.Secret, batch.Signature!, body), body);
    }

    /// <summary>Stops at once: who waits is told that the outcome is unknown, and the lease runs out by itself.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
            return;
        await leadership.GiveUpAsync();
        await forwarder.DisposeAsync();
        await leadership.DisposeAsync();
        sender.Dispose();
    }

    private bool IsSigned(ForwardedBatch batch, SeenLease lease) =>
        long.TryParse(batch.Term, NumberStyles.None, CultureInfo.InvariantCulture, out var term)
        && term == lease.Term
        && long.TryParse(batch.Time, NumberStyles.None, CultureInfo.InvariantCulture, out var time)
        && leadership.DatabaseNow is { } now
        && Math.Abs((decimal)time - now.ToUnixTimeMilliseconds()) <= (decimal)LedgerSignature.AgeMax.TotalMilliseconds
        && LedgerSignature.Matches(
            LedgerSignature.OfRequest(lease.Secret, batch.Method, batch.Path, term, time, batch.Body.Span), batch.Signature);

    // Null = unknown: a line that this host cannot read costs only itself.
    private static async Task<IReadOnlyList<LedgerOutcome>?> DecideAsync(
        LedgerWriter writer, ReadOnlyMemory<byte> line, CancellationToken ct)
    {
        try
        {
            var requests = LedgerWire.DecodeRequests(line.Span);
            return requests is [var single]
                ? [await writer.SubmitAsync(single, ct)]
                : await writer.SubmitAsync(requests, BulkMode.AllOrNothing, ct);
        }
        catch (Exception fault) when (fault is LedgerUnavailableException or JsonException or ArgumentOutOfRangeException)
        {
            return null;
        }
    }
}
