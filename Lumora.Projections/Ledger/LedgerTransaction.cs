using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Npgsql;
using NpgsqlTypes;

namespace Lumora.Projections.Ledger;

/// <summary>What a batch needs from the tables because the cache does not have it.</summary>
internal sealed record LedgerNeeds(
    IReadOnlyCollection<AccountKey> Accounts,
    IReadOnlyCollection<(string Actor, string Key)> Outcomes,
    IReadOnlyCollection<string> Streams);

/// <summary>What a decided batch writes into the tables.</summary>
internal sealed record LedgerWrites(
    IReadOnlyList<LedgerAccount> Opened,
    IReadOnlyList<LedgerAccount> Changed,
    IReadOnlyList<RecordedOutcome> Outcomes,
    IReadOnlyList<LedgerEntry> Entries);

/// <summary>
/// One transaction of the writer: the fence and all that the batch needs in one round trip, all table rows in a
/// second. Rows before events: a statement that fails here has burnt no sequence number.
/// </summary>
internal sealed class LedgerTransaction(NpgsqlConnection connection, NpgsqlTransaction transaction) : IAsyncDisposable
{
    // Locked by somebody else means changed by somebody else: such a stream counts as absent, and the writer never
    // waits for a lock but the fence.
    private const string StreamsSql =
        "select id, version from mt_streams where id = any($1) order by id for update skip locked";

    private const string FenceSql =
        """
        update ledger_fence set version = version + 1 where shard = $1 and ($2::bigint is null or version = $2)
        returning version, journal_version, account_count, at
        """;

    private const string AccountsSql =
        """
        select a.number, a.code, a.asset, a.balance, a.held, a.floor, a.status, a.version
        from unnest($1, $2) as k(code, asset) join ledger_account a on a.code = k.code and a.asset = k.asset
        """;

    private const string OutcomesSql =
        """
        select o.actor, o.key, o.digest, o.journal_version, o.at, o.code, o.field
        from unnest($1, $2) as k(actor, key) join ledger_outcome o on o.actor = k.actor and o.key = k.key
        """;

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
        await using var batch = new NpgsqlBatch(connection, transaction);
        Add(batch, FenceSql, Text(shard), new NpgsqlParameter { Value = (object?)expected ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint });
        if (needs.Accounts.Count > 0)
            Add(batch, AccountsSql, Texts(needs.Accounts, key => key.Code), Texts(needs.Accounts, key => key.Asset));
        if (needs.Outcomes.Count > 0)
            Add(batch, OutcomesSql, Texts(needs.Outcomes, id => id.Actor), Texts(needs.Outcomes, id => id.Key));
        if (needs.Streams.Count > 0)
            Add(batch, StreamsSql, Texts(needs.Streams, id => id));

