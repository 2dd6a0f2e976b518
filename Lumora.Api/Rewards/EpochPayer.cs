using Lumora.Api.EventStore;
using Lumora.Api.Tasks;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Domain.Rewards;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using Npgsql;

namespace Lumora.Api.Rewards;

/// <summary>
/// Posts closed epochs to the ledger, page by page under keys that name epoch and page, so that a page is never
/// paid twice; what a crash left undone is resumed at the next start.
/// </summary>
/// <remarks>
/// It is what pays out of the network's own money, so it waits while the ledger differs from its journal, between two
/// pages as well, and goes on after a clean pass.
/// </remarks>
internal sealed partial class EpochPayer(
    ShardSessions sessions, ILedgers ledgers, LedgerQueries accounts, LedgerHealth health, TimeProvider clock,
    ILogger<EpochPayer> logger)
    : Worker(logger)
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(5);
    private static readonly Actor Self = Actor.System("rewards");
    private readonly SemaphoreSlim _turn = new(1);
    private bool _waits;

    /// <summary>
    /// Pays <paramref name="epoch"/>; does nothing when it is paid, and leaves it for later while payouts are stopped.
    /// </summary>
    public async Task PayAsync(long epoch, CancellationToken ct)
    {
        await _turn.WaitAsync(ct);
        try
        {
            var row = await EpochRows.FindAsync(sessions, epoch, ct);
            if (row is not { PaidAt: null })
                return;
            var shares = await SharesAsync(epoch, ct);
            Check.That(shares.Sum(share => share.Amount.Units) == row.Paid.Units);
            var pages = EpochPayments.Pages(epoch, row.Unallocated, shares);
            foreach (var page in pages)
            {
                if (!MayPay(epoch))
                    return;
                await PostAsync(epoch, page, ct);
            }

            await FinishAsync(epoch, pages.Count, ct);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _turn.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task<bool> PassAsync(CancellationToken ct)
    {
        foreach (var epoch in await UnpaidAsync(ct))
            await PayAsync(epoch, ct);
        return false;
    }

    /// <inheritdoc/>
    protected override Task IdleAsync(CancellationToken ct) => Task.Delay(Poll, ct);

    // Says so when it begins to wait and when it goes on, not with every look.
    private bool MayPay(long epoch)
    {
        var allowed = health.PayoutsAllowed;
        if (!allowed && !_waits)
            LogWaits(epoch);
        else if (allowed && _waits)
            LogGoesOn(epoch);
        _waits = !allowed;
        return allowed;
    }

    private async Task PostAsync(long epoch, EpochPaymentPage page, CancellationToken ct)
    {
        foreach (var posting in page.Postings.Where(posting => posting.From == EpochPayments.Rewards))
            await OpenAsync(posting.To, ct);
        var command = new PostTransaction(
            "epoch_reward",
            [.. page.Postings.Select(posting => new Posting(posting.From, posting.To, posting.Amount))],
            new TransactionReference("epoch", FormattableString.Invariant($"{epoch}")));
        var outcome = await SubmitAsync(new LedgerRequest(Self, page.Key, command), ct);
        if (outcome is LedgerOutcome.Refused refused)
            throw new InvalidOperationException($"{page.Key} was refused: {refused.Rejection.Code}.");
    }

    private async Task OpenAsync(string code, CancellationToken ct)
    {
        if (await accounts.AccountAsync(ShardRole.Region, code, ChartOfAccounts.Lmr, ct) is not null)
            return;
        var outcome = await SubmitAsync(new LedgerRequest(Self, $"open/{code}", new OpenAccount(code)), ct);
        if (outcome is LedgerOutcome.Refused { Rejection.Code: not LedgerCodes.AccountExists } refused)
            throw new InvalidOperationException($"{code} was not opened: {refused.Rejection.Code}.");
    }

    private async Task<LedgerOutcome> SubmitAsync(LedgerRequest request, CancellationToken ct)
    {
        while (true)
        {
            var outcome = await ledgers.For(ShardRole.Region).SubmitAsync(request, ct);
            if (outcome is not LedgerOutcome.Busy busy)
                return outcome;
            await Task.Delay(busy.RetryAfter, ct);
        }
    }

    private async Task FinishAsync(long epoch, int transactions, CancellationToken ct)
    {
        await using var session = sessions.Open(ShardRole.Region, Self);
        var stream = await session.Events.FetchForWriting<EpochState>(EpochState.StreamOf(epoch), ct);
        await session.CommitAsync(stream, EpochDecider.Pay(stream.Aggregate!, transactions, clock.Now()), ct);
    }

    private async Task<List<(string Provider, Amount Amount)>> SharesAsync(long epoch, CancellationToken ct)
    {
        await using var command = sessions.DataSource(ShardRole.Region).CreateCommand(
            "select provider, amount from reward_allocation where epoch = $1 order by provider collate \"C\"");
        command.Parameters.Add(new NpgsqlParameter { Value = epoch });
        var shares = new List<(string, Amount)>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            shares.Add((reader.GetString(0), new Amount(reader.GetInt64(1))));
        return shares;
    }

    private async Task<List<long>> UnpaidAsync(CancellationToken ct)
    {
        await using var command = sessions.DataSource(ShardRole.Region).CreateCommand(
            "select epoch from reward_epoch where paid_at is null order by epoch limit 100");
        var unpaid = new List<long>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            unpaid.Add(reader.GetInt64(0));
        return unpaid;
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "ledger_differs: the payment of epoch {Epoch} waits until the ledger is what its journal says.")]
    private partial void LogWaits(long epoch);

    [LoggerMessage(Level = LogLevel.Information, Message = "The payment of epoch {Epoch} goes on.")]
    private partial void LogGoesOn(long epoch);
}
