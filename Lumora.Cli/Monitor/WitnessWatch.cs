using System.Globalization;
using Lumora.Chain.Notes;
using Lumora.Chain.Tiles;
using Lumora.Chain.Witnesses;
using Lumora.Chain.Witnessing;
using Lumora.Cli.Conflicts;

namespace Lumora.Cli.Monitor;

/// <summary>
/// Asks the policy's witnesses what the log has shown to them: a log that shows its witnesses another history than everybody else is found
/// here, whatever quorum the policy asks for.
/// </summary>
internal sealed class WitnessWatch(MonitorSubject subject, ConflictSearch search, MonitorLines lines, TimeProvider clock) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false })
    {
        MaxResponseContentBufferSize = SignedNote.BytesMax,
        Timeout = TimeSpan.FromSeconds(10),
    };

    private readonly Dictionary<string, DateTimeOffset> _aheadSince = new(StringComparer.Ordinal);

    /// <summary>Holds what each witness shows against <paramref name="seen"/>.</summary>
    public async Task LookAsync(
        SeenCheckpoint seen, Func<ConflictEvidence, CancellationToken, Task<string>> keep, CancellationToken cancellationToken)
    {
        foreach (var witness in subject.Key.Policy?.Witnesses.Where(witness => witness.Url is not null) ?? [])
        {
            try
            {
                if (await new WitnessClient(_http, witness).ShownAsync(seen.Checkpoint.Origin, subject.Key.Keys, cancellationToken) is var (checkpoint, note))
                    await CompareAsync(
                        witness, new SeenCheckpoint(checkpoint, note, $"witness {witness.Name} at {witness.Url}", clock.GetUtcNow()), seen, keep, cancellationToken);
                else
                    lines.Notice("witness", $"{witness.Name} shows no checkpoint of this log");
            }
            catch (Exception exception) when (exception is HttpRequestException
                || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                // Its fault and not the log's: whether enough of them cosign, the policy says.
                lines.Notice("witness", $"{witness.Name} cannot be asked: {exception.Message}");
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task CompareAsync(
        PolicyWitness witness, SeenCheckpoint shown, SeenCheckpoint seen, Func<ConflictEvidence, CancellationToken, Task<string>> keep,
        CancellationToken cancellationToken)
    {
        var isAhead = shown.Checkpoint.Size > seen.Checkpoint.Size;
        try
        {
            var (fault, evidence) = await search.CompareAsync(isAhead ? seen : shown, isAhead ? shown : seen, cancellationToken);
            if (fault is not null)
                lines.Alarm("fork", $"{shown.From}: {fault}", evidence is null ? null : await keep(evidence, cancellationToken), witness.Name);
        }
        catch (Exception exception) when (exception is TileMissingException or FormatException)
        {
            // Of what the log does not show yet there may be no tiles; of what it shows there are, which the next look at the log finds.
        }

        Ahead(witness, isAhead ? shown : null, seen);
    }

    /// <summary>A checkpoint is cosigned before it is published, and not for long: others of the quorum may be slow.</summary>
    private void Ahead(PolicyWitness witness, SeenCheckpoint? ahead, SeenCheckpoint seen)
    {
        if (ahead is null)
        {
            _aheadSince.Remove(witness.Name);
            lines.Over("behind_witness", $"the log shows what {witness.Name} has cosigned", witness.Name);
            return;
        }

        _aheadSince.TryAdd(witness.Name, clock.GetUtcNow());
        if (clock.GetUtcNow() - _aheadSince[witness.Name] >= subject.Limits.Stall)
            lines.Alarm("behind_witness", string.Create(
                CultureInfo.InvariantCulture, $"{witness.Name} has cosigned {ahead.Checkpoint.Size} entries, the log shows {seen.Checkpoint.Size}"), subject: witness.Name);
    }
}
