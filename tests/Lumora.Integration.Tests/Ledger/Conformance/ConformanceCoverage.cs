using System.Collections.Concurrent;
using System.Globalization;
using Lumora.Domain.Ledger;
using Lumora.Domain.Tests.Ledger;

namespace Lumora.Integration.Tests.Ledger.Conformance;

/// <summary>What a run has met so far, and what it has not met yet: a run that met little says little.</summary>
internal sealed class ConformanceCoverage
{
    private static readonly string[] Expected =
    [
        .. new[]
        {
            nameof(PostTransaction), nameof(HoldFunds), nameof(CaptureHold), nameof(ReleaseHold), nameof(ExpireHold), nameof(ReverseTransaction),
            nameof(OpenAccount), nameof(FreezeAccount), nameof(UnfreezeAccount), nameof(CloseAccount), nameof(ChangeFloor),
        }.Select(command => $"{command} ok"),
        LedgerCodes.UnknownAccount, LedgerCodes.InsufficientFunds, LedgerCodes.AccountFrozen, LedgerCodes.AccountClosed, LedgerCodes.AccountExists,
        LedgerCodes.AccountNotEmpty, LedgerCodes.AccountNotFrozen, LedgerCodes.Overflow, LedgerCodes.SameAccount, LedgerCodes.UnknownHold,
        LedgerCodes.HoldExpired, LedgerCodes.HoldFinished, LedgerCodes.HoldExceeded, LedgerCodes.HoldNotDue, LedgerCodes.InvalidDeadline,
        LedgerCodes.UnknownTransaction, LedgerCodes.ReversalExceeded, LedgerCodes.IdempotencyConflict, LedgerCodes.BulkRefused, LedgerCodes.Forbidden,
        "the network pays", "two assets in one transaction", "a hold of the second asset", "metadata", "reference", "an escrow", "suspense",
        "suspense of the second asset", "suspense paid out", "group ok", "group refused", "group ok while commits get lost", "group refused while commits get lost",
        "group ok again while commits get lost", "group refused again while commits get lost",
    ];

    private readonly ConcurrentDictionary<string, int> _seen = new(StringComparer.Ordinal);

    /// <summary>What has not come yet.</summary>
    public IEnumerable<string> Missing => Expected.Except(_seen.Keys, StringComparer.Ordinal);

    /// <summary>Counts what an answered call was about.</summary>
    public void Note(Flight flight)
    {
        if (flight.Requests.Count > 1)
            Add($"group {(flight.Answers.All(answer => answer.Code == LedgerAnswer.Ok) ? "ok" : "refused")}"
                + (flight.Answers.Any(answer => answer.Replayed) ? " again" : "") + (flight.MayBeRepeated ? " while commits get lost" : ""));
        foreach (var (request, answer) in flight.Requests.Zip(flight.Answers))
        {
            Add($"{request.Command.GetType().Name} {answer.Code}");
            Add(answer.Code);
            if (answer.Code != LedgerAnswer.Ok)
                continue;
            if (request.Command is PostTransaction post)
                NoteAccepted(request, post);
            if (request.Command is HoldFunds { Asset: NetworkRequests.Gem })
                Add("a hold of the second asset");
        }
    }

    /// <summary>Counts what accounts there are.</summary>
    public void Note(NaiveLedger ledger)
    {
        if (ledger.Balances.Keys.Any(key => key.Code.StartsWith("escrow/", StringComparison.Ordinal)))
            Add("an escrow");
        foreach (var key in ledger.Balances.Keys.Where(key => key.Code.StartsWith("suspense/", StringComparison.Ordinal)))
            Add(key.Asset == NetworkRequests.Gem ? "suspense of the second asset" : "suspense");
    }

    public override string ToString() => string.Join(
        ", ", _seen.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key} {pair.Value}")));

    private void NoteAccepted(LedgerRequest request, PostTransaction post)
    {
        if (ChartOfAccounts.IsSystem(request.Actor))
            Add("the network pays");
        if (SuspensePayout.Read(post) is not null)
            Add("suspense paid out");
        if (post.Postings.DistinctBy(posting => posting.Asset).Count() > 1)
            Add("two assets in one transaction");
        if (post.Metadata is not null)
            Add("metadata");
        if (post.Reference is not null)
            Add("reference");
    }

    private void Add(string what) => _seen.AddOrUpdate(what, 1, (_, count) => count + 1);
}
