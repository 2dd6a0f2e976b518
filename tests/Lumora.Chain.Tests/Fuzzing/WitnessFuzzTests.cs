using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Tests.Witnesses;
using Lumora.Chain.Tiles;
using Lumora.Chain.Verification;
using Lumora.Chain.Witnesses;
using Lumora.Chain.Witnessing;

namespace Lumora.Chain.Tests.Fuzzing;

/// <summary>Fuzzers of policies, and of what witnesses and logs say to each other.</summary>
public sealed class WitnessFuzzTests
{
    private const long OldSize = 10;
    private const long NewSize = 20;

    private static readonly VerifierKey WitnessKey = VerifierKey.Parse(GoldenLog.WitnessKey);

    private static readonly string Policy =
        $"""
        # two of three
        log {GoldenLog.LogKey} https://lumora.example/log/main
        witness w1 {GoldenLog.WitnessKey} http://127.0.0.1:7001/
        witness{"\t"}Ÿ2  {new VerifierKey("witness.example/2", SignatureKind.CosignatureV1, Enumerable.Repeat((byte)7, 32).ToArray())}
        witness w3 {new VerifierKey("witness.example/3", SignatureKind.MlDsa44, new byte[MlDsa44.PublicKeyBytes])} https://witness.example/w3
        group few any Ÿ2 w3
        group all all w1 few
        quorum all

        """;

    /// <summary>What is taken has one spelling without comments, and everybody's cosignature is enough for it.</summary>
    [Fact]
    public void Policies() => Fuzz.Parser(
        [Bytes(Policy), Bytes(WitnessPolicy.Parse(Bytes(Policy)).ToText()), Bytes($"log {GoldenLog.LogKey}\nquorum none\n")],
        input =>
        {
            var policy = WitnessPolicy.Parse(input);
            var text = policy.ToText();
            var again = WitnessPolicy.Parse(Bytes(text));
            Assert.Equal(text, again.ToText());
            Assert.Equal(policy.Witnesses, again.Witnesses);
            Assert.Equal(policy.Logs, again.Logs);
            Assert.True(again.IsQuorumMet(policy.Witnesses.Select(witness => witness.Name)));
            Assert.Equal(!policy.NeedsCosignatures, policy.IsQuorumMet([]));
            return input;
        });

    [Fact]
    public async Task Requests_for_a_cosignature()
    {
        using var bench = new WitnessBench();
        Fuzz.Parser(
            [(await bench.RequestAsync(0, NewSize)).ToBytes(), (await bench.RequestAsync(OldSize, NewSize)).ToBytes()],
            input => AddCheckpointRequest.Parse(input).ToBytes());
    }

    /// <summary>Whoever asks whatever: what is cosigned was signed by the log and extends the last one, and an honest log has no fork.</summary>
    [Fact]
    public async Task A_witness_that_is_asked_by_strangers()
    {
        using var bench = new WitnessBench();
        var request = await bench.RequestAsync(OldSize, NewSize);
        var (old, signed) = (await bench.SignedAsync(OldSize), SignedNote.Parse(request.Checkpoint.Span).Text);
        Fuzz.Parser(
            [request.ToBytes()],
            input =>
            {
                var state = new MemoryState { Note = old.Note };
                using var witness = bench.Open(state, new NoForks());
                var answer = witness.AddCheckpointAsync(input, TestContext.Current.CancellationToken).GetAwaiter().GetResult();
                Assert.Contains(answer.Status, (int[])[200, 400, 403, 404, 409, 422]);
                Assert.EndsWith("\n", answer.Body, StringComparison.Ordinal);
                var kept = SignedNote.Parse(state.Note).Text;
                if (answer.Status != 200)
                {
                    Assert.Same(old.Note, state.Note);
                    throw new FormatException(answer.Body);
                }

                Assert.Equal(signed, kept);
                return input;
            });
    }

    /// <summary>A cosignature that is taken is the witness's own, whatever stands around it.</summary>
    [Fact]
    public void Cosignatures_that_a_witness_answers() => Fuzz.Parser(
        [Bytes(GoldenLog.Cosignature), Bytes($"{GoldenLog.Cosignature}{GoldenLog.Cosignature}")],
        input =>
        {
            var golden = NoteVerifier.VerifyCheckpoint(Bytes(GoldenLog.Checkpoint), VerifierKey.Parse(GoldenLog.LogKey)).Checkpoint;
            var cosigned = Ask(golden, Bytes(GoldenLog.Checkpoint), GoldenLog.Instance, (HttpStatusCode.OK, "text/plain", input));
            Assert.Equal(GoldenLog.Cosignature, $"{cosigned.ToLine()}\n");
            return input;
        },
        [typeof(WitnessRefusedException)], iterations: 1_000);

