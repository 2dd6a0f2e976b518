using System.Text;

namespace Lumora.Chain.Tests.Verification;

/// <summary>
/// A signed checkpoint and its verdict, under the golden log's key and the golden witness's unless <c>log</c> says another. Bytes
/// that are no UTF-8 stand in <c>noteHex</c>. <c>cosignatures</c>: how many good ones come out.
/// </summary>
internal sealed record NoteVector(
    string Desc, string? Log, string? Note, string? NoteHex, int? Cosignatures, bool WantErr, string? Reason) : IVector;

/// <summary>Good signed checkpoints and ways to break them; what is wrong with the text is signed all the same.</summary>
internal static class NoteMutations
{
    private const string Root = "veHu6BygID/Za/wvkXaepGNc8Hk1VZT2lGcANwxswuQ=";
    private const string Text = $"{GoldenLog.Origin}\n70000\n{Root}\n";
    private const string NoSize = "is no decimal number without leading zeros";
    private const string NoRoot = "root is no canonical base64 of 32 bytes";
    private const string NoControls = "no control characters but newlines";
    private const string NoDash = "starts with an em dash and a space";
    private const string NoFields = "a key name and base64, with one space between";
    private const string NoBlob = "is no canonical base64 of a key id and a signature";
    private const string NoUtf8 = "not valid UTF-8";
    private const string LogIsBad = "lumora.example/ledger (key id e3e22f24) is bad";
    private const string WitnessIsBad = "witness.example/w1 (key id df1c0a35) is bad";

    private static readonly string Good = Text + "\n" + Forge.LogLine(Text);
    private static readonly string Blob = Forge.LogLine(Text).Split(' ')[^1].TrimEnd();
    private static readonly string Cosigned = Forge.WitnessLine(Text, 1_700_000_000);

    /// <summary>All cases.</summary>
    public static IEnumerable<NoteVector> All() =>
        [.. Accepted(), .. Sizes(), .. Texts(), .. Forms(), .. Utf8(), .. Lines(), .. Signatures(), .. Cosignatures()];

    private static IEnumerable<NoteVector> Accepted()
    {
        yield return Takes("the golden checkpoint", Good);
        yield return Takes("the golden checkpoint, cosigned", Good + Cosigned, 1);
        yield return Takes("cosignature in front", Text + "\n" + Cosigned + Forge.LogLine(Text), 1);
        yield return Takes("unknown key of an unknown name", Good + Forge.Line("grease.invalid/x", [1, 2, 3, 4], [5]));
        yield return Takes("unknown key of the log's name", Good + Forge.Line(GoldenLog.Origin, [1, 2, 3, 4], new byte[64]));
        yield return Takes("the log's key id under another name", Good + Forge.Line("other.example/ledger", [0xe3, 0xe2, 0x2f, 0x24], new byte[64]));
        yield return Takes("an unknown witness", Good + Cosigned.Replace("w1", "w2", StringComparison.Ordinal));
        yield return Takes("an unknown key with a long signature", Good + Forge.Line("pq.example/x", [9, 9, 9, 9], new byte[2420]));
        yield return Takes("a name of other letters", Good + Forge.Line("пример.example/é", [1, 2, 3, 4], [5]));
        yield return Takes("a name with characters that are rare but allowed", Good + Forge.Line("a\u007f\u0080\u200b\ufeff—=/", [1, 2, 3, 4], [5]));
        yield return Takes("the log's line twice", Good + Forge.LogLine(Text));
        yield return Takes("the witness's line twice", Good + Cosigned + Cosigned, 1);
        yield return Takes("the witness at two times", Good + Cosigned + Forge.WitnessLine(Text, 1_700_000_001), 1);
        yield return Takes("a cosignature at time 0", Good + Forge.WitnessLine(Text, 0), 1);
        yield return Takes("a cosignature at the end of time", Good + Forge.WitnessLine(Text, 253_402_300_799), 1);
        yield return Takes("16 unknown lines", Good + string.Concat(Enumerable.Repeat(Forge.Line("g", [0, 0, 0, 1], [1]), 16)));
        yield return Takes("100 lines", Good + string.Concat(Enumerable.Repeat(Forge.Line("g", [0, 0, 0, 1], [1]), 99)));
        yield return Takes("the empty tree", Signed($"{GoldenLog.Origin}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"));
        yield return Takes("the largest size", Signed($"{GoldenLog.Origin}\n{long.MaxValue}\n{Root}\n"));
    }

