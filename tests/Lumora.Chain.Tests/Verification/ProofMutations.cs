using Lumora.Chain.Tests.Merkle;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Tests.Verification;

/// <summary>An inclusion proof and its verdict; the names are those of the vectors of transparency-dev/merkle.</summary>
internal sealed record InclusionVector(
    string Desc, long LeafIdx, long TreeSize, string Root, string LeafHash, string[] Proof, bool WantErr, string? Reason) : IVector;

/// <summary>A consistency proof and its verdict; the names are those of the vectors of transparency-dev/merkle.</summary>
internal sealed record ConsistencyVector(
    string Desc, long Size1, long Size2, string Root1, string Root2, string[] Proof, bool WantErr, string? Reason) : IVector;

/// <summary>
/// Good Merkle proofs over the golden entries and every way to break them. What must come out is said by the recursive
/// definition (<see cref="RecursiveTree"/>), not by the code that is tested.
/// </summary>
internal static class ProofMutations
{
    private static readonly (int Index, int Size)[] Leaves =
        [(0, 1), (0, 2), (1, 2), (2, 3), (1, 5), (6, 7), (0, 8), (5, 8), (255, 256), (256, 257), (699, 700)];

    private static readonly (int Old, int Size)[] Sizes =
        [(1, 1), (1, 2), (1, 8), (2, 3), (3, 7), (4, 7), (6, 7), (6, 8), (7, 8), (8, 8), (255, 256), (256, 257), (257, 700), (512, 700)];

    private static readonly MerkleHash[] Golden =
        [.. Enumerable.Range(0, 701).Select(i => RecursiveTree.Leaf(GoldenLog.Entry(i)))];

    /// <summary>Cases of inclusion.</summary>
    public static IEnumerable<InclusionVector> Inclusion() => Leaves.SelectMany(leaf => Inclusion(leaf.Index, leaf.Size));

    /// <summary>Cases of consistency.</summary>
    public static IEnumerable<ConsistencyVector> Consistency() => Sizes.SelectMany(pair => Consistency(pair.Old, pair.Size));

    private static IEnumerable<InclusionVector> Inclusion(int index, int size)
    {
        var (leaf, root) = (Golden[index], RecursiveTree.Root(Golden.AsSpan(0, size)));
        var path = RecursiveTree.Path(index, Golden.AsSpan(0, size));
        InclusionVector Case(string desc, long i, long n, MerkleHash l, MerkleHash[] p, MerkleHash r) => new(
            $"leaf {index} of {size}: {desc}", i, n, r.ToBase64(), l.ToBase64(), Texts(p), InclusionReason(i, n, l, p, r) is not null,
            InclusionReason(i, n, l, p, r));

        yield return Case("happy path", index, size, leaf, path, root);
        foreach (var i in Unlike(index, -1, index - 1, index + 1, index ^ 2, size, size + 1, long.MaxValue, long.MinValue))
            yield return Case($"index {i}", i, size, leaf, path, root);
        // A path alone does not bind the size: where the shape is the same, only the signed checkpoint says which it is.
        foreach (var n in Unlike(size, 0, 1, size - 1, size + 1, size * 2, size / 2, -1, long.MaxValue))
            yield return Case($"size {n}", index, n, leaf, path, root);
        foreach (var (desc, hash) in Others(leaf, root, Golden[700]))
            yield return Case($"leaf hash is {desc}", index, size, hash, path, root);
        foreach (var (desc, hash) in Others(root, leaf, RecursiveTree.Root(Golden.AsSpan(0, size + 1))))
            yield return Case($"root is {desc}", index, size, leaf, path, hash);
        foreach (var (desc, proof) in Broken(path, ("the root", root), ("the leaf", leaf), ("zeros", default)))
            yield return Case(desc, index, size, leaf, proof, root);
    }

    private static IEnumerable<ConsistencyVector> Consistency(int old, int size)
    {
        var (root1, root2) = (RecursiveTree.Root(Golden.AsSpan(0, old)), RecursiveTree.Root(Golden.AsSpan(0, size)));
        var path = RecursiveTree.Proof(old, Golden.AsSpan(0, size));
        ConsistencyVector Case(string desc, long m, long n, MerkleHash r1, MerkleHash r2, MerkleHash[] p) => new(
            $"{old} to {size}: {desc}", m, n, r1.ToBase64(), r2.ToBase64(), Texts(p), ConsistencyReason(m, n, r1, r2, p) is not null,
            ConsistencyReason(m, n, r1, r2, p));

        yield return Case("happy path", old, size, root1, root2, path);
        foreach (var m in Unlike(old, -1, 0, old - 1, old + 1, size, size + 1, long.MinValue, long.MaxValue))
            yield return Case($"old size {m}", m, size, root1, root2, path);
        foreach (var n in Unlike(size, -1, 0, old - 1, size - 1, size + 1, size * 2, long.MaxValue))
            yield return Case($"new size {n}", old, n, root1, root2, path);
        if (old != size)
        {
            yield return Case("old size is the new one", size, size, root1, root2, path);
            yield return Case("both swapped", size, old, root2, root1, path);
            yield return Case("roots swapped", old, size, root2, root1, path);
            yield return Case("sizes swapped", size, old, root1, root2, path);
        }

        yield return Case("from nothing", 0, size, MerkleHash.EmptyRoot, root2, []);
        yield return Case("from nothing with the path", 0, size, MerkleHash.EmptyRoot, root2, [.. path, root1]);
        yield return Case("from nothing that has a root", 0, size, root1, root2, []);
        foreach (var (desc, hash) in Others(root1, root2, Golden[700]))
            yield return Case($"old root is {desc}", old, size, hash, root2, path);
        foreach (var (desc, hash) in Others(root2, root1, Golden[700]))
            yield return Case($"new root is {desc}", old, size, root1, hash, path);
        foreach (var (desc, proof) in Broken(path, ("the old root", root1), ("the new root", root2), ("zeros", default)))
            yield return Case(desc, old, size, root1, root2, proof);
    }

