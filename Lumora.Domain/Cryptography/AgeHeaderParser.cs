using System.Text;

namespace Lumora.Domain.Cryptography;

/// <summary>Reads the grammar of an age header (C2SP age.md, "ABNF definition of file header"), naming the line at fault.</summary>
internal static class AgeHeaderParser
{
    private const int Columns = 64;

    public static AgeHeader Parse(ReadOnlySpan<byte> header)
    {
        if (header.Length > AgeHeader.LengthMax)
            throw Bad(1, $"the header is longer than {AgeHeader.LengthMax} bytes");
        if (header.IsEmpty || header[^1] != (byte)'\n')
            throw Bad(1, "the header ends without a line feed");
        // Latin-1 keeps one character for one byte; what is not ASCII fails the grammar below.
        var lines = Encoding.Latin1.GetString(header[..^1]).Split('\n');
        if (lines[0] != AgeHeader.VersionLine)
            throw Bad(1, $"the first line is not '{AgeHeader.VersionLine}'");

        var stanzas = new List<AgeStanza>();
        var at = 1;
        while (at < lines.Length && lines[at].StartsWith("->", StringComparison.Ordinal))
            stanzas.Add(Stanza(lines, ref at));
        if (stanzas.Count == 0)
            throw Bad(at + 1, "a recipient stanza is expected ('-> ')");
        if (at != lines.Length - 1)
            throw Bad(at + 1, "a recipient stanza ('-> ') or the MAC ('--- ') is expected");
        var mac = MacOf(lines[at], at + 1);
        var macInput = header[..(header.Length - lines[at].Length - 1 + AgeHeader.MacMark.Length)];
        return new AgeHeader(stanzas, mac, macInput.ToArray());
    }

    private static AgeStanza Stanza(string[] lines, ref int at)
    {
        var arguments = lines[at].Split(' ')[1..];
        if (!lines[at].StartsWith("-> ", StringComparison.Ordinal) || !arguments.All(IsArgument))
            throw Bad(at + 1, "the arguments of a stanza are printable ASCII, separated by single spaces");
        var first = ++at + 1;
        var body = new StringBuilder();
        while (true)
        {
            if (at >= lines.Length)
                throw Bad(at, "the header ends inside a stanza");
            var line = lines[at++];
            if (line.Length > Columns)
                throw Bad(at, $"a line of a stanza's body has more than {Columns} columns");
            body.Append(line);
            if (line.Length < Columns)
                break;
        }

        return AgeBase64.TryDecode(body.ToString(), out var bytes)
            ? new AgeStanza(arguments, bytes)
            : throw Bad(first, "the stanza's body is not canonical base64 without padding");
    }

    private static byte[] MacOf(string line, int number)
    {
        if (!line.StartsWith("--- ", StringComparison.Ordinal))
            throw Bad(number, "a recipient stanza ('-> ') or the MAC ('--- ') is expected");
        return AgeBase64.TryDecode(line[4..], out var mac) && mac.Length == 32
            ? mac
            : throw Bad(number, "the MAC is not canonical base64 of 32 bytes without padding");
    }

    private static bool IsArgument(string text) => text.Length > 0 && text.All(c => c is >= '!' and <= '~');

    private static AgeException Bad(int line, string what) =>
        new(AgeFault.BadHeader, $"age header, line {line}: {what}.");
}
