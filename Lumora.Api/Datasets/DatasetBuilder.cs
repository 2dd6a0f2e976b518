using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Lumora.Api.Tasks;
using Lumora.Domain.Datasets;
using Lumora.Domain.Kernel;
using Lumora.Projections.Datasets;
using Lumora.Projections.EventStore;
using Marten;
using Microsoft.Extensions.Options;

namespace Lumora.Api.Datasets;

/// <summary>Wakes the builder.</summary>
public sealed class DatasetBuildSignal : IDisposable
{
    private readonly Signal signal = new();

    /// <summary>A build was asked for.</summary>
    public void Set() => signal.Set();

    /// <inheritdoc/>
    public void Dispose() => signal.Dispose();

    /// <summary>Waits until a build is asked for, at most <paramref name="timeout"/>.</summary>
    internal Task WaitAsync(TimeSpan timeout, CancellationToken ct) => signal.WaitAsync(timeout, ct);
}

/// <summary>
/// Builds what was asked for, one version at a time. All it makes before its one commit is thrown away when it is
/// killed; bodies that were stored already stay under their hash, unused. A repeated build has new file keys, and
/// completing twice changes nothing (<see cref="DatasetDecider"/>).
/// </summary>
internal sealed partial class DatasetBuilder(
    ShardSessions sessions, IAcceptedResults results, DatasetBodies bodies, MarketKeys keys, DatasetBuildSignal signal,
    IOptions<MarketOptions> options, TimeProvider clock, ILogger<DatasetBuilder> logger) : Worker(logger)
{
    private const int AttemptsMax = 50;
    private static readonly Actor Market = Actor.System("market");
    private readonly DatasetPackager packager = new(RandomNumberGenerator.Fill);

    /// <inheritdoc/>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        bodies.ClearScratch();
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task<bool> PassAsync(CancellationToken ct)
    {
        if (await TakeAsync(ct) is not { } build)
            return false;
        var scratch = bodies.NewScratch();
        try
        {
            await BuildAsync(build, scratch, ct);
        }
        catch (DatasetBuildException fault)
        {
            await FailAsync(build, fault.Code, fault.Message, ct);
        }
        catch (InvalidDataException fault)
        {
            await FailAsync(build, "input_changed", fault.Message, ct);
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }

        return true;
    }

    /// <inheritdoc/>
    protected override Task IdleAsync(CancellationToken ct) => signal.WaitAsync(options.Value.SweepEvery, ct);

    /// <summary>The next build, with its attempt counted, so that one that always kills the host ends too.</summary>
    private async Task<DatasetBuild?> TakeAsync(CancellationToken ct)
    {
        var now = clock.Now();
        await using var session = sessions.Open(ShardRole.Global, Market);
        var build = await session.Query<DatasetBuild>().Where(one => one.NotBefore <= now)
            .OrderBy(one => one.Attempts).FirstOrDefaultAsync(ct);
        if (build is null)
            return null;
        if (build.Attempts >= AttemptsMax)
        {
            await FailAsync(build, "build_failed", $"It failed {AttemptsMax} times; the host's log says why.", ct);
            return await TakeAsync(ct);
        }

        // The pause counts only when the attempt ends without ending the build.
        var taken = build with { Attempts = build.Attempts + 1, Step = "reading", ResultsRead = 0 };
        session.Store(taken with { NotBefore = build.Attempts == 0 ? default : now.AddSeconds(build.Attempts) });
        await session.SaveChangesAsync(ct);
        return taken;
    }

    private async Task BuildAsync(DatasetBuild build, string scratch, CancellationToken ct)
    {
        var request = build.Request;
        var inputs = await ReadInputsAsync(build, ct);
        var package = await packager.PackAsync(build.Columns, ReadRecordsAsync(build, inputs, ct), scratch, ct);
        await ReportAsync(build with { Step = "storing", ResultsRead = inputs.Count }, ct);
        foreach (var file in package.Files)
            bodies.Keep(file.BodyPath, file.File.BodySha256);

        var version = new DatasetVersionPublished(
            request.DatasetId, request.Version, request.CollectionId, request.PublisherId, request.Title,
            request.Description, request.Topic, request.Licence, package.Records,
            [.. package.Files.Select(file => file.File)], package.Root,
            Convert.ToHexStringLower(SHA256.HashData(package.Sample)), "", DatasetPublishing.InputRoot(inputs), request.At);
        var croissant = CroissantDocument.Write(version, build.Columns, package.Sample.Length, options.Value.PublicUrl);
        version = version with { MetadataHash = Convert.ToHexStringLower(SHA256.HashData(croissant)) };
        await CompleteAsync(build, package, version, croissant, ct);
        LogPublished(logger, request.DatasetId, request.Version.ToString(), package.Records);
    }

    private async Task<IReadOnlyList<AcceptedResult>> ReadInputsAsync(DatasetBuild build, CancellationToken ct)
    {
        var accepted = (await results.ListAsync(build.Request.CollectionId, ct))
            .ToDictionary(result => result.ResultId, StringComparer.Ordinal);
        var inputs = build.ResultIds.Where(accepted.ContainsKey).Select(id => accepted[id]).ToList();
        if (inputs.Count != build.Request.InputCount || DatasetPublishing.InputRoot(inputs) != build.Request.InputRoot)
            throw new DatasetBuildException("input_changed", "The accepted results are not those that were asked for.");
        return inputs;
    }

    private async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadRecordsAsync(
        DatasetBuild build, IReadOnlyList<AcceptedResult> inputs, [EnumeratorCancellation] CancellationToken ct)
    {
        var reported = clock.GetTimestamp();
        for (var i = 0; i < inputs.Count; i++)
        {
            await foreach (var record in results.ReadRecordsAsync(inputs[i], ct))
                yield return record;
            if (clock.GetElapsedTime(reported) < TimeSpan.FromSeconds(1))
                continue;
            await ReportAsync(build with { ResultsRead = i + 1 }, ct);
            reported = clock.GetTimestamp();
        }
    }

    private async Task ReportAsync(DatasetBuild build, CancellationToken ct)
    {
        await using var session = sessions.Open(ShardRole.Global, Market);
        session.Store(build);
        await session.SaveChangesAsync(ct);
    }

    private async Task CompleteAsync(
        DatasetBuild build, DatasetPackage package, DatasetVersionPublished version, byte[] croissant, CancellationToken ct)
    {
        await using var session = sessions.Open(ShardRole.Global, Market, causation: build.Id);
        var stream = await session.Events.FetchForWriting<Dataset>(Dataset.StreamOf(version.DatasetId), ct);
        var events = Accepted(DatasetDecider.Decide(new DatasetCommand.CompleteBuild(version), stream.Aggregate, clock.Now()));
        session.Delete<DatasetBuild>(build.Id);
        if (events.Count > 0)
        {
            stream.AppendMany(events);
            session.Store(new DatasetArtifacts
            {
                Id = DatasetArtifacts.KeyOf(version.DatasetId, version.Version.ToString()),
                Version = (DatasetVersionPublished)events[0],
                Columns = build.Columns,
                Statistics = package.Statistics,
                Sample = Encoding.UTF8.GetString(package.Sample),
                Croissant = Encoding.UTF8.GetString(croissant),
            });
            session.Store(package.Files.Select(file => WrapKey(version, file)).ToArray());
        }

        await session.SaveChangesAsync(ct);
    }

    private DatasetFileKey WrapKey(DatasetVersionPublished version, PackagedFile file)
    {
        var id = DatasetFileKey.KeyOf(version.DatasetId, version.Version, file.File.Name);
        return new DatasetFileKey { Id = id, Wrapped = FileKeys.Wrap(file.FileKey, id, keys.Files) };
    }

    private async Task FailAsync(DatasetBuild build, string code, string reason, CancellationToken ct)
    {
        await using var session = sessions.Open(ShardRole.Global, Market, causation: build.Id);
        var stream = await session.Events.FetchForWriting<Dataset>(Dataset.StreamOf(build.Request.DatasetId), ct);
        var events = Accepted(DatasetDecider.Decide(
            new DatasetCommand.FailBuild(build.Request.Version, code, reason), stream.Aggregate, clock.Now()));
        if (events.Count > 0)
            stream.AppendMany(events);
        session.Delete<DatasetBuild>(build.Id);
        await session.SaveChangesAsync(ct);
        LogFailed(logger, build.Request.DatasetId, build.Request.Version.ToString(), code, reason);
    }

    private static IReadOnlyList<object> Accepted(Decision decision)
    {
        Check.That(decision is Decision.Accepted);
        return ((Decision.Accepted)decision).Events;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Published {DatasetId} {Version} with {Records} records.")]
    private static partial void LogPublished(ILogger logger, string datasetId, string version, long records);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{DatasetId} {Version} was not built: {Code}: {Reason}")]
    private static partial void LogFailed(ILogger logger, string datasetId, string version, string code, string reason);
}
