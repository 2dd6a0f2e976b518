using CsCheck;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Domain.Tests.Ledger;

/// <summary>A random request, and the clock when it comes.</summary>
internal sealed record TimedRequest(LedgerRequest Request, DateTimeOffset Now);

/// <summary>
/// Random requests that meet each other: few accounts in two assets, small balances and some at the border of 64 bits, holds and
/// transactions that are there, keys that were used, and requests that come again, as they were or changed in one field.
/// </summary>
internal static class AnyLedger
{
    /// <summary>The second asset: nobody has any at first, so that balances reach both ends of 64 bits exactly.</summary>
    public const string Gem = "GEM";

    private const string Lmr = ChartOfAccounts.Lmr;

    /// <summary>Journal versions that <see cref="Open"/> takes.</summary>
    private const int OpeningEvents = 10;

    private static readonly string[] Codes =
    [
        "network/emission", "network/fees", "participant/a/available", "participant/b/available", "escrow/1",
        "escrow/2", "suspense/participant/a/available", "chain/x",
    ];

    // The fees in GEM are not opened: what pays them is refused, until somebody opens them.
    private static readonly AccountKey[] Opened =
    [
        .. Codes.Where(code => ChartOfAccounts.RuleOf(code)!.Opening == Opening.Explicit).Select(code => new AccountKey(code, Lmr)),
        new(Codes[0], Gem), new(Codes[2], Gem), new(Codes[7], Gem),
    ];

    private static readonly string[] Rich = [Codes[2], Codes[3]];

    private static readonly Actor[] Actors =
        [Actor.System("test"), new("participant_a", Roles.None), new("participant_s", Roles.Steward)];

    private static readonly Gen<string> AnyAsset = Gen.Frequency((4, Gen.Const(Lmr)), (1, Gen.Const(Gem)));

    private static readonly Gen<Amount> Units = Gen.Long[1, 40].Select(units => new Amount(units));

    private static readonly Gen<Amount> Border = Gen.Frequency((3, Gen.Long[long.MaxValue - 2, long.MaxValue]), (1, Gen.Const(1L << 62)))
        .Select(units => new Amount(units));

    private static readonly Gen<TransactionReference?> AnyReference = Gen.Frequency(
        (3, Gen.Const((TransactionReference?)null)), (1, Gen.Int[1, 2].Select(id => (TransactionReference?)new TransactionReference("order", $"{id}"))));

    // No map and an empty one are the same; so are two orders of the same pairs.
    private static readonly Gen<IReadOnlyDictionary<string, string>?> AnyMetadata = Gen.Int[0, 7].Select(kind => kind switch
    {
        0 => new Dictionary<string, string>(StringComparer.Ordinal),
        1 => new Dictionary<string, string>(StringComparer.Ordinal) { ["a"] = "1" },
        2 => new Dictionary<string, string>(StringComparer.Ordinal) { ["a"] = "1", ["b"] = "2" },
        3 => new Dictionary<string, string>(StringComparer.Ordinal) { ["b"] = "2", ["a"] = "1" },
        _ => (IReadOnlyDictionary<string, string>?)null,
    });

    private static readonly Gen<Posting> AnyPosting =
        Gen.Select(OneOf(Codes), OneOf(Codes), Gen.Frequency((9, Units), (1, Border)), AnyAsset)
            .Select((from, to, amount, asset) => new Posting(from, to, amount, asset));

    // Between the unbounded accounts of the second asset, which nothing else moves much.
    private static readonly Gen<Posting> AtTheBorder = Gen.Select(Gen.Bool, Gen.Frequency((2, Border), (1, Units)))
        .Select((outwards, amount) => outwards ? new Posting(Codes[0], Codes[7], amount, Gem) : new Posting(Codes[7], Codes[0], amount, Gem));

    private static readonly Gen<LedgerCommand> AnyTransaction =
        Gen.Select(Gen.Frequency((9, AnyPosting.List[1, 4]), (1, AtTheBorder.List[1, 2])), AnyReference, AnyMetadata)
            .Select((postings, reference, metadata) => (LedgerCommand)new PostTransaction("test", postings, reference, metadata));

