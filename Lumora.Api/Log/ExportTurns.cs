using System.Diagnostics.Metrics;
using Lumora.Api.Operations;

namespace Lumora.Api.Log;

/// <summary>How many exports run at once, and what they have read: with a page each, that bounds what all of them hold in memory.</summary>
internal sealed class ExportTurns
{
    /// <summary>Exports at a time.</summary>
    public const int TurnsMax = 256;

    private readonly UpDownCounter<int> _running;
    private readonly Counter<long> _bytes;
    private int _taken;

    /// <summary>Makes the instruments of the meter <c>Lumora.Log</c>.</summary>
    public ExportTurns(IMeterFactory meters)
    {
        var meter = meters.Create($"{OperationsModule.TelemetryPrefix}.Log");
        _running = meter.CreateUpDownCounter<int>("lumora.log.exports", description: "Exports that run");
        _bytes = meter.CreateCounter<long>("lumora.log.export.read", "By", "Bytes of entries read for exports");
    }

    /// <summary>Takes a turn; false when all are taken.</summary>
    public bool TryTake()
    {
        if (Interlocked.Increment(ref _taken) <= TurnsMax)
        {
            _running.Add(1);
            return true;
        }

        Interlocked.Decrement(ref _taken);
        return false;
    }

    /// <summary>Gives a turn back.</summary>
    public void Return()
    {
        Interlocked.Decrement(ref _taken);
        _running.Add(-1);
    }

    /// <summary>Counts what an export read.</summary>
    public void Read(long bytes) => _bytes.Add(bytes);
}
