using GraphQL;
using Lumora.Api.Tasks;
using Lumora.Domain.Kernel;
using Lumora.Domain.Tasks;
using Lumora.Projections.EventStore;
using Lumora.Projections.Tasks;
using Npgsql;

namespace Lumora.Api.GraphQL;

/// <summary>What is gathered, and how far it is.</summary>
/// <param name="Id">The collection.</param>
/// <param name="Title">For people.</param>
/// <param name="Purpose">What the data is for.</param>
/// <param name="Licence">Licence of the source.</param>
/// <param name="Phase">Where it stands.</param>
/// <param name="Tasks">Tasks that it was cut into; 0 before.</param>
/// <param name="Pages">Pages in them.</param>
/// <param name="Progress">How its tasks stand.</param>
/// <param name="Failure">Why it cannot run; null when it can.</param>
/// <param name="ProposedAt">When it was proposed.</param>
/// <param name="CompletedAt">When its last task ended; null before.</param>
public sealed record Collection(
    [property: Id] string Id, string Title, string Purpose, string Licence, CollectionPhase Phase, int Tasks, int Pages,
    CollectionProgress Progress, string? Failure, DateTimeOffset ProposedAt, DateTimeOffset? CompletedAt)
{
    internal static Collection From(CollectionView view, CollectionProgress? progress) => new(
        view.CollectionId, view.Plan.Title, view.Plan.Purpose, view.Plan.Licence, view.Phase, view.Tasks, view.Pages,
        progress ?? new CollectionProgress(0, 0, 0, 0, 0, 0), view.Failure, view.ProposedAt, view.CompletedAt);
}

/// <summary>Tasks of a collection by where they stand.</summary>
/// <param name="Queued">Waiting for a node.</param>
/// <param name="Leased">With a node.</param>
/// <param name="Completed">Delivered, not yet judged.</param>
/// <param name="Accepted">Accepted.</param>
/// <param name="Abandoned">Given up after the last attempt.</param>
/// <param name="Records">Records in accepted results.</param>
public sealed record CollectionProgress(
    int Queued, int Leased, int Completed, int Accepted, int Abandoned, long Records);

/// <summary>A batch of pages of one host.</summary>
/// <param name="Id">The task.</param>
/// <param name="Host">Host of its pages.</param>
/// <param name="Phase">queued, leased, completed, accepted or abandoned.</param>
/// <param name="Pages">How many pages.</param>
/// <param name="Attempts">Leases so far.</param>
/// <param name="Records">Records in its last result.</param>
/// <param name="Reason">Why its last attempt failed; null when it did not.</param>
public sealed record CollectionTask(
    [property: Id] string Id, string Host, string Phase, int Pages, int Attempts, int Records, string? Reason);

/// <summary>A field of the records to gather.</summary>
/// <param name="Field">Its name: a letter, then letters, digits or '_'.</param>
/// <param name="Selector">CSS selector; the first match counts.</param>
/// <param name="Attribute">Attribute to read; the text when left out.</param>
/// <param name="Type">How the text is read; TEXT when left out.</param>
/// <param name="Required">Whether a page without it gives no record.</param>
public sealed record CollectionFieldInput(
    string Field, string Selector, string? Attribute, FieldType? Type, bool? Required);

