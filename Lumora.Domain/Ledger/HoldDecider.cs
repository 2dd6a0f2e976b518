using Lumora.Domain.Kernel;

namespace Lumora.Domain.Ledger;

/// <summary>Decides what happens to holds. A deadline holds by the ledger's time, however late its sweeper is.</summary>
internal static class HoldDecider
{
    public static Ruling Decide(LedgerState state, LedgerRequest request, HoldFunds command, DateTimeOffset at)
    {
        var key = new AccountKey(command.Code, command.Asset);
        if (state.Account(key) is not { } account)
            return Ruling.Refuse(LedgerCodes.UnknownAccount, "code");
        if (account.Status != AccountStatus.Open)
            return Ruling.Refuse(LedgerCodes.Of(account.Status), "code");
        var deadline = Moment.Truncate(command.Deadline);
        if (deadline <= at || deadline - at > TimeSpan.FromDays(LedgerLimits.HoldDaysMax))
            return Ruling.Refuse(LedgerCodes.InvalidDeadline, "deadline");
        var held = (Int128)account.Held + command.Amount.Units;
        if (held > long.MaxValue)
            return Ruling.Refuse(LedgerCodes.Overflow, "amount");
        if (!(account with { Held = (long)held }).RespectsFloor)
            return Ruling.Refuse(LedgerCodes.InsufficientFunds, "amount");
        return Ruling.Accept(new FundsHeld(
            request.Key, command.Kind, command.Code, command.Asset, command.Amount, deadline, command.Reference,
            command.Metadata is { Count: > 0 } metadata ? metadata : null));
    }

    public static Ruling Decide(LedgerState state, LedgerRequest request, CaptureHold command, DateTimeOffset at)
    {
        if (Find(state, request, command.Hold, out var hold) is { } missing)
            return missing;
        if (at > hold.Deadline)
            return Ruling.Refuse(LedgerCodes.HoldExpired, "hold");
        var asked = command.Payments.Aggregate(Int128.Zero, (sum, payment) => sum + payment.Amount.Units);
        if (asked > hold.Left)
            return Ruling.Refuse(LedgerCodes.HoldExceeded, "payments");
        var captured = (long)asked;
        var released = command.Finish ? hold.Left - captured : 0;
        var postings = command.Payments
            .Select(payment => new Posting(hold.Account.Code, payment.To, payment.Amount, hold.Account.Asset)).ToList();
        return PostingPlan.Refuse(
                state, ChartOfAccounts.IsSystem(request.Actor), postings, "payments", (hold.Account, captured + released), out var plan)
            ?? Ruling.Accept(new HoldCaptured(
                request.Key, hold.Number, hold.Kind, hold.Account.Code, hold.Account.Asset, command.Payments, command.Finish,
                new Amount(released), hold.Reference, plan.Opened, plan.ToSuspense));
    }

    public static Ruling Decide(LedgerState state, LedgerRequest request, ReleaseHold command) =>
        Find(state, request, command.Hold, out var hold) ?? Ruling.Accept(new HoldReleased(
            request.Key, hold.Number, hold.Account.Code, hold.Account.Asset, new Amount(hold.Left)));

    // Too early is told and not recorded: a clock that jumped must not keep a hold for ever.
    public static Ruling Decide(LedgerState state, LedgerRequest request, ExpireHold command, DateTimeOffset at)
    {
        if (Find(state, request, command.Hold, out var hold) is { } missing)
            return missing;
        return at > hold.Deadline
            ? Ruling.Accept(new HoldExpired(
                request.Key, hold.Number, hold.Account.Code, hold.Account.Asset, new Amount(hold.Left)))
            : Ruling.Refuse(LedgerCodes.HoldNotDue, "hold");
    }

    private static Ruling? Find(LedgerState state, LedgerRequest request, long number, out LedgerHold hold)
    {
        hold = state.Hold(number)!;
        if (hold is null || (!ChartOfAccounts.IsSystem(request.Actor)
                && !string.Equals(hold.Maker, request.Actor.Id, StringComparison.Ordinal)))
            return Ruling.Refuse(LedgerCodes.UnknownHold, "hold");
        return hold.Status switch
        {
            HoldStatus.Open => null,
            HoldStatus.Expired => Ruling.Refuse(LedgerCodes.HoldExpired, "hold"),
            _ => Ruling.Refuse(LedgerCodes.HoldFinished, "hold"),
        };
    }
}
