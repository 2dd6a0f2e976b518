using System.Collections.Concurrent;
using CsCheck;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Domain.Tests.Ledger;

/// <summary>What the properties are worth: the requests reach everything, and what is wrong is found.</summary>
public sealed class LedgerPropertyCanaryTests
{
    private const string FixedSeed = "0000KOIPe3P3";
    private const int FixedIterations = 3_000;

    // The rarest of them comes once in some hundreds.
    private const int CoverageIterations = 10_000;

    // Every command with what it can be answered; no companion is asked for here, and a group's refusal is another property's.
    private static readonly Dictionary<string, string[]> Answers = new(StringComparer.Ordinal)
    {
        [nameof(PostTransaction)] =
        [
            "ok", "ok again", LedgerCodes.UnknownAccount, LedgerCodes.InsufficientFunds, LedgerCodes.AccountFrozen, LedgerCodes.AccountClosed,
            LedgerCodes.Overflow, LedgerCodes.SameAccount, $"{LedgerCodes.InsufficientFunds} again", LedgerCodes.IdempotencyConflict,
            LedgerCodes.Forbidden,
        ],
        [nameof(HoldFunds)] =
        [
            "ok", "ok again", LedgerCodes.UnknownAccount, LedgerCodes.InsufficientFunds, LedgerCodes.AccountFrozen, LedgerCodes.AccountClosed,
            LedgerCodes.Overflow, LedgerCodes.InvalidDeadline, LedgerCodes.IdempotencyConflict,
        ],
        [nameof(CaptureHold)] =
        [
            "ok", "ok again", LedgerCodes.UnknownHold, LedgerCodes.HoldExpired, LedgerCodes.HoldFinished, LedgerCodes.HoldExceeded,
            LedgerCodes.SameAccount, LedgerCodes.UnknownAccount, LedgerCodes.AccountFrozen,
        ],
        [nameof(ReleaseHold)] = ["ok", LedgerCodes.UnknownHold, LedgerCodes.HoldExpired, LedgerCodes.HoldFinished],
        [nameof(ExpireHold)] =
            ["ok", LedgerCodes.HoldNotDue, LedgerCodes.UnknownHold, LedgerCodes.HoldExpired, LedgerCodes.HoldFinished, LedgerCodes.Forbidden],
        [nameof(ReverseTransaction)] =
        [
            "ok", LedgerCodes.UnknownTransaction, LedgerCodes.ReversalExceeded, LedgerCodes.InsufficientFunds, LedgerCodes.AccountFrozen,
            LedgerCodes.Forbidden,
        ],
        [nameof(OpenAccount)] = ["ok", LedgerCodes.AccountExists, LedgerCodes.InvalidAccount, LedgerCodes.Forbidden],
        [nameof(FreezeAccount)] = ["ok", LedgerCodes.AccountFrozen, LedgerCodes.AccountClosed, LedgerCodes.UnknownAccount, LedgerCodes.Forbidden],
        [nameof(UnfreezeAccount)] = ["ok", LedgerCodes.AccountNotFrozen, LedgerCodes.UnknownAccount, LedgerCodes.Forbidden],
        [nameof(CloseAccount)] = ["ok", LedgerCodes.AccountNotEmpty, LedgerCodes.AccountClosed, LedgerCodes.Forbidden],
        [nameof(ChangeFloor)] = ["ok", LedgerCodes.InsufficientFunds, LedgerCodes.UnknownAccount, LedgerCodes.Forbidden],
    };

    private static readonly string[] Features =
    [
        "system posting", "a person's posting", "escrow opened by a posting", "escrow opened by a capture", "posting to suspense",
        "capture to suspense", "reversal to suspense", "paid out of suspense", "hold of the second asset", "capture of the second asset",
        "reversal of the second asset", "two assets in one transaction", "metadata", "reference", "the greatest balance",
        "the least balance", "no floor", "a clock that fell",
    ];

    public static TheoryData<string> Wrong => [.. WrongLedgers.Names];

    [Fact]
    public void The_random_requests_reach_every_command_every_answer_and_every_feature()
    {
        var seen = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        AnyLedger.Requests.Sample(requests => Count(requests, seen), seed: FixedSeed, iter: CoverageIterations);
        var expected = Answers.SelectMany(pair => pair.Value.Select(answer => $"{pair.Key} {answer}")).Concat(Features);
        Assert.Equal([], expected.Except(seen.Keys, StringComparer.Ordinal));
    }

