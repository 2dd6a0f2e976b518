using System.Text;
using Lumora.Chain.Tests.Merkle;
using Lumora.Domain.Log;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Tests.Verification;

/// <summary>A <c>.tlog-proof</c>, the entry it is for, and the verdict under the golden log's key.</summary>
internal sealed record LogProofVector(string Desc, string Proof, string Entry, bool WantErr, string? Reason) : IVector;

/// <summary>A log of twelve events signed with the golden key, the proof of its sixth, and ways to break it.</summary>
internal static class LogProofMutations
{
    private const int Size = 12;
    private const int Index = 5;
    private const string Header = "c2sp.org/tlog-proof@v1\n";
    private const string NoHash = "is no canonical base64 of a hash";

    private static readonly byte[][] Entries = [.. Enumerable.Range(0, Size).Select(Event)];
    private static readonly MerkleHash[] Leaves = [.. Entries.Select(entry => RecursiveTree.Leaf(entry))];
    private static readonly string[] Hashes = [.. RecursiveTree.Path(Index, Leaves).Select(hash => hash.ToBase64())];
    private static readonly string Note = Signed(GoldenLog.Origin, Leaves);
    private static readonly string Entry = Encoding.UTF8.GetString(Entries[Index]);
    private static readonly string Good = Proof($"index {Index}\n", Hashes, Note);

    /// <summary>All cases.</summary>
    public static IEnumerable<LogProofVector> All() => [.. Accepted(), .. Heads(), .. Indexes(), .. Paths(), .. Checkpoints(), .. Events()];

    private static IEnumerable<LogProofVector> Accepted()
    {
        yield return new("happy path", Good, Entry, false, null);
        yield return new("with an extra line", Proof($"extra AAEC\nindex {Index}\n", Hashes, Note), Entry, false, null);
        yield return new("with an empty extra line", Proof($"extra \nindex {Index}\n", Hashes, Note), Entry, false, null);
        yield return new("an unknown signature", Good + Forge.Line("g", [0, 0, 0, 1], [1]), Entry, false, null);
        yield return new("the only entry", Proof("index 0\n", [], Signed(GoldenLog.Origin, Leaves[..1])), Text(0), false, null);
    }

    private static IEnumerable<LogProofVector> Heads()
    {
        foreach (var head in (string[])
            ["", "c2sp.org/tlog-proof@v2\n", "C2SP.org/tlog-proof@v1\n", "c2sp.org/tlog-proof@v1 \n", " c2sp.org/tlog-proof@v1\n", "\ufeffc2sp.org/tlog-proof@v1\n",
                "c2sp.org/tlog-proof@v1\r\n", "\nc2sp.org/tlog-proof@v1\n"])
            yield return Refused($"head \"{head}\"", head + Good[Header.Length..], "A proof starts with");
        yield return Refused("nothing", "", "no empty line before its checkpoint");
        yield return Refused("head alone", Header, "no empty line before its checkpoint");
        yield return Refused("no empty line", Good.Replace("\n\n", "\n", StringComparison.Ordinal), "no empty line before its checkpoint");
        yield return Refused("\\r\\n everywhere", Good.ReplaceLineEndings("\r\n"), "no empty line before its checkpoint");
        foreach (var extra in (string[])["AAE", "AB==", "AAEC ", " AAEC", "A-_C", "AA\tEC"])
            yield return Refused($"extra \"{extra}\"", Proof($"extra {extra}\nindex {Index}\n", Hashes, Note), "extra line is no canonical base64");
        yield return Refused("two extra lines", Proof($"extra AAEC\nextra AAEC\nindex {Index}\n", Hashes, Note), "no index line");
        yield return Refused("extra behind the index", Proof($"index {Index}\nextra AAEC\n", Hashes, Note), NoHash);
        yield return Refused("extra without a space", Proof($"extra\nindex {Index}\n", Hashes, Note), "no index line");
    }

