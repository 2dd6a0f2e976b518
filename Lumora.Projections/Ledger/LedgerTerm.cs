using System.Diagnostics;

namespace Lumora.Projections.Ledger;

/// <summary>
/// One term of this host as the writer. It ends by itself when it is not renewed in time, on a clock that nobody sets,
/// counted from before the renewal was sent: so never later than the database's own deadline. What the writer then still
/// has goes to <paramref name="heir"/>, who finds the next one.
/// </summary>
/// <remarks>
/// A host that sleeps as a whole does not see time pass. That costs a turn, never money: the fence decides.
/// </remarks>
internal sealed class LedgerTerm(long number, byte[] secret, long until, Action<Pending> heir)
{
    private long _until = until;
    private volatile bool _closing;

    /// <summary>The lease's term.</summary>
    public long Number => number;

    /// <summary>What signs forwarded batches of this term, 32 bytes.</summary>
    public byte[] Secret => secret;

    /// <summary>True when no further batch may be started.</summary>
    public bool IsOver => Stopwatch.GetTimestamp() >= Volatile.Read(ref _until);

    /// <summary>Time left; negative when it is over.</summary>
    public TimeSpan Left => Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), Volatile.Read(ref _until));

    /// <summary>The lease was renewed; a term that is over stays over.</summary>
    public void Renew(long until)
    {
        if (!IsOver)
            Volatile.Write(ref _until, until);
    }

    /// <summary>Takes no more requests; what waits is still decided.</summary>
    public void Close() => _closing = true;

    /// <summary>Ends now.</summary>
    public void End()
    {
        _closing = true;
        Volatile.Write(ref _until, 0);
    }

    /// <summary>True when <paramref name="late"/> came too late for this writer and is now the heir's.</summary>
    public bool Diverts(Pending late)
    {
        if (!_closing && !IsOver)
            return false;
        heir(late);
        return true;
    }

    /// <summary>True when the term is over and <paramref name="batch"/> is now the heir's.</summary>
    public bool TakesBack(IReadOnlyList<Pending> batch)
    {
        if (!IsOver)
            return false;
        foreach (var pending in batch)
            heir(pending);
        return true;
    }
}