    private static IEnumerable<long> Unlike(long right, params long[] candidates) => candidates.Where(one => one != right).Distinct();

    private static IEnumerable<(string Desc, MerkleHash Hash)> Others(MerkleHash right, MerkleHash related, MerkleHash foreign)
    {
        IEnumerable<(string Desc, MerkleHash Hash)> others =
        [
            ("another one of this proof", related), ("a foreign one", foreign), ("that of the empty tree", MerkleHash.EmptyRoot),
            ("zeros", default), ("changed in its first bit", Flipped(right, 0, 0x80)), ("changed in its last bit", Flipped(right, 31, 1)),
        ];
        return others.Where(one => one.Hash != right);
    }

    private static IEnumerable<(string Desc, MerkleHash[] Proof)> Broken(MerkleHash[] path, params (string Name, MerkleHash Hash)[] garbage)
    {
        if (path.Length > 0)
        {
            yield return ("path is empty", []);
            yield return ("path is doubled", [.. path, .. path]);
            yield return ("last hash stands twice", [.. path, path[^1]]);
        }

        if (path.Length > 1)
        {
            yield return ("first hash is missing", path[1..]);
            yield return ("last hash is missing", path[..^1]);
        }

        if (path.Length > 2)
        {
            yield return ("second hash is missing", [path[0], .. path[2..]]);
            yield return ("path is reversed", [.. path.AsEnumerable().Reverse()]);
        }

        foreach (var (name, hash) in garbage)
        {
            yield return ($"{name} in front", [hash, .. path]);
            yield return ($"{name} behind", [.. path, hash]);
        }

        if (path.Length < 2)
            yield return ("65 hashes behind", [.. path, .. Enumerable.Repeat(MerkleHash.EmptyRoot, 65)]);
        foreach (var i in path.Length > 4 ? [0, path.Length / 2, path.Length - 1] : Enumerable.Range(0, path.Length))
        {
            yield return ($"hash {i} changed in its first bit", With(path, i, Flipped(path[i], 0, 0x80)));
            yield return ($"hash {i} changed in its last bit", With(path, i, Flipped(path[i], 31, 1)));
            yield return ($"hash {i} is zeros", With(path, i, default));
            if (i > 0)
                yield return ($"hashes {i - 1} and {i} swapped", With(With(path, i, path[i - 1]), i - 1, path[i]));
        }
    }

    private static string? InclusionReason(long index, long size, MerkleHash leaf, MerkleHash[] path, MerkleHash root)
    {
        if (index < 0 || index >= size)
            return $"Leaf {index} is not in a tree of {size} leaves";
        var length = RecursiveTree.PathLength(index, size);
        if (length != path.Length)
            return $"leaf {index} of {size} has {length} hashes, not {path.Length}";
        return RecursiveTree.RootOf(index, size, leaf, path) == root ? null : $"leads to the root {RecursiveTree.RootOf(index, size, leaf, path)}";
    }

    private static string? ConsistencyReason(long old, long size, MerkleHash root1, MerkleHash root2, MerkleHash[] path)
    {
        if (old < 0 || old > size)
            return $"A tree of {old} leaves is no prefix of one of {size}";
        if (old == size && path.Length > 0)
            return "there is no path";
        if (old == size)
            return root1 == root2 ? null : "a fork";
        if (old == 0)
            return path.Length == 0 && root1 == MerkleHash.EmptyRoot ? null : "The empty tree has the root of nothing and needs no path";
        var length = RecursiveTree.ProofLength(old, size);
        if (length != path.Length)
            return $"from {old} to {size} leaves has {length} hashes, not {path.Length}";
        var roots = RecursiveTree.RootsOf(old, size, root1, path);
        if (roots.Old != root1)
            return $"starts at the root {roots.Old}";
        return roots.New == root2 ? null : $"ends at the root {roots.New}";
    }

    private static MerkleHash Flipped(MerkleHash hash, int at, byte bits)
    {
        var bytes = hash.ToArray();
        bytes[at] ^= bits;
        return new MerkleHash(bytes);
    }

    private static MerkleHash[] With(MerkleHash[] path, int at, MerkleHash hash)
    {
        MerkleHash[] changed = [.. path];
        changed[at] = hash;
        return changed;
    }

    private static string[] Texts(MerkleHash[] path) => [.. path.Select(hash => hash.ToBase64())];
}
