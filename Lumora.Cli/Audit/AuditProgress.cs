using System.Globalization;
using Spectre.Console;

namespace Lumora.Cli.Audit;

/// <summary>Hears how far an audit is.</summary>
internal interface IAuditProgress
{
    /// <summary>A step begins; <paramref name="total"/> is 0 when its length is not known.</summary>
    void Begin(string step, long total);

    /// <summary>So much of the step is done.</summary>
    void Report(long done);
}

/// <summary>Standard error is a file or a pipe: a line for a step that takes its time, and then one every few seconds.</summary>
internal sealed class LineProgress(TextWriter error, TimeProvider clock) : IAuditProgress
{
    private const long Stride = 256;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private string _step = "";
    private long _total;
    private long _since;

    public void Begin(string step, long total) => (_step, _total, _since) = (step, total, clock.GetTimestamp());

    public void Report(long done)
    {
        if (done % Stride != 0 || clock.GetElapsedTime(_since) < Pause)
            return;
        _since = clock.GetTimestamp();
        error.WriteLine(_total == 0
            ? string.Create(CultureInfo.InvariantCulture, $"{_step}: {done}")
            : string.Create(CultureInfo.InvariantCulture, $"{_step}: {done} of {_total} ({100 * done / _total} %)"));
    }
}

/// <summary>A bar for each step on the terminal.</summary>
internal sealed class BarProgress(ProgressContext context) : IAuditProgress
{
    private const long Stride = 256;
    private ProgressTask? _task;

    /// <summary>Runs <paramref name="work"/> with bars when a person watches standard error, else with lines on <paramref name="error"/>.</summary>
    public static async Task<T> RunAsync<T>(TextWriter error, Func<IAuditProgress, Task<T>> work)
    {
        if (Console.IsErrorRedirected)
            return await work(new LineProgress(error, TimeProvider.System));
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return await console.Progress()
            .AutoClear(enabled: true)
            .Columns(
                new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(context => work(new BarProgress(context)));
    }

    public void Begin(string step, long total)
    {
        Finish();
        _task = context.AddTask(step, maxValue: Math.Max(total, 1));
        _task.IsIndeterminate = total == 0;
    }

    public void Report(long done)
    {
        // A bar that moves with every entry costs more than hashing it.
        if (_task is not null && (done % Stride == 0 || done >= _task.MaxValue))
            _task.Value = done;
    }

    private void Finish()
    {
        if (_task is null)
            return;
        _task.IsIndeterminate = false;
        _task.Value = _task.MaxValue;
        _task.StopTask();
    }
}