    // Holds and transactions are named by journal versions: most often by that of one of the last ones asked for, see Aimed.
    private static readonly Gen<long> Guess = Gen.Frequency((4, Gen.Long[-6, -1]), (1, Gen.Long[1, 60]));

    // Of those who have something, of the second asset's source, and of anybody.
    private static readonly Gen<AccountKey> Holder = Gen.Frequency(
        (6, OneOf(Rich).Select(code => new AccountKey(code, Lmr))), (1, Gen.Const(new AccountKey(Codes[0], Gem))),
        (2, Gen.Select(OneOf(Codes), AnyAsset).Select((code, asset) => new AccountKey(code, asset))));

    private static readonly Gen<LedgerCommand> AnyHold =
        Gen.Select(Holder, Gen.Frequency((12, Units), (1, Border)), Gen.Int[-2, 20], AnyReference, AnyMetadata)
            .Select((holder, units, seconds, reference, metadata) => (LedgerCommand)new HoldFunds(
                "test", holder.Code, units, LedgerBook.Start.AddSeconds(seconds), reference, metadata, holder.Asset));

    private static readonly Gen<LedgerCommand> AnyHoldCommand = Gen.Frequency(
        (6, AnyHold),
        (4, Gen.Select(Guess, Gen.Select(OneOf(Codes), Gen.Long[1, 15].Select(units => new Amount(units))).List[1, 3], Gen.Bool).Select((hold, payments, finish) =>
            (LedgerCommand)new CaptureHold(hold, [.. payments.Select(p => new HoldPayment(p.Item1, p.Item2))], finish))),
        (2, Guess.Select(hold => (LedgerCommand)new ReleaseHold(hold))),
        (3, Guess.Select(hold => (LedgerCommand)new ExpireHold(hold))),
        (4, Gen.Select(Guess, Gen.Select(Gen.Int[0, 3], Units).List[0, 3]).Select((transaction, parts) =>
            (LedgerCommand)new ReverseTransaction(
                transaction, "x", parts.Count == 0 ? null : [.. parts.Select(p => new ReversalPart(p.Item1, p.Item2))]))));

    private static readonly Gen<long?> AnyFloor = Gen.Frequency(
        (8, Gen.Long[-20, 5].Select(floor => (long?)floor)), (1, Gen.Const((long?)null)), (1, Gen.Const((long?)long.MinValue)));

    private static readonly Gen<LedgerCommand> AnyCommand = Gen.Frequency(
        (8, AnyTransaction),
        (16, AnyHoldCommand),
        (2, Gen.Select(OneOf(Codes), AnyAsset).Select((code, asset) => (LedgerCommand)new OpenAccount(code, asset))),
        (2, Gen.Select(Gen.Frequency((2, OneOf(Rich)), (1, OneOf(Codes))), AnyAsset)
            .Select((code, asset) => (LedgerCommand)new FreezeAccount(code, asset, "x"))),
        (1, Gen.Select(OneOf(Codes), AnyAsset).Select((code, asset) => (LedgerCommand)new UnfreezeAccount(code, asset, "x"))),
        (1, Gen.Select(OneOf(Codes), AnyAsset).Select((code, asset) => (LedgerCommand)new CloseAccount(code, asset, "x"))),
        (1, Gen.Select(OneOf(Codes), AnyAsset, AnyFloor)
            .Select((code, asset, floor) => (LedgerCommand)new ChangeFloor(code, asset, floor, "x"))));

    private static readonly Gen<LedgerRequest> AnyRequest =
        Gen.Select(Gen.Frequency((3, Gen.Const(Actors[0])), (2, OneOf(Actors))), Gen.Int[0, 80], AnyCommand)
            .Select((actor, key, command) => new LedgerRequest(actor, $"k{key}", command));

