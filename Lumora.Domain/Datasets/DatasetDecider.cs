using Lumora.Domain.Kernel;

namespace Lumora.Domain.Datasets;

/// <summary>What can be asked of a dataset.</summary>
public abstract record DatasetCommand
{
    private DatasetCommand()
    {
    }

    /// <summary>Build a version from accepted results.</summary>
    /// <param name="Draft">What the publisher says about it; already validated.</param>
    /// <param name="DatasetId">The dataset, new or existing.</param>
    /// <param name="PublisherId">Who asks.</param>
    /// <param name="InputRoot">Lineage root over the accepted results.</param>
    /// <param name="InputCount">How many accepted results there are.</param>
    public sealed record RequestBuild(
        DatasetDraft Draft, string DatasetId, string PublisherId, string InputRoot, int InputCount) : DatasetCommand;

    /// <summary>The build of <paramref name="Version"/> is complete.</summary>
    /// <param name="Version">What was built, with its roots; its time is overwritten.</param>
    public sealed record CompleteBuild(DatasetVersionPublished Version) : DatasetCommand;

    /// <summary>The build of <paramref name="Version"/> cannot be completed.</summary>
    /// <param name="Version">The version.</param>
    /// <param name="Code">Stable code.</param>
    /// <param name="Reason">For people.</param>
    public sealed record FailBuild(SemVer Version, string Code, string Reason) : DatasetCommand;

    /// <summary>Sell at a (new) price.</summary>
    /// <param name="Price">The price; at least one base unit.</param>
    public sealed record SetPrice(Amount Price) : DatasetCommand;

    /// <summary>Stop selling.</summary>
    public sealed record Unlist : DatasetCommand;
}

/// <summary>Decides what happens to a dataset. Pure: time comes in as an argument.</summary>
public static class DatasetDecider
{
    /// <summary>Most versions that one dataset may have.</summary>
    public const int VersionsMax = 1_000;

    /// <summary>
    /// The events that <paramref name="command"/> leads to. Codes: <c>not_found</c>, <c>forbidden</c>,
    /// <c>collection_differs</c>, <c>build_pending</c>, <c>version_not_newer</c>, <c>too_many_versions</c>,
    /// <c>no_results</c>, <c>not_published</c>, <c>invalid_price</c>.
    /// </summary>
    public static Decision Decide(DatasetCommand command, Dataset? state, DateTimeOffset now) => (command, state) switch
    {
        (DatasetCommand.RequestBuild c, _) => RequestBuild(c, state, now),
        (_, null) => Decision.Reject("not_found", "There is no such dataset."),
        (DatasetCommand.CompleteBuild c, _) => CompleteBuild(c, state, now),
        (DatasetCommand.FailBuild c, _) => FailBuild(c, state, now),
        (DatasetCommand.SetPrice c, _) => SetPrice(c, state, now),
        (DatasetCommand.Unlist, { IsListed: false }) => Decision.Accept(),
        (DatasetCommand.Unlist, _) => Decision.Accept(new DatasetUnlisted(state.DatasetId, now)),
        _ => throw new InvariantViolationException($"unknown command {command.GetType().Name}"),
    };

    /// <summary>The version that a request without one means: 1.0.0, then one minor further each time.</summary>
    public static SemVer NextVersion(Dataset? state) => state?.Latest?.NextMinor() ?? SemVer.First;

    private static Decision RequestBuild(DatasetCommand.RequestBuild command, Dataset? state, DateTimeOffset now)
    {
        var draft = command.Draft;
        var version = draft.Version ?? NextVersion(state);
        if (command.InputCount == 0)
            return Decision.Reject("no_results", "The collection has no accepted results yet.", "collectionId");
        if (state is not null)
        {
            if (state.PublisherId != command.PublisherId)
                return Decision.Reject("forbidden", "Only the dataset's publisher may publish a version.", "datasetId");
            if (state.CollectionId != draft.CollectionId)
                return Decision.Reject("collection_differs", "A dataset stays with its collection.", "collectionId");
            if (state.Pending is { } pending)
                return Decision.Reject("build_pending", $"Version {pending.Version} is still being built.", "version");
            if (state.Latest is { } latest && version <= latest)
                return Decision.Reject("version_not_newer", $"The version must be above {latest}.", "version");
            if (state.Versions.Count >= VersionsMax)
                return Decision.Reject("too_many_versions", $"A dataset has at most {VersionsMax} versions.");
        }

        return Decision.Accept(new DatasetBuildRequested(
            command.DatasetId, version, draft.CollectionId, command.PublisherId, draft.Title, draft.Description,
            draft.Topic, draft.Licence, draft.Price, command.InputRoot, command.InputCount, now));
    }

    private static Decision CompleteBuild(DatasetCommand.CompleteBuild command, Dataset state, DateTimeOffset now)
    {
        var built = command.Version;
        // A build that ran twice (killed after its commit, or on two hosts) changes nothing the second time.
        if (state.Pending is not { } pending || pending.Version != built.Version)
            return Decision.Accept();
        Check.That(built.DatasetId == state.DatasetId && built.PublisherId == state.PublisherId);
        Check.That(built.InputRoot == pending.InputRoot);
        var published = built with { At = now };
        object listing = state.Price is { } price
            ? new DatasetPriceChanged(state.DatasetId, price, pending.Price, now)
            : new DatasetListed(state.DatasetId, pending.Price, now);
        return state.Price == pending.Price ? Decision.Accept(published) : Decision.Accept(published, listing);
    }

    private static Decision FailBuild(DatasetCommand.FailBuild command, Dataset state, DateTimeOffset now) =>
        state.Pending?.Version == command.Version
            ? Decision.Accept(new DatasetBuildFailed(state.DatasetId, command.Version, command.Code, command.Reason, now))
            : Decision.Accept();

    private static Decision SetPrice(DatasetCommand.SetPrice command, Dataset state, DateTimeOffset now)
    {
        if (state.Latest is null)
            return Decision.Reject("not_published", "The dataset has no published version yet.");
        if (!DatasetDraftValidator.IsPriceInRange(command.Price))
            return Decision.Reject("invalid_price", DatasetDraftValidator.PriceRule, "price");
        return state.Price switch
        {
            null => Decision.Accept(new DatasetListed(state.DatasetId, command.Price, now)),
            { } same when same == command.Price => Decision.Accept(),
            { } other => Decision.Accept(new DatasetPriceChanged(state.DatasetId, other, command.Price, now)),
        };
    }
}
