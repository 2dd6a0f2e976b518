using System.ComponentModel;
using GraphQL;
using Lumora.Api.Governance;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Api.GraphQL;

/// <summary>What every act of power carries beside its content.</summary>
internal interface IGovernInput
{
    string IdempotencyKey { get; }

    bool DryRun { get; }
}

/// <summary>An account that a steward acts on.</summary>
/// <param name="IdempotencyKey">Yours, 1 to 128 visible ASCII characters: the same key with the same content has one effect.</param>
/// <param name="Account">The account's code.</param>
/// <param name="Reason">Why, 1 to 500 characters; it stands in the public journal.</param>
/// <param name="DryRun">Only say what would be answered now.</param>
public sealed record GovernAccountInput(
    string IdempotencyKey, string Account, string Reason, [property: DefaultValue(false)] bool DryRun = false) : IGovernInput;

/// <summary>Another floor for an account: give <c>floor</c> or <c>unbounded</c>, not both.</summary>
/// <param name="IdempotencyKey">Yours, 1 to 128 visible ASCII characters: the same key with the same content has one effect.</param>
/// <param name="Account">The account's code.</param>
/// <param name="Reason">Why, 1 to 500 characters; it stands in the public journal.</param>
/// <param name="Floor">The least that balance − held may be, in base units; below 0 is credit.</param>
/// <param name="Unbounded">No floor at all.</param>
/// <param name="DryRun">Only say what would be answered now.</param>
public sealed record ChangeFloorInput(
    string IdempotencyKey,
    string Account,
    string Reason,
    long? Floor = null,
    [property: DefaultValue(false)] bool Unbounded = false,
    [property: DefaultValue(false)] bool DryRun = false) : IGovernInput;

/// <summary>A part of a transaction that is reversed.</summary>
/// <param name="Posting">Index of the payment, from 0.</param>
/// <param name="Amount">Base units, at least 1, at most what of the payment is not reversed yet.</param>
public sealed record ReversalPartInput(int Posting, Amount Amount);

/// <summary>A transaction whose money goes back to where it came from.</summary>
/// <param name="IdempotencyKey">Yours, 1 to 128 visible ASCII characters: the same key with the same content has one effect.</param>
/// <param name="Transaction">The journal version of the transfer or capture.</param>
/// <param name="Reason">Why, 1 to 500 characters; it stands in the public journal.</param>
/// <param name="Parts">What of it, 1 to 64; all that is not reversed yet unless you give it.</param>
/// <param name="DryRun">Only say what would be answered now.</param>
public sealed record ReverseTransactionInput(
    string IdempotencyKey,
    long Transaction,
    string Reason,
    IReadOnlyList<ReversalPartInput>? Parts = null,
    [property: DefaultValue(false)] bool DryRun = false) : IGovernInput
{
    internal IReadOnlyList<ReversalPart>? ToParts() =>
        Parts?.Select(part => new ReversalPart(part.Posting, part.Amount)).ToList();
}

/// <summary>Money that waits in suspense, and who gets it.</summary>
/// <param name="IdempotencyKey">Yours, 1 to 128 visible ASCII characters: the same key with the same content has one effect.</param>
/// <param name="Account">Code of the account that could not take the money.</param>
/// <param name="Amount">Base units, at least 1, at most what waits.</param>
/// <param name="Reason">Why, 1 to 500 characters and up to 1,018 bytes of UTF-8; it stands in the public journal.</param>
/// <param name="To">Code of the account that gets it: the one it was meant for unless you give a participant's or the treasury's.</param>
/// <param name="DryRun">Only say what would be answered now.</param>
public sealed record PayOutSuspenseInput(
    string IdempotencyKey,
    string Account,
    Amount Amount,
    string Reason,
    string? To = null,
    [property: DefaultValue(false)] bool DryRun = false) : IGovernInput;

