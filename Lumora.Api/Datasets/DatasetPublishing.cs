using System.Security.Cryptography;
using JasperFx;
using Lumora.Api.Tasks;
using Lumora.Domain.Datasets;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Domain.Merkle;
using Lumora.Domain.Tasks;
using Lumora.Projections.Datasets;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using Lumora.Projections.Tasks;

namespace Lumora.Api.Datasets;

/// <summary>What a publisher asks for.</summary>
/// <param name="Actor">Who asks.</param>
/// <param name="Key">Idempotency key, 1 to 128 visible ASCII characters.</param>
/// <param name="DatasetId">The dataset that gets a further version; null for a new dataset.</param>
/// <param name="Draft">What is said about it.</param>
public sealed record PublishDataset(Actor Actor, string Key, string? DatasetId, DatasetDraft Draft);

/// <summary>The answer: a dataset that is being built, or everything that is wrong.</summary>
/// <param name="Dataset">The dataset.</param>
/// <param name="Problems">Empty when it was accepted.</param>
public sealed record PublishOutcome(DatasetView? Dataset, IReadOnlyList<Rejection> Problems);

/// <summary>Takes publishers' requests: what is committed here is built, whatever happens to the host.</summary>
public sealed class DatasetPublishing(
    ShardSessions sessions, IAcceptedResults results, ILedgers ledgers, DatasetBuildSignal signal, TimeProvider clock)
{
    private static readonly Actor Market = Actor.System("market");
    private static readonly DatasetDraftValidator Validator = new();

    /// <summary>Records the request and wakes the builder. The same request again gives the same dataset.</summary>
    public async Task<PublishOutcome> PublishAsync(PublishDataset command, CancellationToken ct)
    {
        var problems = Problems(command);
        if (problems.Count > 0)
            return new PublishOutcome(null, problems);
        await using (var regional = sessions.Query(ShardRole.Region))
        {
            var collection = await regional.LoadAsync<CollectionView>(CollectionState.StreamOf(command.Draft.CollectionId), ct);
            if (collection is null)
                return Refuse(new("not_found", "There is no such collection.", "collectionId"));
            if (collection.ProposedBy != command.Actor.Id && !command.Actor.Has(Roles.Steward))
                return Refuse(new("forbidden", "Only who proposed the collection, or a steward, may publish it.", "collectionId"));
            try
            {
                return await RecordAsync(command, ColumnsOf(collection.Plan), ct);
            }
            catch (DocumentAlreadyExistsException)
            {
                // The same key at the same moment: the other request has won, and this one repeats it.
                return await RecordAsync(command, ColumnsOf(collection.Plan), ct);
            }
        }
    }

    /// <summary>Sells the caller's dataset at <paramref name="price"/>, or, with null, no longer.</summary>
    public async Task<Result<DatasetView>> SetPriceAsync(Actor actor, string datasetId, Amount? price, CancellationToken ct)
    {
        if (!TypeId.IsValid("dataset", datasetId))
            return new Rejection("not_found", "There is no such dataset.", "datasetId");
        await using var session = sessions.Open(ShardRole.Global, actor);
        var stream = await session.Events.FetchForWriting<Dataset>(Dataset.StreamOf(datasetId), ct);
        if (stream.Aggregate is { } dataset && dataset.PublisherId != actor.Id)
            return new Rejection("forbidden", "Only the dataset's publisher sets its price.", "datasetId");
        DatasetCommand command = price is { } amount ? new DatasetCommand.SetPrice(amount) : new DatasetCommand.Unlist();
        var decision = DatasetDecider.Decide(command, stream.Aggregate, clock.Now());
        if (decision is Decision.Rejected rejected)
            return rejected.Reason;
        if (((Decision.Accepted)decision).Events is { Count: > 0 } events)
        {
            stream.AppendMany(events);
            await session.SaveChangesAsync(ct);
        }

        return (await session.LoadAsync<DatasetView>(Dataset.StreamOf(datasetId), ct))!;
    }

    /// <summary>RFC 6962 root, hex, over the receipts of <paramref name="inputs"/>: lineage without names of nodes.</summary>
    internal static string InputRoot(IEnumerable<AcceptedResult> inputs) => CompactRange.RootOf(
        inputs.Select(input => (ReadOnlyMemory<byte>)Convert.FromHexString(input.ReceiptHash))).ToString();

    private static List<Rejection> Problems(PublishDataset command)
    {
        List<Rejection> problems = [.. Validator.Problems(command.Draft)];
        if (command.Key.Length is 0 or > LedgerLimits.KeyLengthMax || command.Key.Any(c => c is < '!' or > '~'))
            problems.Add(new("invalid_key", "An idempotency key is 1 to 128 visible ASCII characters.", "idempotencyKey"));
        if (command.DatasetId is { } id && !TypeId.IsValid("dataset", id))
            problems.Add(new("invalid_dataset", "This is not the id of a dataset.", "datasetId"));
        return problems;
    }

    private static PublishOutcome Refuse(Rejection rejection) => new(null, [rejection]);

    private static List<DatasetColumn> ColumnsOf(CollectionPlan plan) =>
    [
        new("url", FieldType.Url, true),
        new("fetchedAt", FieldType.Date, true),
        .. plan.Rules.Select(rule => new DatasetColumn(rule.Field, rule.Type, rule.Required)),
    ];

    private async Task<PublishOutcome> RecordAsync(PublishDataset command, List<DatasetColumn> columns, CancellationToken ct)
    {
        await using var session = sessions.Open(ShardRole.Global, command.Actor);
        var content = Convert.ToHexStringLower(
            SHA256.HashData(CanonicalJson.Serialize(new { command.DatasetId, command.Draft })));
        var requestId = $"{command.Actor.Id}/{command.Key}";
        if (await session.LoadAsync<PublishRequest>(requestId, ct) is { } earlier)
        {
            return earlier.ContentHash == content
                ? new PublishOutcome(await session.LoadAsync<DatasetView>(Dataset.StreamOf(earlier.DatasetId), ct), [])
                : Refuse(new("idempotency_conflict", "This key was used for another request.", "idempotencyKey"));
        }

        var inputs = await results.ListAsync(command.Draft.CollectionId, ct);
        var now = clock.Now();
        var id = command.DatasetId ?? TypeId.Format("dataset", Guid.CreateVersion7(now));
        var stream = await session.Events.FetchForWriting<Dataset>(Dataset.StreamOf(id), ct);
        if (stream.Aggregate is null && command.DatasetId is not null)
            return Refuse(new("not_found", "There is no such dataset.", "datasetId"));
        var decision = DatasetDecider.Decide(
            new DatasetCommand.RequestBuild(command.Draft, id, command.Actor.Id, InputRoot(inputs), inputs.Count),
            stream.Aggregate, now);
        if (decision is Decision.Rejected rejected)
            return Refuse(rejected.Reason);

        await OpenAccountAsync(command.Actor.Id, ct);
        var request = (DatasetBuildRequested)((Decision.Accepted)decision).Events.Single();
        stream.AppendOne(request);
        session.Insert(new PublishRequest { Id = requestId, ContentHash = content, DatasetId = id });
        session.Insert(new DatasetBuild
        {
            Id = DatasetBuild.KeyOf(id, request.Version),
            Request = request,
            Columns = columns,
            ResultIds = [.. inputs.Select(input => input.ResultId)],
        });
        await session.SaveChangesAsync(ct);
        signal.Set();
        return new PublishOutcome(await session.LoadAsync<DatasetView>(Dataset.StreamOf(id), ct), []);
    }

    // The publisher is paid into this account one day; that it is open already is no matter.
    private Task<LedgerOutcome> OpenAccountAsync(string participantId, CancellationToken ct)
    {
        var code = ChartOfAccounts.Available(participantId);
        return ledgers.For(ShardRole.Global).SubmitAsync(
            new LedgerRequest(Market, $"open/{code}", new OpenAccount(code)), ct);
    }
}
