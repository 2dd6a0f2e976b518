namespace Lumora.Cli.Monitor;

/// <summary>A server that does not answer: a notice at first, an alarm once it has been silent for the limit of a stall.</summary>
/// <param name="what">The line's kind.</param>
/// <param name="stall">The limit.</param>
/// <param name="lines">Where it is said.</param>
/// <param name="clock">What the limit is measured with.</param>
internal sealed class MonitorSilence(string what, TimeSpan stall, MonitorLines lines, TimeProvider clock)
{
    private DateTimeOffset? _since;

    /// <summary>It did not answer, for the reason that <paramref name="fault"/> gives.</summary>
    public void GoesOn(Exception fault)
    {
        var now = clock.GetUtcNow();
        _since ??= now;
        if (now - _since.Value >= stall)
            lines.Alarm(what, fault.Message);
        else
            lines.Notice(what, fault.Message);
    }

    /// <summary>It answers, which is worth a line if it did not before.</summary>
    public void End(string message)
    {
        _since = null;
        lines.Over(what, message);
    }
}
