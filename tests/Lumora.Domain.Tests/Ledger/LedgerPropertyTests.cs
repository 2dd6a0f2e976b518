using System.Numerics;
using System.Text.Json;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Domain.Tests.Ledger;

/// <summary>The ledger under random requests: see <see cref="AnyLedger"/> for what they are, <see cref="LedgerSample"/> for how many.</summary>
public sealed class LedgerPropertyTests
{
    [Fact]
    public void Every_answer_and_balance_agrees_with_a_naive_ledger() => LedgerSample.Holds(requests =>
        AssertAgrees(requests, (ledger, request, now) => ledger.Submit(request, now)));

    [Fact]
    public void An_all_or_nothing_call_does_what_its_requests_do_one_after_the_other_or_nothing_but_say_why() =>
        LedgerSample.Holds(requests =>
        {
            var (book, naive) = (new LedgerBook(), new NaiveLedger());
            AnyLedger.Open(book, naive);
            foreach (var group in requests.Where(r => LedgerShape.Check(r.Request) is null).Chunk(3))
            {
                (naive, var expected) = naive.TryAll([.. group.Select(r => r.Request)], group[0].Now);
                Assert.Equal(expected, AnswersOf(book, group));
                Assert.Equal(naive.Version, book.State.Version);
                AssertSame(naive, book);
            }
        });

    [Fact]
    public void The_same_all_or_nothing_call_again_is_answered_alike_whatever_has_happened_since() => LedgerSample.Holds(requests =>
    {
        var book = new LedgerBook();
        AnyLedger.Open(book, null);
        var calls = new List<(TimedRequest[] Group, List<(string Code, bool Replayed)> Answers)>();
        foreach (var group in requests.Where(r => LedgerShape.Check(r.Request) is null).Chunk(3))
            calls.Add((group, AnswersOf(book, group)));
        foreach (var (group, answers) in calls.Where(call => call.Answers.All(answer => answer.Code == "ok" || IsStored(answer.Code))))
        {
            var version = book.State.Version;
            Assert.Equal(answers.Select(answer => (answer.Code, answer.Code != LedgerCodes.BulkRefused)), AnswersOf(book, group));
            Assert.Equal(version, book.State.Version);
        }

        static bool IsStored(string code) => code is not (LedgerCodes.HoldNotDue or LedgerCodes.IdempotencyConflict);
    });

    [Fact]
    public void The_sum_is_zero_and_no_floor_is_crossed_after_any_requests() => LedgerSample.Holds(requests =>
    {
        var book = new LedgerBook();
        AnyLedger.Open(book, null);
        foreach (var (request, now) in requests)
        {
            book.Submit(request, now);
            Assert.All(book.Sums(), sum => Assert.Equal(0, sum.Value));
            Assert.All(book.State.Accounts, account => Assert.True(account.RespectsFloor));
            Assert.All(book.State.Accounts, account => Assert.Equal(
                account.Held, book.State.Holds.Where(hold => hold.Account == account.Key).Sum(hold => hold.Left)));
        }

        Assert.Equal(0, book.Entries.Aggregate(Int128.Zero, (sum, entry) => sum + entry.Amount));
    });

    [Fact]
    public void A_finished_hold_never_moves_again_and_captures_never_exceed_it() => LedgerSample.Holds(requests =>
    {
        var book = new LedgerBook();
        AnyLedger.Open(book, null);
        var finished = new Dictionary<long, LedgerHold>();
        foreach (var (request, now) in requests)
        {
            book.Submit(request, now);
            foreach (var hold in book.State.Holds)
            {
                Assert.True(hold.Captured <= hold.Amount && hold.Left >= 0 && hold.Captured + hold.Left <= hold.Amount);
                if (hold.Status == HoldStatus.Open)
                    continue;
                Assert.Equal(0, hold.Left);
                Assert.Equal(hold, finished.GetValueOrDefault(hold.Number) ?? (finished[hold.Number] = hold));
            }
        }
    });

