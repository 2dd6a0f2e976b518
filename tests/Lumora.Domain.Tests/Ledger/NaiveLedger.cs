using System.Globalization;
using System.Numerics;
using Lumora.Domain.Ledger;

namespace Lumora.Domain.Tests.Ledger;

/// <summary>
/// The rules of docs/ledger.md written down a second time, as plainly as possible: a copy of everything per
/// transaction, requests compared as text. It shares nothing with the ledger but its words and the checks of shape.
/// </summary>
internal sealed class NaiveLedger
{
    private readonly Dictionary<string, (string Content, string Code, long Version)> _outcomes;
    private readonly HashSet<AccountKey> _frozen;
    private readonly HashSet<AccountKey> _closed;
    private readonly Dictionary<AccountKey, long?> _floors;
    private readonly Dictionary<long, Hold> _holds;
    private readonly Dictionary<long, List<Moved>> _moved;

    public NaiveLedger()
        : this(null)
    {
    }

    private NaiveLedger(NaiveLedger? other)
    {
        _outcomes = other is null ? new(StringComparer.Ordinal) : new(other._outcomes, StringComparer.Ordinal);
        _frozen = other is null ? [] : new(other._frozen);
        _closed = other is null ? [] : new(other._closed);
        _floors = other is null ? [] : new(other._floors);
        _holds = other is null ? [] : new(other._holds);
        _moved = other is null ? [] : other._moved.ToDictionary(pair => pair.Key, pair => pair.Value.ToList());
        Balances = other is null ? [] : new(other.Balances);
        (Version, At) = (other?.Version ?? 0, other?.At ?? default);
    }

    public Dictionary<AccountKey, BigInteger> Balances { get; private set; }

    public long Version { get; private set; }

    public DateTimeOffset At { get; private set; }

    /// <summary>Of the holds that are not finished.</summary>
    public IEnumerable<DateTimeOffset> Deadlines => _holds.Values.Where(hold => hold.Status == "open").Select(hold => hold.Deadline);

    public NaiveLedger Clone() => new(this);

    public BigInteger Held(AccountKey account) =>
        _holds.Values.Where(hold => hold.Account == account).Aggregate(BigInteger.Zero, (sum, hold) => sum + hold.Left);

    public (string Code, bool Replayed) Submit(LedgerRequest request, DateTimeOffset now)
    {
        if (LedgerShape.Check(request) is { } fault)
            return (fault.Code, false);
        if (Known(request) is { } known)
            return known;
        var (version, at) = (Version, At);
        (Version, At) = (Version + 1, now > At ? now : At);
        var code = Do(request);
        if (code == LedgerCodes.HoldNotDue)
        {
            (Version, At) = (version, at);
            return (code, false);
        }

        _outcomes[IdOf(request)] = (Text(request.Command), code, Version);
        return (code, false);
    }

    /// <summary>The ledger after an all-or-nothing call, and the answers to it; this one stays as it is.</summary>
    /// <param name="requests">Of the right shape.</param>
    /// <param name="now">Of all of them.</param>
    /// <param name="submit">How a request is decided; as by <see cref="Submit"/> when not given.</param>
    public (NaiveLedger After, List<(string Code, bool Replayed)> Answers) TryAll(
        IReadOnlyList<LedgerRequest> requests, DateTimeOffset now, NaiveSubmit? submit = null)
    {
        // What refused this call once refuses it for ever: of what the journal knows of its requests, the first.
        var known = Enumerable.Range(0, requests.Count).Where(i => Known(requests[i]) is { Code: not "ok" })
            .OrderBy(i => JournalVersionOf(requests[i])).ToList();
        if (known.Count > 0)
            return (Clone(), Only(known[0], Known(requests[known[0]])!.Value));
        var (attempt, answers) = (Clone(), new List<(string Code, bool Replayed)>());
        foreach (var request in requests)
        {
            var version = attempt.Version;
            var answer = submit is null ? attempt.Submit(request, now) : submit(attempt, request, now);
            answers.Add(answer);
            if (answer.Code == "ok")
                continue;
            var refused = Clone();
            if (attempt.Version > version)
                refused.Record(request, answer.Code, now);
            return (refused, Only(answers.Count - 1, answer));
        }

        return (attempt, answers);

        List<(string, bool)> Only(int culprit, (string, bool) answer) =>
            [.. Enumerable.Range(0, requests.Count).Select(i => i == culprit ? answer : (LedgerCodes.BulkRefused, false))];
    }

    /// <summary>Where the journal says what came of (actor, key).</summary>
    public long JournalVersionOf(LedgerRequest request) => _outcomes[IdOf(request)].Version;

    // A refusal that was decided behind other requests which were taken back.
    private void Record(LedgerRequest request, string code, DateTimeOffset now)
    {
        (Version, At) = (Version + 1, now > At ? now : At);
        _outcomes[IdOf(request)] = (Text(request.Command), code, Version);
    }

    private (string Code, bool Replayed)? Known(LedgerRequest request) =>
        !_outcomes.TryGetValue(IdOf(request), out var known) ? null
        : known.Content == Text(request.Command) ? (known.Code, true)
        : (LedgerCodes.IdempotencyConflict, false);

    private static string IdOf(LedgerRequest request) => $"{request.Actor.Id} {request.Key}";

    private static bool IsSystem(LedgerRequest request) => request.Actor.Id.StartsWith("system:", StringComparison.Ordinal);

