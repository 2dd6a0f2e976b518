using System.Globalization;

namespace Lumora.Domain.Ledger;

/// <summary>
/// Decides one transaction: every posting in order on working balances, then the floors of all payers. A frozen or
/// closed payee of a system posting is paid into suspense instead.
/// </summary>
internal sealed class TransactionDecider
{
    private readonly LedgerState _state;
    private readonly bool _system;
    private readonly Dictionary<AccountKey, LedgerAccount> _working = [];
    private readonly List<AccountKey> _opened = [];
    private readonly List<int> _toSuspense = [];

    private TransactionDecider(LedgerState state, bool system) => (_state, _system) = (state, system);

    public static Ruling Decide(LedgerState state, LedgerRequest request, PostTransaction post)
    {
        var decider = new TransactionDecider(state, ChartOfAccounts.IsSystem(request.Actor));
        return decider.OpenByPosting(post.Postings)
            ?? decider.Move(post.Postings)
            ?? decider.CheckFloors(post.Postings)
            ?? Ruling.Accept(new TransactionPosted(
                request.Key, post.Kind, post.Postings, post.Reference,
                post.Metadata is { Count: > 0 } metadata ? metadata : null,
                decider._opened.Count == 0 ? null : decider._opened,
                decider._toSuspense.Count == 0 ? null : decider._toSuspense));
    }

    // All payees first: an escrow may pay on in the very transaction that opens it, in any order of postings.
    private Ruling? OpenByPosting(IReadOnlyList<Posting> postings)
    {
        for (var i = 0; i < postings.Count; i++)
        {
            var payee = new AccountKey(postings[i].To, postings[i].Asset);
            var status = Find(payee)?.Status;
            if (status is null && !TryOpen(payee))
                return Refuse(LedgerCodes.UnknownAccount, i, "to");
            if (status is null or AccountStatus.Open)
                continue;
            var suspense = new AccountKey(ChartOfAccounts.Suspense(payee.Code), payee.Asset);
            if (!_system || suspense == payee || (Find(suspense) is null && !TryOpen(suspense))
                || Find(suspense)!.Status != AccountStatus.Open)
                return Refuse(CodeOf(status.Value), i, "to");
            _toSuspense.Add(i);
        }

        return null;
    }

    private Ruling? Move(IReadOnlyList<Posting> postings)
    {
        for (var i = 0; i < postings.Count; i++)
        {
            var posting = postings[i];
            var payer = Find(new AccountKey(posting.From, posting.Asset));
            if (payer is null)
                return Refuse(LedgerCodes.UnknownAccount, i, "from");
            if (payer.Status != AccountStatus.Open)
                return Refuse(CodeOf(payer.Status), i, "from");
            var to = _toSuspense.Contains(i) ? ChartOfAccounts.Suspense(posting.To) : posting.To;
            if (string.Equals(to, posting.From, StringComparison.Ordinal))
                return Refuse(LedgerCodes.SameAccount, i, "to");
            var payee = Find(new AccountKey(to, posting.Asset))!;
            if (!TryMove(payer, -posting.Amount.Units) || !TryMove(payee, posting.Amount.Units))
                return Refuse(LedgerCodes.Overflow, i, "amount");
        }

        return null;
    }

    private Ruling? CheckFloors(IReadOnlyList<Posting> postings)
    {
        for (var i = 0; i < postings.Count; i++)
        {
            if (!Find(new AccountKey(postings[i].From, postings[i].Asset))!.RespectsFloor)
                return Refuse(LedgerCodes.InsufficientFunds, i, "amount");
        }

        return null;
    }

    private bool TryOpen(AccountKey key)
    {
        if (ChartOfAccounts.RuleOf(key.Code) is not { Opening: not Opening.Explicit } rule)
            return false;
        _opened.Add(key);
        _working[key] = new LedgerAccount(0, key, 0, 0, rule.Floor, AccountStatus.Open, 0);
        return true;
    }

    private bool TryMove(LedgerAccount account, long amount)
    {
        var balance = (Int128)account.Balance + amount;
        if (balance < long.MinValue || balance > long.MaxValue)
            return false;
        _working[account.Key] = account with { Balance = (long)balance };
        return true;
    }

    private LedgerAccount? Find(AccountKey key) => _working.GetValueOrDefault(key) ?? _state.Account(key);

    private static string CodeOf(AccountStatus status) =>
        status == AccountStatus.Frozen ? LedgerCodes.AccountFrozen : LedgerCodes.AccountClosed;

    private static Ruling Refuse(string code, int index, string field) =>
        Ruling.Refuse(code, string.Create(CultureInfo.InvariantCulture, $"postings[{index}].{field}"));
}
