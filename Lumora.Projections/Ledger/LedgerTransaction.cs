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
    IReadOnlyList<(long Version, short Posting, long Amount)> Reversed,
    IReadOnlyList<LedgerRollUp> RollUps);

/// <summary>
/// One transaction of the writer: the fence and all that the batch needs in one round trip, all that it writes in a
/// second. Rows before events: a statement that fails here has burnt no sequence number.
/// </summary>
internal sealed class LedgerTransaction(NpgsqlConnection connection, NpgsqlTransaction transaction) : IAsyncDisposable
{
    // From here on COPY, which logs the rows of a page together, is worth its two further round trips a table.
    private const int CopyRowsMin = 256;

    private const string FenceSql =
        """
        update ledger_fence set version = version + 1 where shard = $1 and ($2::bigint is null or version = $2)
        returning version, journal_version, account_count, at
        """;

    private const string InsertAccountsSql =
        """
        insert into ledger_account (number, code, asset, balance, held, floor, status, version)
        select * from unnest($1, $2, $3, $4, $5, $6, $7, $8)
        """;

    private const string UpdateAccountsSql =
        """
        update ledger_account a
        set balance = v.balance, held = v.held, floor = v.floor, status = v.status, version = v.version
        from unnest($1, $2, $3, $4, $5, $6) as v(number, balance, held, floor, status, version)
        where a.number = v.number
        """;

    private const string InsertOutcomesSql =
        $"""
        insert into ledger_outcome ({LedgerRows.OutcomeColumns}) select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """;

    private const string InsertEntriesSql =
        """
        insert into ledger_entry (account, journal_version, line, amount, balance)
        select * from unnest($1, $2, $3, $4, $5)
        """;

    private const string PutHoldsSql =
        """
        insert into ledger_hold (number, maker, account, kind, reference_type, reference_id, amount, left_over, captured,
          deadline, status, version)
        select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        on conflict (number) do update set left_over = excluded.left_over, captured = excluded.captured,
          status = excluded.status, version = excluded.version
        """;

    private const string PutReversedSql =
        """
        insert into ledger_reversal (journal_version, posting, amount) select * from unnest($1, $2, $3)
        on conflict (journal_version, posting) do update set amount = excluded.amount
        """;

    private const string AddRollUpsSql =
        """
        insert into ledger_roll_up as r (prefix, asset, accounts, balance, held)
        select prefix, asset, accounts, balance::numeric, held::numeric
        from unnest($1, $2, $3, $4, $5) as v(prefix, asset, accounts, balance, held)
        on conflict (prefix, asset) do update set accounts = r.accounts + excluded.accounts,
          balance = r.balance + excluded.balance, held = r.held + excluded.held
        """;

    private const string PutTimeSql =
        """
        insert into ledger_time (at, journal_version) values ($1, $2)
        on conflict (at) do update set journal_version = excluded.journal_version
        """;

    private const string AdvanceFenceSql =
        "update ledger_fence set journal_version = $2, account_count = $3, at = $4 where shard = $1";

    public NpgsqlTransaction Transaction => transaction;

    public int Backend => connection.ProcessID;

