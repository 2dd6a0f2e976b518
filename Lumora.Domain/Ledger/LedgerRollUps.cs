namespace Lumora.Domain.Ledger;

/// <summary>The sums over all accounts below a prefix of codes.</summary>
/// <param name="Prefix">Whole segments of a code, for example <c>participant</c>.</param>
/// <param name="Asset">The asset.</param>
/// <param name="Accounts">How many accounts were ever opened below it.</param>
/// <param name="Balance">Σ balance in base units; may exceed 64 bits.</param>
/// <param name="Held">Σ held in base units.</param>
public sealed record LedgerRollUp(string Prefix, string Asset, long Accounts, Int128 Balance, Int128 Held);

/// <summary>
/// Which prefixes carry a running sum: those whose number of accounts has no bound. Sums by any other prefix are few
/// rows, or made of these.
/// </summary>
public static class LedgerRollUps
{
    /// <summary>The prefixes that the account of <paramref name="code"/> counts for, the shortest first.</summary>
    public static IEnumerable<string> PrefixesOf(string code)
    {
        // Below the first segment comes an id, except in suspense/participant/… and its like.
        var first = code.IndexOf('/', StringComparison.Ordinal);
        yield return code[..first];
        if (code.StartsWith("suspense/", StringComparison.Ordinal))
            yield return code[..code.IndexOf('/', first + 1)];
    }

    /// <summary>True when a sum runs for <paramref name="prefix"/>.</summary>
    public static bool Has(string prefix) =>
        ChartOfAccounts.Families.Contains(prefix)
        || (prefix.StartsWith("suspense/", StringComparison.Ordinal) && ChartOfAccounts.Families.Contains(prefix["suspense/".Length..]));

    /// <summary>What the changes since the accounts were touched add to the sums; zero changes are left out.</summary>
    public static IReadOnlyList<LedgerRollUp> ChangesOf(LedgerState state)
    {
        var sums = new Dictionary<(string Prefix, string Asset), LedgerRollUp>();
        foreach (var (key, before) in state.Touched)
        {
            if (state.Account(key) is not { } after)
                continue;
            var balance = (Int128)after.Balance - (before?.Balance ?? 0);
            var held = (Int128)after.Held - (before?.Held ?? 0);
            if (before is not null && balance == 0 && held == 0)
                continue;
            foreach (var prefix in PrefixesOf(key.Code))
            {
                var sum = sums.GetValueOrDefault((prefix, key.Asset)) ?? new LedgerRollUp(prefix, key.Asset, 0, 0, 0);
                sums[(prefix, key.Asset)] = sum with
                {
                    Accounts = sum.Accounts + (before is null ? 1 : 0),
                    Balance = sum.Balance + balance,
                    Held = sum.Held + held,
                };
            }
        }

        return [.. sums.Values
            .Where(sum => sum.Accounts != 0 || sum.Balance != 0 || sum.Held != 0)
            .OrderBy(sum => sum.Prefix, StringComparer.Ordinal).ThenBy(sum => sum.Asset, StringComparer.Ordinal)];
    }
}
