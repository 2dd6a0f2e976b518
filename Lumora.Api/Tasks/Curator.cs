using Lumora.Api.Bandwidth;
using Lumora.Api.EventStore;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Kernel;
using Lumora.Domain.Nodes;
using Lumora.Domain.Tasks;
using Lumora.Projections.EventStore;
using Lumora.Projections.Nodes;
using Lumora.Projections.Tasks;
using Npgsql;

namespace Lumora.Api.Tasks;

/// <summary>
/// Judges delivered results: decrypts with the collection's key, recomputes the content root, checks schema and
/// counts, and only then accepts and records the contribution, both in one commit.
/// </summary>
internal sealed class Curator(
    ShardSessions sessions, ResultFiles files, CollectionKeys keys, ICurve25519 curve, EpochGate epochs,
    WorkSignals signals, TimeProvider clock, ILogger<Curator> logger)
    : Worker(logger)
{
    private const int ResultsPerPass = 32;
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);
    private static readonly Actor Self = Actor.System("curator");

    /// <inheritdoc/>
    protected override async Task<bool> PassAsync(CancellationToken ct)
    {
        var waiting = await WaitingAsync(ct);
        foreach (var taskId in waiting)
            await JudgeAsync(taskId, ct);
        return waiting.Count == ResultsPerPass;
    }

    /// <inheritdoc/>
    protected override Task IdleAsync(CancellationToken ct) => signals.Results.WaitAsync(Poll, ct);

    private async Task<List<string>> WaitingAsync(CancellationToken ct)
    {
        await using var command = sessions.DataSource(ShardRole.Region).CreateCommand(
            "select task_id from work_task where phase = 'completed' order by task_id limit $1");
        command.Parameters.Add(new NpgsqlParameter { Value = ResultsPerPass });
        var waiting = new List<string>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            waiting.Add(reader.GetString(0));
        return waiting;
    }

    private async Task JudgeAsync(string taskId, CancellationToken ct)
    {
        await using var query = sessions.Query(ShardRole.Region);
        var task = await query.Events.AggregateStreamAsync<TaskState>(TaskState.StreamOf(taskId), token: ct);
        if (task is not { Phase: TaskPhase.Completed, Output: { } output })
            return;
        var collection = await query.LoadAsync<CollectionView>(CollectionState.StreamOf(task.CollectionId), ct);
        var node = await query.LoadAsync<NodeView>(NodeState.StreamOf(task.Lease!.NodeId), ct);
        var problem = await ProblemAsync(collection!, output, ct);

        // The judgement above took its time and no lock; the commit decides on the state as it is now.
        await using var connection = await sessions.DataSource(ShardRole.Region).OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var session = sessions.Open(ShardRole.Region, Self, transaction);
        var stream = await session.Events.FetchForWriting<TaskState>(TaskState.StreamOf(taskId), ct);
        // Under the gate for refusals, too: they lower the quality of the epoch that is open now.
        var epoch = await epochs.OpenEpochAsync(connection, clock.Now(), ct);
        var now = clock.Now();
        var decision = problem is null
            ? TaskDecider.Accept(
                stream.Aggregate!, TypeId.Format("result", Guid.CreateVersion7(now)),
                TypeId.Format("contribution", Guid.CreateVersion7(now)), node!.Owner,
                epoch, collection!.Plan.PageBytesMax, now)
            : TaskDecider.Reject(stream.Aggregate!, problem.Code, problem.Message, now);
        await session.CommitAsync(stream, decision, ct);
        await transaction.CommitAsync(ct);
        signals.Collections.Set();
        signals.Leases.Set();
    }

    private async Task<Rejection?> ProblemAsync(CollectionView collection, TaskOutput output, CancellationToken ct)
    {
        var check = new ResultCheck(collection.Plan, output);
        if (check.Begin() is { } promise)
            return promise;
        try
        {
            await using var plaintext = files.Scratch();
            await using (var ciphertext = files.Open(output.CiphertextSha256))
            {
                await AgeDecryptor.DecryptAsync(
                    ciphertext, plaintext, [keys.Read(collection.CollectionId)], curve, ct);
            }

            plaintext.Position = 0;
            await foreach (var line in NdjsonLines.ReadAsync(plaintext, ct))
            {
                if (check.Next(line) is { } problem)
                    return problem;
            }
        }
        catch (AgeException fault)
        {
            return new Rejection("not_decryptable", fault.Message);
        }
        catch (FileNotFoundException)
        {
            // Lost on our side (a restored backup, a lost disk): the task must not stop the others for ever.
            return new Rejection("result_lost", "The gateway no longer has the result; it is no fault of the node.");
        }
        catch (InvalidDataException fault)
        {
            return new Rejection("not_ndjson", fault.Message);
        }

        return check.End();
    }
}
