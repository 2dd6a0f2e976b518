using JasperFx.Events;
using Lumora.Domain.Kernel;
using Marten;

namespace Lumora.Api.EventStore;

/// <summary>Writes what a decider decided.</summary>
internal static class Streams
{
    /// <summary>
    /// Appends the events of an accepted <paramref name="decision"/> and commits; with none, nothing is written.
    /// </summary>
    public static async Task CommitAsync<T>(
        this IDocumentSession session, IEventStream<T> stream, Decision decision, CancellationToken ct)
        where T : notnull
    {
        var events = ((Decision.Accepted)decision).Events;
        if (events.Count == 0)
            return;
        stream.AppendMany(events);
        await session.SaveChangesAsync(ct);
    }
}