    private static IEnumerable<NoteVector> Sizes()
    {
        foreach (var size in (string[])
            ["", " ", "+70000", "-70000", "-0", "070000", "00", " 70000", "70000 ", "70,000", "70_000", "7e4", "70000.0", "0x11170", "٧٠٠٠٠", "９",
                "9223372036854775808", "18446744073709551616", "70000\u00a0", "70000\u0000"])
            yield return Refused(
                $"size \"{size}\"", Signed($"{GoldenLog.Origin}\n{size}\n{Root}\n"),
                size.EndsWith('\0') ? NoControls : $"size \"{size}\" {NoSize}");
        yield return Refused("no leaves and a root", Signed($"{GoldenLog.Origin}\n0\n{Root}\n"), "A checkpoint of no leaves has the root of the empty tree");
    }

    private static IEnumerable<NoteVector> Texts()
    {
        foreach (var (desc, root) in ((string, string)[])
            [("empty", ""), ("without its pad", Root[..^1]), ("with a pad too many", Root + "="), ("with stray pad bits", Root[..^2] + "R="),
                ("of the other alphabet", Root.Replace('/', '_').Replace('+', '-')), ("with a space inside", Root.Insert(4, " ")),
                ("with a space behind", Root + " "), ("of 31 bytes", Convert.ToBase64String(new byte[31])),
                ("of 33 bytes", Convert.ToBase64String(new byte[33])), ("in hexadecimal", new string('a', 64)), ("no base64", "?" + Root[1..])])
            yield return Refused($"root {desc}", Signed($"{GoldenLog.Origin}\n70000\n{root}\n"), NoRoot);
        yield return Refused("root with a newline inside", Signed($"{GoldenLog.Origin}\n70000\n{Root.Insert(4, "\n")}\n"), "extension lines, which are not taken");
        yield return Refused("an extension line", Signed(Text + "extension\n"), "extension lines, which are not taken");
        yield return Refused("an empty extension line", Signed(Text + "\n"), "extension lines, which are not taken");
        yield return Refused("an extension line behind an empty one", Signed(Text + "\nextension\n"), "extension lines, which are not taken");
        yield return Refused("no root", Signed($"{GoldenLog.Origin}\n70000\n"), "three lines: origin, size and root");
        yield return Refused("origin alone", Signed($"{GoldenLog.Origin}\n"), "three lines: origin, size and root");
        yield return Refused("no text but a newline", Signed("\n"), "three lines: origin, size and root");
        yield return Refused("no origin", Signed($"\n70000\n{Root}\n"), "origin is empty");
        yield return Refused("size and root swapped", Signed($"{GoldenLog.Origin}\n{Root}\n70000\n"), NoSize);
        foreach (var origin in (string[])
            ["lumora.example/other", "Lumora.example/ledger", "lumora.example/ledger ", " lumora.example/ledger", "lumora.example/ledger/",
                "https://lumora.example/ledger", "\ufefflumora.example/ledger", "lumora.example/ledger\u200b"])
            yield return Refused($"origin \"{origin}\"", Signed($"{origin}\n70000\n{Root}\n"), $"The checkpoint is of {origin}, not of {GoldenLog.Origin}");
        foreach (var control in (char[])['\0', '\t', '\v', '\f', '\r', '\u001b', '\u001f'])
            yield return Refused($"control character {(int)control} in the text", Signed(Text.Insert(5, control.ToString())), NoControls);
        yield return Refused("\\r\\n everywhere", Good.ReplaceLineEndings("\r\n"), NoControls);
        yield return Refused("\\r\\n in the text", Signed(Text.ReplaceLineEndings("\r\n")), NoControls);
        yield return Refused("\\r\\n at the end", Good[..^1] + "\r\n", NoControls);
    }

    private static IEnumerable<NoteVector> Forms()
    {
        yield return Refused("nothing", "", "no empty line before its signatures");
        yield return Refused("text alone", Text, "no empty line before its signatures");
        yield return Refused("no empty line", Text + Forge.LogLine(Text), "no empty line before its signatures");
        yield return Refused("no signatures", Text + "\n", "no signatures behind its last empty line");
        yield return Refused("an empty line at the end", Good + "\n", "no signatures behind its last empty line");
        yield return Refused("no newline at the end", Good[..^1], "does not end with a newline");
        yield return Refused("cut in the middle of the signature", Good[..^20], "does not end with a newline");
        yield return Refused("a line of text behind", Good + "text\n", NoDash);
        yield return Refused("a space in front of the line", Text + "\n " + Forge.LogLine(Text), NoDash);
        yield return Refused("two empty lines are one in the text", Text + "\n\n" + Forge.LogLine(Text), LogIsBad);
        yield return Refused("101 lines", Good + string.Concat(Enumerable.Repeat(Forge.Line("g", [0, 0, 0, 1], [1]), 100)), "has 101 signatures, more than 100");
        foreach (var (desc, dash) in ((string, string)[])
            [("hyphen", "- "), ("two hyphens", "-- "), ("en dash", "\u2013 "), ("horizontal bar", "\u2015 "), ("dash without a space", "\u2014"), ("dash and no-break space", "\u2014\u00a0")])
            yield return Refused($"{desc} in front", Text + "\n" + dash + Forge.LogLine(Text)[2..], NoDash);
    }

