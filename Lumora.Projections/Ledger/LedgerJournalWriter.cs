using JasperFx.Events;
using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;
using Marten;
using Marten.Services;
using Npgsql;
using ShardRole = Lumora.Projections.EventStore.ShardRole;

namespace Lumora.Projections.Ledger;

/// <summary>Appends a batch's events to the journal, and its companions to their streams, through Marten.</summary>
internal sealed class LedgerJournalWriter(ShardSessions sessions, ShardRole role)
{
    private readonly string _journal = LedgerJournal.StreamId(sessions.ShardOf(role));

    /// <summary>Appends inside <paramref name="transaction"/>, which stays the caller's to commit.</summary>
    public async Task AppendAsync(
        NpgsqlTransaction transaction, long versionBefore, IReadOnlyList<(LedgerRequest Request, JournalEvent Event)> accepted,
        CancellationToken ct)
    {
        await using var session = sessions.Open(role, SessionOptions.ForTransaction(transaction));

        // Companions first: what can still conflict does so before the journal takes sequence numbers.
        foreach (var (request, journalEvent) in accepted)
        {
            if (request.Companion is { } companion && journalEvent.Event is not TransactionRejected)
                AppendCompanion(session, companion, journalEvent);
        }

        var events = accepted.Select(pair => (object)Wrap(session, pair.Event.Event, pair.Event)).ToArray();
        if (versionBefore == 0)
            session.Events.StartStream<LedgerJournal>(_journal, events);
        else
            session.Events.Append(_journal, events).ExpectedVersionOnServer = versionBefore;
        await session.SaveChangesAsync(ct);
    }

    private static void AppendCompanion(IDocumentSession session, CompanionEvents companion, JournalEvent cause)
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
