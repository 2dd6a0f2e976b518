using System.Globalization;
using Lumora.Chain.Notes;

namespace Lumora.Chain.Witnesses;

/// <summary>Reads the lines of a C2SP tlog-policy. Every refusal names the line.</summary>
internal sealed class PolicyReader
{
    private const int UrlCharactersMax = 2_048;

    private readonly List<PolicyLog> _logs = [];
    private readonly List<PolicyWitness> _witnesses = [];
    private readonly List<PolicyGroup> _groups = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal) { WitnessPolicy.None };
    private readonly HashSet<string> _members = new(StringComparer.Ordinal);
    private string? _quorum;
    private int _line;

    private PolicyReader()
    {
    }

    public static WitnessPolicy Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > WitnessPolicy.BytesMax)
            throw new FormatException($"The policy has {bytes.Length} bytes, more than {WitnessPolicy.BytesMax}.");
        var reader = new PolicyReader();
        for (var rest = bytes; !rest.IsEmpty;)
        {
            reader._line++;
            var end = rest.IndexOf((byte)'\n');
            // "each line is terminated by ASCII newline": a file that was cut off is not read.
            if (end < 0)
                throw reader.Wrong("it does not end with a newline");
            reader.Take(rest[..end]);
            rest = rest[(end + 1)..];
        }

        return new WitnessPolicy(
            reader._logs, reader._witnesses, reader._groups,
            reader._quorum ?? throw new FormatException("The policy has no quorum line; \"quorum none\" asks for no cosignatures."));
    }

    private void Take(ReadOnlySpan<byte> line)
    {
        // "the allowed octet values are 0x09 (tab), 0x0A (newline), 0x20-0x7E, and 0x80-0xFF."
        foreach (var octet in line)
            if (octet is (< 0x20 and not (byte)'\t') or 0x7F)
                throw Wrong(string.Create(CultureInfo.InvariantCulture, $"it holds the control character 0x{octet:x2}"));
        var content = line.Trim(" \t"u8);
        // Comments are octets of any kind; in what is read, names are compared octet by octet, as valid UTF-8 is by its characters.
        if (content.IsEmpty || content[0] == (byte)'#')
            return;
        var items = Decode(content).Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        switch (items[0])
        {
            case "log":
                TakeLog(items);
                break;
            case "witness":
                TakeWitness(items);
                break;
            case "group":
                TakeGroup(items);
                break;
            case "quorum":
                TakeQuorum(items);
                break;
            default:
                throw Wrong($"\"{items[0]}\" is none of log, witness, group and quorum");
        }
    }

    private void TakeLog(string[] items)
    {
        if (items.Length is not (2 or 3))
            throw Wrong("it is written: log <vkey> [<url>]");
        var key = Key(items[1], "a log's", SignatureKind.Ed25519);
        // "multiple log lines with the same public key, are not allowed": also under another name.
        if (_logs.Any(log => log.Key.PublicKey.SequenceEqual(key.PublicKey)))
            throw Wrong($"the public key of {key.Name} is a log's already");
        Limit(_logs.Count, "logs");
        _logs.Add(new PolicyLog(key, Url(items, 2)));
    }

    private void TakeWitness(string[] items)
    {
        if (items.Length is not (3 or 4))
            throw Wrong("it is written: witness <name> <vkey> [<url>]");
        var key = Key(items[2], "a witness's", SignatureKind.CosignatureV1, SignatureKind.MlDsa44);
        if (_witnesses.Any(witness => witness.Key.PublicKey.SequenceEqual(key.PublicKey)))
            throw Wrong($"the public key of {items[1]} is a witness's already");
        Limit(_witnesses.Count, "witnesses");
        Define(items[1]);
        _witnesses.Add(new PolicyWitness(items[1], key, Url(items, 3)));
    }

    private void TakeGroup(string[] items)
    {
        if (items.Length < 4)
            throw Wrong("it is written: group <name> all|any|<k> <name>…");
        var members = items[3..];
        var threshold = items[2] switch
        {
            "all" => members.Length,
            "any" => 1,
            var text when StrictText.TryInteger(text, out var k) && k >= 1 && k <= members.Length => (int)k,
            var text => throw Wrong($"\"{text}\" is none of all, any and a number from 1 to {members.Length.ToString(CultureInfo.InvariantCulture)}"),
        };
        foreach (var member in members)
        {
            Demand(member);
            // "Each defined name can be listed as a group member at most once", in the whole file.
            if (!_members.Add(member))
                throw Wrong($"{member} is a member already");
        }

        Limit(_groups.Count, "groups");
        Define(items[1]);
        _groups.Add(new PolicyGroup(items[1], threshold, members));
    }

    private void TakeQuorum(string[] items)
    {
        if (items.Length != 2)
            throw Wrong("it is written: quorum <name>|none");
        if (_quorum is not null)
            throw Wrong("it is the second quorum line");
        if (items[1] != WitnessPolicy.None)
            Demand(items[1]);
        _quorum = items[1];
    }

    private void Define(string name)
    {
        if (!_names.Add(name))
            throw Wrong($"the name {name} is taken");
    }

    /// <summary>"can only refer to names defined on preceding lines".</summary>
    private void Demand(string name)
    {
        if (name == WitnessPolicy.None || !_names.Contains(name))
            throw Wrong($"no witness and no group {name} stands before it");
    }

    private void Limit(int count, string what)
    {
        if (count >= WitnessPolicy.EntriesMax)
            throw Wrong($"there are more than {WitnessPolicy.EntriesMax} {what}");
    }

    private VerifierKey Key(string vkey, string whose, params SignatureKind[] kinds)
    {
        VerifierKey key;
        try
        {
            key = VerifierKey.Parse(vkey);
        }
        catch (FormatException exception)
        {
            throw Wrong(exception.Message.TrimEnd('.'), exception);
        }

        return kinds.Contains(key.Kind)
            ? key
            : throw Wrong($"the key of {key.Name} has the type {(int)key.Kind:x2}; {whose} has {string.Join(" or ", kinds.Select(kind => $"{(int)kind:x2}"))}");
    }

    private Uri? Url(string[] items, int at)
    {
        if (items.Length <= at)
            return null;
        return items[at].Length <= UrlCharactersMax
            && Uri.TryCreate(items[at], UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
            && url is { Query: "", Fragment: "", UserInfo: "" }
            ? url
            : throw Wrong($"\"{items[at]}\" is no http or https address without query and fragment");
    }

    private string Decode(ReadOnlySpan<byte> content)
    {
        try
        {
            return StrictText.DecodeUtf8(content, "line");
        }
        catch (FormatException exception)
        {
            throw Wrong("it is not valid UTF-8", exception);
        }
    }

    private FormatException Wrong(string why, Exception? inner = null) =>
        new(string.Create(CultureInfo.InvariantCulture, $"The policy's line {_line}: {why}."), inner);
}
