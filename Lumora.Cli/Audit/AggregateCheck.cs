using System.Globalization;
using System.Text.Json;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;
using Lumora.Domain.Ledger;

namespace Lumora.Cli.Audit;

/// <summary>
/// Asks a server over GraphQL for what it tells everybody, and holds it against what the log's entries fold to: catalog and closed
/// epochs, and for whoever is signed in the balances of the network's accounts at the journal's place where the log ends.
/// </summary>
/// <param name="source">The log and the server that serves it.</param>
/// <param name="shard">Its shard.</param>
/// <param name="fold">What the entries fold to.</param>
/// <param name="signedIn">A token was given.</param>
internal sealed class AggregateCheck(ILogSource source, string shard, AuditFold fold, bool signedIn)
{
    /// <summary>The claim that this checks.</summary>
    public const string Claim = "aggregates_same";

    private const int PageRows = 100;
    private const int RowsMax = 1_000_000;

    private const string ShardQuery = "{ checkpoint { shard } }";

    private const string EpochsQuery =
        """
        query($after: String, $first: Int) { epochs(after: $after, first: $first) { pageInfo { hasNextPage endCursor } nodes {
          number emission paid unallocated providers contributions nodes bytes inputRoot rewardRoot reason sealedAt } } }
        """;

    private const string CatalogQuery =
        """
        query($after: String, $first: Int) { datasets(after: $after, first: $first) { pageInfo { hasNextPage endCursor } nodes {
          id publisherId collectionId title description topic licence price version versions records datasetRoot inputRoot metadataHash } } }
        """;

    private const string BalanceQuery = "query($code: String!, $at: Int64!) { balanceAt(code: $code, journalVersion: $at) { balance } }";

    private readonly List<Finding> _findings = [];
    private int _balances;

    /// <summary>Compares; what differs. Null when the server cannot be asked.</summary>
    public Task<IReadOnlyList<Finding>?> RunAsync(CancellationToken cancellationToken) =>
        ServerAnswers.ReadAsync(Claim, _findings, () => CompareAsync(cancellationToken));

    private async Task<IReadOnlyList<Finding>?> CompareAsync(CancellationToken cancellationToken)
    {
        // Catalog and epochs are told of one shard: another one's log has nothing to hold against them.
        if (await source.AskAsync(ShardQuery, new { }, cancellationToken) is { } answer
            && answer.TryGetProperty("checkpoint", out var newest) && newest.ValueKind == JsonValueKind.Object
            && newest.GetProperty("shard").GetString() is { } told && told != shard)
        {
            WhyNot = $"the server's answers are of the shard {told}";
            return null;
        }

        var epochs = await PagesAsync(EpochsQuery, "epochs", cancellationToken);
        if (epochs is null || await PagesAsync(CatalogQuery, "datasets", cancellationToken) is not { } datasets)
            return null;
        Compare("epoch", epochs.ToDictionary(row => row.GetProperty("number").ToString(), StringComparer.Ordinal), Epochs());
        Compare("dataset", datasets.ToDictionary(row => row.GetProperty("id").ToString(), StringComparer.Ordinal), Catalog());
        if (signedIn)
            await BalancesAsync(cancellationToken);
        return _findings;
    }

    /// <summary>For people: why nothing was compared.</summary>
    public string WhyNot { get; private set; } = "there is no server here to ask";

    /// <summary>For people: what was compared.</summary>
    public string Detail
    {
        get
        {
            var listed = fold.Public.Datasets.Values.Count(dataset => dataset.IsListed);
            var supply = signedIn
                ? string.Create(CultureInfo.InvariantCulture, $"{_balances} balances of the network at version {fold.Ledger.Journal(shard)?.Version ?? 0} of the journal")
                : "the supply needs --token";
            return string.Create(
                CultureInfo.InvariantCulture, $"the server tells the same {fold.Public.Epochs.Count} closed epochs and {listed} datasets on sale; {supply}");
        }
    }

