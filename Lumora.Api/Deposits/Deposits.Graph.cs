using GraphQL;
using Lumora.Chain.Deposits;
using Lumora.Domain.Kernel;
using Lumora.Projections.EventStore;
using Lumora.Projections.Participants;

namespace Lumora.Api.GraphQL;

/// <summary>What a deposit needs: an SPL transfer of LMR to the account with the code as its only memo.</summary>
/// <param name="Code">Your code of now. On chain it names nobody; after a deposit with it you get another, and it stays yours.</param>
/// <param name="TreasuryAccount">The token account that receives deposits, base58; null while the chain is not reached.</param>
/// <param name="Mint">The mint of LMR, base58; null while the chain is not reached.</param>
public sealed record DepositInstructions(string Code, string? TreasuryAccount, string? Mint);

/// <summary>A wish for development LMR.</summary>
/// <param name="IdempotencyKey">Your key, 1 to 128 visible ASCII characters: the same key is paid once.</param>
/// <param name="Amount">How much: 100 LMR unless given, 1,000 LMR at most.</param>
public sealed record RequestFaucetInput(string IdempotencyKey, Amount? Amount);

/// <summary>A transfer of the faucet. It is credited when it is finalized on the chain.</summary>
/// <param name="Signature">The Solana transaction, base58; null when the request was refused.</param>
/// <param name="Error">
/// Why there is none; null when there is. After <c>faucet_unavailable</c> the same request may be repeated.
/// </param>
public sealed record RequestFaucetPayload(string? Signature, UserError? Error);

public sealed partial class Query
{
    /// <summary>How to deposit LMR into your account; null for callers that are no participants.</summary>
    [AllowSignedIn]
    public static async Task<DepositInstructions?> DepositCode(
        IResolveFieldContext context,
        [FromServices] ParticipantDirectory participants,
        [FromServices] ShardSessions sessions,
        [FromServices] DepositWatcher deposits,
        CancellationToken ct)
    {
        if (await participants.FindAsync(context.Actor().Id, ct) is not { ErasedAt: null } participant)
            return null;
        var code = await Projections.Deposits.DepositCode.ForAsync(sessions, participant.ParticipantId, ct);
        return new DepositInstructions(code, deposits.Token?.TreasuryAccount.Key, deposits.Token?.Mint.Key);
    }
}

public sealed partial class Mutation
{
    /// <summary>
    /// Gives you LMR on a local chain: a real transfer into the treasury with your deposit code. Repeating it with the
    /// same key answers the same.
    /// </summary>
    /// <param name="input">How much.</param>
    [AllowSignedIn]
    public static async Task<RequestFaucetPayload> RequestFaucet(
        IResolveFieldContext context,
        [FromServices] ParticipantDirectory participants,
        [FromServices] Faucet faucet,
        RequestFaucetInput input,
        CancellationToken ct)
    {
        if (await participants.FindAsync(context.Actor().Id, ct) is not { ErasedAt: null } participant)
        {
            return new RequestFaucetPayload(
                null, new UserError("participant_not_found", "Only participants have an account.", null));
        }

        var paid = await faucet.PayAsync(
            participant.ParticipantId, input.IdempotencyKey, input.Amount ?? Faucet.Usual, ct);
        return new RequestFaucetPayload(paid.Value, UserError.From(paid.Rejection));
    }
}
