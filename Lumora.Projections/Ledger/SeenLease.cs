using System.Diagnostics;

namespace Lumora.Projections.Ledger;

/// <summary>A term of the lease as a host saw it, for as long as it sees no other.</summary>
internal sealed class SeenLease : IDisposable
{
    private readonly CancellationTokenSource _over = new();
    private long _until;
    private volatile string? _address;

    /// <summary>A term that is seen for the first time.</summary>
    public SeenLease(long term, string holder, byte[] secret, string? address, long until)
    {
        (Term, Holder, Secret) = (term, holder, secret);
        (_address, _until) = (address, until);
        Over = _over.Token;
    }

    /// <summary>The lease's term.</summary>
    public long Term { get; }

    /// <summary>Who holds it.</summary>
    public string Holder { get; }

    /// <summary>Signs what is sent to the holder.</summary>
    public byte[] Secret { get; }

    /// <summary>Where the holder takes requests; null before it listens.</summary>
    public string? Address => _address;

    /// <summary>Cancelled once another term is seen: an answer of this one may never come.</summary>
    public CancellationToken Over { get; }

    /// <summary>True when its deadline has passed.</summary>
    public bool IsFree => Left <= TimeSpan.Zero;

    /// <summary>Until its deadline.</summary>
    public TimeSpan Left => Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), Volatile.Read(ref _until));

    /// <summary>The same term was seen again.</summary>
    public void Update(string? address, long until)
    {
        _address = address;
        Volatile.Write(ref _until, until);
    }

    /// <summary>The lease was given back.</summary>
    public void Free() => Volatile.Write(ref _until, 0);

    /// <summary>Another term was seen.</summary>
    public void Dispose()
    {
        _over.Cancel();
        _over.Dispose();
    }
}
