using System.Text;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Witnesses;
using Lumora.Chain.Witnessing;
using Lumora.Domain.Merkle;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lumora.Chain.Tests.Witnesses;

/// <summary>The log's side: three witnesses over HTTP, of which two are enough; the first is a real one.</summary>
public sealed class CosignerTests : IAsyncLifetime
{
    private static readonly VerifierKey LogKey = VerifierKey.Parse(GoldenLog.LogKey);

    private readonly WitnessBench _bench = new();
    private readonly ListeningWitness[] _witnesses = [new(), new(), new()];
    private readonly WitnessStatus _status = new(TimeProvider.System);
    private WitnessPolicy _policy = null!;
    private Cosigner _cosigner = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _witnesses[0].Answer = body => _bench.Witness.AddCheckpointAsync(body, Ct);
        _witnesses[0].Show = hash => _bench.Witness.CheckpointAsync(hash, Ct);
        _witnesses[1].Answer = body => Task.FromResult(Cosign(2, body));
        _witnesses[2].Answer = body => Task.FromResult(Cosign(3, body));
        _policy = WitnessPolicy.Parse(Encoding.UTF8.GetBytes(
            $"""
            witness w1 {GoldenLog.WitnessKey} {_witnesses[0].Url}
            witness w2 {WitnessPolicyTests.Key(102)} {_witnesses[1].Url}/
            witness w3 {WitnessPolicyTests.Key(103)} {_witnesses[2].Url}
            group two 2 w1 w2 w3
            quorum two

            """));
        // Long enough for every witness that answers, however busy the machine is.
        _cosigner = New(new WitnessOptions { RetryMsMax = 100, GraceMs = 5_000 });
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _cosigner.Dispose();
        foreach (var witness in _witnesses)
            await witness.DisposeAsync();
        _bench.Dispose();
        _status.Dispose();
    }

    [Fact]
    public async Task Every_witness_that_answers_in_time_is_in_the_note()
    {
        var cosigned = PolicyVerifier.Verify((await CosignAsync(10))!, _policy, [LogKey]);
        Assert.Equal(["w1", "w2", "w3"], cosigned.Cosignatures.Select(cosignature => cosignature.Witness.Name));
        Assert.Empty(_status.Waiting);
        Assert.Empty(_status.Failures);
        // The next one goes on from the size that each of them has cosigned.
        Assert.NotNull(await CosignAsync(20));
        Assert.Equal(["old 0", "old 10"], _witnesses[0].Asked.Select(body => body.Split('\n')[0]));
    }

    /// <summary>One witness of each kind is wanted: the note that goes out has both lines.</summary>
    [Fact]
    public async Task A_witness_of_ML_DSA_counts_and_its_line_goes_out()
    {
        _cosigner.Dispose();
        var pq = WitnessPolicyTests.PostQuantumKey(6);
        _policy = WitnessPolicy.Parse(Encoding.UTF8.GetBytes(
            $"witness w1 {GoldenLog.WitnessKey} {_witnesses[0].Url}\nwitness pq {pq} {_witnesses[1].Url}\ngroup both all w1 pq\nquorum both\n"));
        _cosigner = New(new WitnessOptions { RetryMsMax = 100, GraceMs = 5_000 });
        using var key = new NoteSigner(VerifierKey.Parse(pq).Name, SignatureKind.MlDsa44, [.. Enumerable.Repeat((byte)6, 32)]);
        using var bench = new WitnessBench(key);
        _witnesses[1].Answer = body => bench.Witness.AddCheckpointAsync(body, Ct);
        var note = (await CosignAsync(10))!;
        var cosigned = PolicyVerifier.Verify(note, _policy, [LogKey]);
        Assert.True(cosigned.IsQuorumMet);
        Assert.Equal(["w1", "pq"], cosigned.Cosignatures.Select(cosignature => cosignature.Witness.Name));
        Assert.Equal(3, SignedNote.Parse(note).Signatures.Count);
        // Without it the quorum is not met, whatever the other one says.
        _witnesses[1].Answer = body => Task.FromResult(Cosign(2, body));
        Assert.Null(await CosignAsync(20));
        Assert.Equal(["pq"], _status.Failures.Keys);
    }

    [Fact]
    public async Task A_witness_that_hangs_delays_a_quorum_by_the_grace_only()
    {
        _cosigner.Dispose();
        _cosigner = New(new WitnessOptions { RetryMsMax = 100 });
        _witnesses[2].Answer = null;
        var started = TimeProvider.System.GetTimestamp();
        var cosigned = PolicyVerifier.Verify((await CosignAsync(10))!, _policy, [LogKey]);
        Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalMilliseconds, 0, 1_900);
        Assert.True(cosigned.IsQuorumMet);
        Assert.DoesNotContain("w3", cosigned.Cosignatures.Select(cosignature => cosignature.Witness.Name));
        Assert.Empty(_status.Failures);
    }

    [Fact]
    public async Task Without_the_quorum_there_is_no_note_and_the_status_says_who_failed_and_why()
    {
        _cosigner.Dispose();
        _cosigner = New(new WitnessOptions { TimeoutMs = 3_000, RetryMsMax = 100 });
        _witnesses[1].Answer = null;
        await _witnesses[2].DisposeAsync();
        Assert.Null(await CosignAsync(10));
        Assert.True(_status.Waiting["ledger"] is { Size: 10, IsLate: true });
        Assert.True(_status.UnwitnessedAge > TimeSpan.Zero);
        Assert.Equal("no answer within 3000 ms", _status.Failures["w2"]);
        Assert.Equal(["w2", "w3"], _status.Failures.Keys.Order(StringComparer.Ordinal));
    }

    /// <summary>Witnesses need not be up at the same time: what one has cosigned is kept until the quorum is there.</summary>
    [Fact]
    public async Task Cosignatures_of_several_rounds_make_the_quorum_together()
    {
        var away = new WitnessAnswer(503, "text/plain", "later\n");
        (_witnesses[1].Answer, _witnesses[2].Answer) = (_ => Task.FromResult(away), _ => Task.FromResult(away));
        Assert.Null(await CosignAsync(10));
        Assert.Equal("it answered 503: later", _status.Failures["w2"]);
        _witnesses[0].Answer = _ => Task.FromResult(away);
        _witnesses[1].Answer = body => Task.FromResult(Cosign(2, body));
        byte[]? note;
        while ((note = await CosignAsync(10)) is null)
            await Task.Delay(20, Ct);
        var cosigned = PolicyVerifier.Verify(note, _policy, [LogKey]);
        Assert.Equal(["w1", "w2"], cosigned.Cosignatures.Select(cosignature => cosignature.Witness.Name));
        Assert.Empty(_status.Waiting);
        Assert.Single(_witnesses[0].Asked);
    }

    [Fact]
    public async Task A_witness_that_failed_is_left_alone_for_a_while()
    {
        _cosigner.Dispose();
        _cosigner = New(new WitnessOptions { RetryMsMax = 600_000 });
        foreach (var witness in _witnesses)
            witness.Answer = _ => Task.FromResult(new WitnessAnswer(500, "text/plain", "no\n"));
        for (var i = 0; i < 20; i++)
            Assert.Null(await CosignAsync(10));
        Assert.InRange(_witnesses[0].Asked.Count, 1, 10);
    }

    [Fact]
    public async Task A_size_that_the_witness_names_is_proven_from()
    {
        // The witness has cosigned 7 of ours for an earlier process of ours.
        Assert.Equal(200, (await _bench.AskAsync(await _bench.RequestAsync(0, 7))).Status);
        Assert.NotNull(await CosignAsync(20));
        Assert.Equal(["old 0", "old 7"], _witnesses[0].Asked.Select(body => body.Split('\n')[0]));
        Assert.Equal(20, await _bench.SizeAsync());
        // And it may have lost its state since.
        _witnesses[0].Answer = async body => Encoding.UTF8.GetString(body).StartsWith("old 0\n", StringComparison.Ordinal)
            ? await _bench.Open(new MemoryState()).AddCheckpointAsync(body, Ct)
            : new WitnessAnswer(409, Witness.SizeType, "0\n");
        Assert.Contains(
            "w1",
            PolicyVerifier.Verify((await CosignAsync(30))!, _policy, [LogKey]).Cosignatures.Select(cosignature => cosignature.Witness.Name));
    }

    [Fact]
    public async Task A_witness_that_knows_more_than_is_signed_here_is_reported()
    {
        Assert.Equal(200, (await _bench.AskAsync(await _bench.RequestAsync(0, 20))).Status);
        await CosignAsync(10);
        Assert.Contains("it has cosigned 20 leaves already", _status.Failures["w1"], StringComparison.Ordinal);
        var newest = await _cosigner.NewestAsync([LogKey], Ct);
        Assert.Equal(20, newest.Newest!.Size);
        Assert.Equal($"witness w1 at {_witnesses[0].Url}", newest.Where);
    }

    [Fact]
    public async Task What_a_witness_shows_counts_only_when_the_log_has_signed_it()
    {
        using var other = new NoteSigner(GoldenLog.Origin, SignatureKind.Ed25519, new byte[32]);
        var text = new Checkpoint(GoldenLog.Origin, 1_000, MerkleHash.OfLeaf("x"u8)).ToText();
        _witnesses[1].Show = _ => Task.FromResult<byte[]?>(new SignedNote(text, [other.Sign(text)]).ToBytes());
        _witnesses[2].Show = _ => Task.FromResult<byte[]?>([1, 2, 3]);
        Assert.Null((await _cosigner.NewestAsync([LogKey], Ct)).Newest);
    }

    [Theory]
    [InlineData(200, "text/plain", "")]
    [InlineData(200, "text/plain", "no signature line\n")]
    [InlineData(200, "text/plain", GoldenLog.Cosignature)]
    [InlineData(200, "text/plain", "\u2014 witness.example/102 {bad}\n")]
    [InlineData(409, "text/plain", "5\n")]
    [InlineData(409, "text/x.tlog.size", "5")]
    [InlineData(409, "text/x.tlog.size", "-5\n")]
    [InlineData(409, "text/x.tlog.size", "5\n")]
    [InlineData(302, "text/plain", "elsewhere\n")]
    [InlineData(422, "text/plain", "a fork\n")]
    public async Task An_answer_without_a_good_cosignature_does_not_count(int status, string type, string body)
    {
        var bad = Convert.ToBase64String([.. BitConverter.GetBytes(VerifierKey.Parse(WitnessPolicyTests.Key(102)).Id).Reverse(), .. new byte[72]]);
        var answer = new WitnessAnswer(status, type, body.Replace("{bad}", bad, StringComparison.Ordinal));
        (_witnesses[1].Answer, _witnesses[2].Answer) = (_ => Task.FromResult(answer), _ => Task.FromResult(answer));
        Assert.Null(await CosignAsync(10));
        Assert.Equal(["w2", "w3"], _status.Failures.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Without_a_quorum_in_the_policy_the_cosignatures_that_come_in_time_are_taken()
    {
        _cosigner.Dispose();
        var text = _policy.ToText().Replace("quorum two", "quorum none", StringComparison.Ordinal);
        _policy = WitnessPolicy.Parse(Encoding.UTF8.GetBytes(text));
        _cosigner = New(new WitnessOptions { GraceMs = 5_000 });
        await _witnesses[1].DisposeAsync();
        var cosigned = PolicyVerifier.Verify((await CosignAsync(10))!, _policy, [LogKey]);
        Assert.Equal(["w1", "w3"], cosigned.Cosignatures.Select(cosignature => cosignature.Witness.Name));
    }

    [Theory]
    [InlineData("witness w {K}\nquorum w\n", "no address")]
    [InlineData("witness w {K} http://127.0.0.1:1\nquorum v\n", "line 2")]
    [InlineData(null, "Log:Witness:Policy")]
    public void Settings_that_can_never_publish_are_a_fault(string? policy, string why)
    {
        var file = Path.Combine(_bench.Folder, "policy");
        if (policy is not null)
            File.WriteAllText(file, policy.Replace("{K}", GoldenLog.WitnessKey, StringComparison.Ordinal));
        Assert.Contains(why, new WitnessOptions { Policy = file }.Fault(), StringComparison.Ordinal);
        Assert.Null(new WitnessOptions().Fault());
        Assert.NotNull(new WitnessOptions { TimeoutMs = 0 }.Fault());
    }

    private Cosigner New(WitnessOptions options) => new(_policy, options, _status, TimeProvider.System, NullLogger<Cosigner>.Instance);

    private async Task<byte[]?> CosignAsync(long size) =>
        await _cosigner.CosignAsync(await _bench.SignedAsync(size), WitnessBench.Tiles(size), Ct);

    /// <summary>Cosigns whatever comes, as witness number <paramref name="number"/>.</summary>
    private static WitnessAnswer Cosign(int number, byte[] body)
    {
        var key = VerifierKey.Parse(WitnessPolicyTests.Key(100 + number));
        using var signer = new NoteSigner(key.Name, SignatureKind.CosignatureV1, [.. Enumerable.Repeat((byte)(100 + number), 32)]);
        var note = SignedNote.Parse(AddCheckpointRequest.Parse(body).Checkpoint.Span);
        return new WitnessAnswer(200, "text/plain", $"{signer.Cosign(note.Text, GoldenLog.CosignedAt).ToLine()}\n");
    }

    private sealed class MemoryState : ICheckpointLock
    {
        private byte[]? _note;

        public Task<byte[]?> ReadAsync(string shard, CancellationToken cancellationToken) => Task.FromResult(_note);

        public Task SwapAsync(string shard, byte[]? expected, byte[] next, CancellationToken cancellationToken)
        {
            _note = next;
            return Task.CompletedTask;
        }
    }
}
