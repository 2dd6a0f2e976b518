using System.Globalization;

namespace Lumora.Domain.Ledger;

/// <summary>
/// What postings would do: every one in order on working balances, then the floors of all payers. A frozen or
/// closed payee of a system posting is paid into suspense instead. Changes nothing in the state.
/// </summary>
internal sealed class PostingPlan
{
    private readonly LedgerState _state;
    private readonly bool _system;
    private readonly string _list;
    // A transaction touches few accounts, most often two: a list is searched faster than a table is made.
    private readonly List<LedgerAccount> _working = new(2);
    private List<AccountKey>? _opened;
    private List<int>? _toSuspense;

    private PostingPlan(LedgerState state, bool system, string list) =>
        (_state, _system, _list) = (state, system, list);

    /// <summary>Accounts that the postings open, in order; null = none.</summary>
    public IReadOnlyList<AccountKey>? Opened => _opened;

    /// <summary>Indexes of postings that go to suspense; null = none.</summary>
    public IReadOnlyList<int>? ToSuspense => _toSuspense;

    /// <summary>Plans <paramref name="postings"/>; refused with the code and field of the first one at fault.</summary>
    /// <param name="state">Not changed.</param>
    /// <param name="system">Whether the network itself asks.</param>
    /// <param name="postings">In order.</param>
    /// <param name="list">How the request calls them, for the field of a refusal.</param>
    /// <param name="unheld">The account whose money is no longer held, and how much of it, before anything moves.</param>
    /// <param name="plan">Null when refused.</param>
    public static Ruling? Refuse(
        LedgerState state, bool system, IReadOnlyList<Posting> postings, string list, (AccountKey Key, long Units)? unheld,
        out PostingPlan plan)
    {
        plan = new PostingPlan(state, system, list);
        if (unheld is { } hold && plan.Find(hold.Key) is { } holder)
            plan.Put(holder with { Held = holder.Held - hold.Units });
        return plan.OpenByPosting(postings) ?? plan.Move(postings) ?? plan.CheckFloors(postings);
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
                return Refuse(LedgerCodes.Of(status.Value), i, "to");
            (_toSuspense ??= []).Add(i);
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
                return Refuse(LedgerCodes.Of(payer.Status), i, "from");
            var to = _toSuspense?.Contains(i) == true ? ChartOfAccounts.Suspense(posting.To) : posting.To;
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
        (_opened ??= []).Add(key);
        Put(new LedgerAccount(0, key, 0, 0, rule.Floor, AccountStatus.Open, 0));
        return true;
    }

    private bool TryMove(LedgerAccount account, long amount)
    {
        var balance = (Int128)account.Balance + amount;
        if (balance < long.MinValue || balance > long.MaxValue)
            return false;
        Put(account with { Balance = (long)balance });
        return true;
    }

    private void Put(LedgerAccount account)
    {
        var index = _working.FindIndex(other => other.Key == account.Key);
        if (index < 0)
            _working.Add(account);
        else
            _working[index] = account;
    }

    private LedgerAccount? Find(AccountKey key)
    {
        foreach (var account in _working)
        {
            if (account.Key == key)
                return account;
        }

        return _state.Account(key);
    }

    private Ruling Refuse(string code, int index, string field) =>
        Ruling.Refuse(code, string.Create(CultureInfo.InvariantCulture, $"{_list}[{index}].{field}"));
}
