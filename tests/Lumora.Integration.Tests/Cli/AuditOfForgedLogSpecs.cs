using Lumora.Cli.Audit;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Integration.Tests.Cli;

public sealed class AuditOfForgedLogSpecs
{
    private const string Journal = "ledger/main";

    [Fact]
    public async Task Money_that_an_account_does_not_have_is_found_by_the_entry_and_the_journal_version()
    {
        using var log = WithAccounts();
        log.Add(Journal, 3, Transfer("t1", ChartOfAccounts.Emission, ChartOfAccounts.Rewards, 100));
        log.Add(Journal, 4, Transfer("t2", ChartOfAccounts.Rewards, ChartOfAccounts.Emission, 101));
        (await AuditAsync(log)).Must(
            1, "WRONG", "entry 3, ledger/main version 4 (transaction_posted)", "t2 leaves network/rewards with -1 base units", "below its floor 0");
    }

    [Fact]
    public async Task A_second_outcome_for_one_key_is_found()
    {
        using var log = WithAccounts();
        log.Add(Journal, 3, Transfer("t1", ChartOfAccounts.Emission, ChartOfAccounts.Rewards, 100));
        log.Add(Journal, 4, Transfer("t1", ChartOfAccounts.Emission, ChartOfAccounts.Rewards, 100));
        (await AuditAsync(log)).Must(1, "WRONG", "entry 3", "second outcome for the key t1");
    }

    [Fact]
    public async Task An_account_from_nowhere_is_found()
    {
        using var log = WithAccounts();
        log.Add(Journal, 3, Transfer("t1", ChartOfAccounts.Emission, ChartOfAccounts.Fees, 100));
        (await AuditAsync(log)).Must(1, "WRONG", "entry 2", "network/fees, which does not exist");
    }

    [Fact]
    public async Task A_gap_a_double_and_an_event_that_comes_twice_are_found()
    {
        using var log = WithAccounts();
        log.Add(Journal, 5, Transfer("t1", ChartOfAccounts.Emission, ChartOfAccounts.Rewards, 100));
        (await AuditAsync(log)).Must(1, "WRONG", "entry 2", "ledger/main goes from version 2 to 5: 2 in between are missing");

        using var twice = new ForgedLog();
        var id = Guid.NewGuid();
        twice.Add("node/a", 1, new AccountFrozen("k", "c", "LMR", "r"), id: id);
        twice.Add("node/b", 1, new AccountFrozen("k", "c", "LMR", "r"), id: id);
        twice.Add("node/a", 1, new AccountFrozen("k", "c", "LMR", "r"));
        var said = await AuditAsync(twice);
        said.Must(1, "WRONG", "entry 1", $"{id} stands in the log twice");
        said.Must(1, "WRONG", "entry 2", "node/a has version 1 after version 1");
    }

    [Fact]
    public async Task An_entry_that_is_no_leaf_is_found()
    {
        using var log = WithAccounts();
        log.Add("{\"v\": 1}"u8.ToArray());
        (await AuditAsync(log)).Must(1, "WRONG", "entry 2: ", "canonical");
    }

    [Fact]
    public async Task An_honest_log_is_clean()
    {
        using var log = WithAccounts();
        log.Add(Journal, 3, Transfer("t1", ChartOfAccounts.Emission, ChartOfAccounts.Rewards, 100));
        log.Add(Journal, 4, Transfer("t2", ChartOfAccounts.Rewards, ChartOfAccounts.Emission, 100));
        (await AuditAsync(log)).Must(0, "ledger_balanced", "4 ledger events");
    }

    private static ForgedLog WithAccounts()
    {
        var log = new ForgedLog();
        log.Add(Journal, 1, new AccountOpened("a1", ChartOfAccounts.Emission, ChartOfAccounts.Lmr, null));
        log.Add(Journal, 2, new AccountOpened("a2", ChartOfAccounts.Rewards, ChartOfAccounts.Lmr, 0));
        return log;
    }

    private static TransactionPosted Transfer(string id, string from, string to, long units) =>
        new(id, "test", [new Posting(from, to, new Amount(units))]);

    private static async Task<Said> AuditAsync(ForgedLog log)
    {
        await log.PublishAsync();
        return await LoggedHost.RunAsync(AuditCommand.Create(), "--folder", Path.Combine(log.Folder, "log"), "--key", log.Key);
    }
}