    /// <summary>Were these not found, the properties would be worth nothing.</summary>
    [Theory]
    [MemberData(nameof(Wrong))]
    public void A_wrong_naive_ledger_is_found_out(string fault)
    {
        var wrong = WrongLedgers.All[fault]((ledger, request, now) => ledger.Submit(request, now));
        Assert.Throws<CsCheckException>(() => AnyLedger.Requests.Sample(
            requests => LedgerPropertyTests.AssertAgrees(requests, wrong), seed: FixedSeed, iter: FixedIterations));
    }

    [Fact]
    public void A_wrong_posting_in_the_journal_is_caught_by_the_fold()
    {
        const string A = "participant/a/available", B = "participant/b/available", Nobody = "participant/nobody/available";
        const string Frozen = "network/fees";
        TransactionPosted[] wrong =
        [
            Canary(A, B, 201), Canary(B, Nobody, 1), Canary(Nobody, B, 1), Canary(A, B, 0),
            // In an asset of which the payee has no account; to a frozen account; to an escrow that nobody opened; to one that is there.
            Canary(A, B, 1, AnyLedger.Gem), Canary(A, Frozen, 1), Canary(B, "escrow/1", 1),
            Canary(A, B, 1) with { Opened = [new AccountKey(A, ChartOfAccounts.Lmr)] },
            Beyond64Bits(),
        ];
        foreach (var canary in wrong)
        {
            var book = new LedgerBook();
            AnyLedger.Open(book, null);
            book.Accepts(Actor.System("test"), new FreezeAccount(Frozen, ChartOfAccounts.Lmr, "canary"));
            var fault = Assert.ThrowsAny<Exception>(() => book.State.Apply(
                new JournalEvent(book.State.Version + 1, "system:test", book.State.At, canary)));
            Assert.True(fault is InvariantViolationException or OverflowException, fault.ToString());
        }

        static TransactionPosted Canary(string from, string to, long units, string asset = ChartOfAccounts.Lmr) =>
            new("canary", "test", [new Posting(from, to, new Amount(units), asset)]);

        static TransactionPosted Beyond64Bits()
        {
            var half = new Posting("network/emission", "chain/x", new Amount(1L << 62), AnyLedger.Gem);
            return new TransactionPosted("canary", "test", [half, half]);
        }
    }

    private static void Count(List<TimedRequest> requests, ConcurrentDictionary<string, int> seen)
    {
        var book = new LedgerBook();
        AnyLedger.Open(book, null);
        var opened = book.Journal.Count;
        foreach (var (request, now) in requests)
        {
            if (now < book.State.At)
                See("a clock that fell");
            var (code, replayed) = LedgerBook.CodeOf(book.Submit(request, now));
            See($"{request.Command.GetType().Name} {code}{(replayed ? " again" : "")}");
            foreach (var account in book.State.Accounts)
            {
                if (account.Balance is long.MinValue or long.MaxValue)
                    See(account.Balance < 0 ? "the least balance" : "the greatest balance");
            }
        }

        foreach (var feature in book.Journal.Skip(opened).SelectMany(FeaturesOf))
            See(feature);

        void See(string what) => seen.AddOrUpdate(what, 1, (_, count) => count + 1);
    }

    private static IEnumerable<string> FeaturesOf(JournalEvent written) => written.Event switch
    {
        TransactionPosted e =>
        [
            written.Actor.StartsWith("system:", StringComparison.Ordinal) ? "system posting" : "a person's posting",
            .. If(OpensEscrow(e.Opened), "escrow opened by a posting"), .. If(e.ToSuspense is not null, "posting to suspense"),
            .. If(e.Postings.Any(p => p.From.StartsWith("suspense/", StringComparison.Ordinal)), "paid out of suspense"),
            .. If(e.Postings.DistinctBy(p => p.Asset).Count() > 1, "two assets in one transaction"),
            .. If(e.Metadata is not null, "metadata"), .. If(e.Reference is not null, "reference"),
        ],
        FundsHeld e => If(e.Asset == AnyLedger.Gem, "hold of the second asset"),
        HoldCaptured e =>
        [
            .. If(OpensEscrow(e.Opened), "escrow opened by a capture"), .. If(e.ToSuspense is not null, "capture to suspense"),
            .. If(e.Asset == AnyLedger.Gem, "capture of the second asset"),
        ],
        TransactionReversed e =>
        [
            .. If(e.ToSuspense is not null, "reversal to suspense"),
            .. If(e.Postings.Any(p => p.Asset == AnyLedger.Gem), "reversal of the second asset"),
        ],
        FloorChanged e => If(e.Floor is null, "no floor"),
        _ => [],
    };

    private static string[] If(bool condition, string feature) => condition ? [feature] : [];

    private static bool OpensEscrow(IReadOnlyList<AccountKey>? opened) =>
        opened?.Any(key => key.Code.StartsWith("escrow/", StringComparison.Ordinal)) == true;
}