    private Dictionary<string, Dictionary<string, object?>> Epochs() => fold.Public.Epochs.Values.ToDictionary(
        epoch => epoch.Number.ToString(CultureInfo.InvariantCulture),
        epoch => new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["emission"] = epoch.Emission,
            ["paid"] = epoch.Paid,
            ["unallocated"] = epoch.Unallocated,
            ["providers"] = epoch.Providers,
            ["contributions"] = epoch.Contributions,
            ["nodes"] = epoch.Nodes,
            ["bytes"] = epoch.Bytes,
            ["inputRoot"] = epoch.InputRoot,
            ["rewardRoot"] = epoch.RewardRoot,
            ["reason"] = epoch.Reason,
        },
        StringComparer.Ordinal);

    private Dictionary<string, Dictionary<string, object?>> Catalog() => fold.Public.Datasets.Values.Where(dataset => dataset.IsListed).ToDictionary(
        dataset => dataset.DatasetId,
        dataset => new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["publisherId"] = dataset.PublisherId,
            ["collectionId"] = dataset.CollectionId,
            ["title"] = dataset.Latest?.Title,
            ["description"] = dataset.Latest?.Description,
            ["topic"] = dataset.Latest?.Topic,
            ["licence"] = dataset.Latest?.Licence,
            ["price"] = dataset.Price,
            ["version"] = dataset.Latest?.Version,
            ["versions"] = string.Join(", ", dataset.Versions),
            ["records"] = dataset.Latest?.Records,
            ["datasetRoot"] = dataset.Latest?.DatasetRoot,
            ["inputRoot"] = dataset.Latest?.InputRoot,
            ["metadataHash"] = dataset.Latest?.MetadataHash,
        },
        StringComparer.Ordinal);

    private void Compare(string what, Dictionary<string, JsonElement> told, Dictionary<string, Dictionary<string, object?>> logged)
    {
        foreach (var (id, members) in logged)
        {
            if (!told.TryGetValue(id, out var row))
            {
                _findings.Add(new Finding(Claim, $"{what} {id}", "the log has it, the server does not tell it"));
                continue;
            }

            foreach (var (name, value) in members)
                if (Text(row.GetProperty(name)) is var said && said != (value is null ? null : Convert.ToString(value, CultureInfo.InvariantCulture)))
                    _findings.Add(new Finding(Claim, $"{what} {id}", $"the server says {name} {said ?? "null"}, the log {value ?? "null"}"));
        }

        foreach (var id in told.Keys.Where(id => !logged.ContainsKey(id)))
            _findings.Add(new Finding(Claim, $"{what} {id}", "the server tells it, the log does not have it"));
    }

    private async Task BalancesAsync(CancellationToken cancellationToken)
    {
        if (fold.Ledger.Journal(shard) is not { } journal)
            return;
        foreach (var account in journal.Accounts.Where(account =>
                     account.Key.Asset == ChartOfAccounts.Lmr
                     && (account.Key.Code.StartsWith("network/", StringComparison.Ordinal) || account.Key.Code.StartsWith("chain/", StringComparison.Ordinal))))
        {
            var at = new { code = account.Key.Code, at = journal.Version.ToString(CultureInfo.InvariantCulture) };
            var answer = await source.AskAsync(BalanceQuery, at, cancellationToken);
            var balance = answer?.GetProperty("balanceAt") is { ValueKind: JsonValueKind.Object } found ? Text(found.GetProperty("balance")) : null;
            _balances++;
            if (balance != account.Balance.ToString(CultureInfo.InvariantCulture))
                _findings.Add(new Finding(Claim, $"account {account.Key.Code}", string.Create(
                    CultureInfo.InvariantCulture, $"at version {journal.Version} of the journal the server says {balance ?? "nothing"}, the log {account.Balance}")));
        }
    }

    private async Task<List<JsonElement>?> PagesAsync(string query, string field, CancellationToken cancellationToken)
    {
        var rows = new List<JsonElement>();
        string? after = null;
        while (await source.AskAsync(query, new { after, first = PageRows }, cancellationToken) is { } data)
        {
            var page = data.GetProperty(field);
            var before = rows.Count;
            rows.AddRange(page.GetProperty("nodes").EnumerateArray());
            if (!page.GetProperty("pageInfo").GetProperty("hasNextPage").GetBoolean())
                return rows;
            var next = page.GetProperty("pageInfo").GetProperty("endCursor").GetString();
            // Every page has rows and ends at another place, or the last one never comes.
            if (rows.Count == before || rows.Count > RowsMax || next is null || next == after)
                throw new UnableException($"the server's list of {field} does not end.");
            after = next;
        }

        return null;
    }

    private static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.Array => string.Join(", ", value.EnumerateArray().Select(Text)),
        _ => value.ToString(),
    };
}
