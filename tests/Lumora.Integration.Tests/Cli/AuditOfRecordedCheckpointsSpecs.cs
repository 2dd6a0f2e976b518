using System.Text;
using Lumora.Chain.Notes;
using Lumora.Cli.Audit;
using Lumora.Cli.Verify;
using Lumora.Domain.Anchoring;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Domain.Merkle;

namespace Lumora.Integration.Tests.Cli;

/// <summary>What a global log records of its regions, where the operator records what he likes.</summary>
public sealed class AuditOfRecordedCheckpointsSpecs
{
    private const string Eu = "forged.example/eu";

    private static readonly string EuKey = KeyOf(Eu, 7);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Recorded_checkpoints_are_proven_with_the_regions_key_and_without_it_the_report_says_what_was_not_checked()
    {
        using var log = new ForgedLog();
        Record(log, 1, Recorded(10));
        Record(log, 2, Recorded(20));
        (await AuditAsync(log, EuKey)).Must(0, "proven offline", "checkpoints_recorded", "2 checkpoints of 1 regions", "signed by it");
        (await AuditAsync(log)).Must(0, "not proven", "checkpoints_recorded", "not checked are the signatures of eu (2)", "--trust");
        (await WithTrustAsync(log, EuKey)).Must(0, "proven offline", "checkpoints_recorded", "signed by it");
        (await WithTrustAsync(log)).Must(0, "not proven", "checkpoints_recorded", "eu (2)");
        (await WithTrustAsync(log, KeyOf(Eu, 8))).Must(1, "WRONG", "(checkpoint_recorded)", "No known key has signed");
    }

    [Fact]
    public async Task What_a_record_lacks_is_found_by_the_entry()
    {
        (string What, Shows By, Action<ForgedLog> Add)[] forgeries =
        [
            ("is no checkpoint", Shows.Form, log => Record(log, 1, Recorded(10) with { Note = "no note" })),
            ("the event names 11 with", Shows.Form, log => Record(log, 1, Recorded(10) with { Size = 11 })),
            ("the event names 10 with", Shows.Form, log => Record(log, 1, Recorded(10) with { Root = Root("other").ToBase64() })),
            ("of the log forged.example/us, that of eu is forged.example/eu", Shows.Name, log => Record(log, 1, Recorded(10, origin: "forged.example/us"))),
            ("of the log elsewhere.example/eu", Shows.Name, log => Record(log, 1, Recorded(10, origin: "elsewhere.example/eu"))),
            ("No known key has signed", Shows.Key, log => Record(log, 1, Recorded(10, seed: 8))),
            ("is bad", Shows.Key, log => Record(log, 1, Resigned(Recorded(10)))),
            ("it records a checkpoint of the shard eu", Shows.Form, log => Record(log, 1, Recorded(10), "checkpoint/us")),
            ("never logs its own checkpoints", Shows.Form, log => Record(log, 1, Recorded(10, "main", 0, "forged.example/main"), "checkpoint/main")),
            ("sizes grow", Shows.Form, log =>
            {
                Record(log, 1, Recorded(20));
                Record(log, 2, Recorded(19));
            }),
            ("is no record of a checkpoint", Shows.Form, log => log.Add("checkpoint/eu", 1, new AccountFrozen("k", "c", "LMR", "r"))),
            ("has not the form", Shows.Form, log => Record(log, 1, Recorded(10) with { Note = null! })),
        ];
        foreach (var (what, by, add) in forgeries)
        {
            using var log = new ForgedLog();
            add(log);
            var (with, without) = (await AuditAsync(log, EuKey), await AuditAsync(log));
            with.Must(1, "WRONG", by == Shows.Name ? "No known key has signed" : what);
            with.Must(1, "not proven", "checkpoints_recorded");
            if (by == Shows.Key)
                Assert.Equal(0, without.ExitCode);
            else
                without.Must(1, "WRONG", what);
        }
    }

    [Fact]
    public async Task A_second_root_for_a_size_is_found_and_the_evidence_convinces_others()
    {
        using var log = new ForgedLog();
        Record(log, 1, Recorded(10));
        Record(log, 2, Recorded(20));
        Record(log, 3, Recorded(20));
        (await AuditAsync(log, EuKey)).Must(0, "proven offline", "checkpoints_recorded");
        Record(log, 4, Recorded(20, root: "another history"));
        var evidence = Path.Combine(log.Folder, "evidence");
        (await AuditAsync(log, EuKey, "--evidence", evidence)).Must(1, "WRONG", "checkpoint/eu version 4 (checkpoint_recorded)", "Another checkpoint of 20 leaves");
        var file = Assert.Single(Directory.GetFiles(evidence));
        (await LoggedHost.RunAsync(VerifyCommand.Create(), "--evidence", file, "--key", EuKey)).Must(0, "two trees of 20 entries");
        // Without the key nobody knows who has signed.
        var without = Path.Combine(log.Folder, "without");
        (await AuditAsync(log, key: null, "--evidence", without)).Must(1, "WRONG", "Another checkpoint of 20 leaves");
        Assert.False(Directory.Exists(without));
    }