    /// <summary>The size that a witness names is a number in one spelling, not larger than the checkpoint's.</summary>
    [Fact]
    public async Task Sizes_that_a_witness_answers()
    {
        using var bench = new WitnessBench();
        using var key = GoldenLog.WitnessSigner();
        var (signed, tiles) = (await bench.SignedAsync(NewSize), WitnessBench.Tiles(NewSize));
        var good = Bytes($"{key.Cosign(SignedNote.Parse(signed.Note).Text, GoldenLog.CosignedAt).ToLine()}\n");
        Fuzz.Parser(
            [Bytes("0\n"), Bytes("1\n"), Bytes("19\n"), Bytes("20\n")],
            input =>
            {
                Ask(signed.Checkpoint, signed.Note, tiles, (HttpStatusCode.Conflict, Witness.SizeType, input), (HttpStatusCode.OK, "text/plain", good));
                var size = long.Parse(Encoding.ASCII.GetString(input), CultureInfo.InvariantCulture);
                Assert.InRange(size, 0, NewSize);
                return Bytes(string.Create(CultureInfo.InvariantCulture, $"{size}\n"));
            },
            [typeof(WitnessRefusedException)], iterations: 1_000);
    }

    [Fact]
    public void Checkpoints_that_a_witness_shows() => Fuzz.Parser(
        [Bytes(GoldenLog.Checkpoint), Bytes(GoldenLog.Checkpoint + GoldenLog.Cosignature)],
        input =>
        {
            using var http = new HttpClient(new Answers((HttpStatusCode.OK, "text/plain", input)));
            var shown = Client(http).ShownAsync(GoldenLog.Origin, [VerifierKey.Parse(GoldenLog.LogKey)], TestContext.Current.CancellationToken).GetAwaiter().GetResult();
            Assert.Equal(GoldenLog.Size, (shown ?? throw new FormatException("nothing shown")).Checkpoint.Size);
            return shown.Value.Note;
        },
        iterations: 1_000);

    private static NoteSignature Ask(
        Checkpoint checkpoint, byte[] note, ITileReader tiles, params (HttpStatusCode Status, string Type, byte[] Body)[] answers)
    {
        using var http = new HttpClient(new Answers(answers));
        return Client(http).CosignAsync(checkpoint, note, tiles, TestContext.Current.CancellationToken).GetAwaiter().GetResult();
    }

    private static WitnessClient Client(HttpClient http) => new(http, new PolicyWitness("w1", WitnessKey, new Uri("http://127.0.0.1:1/w")));

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>Gives these answers one after the other, the last one for good.</summary>
    private sealed class Answers(params (HttpStatusCode Status, string Type, byte[] Body)[] answers) : HttpMessageHandler
    {
        private int _next;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var (status, type, body) = answers[Math.Min(_next++, answers.Length - 1)];
            var content = new ByteArrayContent(body);
            content.Headers.ContentType = new MediaTypeHeaderValue(type);
            return Task.FromResult(new HttpResponseMessage(status) { Content = content });
        }
    }

    /// <summary>A witness's state of one log, in memory.</summary>
    private sealed class MemoryState : ICheckpointLock
    {
        public required byte[] Note { get; set; }

        public Task<byte[]?> ReadAsync(string shard, CancellationToken cancellationToken) => Task.FromResult<byte[]?>(Note);

        public Task SwapAsync(string shard, byte[]? expected, byte[] next, CancellationToken cancellationToken)
        {
            Assert.Same(Note, expected);
            Note = next;
            return Task.CompletedTask;
        }
    }

    /// <summary>A path that leads to another root than was signed would be evidence of a fork, which an honest log never made.</summary>
    private sealed class NoForks : IShownConflicts
    {
        public Task KeepAsync(ShownConflict conflict)
        {
            Assert.Null(conflict.Proof);
            return Task.CompletedTask;
        }

        public Task ExtendsAsync(Checkpoint checkpoint) => Task.CompletedTask;
    }
}