    private string Do(LedgerRequest request) => request.Command switch
    {
        PostTransaction post => Post(
            [.. post.Postings.Select(p => new Moved(new(p.From, p.Asset), new(p.To, p.Asset), p.Amount.Units, 0))],
            IsSystem(request), reversible: true),
        HoldFunds c => Stopped(new(c.Code, c.Asset)) ?? Blocked(new(c.Code, c.Asset)) ?? Promise(request.Actor.Id, c),
        CaptureHold c => Capture(request, c),
        ReleaseHold c => Finished(request, c.Hold) ?? End(c.Hold, "released"),
        ExpireHold c => Finished(request, c.Hold)
            ?? (At > _holds[c.Hold].Deadline ? End(c.Hold, "expired") : LedgerCodes.HoldNotDue),
        ReverseTransaction c => Reverse(request, c),
        OpenAccount c => Balances.TryAdd(new(c.Code, c.Asset), 0) ? "ok" : LedgerCodes.AccountExists,
        FreezeAccount c => Govern(new(c.Code, c.Asset), account => _frozen.Add(account) ? "ok" : LedgerCodes.AccountFrozen),
        UnfreezeAccount c => Govern(new(c.Code, c.Asset), account => _frozen.Remove(account) ? "ok" : LedgerCodes.AccountNotFrozen),
        CloseAccount c => Govern(new(c.Code, c.Asset), Close),
        ChangeFloor c => Govern(new(c.Code, c.Asset), account => Balances[account] - Held(account) < c.Floor
            ? LedgerCodes.InsufficientFunds
            : Set(account, c.Floor)),
        _ => throw new InvalidOperationException(),
    };

    private string Govern(AccountKey account, Func<AccountKey, string> rule) => Stopped(account) ?? rule(account);

    private string Close(AccountKey account)
    {
        if (!Balances[account].IsZero || !Held(account).IsZero)
            return LedgerCodes.AccountNotEmpty;
        _closed.Add(account);
        return "ok";
    }

    private string Post(List<Moved> postings, bool system, bool reversible)
    {
        var balances = new Dictionary<AccountKey, BigInteger>(Balances);
        var targets = new List<AccountKey>();
        foreach (var posting in postings)
        {
            var target = posting.To;
            if (!balances.ContainsKey(target) && !OpensItself(balances, target))
                return LedgerCodes.UnknownAccount;
            if (Blocked(target) is { } why)
            {
                target = target with { Code = "suspense/" + target.Code };
                if (!system || posting.To.Code.StartsWith("suspense/", StringComparison.Ordinal) || Blocked(target) is not null)
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
        var account = new AccountKey(c.Code, c.Asset);
        if (Held(account) + c.Amount.Units > long.MaxValue)
            return LedgerCodes.Overflow;
        if (Balances[account] - Held(account) - c.Amount.Units < FloorOf(account))
            return LedgerCodes.InsufficientFunds;
        _holds[Version] = new Hold(maker, account, c.Amount.Units, c.Deadline, "open");
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
            [.. c.Payments.Select(p => new Moved(hold.Account, hold.Account with { Code = p.To }, p.Amount.Units, 0))],
            IsSystem(request), reversible: true);
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

    private static bool OpensItself(Dictionary<AccountKey, BigInteger> balances, AccountKey account) =>
        (account.Code.StartsWith("escrow/", StringComparison.Ordinal) || account.Code.StartsWith("suspense/", StringComparison.Ordinal))
        && balances.TryAdd(account, 0);

    // Null = unbounded.
    private BigInteger? FloorOf(AccountKey account) =>
        _floors.TryGetValue(account, out var floor) ? floor
        : account.Code.Split('/') is ["network", "emission"] or ["chain" or "clearing", _] ? null
        : BigInteger.Zero;

    private string Set(AccountKey account, long? floor)
    {
        _floors[account] = floor;
        return "ok";
    }

    private string? Stopped(AccountKey account) => !Balances.ContainsKey(account)
        ? LedgerCodes.UnknownAccount
        : _closed.Contains(account) ? LedgerCodes.AccountClosed : null;

    private string? Blocked(AccountKey account) => _closed.Contains(account)
        ? LedgerCodes.AccountClosed
        : _frozen.Contains(account) ? LedgerCodes.AccountFrozen : null;

    private static string Text(LedgerCommand command) => command switch
    {
        PostTransaction c => $"post {c.Kind} {c.Reference} {Text(c.Metadata)} {string.Join(';', c.Postings)}",
        HoldFunds c => string.Create(
            CultureInfo.InvariantCulture, $"{c with { Metadata = null }} {Text(c.Metadata)} {c.Deadline.UtcTicks}"),
        CaptureHold c => string.Create(CultureInfo.InvariantCulture, $"capture {c.Hold} {c.Finish} ")
            + string.Join(';', c.Payments),
        ReverseTransaction c => string.Create(CultureInfo.InvariantCulture, $"reverse {c.Transaction} {c.Reason} {c.Parts is null} ")
            + string.Join(';', c.Parts ?? []),
        _ => command.ToString(),
    };

    private static string Text(IReadOnlyDictionary<string, string>? metadata) =>
        string.Join(';', (metadata ?? new Dictionary<string, string>()).OrderBy(pair => pair.Key, StringComparer.Ordinal));

    private sealed record Hold(string Maker, AccountKey Account, long Left, DateTimeOffset Deadline, string Status);

    private sealed record Moved(AccountKey From, AccountKey To, long Units, long Back);
}
