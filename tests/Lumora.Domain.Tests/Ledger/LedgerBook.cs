using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Domain.Tests.Ledger;

/// <summary>A ledger in memory: shape, decision, fold; keeps its journal so that it can be replayed.</summary>
internal sealed class LedgerBook
{
    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private int _keys;

    public LedgerState State { get; } = new(keepMovements: true);

    public List<JournalEvent> Journal { get; } = [];

    public List<LedgerEntry> Entries { get; } = [];

    public LedgerOutcome Submit(LedgerRequest request, DateTimeOffset? now = null)
    {
        if (LedgerShape.Check(request) is { } fault)
            return new LedgerOutcome.Refused(fault, Replayed: false);
        var step = LedgerDecider.Step(State, PreparedRequest.Of(request), now ?? Start);
        if (step.Event is not null)
            Journal.Add(step.Event);
        Entries.AddRange(step.Entries);
        return step.Outcome;
    }

    public IReadOnlyList<LedgerOutcome> SubmitAll(IReadOnlyList<LedgerRequest> requests, DateTimeOffset? now = null)
    {
        var steps = LedgerDecider.StepAll(State, [.. requests.Select(PreparedRequest.Of)], now ?? Start);
        Journal.AddRange(steps.Where(step => step.Event is not null).Select(step => step.Event!));
        Entries.AddRange(steps.SelectMany(step => step.Entries));
        return [.. steps.Select(step => step.Outcome)];
    }

    public void Accepts(Actor actor, LedgerCommand command, DateTimeOffset? now = null) =>
        Assert.IsType<LedgerOutcome.Posted>(Submit(new LedgerRequest(actor, NextKey(), command), now));

    public void Refuses(Actor actor, LedgerCommand command, string code)
    {
        var refused = Assert.IsType<LedgerOutcome.Refused>(Submit(new LedgerRequest(actor, NextKey(), command)));
        Assert.Equal(code, refused.Rejection.Code);
    }

    public long Balance(string code) => State.Account(new AccountKey(code, ChartOfAccounts.Lmr))!.Balance;

    /// <summary>Σ of all balances, by asset.</summary>
    public Dictionary<string, Int128> Sums() => State.Accounts.GroupBy(account => account.Key.Asset, StringComparer.Ordinal).ToDictionary(
        accounts => accounts.Key, accounts => accounts.Aggregate(Int128.Zero, (sum, account) => sum + account.Balance), StringComparer.Ordinal);

    public Int128 Sum() => State.Accounts.Aggregate(Int128.Zero, (sum, account) => sum + account.Balance);

    public static (string Code, bool Replayed) CodeOf(LedgerOutcome outcome) => outcome switch
    {
        LedgerOutcome.Posted posted => ("ok", posted.Replayed),
        LedgerOutcome.Refused refused => (refused.Rejection.Code, refused.Replayed),
        var other => throw new InvalidOperationException(other.ToString()),
    };

    private string NextKey() => $"auto-{_keys++}";
}