    private static IEnumerable<NoteVector> Utf8()
    {
        var text = Encoding.UTF8.GetBytes(Text);
        foreach (var (desc, bytes) in ((string, byte[])[])
            [("a lone 0xFF", [0xFF]), ("an overlong zero", [0xC0, 0x80]), ("a surrogate", [0xED, 0xA0, 0x80]), ("a cut sequence", [0xE2, 0x80]),
                ("a lone continuation", [0x80]), ("beyond U+10FFFF", [0xF4, 0x90, 0x80, 0x80])])
        {
            byte[] changed = [.. text[..5], .. bytes, .. text[5..]];
            yield return RefusedBytes($"{desc} in the text", [.. changed, (byte)'\n', .. Encoding.UTF8.GetBytes(Forge.LogLine(changed))], NoUtf8);
        }

        yield return RefusedBytes("0xFF in a line of an unknown key", [.. Encoding.UTF8.GetBytes(Good + "\u2014 x"), 0xFF, .. " AAAAAAA=\n"u8], NoUtf8);
        yield return RefusedBytes("an em dash that is cut", [.. Encoding.UTF8.GetBytes(Text), (byte)'\n', 0xE2, 0x80, .. " x AAAAAAA=\n"u8], NoUtf8);
        yield return Refused("a byte order mark in front", "\ufeff" + Good, LogIsBad);
    }

    private static IEnumerable<NoteVector> Lines()
    {
        foreach (var line in (string[])
            [$"{GoldenLog.Origin}  {Blob}", $"{GoldenLog.Origin} {Blob} ", $"{GoldenLog.Origin} {Blob} x", $"{GoldenLog.Origin}", $" {Blob}", Blob,
                $"lumora\u00a0example {Blob}", $"lumora\u2003example {Blob}", $"lumora\u2028example {Blob}", $"lumora\u3000example {Blob}",
                $"lumora\u0085example {Blob}", $"lumora+example {Blob}", $"{GoldenLog.Origin} {Blob.Insert(8, " ")}"])
            yield return Refused($"line \"{line}\"", Text + "\n\u2014 " + line + "\n", NoFields);
        foreach (var (desc, blob) in ((string, string)[])
            [("empty", ""), ("without its pad", Blob[..^1]), ("with a pad too many", Blob + "="), ("with stray pad bits", Blob[..^2] + "d="),
                ("of the other alphabet", Blob.Replace('/', '_').Replace('+', '-')), ("no base64", "?" + Blob[1..]), ("a key id alone", "4+IvJA=="),
                ("3 bytes", "4+Iv"), ("with a no-break space", Blob.Insert(8, "\u00a0")), ("with a pad inside", Blob.Insert(8, "="))])
        {
            yield return Refused($"signature {desc}", Text + $"\n\u2014 {GoldenLog.Origin} {blob}\n", NoBlob);
            yield return Refused($"signature of an unknown key {desc}", Good + $"\u2014 unknown {blob}\n", NoBlob);
        }
    }

