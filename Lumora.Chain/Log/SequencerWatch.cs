using JasperFx;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Wolverine.Runtime;
using Wolverine.Runtime.Agents;

namespace Lumora.Chain.Log;

/// <summary>
/// Starts the sequencer again after a fault has stopped it. The event store tries a page again only when the database said that nothing
/// of it is left; a connection that breaks in a commit, or another host that was faster, stops the subscription for good. A new start
/// reads the progress from the database, so a commit whose answer got lost is known, and the head knows its leaves besides.
/// </summary>
public sealed partial class SequencerWatch(IWolverineRuntime runtime, ILogger<SequencerWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan PauseMax = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Recovered = TimeSpan.FromSeconds(5);

    private readonly Dictionary<Uri, Standing> _standings = [];

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            // Null while the bus has not started.
            if ((runtime as WolverineRuntime)?.NodeController is not { } node)
                continue;
            foreach (var (uri, agent) in node.Agents)
            {
                if (agent is IEventSubscriptionAgent sequencer && uri.OriginalString.Contains(LogSequencer.Name, StringComparison.OrdinalIgnoreCase))
                    await LookAsync(node, uri, sequencer, stoppingToken);
            }
        }
    }

    private async Task LookAsync(NodeAgentController node, Uri uri, IEventSubscriptionAgent sequencer, CancellationToken cancellationToken)
    {
        var standing = _standings.GetValueOrDefault(uri) ?? Standing.New;
        // Without a failure it was stopped on purpose.
        if (sequencer.Status == AgentStatus.Running || sequencer.Failure is not { } failure)
        {
            _standings[uri] = standing.Ran < Recovered ? standing with { Ran = standing.Ran + Interval } : Standing.New;
            return;
        }

        // The same fault once a second would bury everything else.
        if (standing.Reason != failure.Message)
            Stopped(uri, failure.RootExceptionType, failure.Message);
        await Task.Delay(standing.Pause, cancellationToken);
        var pause = TimeSpan.FromTicks(Math.Clamp(standing.Pause.Ticks * 2, Interval.Ticks, PauseMax.Ticks));
        _standings[uri] = new Standing(pause, TimeSpan.Zero, failure.Message);
        try
        {
            await node.StopAgentAsync(uri);
            await node.StartAgentAsync(uri);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // The database may still be away: the next look tries again.
            NotStarted(uri, exception);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The sequencer {Agent} was stopped by {Kind}: {Reason}. It starts again")]
    private partial void Stopped(Uri agent, string kind, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The sequencer {Agent} could not be started again")]
    private partial void NotStarted(Uri agent, Exception exception);

    /// <param name="Pause">How long the next start waits: twice as long each time, until it has run for a while.</param>
    /// <param name="Ran">How long it has run since the last start.</param>
    /// <param name="Reason">What stopped it last.</param>
    private sealed record Standing(TimeSpan Pause, TimeSpan Ran, string? Reason)
    {
        public static Standing New { get; } = new(TimeSpan.Zero, TimeSpan.Zero, Reason: null);
    }
}
