using Lumora.Chain.Notes;
using Lumora.Chain.Solana;
using Lumora.Cli.Audit;
using Lumora.Cli.Verify;
using Lumora.Domain.Anchoring;
using Lumora.Domain.Ledger;
using Lumora.Domain.Merkle;

namespace Lumora.Integration.Tests.Cli;

/// <summary>Trees and signatures of the log are good in all of these; what its events archive of its anchors is not, and no chain is asked.</summary>
public sealed class AuditOfArchivedAnchorsSpecs
{
    private static readonly Keypair Stranger = Keypair.FromSeed([.. Enumerable.Repeat((byte)10, 32)]);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Anchors_as_a_host_writes_them_are_proven_and_the_report_says_what_nobody_has_pinned()
    {
        using var log = new ForgedLog();
        var anchors = await ThreeAsync(log);
        await anchors.AnchorAsync(isFinal: false);
        (await AuditAsync(log)).Must(0, "proven offline", "anchors_archived", "3 transactions are archived whole", "which nobody has pinned");
        (await AuditAsync(log, "--anchor", anchors.Address, "--genesis", ForgedAnchors.Genesis))
            .Must(0, "proven offline", "anchors_archived", $"signed by {anchors.Address}", "sizes and slots rise");
        (await AuditAsync(log, "--genesis", ForgedAnchors.Hash(1))).Must(0, "proven offline", "anchors_archived", "3 on another cluster");
        (await AuditAsync(log, "--anchor", Stranger.PublicKey.Key)).Must(1, "WRONG", "anchors", "none of 4 is paid for by the anchor key", anchors.Address);
    }

    [Fact]
    public async Task An_earlier_anchor_key_has_paid_before_the_pinned_one_and_no_other_may_pay_behind_it()
    {
        using var log = new ForgedLog();
        var before = await ThreeAsync(log);
        string[] state = ["--state", Path.Combine(log.Folder, "state")];
        (await AuditAsync(log, [.. state, "--anchor", before.Address])).Must(0, "proven offline", "anchors_archived", $"signed by {before.Address}, with");
        Grow(log, log.Count + 5);
        await new ForgedAnchors(log) { Payer = Stranger, FirstSlot = 900 }.AnchorAsync();
        // The state was made with another pin.
        foreach (var from in (string[][])[[], state])
            (await AuditAsync(log, [.. from, "--anchor", Stranger.PublicKey.Key])).Must(0, "proven offline", "anchors_archived", $"signed by {Stranger.PublicKey}, the first 3 by others");
        (await AuditAsync(log, "--anchor", before.Address)).Must(1, "WRONG", "from here on 1 anchors are paid for by", "not by the anchor key");
    }

    [Fact]
    public async Task What_an_archived_transaction_lacks_is_found_by_the_entry()
    {
        (string Type, string What, Func<ForgedAnchors, ForgedAnchors> Change)[] forgeries =
        [
            ("anchor_signed", "cannot be read", anchors => anchors.Change<AnchorSigned>(e => e with { RawTransaction = "?" })),
            ("anchor_finalized", "cannot be read", anchors => anchors.Change<AnchorFinalized>(e => e with { RawTransaction = e.RawTransaction[..^8] })),
            ("anchor_finalized", "a signature of its transaction", anchors => anchors.Change<AnchorFinalized>(e => e with { RawTransaction = Flipped(e.RawTransaction) })),
            ("anchor_finalized", "the event names 1111", anchors => anchors.Change<AnchorFinalized>(e => e with { Signature = new string('1', 64) })),
            ("anchor_signed", "the event names", anchors => anchors.Change<AnchorSigned>(e => Other(e, anchors.Transact(Memo(e), ForgedAnchors.Hash(3)), keepSignature: true))),
            ("anchor_signed", $"is paid for by {Stranger.PublicKey.Key}", anchors => anchors.Change<AnchorSigned>(e => Other(e, anchors.Transact(Memo(e), e.Blockhash, Stranger)))),
            ("anchor_signed", "has 2 memos", anchors => anchors.Change<AnchorSigned>(e => Other(e, anchors.Transact(Memo(e), e.Blockhash, memos: 2)))),
            ("anchor_signed", "is not the checkpoint that was prepared", anchors => anchors.Change<AnchorSigned>(e => Other(e, anchors.Transact("another text", e.Blockhash)))),
            ("anchor_signed", "has the recent blockhash", anchors => anchors.Change<AnchorSigned>(e => e with { Blockhash = ForgedAnchors.Hash(4) })),
            ("anchor_finalized", "cannot be the hash of the block", anchors => anchors.Change<AnchorFinalized>(e => e with { Blockhash = Recent(e.RawTransaction) })),
            ("anchor_finalized", "cannot be the hash of the block", anchors => anchors.Change<AnchorFinalized>(e => e with { Blockhash = "a block" })),
            ("anchor_finalized", "is not behind slot", anchors => anchors.Change<AnchorFinalized>(e => e with { Slot = 1_000 })),
        ];
        await MustFindAsync(forgeries);
    }

