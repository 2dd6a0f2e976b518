using System.Text;
using Lumora.Chain.Notes;
using Lumora.Chain.Verification;
using Lumora.Chain.Witnesses;

namespace Lumora.Chain.Tests.Witnesses;

public sealed class PolicyVerifierTests
{
    private static readonly string Known = $"log {GoldenLog.LogKey}\nwitness w1 {GoldenLog.WitnessKey}\n";
    private static readonly DateTimeOffset Later = GoldenLog.CosignedAt.AddSeconds(61);

    [Fact]
    public void The_golden_cosigned_checkpoint_is_valid_under_its_witness()
    {
        var witnessed = Verify(GoldenLog.Checkpoint + GoldenLog.Cosignature, $"{Known}quorum w1\n");
        Assert.Equal(GoldenLog.Size, witnessed.Checkpoint.Size);
        Assert.True(witnessed.IsQuorumMet);
        var cosignature = Assert.Single(witnessed.Cosignatures);
        Assert.Equal(("w1", GoldenLog.CosignedAt), (cosignature.Witness.Name, cosignature.At));
    }

    [Fact]
    public void Signing_as_the_golden_witness_gives_the_golden_line()
    {
        using var witness = GoldenLog.WitnessSigner();
        var text = SignedNote.Parse(Encoding.UTF8.GetBytes(GoldenLog.Checkpoint)).Text;
        Assert.Equal(GoldenLog.Cosignature, witness.Cosign(text, GoldenLog.CosignedAt).ToLine() + "\n");
    }

    /// <summary>The sample line of tlog-cosignature; its key is not published, its blob and its message are.</summary>
    [Fact]
    public void The_sample_cosignature_of_the_specification_has_its_key_id_time_and_message()
    {
        const string line = "\u2014 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==";
        const string text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        var signature = Assert.Single(SignedNote.Parse(Encoding.UTF8.GetBytes($"{text}\n{line}\n")).Signatures);
        Assert.Equal(0x8d66cf3fu, signature.KeyId);
        Assert.Equal(76, sizeof(uint) + signature.Signature.Length);
        Assert.Equal(line, signature.ToLine());
        var time = System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(signature.Signature.Span);
        Assert.Equal($"cosignature/v1\ntime 1679315147\n{text}", Encoding.UTF8.GetString(CosignatureV1.Message(time, text)));
    }

    [Fact]
    public void Without_enough_cosignatures_the_quorum_is_not_met()
    {
        var policy = $"{Known}witness w2 {WitnessPolicyTests.Key(9)}\ngroup both all w1 w2\nquorum both\n";
        Assert.False(Verify(GoldenLog.Checkpoint, policy).IsQuorumMet);
        Assert.False(Verify(GoldenLog.Checkpoint + GoldenLog.Cosignature, policy).IsQuorumMet);
        var witnessed = Verify(GoldenLog.Checkpoint + GoldenLog.Cosignature + CosignedBy(9), policy);
        Assert.True(witnessed.IsQuorumMet);
        Assert.Equal([GoldenLog.CosignedAt, Later], witnessed.Cosignatures.Select(cosignature => cosignature.At));
    }

    [Fact]
    public void Signature_lines_of_unknown_keys_are_ignored()
    {
        var grease = $"\u2014 witness.example/w1 {Convert.ToBase64String(new byte[76])}\n";
        var witnessed = Verify(GoldenLog.Checkpoint + grease + CosignedBy(9), $"{Known}quorum w1\n");
        Assert.False(witnessed.IsQuorumMet);
        Assert.Empty(witnessed.Cosignatures);
    }

    [Fact]
    public void A_bad_cosignature_of_a_known_witness_refuses_the_whole_note()
    {
        var line = GoldenLog.Cosignature.Replace("AAABlU", "AAABlV", StringComparison.Ordinal);
        Assert.NotEqual(GoldenLog.Cosignature, line);
        var exception = Assert.Throws<VerificationException>(() => Verify(GoldenLog.Checkpoint + line, $"{Known}quorum none\n"));
        Assert.Contains("witness.example/w1", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cosignatures_without_the_logs_own_signature_are_worth_nothing()
    {
        var text = GoldenLog.Checkpoint[..(GoldenLog.Checkpoint.IndexOf("\n\n", StringComparison.Ordinal) + 2)];
        Assert.Throws<VerificationException>(() => Verify(text + GoldenLog.Cosignature, $"{Known}quorum w1\n"));
    }

    [Fact]
    public void A_policy_without_logs_needs_them_from_elsewhere()
    {
        var policy = WitnessPolicy.Parse(Encoding.UTF8.GetBytes($"witness w1 {GoldenLog.WitnessKey}\nquorum w1\n"));
        var note = Encoding.UTF8.GetBytes(GoldenLog.Checkpoint + GoldenLog.Cosignature);
        Assert.Throws<VerificationException>(() => PolicyVerifier.Verify(note, policy));
        Assert.True(PolicyVerifier.Verify(note, policy, [VerifierKey.Parse(GoldenLog.LogKey)]).IsQuorumMet);
    }

    /// <summary>In an overlap of two log keys whoever knows either of them accepts; one bad known signature still refuses.</summary>
    [Fact]
    public void A_log_whose_key_is_being_replaced_is_known_by_either_key()
    {
        using var next = new NoteSigner(GoldenLog.Origin, SignatureKind.Ed25519, [.. Enumerable.Repeat((byte)7, 32)]);
        var note = SignedNote.Parse(Encoding.UTF8.GetBytes(GoldenLog.Checkpoint));
        var both = note.With(next.Sign(note.Text)).ToBytes();
        VerifierKey[] keys = [VerifierKey.Parse(GoldenLog.LogKey), next.Verifier];
        foreach (var known in new[] { keys, keys[..1], keys[1..] })
            Assert.Equal(GoldenLog.Size, NoteVerifier.VerifyCheckpoint(both, known, []).Checkpoint.Size);
        var forged = note.With(next.Sign("other\n")).ToBytes();
        Assert.Equal(GoldenLog.Size, NoteVerifier.VerifyCheckpoint(forged, keys[..1], []).Checkpoint.Size);
        Assert.Throws<VerificationException>(() => NoteVerifier.VerifyCheckpoint(forged, keys, []));
    }

    [Fact]
    public void A_log_of_the_policy_does_not_speak_for_another()
    {
        using var other = new NoteSigner("other.example/log", SignatureKind.Ed25519, [.. Enumerable.Repeat((byte)7, 32)]);
        var text = SignedNote.Parse(Encoding.UTF8.GetBytes(GoldenLog.Checkpoint)).Text;
        var note = Encoding.UTF8.GetString(new SignedNote(text, [other.Sign(text)]).ToBytes());
        Assert.Throws<VerificationException>(() => Verify(note, $"{Known}log {other.Verifier}\nquorum none\n"));
    }

    private static string CosignedBy(int number)
    {
        var key = VerifierKey.Parse(WitnessPolicyTests.Key(number));
        using var signer = new NoteSigner(key.Name, SignatureKind.CosignatureV1, [.. Enumerable.Repeat((byte)number, 32)]);
        var text = SignedNote.Parse(Encoding.UTF8.GetBytes(GoldenLog.Checkpoint)).Text;
        return signer.Cosign(text, Later).ToLine() + "\n";
    }

    private static WitnessedCheckpoint Verify(string note, string policy) =>
        PolicyVerifier.Verify(Encoding.UTF8.GetBytes(note), WitnessPolicy.Parse(Encoding.UTF8.GetBytes(policy)));
}