    private static IEnumerable<LogProofVector> Indexes()
    {
        foreach (var number in (string[])["", "+5", "-5", "05", " 5", "5 ", "5.0", "0x5", "5\t", "٥", "9223372036854775808", "5\r"])
            yield return Refused($"index \"{number}\"", Proof($"index {number}\n", Hashes, Note), $"index \"{number}\" is no decimal number");
        foreach (var line in (string[])["", "Index 5\n", "index\n", "index\t5\n", "5\n"])
            yield return Refused($"index line \"{line}\"", Proof(line, Hashes, Note), "no index line");
        yield return Refused("index twice", Proof($"index {Index}\nindex {Index}\n", Hashes, Note), NoHash);
        foreach (var index in (int[])[0, 4, 6, 7])
            yield return Refused($"index {index}", Proof($"index {index}\n", Hashes, Note), $"leaf {index} of 12 leads to the root");
        foreach (var index in (int[])[8, 11])
            yield return Refused($"index {index}", Proof($"index {index}\n", Hashes, Note), $"leaf {index} of 12 has 3 hashes, not 4");
        foreach (var index in (long[])[12, 13, long.MaxValue])
            yield return Refused($"index {index}", Proof($"index {index}\n", Hashes, Note), $"Leaf {index} is not in a tree of 12 leaves");
    }

    private static IEnumerable<LogProofVector> Paths()
    {
        yield return Refused("no path", Proof($"index {Index}\n", [], Note), "has 4 hashes, not 0");
        yield return Refused("first hash missing", Proof($"index {Index}\n", Hashes[1..], Note), "has 4 hashes, not 3");
        yield return Refused("one hash more", Proof($"index {Index}\n", [.. Hashes, Hashes[0]], Note), "has 4 hashes, not 5");
        yield return Refused("63 hashes", Proof($"index {Index}\n", Enumerable.Repeat(Hashes[0], 63), Note), "has 4 hashes, not 63");
        yield return Refused("64 hashes", Proof($"index {Index}\n", Enumerable.Repeat(Hashes[0], 64), Note), "has 64 hashes, more than 63");
        yield return Refused("path reversed", Proof($"index {Index}\n", Hashes.Reverse(), Note), "leads to the root");
        foreach (var (desc, hash) in ((string, string)[])
            [("without its pad", Hashes[0][..^1]), ("with a space behind", Hashes[0] + " "), ("with a space in front", " " + Hashes[0]), ("of 31 bytes", Convert.ToBase64String(new byte[31])),
                ("of 33 bytes", Convert.ToBase64String(new byte[33])), ("of the other alphabet", "_-" + Hashes[0][2..]), ("in hexadecimal", new string('a', 64)),
                ("with stray pad bits", Convert.ToBase64String(new byte[32])[..^2] + "B=")])
            yield return Refused($"hash {desc}", Proof($"index {Index}\n", [hash, .. Hashes[1..]], Note), NoHash);
    }

    private static IEnumerable<LogProofVector> Checkpoints()
    {
        var good = $"index {Index}\n";
        yield return Refused("no checkpoint", Proof(good, Hashes, ""), "The note has no empty line before its signatures");
        yield return Refused("a checkpoint without signatures", Proof(good, Hashes, Note[..(Note.IndexOf("\n\n", StringComparison.Ordinal) + 2)]), "no signatures behind");
        yield return Refused("an empty line in front of the checkpoint", Proof(good, Hashes, "\n" + Note), "is bad");
        yield return Refused("text behind the checkpoint", Good + "text\n", "starts with an em dash");
        yield return Refused("another log's checkpoint", Proof(good, Hashes, Signed("lumora.example/other", Leaves)), "The checkpoint is of lumora.example/other");
        yield return Refused("the checkpoint of one entry less", Proof(good, Hashes, Signed(GoldenLog.Origin, Leaves[..11])), "leaf 5 of 11 leads to the root");
        yield return Refused("the checkpoint of five entries", Proof(good, Hashes, Signed(GoldenLog.Origin, Leaves[..5])), "Leaf 5 is not in a tree of 5 leaves");
        yield return Refused("the golden checkpoint", Proof(good, Hashes, GoldenLog.Checkpoint), "leaf 5 of 70000 has 17 hashes, not 4");
        yield return Refused("a size that was not signed", Good.Replace("\n12\n", "\n13\n", StringComparison.Ordinal), "is bad");
        yield return Refused("the witness alone", Proof(good, Hashes, Note[..(Note.IndexOf("\n\n", StringComparison.Ordinal) + 2)] + GoldenLog.Cosignature), "No known key has signed");
    }

