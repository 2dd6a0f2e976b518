using System.Globalization;
using Lumora.Chain.Notes;
using Lumora.Chain.Verification;
using Lumora.Cli.Logs;

namespace Lumora.Cli.Monitor;

/// <summary>Looks at who has signed a checkpoint, beside the log.</summary>
internal static class Signers
{
    private const int CheckpointLines = 3;

    /// <summary>
    /// Says which signatures are of keys that nobody named. One that bears the log's own name is an alarm: another key signs for it.
    /// </summary>
    public static void Report(SignedNote note, TrustedKey key, MonitorLines lines)
    {
        VerifierKey[] known = [.. key.Keys, .. key.Policy?.WitnessKeys ?? [], .. key.Trust?.File.Body.Witnesses.Select(VerifierKey.Parse) ?? []];
        var others = key.Trust?.File.Body.Shards.SelectMany(shard => shard.Keys).Select(VerifierKey.Parse) ?? [];
        var ownName = new List<string>();
        foreach (var signature in note.Signatures.Where(one => !known.Concat(others).Any(one.IsOf)))
        {
            var text = string.Create(CultureInfo.InvariantCulture, $"{signature.KeyName} (key id {signature.KeyId:x8}) has signed the checkpoint");
            if (signature.KeyName == key.Key.Name)
            {
                lines.Alarm("unknown_key", text, subject: $"{signature.KeyId:x8}");
                ownName.Add($"{signature.KeyId:x8}");
            }
            else
                lines.Notice("unknown_key", text);
        }

        lines.OverBut("unknown_key", "that key signs no longer", ownName);
    }

    /// <summary>True when <paramref name="bytes"/> are a checkpoint that the log has signed, with more lines than the three.</summary>
    public static bool HasExtensions(byte[] bytes, IReadOnlyList<VerifierKey> keys)
    {
        try
        {
            var note = SignedNote.Parse(bytes);
            return note.Text.Count(c => c == '\n') > CheckpointLines && NoteVerifier.Verify(note, keys).Count > 0;
        }
        catch (Exception exception) when (exception is FormatException or VerificationException)
        {
            return false;
        }
    }
}
