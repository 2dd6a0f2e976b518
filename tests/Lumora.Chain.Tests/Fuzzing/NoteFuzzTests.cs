using System.Text;
using Lumora.Chain.Notes;
using Lumora.Chain.Tests.Verification;
using Lumora.Chain.Verification;

namespace Lumora.Chain.Tests.Fuzzing;

/// <summary>Fuzzers of what is read from strangers: notes, checkpoints, keys, cosignatures, proof files.</summary>
public sealed class NoteFuzzTests
{
    private static readonly Type[] Refusals = [typeof(FormatException), typeof(VerificationException)];
    private static readonly VerifierKey Log = VerifierKey.Parse(GoldenLog.LogKey);
    private static readonly VerifierKey Witness = VerifierKey.Parse(GoldenLog.WitnessKey);

    private static readonly byte[][] Notes =
    [
        Bytes(GoldenLog.Checkpoint), Bytes(GoldenLog.Checkpoint + GoldenLog.Cosignature),
        Bytes(GoldenLog.Checkpoint + Forge.Line("grease.invalid/x", [1, 2, 3, 4], [5])),
    ];

    [Fact]
    public void Signed_notes() => Fuzz.Parser(
        [.. Notes, Bytes("first\n\nsecond\n\n" + Forge.Line("ключ", [1, 2, 3, 4], [5]))], input => SignedNote.Parse(input).ToBytes());

    [Fact]
    public void Checkpoints() => Fuzz.Parser(
        [.. Notes.Select(note => Bytes(SignedNote.Parse(note).Text)), Bytes("x\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")],
        input => Wide(Checkpoint.Parse(Wide(input)).ToText()));

    [Fact]
    public void Verifier_keys() =>
        Fuzz.Parser([Bytes(GoldenLog.LogKey), Bytes(GoldenLog.WitnessKey)], input => Wide(VerifierKey.Parse(Wide(input)).ToString()));

    /// <summary>Whatever is done to a signed checkpoint: what still verifies says what was signed.</summary>
    [Fact]
    public void Signed_checkpoints_under_known_keys() => Fuzz.Parser(
        Notes,
        input =>
        {
            var verified = NoteVerifier.VerifyCheckpoint(input, Log, Witness);
            Assert.Equal(GoldenLog.Checkpoint[..(GoldenLog.Checkpoint.IndexOf("\n\n", StringComparison.Ordinal) + 1)], verified.Note.Text);
            Assert.All(verified.Cosignatures, cosignature => Assert.Equal(GoldenLog.CosignedAt, cosignature.CosignedAt));
            return verified.Note.ToBytes();
        },
        Refusals);

    [Fact]
    public void Cosignatures()
    {
        var note = SignedNote.Parse(Bytes(GoldenLog.Checkpoint));
        var good = SignedNote.Parse(Bytes(GoldenLog.Checkpoint + GoldenLog.Cosignature)).Signatures[1].Signature.ToArray();
        Fuzz.Parser(
            [good],
            input =>
            {
                var verified = NoteVerifier.Verify(note.With(new NoteSignature(Witness.Name, Witness.Id, input)), [Log, Witness]);
                Assert.Equal(GoldenLog.CosignedAt, verified[1].CosignedAt);
                return good;
            },
            [typeof(VerificationException)]);
    }

    [Fact]
    public void Proof_files() => Fuzz.Parser(
        [.. LogProofMutations.All().Where(vector => !vector.WantErr).Select(vector => Bytes(vector.Proof))], input => TlogProof.Parse(input).ToBytes());

    /// <summary>A changed proof may still hold (unknown signatures, the extra line), but for the same entry alone.</summary>
    [Fact]
    public void Proof_files_of_one_entry()
    {
        var vectors = LogProofMutations.All().Where(vector => vector is { WantErr: false } && vector.Proof.Contains("index 5", StringComparison.Ordinal)).ToArray();
        Fuzz.Parser(
            [.. vectors.Select(vector => Bytes(vector.Proof))],
            input =>
            {
                Assert.Equal(5, LogProofVerifier.Verify(input, Bytes(vectors[0].Entry), Log).Index);
                return TlogProof.Parse(input).ToBytes();
            },
            Refusals);
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>One character for each byte: every input is a text.</summary>
    private static string Wide(byte[] input) => Encoding.Latin1.GetString(input);

    private static byte[] Wide(string text) => Encoding.Latin1.GetBytes(text);
}
