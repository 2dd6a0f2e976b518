using Npgsql;
using NpgsqlTypes;
using Table = Weasel.Postgresql.Tables.Table;

namespace Lumora.Projections.Ledger;

/// <summary>The lease as a host read it.</summary>
/// <param name="Term">+1 with each take-over.</param>
/// <param name="Holder">Random id of the host that holds it.</param>
/// <param name="Address">Where that host takes forwarded requests; null before it listens.</param>
/// <param name="Secret">Signs forwarded batches, 32 bytes, fresh for each term.</param>
/// <param name="Left">Until its deadline on the database's clock; zero or less = free.</param>
internal sealed record LeaseRow(long Term, string Holder, string? Address, byte[] Secret, TimeSpan Left);

/// <summary>
/// The row that says which host tries to write a shard's journal. Every time in it is the database's. It decides who
/// tries and nothing else: the fence decides who writes. One connection of its own, for a lease that waits for a pool
/// which its own writer has emptied runs out.
/// </summary>
internal sealed class LedgerLease(NpgsqlDataSource source, string shard, string holder) : IAsyncDisposable
{
    private const string ReadSql =
        """
        select clock_timestamp(), l.term, l.holder, l.address, l.secret, l.deadline - clock_timestamp()
        from (select 1) as one left join ledger_lease l on l.shard = $1
        """;

    private const string TakeSql =
        """
        insert into ledger_lease (shard, term, holder, address, secret, deadline)
        values ($1, 1, $2, $3, $4, clock_timestamp() + $5)
        on conflict (shard) do update set term = ledger_lease.term + 1, holder = excluded.holder,
          address = excluded.address, secret = excluded.secret, deadline = excluded.deadline
        where ledger_lease.deadline <= clock_timestamp() - $6
        returning term
        """;

    private const string RenewSql =
        """
        update ledger_lease set deadline = clock_timestamp() + $4, address = $5
        where shard = $1 and holder = $2 and term = $3
        returning clock_timestamp()
        """;

    private const string ReleaseSql =
        "update ledger_lease set deadline = clock_timestamp() where shard = $1 and holder = $2 and term = $3";

    // A host that froze inside its transaction still holds the fence's row, for as long as its connection lives: the
    // transaction that is about to change the row stands in the row itself. And with a batch that it decided ahead, rows that
    // the next writer wants to add: whoever adds outcomes has the table's lock until the transaction ends.
    private const string BreakSql =
        """
        select count(pg_terminate_backend(pid)) from (
          select l.pid from ledger_fence f join pg_locks l on l.locktype = 'transactionid' and l.transactionid = f.xmax
          where f.shard = $1 and l.granted
          union
          select l.pid from pg_locks l join pg_database d on d.oid = l.database
          where d.datname = current_database() and l.relation = 'public.ledger_outcome'::regclass
            and l.mode = 'RowExclusiveLock' and l.granted) as earlier
        where pid <> pg_backend_pid()
        """;

    private NpgsqlConnection? _connection;

    /// <summary>This host's id.</summary>
    public string Holder => holder;

    /// <summary>The table; one row for each shard.</summary>
    public static Table Table()
    {
        var table = new Table("public.ledger_lease");
        table.AddColumn("shard", "text").NotNull().AsPrimaryKey();
        table.AddColumn("term", "bigint").NotNull();
        table.AddColumn("holder", "text").NotNull();
        table.AddColumn("address", "text");
        table.AddColumn("secret", "bytea").NotNull();
        table.AddColumn("deadline", "timestamp with time zone").NotNull();
        table.WithFillFactor(20);
        return table;
    }

    /// <summary>The database's time, and the lease; null when nobody ever held it.</summary>
    public Task<(DateTimeOffset Now, LeaseRow? Row)> ReadAsync(CancellationToken ct) => UseAsync(
        ReadSql,
        async command =>
        {
            await using var reader = await command.ExecuteReaderAsync(ct);
            await reader.ReadAsync(ct);
            var now = reader.GetFieldValue<DateTimeOffset>(0);
            return (now, await reader.IsDBNullAsync(1, ct) ? null : new LeaseRow(
                reader.GetInt64(1), reader.GetString(2), await reader.IsDBNullAsync(3, ct) ? null : reader.GetString(3),
                reader.GetFieldValue<byte[]>(4), reader.GetTimeSpan(5)));
        },
        ct,
        Text(shard));

    /// <summary>
    /// Takes a lease that has been free for <paramref name="freeFor"/> or longer, and answers the new term; null when
    /// somebody holds it.
    /// </summary>
    public Task<long?> TakeAsync(byte[] secret, string? address, TimeSpan time, TimeSpan freeFor, CancellationToken ct) =>
        UseAsync(
            TakeSql, async command => await command.ExecuteScalarAsync(ct) as long?, ct,
            Text(shard), Text(holder), Text(address), new NpgsqlParameter { Value = secret, NpgsqlDbType = NpgsqlDbType.Bytea },
            Interval(time), Interval(freeFor));

    /// <summary>Renews this host's lease and answers the database's time; null when another host has taken it.</summary>
    public Task<DateTimeOffset?> RenewAsync(long term, string? address, TimeSpan time, CancellationToken ct) => UseAsync(
        RenewSql,
        async command => await command.ExecuteScalarAsync(ct) is DateTime now ? new DateTimeOffset(now) : (DateTimeOffset?)null,
        ct,
        Text(shard), Text(holder), Long(term), Interval(time), Text(address));

    /// <summary>Gives this host's lease back.</summary>
    public Task ReleaseAsync(long term, CancellationToken ct) => UseAsync(
        ReleaseSql, command => command.ExecuteNonQueryAsync(ct), ct, Text(shard), Text(holder), Long(term));

    /// <summary>Ends the transactions that an earlier writer has open, on the fence or with rows ahead of it; answers how many.</summary>
    public Task<long> BreakFenceAsync(CancellationToken ct) => UseAsync(
        BreakSql, async command => (long)(await command.ExecuteScalarAsync(ct))!, ct, Text(shard));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_connection is { } connection)
            await connection.DisposeAsync();
        _connection = null;
    }

    private async Task<T> UseAsync<T>(
        string sql, Func<NpgsqlCommand, Task<T>> use, CancellationToken ct, params NpgsqlParameter[] parameters)
    {
        try
        {
            _connection ??= await source.OpenConnectionAsync(ct);
            await using var command = new NpgsqlCommand(sql, _connection);
            command.Parameters.AddRange(parameters);
            return await use(command);
        }
        catch
        {
            // Whatever it was: the next look starts on a fresh connection.
            await DisposeAsync();
            throw;
        }
    }

    private static NpgsqlParameter Text(string? value) =>
        new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text };

    private static NpgsqlParameter Long(long value) => new() { Value = value, NpgsqlDbType = NpgsqlDbType.Bigint };

    private static NpgsqlParameter Interval(TimeSpan value) => new() { Value = value, NpgsqlDbType = NpgsqlDbType.Interval };
}