    private static IEnumerable<LogProofVector> Events()
    {
        yield return new("another entry", Good, Text(6), true, "leads to the root");
        yield return new("an empty entry", Good, "", true, "leads to the root");
        yield return new("a byte behind the entry", Good, Entry + " ", true, "leads to the root");
        yield return new("one digit of the entry changed", Good, Entry.Replace("\"n\":5", "\"n\":6", StringComparison.Ordinal), true, "leads to the root");
        // Behind a good path the entry must be a leaf: a log may hold nothing else.
        foreach (var (entry, reason) in ((string, string)[])
            [("lumora-golden-0", "Not a JSON value"), ("", "Not a JSON value"), (" " + Entry, "not canonical JSON"), ("{}", "does not say \"v\":1"),
                (Entry.Replace("\"version\":6", "\"version\":\"6\"", StringComparison.Ordinal), "version is no number from 1"),
                (Entry.Replace("\"version\":6", "\"version\":9007199254740993", StringComparison.Ordinal), "not canonical JSON"),
                (Entry.Replace("\"version\":6", "\"version\":9007199254740994", StringComparison.Ordinal), "version is no number from 1"),
                (Entry.Replace("\"version\":6", "\"version\":6.5", StringComparison.Ordinal), "version is no number from 1"),
                (Entry.Replace("\"version\":6", "\"version\":1000000000000000000", StringComparison.Ordinal), "version is no number from 1"),
                (Entry.Replace("00000000-0000-7000-8000-00000000000b", "00000000-0000-7000-8000-00000000000B", StringComparison.Ordinal), "id is no UUID in lower case"),
                (Entry.Replace("\"id\":\"", "\"id\":\" ", StringComparison.Ordinal), "id is no UUID in lower case"),
                (Entry.Replace("000000Z", "000000+00:00", StringComparison.Ordinal), "time is not UTC with 6 decimals"),
                (Entry.Replace("\"actor\":null", "\"actor\":7", StringComparison.Ordinal), "actor is no text"),
                (Entry.Replace("\"shard\":\"main\"", "\"shard\":null", StringComparison.Ordinal), "shard is missing"),
                (Entry.Replace("\"v\":1,", "\"v\":1,\"v\":1,", StringComparison.Ordinal), "stands twice")])
        {
            var leaf = RecursiveTree.Leaf(Encoding.UTF8.GetBytes(entry));
            yield return new($"the entry {entry}", Proof("index 0\n", [], Signed(GoldenLog.Origin, [leaf])), entry, true, reason);
        }
    }

    private static byte[] Event(int index) =>
        new Leaf(
            "main", "mutations/main", index + 1, Guid.Parse($"00000000-0000-7000-8000-{index + 6:x12}"), "entry_mutated",
            DateTimeOffset.UnixEpoch.AddSeconds(index), null, null)
            .Encode(Encoding.UTF8.GetBytes($"{{\"n\":{index}}}")).Bytes;

    private static string Text(int index) => Encoding.UTF8.GetString(Entries[index]);

    private static string Signed(string origin, MerkleHash[] leaves)
    {
        var text = $"{origin}\n{leaves.Length}\n{RecursiveTree.Root(leaves).ToBase64()}\n";
        return text + "\n" + Forge.LogLine(text);
    }

    private static string Proof(string head, IEnumerable<string> hashes, string note) =>
        $"{Header}{head}{string.Concat(hashes.Select(hash => hash + "\n"))}\n{note}";

    private static LogProofVector Refused(string desc, string proof, string reason) => new(desc, proof, Entry, true, reason);
}