    // A clock that mostly goes on, sometimes jumps, and sometimes falls.
    private static readonly Gen<DateTimeOffset> AnyTime =
        Gen.Frequency((20, Gen.Int[0, 8]), (1, Gen.Int[-60, 40])).Select(seconds => LedgerBook.Start.AddSeconds(seconds));

    /// <summary>Up to 80 requests after <see cref="Open"/>.</summary>
    public static Gen<List<TimedRequest>> Requests { get; } =
        Gen.Select(AnyRequest, AnyTime, Gen.Int[0, 7], Gen.Int[0, 79], Gen.Int[0, 4]).List[1, 80].Select(drawn =>
        {
            var (requests, version) = (new List<TimedRequest>(drawn.Count), (long)OpeningEvents);
            var (holds, movements) = (new List<long>(), new List<long>());
            foreach (var (request, now, again, which, field) in drawn)
            {
                if (again == 0 && requests.Count > 0)
                {
                    requests.Add(new(Changed(requests[which % requests.Count].Request, field), now));
                    continue;
                }

                requests.Add(new(request with { Command = Aimed(request.Command, holds, movements) }, now));
                if (LedgerShape.Check(request) is not null)
                    continue;
                version++;
                if (request.Command is HoldFunds)
                    holds.Add(version);
                if (request.Command is PostTransaction or CaptureHold)
                    movements.Add(version);
            }

            return requests;
        });

    /// <summary>Opens what the requests are about, in <paramref name="book"/> and where it is given in <paramref name="naive"/>.</summary>
    public static void Open(LedgerBook book, NaiveLedger? naive)
    {
        foreach (var command in Opened.Select(LedgerCommand (key) => new OpenAccount(key.Code, key.Asset)).Concat(Rich.Select(LedgerCommand (code) =>
            new PostTransaction("test", [new Posting("network/emission", code, new Amount(200))]))))
        {
            var request = new LedgerRequest(Actors[0], $"open-{book.State.Version}", command);
            book.Submit(request);
            naive?.Submit(request, LedgerBook.Start);
        }

        Assert.Equal(OpeningEvents, book.State.Version);
    }

    // Negative numbers count back from the last one; where it stands in the journal is a guess that mostly holds.
    private static LedgerCommand Aimed(LedgerCommand command, List<long> holds, List<long> movements)
    {
        return command switch
        {
            CaptureHold c => c with { Hold = Of(holds, c.Hold) },
            ReleaseHold c => c with { Hold = Of(holds, c.Hold) },
            ExpireHold c => c with { Hold = Of(holds, c.Hold) },
            ReverseTransaction c => c with { Transaction = Of(movements, c.Transaction) },
            _ => command,
        };

        static long Of(List<long> known, long drawn) =>
            drawn > 0 ? drawn : known.Count == 0 ? 1 : known[Math.Max(0, known.Count + (int)drawn)];
    }

    // The same request, or one that differs from it in one field: the key's first outcome, or a conflict.
    private static LedgerRequest Changed(LedgerRequest request, int field) => (request.Command, field) switch
    {
        (PostTransaction c, 1) => request with { Command = c with { Reference = new TransactionReference("order", "3") } },
        (PostTransaction c, 2) => request with { Command = c with { Metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["c"] = "" } } },
        (PostTransaction c, 3) => request with
        {
            Command = c with { Postings = [.. c.Postings.Skip(1), c.Postings[0] with { Asset = c.Postings[0].Asset == Gem ? Lmr : Gem }] },
        },
        (HoldFunds c, 1) => request with { Command = c with { Reference = new TransactionReference("order", "3") } },
        (HoldFunds c, 2) => request with { Command = c with { Metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["c"] = "" } } },
        (HoldFunds c, 3) => request with { Command = c with { Deadline = c.Deadline.AddMilliseconds(1) } },
        _ => request,
    };

    private static Gen<T> OneOf<T>(T[] items) => Gen.Int[0, items.Length - 1].Select(i => items[i]);
}
