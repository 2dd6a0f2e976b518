using System.Globalization;
using System.Numerics;
using Lumora.Domain.Ledger;

namespace Lumora.Domain.Tests.Ledger;

/// <summary>
/// The rules of docs/ledger.md written down a second time, as plainly as possible: a copy of all balances per
/// transaction, requests compared as text.
/// </summary>
internal sealed class NaiveLedger
{
    private readonly Dictionary<string, (string Content, string Code)> _outcomes = new(StringComparer.Ordinal);
    private readonly HashSet<string> _frozen = new(StringComparer.Ordinal);
    private readonly HashSet<string> _closed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _floors = new(StringComparer.Ordinal);

    public Dictionary<string, BigInteger> Balances { get; private set; } = new(StringComparer.Ordinal);

    public (string Code, bool Replayed) Submit(LedgerRequest request)
    {
        if (LedgerShape.Check(request) is { } fault)
            return (fault.Code, false);
        var (id, content) = ($"{request.Actor.Id} {request.Key}", Text(request.Command));
        if (_outcomes.TryGetValue(id, out var known))
            return known.Content == content ? (known.Code, true) : (LedgerCodes.IdempotencyConflict, false);
        var code = Do(request);
        _outcomes[id] = (content, code);
        return (code, false);
    }

    private string Do(LedgerRequest request) => request.Command switch
    {
        PostTransaction post => Post(post, system: request.Actor.Id.StartsWith("system:", StringComparison.Ordinal)),
        OpenAccount open => Balances.TryAdd(open.Code, 0) ? "ok" : LedgerCodes.AccountExists,
        FreezeAccount c => Stopped(c.Code) ?? (_frozen.Add(c.Code) ? "ok" : LedgerCodes.AccountFrozen),
        UnfreezeAccount c => Stopped(c.Code) ?? (_frozen.Remove(c.Code) ? "ok" : LedgerCodes.AccountNotFrozen),
        CloseAccount c when Stopped(c.Code) is { } why => why,
        CloseAccount c when !Balances[c.Code].IsZero => LedgerCodes.AccountNotEmpty,
        CloseAccount c => _closed.Add(c.Code) ? "ok" : "never",
        ChangeFloor c when Stopped(c.Code) is { } why => why,
        ChangeFloor c when Balances[c.Code] < c.Floor => LedgerCodes.InsufficientFunds,
        ChangeFloor c => Set(c.Code, c.Floor!.Value),
        _ => throw new InvalidOperationException(),
    };

    private string Post(PostTransaction post, bool system)
    {
        var balances = new Dictionary<string, BigInteger>(Balances, StringComparer.Ordinal);
        var targets = new List<string>();
        foreach (var posting in post.Postings)
        {
            var target = posting.To;
            if (!balances.ContainsKey(target) && !OpensItself(balances, target))
                return LedgerCodes.UnknownAccount;
            if (Blocked(target) is { } why)
            {
                target = "suspense/" + target;
                if (!system || posting.To.StartsWith("suspense/", StringComparison.Ordinal) || Blocked(target) is not null)
                    return why;
                balances.TryAdd(target, 0);
            }

            targets.Add(target);
        }

        foreach (var (posting, target) in post.Postings.Zip(targets))
        {
            if (!balances.ContainsKey(posting.From))
                return LedgerCodes.UnknownAccount;
            if (Blocked(posting.From) is { } why)
                return why;
            if (target == posting.From)
                return LedgerCodes.SameAccount;
            balances[posting.From] -= posting.Amount.Units;
            balances[target] += posting.Amount.Units;
            if (balances[posting.From] < long.MinValue || balances[target] > long.MaxValue)
                return LedgerCodes.Overflow;
        }

        if (balances.Any(pair => pair.Value < FloorOf(pair.Key)))
            return LedgerCodes.InsufficientFunds;
        Balances = balances;
        return "ok";
    }

    private static bool OpensItself(Dictionary<string, BigInteger> balances, string code) =>
        (code.StartsWith("escrow/", StringComparison.Ordinal) || code.StartsWith("suspense/", StringComparison.Ordinal))
        && balances.TryAdd(code, 0);

    private BigInteger FloorOf(string code) => _floors.TryGetValue(code, out var floor)
        ? floor
        : code == "network/emission" ? BigInteger.Pow(-10, 31) : 0;

    private string Set(string code, long floor)
    {
        _floors[code] = floor;
        return "ok";
    }

    private string? Stopped(string code) => !Balances.ContainsKey(code)
        ? LedgerCodes.UnknownAccount
        : _closed.Contains(code) ? LedgerCodes.AccountClosed : null;

    private string? Blocked(string code) => _closed.Contains(code)
        ? LedgerCodes.AccountClosed
        : _frozen.Contains(code) ? LedgerCodes.AccountFrozen : null;

    private static string Text(LedgerCommand command) => command is PostTransaction post
        ? "post " + string.Join(';', post.Postings.Select(p => string.Create(
            CultureInfo.InvariantCulture, $"{p.From}>{p.To}:{p.Amount.Units}")))
        : command.ToString();
}
