using System.Data;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;
using Npgsql;

namespace Lumora.Projections.Ledger;

/// <summary>A line of a statement as a request would write it.</summary>
/// <param name="Account">Code and asset.</param>
/// <param name="Line">Its place among the transaction's lines.</param>
/// <param name="Amount">Base units: negative for the payer, positive for the payee.</param>
/// <param name="Balance">The account's balance after it.</param>
public sealed record TrialEntry(AccountKey Account, short Line, long Amount, long Balance);

/// <summary>An account that a request would change.</summary>
/// <param name="Before">As it is; null = the request would open it.</param>
/// <param name="After">As it would be.</param>
public sealed record TrialAccount(LedgerAccount? Before, LedgerAccount After);

/// <summary>What a request would do if it were the next one. Nothing of it has happened.</summary>
/// <param name="Outcome">
/// The answer. Time and journal version are those that it would get now; <c>Replayed</c> = it did happen, earlier.
/// </param>
/// <param name="Event">What the journal would get: a fact, a recorded refusal, or null for an answer that is not recorded.</param>
/// <param name="Entries">The lines of statements, in order.</param>
/// <param name="Accounts">The accounts that it would change, by code and asset.</param>
/// <param name="Hold">The hold that it would make or change.</param>
public sealed record LedgerTrial(
    LedgerOutcome Outcome,
    ILedgerEvent? Event,
    IReadOnlyList<TrialEntry> Entries,
    IReadOnlyList<TrialAccount> Accounts,
    LedgerHold? Hold);

/// <summary>
/// Decides requests without doing them: by the writer's own decider, on rows of one snapshot, in a transaction that may
/// only read. Neither the writer nor its queue takes part, and no refusal is recorded or counted.
/// </summary>
public sealed class LedgerDryRun(ShardSessions sessions, TimeProvider clock)
{
    private const string ReadOnlySql = "set transaction read only";

    private const string FenceSql = "select journal_version, account_count, at from ledger_fence where shard = $1";

    /// <summary>What <paramref name="request"/> would do now.</summary>
    public async Task<LedgerTrial> TryAsync(ShardRole role, LedgerRequest request, CancellationToken ct)
    {
        if (LedgerShape.Check(request) is { } fault)
            return new LedgerTrial(new LedgerOutcome.Refused(fault, Replayed: false), null, [], [], null);
        var asked = PreparedRequest.Of(request);
        var state = await LoadAsync(role, [asked], ct);
        var step = LedgerDecider.Step(state, asked, clock.Now());
        return new LedgerTrial(
            step.Outcome, step.Event?.Event as ILedgerEvent, EntriesOf(step, state), AccountsOf(state),
            state.Holds.SingleOrDefault(hold => hold.Version == step.Event?.Version));
    }

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

    private async Task<LedgerState> LoadAsync(ShardRole role, IReadOnlyList<PreparedRequest> asked, CancellationToken ct)
    {
        await using var connection = await sessions.DataSource(role).OpenConnectionAsync(ct);
        await using var snapshot = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        var state = await LoadAsync(connection, snapshot, sessions.ShardOf(role), asked, ct);
        var further = LedgerBatch.FurtherAccountsOf(asked, state);
        if (further.Count > 0)
            await LedgerLoad.ReadAccountsAsync(connection, snapshot, further, state, ct);
        return state;
    }

    private static async Task<LedgerState> LoadAsync(
        NpgsqlConnection connection, NpgsqlTransaction snapshot, string shard, IReadOnlyList<PreparedRequest> asked, CancellationToken ct)
    {
        var load = new LedgerLoad(shard, LedgerBatch.NeedsOf(asked, LedgerBatch.AccountsOf(asked)));
        await using var batch = new NpgsqlBatch(connection, snapshot);
        batch.Add(ReadOnlySql);
        batch.Add(FenceSql, LedgerParameters.Text(shard));
        load.AddTo(batch, write: false);
        await using var reader = await batch.ExecuteReaderAsync(ct);
        var state = await reader.ReadAsync(ct)
            ? new LedgerState(reader.GetInt64(0), reader.GetInt64(1), reader.GetFieldValue<DateTimeOffset>(2))
            : new LedgerState();
        await reader.NextResultAsync(ct);
        await load.ReadAsync(reader, state, ct);
        return state;
    }

    private static TrialEntry[] EntriesOf(LedgerStep step, LedgerState state)
    {
        var keys = state.Accounts.ToDictionary(account => account.Number, account => account.Key);
        return [.. step.Entries.Select(e => new TrialEntry(keys[e.Account], e.Line, e.Amount, e.Balance))];
    }

    private static TrialAccount[] AccountsOf(LedgerState state) =>
    [
        .. state.Touched
            .Select(pair => new TrialAccount(pair.Value, state.Account(pair.Key)!))
            .OrderBy(account => account.After.Key.Code, StringComparer.Ordinal)
            .ThenBy(account => account.After.Key.Asset, StringComparer.Ordinal),
    ];
}
