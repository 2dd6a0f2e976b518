using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Rpc;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Projections.Deposits;
using Lumora.Projections.EventStore;

namespace Lumora.Chain.Deposits;

/// <summary>Whether this host has a faucet (<c>Lumora:Faucet</c>): in development, unless switched off.</summary>
/// <param name="IsOn">True when it may pay, on a local chain.</param>
public sealed record FaucetSetting(bool IsOn);

/// <summary>
/// Gives LMR for development: a real token transfer into the treasury with the participant's deposit code, credited like
/// any deposit. The signed transaction is stored before it is sent, so a crash in between pays once.
/// </summary>
public sealed class Faucet(
    SolanaConnection connection, DepositWatcher deposits, ShardSessions sessions, FaucetSetting setting, TimeProvider clock)
{
    /// <summary>What a request gets that names no amount: 100 LMR.</summary>
    public static readonly Amount Usual = Amount.FromLmr(100);

    /// <summary>The most of one request: 1,000 LMR.</summary>
    public static readonly Amount RequestMax = Amount.FromLmr(1_000);

    /// <summary>The most of a participant on one day (UTC): 5,000 LMR.</summary>
    public static readonly Amount DailyMax = Amount.FromLmr(5_000);

    // A chain that hangs is said to hang while the caller still listens: an operation of GraphQL has 5 s.
    private static readonly TimeSpan PaidWithin = TimeSpan.FromSeconds(3);

    /// <summary>
    /// The signature of the transfer; the same for the same key. Refuses with <c>invalid_key</c>, <c>invalid_amount</c>,
    /// <c>idempotency_conflict</c>, <c>faucet_limit</c>, <c>faucet_disabled</c>, and <c>faucet_unavailable</c>, after which
    /// the same request may be repeated.
    /// </summary>
    public async Task<Result<string>> PayAsync(string participantId, string key, Amount amount, CancellationToken ct)
    {
        if (key.Length is 0 or > LedgerLimits.KeyLengthMax || !key.All(c => c is > ' ' and < '\x7f'))
            return LedgerCodes.Reject(LedgerCodes.InvalidKey, "idempotencyKey");
        if (amount == Amount.Zero || amount > RequestMax)
            return new Rejection("invalid_amount", $"A request is for 1 base unit to {RequestMax.Format()}.", "amount");
        if (!setting.IsOn || connection.Current is { IsLocal: false })
            return new Rejection("faucet_disabled", "This installation has no faucet: send LMR with your deposit code.");
        var known = await FaucetPayments.FindAsync(sessions, participantId, key, ct);
        if (known is not null && known.Amount != amount)
            return LedgerCodes.Reject(LedgerCodes.IdempotencyConflict, "amount");
        if (known is { IsSent: true })
            return known.Signature;
        if (connection.Current is not { } cluster || deposits.Token is not { Faucet: not null } token)
            return Unavailable(connection.Status);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(PaidWithin);
        try
        {
            var payment = known ?? await ClaimAsync(cluster, token, participantId, key, amount, limit.Token);
            if (payment is null)
                return new Rejection("faucet_limit", $"A day's limit is {DailyMax.Format()}: come back tomorrow (UTC).");
            if (payment.Amount != amount)
                return LedgerCodes.Reject(LedgerCodes.IdempotencyConflict, "amount");
            return await DeliverAsync(cluster, token, payment, limit.Token);
        }
        catch (SolanaException fault)
        {
            return Unavailable(fault.Message);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return Unavailable($"no answer within {PaidWithin.TotalSeconds} s");
        }
    }

    private static Rejection Unavailable(string reason) => new(
        "faucet_unavailable", $"The local Solana does not answer yet ({reason}). Repeat the same request in a moment.");

    private async Task<FaucetPayment?> ClaimAsync(
        SolanaCluster cluster, LmrToken token, string participantId, string key, Amount amount, CancellationToken ct)
    {
        var fresh = await SignAsync(cluster, token, participantId, key, amount, ct);
        var day = DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);
        return await FaucetPayments.ClaimAsync(sessions, fresh, day, DailyMax, ct);
    }

    private async Task<FaucetPayment> SignAsync(
        SolanaCluster cluster, LmrToken token, string participantId, string key, Amount amount, CancellationToken ct)
    {
        var code = await DepositCode.ForAsync(sessions, participantId, ct);
        var latest = await cluster.AnyAsync(server => server.GetLatestBlockhashAsync(Commitment.Confirmed, ct));
        var transfer = token.SignFaucetTransfer((ulong)amount.Units, code, latest.Value.Blockhash);
        return new FaucetPayment(
            participantId, key, amount, transfer.Signature, transfer.Serialize(),
            checked((long)latest.Value.LastValidBlockHeight), IsSent: false);
    }

    private async Task<string> DeliverAsync(
        SolanaCluster cluster, LmrToken token, FaucetPayment payment, CancellationToken ct)
    {
        // The height comes first: a transaction that is unknown after its last height passed can never land.
        var height = await cluster.AnyAsync(server => server.GetBlockHeightAsync(Commitment.Finalized, ct));
        var statuses = await cluster.AnyAsync(server =>
            server.GetSignatureStatusesAsync([payment.Signature], searchTransactionHistory: true, ct));
        var status = statuses.Value[0];
        var hasFailed = status is { Error: not null, Commitment: Commitment.Finalized };
        if (hasFailed || (status is null && height > (ulong)payment.LastValidBlockHeight))
        {
            var again = await SignAsync(cluster, token, payment.ParticipantId, payment.Key, payment.Amount, ct);
            payment = await FaucetPayments.ReplaceAsync(sessions, payment, again, ct);
            status = null;
        }

        if (status is null)
            await SendAsync(cluster, payment.Transaction, ct);
        await FaucetPayments.SentAsync(sessions, payment, ct);
        return payment.Signature;
    }

    private static async Task SendAsync(SolanaCluster cluster, byte[] transaction, CancellationToken ct)
    {
        try
        {
            await cluster.AnyAsync(server => server.SendTransactionAsync(transaction, ct: ct));
        }
        catch (TransactionRefusedException refused) when (refused.IsAlreadyProcessed)
        {
            // Sent by a request before this one.
        }
    }
}
