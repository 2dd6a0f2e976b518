using System.Globalization;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Tiles;
using Lumora.Chain.Verification;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;
using Lumora.Domain.Log;

namespace Lumora.Cli.Doctor;

/// <summary>Looks at the published log: is there a checkpoint, has the log signed it, and how old is its newest entry.</summary>
internal static class LogExamination
{
    private const string Area = "log";

    /// <summary>Examines the log of <paramref name="source"/>.</summary>
    public static async Task<IReadOnlyList<Diagnosis>> ExamineAsync(
        ILogSource source, TrustedKey? pinned, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (await source.ReadAsync(LogPublisher.CheckpointPath, cancellationToken) is not { } note)
            return [new Diagnosis(Area, Health.Warn, $"{source.Name} has no checkpoint", "nothing was logged yet, or there is no such shard: the first event makes the first checkpoint")];
        var own = await source.ReadAsync("key", cancellationToken) is { } bytes ? System.Text.Encoding.UTF8.GetString(bytes).Trim() : null;
        if (pinned is not null && own is not null && pinned.Keys.All(key => own != key.ToString()))
            return [new Diagnosis(Area, Health.Fail, $"{source.Name} signs with {own}, the key that you gave is {pinned.Names}", "another installation answers here, or its key was replaced: ask the operator before you trust it")];
        try
        {
            var keys = pinned?.Keys ?? [VerifierKey.Parse(own ?? throw new FormatException("the log names no key"))];
            var checkpoint = NoteVerifier.VerifyCheckpoint(note, keys, []).Checkpoint;
            return
            [
                new Diagnosis(Area, Health.Ok, string.Create(CultureInfo.InvariantCulture, $"{checkpoint.Origin} has signed {checkpoint.Size} entries; the signature is good")),
                await NewestAsync(source, checkpoint.Size, clock, cancellationToken),
            ];
        }
        catch (Exception exception) when (exception is FormatException or VerificationException or TileMissingException)
        {
            return [new Diagnosis(Area, Health.Fail, $"{source.Name}: {exception.Message}", "run lumora audit, which says what is wrong and where")];
        }
        catch (UnableException exception)
        {
            // Signed, but the entries are for auditors.
            return [new Diagnosis(Area, Health.Warn, exception.Message, "the age of the log was not looked at")];
        }
    }

    private static async Task<Diagnosis> NewestAsync(ILogSource source, long size, TimeProvider clock, CancellationToken cancellationToken)
    {
        var tile = TileId.At(TileId.Entries, (size - 1) / TileId.WidthMax, size)!.Value;
        var entries = EntryBundle.Decode(await source.ReadOrFullAsync(tile, cancellationToken), tile.Width);
        var newest = Leaf.Decode(entries[^1]).Leaf;
        var age = clock.GetUtcNow() - newest.At;
        return new Diagnosis(Area, Health.Ok, string.Create(
            CultureInfo.InvariantCulture, $"the newest entry is {newest.Type}, {Math.Max(0, age.TotalSeconds):0} s old"));
    }
}
