using System.Text;
using Lumora.Chain.Notes;
using Lumora.Chain.Solana;
using Lumora.Chain.Tests.Fuzzing;
using Lumora.Chain.Witnesses;
using Lumora.Cli.Conflicts;
using Lumora.Cli.Reports;
using Lumora.Cli.Trust;
using Lumora.Domain.Merkle;

namespace Lumora.Cli.Tests.Fuzzing;

/// <summary>Fuzzers of the files that people hand to each other: trust files, and evidence against a log.</summary>
public sealed class EvidenceFuzzTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 31, 23, 59, 59, TimeSpan.Zero);
    private static readonly MerkleHash[] Leaves = [.. Enumerable.Range(0, 3).Select(i => MerkleHash.OfLeaf([(byte)i]))];

    [Fact]
    public void Trust_files()
    {
        using var log = Signer("lumora.example/main", SignatureKind.Ed25519, 1);
        using var witness = Signer("witness.example/w1", SignatureKind.CosignatureV1, 2);
        using var signer = Signer("lumora.example/trust", SignatureKind.Ed25519, 3);
        var policy = $"log {log.Verifier}\nwitness w1 {witness.Verifier} https://witness.example/\nquorum w1\n";
        var address = Keypair.FromSeed([.. Enumerable.Repeat((byte)4, 32)]).PublicKey.Key;
        Fuzz.Parser(
            [
                TrustFile.Sign(new TrustBody(TrustFile.FormatName, Now, [new TrustShard("main", [log.Verifier.ToString()])], []), signer),
                TrustFile.Sign(
                    new TrustBody(
                        TrustFile.FormatName, Now, [new TrustShard("main", [log.Verifier.ToString()]), new TrustShard("eu", [log.Verifier.ToString()])],
                        [witness.Verifier.ToString()], policy, address, "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG", address, 3_600),
                    signer),
            ],
            input =>
            {
                var file = TrustFile.Parse(input);
                Assert.NotEmpty(file.Keys);
                foreach (var shard in file.Body.Shards)
                    Assert.NotEmpty(file.KeysOf(shard.Name));
                Assert.True(file.Policy is null || WitnessPolicy.Parse(Encoding.UTF8.GetBytes(file.Policy.ToText())) is not null);
                return file.Note.ToBytes();
            },
            allocatedPerByte: 400);
    }

    /// <summary>Evidence of any form is read or refused, and shows something or not.</summary>
    [Fact]
    public void Evidence_against_a_log_that_forked()
    {
        using var log = Signer("lumora.example/main", SignatureKind.Ed25519, 1);
        var pair = MerkleHash.OfChildren(Leaves[0], Leaves[1]);
        var (two, other) = (Note(log, 2, pair), Note(log, 2, Leaves[2]));
        var three = Note(log, 3, MerkleHash.OfChildren(pair, Leaves[2]));
        byte[][] seeds =
        [
            new ConflictEvidence(ConflictKind.Fork, log.Verifier.ToString(), "two trees", two, other, [], Entry: null).ToBytes(),
            new ConflictEvidence(ConflictKind.Fork, log.Verifier.ToString(), "another prefix", other, three, Texts(pair, Leaves[2]), Entry: null).ToBytes(),
            new ConflictEvidence(
                ConflictKind.RewrittenEntry, log.Verifier.ToString(), "other bytes", two, Second: null, Texts(Leaves[1]),
                new ConflictEntry(0, Convert.ToBase64String("other"u8), Leaves[0].ToBase64(), "a server")).ToBytes(),
        ];
        Fuzz.Parser(
            seeds,
            input =>
            {
                var evidence = ConflictEvidence.Parse(input, "the file");
                var written = evidence.ToBytes();
                Assert.Equal(written, ConflictEvidence.Parse(written, "the file").ToBytes());
                var isShown = Check(log, evidence);
                if (!seeds.Any(input.SequenceEqual))
                    return input;
                Assert.True(isShown);
                return written;
            },
            [typeof(UnableException)], allocatedPerByte: 400);
    }

    /// <summary>Of an honest log's checkpoints, nobody can make evidence of a fork.</summary>
    [Fact]
    public void Evidence_of_a_fork_against_an_honest_log()
    {
        using var log = Signer("lumora.example/main", SignatureKind.Ed25519, 1);
        var pair = MerkleHash.OfChildren(Leaves[0], Leaves[1]);
        var (one, two, three) = (Note(log, 1, Leaves[0]), Note(log, 2, pair), Note(log, 3, MerkleHash.OfChildren(pair, Leaves[2])));
        Fuzz.Parser(
            [
                new ConflictEvidence(ConflictKind.Fork, log.Verifier.ToString(), "none", two, three, Texts(pair, Leaves[2]), Entry: null).ToBytes(),
                new ConflictEvidence(ConflictKind.Fork, log.Verifier.ToString(), "none", one, two, Texts(Leaves[0], Leaves[1]), Entry: null).ToBytes(),
                new ConflictEvidence(ConflictKind.NotExtended, log.Verifier.ToString(), "none", two, three, Texts(Leaves[2]), Entry: null).ToBytes(),
            ],
            input =>
            {
                var evidence = ConflictEvidence.Parse(input, "the file");
                Assert.True(evidence.Kind == ConflictKind.RewrittenEntry || !Check(log, evidence));
                return input;
            },
            [typeof(UnableException)], allocatedPerByte: 400);
    }

    private static bool Check(NoteSigner log, ConflictEvidence evidence)
    {
        var check = new ConflictCheck(new Logs.TrustedKey([log.Verifier], IsPinned: true));
        var isShown = check.Run(evidence);
        Assert.Equal(isShown, check.Findings.Count == 0);
        return isShown;
    }

    private static NoteSigner Signer(string name, SignatureKind kind, byte seed) => new(name, kind, [.. Enumerable.Repeat(seed, 32)]);

    private static ConflictNote Note(NoteSigner log, long size, MerkleHash root)
    {
        var text = new Checkpoint(log.Verifier.Name, size, root).ToText();
        return new ConflictNote(Encoding.UTF8.GetString(new SignedNote(text, [log.Sign(text)]).ToBytes()), "here", Now);
    }

    private static List<string> Texts(params MerkleHash[] hashes) => [.. hashes.Select(hash => hash.ToBase64())];
}
