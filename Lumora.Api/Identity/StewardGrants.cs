using Lumora.Domain.Kernel;
using Lumora.Domain.Participants;
using Lumora.Projections.EventStore;
using Lumora.Projections.Participants;

namespace Lumora.Api.Identity;

/// <summary>
/// At the start, makes the wallets of <c>Lumora:Stewards</c> stewards, each by an event. A wallet that leaves the list
/// stays a steward: taking power away is an act of its own.
/// </summary>
internal sealed partial class StewardGrants(
    Stewards stewards,
    ParticipantRegistry registry,
    ShardSessions sessions,
    TimeProvider clock,
    ILogger<StewardGrants> logger) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var wallet in stewards.Wallets)
            await GrantAsync(wallet, cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task GrantAsync(string wallet, CancellationToken cancellationToken)
    {
        var actor = ParticipantDecider.Configuration;
        var participant = await registry.EnsureAsync(wallet, actor, cancellationToken);
        await using var session = sessions.Open(ShardRole.Global, actor);
        var stream = await session.Events.FetchForWriting<Participant>(participant.Id, cancellationToken);
        var decision = ParticipantDecider.GrantSteward(
            stream.Aggregate, actor, $"The wallet stands in {Stewards.Key}.", clock.Now());
        if (decision is Decision.Rejected refused)
        {
            LogRefused(participant.ParticipantId, refused.Reason.Message);
            return;
        }

        if (((Decision.Accepted)decision).Events is not { Count: > 0 } events)
            return;
        stream.AppendMany(events);
        await session.SaveChangesAsync(cancellationToken);
        LogGranted(participant.ParticipantId);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{ParticipantId} is a steward now, by configuration")]
    private partial void LogGranted(string participantId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{ParticipantId} stands in Lumora:Stewards but is not made a steward: {Reason}")]
    private partial void LogRefused(string participantId, string reason);
}
