using Lumora.Cli.Reports;
using Lumora.Domain.Datasets;
using Lumora.Domain.Kernel;
using Lumora.Domain.Rewards;

namespace Lumora.Cli.Audit;

/// <summary>The catalog and the closed epochs as the log tells them: what a server's public answers are held against.</summary>
internal sealed class PublicFold : IAuditPart
{
    private readonly Dictionary<string, CatalogEntry> _datasets = new(StringComparer.Ordinal);
    private readonly SortedDictionary<long, EpochTotals> _epochs = [];

    /// <summary>Datasets by id.</summary>
    public IReadOnlyDictionary<string, CatalogEntry> Datasets => _datasets;

    /// <summary>Closed epochs by number.</summary>
    public IReadOnlyDictionary<long, EpochTotals> Epochs => _epochs;

    /// <inheritdoc/>
    public IEnumerable<Finding> Take(LoggedEvent entry)
    {
        if (entry.Leaf.Stream.StartsWith("dataset/", StringComparison.Ordinal))
            Take(entry.Event);
        else if (entry.Leaf.Stream.StartsWith("epoch/", StringComparison.Ordinal))
            TakeEpoch(entry.Event);
        return [];
    }

    /// <inheritdoc/>
    public void Save(BinaryWriter output)
    {
        output.WriteList(_datasets.Values, output.WriteJson);
        output.WriteList(_epochs.Values, output.WriteJson);
    }

    /// <inheritdoc/>
    public void Load(BinaryReader input)
    {
        foreach (var dataset in input.ReadList(input.ReadJson<CatalogEntry>))
            _datasets[dataset.DatasetId] = dataset;
        foreach (var epoch in input.ReadList(input.ReadJson<EpochTotals>))
            _epochs[epoch.Number] = epoch;
    }

    private void Take(object? @event)
    {
        switch (@event)
        {
            case DatasetBuildRequested e when !_datasets.ContainsKey(e.DatasetId):
                _datasets[e.DatasetId] = new CatalogEntry(e.DatasetId, e.PublisherId, e.CollectionId);
                break;
            case DatasetVersionPublished e:
                Change(e.DatasetId, dataset => dataset with { Latest = e, Versions = [.. dataset.Versions, e.Version.ToString()] });
                break;
            case DatasetListed e:
                Change(e.DatasetId, dataset => dataset with { IsListed = true, Price = e.Price });
                break;
            case DatasetPriceChanged e:
                Change(e.DatasetId, dataset => dataset with { Price = e.To });
                break;
            case DatasetUnlisted e:
                Change(e.DatasetId, dataset => dataset with { IsListed = false });
                break;
        }
    }

    private void TakeEpoch(object? @event)
    {
        switch (@event)
        {
            case EpochInputsSealed e:
                _epochs[e.Epoch] = new EpochTotals(
                    e.Epoch, e.Emission, Amount.Zero, Amount.Zero, 0, e.Contributions, e.Nodes, e.Bytes, e.InputRoot, "", e.Reason, e.SealedAt);
                break;
            case EpochRewardsComputed e when _epochs.TryGetValue(e.Epoch, out var epoch):
                _epochs[e.Epoch] = epoch with
                {
                    Paid = e.Paid,
                    Unallocated = e.Unallocated,
                    Providers = e.Providers,
                    RewardRoot = e.RewardRoot,
                };
                break;
        }
    }

    private void Change(string id, Func<CatalogEntry, CatalogEntry> change)
    {
        if (_datasets.TryGetValue(id, out var dataset))
            _datasets[id] = change(dataset);
    }
}

/// <summary>A dataset as the log tells it.</summary>
internal sealed record CatalogEntry(string DatasetId, string PublisherId, string CollectionId)
{
    public DatasetVersionPublished? Latest { get; init; }

    public IReadOnlyList<string> Versions { get; init; } = [];

    public bool IsListed { get; init; }

    public Amount? Price { get; init; }
}

/// <summary>The totals of a closed epoch as the log tells them.</summary>
internal sealed record EpochTotals(
    long Number, Amount Emission, Amount Paid, Amount Unallocated, int Providers, int Contributions, int Nodes, long Bytes,
    string InputRoot, string RewardRoot, string Reason, DateTimeOffset SealedAt);
