using System.Globalization;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Notes;

/// <summary>
/// A log's statement of its size and root (C2SP tlog-checkpoint). Ours have no extension lines, ever: implementations do
/// not agree whether a cosignature covers them.
/// </summary>
/// <param name="Origin">The log's name: a schema-less URL.</param>
/// <param name="Size">Leaves.</param>
/// <param name="Root">The RFC 6962 root over them.</param>
public sealed record Checkpoint(string Origin, long Size, MerkleHash Root)
{
    /// <summary>The note's text: three lines.</summary>
    public string ToText() =>
        string.Create(CultureInfo.InvariantCulture, $"{Origin}\n{Size}\n{Root.ToBase64()}\n");

    /// <summary>Reads the text of a note.</summary>
    /// <exception cref="FormatException">It is no checkpoint, or has extension lines.</exception>
    public static Checkpoint Parse(string text)
    {
        var checkpoint = ParseLines(text);
        return checkpoint.Size > 0 || checkpoint.Root == MerkleHash.EmptyRoot
            ? checkpoint
            : throw new FormatException("A checkpoint of no leaves has the root of the empty tree.");
    }

    /// <summary>Reads the lines alone: to a witness, another root of no leaves is a fault of the log and not of the form.</summary>
    internal static Checkpoint ParseLines(string text)
    {
        var lines = text.Split('\n');
        if (lines.Length < 4 || lines[^1].Length > 0)
            throw new FormatException("A checkpoint has three lines: origin, size and root.");
        if (lines.Length > 4)
            throw new FormatException("The checkpoint has extension lines, which are not taken.");
        if (lines[0].Length == 0)
            throw new FormatException("The checkpoint's origin is empty.");
        if (!StrictText.TryInteger(lines[1], out var size))
            throw new FormatException($"The checkpoint's size \"{lines[1]}\" is no decimal number without leading zeros.");
        if (!MerkleHash.TryParseBase64(lines[2], out var root))
            throw new FormatException("The checkpoint's root is no canonical base64 of 32 bytes.");
        return new Checkpoint(lines[0], size, root);
    }
}
