using JasperFx.Events;
using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;
using Marten;
using Marten.Services;
using Npgsql;
using ShardRole = Lumora.Projections.EventStore.ShardRole;

namespace Lumora.Projections.Ledger;

/// <summary>Appends a batch's companions to their streams, through Marten, with all that hangs on those streams.</summary>
internal sealed class LedgerCompanions(ShardSessions sessions, ShardRole role)
{
    /// <summary>Appends inside <paramref name="transaction"/>, which stays the caller's to commit.</summary>
    public async Task AppendAsync(
        NpgsqlTransaction transaction, IReadOnlyList<(CompanionEvents Companion, JournalEvent Cause)> companions,
        CancellationToken ct)
    {
        await using var session = sessions.Open(role, SessionOptions.ForTransaction(transaction));
        foreach (var (companion, cause) in companions)
            Append(session, companion, cause);
        await session.SaveChangesAsync(ct);
    }

    private static void Append(IDocumentSession session, CompanionEvents companion, JournalEvent cause)
    {
        var events = companion.Events.Select(data => (object)Wrap(session, data, cause)).ToArray();
        if (companion.ExpectedVersion is not { } expected)
        {
            session.Events.StartStream(companion.StreamType, companion.StreamId, events);
            return;
        }

        // A second companion of this batch on the same stream joins the first one's append.
        var stream = session.Events.Append(companion.StreamId, events);
        stream.AggregateType ??= companion.StreamType;
        if (stream.ActionType == StreamActionType.Append)
            stream.ExpectedVersionOnServer ??= expected;
    }

    private static IEvent Wrap(IDocumentSession session, object data, JournalEvent cause)
    {
        var wrapped = session.Events.BuildEvent(data);
        wrapped.UserName = cause.Actor;
        wrapped.Timestamp = cause.At;
        return wrapped;
    }
}