        await using var reader = await batch.ExecuteReaderAsync(ct);
        if (!await reader.ReadAsync(ct))
            return null;
        var fence = reader.GetInt64(0);
        var state = new LedgerState(reader.GetInt64(1), reader.GetInt64(2), reader.GetFieldValue<DateTimeOffset>(3));
        Check.That(!await reader.ReadAsync(ct), "the fence is one row");
        if (needs.Accounts.Count > 0)
            await EachAsync(reader, row => state.Load(LedgerRows.Account(row)), ct);
        if (needs.Outcomes.Count > 0)
            await EachAsync(reader, row => state.Load(LedgerRows.Outcome(row)), ct);
        if (needs.Streams.Count > 0)
            await EachAsync(reader, row => state.LoadStream(row.GetString(0), row.GetInt64(1)), ct);
        return (fence, state);
    }

    /// <summary>Writes every row of the batch set-wise, and where the journal will stand.</summary>
    public async Task WriteAsync(string shard, LedgerState state, LedgerWrites writes, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection, transaction);
        if (writes.Opened.Count > 0)
            AddAccounts(batch, InsertAccountsSql, writes.Opened);
        if (writes.Changed.Count > 0)
            AddAccounts(batch, UpdateAccountsSql, writes.Changed);
        AddOutcomes(batch, writes.Outcomes);
        if (writes.Entries.Count > 0)
            AddEntries(batch, writes.Entries);
        Add(
            batch, "update ledger_fence set journal_version = $2, account_count = $3, at = $4 where shard = $1",
            Text(shard), Long(state.Version), Long(state.AccountCount),
            new NpgsqlParameter { Value = state.At, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        await batch.ExecuteNonQueryAsync(ct);
        if (writes.Changed.Count > 0)
            Check.That(batch.BatchCommands[writes.Opened.Count > 0 ? 1 : 0].Rows == (ulong)writes.Changed.Count);
        Check.That(batch.BatchCommands[^1].Rows == 1);
    }

    public Task CommitAsync(CancellationToken ct) => transaction.CommitAsync(ct);

    public async ValueTask DisposeAsync()
    {
        await transaction.DisposeAsync();
        await connection.DisposeAsync();
    }

    private const string InsertAccountsSql =
        """
        insert into ledger_account (number, code, asset, balance, held, floor, status, version)
        select * from unnest($1, $2, $3, $4, $5, $6, $7, $8)
        """;

    private const string UpdateAccountsSql =
        """
        update ledger_account a
        set balance = v.balance, held = v.held, floor = v.floor, status = v.status, version = v.version
        from unnest($1, $2, $3, $4, $5, $6, $7, $8) as v(number, code, asset, balance, held, floor, status, version)
        where a.number = v.number
        """;

    private static void AddAccounts(NpgsqlBatch batch, string sql, IReadOnlyList<LedgerAccount> accounts) => Add(
        batch, sql,
        Longs(accounts, a => a.Number), Texts(accounts, a => a.Key.Code), Texts(accounts, a => a.Key.Asset),
        Longs(accounts, a => a.Balance), Longs(accounts, a => a.Held),
        Array(accounts, a => a.Floor, NpgsqlDbType.Bigint), Array(accounts, a => (short)a.Status, NpgsqlDbType.Smallint),
        Longs(accounts, a => a.Version));

    private static void AddOutcomes(NpgsqlBatch batch, IReadOnlyList<RecordedOutcome> outcomes) => Add(
        batch,
        """
        insert into ledger_outcome (actor, key, digest, journal_version, at, code, field)
        select * from unnest($1, $2, $3, $4, $5, $6, $7)
        """,
        Texts(outcomes, o => o.Actor), Texts(outcomes, o => o.Key),
        Array(outcomes, o => o.Digest.Bytes.ToArray(), NpgsqlDbType.Bytea), Longs(outcomes, o => o.JournalVersion),
        Array(outcomes, o => o.At, NpgsqlDbType.TimestampTz), Texts(outcomes, o => o.Code), Texts(outcomes, o => o.Field));

    private static void AddEntries(NpgsqlBatch batch, IReadOnlyList<LedgerEntry> entries) => Add(
        batch,
        """
        insert into ledger_entry (account, journal_version, line, amount, balance)
        select * from unnest($1, $2, $3, $4, $5)
        """,
        Longs(entries, e => e.Account), Longs(entries, e => e.JournalVersion),
        Array(entries, e => e.Line, NpgsqlDbType.Smallint), Longs(entries, e => e.Amount), Longs(entries, e => e.Balance));

    private static async Task EachAsync(NpgsqlDataReader reader, Action<NpgsqlDataReader> take, CancellationToken ct)
    {
        await reader.NextResultAsync(ct);
        while (await reader.ReadAsync(ct))
            take(reader);
    }

    private static void Add(NpgsqlBatch batch, string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        batch.BatchCommands.Add(command);
    }

    private static NpgsqlParameter Text(string value) => new() { Value = value, NpgsqlDbType = NpgsqlDbType.Text };

    private static NpgsqlParameter Long(long value) => new() { Value = value, NpgsqlDbType = NpgsqlDbType.Bigint };

    private static NpgsqlParameter Texts<T>(IReadOnlyCollection<T> rows, Func<T, string?> column) =>
        Array(rows, column, NpgsqlDbType.Text);

    private static NpgsqlParameter Longs<T>(IReadOnlyCollection<T> rows, Func<T, long> column) =>
        Array(rows, column, NpgsqlDbType.Bigint);

    private static NpgsqlParameter Array<T, TColumn>(
        IReadOnlyCollection<T> rows, Func<T, TColumn> column, NpgsqlDbType type)
    {
        var values = new TColumn[rows.Count];
        var index = 0;
        foreach (var row in rows)
            values[index++] = column(row);
        return new NpgsqlParameter { Value = values, NpgsqlDbType = NpgsqlDbType.Array | type };
    }
}