    [Fact]
    public async Task A_history_that_the_rules_of_anchoring_do_not_lead_to_is_found()
    {
        (string Type, string What, Func<ForgedAnchors, ForgedAnchors> Change)[] forgeries =
        [
            ("anchor_signed", "can still land", anchors => anchors.Change<AnchorExpired>(_ => null)),
            ("anchor_expired", "do not lead to it", anchors => anchors.Change<AnchorExpired>(e => e with { FinalizedBlockHeight = 200 })),
            ("anchor_signed", "do not lead to it", anchors => anchors.Change<AnchorSigned>(e => e with { Attempt = e.Attempt + 1 })),
            ("anchor_submitted", "do not lead to it", anchors => anchors.Change<AnchorSigned>(_ => null)),
            ("anchor_processed", "do not lead to it", anchors => anchors.Change<AnchorProcessed>(e => e with { Signature = new string('1', 64) })),
            ("anchor_finalized", "is under way", anchors => anchors.Change<AnchorPrepared>(_ => null)),
            ("anchor_prepared", "there is one at a time", anchors => anchors.Change<AnchorFinalized>(_ => null)),
            ("anchor_prepared", "the event names", anchors => anchors.Change<AnchorPrepared>(e => e with { Root = MerkleHash.OfLeaf("other"u8).ToBase64() })),
            ("anchor_prepared", "prepares an anchor of", anchors => anchors.Change<AnchorPrepared>(e => e with { Size = e.Size + 1 })),
            ("anchor_prepared", "is no checkpoint", anchors => anchors.Change<AnchorPrepared>(e => e with { Memo = "no note" })),
            ("anchor_prepared", "is bad", anchors => anchors.Change<AnchorPrepared>(e => e with { Memo = Spoilt(e.Memo) })),
            ("anchor_prepared", "is no address", anchors => anchors.Change<AnchorPrepared>(e => e with { Payer = null! })),
            ("anchor_prepared", "cluster is not named", anchors => anchors.Change<AnchorPrepared>(e => e with { GenesisHash = null! })),
            ("anchor_prepared", "has not the form", anchors => anchors.Change<AnchorPrepared>(e => e with { Memo = null! })),
        ];
        await MustFindAsync(forgeries);
    }

    [Fact]
    public async Task An_anchor_of_less_than_was_anchored_before_is_found()
    {
        using var log = new ForgedLog();
        Grow(log, 10);
        await log.PublishAsync();
        var early = log.PublishedNote();
        Grow(log, 20);
        var anchors = new ForgedAnchors(log);
        await anchors.AnchorAsync();
        anchors.Anchor(early);
        (await AuditAsync(log)).Must(1, "WRONG", "anchor/main/10 version 1 (anchor_prepared)", "sizes grow");
    }

    [Fact]
    public async Task An_anchor_of_more_than_stands_in_front_of_it_is_found()
    {
        using var log = new ForgedLog();
        Grow(log, 10);
        new ForgedAnchors(log).Anchor(log.Sign(new Checkpoint("forged.example/main", 12, MerkleHash.OfLeaf("to come"u8)).ToText()));
        (await AuditAsync(log)).Must(1, "WRONG", "(anchor_prepared)", "it anchors 12 entries, of which 10 stand in front of it");
    }

    [Theory]
    [InlineData(300, 300)]
    [InlineData(256, 300)]
    public async Task An_anchor_of_another_history_is_found_and_the_evidence_convinces_others(int size, int entries)
    {
        using var log = new ForgedLog();
        Grow(log, entries);
        await log.PublishAsync();
        new ForgedAnchors(log).Anchor(log.Sign(new Checkpoint(log.Published().Origin, size, MerkleHash.OfLeaf("another history"u8)).ToText()));
        var evidence = Path.Combine(log.Folder, "evidence");
        (await AuditAsync(log, "--evidence", evidence)).Must(1, "WRONG", $"anchor/main/{size} version 1 (anchor_prepared)", "of another history");
        var file = Assert.Single(Directory.GetFiles(evidence));
        (await LoggedHost.RunAsync(VerifyCommand.Create(), "--evidence", file, "--key", log.Key)).Must(0, "Shown.");
    }

    [Fact]
    public async Task A_memo_that_an_earlier_key_has_signed_counts_for_who_knows_that_key_and_is_no_fault_for_others()
    {
        using var log = new ForgedLog();
        var (anchors, old) = (new ForgedAnchors(log), log.Key);
        Grow(log, 10);
        await anchors.AnchorAsync();
        log.Replace(overlap: true);
        await log.PublishAsync();
        log.Replace(overlap: false);
        Grow(log, 30);
        await anchors.AnchorAsync();
        await log.PublishAsync();
        string[] folder = ["--folder", Path.Combine(log.Folder, "log"), "--key", ForgedLog.NextKey];
        (await LoggedHost.RunAsync(AuditCommand.Create(), folder)).Must(0, "not proven", "anchors_archived", "1 memos are signed by no key");
        (await LoggedHost.RunAsync(AuditCommand.Create(), [.. folder, "--key", old])).Must(0, "proven offline", "anchors_archived", "2 transactions");
    }

