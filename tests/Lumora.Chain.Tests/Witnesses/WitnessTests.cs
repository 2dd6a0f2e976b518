using System.Text;
using CsCheck;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Verification;
using Lumora.Chain.Witnesses;
using Lumora.Chain.Witnessing;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Tests.Witnesses;

public sealed class WitnessTests : IDisposable
{
    private const string GoldenRequest =
        "old 65536\nJCBfZoGIE5bJeNQMR2z+5aKU1x6plnrViadmIMBl3cw=\n\n" + GoldenLog.Checkpoint;

    private static readonly MerkleHash OtherRoot = MerkleHash.OfLeaf("another history"u8);

    private readonly WitnessBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task The_golden_request_is_cosigned_with_the_golden_line()
    {
        Assert.Equal(200, (await _bench.AskAsync(await _bench.RequestAsync(0, 65_536))).Status);
        Assert.Equal(GoldenRequest, Encoding.UTF8.GetString((await _bench.RequestAsync(65_536, 70_000)).ToBytes()));
        var answer = await _bench.AskAsync(GoldenRequest);
        Assert.Equal(new WitnessAnswer(200, "text/plain; charset=utf-8", GoldenLog.Cosignature), answer);
        // Monitors read log signature and cosignature together.
        var hash = Witness.HashOf(GoldenLog.Origin);
        var stored = await _bench.Witness.CheckpointAsync(hash, WitnessBench.Ct);
        Assert.Equal(GoldenLog.Checkpoint + GoldenLog.Cosignature, Encoding.UTF8.GetString(stored!));
        Assert.Null(await _bench.Witness.CheckpointAsync(Witness.HashOf("other.example/log"), WitnessBench.Ct));
    }

    [Fact]
    public async Task An_ML_DSA_witness_cosigns_by_the_same_rules()
    {
        using var key = new NoteSigner("witness.example/pq", SignatureKind.MlDsa44, [.. Enumerable.Repeat((byte)6, 32)]);
        using var bench = new WitnessBench(key);
        var answer = await bench.AskAsync(await bench.RequestAsync(0, 10));
        Assert.Equal(200, answer.Status);
        var stored = (await bench.Witness.CheckpointAsync(Witness.HashOf(GoldenLog.Origin), WitnessBench.Ct))!;
        Assert.EndsWith(answer.Body, Encoding.UTF8.GetString(stored), StringComparison.Ordinal);
        var good = NoteVerifier.VerifyCheckpoint(stored, VerifierKey.Parse(GoldenLog.LogKey), key.Verifier);
        Assert.Equal(GoldenLog.CosignedAt, Assert.Single(good.Cosignatures).CosignedAt);
        bench.Restart();
        Assert.Equal(422, (await bench.AskAsync(new AddCheckpointRequest(10, [], bench.Note(10, OtherRoot)))).Status);
        Assert.Equal(200, (await bench.AskAsync(await bench.RequestAsync(10, 20))).Status);
    }

    [Fact]
    public async Task A_size_that_is_not_the_last_cosigned_one_is_answered_with_that_size()
    {
        await CosignAsync(10);
        foreach (var old in (long[])[0, 9, 11])
        {
            var answer = await _bench.AskAsync(await _bench.RequestAsync(old, 20));
            Assert.Equal(new WitnessAnswer(409, "text/x.tlog.size", "10\n"), answer);
        }

        // What was cosigned once is never rolled back.
        Assert.Equal(409, (await _bench.AskAsync(await _bench.RequestAsync(5, 8))).Status);
        Assert.Equal(10, await _bench.SizeAsync());
    }

    [Fact]
    public async Task The_same_checkpoint_is_cosigned_again()
    {
        await CosignAsync(10);
        Assert.Equal(200, (await _bench.AskAsync(await _bench.RequestAsync(10, 10))).Status);
        Assert.Equal(10, await _bench.SizeAsync());
    }

    [Fact]
    public async Task An_empty_log_is_cosigned_with_the_empty_root_only()
    {
        Assert.Equal(422, (await _bench.AskAsync(new AddCheckpointRequest(0, [], _bench.Note(0, OtherRoot)))).Status);
        Assert.Equal(200, (await _bench.AskAsync(new AddCheckpointRequest(0, [], _bench.Note(0, MerkleHash.EmptyRoot)))).Status);
        await CosignAsync(3);
    }

