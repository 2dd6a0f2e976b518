using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Npgsql;
using NpgsqlTypes;
using static Lumora.Projections.Ledger.LedgerParameters;

namespace Lumora.Projections.Ledger;

/// <summary>What a decided batch writes into the tables.</summary>
/// <param name="Opened">New accounts, in the order of their numbers.</param>
/// <param name="Changed">Accounts that were there, in the order of their numbers, so that locks have one order.</param>
/// <param name="Outcomes">What (actor, key) is answered with from now on.</param>
/// <param name="Entries">Lines of statements.</param>
/// <param name="Holds">Holds made or changed.</param>
/// <param name="Reversed">What of which posting has gone back by now.</param>
/// <param name="RollUps">What is added to the running sums.</param>
internal sealed record LedgerWrites(
    IReadOnlyList<LedgerAccount> Opened,
    IReadOnlyList<LedgerAccount> Changed,
    IReadOnlyList<RecordedOutcome> Outcomes,
    IReadOnlyList<LedgerEntry> Entries,
    IReadOnlyList<LedgerHold> Holds,
    IReadOnlyList<ReversedPosting> Reversed,
    IReadOnlyList<LedgerRollUp> RollUps)
{
    /// <summary>Loads what is not in the tables yet into <paramref name="next"/>, over what was read there.</summary>
    public void CarryOver(LedgerState next)
    {
        foreach (var account in Opened)
            next.Load(account);
        foreach (var account in Changed)
            next.Load(account);
        foreach (var outcome in Outcomes)
            next.Load(outcome);
        foreach (var hold in Holds)
            next.Load(hold);
    }
}

/// <summary>
/// One transaction of the writer: all that the batch needs in one round trip, all that it writes in a second. The fence
/// moves with the first of them, or, for a batch that is decided while the one before it is on its way, with the second.
/// Rows before events: a statement that fails here has burnt no sequence number.
/// </summary>
internal sealed class LedgerTransaction(NpgsqlConnection connection) : IAsyncDisposable
{
    // From here on COPY, which logs the rows of a page together, is worth its two further round trips a table.
    private const int CopyRowsMin = 256;

    private const string FenceSql =
        """
        update ledger_fence set version = version + 1 where shard = $1 and ($2::bigint is null or version = $2)
        returning version, journal_version, account_count, at
        """;

    // The fence and its place at once, after the batch before has let go of the row: the statement waits for a row by its key,
    // and only then looks at the version, which its own snapshot cannot show yet. Whoever has lost the fence divides by zero,
    // so that nothing behind this statement runs.
    private const string PassFenceSql =
        """
        with passed as (
          update ledger_fence set version = version + 1, journal_version = $3, account_count = $4, at = $5
          where shard = $1 returning version)
        select 1 / count(*) from passed where version = $2 + 1
        """;

    private const string AdvanceFenceSql =
        "update ledger_fence set journal_version = $2, account_count = $3, at = $4 where shard = $1";

    private NpgsqlTransaction? _transaction;

    public NpgsqlTransaction Transaction => _transaction ?? throw new InvalidOperationException("The transaction has not begun.");

    public int Backend => connection.ProcessID;

    /// <summary>True when rows were added before the fence was moved.</summary>
    public bool HasRows { get; private set; }

    public static async Task<LedgerTransaction> OpenAsync(NpgsqlDataSource source, CancellationToken ct) =>
        new(await source.OpenConnectionAsync(ct));

