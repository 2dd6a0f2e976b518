using Lumora.Cli.Audit;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Domain.Purchases;
using Lumora.Domain.Rewards;

namespace Lumora.Integration.Tests.Cli;

/// <summary>Trees and signatures are good in all of these; what was changed is what the events say.</summary>
public sealed class AuditOfForgedNetworkSpecs
{
    [Fact]
    public async Task An_honest_network_is_clean_and_its_sales_and_rewards_are_proven()
    {
        var said = await AuditAsync(new ForgedNetwork());
        said.Must(0, "proven offline", "entitlements_paid", "2 purchases", "6 hand-overs");
        said.Must(0, "proven offline", "rewards_by_formula", "2 epochs");
        said.Must(0, "proven offline", "ledger_balanced");
    }

    [Fact]
    public async Task A_delivery_before_its_payment_is_found_by_the_entry()
    {
        var forged = new ForgedNetwork().MoveBefore<DeliveryHeaderWritten>(
            e => e.PurchaseId == ForgedNetwork.Sold, e => e is TransactionPosted { Kind: "purchase" });
        (await AuditAsync(forged)).Must(1, "WRONG", $"purchase/{ForgedNetwork.Sold} version 2 (delivery_header_written)", "not paid");
    }

    [Fact]
    public async Task A_purchase_whose_payment_never_comes_is_found()
    {
        var forged = new ForgedNetwork()
            .Change<TransactionPosted>(e => e.Kind == "purchase" && e.Reference!.Id == ForgedNetwork.Sold ? null : e)
            .Change<TransactionPosted>(e => e.Id == $"release/{ForgedNetwork.Sold}" ? null : e);
        var said = await AuditAsync(forged);
        said.Must(1, "WRONG", "(dataset_purchased)", $"without the payment of {ForgedNetwork.Sold}");
        said.Must(1, "not proven", "entitlements_paid");
    }

    [Theory]
    [InlineData(ForgedNetwork.Price - 1, "base units were paid")]
    [InlineData(1, "base units were paid")]
    public async Task A_price_that_was_not_paid_in_full_is_found(long units, string what)
    {
        var forged = new ForgedNetwork().Change<TransactionPosted>(e => e.Kind == "purchase" && e.Reference!.Id == ForgedNetwork.Refunded
            ? e with { Postings = [e.Postings[0] with { Amount = new Amount(units) }] }
            : e);
        (await AuditAsync(forged)).Must(1, "WRONG", "(transaction_posted)", what, ForgedNetwork.Refunded);
    }

    [Fact]
    public async Task Somebody_elses_money_does_not_pay_a_purchase()
    {
        var forged = new ForgedNetwork().Change<TransactionPosted>(e => e.Kind == "purchase" && e.Reference!.Id == ForgedNetwork.Sold
            ? e with { Postings = [e.Postings[0] with { From = ChartOfAccounts.Emission }] }
            : e);
        (await AuditAsync(forged)).Must(1, "WRONG", "network/emission paid for", "participant/buyer/available");
    }

    [Fact]
    public async Task An_escrow_that_is_divided_otherwise_than_agreed_is_found()
    {
        var forged = new ForgedNetwork().Change<PurchaseReleased>(e => e with
        {
            Shares = e.Shares with { Publisher = e.Shares.Publisher - new Amount(1), Fees = e.Shares.Fees + new Amount(1) },
        });
        (await AuditAsync(forged)).Must(1, "WRONG", "(purchase_released)", "agreed split");
    }

    [Fact]
    public async Task A_release_whose_transaction_pays_others_is_found()
    {
        var forged = new ForgedNetwork().Change<TransactionPosted>(e => e.Kind == "purchase_release"
            ? e with { Postings = [e.Postings[0] with { To = ChartOfAccounts.Available("alice") }, .. e.Postings.Skip(1)] }
            : e);
        (await AuditAsync(forged)).Must(1, "WRONG", "(transaction_posted)", "to participant/alice/available");
    }

    [Fact]
    public async Task A_delivery_after_the_money_went_back_is_found()
    {
        var forged = new ForgedNetwork().MoveBefore<DeliveryGranted>(
            e => e.PurchaseId == ForgedNetwork.Refunded, e => e is Lumora.Domain.Nodes.NodeRegistered);
        (await AuditAsync(forged)).Must(1, "WRONG", "(delivery_granted)", "paid back");
    }

