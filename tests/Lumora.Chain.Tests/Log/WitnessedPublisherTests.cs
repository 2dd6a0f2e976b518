using System.Text;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Tiles;
using Lumora.Chain.Verification;
using Lumora.Chain.Witnesses;
using Lumora.Chain.Witnessing;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Tests.Log;

/// <summary>The publisher with a policy: what is signed gets out with its quorum only.</summary>
public sealed class WitnessedPublisherTests : IDisposable
{
    private static readonly VerifierKey LogKey = VerifierKey.Parse(GoldenLog.LogKey);

    private readonly OneWitness _witness = new();
    private readonly LogWorkshop _workshop;

    public WitnessedPublisherTests() => _workshop = new LogWorkshop { Cosigner = _witness };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _workshop.Dispose();
        _witness.Dispose();
    }

    [Fact]
    public async Task A_checkpoint_is_served_with_cosignatures_and_anchored_without()
    {
        _workshop.Leaves.Grow(10);
        var published = await _workshop.PublishAsync();
        Assert.Equal(published!.Served, await ServedAsync());
        Assert.True(PolicyVerifier.Verify(published.Served, _witness.Policy, [LogKey]).IsQuorumMet);
        Assert.Equal(LogKey.Id, Assert.Single(SignedNote.Parse(published.Note).Signatures).KeyId);
        Assert.Empty((await _workshop.FsckAsync()).Problems);
        // A restart finds it as it is and asks nobody again.
        var again = await _workshop.PublishAsync();
        Assert.Equal(published.Note, again!.Note);
        Assert.Equal(published.Served, again.Served);
        Assert.Single(_workshop.Seen);
    }

    [Fact]
    public async Task Without_its_quorum_a_checkpoint_stays_inside_and_nothing_larger_is_signed()
    {
        _workshop.Leaves.Grow(10);
        await _workshop.PublishAsync();
        _witness.IsAway = true;
        foreach (var size in (int[])[300, 301, 700])
        {
            _workshop.Leaves.Grow(size);
            Assert.Equal(10, (await _workshop.PublishAsync())!.Checkpoint.Size);
            Assert.Equal(300, await LockedAsync());
        }

        // What is served can be proven still: its partial tiles are there.
        Assert.Empty((await _workshop.FsckAsync()).Problems);
        _witness.IsAway = false;
        Assert.Equal(700, (await _workshop.PublishAsync())!.Checkpoint.Size);
        Assert.Equal([10, 300, 700], _workshop.Seen.Select(note => PolicyVerifier.Verify(note, _witness.Policy, [LogKey]).Checkpoint.Size));
        Assert.Empty((await _workshop.FsckAsync()).Problems);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_crash_at_any_write_leaves_nothing_out_without_its_quorum(bool persisted)
    {
        for (var at = 0; ; at++)
        {
            using var workshop = new LogWorkshop { Cosigner = _witness };
            workshop.Leaves.Grow(250);
            await workshop.PublishAsync();
            workshop.Leaves.Grow(300);
            var faults = new LogWorkshop.Faults(at, persisted);
            try
            {
                await workshop.PublishAsync(faults);
            }
            catch (IOException)
            {
                Assert.True(faults.Happened);
            }

            workshop.Leaves.Grow(301);
            Assert.Equal(301, (await workshop.PublishAsync())!.Checkpoint.Size);
            Assert.Empty((await workshop.FsckAsync()).Problems);
            Assert.All(workshop.Seen, note => Assert.True(PolicyVerifier.Verify(note, _witness.Policy, [LogKey]).IsQuorumMet));
            if (!faults.Happened)
                break;
        }
    }

    /// <summary>A policy that comes later holds for what is published already, too; it stays served until then.</summary>
    [Fact]
    public async Task What_was_published_before_there_was_a_policy_is_cosigned_afterwards()
    {
        _workshop.Cosigner = new NoWitnesses();
        _workshop.Leaves.Grow(10);
        await _workshop.PublishAsync();
        _workshop.Cosigner = _witness;
        _witness.IsAway = true;
        Assert.Equal(10, (await _workshop.PublishAsync())!.Checkpoint.Size);
        _witness.IsAway = false;
        await _workshop.PublishAsync();
        Assert.True(PolicyVerifier.Verify((await ServedAsync())!, _witness.Policy, [LogKey]).IsQuorumMet);
        // And without a policy, what is signed is what is served.
        _workshop.Cosigner = new NoWitnesses();
        var published = await _workshop.PublishAsync();
        Assert.Equal(published!.Note, await ServedAsync());
    }

    /// <summary>Database, files and lock all come from one old backup; a witness knows better.</summary>
    [Fact]
    public async Task An_old_backup_of_everything_is_not_signed_over_when_a_witness_knows_more()
    {
        _workshop.Leaves.Grow(10);
        await _workshop.PublishAsync();
        _workshop.Leaves.Grow(12);
        _witness.Newest = new Checkpoint(GoldenLog.Origin, 20, MerkleHash.OfLeaf("lost"u8));
        await RefusedAsync("an old backup was restored");
        // It went on before the witness was heard: now it is another history.
        _workshop.Leaves.Grow(30);
        await RefusedAsync("another history than its witnessed checkpoint");
        Assert.Equal(10, await LockedAsync());
    }

    [Fact]
    public async Task A_log_whose_key_is_being_replaced_goes_on_with_the_next_key_alone()
    {
        var second = Enumerable.Repeat((byte)9, 32).ToArray();
        using var next = new NoteSigner(GoldenLog.Origin, SignatureKind.Ed25519, second);
        _workshop.Leaves.Grow(10);
        await _workshop.PublishAsync();
        using (_workshop.Signer)
            _workshop.Signer = new LogSigner(GoldenLog.LogSigner(), new NoteSigner(GoldenLog.Origin, SignatureKind.Ed25519, second));
        _workshop.Leaves.Grow(20);
        var both = await _workshop.PublishAsync();
        foreach (var key in (VerifierKey[])[LogKey, next.Verifier])
            Assert.Equal(20, NoteVerifier.VerifyCheckpoint(both!.Served, key).Checkpoint.Size);
        Assert.InRange(both!.Note.Length, 1, 566);

        using (_workshop.Signer)
            _workshop.Signer = new LogSigner(new NoteSigner(GoldenLog.Origin, SignatureKind.Ed25519, second));
        Assert.Equal(20, (await _workshop.PublishAsync())!.Checkpoint.Size);
        _workshop.Leaves.Grow(30);
        var alone = await _workshop.PublishAsync();
        Assert.Equal(30, NoteVerifier.VerifyCheckpoint(alone!.Served, next.Verifier).Checkpoint.Size);
        Assert.Throws<VerificationException>(() => NoteVerifier.VerifyCheckpoint(alone.Served, LogKey));
    }

    [Fact]
    public async Task A_key_that_was_replaced_without_an_overlap_signs_nothing()
    {
        _workshop.Leaves.Grow(10);
        await _workshop.PublishAsync();
        using (_workshop.Signer)
            _workshop.Signer = new LogSigner(new NoteSigner(GoldenLog.Origin, SignatureKind.Ed25519, new byte[32]));
        await RefusedAsync("does not hold");
    }

    private Task<byte[]?> ServedAsync() => _workshop.Blobs.ReadAsync(LogPublisher.CheckpointPath, Ct);

    private async Task<long> LockedAsync()
    {
        using var state = new FolderCheckpointLock(_workshop.LockFolder);
        return NoteVerifier.VerifyCheckpoint((await state.ReadAsync("ledger", Ct))!, LogKey).Checkpoint.Size;
    }

    private async Task RefusedAsync(string reason)
    {
        var exception = await Assert.ThrowsAsync<LogRefusedException>(() => _workshop.PublishAsync());
        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
    }

    /// <summary>The golden witness as the whole quorum, without the way over HTTP.</summary>
    private sealed class OneWitness : ICosigner, IDisposable
    {
        private readonly NoteSigner _key = GoldenLog.WitnessSigner();

        public WitnessPolicy Policy { get; } =
            WitnessPolicy.Parse(Encoding.UTF8.GetBytes($"witness w1 {GoldenLog.WitnessKey}\nquorum w1\n"));

        public bool IsAway { get; set; }

        public Checkpoint? Newest { get; set; }

        public bool IsWitnessed(PublishedCheckpoint checkpoint, byte[] served) =>
            SignedNote.Parse(served).Signatures.Any(line => line.KeyId == _key.Verifier.Id);

        public Task<byte[]?> CosignAsync(PublishedCheckpoint checkpoint, ITileReader tiles, CancellationToken cancellationToken)
        {
            var note = SignedNote.Parse(checkpoint.Note);
            return Task.FromResult(IsAway ? null : note.With(_key.Cosign(note.Text, GoldenLog.CosignedAt)).ToBytes());
        }

        public Task<AnchoredAnswer> NewestAsync(IReadOnlyList<VerifierKey> keys, CancellationToken cancellationToken) =>
            Task.FromResult(new AnchoredAnswer(Newest, "witness w1"));

        public void Dispose() => _key.Dispose();
    }
}
