using System.Globalization;
using Lumora.Domain.Ledger;

namespace Lumora.Projections.Ledger;

/// <summary>Says which rule an event breaks that the fold did not take.</summary>
internal static class JournalFaults
{
    /// <summary>What is wrong with <paramref name="next"/>.</summary>
    /// <param name="state">As the events before it left it.</param>
    /// <param name="next">The event.</param>
    /// <param name="message">What the fold said.</param>
    public static (string Code, string Expected, string Actual) Diagnose(LedgerState state, JournalEvent next, string message)
    {
        if (next.At < state.At)
            return (LedgerFindingCodes.JournalTime, $"at or after {state.At:O}", $"{next.At:O}");
        if (next.Event is ILedgerEvent { Id: { } id } && state.Outcome(OutcomeId.Of(next.Actor, id)) is { } first)
            return (LedgerFindingCodes.OutcomeDuplicate, Text($"one outcome of {next.Actor} for {id}, at version {first.JournalVersion}"), "a second one");
        return Exceeded(state, next.Event) ?? BrokenFloor(state, next.Event)
            ?? (LedgerFindingCodes.JournalEvent, "an event that follows", message);
    }

    private static (string, string, string)? Exceeded(LedgerState state, object @event)
    {
        if (@event is not TransactionReversed reversed || state.Movement(reversed.Transaction) is not { } movement)
            return null;
        foreach (var part in reversed.Reversed)
        {
            if (part.Posting < 0 || part.Posting >= movement.Postings.Count)
                continue;
            var (left, back) = (movement.Postings[part.Posting].Amount.Units - movement.Reversed[part.Posting], part.Amount.Units);
            if (back > left)
                return (LedgerFindingCodes.ReversalExceeded, Text($"at most {left} of posting {part.Posting} of version {movement.Version}"), Text($"{back}"));
        }

        return null;
    }

    private static (string, string, string)? BrokenFloor(LedgerState state, object @event) => @event switch
    {
        TransactionPosted e => BrokenFloor(state, LedgerMovement.Resolve(e.Postings, e.ToSuspense)),
        TransactionReversed e => BrokenFloor(state, LedgerMovement.Resolve(e.Postings, e.ToSuspense)),
        FundsHeld e => BrokenFloor(state, new AccountKey(e.Code, e.Asset), -e.Amount.Units),
        FloorChanged e when state.Account(new AccountKey(e.Code, e.Asset)) is { } account => Judge(account with { Floor = e.Floor }, 0),
        _ => null,
    };

    // As the fold does: floors are judged after the last posting, and only the payers'.
    private static (string, string, string)? BrokenFloor(LedgerState state, IReadOnlyList<Posting> postings)
    {
        var changes = new Dictionary<AccountKey, Int128>();
        foreach (var posting in postings)
        {
            var (from, to) = (new AccountKey(posting.From, posting.Asset), new AccountKey(posting.To, posting.Asset));
            changes[from] = changes.GetValueOrDefault(from) - posting.Amount.Units;
            changes[to] = changes.GetValueOrDefault(to) + posting.Amount.Units;
        }

        return changes.Where(change => change.Value < 0)
            .Select(change => BrokenFloor(state, change.Key, change.Value)).FirstOrDefault(broken => broken is not null);
    }

    private static (string, string, string)? BrokenFloor(LedgerState state, AccountKey key, Int128 change) =>
        state.Account(key) is { } account ? Judge(account, change) : null;

    private static (string, string, string)? Judge(LedgerAccount account, Int128 change)
    {
        var free = (Int128)account.Balance - account.Held + change;
        return account.Floor is { } floor && free < floor
            ? (LedgerFindingCodes.FloorBroken, Text($"{account.Key.Code} at {floor} {account.Key.Asset} or above"), Text($"{free}"))
            : null;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
