using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Npgsql;
using static Lumora.Projections.Ledger.LedgerParameters;

namespace Lumora.Projections.Ledger;

/// <summary>
/// Appends a batch's events to the journal's stream, set-wise into Marten's own tables. Marten's append calls a function that
/// inserts row by row; the same rows written at once cost the database half (docs/decisions/0009). Nothing projects the
/// journal inline, so nothing of Marten is passed by.
/// </summary>
/// <param name="shard">Whose journal; Marten's tenant.</param>
/// <param name="versionBefore">Where the journal stands.</param>
/// <param name="events">In order, without a gap.</param>
internal sealed class JournalAppend(string shard, long versionBefore, IReadOnlyList<JournalEvent> events)
{
    private const string StartStreamSql =
        "insert into mt_streams (id, type, version, tenant_id) values ($1, $4, $2 + $3, $5)";

    private const string MoveStreamSql =
        """
        update mt_streams set version = version + $3, timestamp = now()
        where id = $1 and version = $2 and type = $4 and tenant_id = $5 and not is_archived
        """;

    // No mt_dotnet_type: every contract has a name of its own (EventCatalog), so it would be 50 bytes for nothing.
    // The sequence gives its numbers in the order of the versions: unnest keeps the order of its arrays.
    private const string InsertEventsSql =
        """
        insert into mt_events
          (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, user_name, is_archived)
        select nextval('mt_events_sequence'), v.id, $1, v.version, v.data::jsonb, v.type, v.at, $2, v.actor, false
        from unnest($3, $4, $5, $6, $7, $8) as v(id, version, data, type, at, actor)
        """;

    // What Marten says when UseListenNotifyForEventAppends is on; subscriptions wake up at the commit.
    private const string NotifySql = "select pg_notify('mt_events_appended', '')";

    private const string StreamType = "ledger_journal";

    /// <summary>Adds the statements to <paramref name="batch"/>.</summary>
    public void AddTo(NpgsqlBatch batch)
    {
        var stream = LedgerJournal.StreamId(shard);
        batch.Add(
            versionBefore == 0 ? StartStreamSql : MoveStreamSql,
            Text(stream), Long(versionBefore), Long(events.Count), Text(StreamType), Text(shard));
        // Ids that begin with the time: the log's index of them grows at its end instead of everywhere.
        batch.Add(
            InsertEventsSql,
            Text(stream), Text(shard), Uuids(events, e => Guid.CreateVersion7(e.At)), Longs(events, e => e.Version),
            Texts(events, e => JournalJson.Write(e.Event)), Texts(events, e => JournalJson.NameOf(e.Event)),
            Times(events, e => e.At), Texts(events, e => e.Actor));
        batch.Add(NotifySql);
    }

    /// <summary>Checks, once <paramref name="batch"/> ran, that the journal stood where it was believed to.</summary>
    public void CheckStored(NpgsqlBatch batch)
    {
        Check.That(batch.BatchCommands[^3].Rows == 1, "the journal's stream moves from where the fence says");
        Check.That(batch.BatchCommands[^2].Rows == (ulong)events.Count, "every event is appended");
    }
}