    [Fact]
    public async Task A_fork_is_refused()
    {
        await CosignAsync(10);
        Assert.Equal(422, (await _bench.AskAsync(new AddCheckpointRequest(10, [], _bench.Note(10, OtherRoot)))).Status);
        var honest = await _bench.RequestAsync(10, 20);
        Assert.Equal(422, (await _bench.AskAsync(honest with { Checkpoint = _bench.Note(20, OtherRoot) })).Status);
        Assert.Equal(10, await _bench.SizeAsync());
    }

    [Fact]
    public async Task A_proof_that_does_not_hold_is_refused()
    {
        var first = await _bench.RequestAsync(0, 10);
        Assert.Equal(422, (await _bench.AskAsync(first with { Proof = [OtherRoot] })).Status);
        await CosignAsync(10);
        var next = await _bench.RequestAsync(10, 20);
        foreach (var proof in (IReadOnlyList<MerkleHash>[])
            [[], [.. next.Proof, OtherRoot], [.. next.Proof.Skip(1)], [OtherRoot, .. next.Proof.Skip(1)], [.. next.Proof.Reverse()]])
            Assert.Equal(422, (await _bench.AskAsync(next with { Proof = proof })).Status);
        Assert.Equal(422, (await _bench.AskAsync(await _bench.RequestAsync(10, 10) with { Proof = [OtherRoot] })).Status);
        Assert.Equal(200, (await _bench.AskAsync(next)).Status);
    }

    [Fact]
    public async Task A_log_that_is_not_known_is_not_found()
    {
        using var other = new NoteSigner("other.example/log", SignatureKind.Ed25519, new byte[32]);
        var text = new Checkpoint("other.example/log", 1, OtherRoot).ToText();
        var answer = await _bench.AskAsync(new AddCheckpointRequest(0, [], new SignedNote(text, [other.Sign(text)]).ToBytes()));
        Assert.Equal(404, answer.Status);
    }

    [Fact]
    public async Task What_no_trusted_key_has_signed_is_forbidden()
    {
        using var forger = new NoteSigner(GoldenLog.Origin, SignatureKind.Ed25519, new byte[32]);
        var text = new Checkpoint(GoldenLog.Origin, 1, OtherRoot).ToText();
        var forged = new SignedNote(text, [forger.Sign(text)]);
        Assert.Equal(403, (await AskNoteAsync(forged)).Status);
        // A known key's bad signature, even beside a good one of the same key.
        var good = SignedNote.Parse(_bench.Note(1, OtherRoot));
        var bad = forger.Sign(text) with { KeyId = VerifierKey.Parse(GoldenLog.LogKey).Id };
        Assert.Equal(403, (await AskNoteAsync(new SignedNote(text, [bad]))).Status);
        Assert.Equal(403, (await AskNoteAsync(good.With(bad))).Status);
        // The unknown key's line is ignored.
        Assert.Equal(200, (await AskNoteAsync(good.With(forger.Sign(text)))).Status);
        Assert.DoesNotContain(
            SignedNote.Parse((await _bench.Witness.CheckpointAsync(Witness.HashOf(GoldenLog.Origin), WitnessBench.Ct))!).Signatures,
            signature => signature.KeyId == forger.Verifier.Id);
    }

    [Theory]
    [InlineData("")]
    [InlineData("old 0\n")]
    [InlineData("old 00\n\n{N}")]
    [InlineData("old -1\n\n{N}")]
    [InlineData("old +0\n\n{N}")]
    [InlineData("Old 0\n\n{N}")]
    [InlineData("old  0\n\n{N}")]
    [InlineData("old 0 \n\n{N}")]
    [InlineData("old 0\r\n\n{N}")]
    [InlineData("old 9223372036854775808\n\n{N}")]
    [InlineData("old 0\nAAAA\n\n{N}")]
    [InlineData("old 0\n{H}\n{N}")]
    [InlineData("old 0\n\nno note")]
    [InlineData("old 0\n\n\n{N}")]
    [InlineData("old 70001\n\n{N}")]
    [InlineData("old 0\n\n{X}")]
    [InlineData("old 0\n{64}\n{N}")]
    public async Task What_is_no_request_is_a_bad_one(string body)
    {
        var hash = OtherRoot.ToBase64();
        var extended = GoldenLog.Checkpoint.Replace("\n\n", "\nextension\n\n", StringComparison.Ordinal);
        var answer = await _bench.AskAsync(body
            .Replace("{N}", GoldenLog.Checkpoint, StringComparison.Ordinal)
            .Replace("{X}", extended, StringComparison.Ordinal)
            .Replace("{64}", string.Concat(Enumerable.Repeat(hash + "\n", 64)), StringComparison.Ordinal)
            .Replace("{H}", hash, StringComparison.Ordinal));
        Assert.Equal(400, answer.Status);
        Assert.Equal(0, await _bench.SizeAsync());
    }