public sealed partial class Mutation
{
    /// <summary>
    /// Stops an account: it neither pays nor is paid. What the network owes it waits in its suspense account. From the second steward on
    /// another one has to approve it.
    /// </summary>
    /// <param name="input">The account.</param>
    [Allow(Roles.Steward)]
    public static Task<LedgerPayload> FreezeAccount(
        IResolveFieldContext context, [FromServices] Approvals approvals, GovernAccountInput input, CancellationToken ct) =>
        GovernAsync(context, approvals, input, new FreezeAccount(input.Account, ChartOfAccounts.Lmr, input.Reason), ct);

    /// <summary>Lets a frozen account take part again. From the second steward on another one has to approve it.</summary>
    /// <param name="input">The account.</param>
    [Allow(Roles.Steward)]
    public static Task<LedgerPayload> UnfreezeAccount(
        IResolveFieldContext context, [FromServices] Approvals approvals, GovernAccountInput input, CancellationToken ct) =>
        GovernAsync(context, approvals, input, new UnfreezeAccount(input.Account, ChartOfAccounts.Lmr, input.Reason), ct);

    /// <summary>Ends an empty account for good. From the second steward on another one has to approve it.</summary>
    /// <param name="input">The account.</param>
    [Allow(Roles.Steward)]
    public static Task<LedgerPayload> CloseAccount(
        IResolveFieldContext context, [FromServices] Approvals approvals, GovernAccountInput input, CancellationToken ct) =>
        GovernAsync(context, approvals, input, new CloseAccount(input.Account, ChartOfAccounts.Lmr, input.Reason), ct);

    /// <summary>Changes how far an account may go down. From the second steward on another one has to approve it.</summary>
    /// <param name="input">The account and its floor.</param>
    [Allow(Roles.Steward)]
    public static Task<LedgerPayload> ChangeFloor(
        IResolveFieldContext context, [FromServices] Approvals approvals, ChangeFloorInput input, CancellationToken ct) =>
        input.Floor is null == input.Unbounded
            ? GovernAsync(
                context, approvals, input, new ChangeFloor(input.Account, ChartOfAccounts.Lmr, input.Floor, input.Reason), ct)
            : Task.FromResult(LedgerPayload.Refused(LedgerCodes.Reject(LedgerCodes.InvalidRequest, "floor")));

    /// <summary>
    /// Sends the money of a transaction back, whole or in part; together never more than it moved. From the second steward on another
    /// one has to approve it.
    /// </summary>
    /// <param name="input">The transaction.</param>
    [Allow(Roles.Steward)]
    public static Task<LedgerPayload> ReverseTransaction(
        IResolveFieldContext context, [FromServices] Approvals approvals, ReverseTransactionInput input, CancellationToken ct) =>
        GovernAsync(context, approvals, input, new ReverseTransaction(input.Transaction, input.Reason, input.ToParts()), ct);

    /// <summary>
    /// Pays what waits in suspense to the account it was meant for, once that one is neither frozen nor closed, or to where it belongs
    /// instead. From the second steward on another one has to approve it.
    /// </summary>
    /// <param name="input">Whose money, how much of it, and who gets it.</param>
    [Allow(Roles.Steward)]
    public static async Task<LedgerPayload> PayOutSuspense(
        IResolveFieldContext context, [FromServices] Approvals approvals, PayOutSuspenseInput input, CancellationToken ct)
    {
        var to = input.To ?? input.Account;
        if (SuspensePayout.Refuse(input.Account, to, input.Reason) is { } fault)
            return LedgerPayload.Refused(fault);
        var payout = SuspensePayout.Of(input.Account, to, input.Amount, ChartOfAccounts.Lmr, input.Reason);
        return (await GovernAsync(context, approvals, input, payout, ct)).Renamed(field => field switch
        {
            "payments[0].from" => "account",
            "payments[0].to" => "to",
            "payments[0].amount" => "amount",
            "metadata" => "reason",
            _ => field,
        });
    }

    private static Task<LedgerPayload> GovernAsync(
        IResolveFieldContext context, Approvals approvals, IGovernInput input, LedgerCommand command, CancellationToken ct) =>
        approvals.AskAsync(new LedgerRequest(context.Actor(), input.IdempotencyKey, command), input.DryRun, ct);
}
