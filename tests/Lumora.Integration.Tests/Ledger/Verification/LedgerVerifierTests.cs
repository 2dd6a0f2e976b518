using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using static Lumora.Integration.Tests.Ledger.LedgerHarness;

namespace Lumora.Integration.Tests.Ledger.Verification;

/// <summary>Whatever is changed behind the ledger's back, in its tables or in its journal, is found and named.</summary>
public sealed class LedgerVerifierTests(SampleLedger sample, TestDatabases databases) : IClassFixture<SampleLedger>
{
    // So small that every chunk begins in the middle of something, and accounts are written away and read again.
    private static readonly LedgerInspectionOptions Tiny = new() { ChunkEvents = 3, AccountsInMemoryMax = 2 };

    [Fact]
    public async Task An_untouched_ledger_is_sound_in_chunks_of_any_size()
    {
        Assert.Empty(await sample.InspectAsync());
        Assert.Empty(await sample.InspectAsync(Tiny));
    }

    [Theory]
    [InlineData("ledger_account", LedgerFindingCodes.AccountDiffers)]
    [InlineData("ledger_outcome", LedgerFindingCodes.OutcomeDiffers)]
    [InlineData("ledger_entry", LedgerFindingCodes.EntryDiffers)]
    [InlineData("ledger_hold", LedgerFindingCodes.HoldDiffers)]
    [InlineData("ledger_reversal", LedgerFindingCodes.ReversalDiffers)]
    [InlineData("ledger_roll_up", LedgerFindingCodes.RollUpDiffers)]
    [InlineData("ledger_time", LedgerFindingCodes.TimeDiffers)]
    [InlineData("ledger_fence", LedgerFindingCodes.FenceDiffers)]
    public async Task A_changed_value_in_any_column_a_row_less_and_a_row_more_are_found(string table, string code)
    {
        var row = $"ctid = (select ctid from {table} order by 1 limit 1)";
        foreach (var (column, change) in await ChangesAsync(table))
            await FoundAsync($"update {table} set {column} = {change} where {row}", code, $"{table}.{column}");
        await FoundAsync($"delete from {table} where {row}", code, $"a row less in {table}");
        var (key, another) = (await ChangesAsync(table))[0];
        var columns = string.Join(", ", (await ColumnsAsync(table)).Select(c => c.Name == key ? another : c.Name == "code" ? "code || 'x'" : c.Name));
        await FoundAsync($"insert into {table} select {columns} from {table} where {row}", code, $"a row more in {table}");
    }

    [Theory]
    [InlineData(LedgerFindingCodes.JournalGap, "delete from mt_events where stream_id = 'ledger/main' and version = 5", "5")]
    [InlineData(LedgerFindingCodes.JournalGap, "delete from mt_events where stream_id = 'ledger/main' and version between 4 and 9", "4-9")]
    [InlineData(LedgerFindingCodes.JournalTime, "update mt_events set timestamp = timestamp - interval '1 day' where stream_id = 'ledger/main' and version = 7", "7")]
    [InlineData(LedgerFindingCodes.JournalEvent, "update mt_events set data = '{}' where stream_id = 'ledger/main' and version = 6", "6")]
    [InlineData(LedgerFindingCodes.JournalEvent, "update mt_events set type = 'task_opened' where stream_id = 'ledger/main' and version = 6", "6")]
    [InlineData(LedgerFindingCodes.StreamDiffers, "update mt_streams set version = version + 1 where id = 'ledger/main'", "ledger/main")]
    [InlineData(LedgerFindingCodes.StreamDiffers, "delete from mt_streams where id = 'ledger/main'", "ledger/main")]
    [InlineData(LedgerFindingCodes.SumNotZero, "update ledger_account set balance = balance + 1 where number = 3", "LMR")]
    [InlineData(LedgerFindingCodes.FloorBroken, "update ledger_account set balance = -1 where number = 3", "participant/1/available LMR")]
    [InlineData(LedgerFindingCodes.HeldDiffers, "update ledger_account set held = held + 1 where code like 'participant/1/%'", "participant/1/available LMR")]
    [InlineData(LedgerFindingCodes.HeldDiffers, "update ledger_hold set left_over = left_over - 1 where status = 0", "participant/1/available LMR")]
    [InlineData(LedgerFindingCodes.HeldDiffers, "update ledger_hold set account = 4711 where status = 0", "account 4711")]
    [InlineData(LedgerFindingCodes.ReversalExceeded, "update ledger_reversal set amount = 101 where amount = 40", null)]
    [InlineData(LedgerFindingCodes.EntryDiffers, "update ledger_entry set balance = balance - 1 where account = 1 and journal_version = (select max(journal_version) from ledger_entry where account = 1)", null)]
    [InlineData(LedgerFindingCodes.RollUpDiffers, "update ledger_roll_up set balance = balance + 1 where prefix = 'participant'", "participant/LMR")]
    public async Task An_invariant_that_is_broken_has_a_code_of_its_own(string code, string damage, string? where)
    {
        foreach (var options in (LedgerInspectionOptions[])[new(), Tiny])
        {
            var findings = await sample.DamageAsync(damage, options);
            Assert.True(
                findings.Any(finding => finding.Code == code && (where is null || finding.Where == where)),
                $"no {code} at {where} among {string.Join(", ", findings)}");
        }
    }

