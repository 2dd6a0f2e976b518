using Lumora.Domain.Datasets;

namespace Lumora.Projections.Datasets;

/// <summary>
/// A build that was asked for and is not over. Inserted with the event that asks, deleted with the event that ends it:
/// what is here after a crash is built again from the start.
/// </summary>
public sealed record DatasetBuild
{
    /// <summary><c>datasetId/version</c>.</summary>
    public required string Id { get; init; }

    /// <summary>What was asked for.</summary>
    public required DatasetBuildRequested Request { get; init; }

    /// <summary>The columns, from the collection's rules.</summary>
    public required IReadOnlyList<DatasetColumn> Columns { get; init; }

    /// <summary>The accepted results that go in, in order; what is accepted later belongs to the next version.</summary>
    public required IReadOnlyList<string> ResultIds { get; init; }

    /// <summary>The step it is in: <c>queued</c>, <c>reading</c>, <c>storing</c>.</summary>
    public string Step { get; init; } = "queued";

    /// <summary>Results read so far.</summary>
    public int ResultsRead { get; init; }

    /// <summary>How often it was begun.</summary>
    public int Attempts { get; init; }

    /// <summary>Not before this time.</summary>
    public DateTimeOffset NotBefore { get; init; }

    /// <summary>The key of a build.</summary>
    public static string KeyOf(string datasetId, SemVer version) => $"{datasetId}/{version}";
}

/// <summary>What belongs to a version and is too long for its event; the event holds the hashes.</summary>
public sealed record DatasetArtifacts
{
    /// <summary><c>datasetId/version</c>.</summary>
    public required string Id { get; init; }

    /// <summary>The version's event: its files and roots.</summary>
    public required DatasetVersionPublished Version { get; init; }

    /// <summary>The columns.</summary>
    public required IReadOnlyList<DatasetColumn> Columns { get; init; }

    /// <summary>One for each column.</summary>
    public required IReadOnlyList<ColumnStatistics> Statistics { get; init; }

    /// <summary>The public sample; its SHA-256 stands in the event.</summary>
    public required string Sample { get; init; }

    /// <summary>The Croissant document in canonical JSON; its SHA-256 stands in the event.</summary>
    public required string Croissant { get; init; }

    /// <summary>The key of a version's artifacts.</summary>
    public static string KeyOf(string datasetId, string version) => $"{datasetId}/{version}";
}

/// <summary>A file's age key, wrapped under the operator's key.</summary>
public sealed record DatasetFileKey
{
    /// <summary><c>datasetId/version/file</c>; the wrapping is bound to it.</summary>
    public required string Id { get; init; }

    /// <summary>Nonce, sealed key and tag.</summary>
    public required byte[] Wrapped { get; init; }

    /// <summary>The key of a file's key.</summary>
    public static string KeyOf(string datasetId, SemVer version, string file) => $"{datasetId}/{version}/{file}";
}

/// <summary>A publish request by its idempotency key: the same content again gives the same dataset.</summary>
public sealed record PublishRequest
{
    /// <summary><c>actor/key</c>.</summary>
    public required string Id { get; init; }

    /// <summary>SHA-256, hex, of the request's canonical JSON.</summary>
    public required string ContentHash { get; init; }

    /// <summary>The dataset that it led to.</summary>
    public required string DatasetId { get; init; }
}
