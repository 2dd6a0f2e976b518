using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace Lumora.Projections.Ledger;

/// <summary>
/// What waits for the writer, bounded by the number of requests, not of calls. Whoever finds it full is told at once.
/// </summary>
internal sealed class LedgerQueue(int requestsMax)
{
    private readonly Channel<Pending> _channel =
        Channel.CreateUnbounded<Pending>(new UnboundedChannelOptions { SingleReader = true });

    private int _count;

    /// <summary>Requests that wait.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Adds <paramref name="pending"/>; false when there is no room or no writer any more.</summary>
    public bool TryAdd(Pending pending)
    {
        var size = pending.Asked.Count;
        if (Interlocked.Add(ref _count, size) <= requestsMax && _channel.Writer.TryWrite(pending))
            return true;
        Interlocked.Add(ref _count, -size);
        return false;
    }

    /// <summary>Waits until something can be taken; false when nothing will come any more.</summary>
    public ValueTask<bool> WaitAsync(CancellationToken ct) => _channel.Reader.WaitToReadAsync(ct);

    /// <summary>
    /// Takes what waits, in order: up to <paramref name="sizeMax"/> requests, but never less than the first call.
    /// </summary>
    public List<Pending> TakeBatch(int sizeMax)
    {
        var batch = new List<Pending>();
        var size = 0;
        while (_channel.Reader.TryPeek(out var next) && (batch.Count == 0 || size + next.Asked.Count <= sizeMax)
            && TryTake(out var pending))
        {
            size += pending.Asked.Count;
            batch.Add(pending);
        }

        return batch;
    }

    /// <summary>Takes the next call.</summary>
    public bool TryTake([NotNullWhen(true)] out Pending? pending)
    {
        if (!_channel.Reader.TryRead(out pending))
            return false;
        Interlocked.Add(ref _count, -pending.Asked.Count);
        return true;
    }

    /// <summary>Takes nothing in any more.</summary>
    public void Complete() => _channel.Writer.TryComplete();
}
