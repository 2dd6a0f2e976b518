using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Projections.Ledger;

namespace Lumora.Integration.Tests.Ledger.Conformance;

/// <summary>What one client fires: one request, or a bulk call.</summary>
internal sealed record Call(IReadOnlyList<LedgerRequest> Requests, BulkMode? Bulk = null);

/// <summary>
/// Random requests of people, a steward and the network, drawn so that they meet each other: few accounts, small balances,
/// holds and transactions that are there, keys that were used.
/// </summary>
internal sealed class RandomRequests(Random random, IReadOnlyList<Actor> people, Actor steward)
{
    private static readonly Actor Sweeper = Actor.System("ledger");
    private readonly NetworkRequests _network = new(random, people);
    private readonly List<LedgerRequest> _asked = [];
    private readonly List<(string Maker, long Number)> _holds = [];
    private readonly List<long> _movements = [];
    private int _keys;

    /// <summary>What a round fires at once.</summary>
    public List<Call> Round(DateTimeOffset now) => [.. Enumerable.Range(0, random.Next(1, 7)).Select(_ => Any(now))];

    /// <summary>Learns the names of holds and transactions that came to be.</summary>
    public void Learn(LedgerRequest request, LedgerAnswer answer)
    {
        if (answer is not { Code: LedgerAnswer.Ok, Replayed: false, Version: { } version })
            return;
        if (request.Command is HoldFunds)
            _holds.Add((request.Actor.Id, version));
        if (request.Command is PostTransaction or CaptureHold)
            _movements.Add(version);
    }

    private Call Any(DateTimeOffset now)
    {
        if (_asked.Count > 5 && random.Next(9) == 0)
            return new Call([random.Next(3) == 0 ? Edited(OneOf(_asked)) : OneOf(_asked)]);
        if (random.Next(7) == 0)
        {
            // Small ones: of an all-or-nothing call each has to succeed.
            var (actor, mode) = (OneOf(people), random.Next(5) > 0 ? BulkMode.AllOrNothing : BulkMode.Independent);
            return new Call([.. Enumerable.Range(0, random.Next(2, 5)).Select(_ => Ask(actor, Transfer(actor, paymentsMax: 1, unitsMax: 15)))], mode);
        }

        var (who, command) = random.Next(100) switch
        {
            < 27 => ByPerson(actor => Transfer(actor, paymentsMax: 3, unitsMax: 40)),
            < 37 => ByPerson(actor => Hold(actor, now)),
            < 47 => ByPerson(actor => new CaptureHold(
                HoldOf(actor), [.. Enumerable.Range(0, random.Next(1, 3)).Select(_ => new HoldPayment(Account(), Units(15)))],
                random.Next(3) == 0)),
            < 51 => ByPerson(actor => new ReleaseHold(HoldOf(actor))),
            < 57 => (Sweeper, new ExpireHold(AnyOf(_holds.Select(hold => hold.Number)))),
            < 70 => (NetworkRequests.Network, _network.Payment(Metadata())),
            < 74 => (NetworkRequests.Network, _network.Hold(now, Metadata())),
            < 78 => (NetworkRequests.Network, _network.Capture(AnyOf(_holds.Select(hold => hold.Number)))),
            < 80 => (NetworkRequests.Network, _network.Opening()),
            < 81 => Governed((code, asset) => new FreezeAccount(code, asset, "x")),
            < 87 => Governed((code, asset) => new UnfreezeAccount(code, asset, "x")),
            < 88 => Governed((code, asset) => new CloseAccount(code, asset, "x")),
            < 90 => (steward, SuspensePayout.Of(Account(), Account(), Units(8), ChartOfAccounts.Lmr, "x")),
            < 93 => Governed((code, asset) => new ChangeFloor(code, asset, random.Next(8) == 0 ? null : random.Next(-30, 10), "x")),
            _ => (random.Next(2) == 0 ? steward : NetworkRequests.Network, (LedgerCommand)new ReverseTransaction(AnyOf(_movements), "x", Parts())),
        };
        return new Call([Ask(who, command)]);
    }

    private (Actor, LedgerCommand) ByPerson(Func<Actor, LedgerCommand> command)
    {
        var actor = OneOf(people);
        return (actor, command(actor));
    }

