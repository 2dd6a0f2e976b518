using Lumora.Api.Tasks;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using Microsoft.Extensions.Options;

namespace Lumora.Api.Ledger;

/// <summary>
/// Expires holds after their deadlines. It keeps nothing: after a restart it finds the same holds in the table, and a hold
/// expires once, by the key made of its number. It only gives money back sooner: a capture after the deadline is refused
/// without it, and a clock that jumped is told <c>hold_not_due</c>, which is not recorded.
/// </summary>
internal sealed partial class HoldSweeper(
    ShardSessions sessions, ILedgers ledgers, DueHolds holds, IOptions<LedgerOptions> options, TimeProvider clock,
    ILogger<HoldSweeper> logger) : Worker(logger)
{
    private const int PageRows = 500;
    private static readonly Actor Network = Actor.System("ledger");

    /// <inheritdoc/>
    protected override async Task<bool> PassAsync(CancellationToken ct)
    {
        foreach (var role in Enum.GetValues<ShardRole>().DistinctBy(sessions.ShardOf, StringComparer.Ordinal))
            await SweepAsync(role, ct);
        return false;
    }

    /// <inheritdoc/>
    protected override Task IdleAsync(CancellationToken ct) => Task.Delay(options.Value.HoldSweepEvery, clock, ct);

    // Pages go on behind their last row, so that holds which do not expire now never keep others from it.
    private async Task SweepAsync(ShardRole role, CancellationToken ct)
    {
        IReadOnlyList<DueHold> page = [];
        do
        {
            page = await holds.AfterAsync(role, page.Count == 0 ? null : page[^1], clock.Now(), PageRows, ct);
            var outcomes = await Task.WhenAll(page.Select(hold => ledgers.For(role).SubmitAsync(
                new LedgerRequest(Network, $"expire/{hold.Number}", new ExpireHold(hold.Number)), ct)));
            var expired = outcomes.Count(outcome => outcome is LedgerOutcome.Posted { Replayed: false });
            if (expired > 0)
                LogExpired(logger, expired, sessions.ShardOf(role));
        }
        while (page.Count == PageRows);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} holds of {Shard} have expired.")]
    private static partial void LogExpired(ILogger logger, int count, string shard);
}
