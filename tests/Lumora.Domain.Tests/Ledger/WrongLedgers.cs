using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Domain.Tests.Ledger;

/// <summary>How the naive ledger is asked: the canaries ask a wrong one.</summary>
internal delegate (string Code, bool Replayed) NaiveSubmit(NaiveLedger ledger, LedgerRequest request, DateTimeOffset now);

/// <summary>
/// The canaries: ledgers with one rule wrong each. Random tests that do not find each of them out would not find the same fault in
/// the real one either.
/// </summary>
internal static class WrongLedgers
{
    public static readonly Dictionary<string, Func<NaiveSubmit, NaiveSubmit>> All = new(StringComparer.Ordinal)
    {
        ["forgets freezes"] = right => (ledger, request, now) => request.Command is FreezeAccount freeze
            ? right(ledger, request with { Command = new ChangeFloor(freeze.Code, freeze.Asset, 0, "x") }, now)
            : right(ledger, request, now),
        ["loses a unit"] = right => (ledger, request, now) => request.Command is PostTransaction { Postings: [{ Amount.Units: > 20 } first, ..] } post
            && right(ledger.Clone(), request, now).Code == "ok"
                ? right(ledger, request with { Command = post with { Postings = [first with { Amount = first.Amount - new Amount(1) }, .. post.Postings.Skip(1)] } }, now)
                : right(ledger, request, now),
        ["takes a conflict for a replay"] = right => (ledger, request, now) =>
            right(ledger, request, now) is { Code: not LedgerCodes.IdempotencyConflict } answer ? answer : ("ok", true),
        ["credits the frozen payee instead of suspense"] = right => (ledger, request, now) =>
        {
            var before = ledger.Clone();
            var answer = right(ledger, request, now);
            foreach (var (waiting, balance) in ledger.Balances.Where(pair => IsSuspense(pair.Key)).ToList())
            {
                var credited = balance - before.Balances.GetValueOrDefault(waiting);
                if (credited <= 0 || IsPaidByName(request.Command, waiting))
                    continue;
                ledger.Balances[waiting] -= credited;
                ledger.Balances[waiting with { Code = waiting.Code["suspense/".Length..] }] += credited;
            }

            return answer;
        },
        ["opens an escrow for nobody"] = right => (ledger, request, now) =>
            request.Command is PostTransaction post && post.Postings.Any(p => p.To.StartsWith("escrow/", StringComparison.Ordinal)
                && !ledger.Balances.ContainsKey(new AccountKey(p.To, p.Asset)))
                && right(ledger.Clone(), request, now).Code == "ok"
                    ? (LedgerCodes.UnknownAccount, false)
                    : right(ledger, request, now),
        ["takes a transaction's assets for one"] = right => (ledger, request, now) =>
            request.Command is PostTransaction { Postings: [{ } first, .., { } last] } post && first.Asset != last.Asset
                && right(ledger.Clone(), request, now).Code == "ok"
                    ? right(ledger, request with { Command = post with { Postings = [.. post.Postings.Select(p => p with { Asset = first.Asset })] } }, now)
                    : right(ledger, request, now),
        ["freezes an account in all assets"] = right => (ledger, request, now) =>
            request.Command is FreezeAccount { Asset: not ChartOfAccounts.Lmr } freeze && right(ledger.Clone(), request, now).Code == "ok"
                ? right(ledger, request with { Command = freeze with { Asset = ChartOfAccounts.Lmr } }, now)
                : right(ledger, request, now),
        ["counts beyond 64 bits"] = right => (ledger, request, now) =>
            right(ledger, request, now) is { Code: not LedgerCodes.Overflow } answer ? answer : ("ok", false),
        ["does not look at reference and metadata"] = right => (ledger, request, now) => right(ledger, request with
        {
            Command = request.Command switch
            {
                PostTransaction post => post with { Reference = null, Metadata = null },
                HoldFunds hold => hold with { Reference = null, Metadata = null },
                var other => other,
            },
        }, now),
    };

    /// <summary>The names, for a theory.</summary>
    public static IEnumerable<string> Names => All.Keys;

    private static bool IsSuspense(AccountKey account) => account.Code.StartsWith("suspense/", StringComparison.Ordinal);

    private static bool IsPaidByName(LedgerCommand command, AccountKey account) => command switch
    {
        PostTransaction post => post.Postings.Any(p => p.To == account.Code),
        CaptureHold capture => capture.Payments.Any(p => p.To == account.Code),
        ReverseTransaction => true,
        _ => false,
    };
}
