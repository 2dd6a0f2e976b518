using System.Collections.Immutable;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Datasets;

/// <summary>A version that is being built.</summary>
/// <param name="Version">The version.</param>
/// <param name="Price">The price it will be listed at.</param>
/// <param name="InputRoot">The lineage that the build must arrive at.</param>
public sealed record PendingBuild(SemVer Version, Amount Price, string InputRoot);

/// <summary>State of a dataset, folded from <c>dataset/{id}</c>.</summary>
/// <param name="DatasetId">The dataset's id.</param>
/// <param name="PublisherId">Who sells it; does not change.</param>
/// <param name="CollectionId">Where its records come from; does not change.</param>
/// <param name="Versions">Published versions, oldest first.</param>
/// <param name="Pending">The version being built, if one is.</param>
/// <param name="Price">The price, when it is listed.</param>
public sealed record Dataset(
    string DatasetId, string PublisherId, string CollectionId, ImmutableList<SemVer> Versions, PendingBuild? Pending,
    Amount? Price)
{
    /// <summary>The stream.</summary>
    public string Id { get; init; } = StreamOf(DatasetId);

    /// <summary>The newest published version.</summary>
    public SemVer? Latest => Versions.IsEmpty ? null : Versions[^1];

    /// <summary>True when it can be bought.</summary>
    public bool IsListed => Price is not null;

    /// <summary>The stream of dataset <paramref name="id"/>.</summary>
    public static string StreamOf(string id) => $"dataset/{id}";

    /// <summary>The state after <paramref name="event"/>.</summary>
    public static Dataset Evolve(Dataset? state, object @event) => (state, @event) switch
    {
        (null, DatasetBuildRequested e) => new Dataset(
            e.DatasetId, e.PublisherId, e.CollectionId, [], new PendingBuild(e.Version, e.Price, e.InputRoot), null),
        (not null, DatasetBuildRequested e) => state with
        {
            Pending = new PendingBuild(e.Version, e.Price, e.InputRoot),
        },
        (not null, DatasetBuildFailed) => state with { Pending = null },
        (not null, DatasetVersionPublished e) => state with { Versions = state.Versions.Add(e.Version), Pending = null },
        (not null, DatasetListed e) => state with { Price = e.Price },
        (not null, DatasetPriceChanged e) => state with { Price = e.To },
        (not null, DatasetUnlisted) => state with { Price = null },
        _ => throw new InvariantViolationException($"{@event.GetType().Name} does not follow this dataset's events"),
    };
}
