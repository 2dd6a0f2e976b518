using System.Text;
using Lumora.Chain.Anchoring;
using Lumora.Chain.Notes;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Programs;
using Lumora.Chain.Verification;
using Lumora.Chain.Witnesses;
using Lumora.Domain.Kernel;
using Lumora.Domain.Log;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Tests.Fuzzing;

/// <summary>Fuzzers of composed proofs: the container, and what it shows to somebody with the keys.</summary>
public sealed class ComposedProofFuzzTests
{
    /// <summary>The container is read three times over, and the transaction in it is kept as base58.</summary>
    private const long AllocatedPerByte = 1_000;

    private const string Cluster = "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG";

    private static readonly Guid Id = Guid.Parse("0193a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5b");
    private static readonly Keypair Payer = Keypair.FromSeed([.. Enumerable.Repeat((byte)3, 32)]);
    private static readonly ComposedProof Anchored = Compose();
    private static readonly byte[][] Seeds = [Anchored.ToBytes(), (Anchored with { Anchor = null }).ToBytes()];

    [Fact]
    public void Containers() => Fuzz.Parser(
        [.. Seeds, (Anchored with { Anchor = Anchored.Anchor! with { BlockTime = null, Slot = long.MaxValue } }).ToBytes()],
        input => ComposedProof.Parse(input).ToBytes(), allocatedPerByte: AllocatedPerByte);

    /// <summary>A changed proof may still hold (its slot, unknown signatures), but for the same event and the same transaction alone.</summary>
    [Fact]
    public void Proofs_under_known_keys()
    {
        var trust = new ComposedTrust(WitnessPolicy.Parse(Encoding.UTF8.GetBytes(Anchored.Policy)), [Payer.PublicKey.Key], Cluster);
        Fuzz.Parser(
            Seeds,
            input =>
            {
                var verified = AnchoredProof.Verify(input, trust);
                Assert.Equal((Id, "eu"), (verified.Region.Leaf.Leaf.Id, verified.Region.Leaf.Leaf.Shard));
                Assert.Equal(Anchored.Region.Leaf, verified.Proof.Region.Leaf);
                Assert.Equal(Anchored.Global.Leaf, verified.Proof.Global.Leaf);
                Assert.True(verified.Proof.Anchor is null || verified.Proof.Anchor.Signature == Anchored.Anchor!.Signature);
                return verified.Proof.ToBytes();
            },
            [typeof(FormatException), typeof(VerificationException)], iterations: 2_000, AllocatedPerByte);
    }

    private static ComposedProof Compose()
    {
        using var region = new NoteSigner("lumora.example/eu", SignatureKind.Ed25519, [.. Enumerable.Repeat((byte)4, 32)]);
        using var global = GoldenLog.LogSigner();
        var (regionEntry, regionNote) = Prove(region, Event("eu", "participant/p1", "participant_registered"), """{"participantId":"p1"}""");
        var (globalEntry, globalNote) = Prove(
            global, Event("main", "checkpoint/eu", ComposedProofVerifier.RecordType), Encoding.UTF8.GetString(CanonicalJson.Serialize(new { note = regionNote, shard = "eu" })));
        var memo = new TransactionInstruction(MemoProgram.ProgramId, [], Encoding.UTF8.GetBytes(globalNote));
        var transaction = Transaction.Sign(Message.Compile(Payer.PublicKey, Cluster, [memo]), Payer);
        var evidence = new AnchorEvidence(
            Cluster, transaction.Signature, 123, Payer.PublicKey.Key, "2026-01-31T23:59:59.000000Z", Convert.ToBase64String(transaction.Serialize()));
        return new ComposedProof(regionEntry, globalEntry, evidence, WitnessPolicy.OfLogs([global.Verifier, region.Verifier]).ToText());
    }

    private static Leaf Event(string shard, string stream, string type) =>
        new(shard, stream, 1, Id, type, new DateTimeOffset(2026, 1, 31, 0, 0, 0, TimeSpan.Zero), "system:test", null);

    /// <summary>The entry as the first of two, and the checkpoint over both.</summary>
    private static (ProvenEntry Entry, string Note) Prove(NoteSigner log, Leaf leaf, string data)
    {
        var entry = leaf.Encode(Encoding.UTF8.GetBytes(data)).Bytes;
        var sibling = MerkleHash.OfLeaf("another entry"u8);
        var text = new Checkpoint(log.Verifier.Name, 2, MerkleHash.OfChildren(MerkleHash.OfLeaf(entry), sibling)).ToText();
        var note = new SignedNote(text, [log.Sign(text)]).ToBytes();
        return (
            new ProvenEntry(Encoding.UTF8.GetString(new TlogProof(0, [sibling], note).ToBytes()), Encoding.UTF8.GetString(entry)),
            Encoding.UTF8.GetString(note));
    }
}
