using System.Buffers.Binary;
using System.Text;
using Lumora.Chain.Notes;
using Lumora.Chain.Verification;

namespace Lumora.Chain.Tests.Verification;

/// <summary>Cosignatures by ML-DSA-44 (subtree/v1): the message written by hand, and ways to break it.</summary>
public sealed class MlDsaCosignatureTests
{
    private const string Name = "witness.example/pq";
    private const string Root = "veHu6BygID/Za/wvkXaepGNc8Hk1VZT2lGcANwxswuQ=";
    private const string Text = $"{GoldenLog.Origin}\n70000\n{Root}\n";
    private const long At = 1_700_000_000;
    private const string IsBad = "is bad";

    private static readonly byte[] Seed = [.. Enumerable.Repeat((byte)6, 32)];
    private static readonly byte[] PublicKey = MlDsa44.PublicKey(Seed);
    private static readonly VerifierKey Key = new(Name, SignatureKind.MlDsa44, PublicKey);
    private static readonly string Good = Text + "\n" + Forge.LogLine(Text);

    [Fact]
    public void The_message_and_the_line_have_the_bytes_of_the_specification()
    {
        var expected = new List<byte>("subtree/v1\n\0"u8.ToArray()) { (byte)Name.Length };
        expected.AddRange(Encoding.UTF8.GetBytes(Name));
        expected.AddRange(Number(At));
        expected.Add((byte)GoldenLog.Origin.Length);
        expected.AddRange(Encoding.UTF8.GetBytes(GoldenLog.Origin));
        expected.AddRange(Number(0));
        expected.AddRange(Number(70_000));
        expected.AddRange(Convert.FromBase64String(Root));
        Assert.Equal(expected, SubtreeV1.Message(Name, At, Text));

        using var signer = new NoteSigner(Name, SignatureKind.MlDsa44, Seed);
        Assert.Equal(Forge.Vkey(Name, 6, PublicKey), signer.Verifier.ToString());
        Assert.Equal(signer.Verifier, VerifierKey.Parse(signer.Verifier.ToString()));
        var line = signer.Cosign(Text, DateTimeOffset.FromUnixTimeSeconds(At)).ToLine() + "\n";
        Assert.Equal(Line([.. Number(At), .. MlDsa44.Sign(Seed, [.. expected])]), line);
        // "base64(32-bit key ID || timestamped_signature)": 4 + 8 + 2,420 bytes.
        Assert.Equal(2_432, Convert.FromBase64String(line.Split(' ')[2].TrimEnd()).Length);
        Assert.Throws<InvalidOperationException>(() => signer.Sign(Text));
        Assert.Throws<FormatException>(() => signer.Cosign("no checkpoint\n", DateTimeOffset.UnixEpoch));
    }

    [Fact]
    public void Cosigned_checkpoints_are_taken_or_refused_for_their_reason() => Verdicts.Check([.. Cases()], vector =>
    {
        var verified = NoteVerifier.VerifyCheckpoint(Encoding.UTF8.GetBytes(vector.Note!), VerifierKey.Parse(GoldenLog.LogKey), Key);
        Assert.Equal(vector.Cosignatures, verified.Cosignatures.Count);
        Assert.Equal(vector.Note, Encoding.UTF8.GetString(verified.Note.ToBytes()));
    });

    [Fact]
    public void Sixteen_of_them_fit_into_a_note()
    {
        var note = SignedNote.Parse(Encoding.UTF8.GetBytes(Good));
        var keys = new List<VerifierKey>();
        for (byte i = 1; i <= 16; i++)
        {
            using var signer = new NoteSigner($"{Name}/{i}", SignatureKind.MlDsa44, [.. Enumerable.Repeat(i, 32)]);
            note = note.With(signer.Cosign(Text, DateTimeOffset.FromUnixTimeSeconds(At)));
            keys.Add(signer.Verifier);
        }

        var bytes = note.ToBytes();
        Assert.InRange(bytes.Length, 16 * 3_200, SignedNote.BytesMax);
        Assert.Equal(16, NoteVerifier.VerifyCheckpoint(bytes, VerifierKey.Parse(GoldenLog.LogKey), keys).Cosignatures.Count);
    }

