using CsCheck;
using Lumora.Chain.Merkle;
using Lumora.Chain.Tests.Merkle;
using Lumora.Chain.Verification;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Tests.Verification;

public sealed class ProofVerifierTests
{
    /// <summary>The test tree of the Certificate Transparency implementations.</summary>
    private static readonly MerkleHash[] Leaves =
    [
        .. new[] { "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f" }
            .Select(hex => MerkleHash.OfLeaf(Convert.FromHexString(hex))),
    ];

    [Theory]
    [InlineData(3, 7, "0298d122 07506a85 fac54203 837dbb15")]
    [InlineData(4, 7, "837dbb15")]
    [InlineData(6, 8, "0ebc5d34 ca854ea1 d37ee418")]
    public async Task Known_consistency_proofs_come_out(int oldSize, int size, string prefixes)
    {
        var tree = new TreeReader(new MemoryTiles(Leaves[..size]), size);
        var proof = await tree.ConsistencyAsync(oldSize, TestContext.Current.CancellationToken);
        Assert.Equal<IEnumerable<string>>(prefixes.Split(' '), proof.Select(hash => hash.ToString()[..8]));
        ProofVerifier.VerifyConsistency(oldSize, RecursiveTree.Root(Leaves.AsSpan(0, oldSize)), size, RecursiveTree.Root(Leaves.AsSpan(0, size)), proof);
    }

    [Fact]
    public async Task A_known_inclusion_proof_comes_out()
    {
        var tree = new TreeReader(new MemoryTiles(Leaves), 8);
        var path = await tree.InclusionAsync(0, TestContext.Current.CancellationToken);
        Assert.Equal<IEnumerable<string>>(["96a296d2", "5f083f0a", "6b47aaf2"], path.Select(hash => hash.ToString()[..8]));
        ProofVerifier.VerifyInclusion(Leaves[0], 0, 8, path, RecursiveTree.Root(Leaves));
    }

    /// <summary>All sizes around the borders of a tile, each against the slow recursive definition.</summary>
    [Fact]
    public async Task Every_proof_of_every_small_tree_equals_the_recursive_definition_and_holds()
    {
        var leaves = Enumerable.Range(0, 40).Select(i => MerkleHash.OfLeaf(BitConverter.GetBytes(i))).ToArray();
        for (var size = 1; size <= leaves.Length; size++)
        {
            var tree = new TreeReader(new MemoryTiles(leaves[..size]), size);
            var root = RecursiveTree.Root(leaves.AsSpan(0, size));
            Assert.Equal(root, await tree.RootAsync(TestContext.Current.CancellationToken));
            for (var i = 0; i < size; i++)
            {
                var path = await tree.InclusionAsync(i, TestContext.Current.CancellationToken);
                Assert.Equal(RecursiveTree.Path(i, leaves.AsSpan(0, size)), path);
                ProofVerifier.VerifyInclusion(leaves[i], i, size, path, root);
            }

            for (var old = 1; old <= size; old++)
            {
                var proof = await tree.ConsistencyAsync(old, TestContext.Current.CancellationToken);
                Assert.Equal(RecursiveTree.Proof(old, leaves.AsSpan(0, size)), proof);
                ProofVerifier.VerifyConsistency(old, RecursiveTree.Root(leaves.AsSpan(0, old)), size, root, proof);
            }
        }
    }

    [Fact]
    public void A_proof_changed_anywhere_is_refused() =>
        Gen.Select(Gen.Int[2, 300], Gen.Int[0, 1 << 20], Gen.Int[0, 1 << 20], Gen.Int[0, 7]).Sample((size, a, b, mutation) =>
        {
            var leaves = Enumerable.Range(0, size).Select(i => MerkleHash.OfLeaf(BitConverter.GetBytes(i))).ToArray();
            var index = a % size;
            var root = RecursiveTree.Root(leaves);
            var path = RecursiveTree.Path(index, leaves).ToList();
            var leaf = leaves[index];
            var at = b % path.Count;
            switch (mutation)
            {
                case 0: path.RemoveAt(at); break;
                case 1: path.Insert(at, root); break;
                case 2: path.Add(MerkleHash.EmptyRoot); break;
                case 3: path[at] = MerkleHash.OfChildren(path[at], path[at]); break;
                case 4: leaf = MerkleHash.OfLeaf("other"u8); break;
                case 5: root = leaf; break;
                case 6: index = index == 0 ? size : index - 1; break;
                default: index = -1; break;
            }

            Assert.Throws<VerificationException>(() => ProofVerifier.VerifyInclusion(leaf, index, size, path, root));
        });

    [Fact]
    public void A_consistency_proof_changed_anywhere_is_refused() =>
        Gen.Select(Gen.Int[2, 300], Gen.Int[0, 1 << 20], Gen.Int[0, 1 << 20], Gen.Int[0, 5]).Sample((size, a, b, mutation) =>
        {
            var leaves = Enumerable.Range(0, size).Select(i => MerkleHash.OfLeaf(BitConverter.GetBytes(i))).ToArray();
            var old = 1 + (a % (size - 1));
            var (oldRoot, root) = (RecursiveTree.Root(leaves.AsSpan(0, old)), RecursiveTree.Root(leaves));
            var proof = RecursiveTree.Proof(old, leaves).ToList();
            var at = b % proof.Count;
            switch (mutation)
            {
                case 0: proof.RemoveAt(at); break;
                case 1: proof.Add(root); break;
                case 2: proof[at] = MerkleHash.OfChildren(proof[at], proof[at]); break;
                case 3: oldRoot = root; break;
                case 4: root = oldRoot; break;
                default: (oldRoot, root) = (root, oldRoot); break;
            }

            Assert.Throws<VerificationException>(() => ProofVerifier.VerifyConsistency(old, oldRoot, size, root, proof));
        });

    [Fact]
    public void A_whole_path_tells_both_roots_whatever_was_signed()
    {
        for (var size = 2; size <= Leaves.Length; size++)
            for (var old = 1; old < size; old++)
            {
                var (root, oldRoot) = (RecursiveTree.Root(Leaves.AsSpan(0, size)), RecursiveTree.Root(Leaves.AsSpan(0, old)));
                IReadOnlyList<MerkleHash> path = RecursiveTree.Proof(old, Leaves.AsSpan(0, size));
                if (int.IsPow2(old))
                    path = [oldRoot, .. path];
                Assert.Equal((oldRoot, root), ProofVerifier.RootsOf(old, size, path));
                Assert.Throws<VerificationException>(() => ProofVerifier.RootsOf(old, size, [.. path, root]));
                Assert.NotEqual((oldRoot, root), ProofVerifier.RootsOf(old, size, [MerkleHash.OfLeaf("other"u8), .. path.Skip(1)]));
            }

        Assert.Throws<VerificationException>(() => ProofVerifier.RootsOf(3, 3, [MerkleHash.EmptyRoot]));
    }

    [Fact]
    public void The_same_size_with_another_root_is_called_a_fork()
    {
        var exception = Assert.Throws<VerificationException>(
            () => ProofVerifier.VerifyConsistency(8, RecursiveTree.Root(Leaves), 8, MerkleHash.EmptyRoot, []));
        Assert.Contains("fork", exception.Message, StringComparison.Ordinal);
    }
}
