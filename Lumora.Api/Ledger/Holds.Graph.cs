using GraphQL;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;

namespace Lumora.Api.GraphQL;

/// <summary>Money of an account that is promised: two-phase money. A finished hold never moves again.</summary>
/// <param name="Number">Its name: the place in the journal of the event that made it.</param>
/// <param name="Code">Code of the account whose money it is.</param>
/// <param name="Asset">What the account counts.</param>
/// <param name="Kind">What the money is held for, in snake_case.</param>
/// <param name="Reference">The business object behind it, where there is one.</param>
/// <param name="Amount">What was held at first, in base units.</param>
/// <param name="AmountFormatted">What was held at first, for people.</param>
/// <param name="Left">What is held still, in base units; 0 when it is finished.</param>
/// <param name="LeftFormatted">What is held still, for people.</param>
/// <param name="Captured">What was paid out, in base units.</param>
/// <param name="CapturedFormatted">What was paid out, for people.</param>
/// <param name="Deadline">The last moment at which it can be captured.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="Maker">Who made it; null when that is somebody else and you are no auditor or steward.</param>
/// <param name="JournalVersion">The place in the journal of the last event that changed it.</param>
public sealed record HoldView(
    long Number,
    string Code,
    string Asset,
    string Kind,
    TransactionReference? Reference,
    Amount Amount,
    string AmountFormatted,
    Amount Left,
    string LeftFormatted,
    Amount Captured,
    string CapturedFormatted,
    DateTimeOffset Deadline,
    HoldStatus Status,
    string? Maker,
    long JournalVersion)
{
    internal static HoldView Of(LedgerHold hold, Actor reader)
    {
        var (code, asset) = hold.Account;
        return new(
            hold.Number, code, asset, hold.Kind, hold.Reference, new Amount(hold.Amount),
            SignedUnits.Format(hold.Amount, asset), new Amount(hold.Left), SignedUnits.Format(hold.Left, asset),
            new Amount(hold.Captured), SignedUnits.Format(hold.Captured, asset), hold.Deadline, hold.Status,
            LedgerReaders.MayReadActor(reader, hold.Maker) ? hold.Maker : null, hold.Version);
    }
}

public sealed partial class Query
{
    /// <summary>A hold on an account of yours or made by you; auditors and stewards see all. Null when there is none to see.</summary>
    /// <param name="number">The hold's number.</param>
    [AllowSignedIn]
    public static async Task<HoldView?> Hold(
        IResolveFieldContext context, [FromServices] LedgerHoldQueries holds, long number, CancellationToken ct)
    {
        var reader = context.Actor();
        return await holds.HoldAsync(ShardRole.Global, number, ct) is { } hold
            && (hold.Maker == reader.Id || ChartOfAccounts.MayReadEntries(reader, hold.Account.Code))
                ? HoldView.Of(hold, reader)
                : null;
    }

    /// <summary>
    /// The holds on an account of yours, newest first; auditors and stewards see all accounts. Null when there is no such
    /// account or it is not yours to see.
    /// </summary>
    /// <param name="code">The account's code.</param>
    /// <param name="asset">What it counts; LMR when not given.</param>
    /// <param name="status">Only those that stand so; all when not given.</param>
    [AllowSignedIn]
    public static async Task<Connection<HoldView>?> Holds(
        IResolveFieldContext context,
        [FromServices] LedgerQueries ledger,
        [FromServices] LedgerHoldQueries holds,
        string code,
        string? asset,
        HoldStatus? status,
        PageRequest page,
        CancellationToken ct)
    {
        var (reader, known, range) = (context.Actor(), LedgerArguments.Asset(asset), LedgerArguments.NewestFirst(page));
        if (!await LedgerReaders.SeesEntriesAsync(ledger, reader, code, known, ct))
            return null;
        var rows = await holds.HoldsAsync(ShardRole.Global, code, known, status, range, ct);
        return page.Page([.. rows.Select(hold => HoldView.Of(hold, reader))], hold => LedgerArguments.Key(hold.Number));
    }
}
