using System.Globalization;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Ledger;

/// <summary>Decides reversals: new postings from where the money went to where it came from.</summary>
internal static class ReversalDecider
{
    public static Ruling Decide(LedgerState state, LedgerRequest request, ReverseTransaction command)
    {
        if (state.Movement(command.Transaction) is not { } movement)
            return Ruling.Refuse(LedgerCodes.UnknownTransaction, "transaction");
        if (PartsOf(movement, command, out var parts) is { } refusal)
            return refusal;
        var postings = parts.Select(part => Back(movement.Postings[part.Posting], part.Amount)).ToList();
        return PostingPlan.Refuse(
                state, ChartOfAccounts.IsSystem(request.Actor), postings, "parts", unheld: null, out var plan)
            ?? Ruling.Accept(new TransactionReversed(
                request.Key, command.Transaction, command.Reason, command.Parts, parts, postings, movement.Reference,
                plan.Opened, plan.ToSuspense));
    }

    private static Posting Back(Posting posting, Amount amount) => new(posting.To, posting.From, amount, posting.Asset);

    // Without parts: all that is left, the last posting first, so that money which went through an account leaves it
    // as it came.
    private static Ruling? PartsOf(
        LedgerMovement movement, ReverseTransaction command, out IReadOnlyList<ReversalPart> parts)
    {
        parts = command.Parts ?? [.. Enumerable.Range(0, movement.Postings.Count).Reverse()
            .Select(i => new ReversalPart(i, new Amount(LeftOf(movement, i)))).Where(part => part.Amount > Amount.Zero)];
        if (parts.Count == 0)
            return Ruling.Refuse(LedgerCodes.ReversalExceeded, "transaction");
        for (var i = 0; i < parts.Count; i++)
        {
            var (posting, amount) = parts[i];
            if (posting >= movement.Postings.Count || amount.Units > LeftOf(movement, posting))
                return Ruling.Refuse(
                    LedgerCodes.ReversalExceeded, string.Create(CultureInfo.InvariantCulture, $"parts[{i}]"));
        }

        return null;
    }

    private static long LeftOf(LedgerMovement movement, int posting) =>
        movement.Postings[posting].Amount.Units - movement.Reversed[posting];
}
