using System.Collections.Concurrent;
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

    private static readonly string[] Rich = [Codes[2], Codes[3]];

    private static readonly Actor[] Actors =
        [Actor.System("test"), new("participant_a", Roles.None), new("participant_s", Roles.Steward)];

    private static readonly Gen<Posting> AnyPosting =
        from kind in Gen.Int[0, 9]
        from units in kind == 0 ? Gen.Long[long.MaxValue - 2, long.MaxValue] : Gen.Long[1, 40]
        from ends in Gen.Select(OneOf(Codes), OneOf(Codes))
        select new Posting(ends.Item1, ends.Item2, new Amount(units));

    private static readonly Gen<Amount> Units = Gen.Long[1, 40].Select(units => new Amount(units));

    // Holds and transactions are named by journal versions: the first ones after the openings are hit often.
    private static readonly Gen<long> Guess = Gen.Frequency((3, Gen.Long[7, 16]), (1, Gen.Long[1, 60]));

    private static readonly Gen<LedgerCommand> AnyHoldCommand = Gen.Frequency(
        (6, Gen.Select(Gen.Frequency((3, OneOf(Rich)), (1, OneOf(Codes))), Units, Gen.Int[-2, 20]).Select((code, units, seconds) =>
            (LedgerCommand)new HoldFunds("test", code, units, LedgerBook.Start.AddSeconds(seconds)))),
        (4, Gen.Select(Guess, Gen.Select(OneOf(Codes), Gen.Long[1, 15].Select(units => new Amount(units))).List[1, 3], Gen.Bool).Select((hold, payments, finish) =>
            (LedgerCommand)new CaptureHold(hold, [.. payments.Select(p => new HoldPayment(p.Item1, p.Item2))], finish))),
        (1, Guess.Select(hold => (LedgerCommand)new ReleaseHold(hold))),
        (2, Guess.Select(hold => (LedgerCommand)new ExpireHold(hold))),
        (4, Gen.Select(Guess, Gen.Select(Gen.Int[0, 3], Units).List[0, 3]).Select((transaction, parts) =>
            (LedgerCommand)new ReverseTransaction(
                transaction, "x", parts.Count == 0 ? null : [.. parts.Select(p => new ReversalPart(p.Item1, p.Item2))]))));

    private static readonly Gen<LedgerCommand> AnyCommand = Gen.Frequency(
        (8, AnyPosting.List[1, 4].Select(p => (LedgerCommand)new PostTransaction("test", p))),
        (16, AnyHoldCommand),
        (2, OneOf(Codes).Select(c => (LedgerCommand)new OpenAccount(c))),
        (1, OneOf(Codes).Select(c => (LedgerCommand)new FreezeAccount(c, "LMR", "x"))),
        (1, OneOf(Codes).Select(c => (LedgerCommand)new UnfreezeAccount(c, "LMR", "x"))),
        (1, OneOf(Codes).Select(c => (LedgerCommand)new CloseAccount(c, "LMR", "x"))),
        (1, Gen.Select(OneOf(Codes), Gen.Long[-20, 5])
            .Select((c, floor) => (LedgerCommand)new ChangeFloor(c, "LMR", floor, "x"))));

    private static readonly Gen<LedgerRequest> AnyRequest = Gen.Select(Gen.Frequency((3, Gen.Const(Actors[0])), (2, OneOf(Actors))), Gen.Int[0, 80], AnyCommand)
        .Select((actor, key, command) => new LedgerRequest(actor, $"k{key}", command));

    // A clock that mostly goes on, sometimes jumps, and sometimes falls.
    private static readonly Gen<List<(LedgerRequest Request, DateTimeOffset Now)>> AnyRequests =
        Gen.Select(AnyRequest, Gen.Frequency((20, Gen.Int[0, 8]), (1, Gen.Int[-60, 40])))
            .Select((request, seconds) => (request, LedgerBook.Start.AddSeconds(seconds)))
            .List[1, 80];

    [Fact]
    public void Every_answer_and_balance_agrees_with_a_naive_ledger() => AnyRequests.Sample(requests =>
    {
        var (book, naive) = (new LedgerBook(), new NaiveLedger());
        Open(book, naive);
        foreach (var (request, now) in requests)
            Assert.Equal(naive.Submit(request, now), CodeOf(book.Submit(request, now)));
        AssertSame(naive, book);
    });

    [Fact]
    public void An_all_or_nothing_call_does_what_its_requests_do_one_after_the_other_or_nothing_but_say_why() =>
        AnyRequests.Sample(requests =>
        {
            var (book, naive) = (new LedgerBook(), new NaiveLedger());
            Open(book, naive);
            foreach (var group in requests.Where(r => LedgerShape.Check(r.Request) is null).Chunk(3))
            {
                var now = group[0].Now;
                var attempt = naive.Clone();
                var expected = group.Select(r => attempt.Submit(r.Request, now)).ToList();
                var answers = book.SubmitAll([.. group.Select(r => r.Request)], now).Select(CodeOf).ToList();
                var culprit = expected.FindIndex(answer => answer.Code != "ok");
                if (culprit < 0)
                {
                    Assert.Equal(expected, answers);
                    naive = attempt;
                    continue;
                }

                Assert.Equal(expected[culprit], answers[culprit]);
                Assert.All(answers.Where((_, i) => i != culprit), answer => Assert.Equal((LedgerCodes.BulkRefused, false), answer));
                AssertSame(naive, book);
                if (book.State.Version == naive.Version)
                    continue;

                // What was recorded is the refusal, and it is given again to whoever repeats the request alone.
                naive.Record(group[culprit].Request, expected[culprit].Code, now);
                Assert.Equal((expected[culprit].Code, true), CodeOf(book.Submit(group[culprit].Request, now)));
            }

            AssertSame(naive, book);
        });

    [Fact]
    public void The_random_requests_reach_every_command_and_every_code_that_depends_on_the_state()
    {
        var seen = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        AnyRequests.Sample(
            requests =>
            {
                var book = new LedgerBook();
                Open(book, null);
                foreach (var (request, now) in requests)
                    seen.AddOrUpdate($"{request.Command.GetType().Name} {CodeOf(book.Submit(request, now)).Code}", 1, (_, count) => count + 1);
            },
            iter: 2_000, seed: "0000KOIPe3P3");
        string[] expected =
        [
            .. new[]
            {
                nameof(PostTransaction), nameof(HoldFunds), nameof(CaptureHold), nameof(ReleaseHold), nameof(ExpireHold),
                nameof(ReverseTransaction), nameof(FreezeAccount), nameof(UnfreezeAccount), nameof(CloseAccount), nameof(ChangeFloor),
            }.Select(command => $"{command} ok"),
            $"{nameof(HoldFunds)} {LedgerCodes.InvalidDeadline}", $"{nameof(HoldFunds)} {LedgerCodes.InsufficientFunds}",
            $"{nameof(HoldFunds)} {LedgerCodes.AccountFrozen}", $"{nameof(CaptureHold)} {LedgerCodes.HoldExpired}",
            $"{nameof(CaptureHold)} {LedgerCodes.HoldFinished}", $"{nameof(CaptureHold)} {LedgerCodes.HoldExceeded}",
            $"{nameof(CaptureHold)} {LedgerCodes.UnknownHold}", $"{nameof(CaptureHold)} {LedgerCodes.SameAccount}",
            $"{nameof(ExpireHold)} {LedgerCodes.HoldNotDue}", $"{nameof(ReverseTransaction)} {LedgerCodes.UnknownTransaction}",
            $"{nameof(ReverseTransaction)} {LedgerCodes.ReversalExceeded}",
            $"{nameof(ReverseTransaction)} {LedgerCodes.InsufficientFunds}", $"{nameof(PostTransaction)} {LedgerCodes.Overflow}",
            $"{nameof(PostTransaction)} {LedgerCodes.IdempotencyConflict}", $"{nameof(CloseAccount)} {LedgerCodes.AccountNotEmpty}",
        ];
        Assert.Equal([], expected.Except(seen.Keys, StringComparer.Ordinal));
    }

    [Fact]
    public void The_sum_is_zero_and_no_floor_is_crossed_after_any_requests() => AnyRequests.Sample(requests =>
    {
        var book = new LedgerBook();
        Open(book, null);
        foreach (var (request, now) in requests)
        {
            book.Submit(request, now);
            Assert.Equal(0, book.Sum());
            Assert.All(book.State.Accounts, account => Assert.True(account.RespectsFloor));
            Assert.All(book.State.Accounts, account => Assert.Equal(
                account.Held, book.State.Holds.Where(hold => hold.Account == account.Key).Sum(hold => hold.Left)));
        }

        Assert.Equal(0, book.Entries.Aggregate(Int128.Zero, (sum, entry) => sum + entry.Amount));
    });

    [Fact]
    public void A_finished_hold_never_moves_again_and_captures_never_exceed_it() => AnyRequests.Sample(requests =>
    {
        var book = new LedgerBook();
        Open(book, null);
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
    public void Reversals_never_move_more_than_their_transaction_did() => AnyRequests.Sample(requests =>
    {
        var book = new LedgerBook();
        Open(book, null);
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
    public void Running_sums_by_prefix_are_the_sums_of_the_accounts() => AnyRequests.Sample(requests =>
    {
        var book = new LedgerBook();
        Open(book, null);
        foreach (var (request, now) in requests)
            book.Submit(request, now);
        var sums = LedgerRollUps.ChangesOf(book.State);
        foreach (var prefix in book.State.Accounts.SelectMany(a => LedgerRollUps.PrefixesOf(a.Key.Code)).Distinct(StringComparer.Ordinal))
        {
            var below = book.State.Accounts.Where(a => a.Key.Code.StartsWith(prefix + "/", StringComparison.Ordinal)).ToList();
            Assert.True(LedgerRollUps.Has(prefix));
            var sum = Assert.Single(sums, s => s.Prefix == prefix);
            Assert.Equal(below.Count, sum.Accounts);
            Assert.Equal(below.Aggregate(Int128.Zero, (total, a) => total + a.Balance), sum.Balance);
            Assert.Equal(below.Aggregate(Int128.Zero, (total, a) => total + a.Held), sum.Held);
        }
    });

    [Fact]
    public void Replaying_the_journal_through_its_json_gives_the_same_state_and_entries() => AnyRequests.Sample(requests =>
    {
        var book = new LedgerBook();
        Open(book, null);
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

    [Fact]
    public void A_wrong_posting_in_the_journal_is_caught_by_the_fold()
    {
        // The canary: were the fold to follow these, nothing else in this class would be worth anything.
        Posting[] wrong =
        [
            new("participant/a/available", "participant/b/available", new Amount(201)),
            new("participant/b/available", "participant/nobody/available", new Amount(1)),
            new("participant/nobody/available", "participant/b/available", new Amount(1)),
            new("participant/a/available", "participant/b/available", Amount.Zero),
        ];
        foreach (var posting in wrong)
        {
            var book = new LedgerBook();
            Open(book, null);
            var canary = new TransactionPosted("canary", "test", [posting]);
            Assert.Throws<InvariantViolationException>(() => book.State.Apply(
                new JournalEvent(book.State.Version + 1, "system:test", book.State.At, canary)));
        }
    }

    private static (string Code, bool Replayed) CodeOf(LedgerOutcome outcome) => outcome switch
    {
        LedgerOutcome.Posted posted => ("ok", posted.Replayed),
        LedgerOutcome.Refused refused => (refused.Rejection.Code, refused.Replayed),
        var other => throw new InvalidOperationException(other.ToString()),
    };

    private static void AssertSame(NaiveLedger naive, LedgerBook book)
    {
        Assert.Equal(
            naive.Balances.OrderBy(pair => pair.Key, StringComparer.Ordinal)
                .Select(pair => (pair.Key, pair.Value, naive.Held(pair.Key))),
            book.State.Accounts.OrderBy(account => account.Key.Code, StringComparer.Ordinal)
                .Select(account => (account.Key.Code, (BigInteger)account.Balance, (BigInteger)account.Held)));
    }

    private static Gen<T> OneOf<T>(T[] items) => Gen.Int[0, items.Length - 1].Select(i => items[i]);

    private static void Open(LedgerBook book, NaiveLedger? naive)
    {
        Submit(Codes.Where(code => ChartOfAccounts.RuleOf(code)!.Opening == Opening.Explicit).Select(LedgerCommand (code) => new OpenAccount(code)));
        Submit(Codes.Where(code => code.StartsWith("participant/", StringComparison.Ordinal)).Select(LedgerCommand (code) =>
            new PostTransaction("test", [new Posting("network/emission", code, new Amount(200))])));

        void Submit(IEnumerable<LedgerCommand> commands)
        {
            foreach (var command in commands)
            {
                var request = new LedgerRequest(Actors[0], $"open-{book.State.Version}", command);
                book.Submit(request);
                naive?.Submit(request, LedgerBook.Start);
            }
        }
    }
}
