using System.Globalization;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Marten;
using Npgsql;

namespace Lumora.Integration.Tests.Ledger;

/// <summary>
/// The ledger's tables with 1,000,000 accounts, entries, outcomes and journal events (10,000,000 with LUMORA_LONG=1), filled
/// set-wise: half of the journal are payments from one hot account to 1,000 others, the other half open accounts that never move.
/// What is read from it is shaped as the writer would have written it; it is not a ledger that verifies.
/// </summary>
public sealed class LedgerMillion(TestDatabases databases) : IAsyncLifetime
{
    /// <summary>Accounts, entries, outcomes and events each.</summary>
    public static readonly long Rows =
        Environment.GetEnvironmentVariable("LUMORA_LONG") == "1" ? 10_000_000 : 1_000_000;

    /// <summary>Journal versions 1 to this are payments.</summary>
    public static readonly long Payments = Rows / 2;

    /// <summary>The time of journal version 0; each 100 versions are a second.</summary>
    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private ShardMap _shards = null!;
    private DocumentStore _store = null!;

    public ShardSessions Sessions { get; private set; } = null!;

    public NpgsqlDataSource Source => Sessions.DataSource(ShardRole.Global);

    /// <summary>An asset of which there are nine accounts among a million.</summary>
    public const string RareAsset = "RARE";

    /// <summary>When a tenth as many holds as there are rows could be captured last, all at the same moment.</summary>
    public static readonly DateTimeOffset DueAt = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>One of the 1,000 accounts that are paid.</summary>
    public static string Payee(int i) => $"participant/participant_{i + 2:D8}/available";

    public async ValueTask InitializeAsync()
    {
        _shards = new ShardMap(await databases.CreateEmptyAsync());
        _store = DocumentStore.For(options => EventStoreSetup.Configure(options, _shards));
        await _store.Storage.ApplyAllConfiguredChangesToDatabaseAsync();
        Sessions = new ShardSessions(_store, _shards);
        foreach (var sql in (string[])[Bare, Accounts, RareAccounts, Entries, Outcomes, Times, Holds, DueHolds, RollUps, Journal])
            await RunAsync(sql);
        await _store.Storage.ApplyAllConfiguredChangesToDatabaseAsync();
        await RunAsync("analyze");
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await _shards.DisposeAsync();
    }