    [Fact]
    public void Reversals_never_move_more_than_their_transaction_did() => LedgerSample.Holds(requests =>
    {
        var book = new LedgerBook();
        AnyLedger.Open(book, null);
        foreach (var (request, now) in requests)
            book.Submit(request, now);
        foreach (var reversed in book.Journal.Select(written => written.Event).OfType<TransactionReversed>().GroupBy(e => e.Transaction))
        {
            var original = LedgerMovement.Of(reversed.Key, book.Journal[(int)reversed.Key - 1].Event)!;
            foreach (var part in reversed.SelectMany(e => e.Reversed).GroupBy(part => part.Posting))
                Assert.True(part.Sum(p => p.Amount.Units) <= original.Postings[part.Key].Amount.Units);
        }
    });

    [Fact]
    public void Running_sums_by_prefix_are_the_sums_of_the_accounts() => LedgerSample.Holds(requests =>
    {
        var book = new LedgerBook();
        AnyLedger.Open(book, null);
        foreach (var (request, now) in requests)
            book.Submit(request, now);
        var sums = LedgerRollUps.ChangesOf(book.State);
        foreach (var (prefix, asset) in book.State.Accounts.SelectMany(a => LedgerRollUps.PrefixesOf(a.Key.Code).Select(prefix => (prefix, a.Key.Asset))).Distinct())
        {
            var below = book.State.Accounts
                .Where(a => a.Key.Asset == asset && a.Key.Code.StartsWith(prefix + "/", StringComparison.Ordinal)).ToList();
            Assert.True(LedgerRollUps.Has(prefix));
            var sum = Assert.Single(sums, s => s.Prefix == prefix && s.Asset == asset);
            Assert.Equal(below.Count, sum.Accounts);
            Assert.Equal(below.Aggregate(Int128.Zero, (total, a) => total + a.Balance), sum.Balance);
            Assert.Equal(below.Aggregate(Int128.Zero, (total, a) => total + a.Held), sum.Held);
        }
    });

    [Fact]
    public void Replaying_the_journal_through_its_json_gives_the_same_state_and_entries() => LedgerSample.Holds(requests =>
    {
        var book = new LedgerBook();
        AnyLedger.Open(book, null);
        foreach (var (request, now) in requests)
            book.Submit(request, now);
        var (replayed, entries) = (new LedgerState(keepMovements: true), new List<LedgerEntry>());
        foreach (var written in book.Journal)
        {
            var json = JsonSerializer.Serialize(written.Event, written.Event.GetType(), WireJson.Events);
            var read = JsonSerializer.Deserialize(json, written.Event.GetType(), WireJson.Events)!;
            entries.AddRange(replayed.Apply(written with { Event = read }));
        }

        Assert.Equal(book.State.Accounts.OrderBy(a => a.Number), replayed.Accounts.OrderBy(a => a.Number));
        Assert.Equal(book.State.Holds.OrderBy(h => h.Number), replayed.Holds.OrderBy(h => h.Number));
        Assert.Equal(book.State.Outcomes.OrderBy(o => o.JournalVersion), replayed.Outcomes.OrderBy(o => o.JournalVersion));
        Assert.Equal(book.Entries, entries);
    });

    private static List<(string Code, bool Replayed)> AnswersOf(LedgerBook book, TimedRequest[] group) =>
        [.. book.SubmitAll([.. group.Select(r => r.Request)], group[0].Now).Select(LedgerBook.CodeOf)];

    /// <summary>Fails unless <paramref name="submit"/> answers as the ledger does, and both end up with the same accounts.</summary>
    internal static void AssertAgrees(List<TimedRequest> requests, NaiveSubmit submit)
    {
        var (book, naive) = (new LedgerBook(), new NaiveLedger());
        AnyLedger.Open(book, naive);
        foreach (var (request, now) in requests)
            Assert.Equal(submit(naive, request, now), LedgerBook.CodeOf(book.Submit(request, now)));
        AssertSame(naive, book);
    }

    private static void AssertSame(NaiveLedger naive, LedgerBook book) => Assert.Equal(
        naive.Balances.Select(pair => (pair.Key, pair.Value, naive.Held(pair.Key))).OrderBy(row => row.Key.ToString(), StringComparer.Ordinal),
        book.State.Accounts.Select(account => (account.Key, (BigInteger)account.Balance, (BigInteger)account.Held))
            .OrderBy(row => row.Key.ToString(), StringComparer.Ordinal));
}
