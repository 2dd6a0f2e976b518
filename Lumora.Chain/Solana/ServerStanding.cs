namespace Lumora.Chain.Solana;

/// <summary>
/// What is known of one RPC server: whether it has shown its genesis hash, and whether it rests after failures. A rest lasts
/// 1 s and doubles with each failure up to 16 s, so that a server that hangs costs others no time limit at every call.
/// </summary>
internal sealed class ServerStanding
{
    private const int RestsMax = 4;

    private readonly Lock _gate = new();
    private int _failures;
    private long _restsUntil;

    /// <summary>It serves the right cluster, as of its last failure.</summary>
    public bool IsProven { get; private set; }

    /// <summary>It failed a moment ago.</summary>
    public bool Rests
    {
        get
        {
            lock (_gate)
                return _failures > 0 && Environment.TickCount64 < _restsUntil;
        }
    }

    public void Proven()
    {
        lock (_gate)
            IsProven = true;
    }

    public void Answered()
    {
        lock (_gate)
            _failures = 0;
    }

    public void Failed()
    {
        lock (_gate)
        {
            _restsUntil = Environment.TickCount64 + (1_000L << Math.Min(_failures, RestsMax));
            _failures = Math.Min(_failures + 1, RestsMax + 1);
            IsProven = false;
        }
    }
}