    [Fact]
    public async Task A_version_that_is_there_twice_and_a_second_outcome_of_a_key_are_found()
    {
        var twice = SampleLedger.Append("account_opened", """{"id":"a","code":"chain/x","asset":"LMR","floor":null}""", version: "3");
        await FoundAsync(twice, LedgerFindingCodes.JournalDuplicate, "version 3 twice");
        var again = SampleLedger.Append("account_opened", """{"id":"sale","code":"chain/x","asset":"LMR","floor":null}""");
        await FoundAsync(again, LedgerFindingCodes.OutcomeDuplicate, "the key of the sale again");
    }

    [Theory]
    [InlineData(LedgerFindingCodes.FloorBroken, "transaction_posted", """{"id":"canary","kind":"theft","postings":[{"from":"participant/0/available","to":"participant/1/available","amount":"1000000","asset":"LMR"}]}""")]
    [InlineData(LedgerFindingCodes.FloorBroken, "funds_held", """{"id":"canary","kind":"theft","code":"participant/0/available","asset":"LMR","amount":"1000000","deadline":"2999-01-01T00:00:00.000000Z"}""")]
    [InlineData(LedgerFindingCodes.FloorBroken, "floor_changed", """{"id":"canary","code":"participant/0/available","asset":"LMR","floor":"5000","reason":"canary"}""")]
    [InlineData(LedgerFindingCodes.JournalEvent, "transaction_posted", """{"id":"canary","kind":"theft","postings":[{"from":"participant/0/available","to":"participant/9/available","amount":"1","asset":"LMR"}]}""")]
    [InlineData(LedgerFindingCodes.JournalEvent, "transaction_posted", """{"id":"canary","kind":"theft","postings":[{"from":"participant/0/available","to":"participant/1/available","amount":"-5","asset":"LMR"}]}""")]
    [InlineData(LedgerFindingCodes.JournalEvent, "transaction_posted", """{"id":"canary","kind":"theft","postings":null}""")]
    [InlineData(LedgerFindingCodes.StreamDiffers, "transaction_posted", """{"id":"canary","kind":"theft","postings":[{"from":"participant/0/available","to":"participant/1/available","amount":"1","asset":"LMR"}]}""")]
    public async Task A_canary_that_SQL_appends_to_the_journal_is_caught(string code, string type, string data) =>
        await FoundAsync(SampleLedger.Append(type, data), code, data);

    [Fact]
    public async Task A_canary_that_also_writes_one_side_of_itself_into_the_tables_breaks_the_sum()
    {
        var findings = await sample.DamageAsync(
            $"""
            {SampleLedger.Append("transaction_posted", """{"id":"canary","kind":"theft","postings":[{"from":"participant/0/available","to":"participant/1/available","amount":"7","asset":"LMR"}]}""")};
            update ledger_account set balance = balance + 7 where code = 'participant/1/available'
            """);
        Assert.Contains(findings, finding => finding is { Code: LedgerFindingCodes.SumNotZero, Where: "LMR", Actual: "7" });
        Assert.Contains(findings, finding => finding.Code == LedgerFindingCodes.EntryDiffers && finding.Actual.Length == 0);
    }

    [Fact]
    public async Task A_reversal_in_the_journal_that_takes_back_more_than_was_moved_is_found()
    {
        var version = await sample.Harness.CountAsync("select version from mt_events where type = 'transaction_posted' and data ->> 'id' = 'sale'");
        var part = """[{"posting":0,"amount":"61"}]""";
        var back = """[{"from":"escrow/p1","to":"participant/0/available","amount":"61","asset":"LMR"}]""";
        var data = $$"""{"id":"canary","transaction":{{version}},"reason":"canary","parts":{{part}},"reversed":{{part}},"postings":{{back}}}""";
        await FoundAsync(SampleLedger.Append("transaction_reversed", data), LedgerFindingCodes.ReversalExceeded, "61 of 60");
    }

