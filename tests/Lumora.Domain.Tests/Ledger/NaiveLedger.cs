using System.Globalization;
using System.Numerics;
using Lumora.Domain.Ledger;

namespace Lumora.Domain.Tests.Ledger;

/// <summary>
/// The rules of docs/ledger.md written down a second time, as plainly as possible: a copy of everything per
/// transaction, requests compared as text.
/// </summary>
internal sealed class NaiveLedger
{
    private readonly Dictionary<string, (string Content, string Code, long Version)> _outcomes;
    private readonly HashSet<string> _frozen;
    private readonly HashSet<string> _closed;
    private readonly Dictionary<string, long> _floors;
    private readonly Dictionary<long, Hold> _holds;
    private readonly Dictionary<long, List<Moved>> _moved;

    public NaiveLedger()
        : this(null)
    {
    }

    private NaiveLedger(NaiveLedger? other)
    {
        _outcomes = other is null ? new(StringComparer.Ordinal) : new(other._outcomes, StringComparer.Ordinal);
        _frozen = other is null ? new(StringComparer.Ordinal) : new(other._frozen, StringComparer.Ordinal);
        _closed = other is null ? new(StringComparer.Ordinal) : new(other._closed, StringComparer.Ordinal);
        _floors = other is null ? new(StringComparer.Ordinal) : new(other._floors, StringComparer.Ordinal);
        _holds = other is null ? [] : new(other._holds);
        _moved = other is null ? [] : other._moved.ToDictionary(pair => pair.Key, pair => pair.Value.ToList());
        Balances = other is null ? new(StringComparer.Ordinal) : new(other.Balances, StringComparer.Ordinal);
        (Version, At) = (other?.Version ?? 0, other?.At ?? default);
    }

    public Dictionary<string, BigInteger> Balances { get; private set; }

    public long Version { get; private set; }

    public DateTimeOffset At { get; private set; }

    /// <summary>Of the holds that are not finished.</summary>
    public IEnumerable<DateTimeOffset> Deadlines => _holds.Values.Where(hold => hold.Status == "open").Select(hold => hold.Deadline);

    public NaiveLedger Clone() => new(this);

    public BigInteger Held(string code) =>
        _holds.Values.Where(hold => hold.Code == code).Aggregate(BigInteger.Zero, (sum, hold) => sum + hold.Left);

    public (string Code, bool Replayed) Submit(LedgerRequest request, DateTimeOffset now)
    {
        if (LedgerShape.Check(request) is { } fault)
            return (fault.Code, false);
        var (id, content) = ($"{request.Actor.Id} {request.Key}", Text(request.Command));
        if (_outcomes.TryGetValue(id, out var known))
            return known.Content == content ? (known.Code, true) : (LedgerCodes.IdempotencyConflict, false);
        var (version, at) = (Version, At);
        (Version, At) = (Version + 1, now > At ? now : At);
        var code = Do(request);
        if (code == LedgerCodes.HoldNotDue)
        {
            (Version, At) = (version, at);
            return (code, false);
        }

        _outcomes[id] = (content, code, Version);
        return (code, false);
    }

    /// <summary>Where the journal says what came of (actor, key).</summary>
    public long JournalVersionOf(LedgerRequest request) => _outcomes[$"{request.Actor.Id} {request.Key}"].Version;

    /// <summary>Records a refusal that was decided behind other requests which were taken back.</summary>
    public void Record(LedgerRequest request, string code, DateTimeOffset now)
    {
        (Version, At) = (Version + 1, now > At ? now : At);
        _outcomes[$"{request.Actor.Id} {request.Key}"] = (Text(request.Command), code, Version);
    }

    private static bool IsSystem(LedgerRequest request) => request.Actor.Id.StartsWith("system:", StringComparison.Ordinal);

    private string Do(LedgerRequest request) => request.Command switch
    {
        PostTransaction post => Post(
            [.. post.Postings.Select(p => new Moved(p.From, p.To, p.Amount.Units, 0))], IsSystem(request), reversible: true),
        HoldFunds c => Stopped(c.Code) ?? Blocked(c.Code) ?? Promise(request.Actor.Id, c),
        CaptureHold c => Capture(request, c),
        ReleaseHold c => Finished(request, c.Hold) ?? End(c.Hold, "released"),
        ExpireHold c => Finished(request, c.Hold)
            ?? (At > _holds[c.Hold].Deadline ? End(c.Hold, "expired") : LedgerCodes.HoldNotDue),
        ReverseTransaction c => Reverse(request, c),
        OpenAccount open => Balances.TryAdd(open.Code, 0) ? "ok" : LedgerCodes.AccountExists,
        FreezeAccount c => Stopped(c.Code) ?? (_frozen.Add(c.Code) ? "ok" : LedgerCodes.AccountFrozen),
        UnfreezeAccount c => Stopped(c.Code) ?? (_frozen.Remove(c.Code) ? "ok" : LedgerCodes.AccountNotFrozen),
        CloseAccount c when Stopped(c.Code) is { } why => why,
        CloseAccount c when !Balances[c.Code].IsZero || !Held(c.Code).IsZero => LedgerCodes.AccountNotEmpty,
        CloseAccount c => _closed.Add(c.Code) ? "ok" : "never",
        ChangeFloor c when Stopped(c.Code) is { } why => why,
        ChangeFloor c when Balances[c.Code] - Held(c.Code) < c.Floor => LedgerCodes.InsufficientFunds,
        ChangeFloor c => Set(c.Code, c.Floor!.Value),
        _ => throw new InvalidOperationException(),
    };