    private static IEnumerable<NoteVector> Signatures()
    {
        var signature = Forge.Sign(Forge.LogSeed, Encoding.UTF8.GetBytes(Text));
        foreach (var (desc, bytes) in ((string, byte[])[])
            [("R changed", [(byte)(signature[0] ^ 1), .. signature[1..]]), ("S changed", [.. signature[..32], (byte)(signature[32] ^ 1), .. signature[33..]]),
                ("the last bit changed", [.. signature[..63], (byte)(signature[63] ^ 0x80)]), ("S + L", Forge.Malleated(signature)),
                ("zeros", new byte[64]), ("ones", [.. Enumerable.Repeat((byte)0xFF, 64)]), ("R and S swapped", [.. signature[32..], .. signature[..32]])])
            yield return Refused($"signature is {desc}", Text + "\n" + Forge.LogLineOf(bytes), LogIsBad);
        foreach (var bytes in (byte[][])[signature[..63], [.. signature, 0], signature[..1], [.. Forge.Time(1_700_000_000), .. signature]])
            yield return Refused($"signature of {bytes.Length} bytes", Text + "\n" + Forge.LogLineOf(bytes), $"has {bytes.Length} bytes, not 64");
        yield return Refused("signature without the last newline", Text + "\n" + Forge.LogLine(Text[..^1]), LogIsBad);
        yield return Refused("signature with the empty line", Text + "\n" + Forge.LogLine(Text + "\n"), LogIsBad);
        yield return Refused("signature of another text", Text + "\n" + Forge.LogLine(Text.Replace("70000", "70001", StringComparison.Ordinal)), LogIsBad);
        yield return Refused("text changed", Good.Replace("70000", "70001", StringComparison.Ordinal), LogIsBad);
        yield return Refused("signed with another key under the log's id", Text + "\n" + Forge.LogLineOf(Forge.Sign(Forge.WitnessSeed, Encoding.UTF8.GetBytes(Text))), LogIsBad);
        yield return Refused("a good line and a bad one", Good + Forge.LogLineOf(new byte[64]), LogIsBad);
        yield return Refused("a bad line and a good one", Text + "\n" + Forge.LogLineOf(new byte[64]) + Forge.LogLine(Text), LogIsBad);
        yield return Refused("unknown keys alone", Text + "\n" + Forge.Line("g", [0, 0, 0, 1], [1]), "No known key has signed the note");
        yield return Refused("the key id is one more", Text + "\n" + Forge.Line(GoldenLog.Origin, [0xe3, 0xe2, 0x2f, 0x25], signature), "No known key has signed the note");
        yield return Refused("the name in upper case", Text + "\n" + Forge.Line("LUMORA.EXAMPLE/ledger", [0xe3, 0xe2, 0x2f, 0x24], signature), "No known key has signed the note");
        yield return Refused("the witness alone", Text + "\n" + Cosigned, $"The log {GoldenLog.Origin} has not signed the checkpoint");
        foreach (var (desc, key) in SmallOrder.Keys)
        {
            // R = A, S = 0: holds for every message under a verifier that takes such keys.
            var line = Forge.Line(GoldenLog.Origin, Forge.KeyId(GoldenLog.Origin, 1, key), [.. key, .. new byte[32]]);
            yield return new NoteVector(
                $"the log's key is {desc}", Forge.Vkey(GoldenLog.Origin, 1, key), Text + "\n" + line, null, null, true, "is bad");
        }
    }

    private static IEnumerable<NoteVector> Cosignatures()
    {
        var signature = Forge.Sign(Forge.WitnessSeed, Encoding.UTF8.GetBytes($"cosignature/v1\ntime 1700000000\n{Text}"));
        NoteVector Blob(string desc, byte[] blob, string reason) => Refused($"cosignature: {desc}", Good + Forge.WitnessLineOf(blob), reason);

        yield return Blob("without its time", signature, "has 64 bytes, not 72");
        yield return Blob("of 71 bytes", [.. Forge.Time(1_700_000_000), .. signature[..63]], "has 71 bytes, not 72");
        yield return Blob("of 73 bytes", [.. Forge.Time(1_700_000_000), .. signature, 0], "has 73 bytes, not 72");
        yield return Blob("another time", [.. Forge.Time(1_700_000_001), .. signature], WitnessIsBad);
        yield return Blob("time little-endian", [.. Forge.Time(1_700_000_000).Reverse(), .. signature], "which is none");
        yield return Blob("time behind the signature", [.. signature, .. Forge.Time(1_700_000_000)], "which is none");
        yield return Blob("S + L", [.. Forge.Time(1_700_000_000), .. Forge.Malleated(signature)], WitnessIsBad);
        foreach (var seconds in (long[])[-1, long.MinValue, 253_402_300_800, long.MaxValue])
            yield return Refused(
                $"cosignature: time {unchecked((ulong)seconds)}", Good + Forge.WitnessLine(Text, seconds), $"is of the time {unchecked((ulong)seconds)}, which is none");
        foreach (var (desc, message) in ((string, string)[])
            [("of the text alone", Text), ("without the header", $"time 1700000000\n{Text}"), ("without the last newline", $"cosignature/v1\ntime 1700000000\n{Text[..^1]}"),
                ("with the empty line", $"cosignature/v1\ntime 1700000000\n{Text}\n"), ("with a leading zero", $"cosignature/v1\ntime 01700000000\n{Text}"),
                ("of another text", $"cosignature/v1\ntime 1700000000\n{Text.Replace("70000\n", "70001\n", StringComparison.Ordinal)}")])
            yield return Blob(desc, [.. Forge.Time(1_700_000_000), .. Forge.Sign(Forge.WitnessSeed, Encoding.UTF8.GetBytes(message))], WitnessIsBad);
        yield return Refused("cosignature: a good one and a bad one", Good + Cosigned + Forge.WitnessLineOf([.. Forge.Time(1_700_000_000), .. new byte[64]]), WitnessIsBad);
    }

    private static string Signed(string text) => text + "\n" + Forge.LogLine(text);

    private static NoteVector Takes(string desc, string note, int cosignatures = 0) => new(desc, null, note, null, cosignatures, false, null);

    private static NoteVector Refused(string desc, string note, string reason) => new(desc, null, note, null, null, true, reason);

    private static NoteVector RefusedBytes(string desc, byte[] note, string reason) =>
        new(desc, null, null, Convert.ToHexStringLower(note), null, true, reason);
}