    public static async Task<LedgerTransaction> BeginAsync(NpgsqlDataSource source, CancellationToken ct)
    {
        var connection = await source.OpenConnectionAsync(ct);
        try
        {
            return new LedgerTransaction(connection, await connection.BeginTransactionAsync(ct));
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Moves the fence from <paramref name="expected"/> (null = from wherever it stands, for a writer with an empty
    /// cache) and loads <paramref name="needs"/>. Null when somebody else has moved it.
    /// </summary>
    public async Task<(long Fence, LedgerState State)?> MoveFenceAsync(
        string shard, long? expected, LedgerNeeds needs, CancellationToken ct)
    {
        var load = new LedgerLoad(shard, needs);
        await using var batch = new NpgsqlBatch(connection, transaction);
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
        await load.ReadAsync(reader, state, ct);
        return (fence, state);
    }

    /// <summary>Loads accounts that became known by what was loaded; only rare commands need it.</summary>
    public Task LoadAccountsAsync(IReadOnlyCollection<AccountKey> accounts, LedgerState state, CancellationToken ct) =>
        LedgerLoad.ReadAccountsAsync(connection, transaction, accounts, state, ct);

    /// <summary>Writes every row of the batch set-wise, where the journal will stand, and its events.</summary>
    public async Task WriteAsync(string shard, LedgerState state, LedgerWrites writes, JournalAppend append, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection, transaction);
        if (writes.Opened.Count > 0)
            AddOpened(batch, writes.Opened);
        if (writes.Changed.Count > 0)
            AddChanged(batch, writes.Changed);
        if (writes.Entries.Count < CopyRowsMin)
        {
            AddOutcomes(batch, writes.Outcomes);
            if (writes.Entries.Count > 0)
                AddEntries(batch, writes.Entries);
        }
        else
        {
            await LedgerCopy.OutcomesAsync(connection, writes.Outcomes, ct);
            await LedgerCopy.EntriesAsync(connection, writes.Entries, ct);
        }

        if (writes.Holds.Count > 0)
            AddHolds(batch, writes.Holds, state);
        if (writes.Reversed.Count > 0)
            batch.Add(
                PutReversedSql, Longs(writes.Reversed, row => row.Version), Shorts(writes.Reversed, row => row.Posting),
                Longs(writes.Reversed, row => row.Amount));
        if (writes.RollUps.Count > 0)
            AddRollUps(batch, writes.RollUps);
        batch.Add(PutTimeSql, Time(state.At), Long(state.Version));
        batch.Add(AdvanceFenceSql, Text(shard), Long(state.Version), Long(state.AccountCount), Time(state.At));
        append.AddTo(batch);
        await batch.PrepareAsync(ct);
        await batch.ExecuteNonQueryAsync(ct);
        append.CheckStored(batch);
        if (writes.Changed.Count > 0)
            Check.That(batch.BatchCommands[writes.Opened.Count > 0 ? 1 : 0].Rows == (ulong)writes.Changed.Count);
    }

    public Task CommitAsync(CancellationToken ct) => transaction.CommitAsync(ct);

    public async ValueTask DisposeAsync()
    {
        await transaction.DisposeAsync();
        await connection.DisposeAsync();
    }

    private static void AddOpened(NpgsqlBatch batch, IReadOnlyList<LedgerAccount> accounts) => batch.Add(
        InsertAccountsSql,
        Longs(accounts, a => a.Number), Texts(accounts, a => a.Key.Code), Texts(accounts, a => a.Key.Asset),
        Longs(accounts, a => a.Balance), Longs(accounts, a => a.Held),
        Array(accounts, a => a.Floor, NpgsqlDbType.Bigint), Shorts(accounts, a => (short)a.Status),
        Longs(accounts, a => a.Version));

    private static void AddChanged(NpgsqlBatch batch, IReadOnlyList<LedgerAccount> accounts) => batch.Add(
        UpdateAccountsSql,
        Longs(accounts, a => a.Number), Longs(accounts, a => a.Balance), Longs(accounts, a => a.Held),
        Array(accounts, a => a.Floor, NpgsqlDbType.Bigint), Shorts(accounts, a => (short)a.Status),
        Longs(accounts, a => a.Version));

    private static void AddOutcomes(NpgsqlBatch batch, IReadOnlyList<RecordedOutcome> outcomes) => batch.Add(
        InsertOutcomesSql,
        Uuids(outcomes, o => o.Id), Array(outcomes, o => o.Digest.Bytes.ToArray(), NpgsqlDbType.Bytea),
        Longs(outcomes, o => o.JournalVersion), Times(outcomes, o => o.At), Texts(outcomes, o => o.Code),
        Texts(outcomes, o => o.Field), Texts(outcomes, o => o.Label?.Kind), Texts(outcomes, o => o.Label?.Reference?.Type),
        Texts(outcomes, o => o.Label?.Reference?.Id));

    private static void AddEntries(NpgsqlBatch batch, IReadOnlyList<LedgerEntry> entries) => batch.Add(
        InsertEntriesSql,
        Longs(entries, e => e.Account), Longs(entries, e => e.JournalVersion), Shorts(entries, e => e.Line),
        Longs(entries, e => e.Amount), Longs(entries, e => e.Balance));

    private static void AddHolds(NpgsqlBatch batch, IReadOnlyList<LedgerHold> holds, LedgerState state) => batch.Add(
        PutHoldsSql,
        Longs(holds, h => h.Number), Texts(holds, h => h.Maker), Longs(holds, h => state.Account(h.Account)!.Number),
        Texts(holds, h => h.Kind), Texts(holds, h => h.Reference?.Type), Texts(holds, h => h.Reference?.Id),
        Longs(holds, h => h.Amount), Longs(holds, h => h.Left), Longs(holds, h => h.Captured),
        Times(holds, h => h.Deadline), Shorts(holds, h => (short)h.Status), Longs(holds, h => h.Version));

    private static void AddRollUps(NpgsqlBatch batch, IReadOnlyList<LedgerRollUp> sums) => batch.Add(
        AddRollUpsSql,
        Texts(sums, s => s.Prefix), Texts(sums, s => s.Asset), Longs(sums, s => s.Accounts),
        Texts(sums, s => s.Balance.ToString(System.Globalization.CultureInfo.InvariantCulture)),
        Texts(sums, s => s.Held.ToString(System.Globalization.CultureInfo.InvariantCulture)));
}
