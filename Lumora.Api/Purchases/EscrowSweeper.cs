using Lumora.Api.Datasets;
using Lumora.Api.Tasks;
using Lumora.Domain.Datasets;
using Lumora.Domain.Kernel;
using Lumora.Domain.Purchases;
using Lumora.Projections.Datasets;
using Lumora.Projections.EventStore;
using Lumora.Projections.Purchases;
using Marten;
using Microsoft.Extensions.Options;

namespace Lumora.Api.Purchases;

/// <summary>
/// Releases what is due and reads again what is disputed. It keeps nothing that matters in memory: after a restart it
/// finds the same purchases in the read model, and settling twice is settling once (<see cref="Escrow"/>).
/// </summary>
internal sealed partial class EscrowSweeper(
    ShardSessions sessions, Escrow escrow, DatasetBodies bodies, IOptions<MarketOptions> options, TimeProvider clock,
    ILogger<EscrowSweeper> logger) : Worker(logger)
{
    private const int PageRows = 100;
    private readonly HashSet<string> reviewed = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    protected override async Task<bool> PassAsync(CancellationToken ct)
    {
        var released = 0;
        foreach (var purchase in await DueAsync(ct))
        {
            if (await escrow.ReleaseAsync(purchase.PurchaseId, null, ct) is { } refusal)
                LogRefused(logger, purchase.PurchaseId, refusal.Code, refusal.Message);
            else
                released++;
        }

        foreach (var purchase in await DisputedAsync(ct))
            await ReviewAsync(purchase, ct);
        return released == PageRows;
    }

    /// <inheritdoc/>
    protected override Task IdleAsync(CancellationToken ct) => Task.Delay(options.Value.SweepEvery, ct);

    private async Task<IReadOnlyList<PurchaseView>> DueAsync(CancellationToken ct)
    {
        var now = clock.Now();
        await using var session = sessions.Query(ShardRole.Global);
        return await session.Query<PurchaseView>()
            .Where(purchase => purchase.ReleaseDueAt != null && purchase.ReleaseDueAt <= now)
            .OrderBy(purchase => purchase.ReleaseDueAt).Take(PageRows).ToListAsync(ct);
    }

    private async Task<IReadOnlyList<PurchaseView>> DisputedAsync(CancellationToken ct)
    {
        await using var session = sessions.Query(ShardRole.Global);
        return await session.Query<PurchaseView>()
            .Where(purchase => purchase.Status == PurchaseStatus.Disputed).Take(PageRows).ToListAsync(ct);
    }

    /// <summary>Refunds when the stored body is not what the version committed to; all else is for stewards.</summary>
    private async Task ReviewAsync(PurchaseView purchase, CancellationToken ct)
    {
        if (!reviewed.Add($"{purchase.PurchaseId}/{purchase.Dispute!.At.ToWire()}"))
            return;
        await using var session = sessions.Query(ShardRole.Global);
        var artifacts = await session.LoadAsync<DatasetArtifacts>(
            DatasetArtifacts.KeyOf(purchase.DatasetId, purchase.Version), ct);
        var file = artifacts!.Version.Files.Single(one => one.Name == purchase.Dispute.File);
        if (await IsIntactAsync(file, ct))
            return;
        LogDiffers(logger, purchase.PurchaseId, file.Name);
        await escrow.RefundAsync(purchase.PurchaseId, "body_differs", ct);
    }

    private async Task<bool> IsIntactAsync(DatasetFile file, CancellationToken ct)
    {
        try
        {
            await using var body = bodies.Open(file);
            return (await BodyDigest.ReadAsync(body, ct)).Root == file.BodyRoot;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{PurchaseId} is due but was not released: {Code}: {Reason}")]
    private static partial void LogRefused(ILogger logger, string purchaseId, string code, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The stored body of {File} differs from its version: {PurchaseId} is refunded.")]
    private static partial void LogDiffers(ILogger logger, string purchaseId, string file);
}
