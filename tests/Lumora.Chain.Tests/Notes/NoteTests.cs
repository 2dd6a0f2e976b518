using System.Text;
using CsCheck;
using Lumora.Chain.Notes;
using Lumora.Chain.Tests.Verification;
using Lumora.Chain.Verification;

namespace Lumora.Chain.Tests.Notes;

public sealed class NoteTests
{
    private const string ExampleKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

    private const string Example =
        "This is an example message.\n\n"
        + "\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    private static readonly VerifierKey Log = VerifierKey.Parse(GoldenLog.LogKey);
    private static readonly VerifierKey Witness = VerifierKey.Parse(GoldenLog.WitnessKey);

    private static SignedNote Parse(string note) => SignedNote.Parse(Encoding.UTF8.GetBytes(note));

    private static VerifiedCheckpoint Verify(string note) =>
        NoteVerifier.VerifyCheckpoint(Encoding.UTF8.GetBytes(note), Log, Witness);

    [Fact]
    public void The_example_of_the_specification_verifies()
    {
        var good = NoteVerifier.Verify(Parse(Example), [VerifierKey.Parse(ExampleKey)]);
        Assert.Null(Assert.Single(good).CosignedAt);
    }

    [Fact]
    public void A_second_library_agrees_on_the_golden_signatures()
    {
        var note = Parse(GoldenLog.Checkpoint + GoldenLog.Cosignature);
        Assert.True(Forge.Verifies(Log.PublicKey, note.TextBytes, note.Signatures[0].Signature.ToArray()));
        var cosignature = note.Signatures[1].Signature.ToArray();
        var message = CosignatureV1.Message(1_700_000_000, note.Text);
        Assert.True(Forge.Verifies(Witness.PublicKey, message, cosignature[8..]));
        message[^2] ^= 1;
        Assert.False(Forge.Verifies(Witness.PublicKey, message, cosignature[8..]));
    }

    [Fact]
    public void A_cosigned_checkpoint_says_who_saw_it_and_when()
    {
        var verified = Verify(GoldenLog.Checkpoint + GoldenLog.Cosignature);
        Assert.Equal(GoldenLog.Size, verified.Checkpoint.Size);
        var cosignature = Assert.Single(verified.Cosignatures);
        Assert.Equal(Witness, cosignature.Key);
        Assert.Equal(GoldenLog.CosignedAt, cosignature.CosignedAt);
    }

    /// <summary>Key rotation and grease: lines of unknown keys, even under a known name, change nothing.</summary>
    [Fact]
    public void Signatures_of_unknown_keys_are_ignored()
    {
        var line = $"\u2014 {GoldenLog.Origin} {Convert.ToBase64String(new byte[68])}\n\u2014 grease.invalid/x {Convert.ToBase64String(new byte[5])}\n";
        Assert.Equal(GoldenLog.Size, Verify(GoldenLog.Checkpoint + line).Checkpoint.Size);
    }

