using System.Diagnostics;
using Lumora.Domain.Ledger;
using Microsoft.Extensions.Logging;

namespace Lumora.Projections.Ledger;

/// <summary>
/// Commits batches one after the other, nothing else on its way: the first batch after a start, those that lock or read more
/// than rows of accounts, and all that did not arrive the fast way. One bad request never costs its neighbours: a batch
/// that fails is halved until the culprit stands alone. What may not be started any more goes to the term's heir.
/// </summary>
internal sealed partial class SingleCommits(
    LedgerCommitter committer, BatchAnswers answers, LedgerTerm? term, LedgerOptions options, TimeProvider clock, ILogger logger)
{
    /// <summary>True when no further batch may be started.</summary>
    public bool IsOver => term?.IsOver == true;

    /// <summary>Commits and answers <paramref name="batch"/>, however often and in however many parts it takes.</summary>
    public Task CommitAsync(IReadOnlyList<Pending> batch, CancellationToken ct) => CommitOrSplitAsync([.. batch], attempt: 1, ct);

    private async Task CommitOrSplitAsync(List<Pending> batch, int attempt, CancellationToken ct)
    {
        if (term?.TakesBack(batch) == true)
            return;
        try
        {
            await CommitOnceAsync(batch, ct);
        }
        catch (Exception e)
        {
            // Whether the transaction was committed is unknown here: forget everything and ask the tables again.
            // What was committed answers as a replay.
            committer.Forget();
            if (ct.IsCancellationRequested)
                answers.Fail(batch, e);
            else if (LedgerFaults.IsPassing(e))
                await RepeatAsync(batch, e, attempt, ct);
            else if (batch.Count == 1)
                FailAlone(batch[0], e);
            else
            {
                LogSplit(e, batch.Count);
                await CommitOrSplitAsync(batch[..(batch.Count / 2)], 1, ct);
                await CommitOrSplitAsync(batch[(batch.Count / 2)..], 1, ct);
            }
        }
    }

    private async Task CommitOnceAsync(List<Pending> batch, CancellationToken ct)
    {
        var (started, asked) = (Stopwatch.GetTimestamp(), LedgerBatch.AskedOf(batch));
        DecidedBatch? decided;
        while ((decided = await committer.TryCommitAsync(batch, asked, ct)) is null)
        {
            LogFenceLost();
            committer.Forget();
            if (term?.TakesBack(batch) == true)
                return;
        }

        answers.Answer(batch, decided, started);
    }

    private async Task RepeatAsync(List<Pending> batch, Exception fault, int attempt, CancellationToken ct)
    {
        LogRepeat(fault, batch.Count, attempt);
        if (attempt >= options.AttemptsMax)
        {
            answers.Fail(batch, fault);
            return;
        }

        try
        {
            await Task.Delay(options.AttemptPause * (1 << (attempt - 1)), clock, ct);
        }
        catch (OperationCanceledException)
        {
            answers.Fail(batch, fault);
            return;
        }

        await CommitOrSplitAsync(batch, attempt + 1, ct);
    }

    private void FailAlone(Pending pending, Exception fault)
    {
        if (LedgerFaults.IsConflict(fault) && pending.Asked.Any(asked => asked.Request.Companion is not null))
        {
            answers.Refuse(pending, LedgerCodes.Reject(LedgerCodes.CompanionConflict, "companion"));
            return;
        }

        LogFault(fault, pending.Asked[0].Request.Key);
        answers.Fail([pending], fault);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A batch of {Count} ledger requests failed; halving it.")]
    private partial void LogSplit(Exception fault, int count);

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "The database is away: {Count} ledger requests, attempt {Attempt}.")]
    private partial void LogRepeat(Exception fault, int count, int attempt);

    [LoggerMessage(Level = LogLevel.Error, Message = "The ledger request {Key} failed.")]
    private partial void LogFault(Exception fault, string key);

    [LoggerMessage(
        Level = LogLevel.Information, Message = "Another writer moved the ledger's fence; reading everything again.")]
    private partial void LogFenceLost();
}
