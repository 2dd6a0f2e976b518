using System.Numerics;
using System.Text.Json;
using CsCheck;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Domain.Tests.Ledger;

public sealed class LedgerPropertyTests
{
    private static readonly string[] Codes =
    [
        "network/emission", "network/fees", "participant/a/available", "participant/b/available", "escrow/1",
        "escrow/2", "suspense/participant/a/available",
    ];

    private static readonly Actor[] Actors =
        [Actor.System("test"), new("participant_a", Roles.None), new("participant_s", Roles.Steward)];

    private static readonly Gen<Posting> AnyPosting =
        from kind in Gen.Int[0, 9]
        from units in kind == 0 ? Gen.Long[long.MaxValue - 2, long.MaxValue] : Gen.Long[1, 40]
        from ends in Gen.Select(OneOf(Codes), OneOf(Codes))
        select new Posting(ends.Item1, ends.Item2, new Amount(units));

    private static readonly Gen<LedgerCommand> AnyCommand = Gen.Frequency(
        (8, AnyPosting.List[1, 4].Select(p => (LedgerCommand)new PostTransaction("test", p))),
        (2, OneOf(Codes).Select(c => (LedgerCommand)new OpenAccount(c))),
        (1, OneOf(Codes).Select(c => (LedgerCommand)new FreezeAccount(c, "LMR", "x"))),
        (1, OneOf(Codes).Select(c => (LedgerCommand)new UnfreezeAccount(c, "LMR", "x"))),
        (1, OneOf(Codes).Select(c => (LedgerCommand)new CloseAccount(c, "LMR", "x"))),
        (1, Gen.Select(OneOf(Codes), Gen.Long[-20, 5])
            .Select((c, floor) => (LedgerCommand)new ChangeFloor(c, "LMR", floor, "x"))));

    private static readonly Gen<List<LedgerRequest>> AnyRequests =
        Gen.Select(OneOf(Actors), Gen.Int[0, 30], AnyCommand)
            .Select((actor, key, command) => new LedgerRequest(actor, $"k{key}", command))
            .List[1, 60];

    [Fact]
    public void Every_answer_and_balance_agrees_with_a_naive_ledger() => AnyRequests.Sample(requests =>
    {
        var (book, naive) = (new LedgerBook(), new NaiveLedger());
        Open(book, naive);
        foreach (var request in requests)
        {
            var answer = book.Submit(request) switch
            {
                LedgerOutcome.Posted posted => ("ok", posted.Replayed),
                LedgerOutcome.Refused refused => (refused.Rejection.Code, refused.Replayed),
                var other => throw new InvalidOperationException(other.ToString()),
            };
            Assert.Equal(naive.Submit(request), answer);
        }

        Assert.Equal(
            naive.Balances.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => (pair.Key, pair.Value)),
            book.State.Accounts.OrderBy(account => account.Key.Code, StringComparer.Ordinal)
                .Select(account => (account.Key.Code, (BigInteger)account.Balance)));
    });

    [Fact]
    public void The_sum_is_zero_and_no_floor_is_crossed_after_any_requests() => AnyRequests.Sample(requests =>
    {
        var book = new LedgerBook();
        Open(book, null);
        foreach (var request in requests)
        {
            book.Submit(request);
            Assert.Equal(0, book.Sum());
            Assert.All(book.State.Accounts, account => Assert.True(account.RespectsFloor));
        }

        Assert.Equal(0, book.Entries.Aggregate(Int128.Zero, (sum, entry) => sum + entry.Amount));
    });

    [Fact]
    public void Replaying_the_journal_through_its_json_gives_the_same_state_and_entries() => AnyRequests.Sample(requests =>
    {
        var book = new LedgerBook();
        Open(book, null);
        foreach (var request in requests)
            book.Submit(request);
        var (replayed, entries) = (new LedgerState(keepMovements: true), new List<LedgerEntry>());
        foreach (var written in book.Journal)
        {
            var json = JsonSerializer.Serialize(written.Event, written.Event.GetType(), WireJson.Events);
            var read = JsonSerializer.Deserialize(json, written.Event.GetType(), WireJson.Events)!;
            entries.AddRange(replayed.Apply(written with { Event = read }));
        }

        Assert.Equal(book.State.Accounts, replayed.Accounts);
        Assert.Equal(book.State.Outcomes, replayed.Outcomes);
        Assert.Equal(book.Entries, entries);
    });

    private static Gen<T> OneOf<T>(T[] items) => Gen.Int[0, items.Length - 1].Select(i => items[i]);

    private static void Open(LedgerBook book, NaiveLedger? naive)
    {
        foreach (var code in Codes.Where(code => ChartOfAccounts.RuleOf(code)!.Opening == Opening.Explicit))
        {
            var request = new LedgerRequest(Actors[0], $"open-{code}", new OpenAccount(code));
            book.Submit(request);
            naive?.Submit(request);
        }
    }
}
