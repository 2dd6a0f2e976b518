using System.Numerics;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Verification;

/// <summary>
/// Checks Merkle proofs by the algorithms of RFC 9162 §2.1.3.2 and §2.1.4.2. Shares no code with what makes proofs
/// (Lumora.Chain.Merkle) but the hash of a leaf and of a node.
/// </summary>
public static class ProofVerifier
{
    /// <summary>Checks that <paramref name="leaf"/> stands at <paramref name="index"/> of the tree with <paramref name="root"/>.</summary>
    /// <exception cref="VerificationException">It does not.</exception>
    public static void VerifyInclusion(
        MerkleHash leaf, long index, long size, IReadOnlyList<MerkleHash> path, MerkleHash root)
    {
        // "If leaf_index is greater than or equal to tree_size, then fail the proof verification."
        if (index < 0 || index >= size)
            throw new VerificationException($"Leaf {index} is not in a tree of {size} leaves.");
        // The length follows from index and size: checked before anything is hashed.
        var inner = BitLength((ulong)index ^ (ulong)(size - 1));
        var expected = inner + BitOperations.PopCount((ulong)index >> inner);
        if (path.Count != expected)
            throw new VerificationException(
                $"The inclusion path of leaf {index} of {size} has {expected} hashes, not {path.Count}.");
        var (fn, sn, r) = (index, size - 1, leaf);
        foreach (var p in path)
        {
            if ((fn & 1) == 1 || fn == sn)
            {
                r = MerkleHash.OfChildren(p, r);
                while ((fn & 1) == 0 && fn != 0)
                    (fn, sn) = (fn >> 1, sn >> 1);
            }
            else
                r = MerkleHash.OfChildren(r, p);

            (fn, sn) = (fn >> 1, sn >> 1);
        }

        if (sn != 0 || r != root)
            throw new VerificationException($"The inclusion path of leaf {index} of {size} leads to the root {r}, not to {root}.");
    }

    /// <summary>Checks that the tree of <paramref name="oldSize"/> leaves is a prefix of the tree of <paramref name="size"/>.</summary>
    /// <exception cref="VerificationException">It is not shown to be one.</exception>
    public static void VerifyConsistency(
        long oldSize, MerkleHash oldRoot, long size, MerkleHash root, IReadOnlyList<MerkleHash> path)
    {
        if (oldSize < 0 || oldSize > size)
            throw new VerificationException($"A tree of {oldSize} leaves is no prefix of one of {size}.");
        if (oldSize == size)
        {
            // "If the two sizes are equal the path is empty and the roots are the same."
            if (path.Count > 0)
                throw new VerificationException($"Between two trees of {size} leaves there is no path.");
            if (oldRoot != root)
                throw new VerificationException($"Two trees of {size} leaves have the roots {oldRoot} and {root}: a fork.");
            return;
        }

        if (oldSize == 0)
        {
            // Every tree extends the empty one; there is nothing to prove (tlog-witness: the proof MUST be empty).
            if (path.Count > 0 || oldRoot != MerkleHash.EmptyRoot)
                throw new VerificationException("The empty tree has the root of nothing and needs no path.");
            return;
        }

        WalkConsistency(oldSize, oldRoot, size, root, path);
    }

    /// <summary>
    /// The roots of the trees of <paramref name="oldSize"/> and <paramref name="size"/> leaves that a path tells, whatever was
    /// signed. When the second is the signed one, the first is the root of that tree's first leaves: nothing else hashes to it.
    /// </summary>
    /// <param name="oldSize">At least 1, less than <paramref name="size"/>.</param>
    /// <param name="size">Leaves.</param>
    /// <param name="path">A whole path: where <paramref name="oldSize"/> is a power of two, the old root leads it.</param>
    /// <exception cref="VerificationException">The path has another length.</exception>
    public static (MerkleHash Old, MerkleHash New) RootsOf(long oldSize, long size, IReadOnlyList<MerkleHash> path)
    {
        if (oldSize < 1 || oldSize >= size || path.Count != WholeLength(oldSize, size))
            throw new VerificationException($"Between trees of {oldSize} and {size} leaves this is no path.");
        return Walk(oldSize, size, path);
    }

    private static void WalkConsistency(
        long oldSize, MerkleHash oldRoot, long size, MerkleHash root, IReadOnlyList<MerkleHash> path)
    {
        // The length follows from the sizes: checked before anything is hashed.
        var expected = WholeLength(oldSize, size) - (BitOperations.IsPow2(oldSize) ? 1 : 0);
        if (path.Count != expected)
            throw new VerificationException(
                $"The path from {oldSize} to {size} leaves has {expected} hashes, not {path.Count}.");
        // "If first is an exact power of 2, then prepend first_hash to the consistency_path array."
        var (fr, sr) = Walk(oldSize, size, BitOperations.IsPow2(oldSize) ? [oldRoot, .. path] : path);
        if (fr != oldRoot)
            throw new VerificationException($"The path from {oldSize} to {size} leaves starts at the root {fr}, not at {oldRoot}.");
        if (sr != root)
            throw new VerificationException($"The path from {oldSize} to {size} leaves ends at the root {sr}, not at {root}.");
    }

    private static (MerkleHash Old, MerkleHash New) Walk(long oldSize, long size, IReadOnlyList<MerkleHash> all)
    {
        var (fn, sn) = (oldSize - 1, size - 1);
        while ((fn & 1) == 1)
            (fn, sn) = (fn >> 1, sn >> 1);
        var (fr, sr) = (all[0], all[0]);
        foreach (var c in all.Skip(1))
        {
            if ((fn & 1) == 1 || fn == sn)
            {
                fr = MerkleHash.OfChildren(c, fr);
                sr = MerkleHash.OfChildren(c, sr);
                while ((fn & 1) == 0 && fn != 0)
                    (fn, sn) = (fn >> 1, sn >> 1);
            }
            else
                sr = MerkleHash.OfChildren(sr, c);

            (fn, sn) = (fn >> 1, sn >> 1);
        }

        return (fr, sr);
    }

    // That of the path of the old tree's last leaf, without the levels of the perfect subtree that ends there, whose hash
    // comes first.
    private static int WholeLength(long oldSize, long size)
    {
        var inner = BitLength((ulong)(oldSize - 1) ^ (ulong)(size - 1));
        return inner - BitOperations.TrailingZeroCount(oldSize) + BitOperations.PopCount((ulong)(oldSize - 1) >> inner) + 1;
    }

    private static int BitLength(ulong value) => 64 - BitOperations.LeadingZeroCount(value);
}