    [Fact]
    public async Task A_provider_who_gets_more_than_the_formula_gives_is_found()
    {
        var forged = new ForgedNetwork().Change<RewardsAllocated>(e => e with
        {
            Allocations = [.. e.Allocations.Select(one => one with { Amount = one.Provider == "bob" ? one.Amount + new Amount(1) : one.Amount - new Amount(1) })],
        });
        (await AuditAsync(forged)).Must(1, "WRONG", "(epoch_rewards_computed)", "the formula gives");
    }

    [Fact]
    public async Task A_weight_that_no_trust_explains_is_found_also_without_the_length_of_an_epoch()
    {
        var forged = new ForgedNetwork().Change<RewardsAllocated>(e => e with
        {
            Allocations = [.. e.Allocations.Select(one => one.Provider == "bob" ? one with { Weight = one.Weight + "0" } : one)],
        });
        (await AuditAsync(forged)).Must(1, "WRONG", "(epoch_rewards_computed)", "bob has the weight");
    }

    [Fact]
    public async Task Work_that_is_taken_out_of_the_log_is_missed_by_its_epoch()
    {
        var forged = new ForgedNetwork().Change<Lumora.Domain.Bandwidth.ContributionRecorded>(
            e => e.ContributionId.StartsWith("c3_", StringComparison.Ordinal) ? null : e);
        (await AuditAsync(forged)).Must(1, "WRONG", "(epoch_inputs_sealed)", "contributions in the log have");
    }

    [Fact]
    public async Task An_epoch_that_is_paid_otherwise_than_allocated_is_found()
    {
        var forged = new ForgedNetwork().Change<TransactionPosted>(e => e.Kind == "epoch_reward" && e.Id.EndsWith("/1", StringComparison.Ordinal)
            ? e with { Postings = [.. e.Postings.Reverse()] }
            : e);
        (await AuditAsync(forged)).Must(1, "WRONG", "(transaction_posted)", "does not pay what the epoch has allocated");
    }

    [Fact]
    public async Task A_reward_without_an_epoch_is_found()
    {
        var forged = new ForgedNetwork().MoveBefore<TransactionPosted>(e => e.Kind == "epoch_reward", e => e is EpochInputsSealed);
        (await AuditAsync(forged)).Must(1, "WRONG", "(transaction_posted)", "no closed epoch has allocated");
    }

    [Fact]
    public async Task An_epoch_that_says_paid_and_is_not_is_found()
    {
        var forged = new ForgedNetwork().MoveBefore<EpochPaid>(_ => true, e => e is TransactionPosted { Kind: "epoch_reward" });
        (await AuditAsync(forged)).Must(1, "WRONG", "(epoch_paid)", "is not in the journal");
    }

    [Fact]
    public async Task Another_length_of_an_epoch_is_open_when_it_is_not_known_and_wrong_when_it_is()
    {
        // With epochs of an hour alice's node, ten days old, and those of bob would be trusted otherwise.
        (await AuditAsync(new ForgedNetwork(), "--epoch-seconds", "86400")).Must(0, "proven offline", "rewards_by_formula");
        (await AuditAsync(new ForgedNetwork(), "--epoch-seconds", "3600")).Must(1, "WRONG", "(epoch_rewards_computed)", "the formula gives");
        var open = new ForgedNetwork().Change<Lumora.Domain.Nodes.NodeRegistered>(e => e with { RegisteredAt = e.RegisteredAt.AddDays(-10) });
        (await AuditAsync(open)).Must(0, "not proven", "rewards_by_formula", "--epoch-seconds");
        (await AuditAsync(new ForgedNetwork(), "--epoch-seconds", "0")).Must(2, "--epoch-seconds");
    }

    [Fact]
    public async Task An_event_that_lacks_a_part_is_a_finding_and_no_crash()
    {
        var forged = new ForgedNetwork()
            .Change<DatasetPurchased>(e => e with { Split = null! })
            .Change<RewardsAllocated>(e => e with { Allocations = null! });
        var said = await AuditAsync(forged);
        said.Must(1, "WRONG", "(dataset_purchased)");
        said.Must(1, "WRONG", "(rewards_allocated)");
    }

    private static async Task<Said> AuditAsync(ForgedNetwork network, params string[] more)
    {
        using var log = new ForgedLog();
        network.WriteTo(log);
        await log.PublishAsync();
        return await LoggedHost.RunAsync(AuditCommand.Create(), ["--folder", Path.Combine(log.Folder, "log"), "--key", log.Key, .. more]);
    }
}