    private async Task RunAsync(string sql)
    {
        await using var command = Source.CreateCommand(sql.Replace("{n}", Number(Rows), StringComparison.Ordinal)
            .Replace("{paid}", Number(Payments), StringComparison.Ordinal));
        command.CommandTimeout = 600;
        await command.ExecuteNonQueryAsync();
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    // Rows first, indexes after them (the store's own, by applying its schema again), and no log of either: half the time.
    private const string Bare =
        """
        alter table mt_events set unlogged; alter table mt_streams set unlogged; alter table ledger_account set unlogged;
        alter table ledger_entry set unlogged; alter table ledger_outcome set unlogged; alter table ledger_hold set unlogged;
        do $$ declare i record; begin
          for i in select indexrelid::regclass as name from pg_index where not indisprimary and indrelid in (
            'mt_events'::regclass, 'ledger_account'::regclass, 'ledger_outcome'::regclass, 'ledger_hold'::regclass)
          loop execute 'drop index ' || i.name; end loop;
        end $$
        """;

    private const string Accounts =
        """
        insert into ledger_account (number, code, asset, balance, held, floor, status, version)
        select i, case i when 1 then 'network/emission' else 'participant/participant_' || lpad(i::text, 8, '0') || '/available' end,
          'LMR', case i when 1 then -{paid} when 1002 then 0 else ({paid} / 1000) * (i < 1002)::int end, 0,
          case i when 1 then null else 0 end, 0, i
        from generate_series(1, {n}) i
        """;

    // Nine accounts of an asset that nobody else has, all over the codes.
    private const string RareAccounts =
        """
        insert into ledger_account (number, code, asset, balance, held, floor, status, version)
        select {n} + i, 'participant/participant_' || lpad((i * ({n} / 10))::text, 8, '0') || '/available', 'RARE', 0, 0, 0, 0, i
        from generate_series(1, 9) i
        """;

    private const string Entries =
        """
        insert into ledger_entry (account, journal_version, line, amount, balance)
        select case line when 0 then 1 else 2 + v % 1000 end, v, line, case line when 0 then -1 else 1 end,
          case line when 0 then -v else (v - 1) / 1000 + 1 end
        from generate_series(1, {paid}) v, generate_series(0, 1) line
        """;

    // A tenth of the payments are for one epoch, the others for purchases of ten payments each.
    private const string Outcomes =
        """
        insert into ledger_outcome (id, journal_version, at, digest, kind, reference_type, reference_id)
        select gen_random_uuid(), v, timestamptz '2026-01-01Z' + v / 100 * interval '1 second', decode(md5(v::text) || md5('x' || v), 'hex'),
          case when v > {paid} then null when v % 1000 = 0 then 'refund' when v % 10 = 0 then 'sale' else 'reward' end,
          case when v > {paid} then null when v % 10 = 1 then 'epoch' else 'purchase' end,
          case when v > {paid} then null when v % 10 = 1 then '1' else (v / 10)::text end
        from generate_series(1, {n}) v
        """;

    private const string Times =
        """
        insert into ledger_time (at, journal_version)
        select timestamptz '2026-01-01Z' + s * interval '1 second', least(s * 100 + 99, {n})
        from generate_series(0, {n} / 100) s
        """;

    // All of the hot account and finished, but one in 10,000.
    private const string Holds =
        """
        insert into ledger_hold (number, maker, account, kind, amount, left_over, captured, deadline, status, version)
        select i * 4, 'system:test', 1, 'sale', 1, (i % 10000 = 0)::int, (i % 10000 > 0)::int, timestamptz '2027-01-01Z',
          (i % 10000 > 0)::int, i * 4 + 1
        from generate_series(1, {n} / 4) i
        """;

    // As many as one payer made for one moment, and all of them due.
    private const string DueHolds =
        """
        insert into ledger_hold (number, maker, account, kind, amount, left_over, captured, deadline, status, version)
        select i * 4 + 2, 'system:test', 2, 'sale', 1, 1, 0, timestamptz '2026-06-01Z', 0, i * 4 + 2
        from generate_series(1, {n} / 10) i;
        insert into ledger_fence (shard, version, journal_version, account_count, at)
        values ('main', 1, {n}, {n} + 9, timestamptz '2026-01-01Z' + {n} / 100 * interval '1 second')
        """;

    private const string RollUps =
        """
        insert into ledger_roll_up (prefix, asset, accounts, balance, held)
        values ('network', 'LMR', 1, -{paid}, 0), ('participant', 'LMR', {n} - 1, {paid}, 0), ('participant', 'RARE', 9, 0, 0)
        """;

    private const string Journal =
        """
        insert into mt_streams (id, type, version, tenant_id) values ('ledger/main', 'ledger_journal', {n}, 'main');
        insert into mt_events
          (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, user_name, is_archived)
        select v, gen_random_uuid(), 'ledger/main', v,
          case when v > {paid}
            then format('{"id": "open-%s", "code": "participant/%s/available", "asset": "LMR", "floor": "0"}', v, v)
            else format(
              '{"id": "pay-%s", "kind": "reward", "postings": [{"from": "network/emission", "to": "%s", "amount": "1", "asset": "LMR"}]}',
              v, 'participant/participant_' || lpad((2 + v % 1000)::text, 8, '0') || '/available') end::jsonb,
          case when v > {paid} then 'account_opened' else 'transaction_posted' end,
          timestamptz '2026-01-01Z' + v / 100 * interval '1 second', 'main', '', 'system:test', false
        from generate_series(1, {n}) v
        """;
}
