using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace Lumora.Cli.Demo;

/// <summary>Tells what happens: numbered chapters, facts, and a live line while something takes its time.</summary>
internal sealed class DemoStory(IAnsiConsole console, DemoCast cast, string run)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(15);

    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private int _chapter;

    /// <summary>Who takes part.</summary>
    public DemoCast Cast => cast;

    /// <summary>An idempotency key of this run.</summary>
    public string Key(string step) => $"demo-{run}-{step}";

    /// <summary>Opens a chapter.</summary>
    public void Chapter(string title)
    {
        _chapter++;
        console.WriteLine();
        console.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"[bold]{_chapter}. {title}[/]  [dim]{_watch.Elapsed.TotalSeconds:F1} s[/]");
    }

    /// <summary>States a fact.</summary>
    public void Tell(string fact) => console.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"   {fact}");

    /// <summary>States a fact that was checked.</summary>
    public void Checked(string fact) => console.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"   [green]ok[/]  {fact}");

    /// <summary>Ends the story.</summary>
    public void End()
    {
        console.WriteLine();
        console.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"[bold green]The journey is complete[/] after {_watch.Elapsed.TotalSeconds:F1} s.");
    }

    /// <summary>
    /// Asks again and again until <paramref name="done"/> finds what it waits for; <paramref name="progress"/> is shown
    /// meanwhile: as one live line on a terminal, as a line for each change elsewhere.
    /// </summary>
    /// <exception cref="DemoFailedException">It took longer than 15 minutes.</exception>
    public async Task<T> WaitAsync<T>(
        string what, Func<Task<JsonElement>> ask, Func<JsonElement, T?> done, Func<JsonElement, string> progress,
        CancellationToken cancellation)
        where T : class
    {
        if (!console.Profile.Capabilities.Interactive)
            return await WaitAsync(what, ask, done, progress, Tell, cancellation);
        return await console.Status().StartAsync(Markup.Escape(what), status => WaitAsync(
            what, ask, done, progress, line => status.Status(Markup.Escape(line)), cancellation));
    }

    private static async Task<T> WaitAsync<T>(
        string what, Func<Task<JsonElement>> ask, Func<JsonElement, T?> done, Func<JsonElement, string> progress,
        Action<string> show, CancellationToken cancellation)
        where T : class
    {
        var watch = Stopwatch.StartNew();
        var last = "";
        while (watch.Elapsed < WaitMax)
        {
            var answer = await ask();
            if (done(answer) is { } found)
                return found;
            var now = $"{what}: {progress(answer)}";
            if (now != last)
                show(now);
            last = now;
            await Task.Delay(Pause, cancellation);
        }

        throw new DemoFailedException($"{what} took longer than {WaitMax.TotalMinutes:F0} minutes; last seen: {last}");
    }
}
