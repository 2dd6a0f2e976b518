using System.ComponentModel;
using GraphQL;
using GraphQL.DataLoader;
using Lumora.Api.Datasets;
using Lumora.Domain.Datasets;
using Lumora.Domain.Kernel;
using Lumora.Projections.Datasets;
using Lumora.Projections.EventStore;

namespace Lumora.Api.GraphQL;

public sealed partial class Query
{
    /// <summary>Datasets on sale, newest first.</summary>
    [AllowAnyone]
    public static async Task<Connection<DatasetInfo>> Datasets(
        PageRequest page, [FromServices] DatasetCatalog catalog, [Description("What to look for.")] DatasetFilter? filter = null,
        CancellationToken ct = default)
    {
        if (filter?.Text is { Length: > DatasetCatalog.TextLengthMax })
            throw new ExecutionError($"A search text has at most {DatasetCatalog.TextLengthMax} characters.") { Code = ErrorCodes.BadRequest };
        var search = new CatalogSearch(filter?.Text, filter?.Topic, filter?.Licence, filter?.PriceMax);
        var rows = await catalog.SearchAsync(search, page.After, page.Before, page.Backward, page.Take, ct);
        var found = rows.ToDictionary(row => row.Dataset.DatasetId, row => row.Key, StringComparer.Ordinal);
        return page.Page([.. rows.Select(row => new DatasetInfo(row.Dataset))], key: row => found[row.Id]);
    }

    /// <summary>The dataset with this id, on sale or not; null when there is none.</summary>
    [AllowAnyone]
    public static async Task<DatasetInfo?> Dataset([FromServices] ShardSessions sessions, [Description("The dataset's id.")][Id] string id, CancellationToken ct)
    {
        await using var session = sessions.Query(ShardRole.Global);
        var view = await session.LoadAsync<DatasetView>(Lumora.Domain.Datasets.Dataset.StreamOf(id), ct);
        return view is null ? null : new DatasetInfo(view);
    }
}

public sealed partial class Mutation
{
    /// <summary>Builds a dataset version out of a collection's accepted results and lists it; follow <c>dataset.build</c>.</summary>
    [AllowSignedIn]
    public static async Task<PublishDatasetPayload> PublishDataset(
        IResolveFieldContext context, [FromServices] DatasetPublishing publishing, [Description("What to publish.")] PublishDatasetInput input, CancellationToken ct)
    {
        SemVer? version = null;
        if (input.Version is not null)
        {
            if (!SemVer.TryParse(input.Version, out var parsed))
            {
                var wrong = new UserError("invalid_version", "A version has the form 1.2.3.", "version");
                return new PublishDatasetPayload(null, wrong, [wrong]);
            }

            version = parsed;
        }

        var draft = new DatasetDraft(
            input.CollectionId, input.Title, input.Description, input.Topic, input.Price, input.Licence, version);
        var outcome = await publishing.PublishAsync(
            new PublishDataset(context.Actor(), input.IdempotencyKey, input.DatasetId, draft), ct);
        UserError[] problems = [.. outcome.Problems.Select(problem => UserError.From(problem)!)];
        return new PublishDatasetPayload(
            outcome.Dataset is null ? null : new DatasetInfo(outcome.Dataset), problems.FirstOrDefault(), problems);
    }

    /// <summary>Sells your dataset at another price, or no longer.</summary>
    [AllowSignedIn]
    public static async Task<SetDatasetPricePayload> SetDatasetPrice(
        IResolveFieldContext context, [FromServices] DatasetPublishing publishing, [Description("The dataset and its price.")] SetDatasetPriceInput input, CancellationToken ct)
    {
        var result = await publishing.SetPriceAsync(context.Actor(), input.DatasetId, input.Price, ct);
        return new SetDatasetPricePayload(
            result.Value is null ? null : new DatasetInfo(result.Value), UserError.From(result.Rejection));
    }
}

/// <summary>What to look for in the catalog; what is left out does not matter.</summary>
/// <param name="Text">Words as one types them into a search box: quotes for phrases, <c>or</c>, <c>-without</c>.</param>
/// <param name="Topic">Exactly this topic.</param>
/// <param name="Licence">Exactly this SPDX identifier.</param>
/// <param name="PriceMax">At most this price.</param>
public sealed record DatasetFilter(string? Text = null, string? Topic = null, string? Licence = null, Amount? PriceMax = null);

/// <summary>What to publish.</summary>
/// <param name="IdempotencyKey">1 to 128 visible characters; the same request again gives the same dataset.</param>
/// <param name="CollectionId">The collection whose accepted results become the data.</param>
/// <param name="Title">3 to 200 characters.</param>
/// <param name="Description">10 to 5,000 characters.</param>
/// <param name="Topic">Lower-case words joined by hyphens.</param>
/// <param name="Price">What one purchase costs.</param>
/// <param name="Licence">An SPDX identifier.</param>
/// <param name="DatasetId">The dataset that gets a further version; left out for a new dataset.</param>
/// <param name="Version">The version, for example 1.2.0; left out for the next one.</param>
public sealed record PublishDatasetInput(
    string IdempotencyKey, [property: Id] string CollectionId, string Title, string Description, string Topic,
    Amount Price, string Licence, [property: Id] string? DatasetId = null, string? Version = null);

/// <summary>What became of it.</summary>
/// <param name="Dataset">The dataset, being built.</param>
/// <param name="Error">The first problem.</param>
/// <param name="Problems">Everything that is wrong, at once.</param>
public sealed record PublishDatasetPayload(DatasetInfo? Dataset, UserError? Error, IReadOnlyList<UserError> Problems);

