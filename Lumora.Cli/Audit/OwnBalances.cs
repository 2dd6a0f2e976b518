using System.Globalization;
using System.Text.Json;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;
using Lumora.Domain.Ledger;

namespace Lumora.Cli.Audit;

/// <summary>
/// Asks a server over GraphQL what the accounts of whoever is signed in held at the journal's place where the audited log ends, and holds
/// it against what the log's entries fold to. The journal may have gone on since: the place says which balance is meant.
/// </summary>
/// <param name="source">The log and the server that serves it.</param>
/// <param name="shard">Its shard.</param>
/// <param name="ledger">The journals as the entries fold.</param>
internal sealed class OwnBalances(ILogSource source, string shard, LedgerCheck ledger)
{
    /// <summary>The claim that this checks.</summary>
    public const string Claim = "own_balances_same";

    private const string MeQuery = "{ checkpoint { shard } me { id } }";

    private const string BalanceQuery =
        "query($code: String!, $asset: String!, $at: Int64!) { balanceAt(code: $code, asset: $asset, journalVersion: $at) { balance journalVersion } }";

    private readonly List<Finding> _findings = [];
    private readonly List<string> _balances = [];
    private string _place = "";

    /// <summary>For people: why nothing was compared.</summary>
    public string WhyNot { get; private set; } = "there is no server here to ask";

    /// <summary>For people: what was compared.</summary>
    public string Detail => $"the server tells the same {string.Join(", ", _balances)} at {_place}";

    /// <summary>Compares; what differs. Null when the server cannot be asked.</summary>
    public Task<IReadOnlyList<Finding>?> RunAsync(CancellationToken cancellationToken) =>
        ServerAnswers.ReadAsync(Claim, _findings, () => CompareAsync(cancellationToken));

    private async Task<IReadOnlyList<Finding>?> CompareAsync(CancellationToken cancellationToken)
    {
        if (await source.AskAsync(MeQuery, new { }, cancellationToken) is not { } answer)
            return null;
        if (answer.GetProperty("checkpoint") is { ValueKind: JsonValueKind.Object } newest && newest.GetProperty("shard").GetString() is { } told && told != shard)
        {
            WhyNot = $"the server's balances are of the shard {told}";
            return null;
        }

        if (answer.GetProperty("me") is not { ValueKind: JsonValueKind.Object } me || me.GetProperty("id").GetString() is not { } id)
        {
            WhyNot = "the token is of nobody who has an account";
            return null;
        }

        if (ledger.Journal(shard) is not { } journal)
        {
            WhyNot = $"the log holds no journal {LedgerJournal.StreamId(shard)} that could be followed";
            return null;
        }

        _place = string.Create(CultureInfo.InvariantCulture, $"version {journal.Version} of the journal");
        var code = ChartOfAccounts.Available(id);
        var assets = journal.Accounts.Where(account => account.Key.Code == code).Select(account => account.Key.Asset);
        foreach (var asset in assets.Append(ChartOfAccounts.Lmr).Distinct(StringComparer.Ordinal))
            await CompareAsync(journal, new AccountKey(code, asset), cancellationToken);
        return _findings;
    }

    private async Task CompareAsync(LedgerState journal, AccountKey key, CancellationToken cancellationToken)
    {
        var at = new { code = key.Code, asset = key.Asset, at = journal.Version.ToString(CultureInfo.InvariantCulture) };
        if (await source.AskAsync(BalanceQuery, at, cancellationToken) is not { } answer)
            throw new UnableException("the server's GraphQL is gone.");
        var (logged, said, version) = (journal.Account(key)?.Balance.ToString(CultureInfo.InvariantCulture), (string?)null, at.at);
        if (answer.GetProperty("balanceAt") is { ValueKind: JsonValueKind.Object } balance)
            (said, version) = (balance.GetProperty("balance").ToString(), balance.GetProperty("journalVersion").ToString());
        if (version != at.at)
            _findings.Add(new Finding(Claim, $"account {key.Code}", $"the server's journal ends at version {version}, the log's at {at.at}"));
        else if (said != logged)
            _findings.Add(new Finding(Claim, $"account {key.Code}", $"at {_place} the server says {said ?? "nothing"}, the log {logged ?? "nothing"} (base units of {key.Asset})"));
        else
            _balances.Add(logged is null ? $"nothing of {key.Code}" : $"{logged} base units of {key.Asset} on {key.Code}");
    }
}