    [Fact]
    public async Task A_request_that_is_too_long_is_not_read()
    {
        var answer = await _bench.AskAsync($"old 0\n\n{new string('x', AddCheckpointRequest.BytesMax)}");
        Assert.Equal(400, answer.Status);
        Assert.Contains("more than", answer.Body, StringComparison.Ordinal);
    }

    /// <summary>
    /// The race of the specification: many requests from one size at once. One wins, the others hear its size, and the state is what
    /// was answered last.
    /// </summary>
    [Fact]
    public async Task Of_requests_at_once_from_the_same_size_one_is_cosigned()
    {
        await CosignAsync(10);
        var requests = await Task.WhenAll(Enumerable.Range(11, 20).Select(size => _bench.RequestAsync(10, size)));
        var answers = await Task.WhenAll(requests.Select(request => Task.Run(() => _bench.AskAsync(request))));
        var won = Assert.Single(answers.Index(), answer => answer.Item.Status == 200);
        var size = 11 + won.Index;
        Assert.Equal(size, await _bench.SizeAsync());
        Assert.All(
            answers.Where(answer => answer.Status != 200),
            answer => Assert.Equal(new WitnessAnswer(409, Witness.SizeType, $"{size}\n"), answer));
    }

    /// <summary>"Failed but persisted": the answer got lost, the cosigned size did not.</summary>
    [Theory]
    [InlineData(true, 20)]
    [InlineData(false, 10)]
    public async Task After_a_fault_at_the_write_the_witness_goes_on_from_what_is_stored(bool persisted, long size)
    {
        await CosignAsync(10);
        using (var faulty = _bench.Open(new FaultyState(_bench.State, persisted)))
        {
            var next = await _bench.RequestAsync(10, 20);
            await Assert.ThrowsAsync<IOException>(() => faulty.AddCheckpointAsync(next.ToBytes(), WitnessBench.Ct));
        }

        _bench.Restart();
        Assert.Equal(new WitnessAnswer(409, Witness.SizeType, $"{size}\n"), await _bench.AskAsync(await _bench.RequestAsync(0, 30)));
        Assert.Equal(200, (await _bench.AskAsync(await _bench.RequestAsync(size, 20))).Status);
        Assert.Equal(200, (await _bench.AskAsync(await _bench.RequestAsync(20, 30))).Status);
    }

    [Fact]
    public void A_second_process_does_not_get_the_state() =>
        Assert.Throws<LogRefusedException>(() => new FolderCheckpointLock(_bench.Folder));

    [Fact]
    public void Bodies_are_refused_by_saying_so_or_answered() =>
        Gen.Byte.Array[0, 200].Sample(bytes =>
        {
            var golden = Encoding.UTF8.GetBytes(GoldenRequest);
            foreach (var input in new[] { bytes, [.. golden[..Math.Min(golden.Length, bytes.Length * 2)], .. bytes] })
                Assert.Contains(_bench.Witness.AddCheckpointAsync(input, CancellationToken.None).GetAwaiter().GetResult().Status, (int[])[400, 403, 404, 409]);
        });

    private async Task CosignAsync(long size)
    {
        var answer = await _bench.AskAsync(await _bench.RequestAsync(await _bench.SizeAsync(), size));
        Assert.Equal(200, answer.Status);
    }

    private Task<WitnessAnswer> AskNoteAsync(SignedNote note) => _bench.AskAsync(new AddCheckpointRequest(0, [], note.ToBytes()));

    private sealed class FaultyState(ICheckpointLock inner, bool persisted) : ICheckpointLock
    {
        public Task<byte[]?> ReadAsync(string shard, CancellationToken cancellationToken) => inner.ReadAsync(shard, cancellationToken);

        public async Task SwapAsync(string shard, byte[]? expected, byte[] next, CancellationToken cancellationToken)
        {
            if (persisted)
                await inner.SwapAsync(shard, expected, next, cancellationToken);
            throw new IOException("injected");
        }
    }
}