    private string Post(List<Moved> postings, bool system, bool reversible)
    {
        var balances = new Dictionary<string, BigInteger>(Balances, StringComparer.Ordinal);
        var targets = new List<string>();
        foreach (var posting in postings)
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

        foreach (var (posting, target) in postings.Zip(targets))
        {
            if (!balances.ContainsKey(posting.From))
                return LedgerCodes.UnknownAccount;
            if (Blocked(posting.From) is { } why)
                return why;
            if (target == posting.From)
                return LedgerCodes.SameAccount;
            balances[posting.From] -= posting.Units;
            balances[target] += posting.Units;
            if (balances[posting.From] < long.MinValue || balances[target] > long.MaxValue)
                return LedgerCodes.Overflow;
        }

        if (postings.Any(posting => balances[posting.From] - Held(posting.From) < FloorOf(posting.From)))
            return LedgerCodes.InsufficientFunds;
        Balances = balances;
        if (reversible)
            _moved[Version] = [.. postings.Zip(targets, (posting, target) => posting with { To = target })];
        return "ok";
    }

    private string Promise(string maker, HoldFunds c)
    {
        if (c.Deadline <= At || c.Deadline - At > TimeSpan.FromDays(400))
            return LedgerCodes.InvalidDeadline;
        if (Held(c.Code) + c.Amount.Units > long.MaxValue)
            return LedgerCodes.Overflow;
        if (Balances[c.Code] - Held(c.Code) - c.Amount.Units < FloorOf(c.Code))
            return LedgerCodes.InsufficientFunds;
        _holds[Version] = new Hold(maker, c.Code, c.Amount.Units, c.Deadline, "open");
        return "ok";
    }

    private string? Finished(LedgerRequest request, long number)
    {
        if (!_holds.TryGetValue(number, out var hold) || (hold.Maker != request.Actor.Id && !IsSystem(request)))
            return LedgerCodes.UnknownHold;
        return hold.Status switch { "open" => null, "expired" => LedgerCodes.HoldExpired, _ => LedgerCodes.HoldFinished };
    }

    private string Capture(LedgerRequest request, CaptureHold c)
    {
        if (Finished(request, c.Hold) is { } why)
            return why;
        var hold = _holds[c.Hold];
        if (At > hold.Deadline)
            return LedgerCodes.HoldExpired;
        var sum = c.Payments.Aggregate(BigInteger.Zero, (total, payment) => total + payment.Amount.Units);
        if (sum > hold.Left)
            return LedgerCodes.HoldExceeded;
        var left = c.Finish ? 0 : hold.Left - (long)sum;
        _holds[c.Hold] = hold with { Left = left, Status = left == 0 ? "captured" : "open" };
        var code = Post(
            [.. c.Payments.Select(p => new Moved(hold.Code, p.To, p.Amount.Units, 0))], IsSystem(request), reversible: true);
        if (code != "ok")
            _holds[c.Hold] = hold;
        return code;
    }

    private string End(long number, string status)
    {
        _holds[number] = _holds[number] with { Left = 0, Status = status };
        return "ok";
    }

    private string Reverse(LedgerRequest request, ReverseTransaction c)
    {
        if (!_moved.TryGetValue(c.Transaction, out var moved))
            return LedgerCodes.UnknownTransaction;
        var parts = c.Parts?.Select(part => (part.Posting, part.Amount.Units)).ToList()
            ?? [.. Enumerable.Range(0, moved.Count).Reverse().Select(i => (i, moved[i].Units - moved[i].Back)).Where(part => part.Item2 > 0)];
        if (parts.Count == 0 || parts.Any(part => part.Posting >= moved.Count
            || part.Units > moved[part.Posting].Units - moved[part.Posting].Back))
            return LedgerCodes.ReversalExceeded;
        var code = Post(
            [.. parts.Select(part => new Moved(moved[part.Posting].To, moved[part.Posting].From, part.Units, 0))],
            IsSystem(request), reversible: false);
        if (code != "ok")
            return code;
        foreach (var (posting, units) in parts)
            moved[posting] = moved[posting] with { Back = moved[posting].Back + units };
        return code;
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

    private static string Text(LedgerCommand command) => command switch
    {
        PostTransaction post => $"post {post.Kind} {post.Reference} " + string.Join(';', post.Postings.Select(p => string.Create(
            CultureInfo.InvariantCulture, $"{p.From}>{p.To}:{p.Amount.Units}"))),
        CaptureHold c => string.Create(CultureInfo.InvariantCulture, $"capture {c.Hold} {c.Finish} ")
            + string.Join(';', c.Payments),
        ReverseTransaction c => string.Create(CultureInfo.InvariantCulture, $"reverse {c.Transaction} {c.Reason} {c.Parts is null} ")
            + string.Join(';', c.Parts ?? []),
        _ => command.ToString(),
    };

    private sealed record Hold(string Maker, string Code, long Left, DateTimeOffset Deadline, string Status);

    private sealed record Moved(string From, string To, long Units, long Back);
}
