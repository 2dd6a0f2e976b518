using System.Net;
using System.Text;
using System.Text.Json;
using Lumora.Chain.Notes;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Programs;
using Lumora.Chain.Solana.Rpc;
using Lumora.Chain.Tests.Solana;
using Lumora.Chain.Verification;
using SimpleBase;

namespace Lumora.Chain.Tests.Fuzzing;

/// <summary>Fuzzers of what comes from the chain: messages, transactions, and the memos in them.</summary>
public sealed class SolanaFuzzTests
{
    /// <summary>Addresses are kept as base58 and decoded whenever their bytes are asked for.</summary>
    private const long Base58BytesPerByte = 1_000;

    private static readonly Keypair Payer = Keypair.FromSeed([.. Enumerable.Repeat((byte)3, 32)]);
    private static readonly VerifierKey Log = VerifierKey.Parse(GoldenLog.LogKey);

    private static readonly byte[][] Wires =
        [.. SolanaVectors.Load().Transactions.Select(vector => Convert.FromBase64String(vector.Wire))];

    [Fact]
    public void Messages() =>
        Fuzz.Parser([.. Wires.Select(wire => Transaction.Deserialize(wire).MessageBytes)], input => Message.Deserialize(input).Serialize(),
            allocatedPerByte: Base58BytesPerByte);

    [Fact]
    public void Transactions() => Fuzz.Parser(Wires, input =>
    {
        var transaction = Transaction.Deserialize(input);
        // Whether the signatures hold may be asked of anything that was read.
        if (transaction.SignaturesVerify())
            Assert.Contains(input, Wires);
        Assert.Equal(transaction.MessageBytes, transaction.Message.Serialize());
        return transaction.Serialize();
    },
    allocatedPerByte: Base58BytesPerByte);

    /// <summary>The server answers what it likes, under the signature that the bytes have.</summary>
    [Fact]
    public async Task Answers_of_a_server_that_lies()
    {
        var good = Signed(Encoding.UTF8.GetBytes(GoldenLog.Checkpoint));
        Assert.Equal(GoldenLog.Size, (await AskAsync(good))!.Checkpoint.Size);
        Fuzz.Parser(
            [good.Serialize()],
            input =>
            {
                // Bytes that are no transaction have no signature: any will do.
                var signature = input.Length > 65 ? Base58.Bitcoin.Encode(input.AsSpan(1, 64)) : "1";
                var found = AskAsync(signature, input).GetAwaiter().GetResult();
                Assert.Equal(GoldenLog.Checkpoint, Encoding.UTF8.GetString((found ?? throw new FormatException("nothing found")).Note));
                return input;
            },
            [typeof(FormatException), typeof(VerificationException)], iterations: 1_000);
    }

    /// <summary>Anybody can get a memo finalized: one that is found is signed by the log.</summary>
    [Fact]
    public void Memos_of_strangers() => Fuzz.Parser(
        [Encoding.UTF8.GetBytes(GoldenLog.Checkpoint)],
        input =>
        {
            var found = AskAsync(Signed([.. input.Take(MemoProgram.BytesMax)])).GetAwaiter().GetResult();
            Assert.Equal(GoldenLog.Size, (found ?? throw new FormatException("nothing found")).Checkpoint.Size);
            return found.Note;
        },
        iterations: 1_000);

    private static Transaction Signed(byte[] memo) => Transaction.Sign(
        Message.Compile(Payer.PublicKey, Payer.PublicKey.Key, [new TransactionInstruction(MemoProgram.ProgramId, [], memo)]), Payer);

    private static Task<MemoCheckpoint?> AskAsync(Transaction transaction) => AskAsync(transaction.Signature, transaction.Serialize());

    private static async Task<MemoCheckpoint?> AskAsync(string signature, byte[] wire)
    {
        using var http = new HttpClient(new OneAnswer(wire));
        return await MemoCheckpoints.ReadAsync(new RpcClient(http, new Uri("http://127.0.0.1:1")), signature, [Log], TestContext.Current.CancellationToken);
    }

    /// <summary>The wire of an RPC server with one transaction.</summary>
    private sealed class OneAnswer(byte[] wire) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK)
            {
                Content = new StringContent(JsonSerializer.Serialize(new
                {
                    jsonrpc = "2.0",
                    id = 1,
                    result = new { slot = 7, blockTime = 1_700_000_000, transaction = new[] { Convert.ToBase64String(wire), "base64" }, meta = new { err = (object?)null } },
                })),
            });
    }
}
