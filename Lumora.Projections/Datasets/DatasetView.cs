using JasperFx.Events;
using Lumora.Domain.Datasets;
using Lumora.Domain.Kernel;
using Marten.Events.Aggregation;

namespace Lumora.Projections.Datasets;

/// <summary>Where a dataset stands.</summary>
public enum DatasetPhase
{
    /// <summary>Its first version is being built.</summary>
    Building,

    /// <summary>Its first version could not be built.</summary>
    Failed,

    /// <summary>It has a version and can be bought.</summary>
    Listed,

    /// <summary>It has a version and cannot be bought.</summary>
    Unlisted,
}

/// <summary>A dataset as the catalog shows it.</summary>
public sealed record DatasetView
{
    /// <summary>The stream: <c>dataset/{id}</c>.</summary>
    public required string Id { get; init; }

    /// <summary><c>dataset_…</c>.</summary>
    public required string DatasetId { get; init; }

    /// <summary>Participant id of who sells.</summary>
    public required string PublisherId { get; init; }

    /// <summary>Where the records come from.</summary>
    public required string CollectionId { get; init; }

    /// <summary>Catalog title.</summary>
    public required string Title { get; init; }

    /// <summary>Catalog text.</summary>
    public required string Description { get; init; }

    /// <summary>Catalog topic.</summary>
    public required string Topic { get; init; }

    /// <summary>SPDX identifier.</summary>
    public required string Licence { get; init; }

    /// <summary>Where it stands.</summary>
    public DatasetPhase Phase { get; init; }

    /// <summary>The price; kept while it is unlisted.</summary>
    public Amount? Price { get; init; }

    /// <summary>The newest version, if there is one.</summary>
    public DatasetVersionPublished? Latest { get; init; }

    /// <summary>Published versions, oldest first.</summary>
    public IReadOnlyList<string> Versions { get; init; } = [];

    /// <summary>The version that is being built.</summary>
    public string? BuildingVersion { get; init; }

    /// <summary>Why the last build failed.</summary>
    public string? Failure { get; init; }

    /// <summary>When it was asked for first.</summary>
    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>Folds <c>dataset/{id}</c>.</summary>
public sealed class DatasetViewProjection : SingleStreamProjection<DatasetView, string>
{
    /// <inheritdoc/>
    public override DatasetView? Evolve(DatasetView? snapshot, string id, IEvent e) => (e.Data, snapshot) switch
    {
        (DatasetBuildRequested x, null) => Start(id, x),
        (DatasetBuildRequested x, { } s) => s with { BuildingVersion = x.Version.ToString(), Failure = null },
        (DatasetBuildFailed x, { } s) => s with
        {
            BuildingVersion = null,
            Failure = $"{x.Code}: {x.Reason}",
            Phase = s.Latest is null ? DatasetPhase.Failed : s.Phase,
        },
        (DatasetVersionPublished x, { } s) => s with
        {
            Title = x.Title,
            Description = x.Description,
            Topic = x.Topic,
            Licence = x.Licence,
            Latest = x,
            Versions = [.. s.Versions, x.Version.ToString()],
            BuildingVersion = null,
            Failure = null,
        },
        (DatasetListed x, { } s) => s with { Phase = DatasetPhase.Listed, Price = x.Price },
        (DatasetPriceChanged x, { } s) => s with { Price = x.To },
        (DatasetUnlisted, { } s) => s with { Phase = DatasetPhase.Unlisted },
        _ => snapshot,
    };

    private static DatasetView Start(string id, DatasetBuildRequested e) => new()
    {
        Id = id,
        DatasetId = e.DatasetId,
        PublisherId = e.PublisherId,
        CollectionId = e.CollectionId,
        Title = e.Title,
        Description = e.Description,
        Topic = e.Topic,
        Licence = e.Licence,
        BuildingVersion = e.Version.ToString(),
        CreatedAt = e.At,
    };
}