/// <summary>A dataset and its price.</summary>
/// <param name="DatasetId">Your dataset.</param>
/// <param name="Price">The price; left out, it is not for sale any more.</param>
public sealed record SetDatasetPriceInput([property: Id] string DatasetId, Amount? Price = null);

/// <summary>What became of it.</summary>
/// <param name="Dataset">The dataset as it is now.</param>
/// <param name="Error">Why it was refused.</param>
public sealed record SetDatasetPricePayload(DatasetInfo? Dataset, UserError? Error);

/// <summary>A dataset in the catalog.</summary>
[Name("Dataset")]
public sealed class DatasetInfo
{
    private readonly DatasetView view;

    internal DatasetInfo(DatasetView view) => this.view = view;

    /// <summary>The dataset's id.</summary>
    [Id]
    public string Id => view.DatasetId;

    /// <summary>Who sells it.</summary>
    [Id]
    public string PublisherId => view.PublisherId;

    /// <summary>The collection that it was made from.</summary>
    [Id]
    public string CollectionId => view.CollectionId;

    /// <summary>Title.</summary>
    public string Title => view.Title;

    /// <summary>Description.</summary>
    public string Description => view.Description;

    /// <summary>Topic.</summary>
    public string Topic => view.Topic;

    /// <summary>SPDX identifier of the licence.</summary>
    public string Licence => view.Licence;

    /// <summary>Where it stands.</summary>
    public DatasetPhase Phase => view.Phase;

    /// <summary>The price of one purchase; null before the first version.</summary>
    public Amount? Price => view.Price;

    /// <summary>The price for people.</summary>
    public string? PriceFormatted => view.Price?.Format();

    /// <summary>The newest version, for example 1.2.0.</summary>
    public string? Version => view.Latest?.Version.ToString();

    /// <summary>All versions, oldest first.</summary>
    public IReadOnlyList<string> Versions => view.Versions;

    /// <summary>Rows of the newest version.</summary>
    public long? Records => view.Latest?.Records;

    /// <summary>Files of the newest version.</summary>
    public IReadOnlyList<DatasetFile> Files => view.Latest?.Files ?? [];

    /// <summary>RFC 6962 root over the files of the newest version, hex.</summary>
    public string? DatasetRoot => view.Latest?.DatasetRoot;

    /// <summary>RFC 6962 root over the accepted results that went in, hex.</summary>
    public string? InputRoot => view.Latest?.InputRoot;

    /// <summary>SHA-256 of the newest version's Croissant document, hex.</summary>
    public string? MetadataHash => view.Latest?.MetadataHash;

    /// <summary>When the newest version was published.</summary>
    public DateTimeOffset? PublishedAt => view.Latest?.At;

    /// <summary>Why the last build failed.</summary>
    public string? Failure => view.Failure;

    /// <summary>Where the Croissant document is, relative to the host.</summary>
    public string CroissantPath => $"/datasets/{view.DatasetId}/croissant.json";

    /// <summary>The build that is going on.</summary>
    public IDataLoaderResult<DatasetBuildInfo?> Build([FromServices] DatasetBuildLoader builds) =>
        builds.LoadAsync(DatasetBuild.KeyOf(view.DatasetId, SemVer.TryParse(view.BuildingVersion, out var version) ? version : default));

    /// <summary>Columns, statistics and sample of the newest version.</summary>
    public IDataLoaderResult<DatasetDetails?> Details([FromServices] DatasetDetailsLoader details) =>
        details.LoadAsync(DatasetArtifacts.KeyOf(view.DatasetId, Version ?? ""));
}

/// <summary>A build that is going on.</summary>
/// <param name="Version">The version being built.</param>
/// <param name="Step"><c>queued</c>, <c>reading</c> or <c>storing</c>.</param>
/// <param name="ResultsRead">Accepted results read so far.</param>
/// <param name="Results">Accepted results to read.</param>
/// <param name="Attempts">How often it was begun.</param>
public sealed record DatasetBuildInfo(string Version, string Step, int ResultsRead, int Results, int Attempts);

/// <summary>What the catalog knows of a version's content.</summary>
/// <param name="Columns">The columns.</param>
/// <param name="Statistics">One for each column.</param>
/// <param name="Sample">The first records in clear, NDJSON.</param>
public sealed record DatasetDetails(
    IReadOnlyList<DatasetColumn> Columns, IReadOnlyList<ColumnStatistics> Statistics, string Sample);

/// <summary>Loads builds by their key.</summary>
public sealed class DatasetBuildLoader(ShardSessions sessions) : BatchLoader<string, DatasetBuildInfo>
{
    /// <inheritdoc/>
    protected override async Task<IReadOnlyDictionary<string, DatasetBuildInfo>> FetchAsync(
        IReadOnlyCollection<string> keys, CancellationToken ct)
    {
        await using var session = sessions.Query(ShardRole.Global);
        return (await session.LoadManyAsync<DatasetBuild>(ct, [.. keys])).ToDictionary(
            build => build.Id,
            build => new DatasetBuildInfo(
                build.Request.Version.ToString(), build.Step, build.ResultsRead, build.ResultIds.Count, build.Attempts),
            StringComparer.Ordinal);
    }
}

/// <summary>Loads details by version.</summary>
public sealed class DatasetDetailsLoader(ShardSessions sessions) : BatchLoader<string, DatasetDetails>
{
    /// <inheritdoc/>
    protected override async Task<IReadOnlyDictionary<string, DatasetDetails>> FetchAsync(
        IReadOnlyCollection<string> keys, CancellationToken ct)
    {
        await using var session = sessions.Query(ShardRole.Global);
        return (await session.LoadManyAsync<DatasetArtifacts>(ct, [.. keys])).ToDictionary(
            one => one.Id, one => new DatasetDetails(one.Columns, one.Statistics, one.Sample), StringComparer.Ordinal);
    }
}
