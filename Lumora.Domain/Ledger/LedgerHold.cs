namespace Lumora.Domain.Ledger;

/// <summary>Where a hold stands.</summary>
public enum HoldStatus
{
    /// <summary>Something of it can still be captured, until its deadline.</summary>
    Open,

    /// <summary>Paid out whole, or in part with the rest released.</summary>
    Captured,

    /// <summary>Given back by its maker.</summary>
    Released,

    /// <summary>Ended by its deadline.</summary>
    Expired,
}

/// <summary>Money of an account that is promised. A finished hold never moves again.</summary>
/// <param name="Number">The journal version of its <see cref="FundsHeld"/>.</param>
/// <param name="Maker">The actor who made it.</param>
/// <param name="Account">Whose money it is.</param>
/// <param name="Kind">What for.</param>
/// <param name="Reference">The business object behind it.</param>
/// <param name="Amount">Base units that were held at first.</param>
/// <param name="Left">Base units that are held still; 0 when it is finished.</param>
/// <param name="Captured">Base units that were paid out.</param>
/// <param name="Deadline">The last moment at which it can be captured.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="Version">Journal version of the last event that touched it.</param>
public sealed record LedgerHold(
    long Number,
    string Maker,
    AccountKey Account,
    string Kind,
    TransactionReference? Reference,
    long Amount,
    long Left,
    long Captured,
    DateTimeOffset Deadline,
    HoldStatus Status,
    long Version);

/// <summary>A transaction that can be reversed: what it moved, and what of it went back.</summary>
/// <param name="Version">Its journal version.</param>
/// <param name="Postings">What moved, to where it really went (suspense included).</param>
/// <param name="Reference">The business object behind it.</param>
/// <param name="Reversed">Base units that went back, by posting.</param>
public sealed record LedgerMovement(
    long Version, IReadOnlyList<Posting> Postings, TransactionReference? Reference, IReadOnlyList<long> Reversed)
{
    // A replay keeps as many movements as there were transactions, and next to none of them ever goes back.
    private static readonly long[][] Zeros = [.. Enumerable.Range(0, LedgerLimits.PostingsMax + 1).Select(count => new long[count])];

    /// <summary>What <paramref name="event"/> moved at <paramref name="version"/>; null when it can't be reversed.</summary>
    public static LedgerMovement? Of(long version, object @event) => @event switch
    {
        TransactionPosted e => new(version, Resolve(e.Postings, e.ToSuspense).ToArray(), e.Reference, Nothing(e.Postings.Count)),
        HoldCaptured e => new(version, PostingsOf(e), e.Reference, Nothing(e.Payments.Count)),
        _ => null,
    };

    /// <summary>The postings of a capture, to where its money really went.</summary>
    public static IReadOnlyList<Posting> PostingsOf(HoldCaptured captured) => Resolve(
        [.. captured.Payments.Select(payment => new Posting(captured.Code, payment.To, payment.Amount, captured.Asset))],
        captured.ToSuspense);

    /// <summary><paramref name="postings"/> with the payees in <paramref name="toSuspense"/> replaced by their suspense.</summary>
    public static IReadOnlyList<Posting> Resolve(IReadOnlyList<Posting> postings, IReadOnlyList<int>? toSuspense) =>
        toSuspense is null
            ? postings
            : [.. postings.Select((posting, i) => toSuspense.Contains(i)
                ? posting with { To = ChartOfAccounts.Suspense(posting.To) }
                : posting)];

    /// <summary>This with <paramref name="parts"/> gone back.</summary>
    public LedgerMovement With(IReadOnlyList<ReversalPart> parts)
    {
        var reversed = Reversed.ToArray();
        foreach (var part in parts)
            reversed[part.Posting] = checked(reversed[part.Posting] + part.Amount.Units);
        return this with { Reversed = reversed };
    }

    private static long[] Nothing(int count) => count < Zeros.Length ? Zeros[count] : new long[count];
}