    /// <summary>Reads ahead of the transaction, what is committed now.</summary>
    public async Task ReadAsync(LedgerLoad load, LedgerState state, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection);
        load.AddTo(batch, write: false);
        if (batch.BatchCommands.Count == 0)
            return;
        await batch.PrepareAsync(ct);
        await using var reader = await batch.ExecuteReaderAsync(ct);
        await load.ReadAsync(reader, state, ct);
    }

    /// <summary>
    /// Begins by moving the fence from <paramref name="expected"/> (null = from wherever it stands, for a writer with an empty
    /// cache) and loads <paramref name="needs"/>. Null when somebody else has moved it.
    /// </summary>
    public async Task<(long Fence, LedgerState State)?> MoveFenceAsync(
        string shard, long? expected, LedgerNeeds needs, CancellationToken ct)
    {
        await BeginAsync(ct);
        var load = new LedgerLoad(shard, needs);
        await using var batch = new NpgsqlBatch(connection, _transaction);
        batch.Add(FenceSql, Text(shard), new NpgsqlParameter { Value = (object?)expected ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint });
        load.AddTo(batch, write: true);
        await batch.PrepareAsync(ct);
        await using var reader = await batch.ExecuteReaderAsync(ct);
        if (!await reader.ReadAsync(ct))
            return null;
        var fence = reader.GetInt64(0);
        var state = new LedgerState(
            reader.GetInt64(1), reader.GetInt64(2), reader.GetFieldValue<DateTimeOffset>(3), requestCount: needs.Outcomes.Count);
        Check.That(!await reader.ReadAsync(ct), "the fence is one row");
        Check.That(await reader.NextResultAsync(ct), "every query has a result");
        await load.ReadAsync(reader, state, ct);
        return (fence, state);
    }

    /// <summary>Reads accounts that became known by what was read; only rare commands need it.</summary>
    public Task ReadAsync(IReadOnlyCollection<AccountKey> accounts, LedgerState state, CancellationToken ct) =>
        LedgerLoad.ReadAccountsAsync(connection, _transaction, accounts, state, ct);

    /// <summary>
    /// Adds the rows that are only ever added, before the fence is moved: many by COPY; few go along with all others, unless
    /// those have to wait for the batch before, whose time these can use. They meet the rows of no other batch of this writer,
    /// but those of another writer that decides from the same place: whoever has added them must not wait long for the fence.
    /// </summary>
    public async Task AddRowsAsync(LedgerWrites writes, bool isWaiting, CancellationToken ct)
    {
        if (writes.Entries.Count >= CopyRowsMin)
        {
            await BeginAsync(ct);
            await LedgerCopy.OutcomesAsync(connection, writes.Outcomes, ct);
            await LedgerCopy.EntriesAsync(connection, writes.Entries, ct);
        }
        else if (isWaiting)
        {
            await BeginAsync(ct);
            await using var batch = new NpgsqlBatch(connection, _transaction);
            AddRows(batch, writes);
            await batch.PrepareAsync(ct);
            await batch.ExecuteNonQueryAsync(ct);
        }
        else
            return;
        HasRows = true;
    }

    /// <summary>Writes set-wise every row of the batch that is not there yet, where the journal will stand, and its events.</summary>
    /// <param name="shard">Whose journal.</param>
    /// <param name="place">From where the fence is to be moved; null = it was moved before.</param>
    /// <param name="decided">The batch.</param>
    /// <param name="ct">Gives up.</param>
    /// <exception cref="LedgerFenceLostException">The fence does not stand at <paramref name="place"/>.</exception>
    public async Task WriteAsync(string shard, LedgerPlace? place, DecidedBatch decided, CancellationToken ct)
    {
        var writes = decided.Writes;
        await BeginAsync(ct);
        await using var batch = new NpgsqlBatch(connection, _transaction);
        AddFence(batch, shard, place, decided.State);
        if (!HasRows)
            AddRows(batch, writes);
        if (writes.Opened.Count > 0)
            batch.Add(LedgerSets.Opened(writes.Opened));
        var changed = batch.BatchCommands.Count;
        if (writes.Changed.Count > 0)
            batch.Add(LedgerSets.Changed(writes.Changed));
        if (writes.Holds.Count > 0)
            batch.Add(LedgerSets.Holds(writes.Holds, decided.State));
        if (writes.Reversed.Count > 0)
            batch.Add(LedgerSets.Reversed(writes.Reversed));
        if (writes.RollUps.Count > 0)
            batch.Add(LedgerSets.RollUps(writes.RollUps));
        batch.Add(LedgerSets.TimeOf(decided.State.At, decided.State.Version));
        var append = new JournalAppend(shard, decided.State.Version - decided.Events.Count, decided.Events);
        append.AddTo(batch);
        await RunAsync(batch, ct);
        append.CheckStored(batch);
        if (writes.Changed.Count > 0)
            Check.That(batch.BatchCommands[changed].Rows == (ulong)writes.Changed.Count);
    }

    public Task CommitAsync(CancellationToken ct) => Transaction.CommitAsync(ct);

    public async ValueTask DisposeAsync()
    {
        if (_transaction is not null)
            await _transaction.DisposeAsync();
        await connection.DisposeAsync();
    }

    private async Task BeginAsync(CancellationToken ct) => _transaction ??= await connection.BeginTransactionAsync(ct);

    private static async Task RunAsync(NpgsqlBatch batch, CancellationToken ct)
    {
        await batch.PrepareAsync(ct);
        try
        {
            await batch.ExecuteNonQueryAsync(ct);
        }
        catch (PostgresException fault) when (fault.SqlState == PostgresErrorCodes.DivisionByZero)
        {
            throw new LedgerFenceLostException(fault);
        }
    }

    private static void AddRows(NpgsqlBatch batch, LedgerWrites writes)
    {
        batch.Add(LedgerSets.Outcomes(writes.Outcomes));
        if (writes.Entries.Count > 0)
            batch.Add(LedgerSets.Entries(writes.Entries));
    }

    private static void AddFence(NpgsqlBatch batch, string shard, LedgerPlace? place, LedgerState state)
    {
        if (place is null)
            batch.Add(AdvanceFenceSql, Text(shard), Long(state.Version), Long(state.AccountCount), Time(state.At));
        else
            batch.Add(
                PassFenceSql, Text(shard), Long(place.Fence), Long(state.Version), Long(state.AccountCount), Time(state.At));
    }
}
