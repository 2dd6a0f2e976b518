using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Domain.Purchases;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;

namespace Lumora.Api.Purchases;

/// <summary>
/// Pays an escrow out or back, once: the ledger's key is made of the purchase's id, and the purchase's event is a
/// companion at the version that was decided on, so that of a release and a refund one at most succeeds.
/// </summary>
public sealed class Escrow(ShardSessions sessions, ILedgers ledgers, TimeProvider clock)
{
    private const int AttemptsMax = 5;
    private static readonly Actor Market = Actor.System("market");

    /// <summary>Releases the purchase if it is due; null when it is released now, or was before.</summary>
    /// <param name="purchaseId">The purchase.</param>
    /// <param name="stewardReason">Set when a steward decides a dispute.</param>
    /// <param name="ct">Stops the wait.</param>
    public Task<Rejection?> ReleaseAsync(string purchaseId, string? stewardReason, CancellationToken ct)
    {
        var key = $"release/{purchaseId}";
        return SettleAsync(purchaseId, key, "purchase_release", new PurchaseCommand.Release(key, stewardReason), ct);
    }

    /// <summary>Refunds the disputed purchase; null when it is refunded now, or was before.</summary>
    public Task<Rejection?> RefundAsync(string purchaseId, string reason, CancellationToken ct)
    {
        var key = $"refund/{purchaseId}";
        return SettleAsync(purchaseId, key, "purchase_refund", new PurchaseCommand.Refund(key, reason), ct);
    }

    private async Task<Rejection?> SettleAsync(
        string purchaseId, string key, string kind, PurchaseCommand command, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            var (state, version) = await ReadAsync(purchaseId, ct);
            var decision = PurchaseDecider.Decide(command, state, clock.Now());
            if (decision is Decision.Rejected rejected)
                return rejected.Reason;
            if (((Decision.Accepted)decision).Events is not [var settled])
                return null;
            var request = new LedgerRequest(
                Market, key,
                new PostTransaction(kind, Postings(state!, settled), new TransactionReference("purchase", purchaseId)),
                new CompanionEvents(Purchase.StreamOf(purchaseId), typeof(Purchase), version, [settled]));
            var outcome = await ledgers.For(ShardRole.Global).SubmitAsync(request, ct);
            switch (outcome)
            {
                case LedgerOutcome.Posted:
                    return null;
                case LedgerOutcome.Busy busy when attempt < AttemptsMax:
                    await Task.Delay(busy.RetryAfter, clock, ct);
                    break;
                case LedgerOutcome.Refused { Rejection.Code: LedgerCodes.CompanionConflict } when attempt < AttemptsMax:
                    break;
                case LedgerOutcome.Refused refused:
                    return refused.Rejection;
                default:
                    return new Rejection("busy", "The ledger is busy; repeat the request.");
            }
        }
    }

    private static List<Posting> Postings(Purchase purchase, object settled)
    {
        var escrow = ChartOfAccounts.Escrow(purchase.PurchaseId);
        if (settled is PurchaseRefunded refund)
            return [new Posting(escrow, ChartOfAccounts.Available(purchase.BuyerId), refund.Amount)];
        var shares = ((PurchaseReleased)settled).Shares;
        List<Posting> postings =
        [
            new(escrow, ChartOfAccounts.Available(purchase.PublisherId), shares.Publisher),
            new(escrow, ChartOfAccounts.Rewards, shares.Rewards),
            new(escrow, ChartOfAccounts.Fees, shares.Fees),
            new(escrow, ChartOfAccounts.Burned, shares.Burned),
        ];
        // A share of nothing is no posting: the ledger moves at least one unit.
        return postings.FindAll(posting => posting.Amount > Amount.Zero);
    }

    private async Task<(Purchase? State, long Version)> ReadAsync(string purchaseId, CancellationToken ct)
    {
        await using var session = sessions.Open(ShardRole.Global, Market);
        var stream = await session.Events.FetchForWriting<Purchase>(Purchase.StreamOf(purchaseId), ct);
        return (stream.Aggregate, stream.CurrentVersion ?? 0);
    }
}
