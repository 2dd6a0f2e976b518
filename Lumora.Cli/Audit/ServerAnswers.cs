using System.Globalization;
using Lumora.Chain.Log;
using Lumora.Chain.Verification;
using Lumora.Cli.Reports;

namespace Lumora.Cli.Audit;

/// <summary>Holds what the log's server tells over GraphQL against what the entries fold to: what it tells everybody, then the caller.</summary>
/// <param name="subject">What is audited.</param>
/// <param name="fold">What the entries fold to.</param>
/// <param name="verdict">Where findings and claims go.</param>
/// <param name="entries">Entries that were folded.</param>
internal sealed class ServerAnswers(AuditSubject subject, AuditFold fold, AuditVerdict verdict, long entries)
{
    private const int GrowthLooks = 10;
    private const string NotOfCheckpoint = "not compared: the bytes at hand are not those that the checkpoint covers";

    private static readonly TimeSpan GrowthPause = TimeSpan.FromMilliseconds(500);

    /// <summary>What <paramref name="compare"/> answers; an answer of another form than the schema's is a finding beside those so far.</summary>
    /// <param name="claim">What is compared.</param>
    /// <param name="findings">Those so far.</param>
    /// <param name="compare">Reads answers.</param>
    internal static async Task<IReadOnlyList<Finding>?> ReadAsync(
        string claim, IReadOnlyList<Finding> findings, Func<Task<IReadOnlyList<Finding>?>> compare)
    {
        try
        {
            return await compare();
        }
        catch (Exception exception) when (exception is KeyNotFoundException or InvalidOperationException or ArgumentException or FormatException)
        {
            return [.. findings, new Finding(claim, "the server's GraphQL", $"an answer has not the form of the schema: {exception.Message}")];
        }
    }

    /// <summary>Compares all that can be asked.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await AggregatesAsync(cancellationToken);
        if (subject.SignedIn)
            await OwnBalancesAsync(cancellationToken);
    }

    private async Task AggregatesAsync(CancellationToken cancellationToken)
    {
        var check = new AggregateCheck(subject.Source, subject.Shard, fold, subject.SignedIn);
        IReadOnlyList<Finding>? compared;
        try
        {
            // What was folded from other bytes than the signed ones would differ for that alone.
            compared = verdict.Breaks(AuditVerdict.TreeClaim) ? null : await check.RunAsync(cancellationToken);
        }
        catch (UnableException exception)
        {
            verdict.CannotCompare(AggregateCheck.Claim, "what the server tells", exception);
            return;
        }

        if (compared is not { } findings)
        {
            verdict.Claims.Add(new Claim(AggregateCheck.Claim, Standing.NotProven, verdict.Breaks(AuditVerdict.TreeClaim)
                ? NotOfCheckpoint
                : check.WhyNot));
            return;
        }

        // A server tells what is now: what differs may be younger than the log that was read.
        if (findings.Count > 0 && await HasGrownAsync(cancellationToken))
        {
            verdict.Claims.Add(new Claim(AggregateCheck.Claim, Standing.NotProven, string.Create(
                CultureInfo.InvariantCulture, $"the log grew meanwhile and {findings.Count} answers differ, the first of {findings[0].Where}: audit again")));
            return;
        }

        verdict.Findings.AddRange(findings);
        verdict.Claim(AggregateCheck.Claim, check.Detail);
    }

    private async Task OwnBalancesAsync(CancellationToken cancellationToken)
    {
        var check = new OwnBalances(subject.Source, subject.Shard, fold.Ledger);
        try
        {
            // The same as with what everybody is told.
            if (!verdict.Breaks(AuditVerdict.TreeClaim) && await check.RunAsync(cancellationToken) is { } findings)
            {
                verdict.Findings.AddRange(findings);
                verdict.Claim(OwnBalances.Claim, check.Detail);
                return;
            }
        }
        catch (UnableException exception)
        {
            verdict.CannotCompare(OwnBalances.Claim, "the caller's own balances", exception);
            return;
        }

        verdict.Claims.Add(new Claim(OwnBalances.Claim, Standing.NotProven, verdict.Breaks(AuditVerdict.TreeClaim) ? NotOfCheckpoint : check.WhyNot));
    }

    private async Task<bool> HasGrownAsync(CancellationToken cancellationToken)
    {
        // An event is in a checkpoint soon after it is in the answers.
        for (var i = 0; i < GrowthLooks; i++)
        {
            if (await subject.Source.ReadAsync(LogPublisher.CheckpointPath, cancellationToken) is { } note && SizeOf(note) > entries)
                return true;
            await Task.Delay(GrowthPause, cancellationToken);
        }

        return false;
    }

    private long SizeOf(byte[] note)
    {
        try
        {
            return NoteVerifier.VerifyCheckpoint(note, subject.Key.Keys, []).Checkpoint.Size;
        }
        catch (Exception exception) when (exception is VerificationException or FormatException)
        {
            return 0;
        }
    }
}