/// <summary>A collection to propose; give URLs or a sitemap.</summary>
/// <param name="Title">For people, 3 to 120 characters.</param>
/// <param name="Purpose">What the data is for.</param>
/// <param name="Licence">SPDX id or URL of the source's licence.</param>
/// <param name="AllowedHosts">Hosts that may be visited, for example example.org or example.org:8443.</param>
/// <param name="Urls">Pages to fetch.</param>
/// <param name="Sitemap">Address of a sitemap.xml.</param>
/// <param name="Fields">What to take from a page.</param>
/// <param name="RecordSelector">Each match is a record of its own; a page is one record when left out.</param>
/// <param name="PagesMax">At most so many pages; 1,000 when left out.</param>
/// <param name="PagesPerTask">Pages in a task; 20 when left out.</param>
/// <param name="PageBytesMax">Largest page in bytes; 2 MiB when left out.</param>
/// <param name="RecordsPerPageMax">Most records of a page; 100 when left out.</param>
/// <param name="AttemptsMax">Leases per task before it is given up; 5 when left out.</param>
/// <param name="Redact">Whether personal data is redacted by the node; true when left out.</param>
public sealed record ProposeCollectionInput(
    string Title, string Purpose, string Licence, IReadOnlyList<string> AllowedHosts, IReadOnlyList<string>? Urls,
    string? Sitemap, IReadOnlyList<CollectionFieldInput> Fields, string? RecordSelector, int? PagesMax,
    int? PagesPerTask, int? PageBytesMax, int? RecordsPerPageMax, int? AttemptsMax, bool? Redact)
{
    internal CollectionPlan ToPlan() => new(
        Title, Purpose, Licence, AllowedHosts, Urls ?? [], Sitemap,
        [
            .. Fields.Select(field => new ExtractionRule(
                field.Field, field.Selector, field.Attribute, field.Type ?? FieldType.Text, field.Required ?? false)),
        ],
        RecordSelector, Replication: 1, PagesMax ?? 1_000, PagesPerTask ?? 20, PageBytesMax ?? 2 << 20,
        RecordsPerPageMax ?? 100, AttemptsMax ?? 5, Redact ?? true);
}

/// <summary>The collection, or everything that is wrong with it.</summary>
/// <param name="Collection">The collection; null when refused.</param>
/// <param name="Error">The first problem; null when there is none.</param>
/// <param name="Problems">All problems, each with its field.</param>
public sealed record CollectionPayload(Collection? Collection, UserError? Error, IReadOnlyList<UserError> Problems);

/// <summary>A collection to approve.</summary>
/// <param name="CollectionId">The collection.</param>
public sealed record ApproveCollectionInput([property: Id] string CollectionId);

public sealed partial class Query
{
    /// <summary>Collections, ordered by id: all for stewards, auditors and operators, else those that you proposed.</summary>
    [AllowSignedIn]
    public static async Task<Connection<Collection>> Collections(
        IResolveFieldContext context, [FromServices] ShardSessions sessions, PageRequest page, CancellationToken ct)
    {
        var actor = context.Actor();
        await using var session = sessions.Query(ShardRole.Region);
        var views = await session.QueryAsync<CollectionView>(
            "where (? or data ->> 'proposedBy' = ?) and (? = '' or data ->> 'collectionId' > ?) "
            + "and (? = '' or data ->> 'collectionId' < ?) "
            + $"order by data ->> 'collectionId' {(page.Backward ? "desc" : "asc")} limit ?",
            ct, CollectionReports.SeesAll(actor), actor.Id, page.After ?? "", page.After ?? "", page.Before ?? "",
            page.Before ?? "", page.Take);
        var progress = await CollectionReports.ProgressAsync(sessions, [.. views.Select(view => view.CollectionId)], ct);
        return page.Page(
            [.. views.Select(view => Collection.From(view, progress.GetValueOrDefault(view.CollectionId)))],
            collection => collection.Id);
    }

    /// <summary>The tasks of a collection that you may see; empty for any other.</summary>
    /// <param name="collectionId">The collection.</param>
    [AllowSignedIn]
    public static async Task<Connection<CollectionTask>> Tasks(
        IResolveFieldContext context, [FromServices] ShardSessions sessions, PageRequest page,
        [Id] string collectionId, CancellationToken ct)
    {
        await using var session = sessions.Query(ShardRole.Region);
        var view = await session.LoadAsync<CollectionView>(CollectionState.StreamOf(collectionId), ct);
        var actor = context.Actor();
        if (view is null || (view.ProposedBy != actor.Id && !CollectionReports.SeesAll(actor)))
            return page.Page<CollectionTask>([], task => task.Id);
        return page.Page(await CollectionReports.TasksAsync(sessions, collectionId, page, ct), task => task.Id);
    }
}