    [Fact]
    public async Task A_clearing_pair_that_does_not_cancel_is_found_when_both_shards_are_here()
    {
        await using var here = await StartAsync(databases);
        await using var there = await StartAsync(databases);
        await SendAsync(here, "other", 7);
        var peers = new LedgerInspectionOptions
        {
            Peers = new Dictionary<string, Npgsql.NpgsqlDataSource> { ["other"] = there.Sessions.DataSource(ShardRole.Global) },
        };
        var finding = Assert.Single(await InspectAsync(here, peers));
        Assert.Equal(new LedgerFinding(LedgerFindingCodes.ClearingDiffers, "main/other LMR", "0", "7"), finding);
        await SendAsync(there, "main", -7);
        Assert.Empty(await InspectAsync(here, peers));
    }

    [Fact]
    public async Task A_journal_that_makes_no_sense_ends_the_replay_instead_of_flooding_the_report()
    {
        var findings = await sample.DamageAsync(
            """
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, user_name, is_archived)
            select nextval('mt_events_sequence'), gen_random_uuid(), 'ledger/main', 10000 + i, '{}', 'noise', now(), 'main', '', 'x', false
            from generate_series(1, 1000) i
            """);
        Assert.EndsWith("-10000", findings.Single(finding => finding.Code == LedgerFindingCodes.JournalGap).Where, StringComparison.Ordinal);
        Assert.InRange(findings.Count, 100, 110);
    }

    private static async Task SendAsync(LedgerHarness harness, string peer, long units)
    {
        var ledger = await harness.WriterAsync();
        foreach (var code in (string[])[ChartOfAccounts.Emission, ChartOfAccounts.Clearing(peer)])
            await SampleLedger.PostedAsync(ledger, $"open-{code}", new OpenAccount(code));
        var (from, to) = units > 0
            ? (ChartOfAccounts.Emission, ChartOfAccounts.Clearing(peer))
            : (ChartOfAccounts.Clearing(peer), ChartOfAccounts.Emission);
        await SampleLedger.PostedAsync(ledger, "send", Pay(from, to, Math.Abs(units)));
    }

    private static async Task<List<LedgerFinding>> InspectAsync(LedgerHarness harness, LedgerInspectionOptions options)
    {
        var findings = new List<LedgerFinding>();
        await new LedgerInspection(harness.Sessions.DataSource(ShardRole.Global), ShardMap.DefaultShard, options)
            .RunAsync(findings.Add, progress: null, TestContext.Current.CancellationToken);
        return findings;
    }

    private async Task FoundAsync(string damage, string code, string what)
    {
        foreach (var options in (LedgerInspectionOptions[])[new(), Tiny])
        {
            var findings = await sample.DamageAsync(damage, options);
            Assert.True(findings.Any(finding => finding.Code == code), $"{what}: no {code} among {string.Join(", ", findings)}");
        }
    }

    /// <summary>For each column that the journal determines, another value; the first is a key.</summary>
    private async Task<List<(string Column, string Change)>> ChangesAsync(string table) =>
    [
        .. from column in await ColumnsAsync(table)
           where (table, column.Name) is not ("ledger_fence", "version")
           select (column.Name, column.Type switch
           {
               "text" => $"coalesce({column.Name}, '') || 'x'",
               "uuid" => "gen_random_uuid()",
               "bytea" => $"{column.Name} || '\\x00'",
               "timestamp with time zone" => $"{column.Name} + interval '1 microsecond'",
               "smallint" => $"{column.Name} + 100",
               _ => $"coalesce({column.Name}, 0) + 1000000",
           }),
    ];

    private async Task<List<(string Name, string Type)>> ColumnsAsync(string table)
    {
        await using var command = sample.Harness.Sessions.DataSource(ShardRole.Global).CreateCommand(
            $"""
            select column_name::text, data_type::text from information_schema.columns
            where table_schema = 'public' and table_name = '{table}' order by ordinal_position
            """);
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var columns = new List<(string, string)>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
            columns.Add((reader.GetString(0), reader.GetString(1)));
        return columns;
    }
}