    // The API's inputs know one asset; what is done to accounts of the other one, the network does.
    private (Actor, LedgerCommand) Governed(Func<string, string, LedgerCommand> command) => random.Next(3) == 0
        ? (NetworkRequests.Network, command(Account(), NetworkRequests.Gem))
        : (steward, command(Account(), ChartOfAccounts.Lmr));

    // Now and then under a key that was used for something else.
    private LedgerRequest Ask(Actor actor, LedgerCommand command)
    {
        var used = random.Next(20) == 0 ? _asked.Where(request => request.Actor == actor).Select(request => request.Key).ToList() : [];
        var request = new LedgerRequest(actor, used.Count > 0 ? OneOf(used) : $"k{_keys++}", command);
        // The sweeper derives its key from the hold.
        if (command is ExpireHold expire)
            request = request with { Key = $"expire/{expire.Hold}" };
        _asked.Add(request);
        return request;
    }

    // The key again, for a request that differs in what it is about and in nothing else.
    private LedgerRequest Edited(LedgerRequest request) => request.Command switch
    {
        PostTransaction post when SuspensePayout.Read(post) is var (account, posting, _) => request with
        {
            Command = SuspensePayout.Of(account, posting.To, posting.Amount, posting.Asset, "edited"),
        },
        PostTransaction post when random.Next(2) == 0 => request with { Command = post with { Reference = new TransactionReference("order", "edited") } },
        PostTransaction post => request with { Command = post with { Metadata = Note("edited") } },
        HoldFunds hold => request with { Command = hold with { Metadata = Note("edited") } },
        _ => request,
    };

    private PostTransaction Transfer(Actor actor, int paymentsMax, int unitsMax)
    {
        var from = ChartOfAccounts.Available(random.Next(40) == 0 ? OneOf(people).Id : actor.Id);
        var payees = people.Select(person => ChartOfAccounts.Available(person.Id)).Append(ChartOfAccounts.Available("nobody"))
            .Where(code => code != from).ToArray();
        return new PostTransaction(
            OwnMoney.TransferKind,
            [.. Enumerable.Range(0, random.Next(1, paymentsMax + 1)).Select(_ => new Posting(
                from, random.Next(25) == 0 ? payees[^1] : payees[random.Next(payees.Length - 1)], Units(unitsMax)))],
            random.Next(2) == 0 ? new TransactionReference("order", $"{random.Next(3)}") : null, Metadata());
    }

    private HoldFunds Hold(Actor actor, DateTimeOffset now) => new(
        OwnMoney.HoldKind, ChartOfAccounts.Available(actor.Id), Units(30),
        now + random.Next(6) switch
        {
            0 => TimeSpan.FromSeconds(-1),
            1 or 2 or 3 => TimeSpan.FromMilliseconds(random.Next(30, 800)),
            _ => TimeSpan.FromDays(1),
        },
        random.Next(3) == 0 ? new TransactionReference("order", $"{random.Next(3)}") : null, Metadata());

    private Dictionary<string, string>? Metadata() => random.Next(3) == 0 ? Note($"{random.Next(3)}") : null;

    private static Dictionary<string, string> Note(string text) => new(StringComparer.Ordinal) { ["note"] = text };

    private List<ReversalPart>? Parts() => random.Next(2) == 0
        ? null
        : [.. Enumerable.Range(0, random.Next(1, 3)).Select(posting => new ReversalPart(posting, Units(20)))];

    private string Account() => ChartOfAccounts.Available(OneOf(people).Id);

    private Amount Units(int max) => new(random.Next(1, max + 1));

    // Mostly of the last ones, whose state still changes.
    private long AnyOf(IEnumerable<long> versions) => versions.ToList() is not { Count: > 0 } known || random.Next(15) == 0
        ? random.Next(1, 40)
        : known[Math.Max(0, known.Count - 1 - random.Next(6))];

    private long HoldOf(Actor actor) =>
        AnyOf(_holds.Where(hold => hold.Maker == actor.Id || random.Next(10) == 0).Select(hold => hold.Number));

    private T OneOf<T>(IReadOnlyList<T> items) => items[random.Next(items.Count)];
}