public sealed partial class Mutation
{
    /// <summary>Proposes a collection. A steward's runs at once, a consumer's after a steward approved it.</summary>
    /// <param name="input">What to gather.</param>
    [Allow(Roles.Steward | Roles.Consumer)]
    public static async Task<CollectionPayload> ProposeCollection(
        IResolveFieldContext context, [FromServices] ICollectionProposals proposals, ProposeCollectionInput input,
        CancellationToken ct)
    {
        var proposed = await proposals.ProposeAsync(new ProposeCollection(context.Actor(), input.ToPlan()), ct);
        return new CollectionPayload(
            proposed.Collection is { } view ? Collection.From(view, null) : null,
            UserError.From(proposed.Problems.Count == 0 ? null : proposed.Problems[0]),
            [.. proposed.Problems.Select(problem => UserError.From(problem)!)]);
    }

    /// <summary>Lets a consumer's collection run.</summary>
    /// <param name="input">The collection.</param>
    [Allow(Roles.Steward)]
    public static async Task<CollectionPayload> ApproveCollection(
        IResolveFieldContext context, [FromServices] ICollectionProposals proposals, ApproveCollectionInput input,
        CancellationToken ct)
    {
        var approved = await proposals.ApproveAsync(context.Actor(), input.CollectionId, ct);
        var error = UserError.From(approved.Rejection);
        return new CollectionPayload(
            approved.Value is { } view ? Collection.From(view, null) : null, error, error is null ? [] : [error]);
    }
}

/// <summary>Reads the progress and tasks of collections.</summary>
internal static class CollectionReports
{
    /// <summary>Whether <paramref name="actor"/> sees the collections of others.</summary>
    public static bool SeesAll(Actor actor) => actor.Has(Roles.Steward | Roles.Auditor | Roles.Operator);

    /// <summary>How the tasks of each of <paramref name="ids"/> stand.</summary>
    public static async Task<Dictionary<string, CollectionProgress>> ProgressAsync(
        ShardSessions sessions, string[] ids, CancellationToken ct)
    {
        await using var command = sessions.DataSource(ShardRole.Region).CreateCommand(
            "select collection_id, count(*) filter (where phase = 'queued'), count(*) filter (where phase = 'leased'), "
            + "count(*) filter (where phase = 'completed'), count(*) filter (where phase = 'accepted'), "
            + "count(*) filter (where phase = 'abandoned'), "
            + "coalesce(sum(records) filter (where phase = 'accepted'), 0)::bigint "
            + "from work_task where collection_id = any($1) group by collection_id");
        command.Parameters.Add(new NpgsqlParameter { Value = ids });
        var progress = new Dictionary<string, CollectionProgress>(StringComparer.Ordinal);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            progress[reader.GetString(0)] = new CollectionProgress(
                (int)reader.GetInt64(1), (int)reader.GetInt64(2), (int)reader.GetInt64(3), (int)reader.GetInt64(4),
                (int)reader.GetInt64(5), reader.GetInt64(6));
        }

        return progress;
    }

    /// <summary>A page of the tasks of a collection.</summary>
    public static async Task<IReadOnlyList<CollectionTask>> TasksAsync(
        ShardSessions sessions, string collectionId, PageRequest page, CancellationToken ct)
    {
        await using var command = sessions.DataSource(ShardRole.Region).CreateCommand(
            "select task_id, host, phase, pages, attempts, records, reason from work_task "
            + "where collection_id = $1 and ($2 = '' or task_id > $2) and ($3 = '' or task_id < $3) "
            + $"order by task_id {(page.Backward ? "desc" : "asc")} limit $4");
        command.Parameters.Add(new NpgsqlParameter { Value = collectionId });
        command.Parameters.Add(new NpgsqlParameter { Value = page.After ?? "" });
        command.Parameters.Add(new NpgsqlParameter { Value = page.Before ?? "" });
        command.Parameters.Add(new NpgsqlParameter { Value = page.Take });
        var tasks = new List<CollectionTask>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            tasks.Add(new CollectionTask(
                reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetInt32(3), reader.GetInt32(4),
                reader.GetInt32(5), reader.IsDBNull(6) ? null : reader.GetString(6)));
        }

        return tasks;
    }
}
