using System.Data;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;

namespace Lumora.Projections.Ledger;

/// <summary>
/// Decides requests as the writer would on the state of now, and writes nothing: no outcome is recorded, no key is used
/// up. By the time of the real call the answer may be another one.
/// </summary>
public sealed class LedgerTrial(ShardSessions sessions, TimeProvider clock)
{
    private const string FenceSql = "select journal_version, account_count, at from ledger_fence where shard = $1";

    /// <summary>
    /// What <paramref name="requests"/> would be answered, one after the other. The journal version of an answer that is
    /// not a replay is the one that it would get.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">More than <see cref="LedgerLimits.BulkMax"/> requests.</exception>
    public async Task<IReadOnlyList<LedgerOutcome>> TryAsync(
        ShardRole role, IReadOnlyList<LedgerRequest> requests, BulkMode mode, CancellationToken ct)
    {
        if (requests.Count > LedgerLimits.BulkMax)
            throw new ArgumentOutOfRangeException(nameof(requests), requests.Count, $"at most {LedgerLimits.BulkMax} requests");
        var outcomes = new LedgerOutcome[requests.Count];
        var sound = new List<int>(requests.Count);
        for (var i = 0; i < requests.Count; i++)
        {
            if (LedgerShape.Check(requests[i]) is { } fault)
                outcomes[i] = new LedgerOutcome.Refused(fault, Replayed: false);
            else
                sound.Add(i);
        }

        if (mode == BulkMode.AllOrNothing && sound.Count < requests.Count)
        {
            foreach (var i in sound)
                outcomes[i] = new LedgerOutcome.Refused(LedgerCodes.Reject(LedgerCodes.BulkRefused), Replayed: false);
            return outcomes;
        }

        List<PreparedRequest> asked = [.. sound.Select(i => PreparedRequest.Of(requests[i]))];
        if (asked.Count == 0)
            return outcomes;
        IReadOnlyList<Pending> batch = mode == BulkMode.AllOrNothing
            ? [new PendingGroup(asked)]
            : [.. asked.Select(one => new PendingRequest(one))];
        var decided = LedgerBatch.Decide(await LoadAsync(role, asked, ct), batch, clock.Now());
        for (var i = 0; i < sound.Count; i++)
            outcomes[sound[i]] = decided.Outcomes[i];
        return outcomes;
    }

    // One snapshot: what is read belongs to one version of the journal.
    private async Task<LedgerState> LoadAsync(ShardRole role, List<PreparedRequest> asked, CancellationToken ct)
    {
        var shard = sessions.ShardOf(role);
        await using var connection = await sessions.DataSource(role).OpenConnectionAsync(ct);
        await using var snapshot = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        LedgerState state;
        await using (var batch = connection.CreateBatch())
        {
            batch.Transaction = snapshot;
            batch.Add(FenceSql, LedgerParameters.Text(shard));
            var load = new LedgerLoad(shard, LedgerBatch.NeedsOf(asked, LedgerBatch.AccountsOf(asked)));
            load.AddTo(batch, write: false);
            await using var reader = await batch.ExecuteReaderAsync(ct);
            Check.That(await reader.ReadAsync(ct), "the fence is one row");
            state = new LedgerState(reader.GetInt64(0), reader.GetInt64(1), reader.GetFieldValue<DateTimeOffset>(2));
            await load.ReadAsync(reader, state, ct);
        }

        var further = LedgerBatch.FurtherAccountsOf(asked, state);
        further.RemoveWhere(key => state.Account(key) is not null);
        if (further.Count > 0)
            await LedgerLoad.ReadAccountsAsync(connection, snapshot, further, state, ct);
        return state;
    }
}
