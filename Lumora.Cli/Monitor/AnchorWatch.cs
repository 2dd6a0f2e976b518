using System.Globalization;
using Lumora.Chain.Solana;
using Lumora.Cli.Conflicts;
using Lumora.Cli.Logs;

namespace Lumora.Cli.Monitor;

/// <summary>Looks for new finalized anchors of the log: do they agree with its tree, and do they come in time?</summary>
internal sealed class AnchorWatch(
    ChainServer chain, MonitorSubject subject, ConflictSearch search, MonitorLines lines, TimeProvider clock)
{
    /// <summary>Takes what is new on the chain into <paramref name="state"/>.</summary>
    public async Task<MonitorState> LookAsync(
        MonitorState state, SeenCheckpoint seen, Func<ConflictEvidence, CancellationToken, Task<string>> keep, CancellationToken cancellationToken)
    {
        var (found, newest) = (new List<MemoCheckpoint>(), (string?)null);
        try
        {
            await foreach (var memo in MemoCheckpoints.SearchAsync(
                chain.Rpc, chain.Address, subject.Key.Keys, state.Anchor, cancellationToken, signature => newest ??= signature))
                found.Add(memo);
        }
        catch (SearchLimitException reached)
        {
            lines.Say("anchor", reached.Message);
        }

        var isBehind = false;
        foreach (var memo in Enumerable.Reverse(found))
        {
            isBehind |= memo.Checkpoint.Size > seen.Checkpoint.Size;
            state = await TakeAsync(state, seen, memo, keep, cancellationToken);
            // From the first that the log does not show yet, all are looked at again.
            if (!isBehind)
                state = state with { Anchor = memo.Signature };
        }

        if (!isBehind)
            state = state with { Anchor = newest ?? state.Anchor };
        state = state with { Waiting = [.. state.Waiting.Where(waiting => waiting.Index >= state.Anchored)] };
        if (state.Waiting is [var oldest, ..] && clock.GetUtcNow() - oldest.SeenAt > subject.Limits.AnchorLate)
            lines.Alarm("anchor_late", string.Create(
                CultureInfo.InvariantCulture, $"entry {oldest.Index} waits since {oldest.SeenAt.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z; anchored are {state.Anchored}"));
        else
            lines.Over("anchor_late", string.Create(CultureInfo.InvariantCulture, $"anchored are {state.Anchored} entries"));
        return state;
    }

    private async Task<MonitorState> TakeAsync(
        MonitorState state, SeenCheckpoint seen, MemoCheckpoint memo, Func<ConflictEvidence, CancellationToken, Task<string>> keep,
        CancellationToken cancellationToken)
    {
        var anchored = new SeenCheckpoint(
            memo.Checkpoint, memo.Note, $"transaction {memo.Signature} on {chain.GenesisHash}", memo.BlockTime ?? clock.GetUtcNow());
        if (memo.Checkpoint.Size > seen.Checkpoint.Size)
        {
            // What is anchored was published long before it was finalized: a log that shows less hides something.
            lines.Alarm("behind_anchor", string.Create(
                CultureInfo.InvariantCulture, $"transaction {memo.Signature} anchors {memo.Checkpoint.Size} entries, the log shows {seen.Checkpoint.Size}"), subject: memo.Signature);
            return state;
        }

        lines.Over("behind_anchor", string.Create(
            CultureInfo.InvariantCulture, $"the log shows {seen.Checkpoint.Size} entries, transaction {memo.Signature} anchors {memo.Checkpoint.Size}"), memo.Signature);
        var (fault, evidence) = await search.JudgeAsync(anchored, seen, cancellationToken);
        if (fault is not null)
        {
            lines.Alarm("fork", $"transaction {memo.Signature}: {fault}", evidence is null ? null : await keep(evidence, cancellationToken), memo.Signature);
            return state;
        }

        lines.Say("anchor", string.Create(
            CultureInfo.InvariantCulture, $"{memo.Checkpoint.Size} entries are anchored in transaction {memo.Signature}, slot {memo.Slot}"));
        return state with { Anchored = Math.Max(state.Anchored, memo.Checkpoint.Size) };
    }
}