    [Fact]
    public async Task An_audit_that_goes_on_holds_new_records_against_those_of_earlier_audits_and_knows_which_signatures_it_has_checked()
    {
        using var log = new ForgedLog();
        string[] state = ["--state", Path.Combine(log.Folder, "state")];
        for (var i = 1; i <= 3; i++)
        {
            Record(log, i, Recorded(10 * i));
            Record(log, i, Recorded(10 * i, "us", 9, "forged.example/us"), "checkpoint/us");
            (await AuditAsync(log, EuKey, state)).Must(0, "not proven", "checkpoints_recorded", $"{2 * i} checkpoints of 2 regions", $"signatures of us ({i})");
        }

        // What was read without a key, or with one that is not given any more, stays open.
        (await AuditAsync(log, KeyOf("forged.example/us", 9), state)).Must(0, "not proven", "checkpoints_recorded", "eu (3), us (3)");
        var evidence = Path.Combine(log.Folder, "evidence");
        Record(log, 4, Recorded(30, root: "another history"));
        (await AuditAsync(log, EuKey, [.. state, "--evidence", evidence])).Must(1, "WRONG", "checkpoint/eu version 4", "Another checkpoint of 30 leaves");
        Assert.Single(Directory.GetFiles(evidence));
    }

    /// <summary>What shows a forgery: the record itself, the log's name where no key is known, or the region's key alone.</summary>
    private enum Shows
    {
        Form,
        Name,
        Key,
    }

    private static CheckpointRecorded Recorded(long size, string shard = "eu", byte seed = 7, string origin = Eu, string? root = null)
    {
        var checkpoint = new Checkpoint(origin, size, Root(root ?? $"{size}"));
        using var signer = new NoteSigner(origin, SignatureKind.Ed25519, [.. Enumerable.Repeat(seed, 32)]);
        var note = new SignedNote(checkpoint.ToText(), [signer.Sign(checkpoint.ToText())]);
        return new CheckpointRecorded(shard, size, checkpoint.Root.ToBase64(), Encoding.UTF8.GetString(note.ToBytes()), DateTimeOffset.UnixEpoch);
    }

    // The signature of another text.
    private static CheckpointRecorded Resigned(CheckpointRecorded e) =>
        e with { Note = e.Note.Split("\n\n")[0] + "\n\n" + Recorded(99).Note.Split("\n\n")[1] };

    private static MerkleHash Root(string name) => MerkleHash.OfLeaf(Encoding.UTF8.GetBytes(name));

    private static string KeyOf(string name, byte seed)
    {
        using var signer = new NoteSigner(name, SignatureKind.Ed25519, [.. Enumerable.Repeat(seed, 32)]);
        return signer.Verifier.ToString();
    }

    private static void Record(ForgedLog log, long version, CheckpointRecorded recorded, string stream = "checkpoint/eu") =>
        log.Add(stream, version, recorded, "system:anchoring");

    private static async Task<Said> WithTrustAsync(ForgedLog log, string? euKey = null)
    {
        await log.PublishAsync();
        using var signer = new NoteSigner("forged.example/trust", SignatureKind.Ed25519, [.. Enumerable.Repeat((byte)20, 32)]);
        var main = new { name = "main", keys = (string[])[log.Key] };
        var text = Encoding.UTF8.GetString(CanonicalJson.Serialize(new
        {
            format = "lumora-trust/1",
            issuedAt = Moment.Truncate(DateTimeOffset.UtcNow),
            shards = euKey is null ? [main] : new[] { main, new { name = "eu", keys = (string[])[euKey] } },
            witnesses = Array.Empty<string>(),
        })) + "\n";
        var file = Path.Combine(log.Folder, "lumora.trust");
        await File.WriteAllBytesAsync(file, new SignedNote(text, [signer.Sign(text)]).ToBytes(), Ct);
        return await LoggedHost.RunAsync(
            AuditCommand.Create(), "--folder", Path.Combine(log.Folder, "log"), "--trust", file, "--trust-key", signer.Verifier.ToString());
    }

    private static async Task<Said> AuditAsync(ForgedLog log, string? key = null, params string[] more)
    {
        await log.PublishAsync();
        string[] keys = key is null ? ["--key", log.Key] : ["--key", log.Key, "--key", key];
        return await LoggedHost.RunAsync(AuditCommand.Create(), ["--folder", Path.Combine(log.Folder, "log"), .. keys, .. more]);
    }
}