    [Fact]
    public void Names_that_the_message_cannot_hold_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new NoteSigner(new string('é', 128), SignatureKind.MlDsa44, Seed));
        using var longest = new NoteSigner(new string('n', 255), SignatureKind.MlDsa44, Seed);
        Assert.NotNull(SubtreeV1.Message(longest.Verifier.Name, At, Text));
        Assert.Null(SubtreeV1.Message(Name, At, $"{new string('o', 256)}\n70000\n{Root}\n"));
        Assert.Null(SubtreeV1.Message(Name, At, Text + "extension\n"));
    }

    private static IEnumerable<NoteVector> Cases()
    {
        var message = SubtreeV1.Message(Name, At, Text)!;
        var signature = MlDsa44.Sign(Seed, message);
        byte[] blob = [.. Number(At), .. signature];
        yield return Takes("cosigned", Good + Line(blob), 1);
        yield return Takes("cosignature in front", Text + "\n" + Line(blob) + Forge.LogLine(Text), 1);
        yield return Takes("twice", Good + Line(blob) + Line(blob), 1);
        yield return Takes("beside one of Ed25519 that is unknown", Good + Forge.WitnessLine(Text, At) + Line(blob), 1);
        yield return Takes("at the end of time", Good + Line(Signed(253_402_300_799)), 1);
        yield return Takes("another witness's key id", Good + Forge.Line(Name, [1, 2, 3, 4], blob));
        yield return Takes("another witness's name", Good + Forge.Line("witness.example/other", Forge.KeyId(Name, 6, PublicKey), blob));

        yield return Refused("without its time", Line(signature), "has 2420 bytes, not 2428");
        yield return Refused("one byte short", Line(blob[..^1]), "has 2427 bytes, not 2428");
        yield return Refused("one byte long", Line([.. blob, 0]), "has 2429 bytes, not 2428");
        yield return Refused("of Ed25519's length", Line(new byte[72]), "has 72 bytes, not 2428");
        yield return Refused("another time", Line([.. Number(At + 1), .. signature]), IsBad);
        yield return Refused("at time 0", Line(Signed(0)), "is of no time");
        yield return Refused("at a negative time", Line(Signed(-1)), "which is none");
        yield return Refused("behind the end of time", Line(Signed(253_402_300_800)), "which is none");
        foreach (var at in (int[])[0, 31, 32, 1_200, 2_335, 2_336, 2_419])
        {
            byte[] flipped = [.. signature];
            flipped[at] ^= 1;
            yield return Refused($"byte {at} flipped", Line([.. Number(At), .. flipped]), IsBad);
        }

        foreach (var (desc, other) in ((string, byte[])[])
            [("without its label", message[12..]), ("with another label", [.. "subtree/v2\n\0"u8, .. message[12..]]), ("of another name", SubtreeV1.Message(Name + "x", At, Text)!),
                ("of another log", SubtreeV1.Message(Name, At, Text.Replace("ledger", "ledgex", StringComparison.Ordinal))!),
                ("of another size", SubtreeV1.Message(Name, At, Text.Replace("70000", "70001", StringComparison.Ordinal))!),
                ("of another root", SubtreeV1.Message(Name, At, Text.Replace("veHu", "veHv", StringComparison.Ordinal))!),
                ("of a subtree that starts at 1", Started(message, 1)), ("with a byte behind", [.. message, 0]), ("of the text, as Ed25519 signs it", CosignatureV1.Message(At, Text))])
            yield return Refused(desc, Line([.. Number(At), .. MlDsa44.Sign(Seed, other)]), IsBad);
        yield return Refused("with another key", Line([.. Number(At), .. MlDsa44.Sign(new byte[32], message)]), IsBad);
        yield return Refused("a good one and a bad one", Line(blob) + Line([.. Number(At), .. new byte[2_420]]), IsBad);
    }

    private static byte[] Signed(long seconds) => [.. Number(seconds), .. MlDsa44.Sign(Seed, SubtreeV1.Message(Name, seconds, Text)!)];

    private static byte[] Started(byte[] message, long start)
    {
        byte[] changed = [.. message];
        BinaryPrimitives.WriteInt64BigEndian(changed.AsSpan(message.Length - 48), start);
        return changed;
    }

    private static string Line(byte[] blob) => Forge.Line(Name, Forge.KeyId(Name, 6, PublicKey), blob);

    private static byte[] Number(long value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return bytes;
    }

    private static NoteVector Takes(string desc, string note, int cosignatures = 0) => new(desc, null, note, null, cosignatures, false, null);

    private static NoteVector Refused(string desc, string lines, string reason) => new(desc, null, Good + lines, null, null, true, reason);
}
