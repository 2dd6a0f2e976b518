using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using static Lumora.Integration.Tests.Ledger.LedgerHarness;

namespace Lumora.Integration.Tests.Ledger.Verification;

/// <summary>A small ledger in which everything has happened once, that can be damaged and mended again.</summary>
public sealed class SampleLedger(TestDatabases databases) : IAsyncLifetime
{
    public static readonly string[] Tables =
    [
        "ledger_fence", "ledger_account", "ledger_outcome", "ledger_entry", "ledger_hold", "ledger_reversal",
        "ledger_roll_up", "ledger_time",
    ];

    private static readonly string[] Saved = [.. Tables, "mt_events", "mt_streams"];

    public LedgerHarness Harness { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Harness = await StartAsync(databases);
        Harness.VerifiesAtEnd = false;
        await FillAsync(await Harness.WriterAsync());
        await Harness.VerifyAsync();
        // What a person with a superuser's rights could do as well: nothing of the database itself stops the damage.
        await Harness.ExecuteAsync(
            """
            alter table ledger_account drop constraint ledger_account_floor, drop constraint ledger_account_held;
            alter table ledger_hold drop constraint ledger_hold_left;
            alter table mt_events drop constraint if exists fkey_mt_events_stream_id;
            drop index pk_mt_events_stream_and_version;
            create schema saved
            """);
        foreach (var table in Saved)
            await Harness.ExecuteAsync($"create table saved.{table} as table public.{table}");
    }

    public ValueTask DisposeAsync() => Harness.DisposeAsync();

    /// <summary>Runs <paramref name="sql"/>, verifies, and mends what was damaged.</summary>
    public async Task<IReadOnlyList<LedgerFinding>> DamageAsync(string sql, LedgerInspectionOptions? options = null)
    {
        await Harness.ExecuteAsync(sql);
        try
        {
            return await InspectAsync(options);
        }
        finally
        {
            foreach (var table in Saved)
                await Harness.ExecuteAsync($"delete from public.{table}");
            foreach (var table in Saved.Reverse())
                await Harness.ExecuteAsync($"insert into public.{table} overriding system value select * from saved.{table}");
        }
    }

    public async Task<IReadOnlyList<LedgerFinding>> InspectAsync(LedgerInspectionOptions? options = null)
    {
        var findings = new List<LedgerFinding>();
        await new LedgerInspection(Harness.Sessions.DataSource(ShardRole.Global), ShardMap.DefaultShard, options)
            .RunAsync(findings.Add, progress: null, TestContext.Current.CancellationToken);
        return findings;
    }

    /// <summary>SQL that appends an event to the journal, and to nothing else.</summary>
    public static string Append(string type, string data, string actor = "system:test", string version = "max(version) + 1") =>
        $"""
        insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, user_name, is_archived)
        select nextval('mt_events_sequence'), gen_random_uuid(), 'ledger/main', {version}, '{data}', '{type}', max(timestamp), 'main',
          '', '{actor}', false
        from mt_events where stream_id = 'ledger/main'
        """;

    /// <summary>Everything that makes rows: postings, holds to each end, reversals, refusals, changes of accounts.</summary>
    public static async Task FillAsync(ILedger ledger)
    {
        await FundAsync(ledger, 4, 1_000);
        var sale = new PostTransaction(
            "sale", [new Posting(Account(0), ChartOfAccounts.Escrow("p1"), new Amount(100))], new TransactionReference("purchase", "p1"));
        var sold = await PostedAsync(ledger, "sale", sale);
        await PostedAsync(ledger, "back", new ReverseTransaction(sold, "half of it", [new ReversalPart(0, new Amount(40))]));
        var open = await PostedAsync(ledger, "hold-open", Hold(1, 50));
        await PostedAsync(ledger, "capture", new CaptureHold(open, [new HoldPayment(Account(2), new Amount(20))]));
        var whole = await PostedAsync(ledger, "hold-whole", Hold(1, 30));
        var captured = await PostedAsync(ledger, "capture-whole", new CaptureHold(whole, [new HoldPayment(Account(3), new Amount(25))], Finish: true));
        await PostedAsync(ledger, "capture-back", new ReverseTransaction(captured, "all of it"));
        var released = await PostedAsync(ledger, "hold-released", Hold(2, 10));
        await PostedAsync(ledger, "release", new ReleaseHold(released));
        Assert.IsType<LedgerOutcome.Refused>(await ledger.AskAsync(Request("too-much", Pay(Account(0), Account(1), 1_000_000))));
        await PostedAsync(ledger, "freeze", new FreezeAccount(Account(3), ChartOfAccounts.Lmr, "a test"));
        await PostedAsync(ledger, "suspense", Pay(Account(0), Account(3), 5));
        await PostedAsync(ledger, "unfreeze", new UnfreezeAccount(Account(3), ChartOfAccounts.Lmr, "a test"));
        await PostedAsync(ledger, "floor", new ChangeFloor(Account(2), ChartOfAccounts.Lmr, -100, "a test"));
    }

    public static HoldFunds Hold(int account, long units) =>
        new("order", Account(account), new Amount(units), DateTimeOffset.UtcNow.AddDays(1), new TransactionReference("order", "o1"));

    public static async Task<long> PostedAsync(ILedger ledger, string key, LedgerCommand command) =>
        Assert.IsType<LedgerOutcome.Posted>(await ledger.AskAsync(Request(key, command))).JournalVersion;
}