    [Fact]
    public void A_bad_signature_of_a_known_key_rejects_the_whole_note()
    {
        using var other = new NoteSigner(GoldenLog.Origin, SignatureKind.Ed25519, new byte[32]);
        var forged = other.Sign("text\n") with { KeyId = Log.Id };
        var note = Parse(GoldenLog.Checkpoint).With(forged);
        var exception = Assert.Throws<VerificationException>(() => NoteVerifier.Verify(note, [Log]));
        Assert.Contains(GoldenLog.Origin, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_witness_alone_does_not_make_a_checkpoint()
    {
        var note = GoldenLog.Checkpoint[..(GoldenLog.Checkpoint.IndexOf("\n\n", StringComparison.Ordinal) + 2)] + GoldenLog.Cosignature;
        Assert.Throws<VerificationException>(() => Verify(note));
        Assert.Throws<VerificationException>(() => NoteVerifier.Verify(Parse(note), [Log]));
    }

    [Fact]
    public void Every_byte_of_the_signed_text_is_covered() =>
        Gen.Int[0, GoldenLog.Checkpoint.IndexOf("\n\n", StringComparison.Ordinal)].Sample(at =>
        {
            var bytes = Encoding.UTF8.GetBytes(GoldenLog.Checkpoint);
            bytes[at] ^= 1;
            Assert.ThrowsAny<Exception>(() => NoteVerifier.VerifyCheckpoint(bytes, Log));
        });

    [Fact]
    public void The_text_ends_at_the_last_empty_line()
    {
        using var signer = GoldenLog.LogSigner();
        const string text = "first\n\nsecond\n";
        var note = SignedNote.Parse(new SignedNote(text, [signer.Sign(text)]).ToBytes());
        Assert.Equal(text, note.Text);
        Assert.Single(NoteVerifier.Verify(note, [Log]));
    }

    [Theory]
    [InlineData("text\n")]
    [InlineData("text\n\n")]
    [InlineData("text\n\n\u2014 name AAAAAAA=")]
    [InlineData("text\n\n- name AAAAAAA=\n")]
    [InlineData("text\n\n\u2014 name  AAAAAAA=\n")]
    [InlineData("text\n\n\u2014 na+me AAAAAAA=\n")]
    [InlineData("text\n\n\u2014 name AAAAAA==\n")]
    [InlineData("text\n\n\u2014 name AAAAAAB=\n")]
    [InlineData("text\n\n\u2014 name AAAA AAA=\n")]
    [InlineData("te\u0001xt\n\n\u2014 name AAAAAAA=\n")]
    [InlineData("te\rxt\n\n\u2014 name AAAAAAA=\n")]
    [InlineData("text\n\n\u2014 name AAAAAAA=\n\n")]
    public void What_is_no_note_is_refused(string note) => Assert.Throws<FormatException>(() => Parse(note));

    [Fact]
    public void Invalid_utf8_is_refused() =>
        Assert.Throws<FormatException>(() => SignedNote.Parse([0xC3, 0x28, .. Encoding.UTF8.GetBytes(Example)]));

    [Fact]
    public void A_note_may_have_a_hundred_signatures_and_no_more()
    {
        var line = new NoteSignature("name", 1, new byte[64]);
        var note = new SignedNote("text\n", [.. Enumerable.Repeat(line, 100)]);
        Assert.Equal(100, SignedNote.Parse(note.ToBytes()).Signatures.Count);
        Assert.Throws<FormatException>(() => SignedNote.Parse(note.With(line).ToBytes()));
    }

    /// <summary>
    /// Signed-note: verifiers "MUST accept at least up to 16 signatures. Remember that post-quantum signatures can be up to nearly 5kB".
    /// </summary>
    [Fact]
    public void Sixteen_signatures_of_unknown_kinds_may_be_as_long_as_post_quantum_ones_are()
    {
        var note = Parse(GoldenLog.Checkpoint);
        for (uint i = 0; i < 15; i++)
            note = note.With(new NoteSignature($"post-quantum.example/{i}", i, new byte[4_950]));
        Assert.Equal(GoldenLog.Size, NoteVerifier.VerifyCheckpoint(note.ToBytes(), Log).Checkpoint.Size);
        var proof = new TlogProof(0, [.. Enumerable.Repeat(Domain.Merkle.MerkleHash.EmptyRoot, 63)], note.ToBytes());
        Assert.Equal(note.ToBytes(), TlogProof.Parse(proof.ToBytes()).Checkpoint);
    }

    [Fact]
    public void A_note_that_is_too_long_is_refused_before_it_is_read()
    {
        var exception = Assert.Throws<FormatException>(() => SignedNote.Parse(new byte[SignedNote.BytesMax + 1]));
        Assert.Contains($"more than {SignedNote.BytesMax}", exception.Message, StringComparison.Ordinal);
        exception = Assert.Throws<FormatException>(() => TlogProof.Parse(new byte[TlogProof.BytesMax + 1]));
        Assert.Contains($"more than {TlogProof.BytesMax}", exception.Message, StringComparison.Ordinal);
    }

    /// <summary>The example of C2SP tlog-cosignature; the specification does not print the keys.</summary>
    [Fact]
    public void The_example_of_a_cosignature_is_read_with_its_time()
    {
        var note = Parse(
            "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
            + "\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
            + "\u2014 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n");
        Assert.Equal(20_852_163, Checkpoint.Parse(note.Text).Size);
        Assert.Equal(64, note.Signatures[0].Signature.Length);
        Assert.Equal(0x8d66cf3fu, note.Signatures[1].KeyId);
        Assert.Equal(72, note.Signatures[1].Signature.Length);
        Assert.Equal(1_679_315_147, System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(note.Signatures[1].Signature.Span));
        Assert.StartsWith("cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n", Encoding.UTF8.GetString(CosignatureV1.Message(1_679_315_147, note.Text)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("origin\n+5\nroot\n")]
    [InlineData("origin\n 5\nroot\n")]
    [InlineData("origin\n007\nroot\n")]
    [InlineData("origin\n-1\nroot\n")]
    [InlineData("origin\n9223372036854775808\nroot\n")]
    [InlineData("origin\n5\nAB==\n")]
    [InlineData("\n5\nroot\n")]
    [InlineData("origin\n5\n")]
    [InlineData("origin\n5\nroot\nextension\n")]
    [InlineData("origin\n0\nroot\n")]
    public void What_is_no_checkpoint_is_refused(string text)
    {
        var root = Convert.ToBase64String(Enumerable.Repeat((byte)7, 32).ToArray());
        Assert.Throws<FormatException>(() => Checkpoint.Parse(text.Replace("root", root, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")]
    [InlineData("example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")]
    [InlineData("example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")]
    [InlineData("example.com/foo+530d903a")]
    [InlineData("example .com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")]
    public void A_verifier_key_that_does_not_fit_its_id_is_refused(string vkey) =>
        Assert.Throws<FormatException>(() => VerifierKey.Parse(vkey));
}
