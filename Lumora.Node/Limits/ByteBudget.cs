using System.Globalization;
using System.Text.Json;
using Lumora.Domain.Kernel;

namespace Lumora.Node.Limits;

/// <summary>
/// The owner's caps: bytes of a UTC day, kept in a file so that a restart does not forget them, and bytes a second.
/// Counts bodies after content decoding, so it never counts less than what the line carried for them.
/// </summary>
internal sealed class ByteBudget
{
    private readonly string _path;
    private readonly TimeProvider _clock;
    private readonly long? _dailyMax;
    private readonly long? _perSecondMax;
    private Day _today;

    internal ByteBudget(string path, long? dailyMax, long? perSecondMax, TimeProvider clock)
    {
        (_path, _dailyMax, _perSecondMax, _clock) = (path, dailyMax, perSecondMax, clock);
        _today = Read(path) is { } stored && stored.Date == Today() ? stored : new Day(Today(), 0);
    }

    /// <summary>Bytes that may still be fetched today.</summary>
    internal long Left
    {
        get
        {
            Turn();
            if (_today.Closed)
                return 0;
            return _dailyMax is { } max ? Math.Max(0, max - _today.Bytes) : long.MaxValue;
        }
    }

    /// <summary>What is left of the day is too little for a page: no more today.</summary>
    internal void CloseDay()
    {
        _today = _today with { Closed = true };
        Save();
    }

    /// <summary>How long until the next UTC day.</summary>
    internal TimeSpan UntilTomorrow => _clock.GetUtcNow().UtcDateTime.Date.AddDays(1) - _clock.GetUtcNow().UtcDateTime;

    /// <summary>Counts <paramref name="bytes"/> and waits as long as the rate asks for.</summary>
    internal async Task SpendAsync(int bytes, CancellationToken cancellationToken)
    {
        Turn();
        _today = _today with { Bytes = _today.Bytes + bytes };
        if (_perSecondMax is { } rate && bytes > 0)
            await Task.Delay(TimeSpan.FromSeconds((double)bytes / rate), _clock, cancellationToken);
    }

    /// <summary>Writes the day's count; called after each page.</summary>
    internal void Save() => AtomicFile.Write(_path, JsonSerializer.SerializeToUtf8Bytes(_today, WireJson.Messages));

    private void Turn()
    {
        if (_today.Date != Today())
            _today = new Day(Today(), 0);
    }

    private string Today() => _clock.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static Day? Read(string path)
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize<Day>(File.ReadAllBytes(path), WireJson.Messages) : null;
        }
        catch (JsonException)
        {
            // A torn file costs the owner at most one day's count, never the agent's start.
            return null;
        }
    }

    private sealed record Day(string Date, long Bytes, bool Closed = false);
}
