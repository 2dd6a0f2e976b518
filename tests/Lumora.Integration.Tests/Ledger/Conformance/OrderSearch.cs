using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Domain.Tests.Ledger;

namespace Lumora.Integration.Tests.Ledger.Conformance;

/// <summary>One thing that was in flight, with what its client finally got.</summary>
/// <param name="Requests">One, or those of an all-or-nothing call.</param>
/// <param name="Answers">An answer to each.</param>
/// <param name="MayBeRepeated">
/// An earlier attempt's answer may have been lost. What it did, it did once: the answer then is that of the same call asked again.
/// </param>
internal sealed record Flight(
    IReadOnlyList<LedgerRequest> Requests, IReadOnlyList<LedgerAnswer> Answers, bool MayBeRepeated = false)
{
    public override string ToString() => string.Join("; ", Requests.Zip(
        Answers, (request, answer) => $"{request.Actor.Id} {request.Key} {request.Command} => {answer}"));
}

/// <summary>
/// Whether the answers of what was in flight at once fit some order (linearizability): tries the orders, and the moments
/// at which a deadline may have passed, on copies of the naive ledger. Answers fix what happened, so the state after a
/// set of requests is the same in every order that fits; a set that led nowhere is not tried again.
/// </summary>
internal sealed class OrderSearch(NaiveSubmit submit)
{
    /// <summary>The plain rules: people may only pay from their own account to other people's, then the naive ledger.</summary>
    public static (string Code, bool Replayed) Plain(NaiveLedger ledger, LedgerRequest request, DateTimeOffset now) =>
        IsForbidden(request) ? (LedgerCodes.Forbidden, false) : ledger.Submit(request, now);

    /// <summary>The ledger after <paramref name="flights"/> in an order that fits all answers; null: there is none.</summary>
    /// <param name="before">Not changed.</param>
    /// <param name="flights">Up to 20.</param>
    /// <param name="from">When the first was sent.</param>
    /// <param name="to">When the last was answered.</param>
    public NaiveLedger? Find(NaiveLedger before, IReadOnlyList<Flight> flights, DateTimeOffset from, DateTimeOffset to)
    {
        // A deadline inside the interval may have passed for some and not for others.
        List<DateTimeOffset> moments =
        [
            from, .. before.Deadlines.Concat(DeadlinesOf(flights)).Where(deadline => deadline >= from && deadline < to).Order()
                .Select(deadline => deadline.AddMicroseconds(1)), to,
        ];
        return Place(before, 0, new HashSet<(int, DateTimeOffset)>());

        NaiveLedger? Place(NaiveLedger ledger, int placed, HashSet<(int, DateTimeOffset)> deadEnds)
        {
            if (placed == (1 << flights.Count) - 1)
                return ledger;
            if (deadEnds.Contains((placed, ledger.At)))
                return null;
            for (var i = 0; i < flights.Count; i++)
            {
                if ((placed & (1 << i)) == 0 && Next(ledger, flights[i], moments) is { } next
                    && Place(next, placed | (1 << i), deadEnds) is { } last)
                    return last;
            }

            deadEnds.Add((placed, ledger.At));
            return null;
        }
    }

    private static IEnumerable<DateTimeOffset> DeadlinesOf(IEnumerable<Flight> flights) =>
        flights.SelectMany(flight => flight.Requests).Select(request => request.Command).OfType<HoldFunds>().Select(hold => hold.Deadline);

    // The earliest moment that fits leaves the most to those that follow.
    private NaiveLedger? Next(NaiveLedger ledger, Flight flight, List<DateTimeOffset> moments) => moments
        .Select(now => flight.Requests.Count == 1 ? One(ledger, flight, now) : All(ledger, flight, now))
        .FirstOrDefault(next => next is not null);

    private NaiveLedger? One(NaiveLedger ledger, Flight flight, DateTimeOffset now)
    {
        var next = ledger.Clone();
        return Fits(next, submit(next, flight.Requests[0], now), flight, 0) ? next : null;
    }

    private static bool IsForbidden(LedgerRequest request) =>
        request.Actor.Roles == Roles.None && !request.Actor.Id.StartsWith("system:", StringComparison.Ordinal)
        && request.Command is PostTransaction post && post.Postings.Any(p => p.From != $"participant/{request.Actor.Id}/available");

    private NaiveLedger? All(NaiveLedger ledger, Flight flight, DateTimeOffset now)
    {
        // What needs no state is looked at first, in every request of the call.
        if (flight.Requests.Any(IsForbidden))
        {
            return AreThese(flight, [.. flight.Requests.Select(request => (IsForbidden(request) ? LedgerCodes.Forbidden : LedgerCodes.BulkRefused, false))])
                ? ledger
                : null;
        }

        var (next, expected) = ledger.TryAll(flight.Requests, now, submit);
        if (!AreThese(flight, expected) && !(flight.MayBeRepeated && AreThese(flight, next.TryAll(flight.Requests, now, submit).Answers)))
            return null;
        return flight.Requests.Zip(flight.Answers).All(one => one.Second.Code != LedgerAnswer.Ok || one.Second.Version == next.JournalVersionOf(one.First))
            ? next
            : null;
    }

    private static bool AreThese(Flight flight, List<(string Code, bool Replayed)> expected) =>
        flight.Answers.Select(answer => (answer.Code, answer.Replayed)).SequenceEqual(expected);

    private static bool Fits(NaiveLedger ledger, (string Code, bool Replayed) expected, Flight flight, int index)
    {
        var answer = flight.Answers[index];
        if (answer.Code != expected.Code)
            return false;
        if (answer.Replayed != expected.Replayed && !(answer.Replayed && flight.MayBeRepeated))
            return false;
        return answer.Code != LedgerAnswer.Ok || answer.Version == ledger.JournalVersionOf(flight.Requests[index]);
    }
}
