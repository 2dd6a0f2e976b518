using System.Text;
using Lumora.Chain.Merkle;
using Lumora.Chain.Notes;
using Lumora.Chain.Tiles;
using Lumora.Chain.Verification;
using Lumora.Chain.Witnesses;
using Lumora.Chain.Witnessing;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Tests.Witnesses;

/// <summary>What a witness hands on when a log shows it two histories.</summary>
public sealed class ShownConflictTests : IDisposable
{
    private static readonly MerkleHash OtherRoot = MerkleHash.OfLeaf("another history"u8);

    private readonly WitnessBench _bench = new();
    private readonly Kept _kept = new();
    private readonly Witness _witness;

    public ShownConflictTests() => _witness = _bench.Open(_bench.State, _kept);

    public void Dispose()
    {
        _witness.Dispose();
        _bench.Dispose();
    }

    [Theory]
    [InlineData(10)]
    [InlineData(0)]
    [InlineData(9)]
    public async Task Two_roots_of_one_size_are_a_fork_whatever_size_the_request_goes_on_from(long old)
    {
        await CosignAsync(10);
        var answer = await AskAsync(new AddCheckpointRequest(old, [], _bench.Note(10, OtherRoot)));
        Assert.Equal(old == 10 ? 422 : 409, answer.Status);
        var conflict = Assert.Single(_kept.Conflicts);
        Assert.Empty(conflict.Proof!);
        Assert.Equal(GoldenLog.LogKey, conflict.Log.ToString());
        var log = VerifierKey.Parse(GoldenLog.LogKey);
        var (first, second) = (NoteVerifier.VerifyCheckpoint(conflict.First, log).Checkpoint, NoteVerifier.VerifyCheckpoint(conflict.Second, log).Checkpoint);
        Assert.Equal((10, 10, OtherRoot), (first.Size, second.Size, second.Root));
        Assert.NotEqual(OtherRoot, first.Root);
    }

    [Fact]
    public async Task A_fork_with_its_own_honest_proof_proves_itself()
    {
        await CosignAsync(10);
        var forked = new ForkedTree(10, 20);
        var path = await new TreeReader(forked, 20).ConsistencyAsync(10, WitnessBench.Ct);
        Assert.Equal(422, (await AskAsync(new AddCheckpointRequest(10, path, _bench.Note(20, forked.Root)))).Status);
        var conflict = Assert.Single(_kept.Conflicts);
        Assert.Equal(path, conflict.Proof);
        var (old, whole) = ProofVerifier.RootsOf(10, 20, conflict.Proof!);
        Assert.Equal(forked.Root, whole);
        Assert.NotEqual(Checkpoint.Parse(SignedNote.Parse(conflict.First).Text).Root, old);
    }

    [Fact]
    public async Task A_wrong_proof_is_kept_as_what_shows_nothing_yet_and_a_cosignature_clears_it()
    {
        await CosignAsync(10);
        var honest = await _bench.RequestAsync(10, 20);
        Assert.Equal(422, (await AskAsync(honest with { Proof = [OtherRoot] })).Status);
        Assert.Null(Assert.Single(_kept.Conflicts).Proof);
        Assert.DoesNotContain(_kept.Extended, checkpoint => checkpoint.Size == 20);
        Assert.Equal(200, (await AskAsync(honest)).Status);
        Assert.Equal(20, _kept.Extended[^1].Size);
        Assert.Single(_kept.Conflicts);
    }

    [Fact]
    public async Task From_a_whole_subtree_on_a_path_proves_no_fork()
    {
        await CosignAsync(8);
        var forked = new ForkedTree(8, 20);
        var path = await new TreeReader(forked, 20).ConsistencyAsync(8, WitnessBench.Ct);
        Assert.Equal(422, (await AskAsync(new AddCheckpointRequest(8, path, _bench.Note(20, forked.Root)))).Status);
        Assert.Null(Assert.Single(_kept.Conflicts).Proof);
    }

    [Fact]
    public async Task What_the_log_has_not_signed_or_what_says_nothing_new_is_no_conflict()
    {
        await CosignAsync(10);
        using var forger = new NoteSigner(GoldenLog.Origin, SignatureKind.Ed25519, new byte[32]);
        var text = new Checkpoint(GoldenLog.Origin, 10, OtherRoot).ToText();
        Assert.Equal(403, (await AskAsync(new AddCheckpointRequest(10, [], new SignedNote(text, [forger.Sign(text)]).ToBytes()))).Status);
        Assert.Equal(409, (await AskAsync(await _bench.RequestAsync(0, 20))).Status);
        Assert.Equal(409, (await AskAsync(await _bench.RequestAsync(5, 8))).Status);
        Assert.Equal(422, (await AskAsync(await _bench.RequestAsync(10, 10) with { Proof = [OtherRoot] })).Status);
        Assert.Empty(_kept.Conflicts);
    }

    [Fact]
    public async Task Signature_lines_of_strangers_are_not_kept()
    {
        await CosignAsync(10);
        var junk = SignedNote.Parse(_bench.Note(10, OtherRoot)).With(new NoteSignature("junk.example", 7, new byte[5_000]));
        await AskAsync(new AddCheckpointRequest(10, [], junk.ToBytes()));
        Assert.Single(SignedNote.Parse(Assert.Single(_kept.Conflicts).Second).Signatures);
    }

    private async Task CosignAsync(long size) => Assert.Equal(200, (await AskAsync(await _bench.RequestAsync(0, size))).Status);

    private Task<WitnessAnswer> AskAsync(AddCheckpointRequest request) => _witness.AddCheckpointAsync(request.ToBytes(), WitnessBench.Ct);

    private sealed class Kept : IShownConflicts
    {
        public List<ShownConflict> Conflicts { get; } = [];

        public List<Checkpoint> Extended { get; } = [];

        public Task KeepAsync(ShownConflict conflict)
        {
            Conflicts.Add(conflict);
            return Task.CompletedTask;
        }

        public Task ExtendsAsync(Checkpoint checkpoint)
        {
            Extended.Add(checkpoint);
            return Task.CompletedTask;
        }
    }

    /// <summary>A tree whose last leaf before <c>at</c> is another than the golden log's.</summary>
    private sealed class ForkedTree : ITileReader
    {
        private readonly Dictionary<TileId, byte[]> _tiles = [];

        public ForkedTree(long at, long size)
        {
            var builder = new TileBuilder();
            for (var i = 0L; i < size; i++)
            {
                var entry = i == at - 1 ? Encoding.ASCII.GetBytes("another entry") : GoldenLog.Entry(i);
                builder.Append(entry, MerkleHash.OfLeaf(entry), (tile, bytes) => _tiles[tile] = bytes);
            }

            foreach (var (tile, bytes) in builder.Partials())
                _tiles[tile] = bytes;
            Root = builder.Root();
        }

        public MerkleHash Root { get; }

        public ValueTask<byte[]?> ReadAsync(TileId tile, CancellationToken cancellationToken) =>
            ValueTask.FromResult(_tiles.GetValueOrDefault(tile));
    }
}
