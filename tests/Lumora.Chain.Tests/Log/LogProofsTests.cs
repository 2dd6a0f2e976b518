using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Verification;

namespace Lumora.Chain.Tests.Log;

public sealed class LogProofsTests
{
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_proof_is_of_the_newest_checkpoint_also_after_that_has_grown()
    {
        using var workshop = new LogWorkshop();
        var proofs = new LogProofs(workshop.Blobs, workshop.Signer.Key);
        foreach (var size in new[] { 1, 256, 700, 701 })
        {
            workshop.Leaves.Grow(size);
            await workshop.PublishAsync();
            foreach (var leaf in workshop.Leaves.Rows.Where(leaf => leaf.Index % 50 == 0 || leaf.Index == size - 1))
            {
                var proof = TlogProof.Parse(await proofs.ProveAsync(leaf, None));
                var checkpoint = NoteVerifier.VerifyCheckpoint(proof.Checkpoint.Span, workshop.Signer.Key).Checkpoint;
                Assert.Equal((leaf.Index, (long)size), (proof.Index, checkpoint.Size));
                ProofVerifier.VerifyInclusion(leaf.Hash, proof.Index, checkpoint.Size, proof.Path, checkpoint.Root);
            }
        }
    }

    [Fact]
    public async Task A_leaf_that_no_checkpoint_covers_has_no_proof_yet()
    {
        using var workshop = new LogWorkshop();
        var proofs = new LogProofs(workshop.Blobs, workshop.Signer.Key);
        workshop.Leaves.Grow(3);
        Assert.Null(await proofs.ProveAsync(workshop.Leaves.Rows[0], None));

        await workshop.PublishAsync();
        workshop.Leaves.Grow(4);
        Assert.NotNull(await proofs.ProveAsync(workshop.Leaves.Rows[2], None));
        Assert.Null(await proofs.ProveAsync(workshop.Leaves.Rows[3], None));
    }

    /// <summary>What is kept between requests must not hide what the next one reads.</summary>
    [Fact]
    public async Task Nothing_leaves_that_does_not_hold()
    {
        using var workshop = new LogWorkshop();
        workshop.Leaves.Grow(300);
        await workshop.PublishAsync();
        var proofs = new LogProofs(workshop.Blobs, workshop.Signer.Key);
        var leaf = workshop.Leaves.Rows[7];
        await proofs.ProveAsync(leaf, None);

        await Assert.ThrowsAsync<VerificationException>(() => proofs.ProveAsync(leaf with { Bytes = workshop.Leaves.Rows[8].Bytes }, None));
        workshop.Flip("tile/0/000", 3 * 32);
        await Assert.ThrowsAsync<VerificationException>(() => proofs.ProveAsync(leaf, None));
        workshop.Flip(LogPublisher.CheckpointPath, 60);
        await Assert.ThrowsAnyAsync<Exception>(() => proofs.ProveAsync(leaf, None));
    }

    [Fact]
    public async Task A_tile_that_was_read_while_it_was_damaged_does_not_outlive_its_repair()
    {
        using var workshop = new LogWorkshop();
        workshop.Leaves.Grow(300);
        await workshop.PublishAsync();
        var proofs = new LogProofs(workshop.Blobs, workshop.Signer.Key);
        var leaf = workshop.Leaves.Rows[299];

        workshop.Flip("tile/1/000.p/1", 0);
        await Assert.ThrowsAsync<VerificationException>(() => proofs.ProveAsync(leaf, None));
        workshop.Flip("tile/1/000.p/1", 0);
        Assert.NotNull(await proofs.ProveAsync(leaf, None));
    }
}
