namespace Lumora.Integration.Tests.Infrastructure;

/// <summary>The system's clock, put forward or back; timers run as ever.</summary>
public sealed class ShiftedClock : TimeProvider
{
    private long _ticks;

    /// <summary>How far it stands from the system's.</summary>
    public TimeSpan Shift
    {
        get => new(Volatile.Read(ref _ticks));
        set => Volatile.Write(ref _ticks, value.Ticks);
    }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Shift;
}
