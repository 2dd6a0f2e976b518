using System.Security.Cryptography;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Tests.Merkle;

/// <summary>
/// The Merkle tree of RFC 6962 §2.1 written down as the text defines it: slow, recursive, with its own calls of SHA-256. What is
/// fast is compared with it.
/// </summary>
internal static class RecursiveTree
{
    /// <summary>"The hash of a list with one entry (also known as a leaf hash) is: MTH({d(0)}) = SHA-256(0x00 || d(0))."</summary>
    public static MerkleHash Leaf(ReadOnlySpan<byte> entry) => new(SHA256.HashData([0, .. entry]));

    /// <summary>MTH(D[n]) = SHA-256(0x01 || MTH(D[0:k]) || MTH(D[k:n])).</summary>
    public static MerkleHash Root(ReadOnlySpan<MerkleHash> leaves)
    {
        if (leaves.Length == 0)
            return new MerkleHash(SHA256.HashData([]));
        if (leaves.Length == 1)
            return leaves[0];
        var k = (int)Split(leaves.Length);
        return Node(Root(leaves[..k]), Root(leaves[k..]));
    }

    /// <summary>PATH(m, D[n]) of §2.1.1.</summary>
    public static MerkleHash[] Path(int m, ReadOnlySpan<MerkleHash> leaves)
    {
        if (leaves.Length == 1)
            return [];
        var k = (int)Split(leaves.Length);
        return m < k
            ? [.. Path(m, leaves[..k]), Root(leaves[k..])]
            : [.. Path(m - k, leaves[k..]), Root(leaves[..k])];
    }

    /// <summary>PROOF(m, D[n]) of §2.1.2.</summary>
    public static MerkleHash[] Proof(int m, ReadOnlySpan<MerkleHash> leaves) => Subproof(m, leaves, known: true);

    /// <summary>Hashes of PATH(m, D[n]).</summary>
    public static int PathLength(long m, long n) => n == 1 ? 0 : 1 + (m < Split(n) ? PathLength(m, Split(n)) : PathLength(m - Split(n), n - Split(n)));

    /// <summary>Hashes of PROOF(m, D[n]).</summary>
    public static int ProofLength(long m, long n, bool known = true) => m == n
        ? known ? 0 : 1
        : 1 + (m <= Split(n) ? ProofLength(m, Split(n), known) : ProofLength(m - Split(n), n - Split(n), known: false));

    /// <summary>The root that a path of the right length leads to: PATH read backwards.</summary>
    public static MerkleHash RootOf(long m, long n, MerkleHash leaf, ReadOnlySpan<MerkleHash> path)
    {
        if (n == 1)
            return leaf;
        var k = Split(n);
        return m < k
            ? Node(RootOf(m, k, leaf, path[..^1]), path[^1])
            : Node(path[^1], RootOf(m - k, n - k, leaf, path[..^1]));
    }

    /// <summary>The old and the new root that a proof of the right length leads to: SUBPROOF read backwards.</summary>
    public static (MerkleHash Old, MerkleHash New) RootsOf(
        long m, long n, MerkleHash oldRoot, ReadOnlySpan<MerkleHash> proof, bool known = true)
    {
        if (m == n)
            return known ? (oldRoot, oldRoot) : (proof[0], proof[0]);
        var k = Split(n);
        if (m <= k)
        {
            var left = RootsOf(m, k, oldRoot, proof[..^1], known);
            return (left.Old, Node(left.New, proof[^1]));
        }

        var right = RootsOf(m - k, n - k, oldRoot, proof[..^1], known: false);
        return (Node(proof[^1], right.Old), Node(proof[^1], right.New));
    }

    /// <summary>SHA-256(0x01 || left || right).</summary>
    public static MerkleHash Node(MerkleHash left, MerkleHash right) =>
        new(SHA256.HashData([1, .. left.ToArray(), .. right.ToArray()]));

    /// <summary>"Let k be the largest power of two smaller than n."</summary>
    private static long Split(long n)
    {
        var k = 1L;
        while (k < n - k)
            k *= 2;
        return k;
    }

    private static MerkleHash[] Subproof(int m, ReadOnlySpan<MerkleHash> leaves, bool known)
    {
        if (m == leaves.Length)
            return known ? [] : [Root(leaves)];
        var k = (int)Split(leaves.Length);
        return m <= k
            ? [.. Subproof(m, leaves[..k], known), Root(leaves[k..])]
            : [.. Subproof(m - k, leaves[k..], known: false), Root(leaves[..k])];
    }
}
