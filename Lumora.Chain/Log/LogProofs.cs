using Lumora.Chain.Blobs;
using Lumora.Chain.Merkle;
using Lumora.Chain.Notes;
using Lumora.Chain.Verification;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Log;

/// <summary>
/// Makes the inclusion proofs of one log in its newest checkpoint. The nodes that requests have in common are hashed once
/// (<see cref="TreeCache"/>). Safe for threads.
/// </summary>
public sealed class LogProofs(FolderBlobStore blobs, VerifierKey key)
{
    private readonly BlobTiles _tiles = new(blobs);
    private volatile TreeCache _cache = new();

    /// <summary>The checkpoint that they lead to.</summary>
    public ServedCheckpoint Served { get; } = new(blobs, key);

    /// <summary>The <c>.tlog-proof</c> of <paramref name="leaf"/>; null when no published checkpoint covers it yet.</summary>
    /// <exception cref="VerificationException">Tiles, checkpoint and leaf do not belong together: nothing false leaves.</exception>
    public async Task<byte[]?> ProveAsync(LeafRow leaf, CancellationToken cancellationToken)
    {
        if (Served.Read() is not var (checkpoint, note, _) || leaf.Index >= checkpoint.Size)
            return null;
        var path = await new TreeReader(_tiles, checkpoint.Size, _cache).InclusionAsync(leaf.Index, cancellationToken);
        try
        {
            // Nothing leaves that we would not believe ourselves.
            ProofVerifier.VerifyInclusion(MerkleHash.OfLeaf(leaf.Bytes), leaf.Index, checkpoint.Size, path, checkpoint.Root);
        }
        catch (VerificationException)
        {
            // What was read from a damaged file must not outlive its repair.
            _cache = new TreeCache();
            throw;
        }

        return new TlogProof(leaf.Index, path, note).ToBytes();
    }
}