    [Fact]
    public async Task An_audit_that_goes_on_in_the_middle_of_an_anchor_says_the_same_as_one_that_began_at_the_first_entry()
    {
        using var whole = new ForgedLog();
        await (await ThreeAsync(whole)).AnchorAsync(isFinal: false);
        using var log = new ForgedLog();
        string[] state = ["--state", Path.Combine(log.Folder, "state"), "--anchor", new ForgedAnchors(log).Address];
        foreach (var entry in whole.Entries)
        {
            log.Add(entry);
            Assert.Equal(0, (await AuditAsync(log, state)).ExitCode);
        }

        Assert.Equal(Claims(await AuditAsync(log, state[2..])), Claims(await AuditAsync(log, state)));
        // Of what came before, the slot and the anchor that is under way are remembered.
        new ForgedAnchors(log).Anchor(log.PublishedNote(), isFinal: false);
        (await AuditAsync(log, state)).Must(1, "WRONG", "(anchor_prepared)", "there is one at a time");
    }

    [Fact]
    public async Task The_slot_of_an_anchor_is_held_against_those_of_earlier_audits()
    {
        using var log = new ForgedLog();
        await ThreeAsync(log);
        string[] state = ["--state", Path.Combine(log.Folder, "state")];
        (await AuditAsync(log, state)).Must(0, "proven offline", "anchors_archived");
        // These begin at an early slot again.
        Grow(log, 90);
        await new ForgedAnchors(log).AnchorAsync();
        (await AuditAsync(log, state)).Must(1, "WRONG", "(anchor_finalized)", "its slot 140 is not behind slot");
    }

    private static async Task MustFindAsync((string Type, string What, Func<ForgedAnchors, ForgedAnchors> Change)[] forgeries)
    {
        foreach (var (type, what, change) in forgeries)
        {
            using var log = new ForgedLog();
            await ThreeAsync(log, change);
            var said = await AuditAsync(log);
            said.Must(1, "WRONG", $"({type})", what);
            said.Must(1, "not proven", "anchors_archived");
        }
    }

    /// <summary>Three anchors, of which the second one's first transaction expires.</summary>
    private static async Task<ForgedAnchors> ThreeAsync(ForgedLog log, Func<ForgedAnchors, ForgedAnchors>? change = null)
    {
        var anchors = new ForgedAnchors(log);
        change?.Invoke(anchors);
        foreach (var expired in new[] { 0, 1, 0 })
        {
            Grow(log, log.Count + 5);
            await anchors.AnchorAsync(expired);
        }

        return anchors;
    }

    private static void Grow(ForgedLog log, int size)
    {
        while (log.Count < size)
            log.Add($"node/{log.Count}", 1, new AccountFrozen("k", "c", "LMR", "r"));
    }

    private static AnchorSigned Other(AnchorSigned e, Transaction transaction, bool keepSignature = false) =>
        e with { RawTransaction = ForgedAnchors.Raw(transaction), Signature = keepSignature ? e.Signature : transaction.Signature };

    private static string Memo(AnchorSigned e) =>
        System.Text.Encoding.UTF8.GetString(Read(e.RawTransaction).DataFor(Chain.Solana.Programs.MemoProgram.ProgramId).Single());

    private static string Recent(string raw) => Read(raw).Message.RecentBlockhash;

    private static Transaction Read(string raw) => Transaction.Deserialize(Convert.FromBase64String(raw));

    private static string Flipped(string raw)
    {
        var bytes = Convert.FromBase64String(raw);
        bytes[^10] ^= 1;
        return Convert.ToBase64String(bytes);
    }

    // Another text under the same signature.
    private static string Spoilt(string memo)
    {
        var lines = memo.Split('\n');
        lines[^2] = lines[^2][..^6] + (lines[^2][^6] == 'A' ? 'B' : 'A') + lines[^2][^5..];
        return string.Join('\n', lines);
    }

    private static string Claims(Said said) => string.Join('\n', said.Output.Split('\n')
        .Where(line => !line.Contains("extends_earlier", StringComparison.Ordinal) && !line.StartsWith("Clean", StringComparison.Ordinal)));

    private static async Task<Said> AuditAsync(ForgedLog log, params string[] more)
    {
        await log.PublishAsync();
        Ct.ThrowIfCancellationRequested();
        return await LoggedHost.RunAsync(AuditCommand.Create(), ["--folder", Path.Combine(log.Folder, "log"), "--key", log.Key, .. more]);
    }
}
