using System.Net;
using System.Text;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Rpc;

namespace Lumora.Chain.Tests.Fuzzing;

/// <summary>
/// Fuzzers of what an RPC server answers. Its caller hears of a fault by Solana's exceptions alone: that is how one server of several
/// is passed over.
/// </summary>
public sealed class RpcFuzzTests
{
    private const string Hash = "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG";
    private const string Signature = "5VERv8NMvzbJMEkV8xnrLkEaWRtSz9CosKDYjCJjBRnbJLgp8uirBgmQpjKhoR4tjF3ZpRzrFmBV6UjKdiSZkQUW";

    private static readonly Type[] Refusals = [typeof(RpcUnavailableException), typeof(RpcErrorException), typeof(TransactionRefusedException)];
    private static readonly PublicKey Account = new(Hash);

    /// <summary>Each call with results that are good.</summary>
    private static readonly Dictionary<string, (Func<IRpcClient, Task> Call, string[] Results)> Calls = new(StringComparer.Ordinal)
    {
        ["getHealth"] = (rpc => rpc.GetHealthAsync(), ["\"ok\""]),
        ["getVersion"] = (rpc => rpc.GetVersionAsync(), ["""{"solana-core":"2.1.0","feature-set":1}"""]),
        ["getGenesisHash"] = (rpc => rpc.GetGenesisHashAsync(), [$"\"{Hash}\""]),
        ["getSlot"] = (rpc => rpc.GetSlotAsync(), ["1", "18446744073709551615"]),
        ["getFirstAvailableBlock"] = (rpc => rpc.GetFirstAvailableBlockAsync(), ["0"]),
        ["getBlockHeight"] = (rpc => rpc.GetBlockHeightAsync(), ["7"]),
        ["getBlock"] = (rpc => rpc.GetBlockAsync(7), [
            $$"""{"blockhash":"{{Hash}}","previousBlockhash":"{{Hash}}","parentSlot":6,"blockHeight":5,"blockTime":1700000000,"signatures":["{{Signature}}"]}""",
            $$"""{"blockhash":"{{Hash}}","previousBlockhash":"{{Hash}}","parentSlot":6,"blockHeight":null,"blockTime":null}""", "null"]),
        ["getBlocks"] = (rpc => rpc.GetBlocksAsync(1, 3), ["[1,2,3]"]),
        ["getBlockTime"] = (rpc => rpc.GetBlockTimeAsync(7), ["1700000000", "null"]),
        ["getRecentPrioritizationFees"] = (rpc => rpc.GetRecentPrioritizationFeesAsync([Account]), ["""[{"slot":1,"prioritizationFee":5}]"""]),
        ["getLatestBlockhash"] = (rpc => rpc.GetLatestBlockhashAsync(), [At($$"""{"blockhash":"{{Hash}}","lastValidBlockHeight":157}""")]),
        ["isBlockhashValid"] = (rpc => rpc.IsBlockhashValidAsync(Hash), [At("true")]),
        ["getMinimumBalanceForRentExemption"] = (rpc => rpc.GetMinimumBalanceForRentExemptionAsync(165), ["2039280"]),
        ["getBalance"] = (rpc => rpc.GetBalanceAsync(Account), [At("1000000000")]),
        ["getAccountInfo"] = (rpc => rpc.GetAccountInfoAsync(Account), [At(Info), At("null")]),
        ["getMultipleAccounts"] = (rpc => rpc.GetMultipleAccountsAsync([Account]), [At($"[{Info},null]")]),
        ["getTokenAccountBalance"] = (rpc => rpc.GetTokenAccountBalanceAsync(Account), [At("""{"amount":"18446744073709551615","decimals":9,"uiAmountString":"1"}""")]),
        ["getTokenAccountsByOwner"] = (rpc => rpc.GetTokenAccountsByOwnerAsync(Account, Account), [At($$"""[{"account":{{Info}},"pubkey":"{{Hash}}"}]""")]),
        ["getSignaturesForAddress"] = (rpc => rpc.GetSignaturesForAddressAsync(Account), [
            $$$"""[{"signature":"{{{Signature}}}","slot":9,"blockTime":1700000000,"err":null},{"signature":"{{{Signature}}}","slot":8,"err":{"InstructionError":[0,{"Custom":1}]}}]"""]),
        ["getSignatureStatuses"] = (rpc => rpc.GetSignatureStatusesAsync([Signature]), [
            At("""[{"slot":9,"confirmations":null,"err":null,"confirmationStatus":"finalized"},null,{"slot":9,"err":{},"confirmationStatus":"processed"}]""")]),
        ["getTransaction"] = (rpc => rpc.GetTransactionAsync(Signature), [
            """{"slot":7,"blockTime":1700000000,"transaction":["AQID","base64"],"meta":{"err":null,"logMessages":["Program log: x"]}}""", "null"]),
        ["sendTransaction"] = (rpc => rpc.SendTransactionAsync(new byte[3]), [$"\"{Signature}\""]),
        ["simulateTransaction"] = (rpc => rpc.SimulateTransactionAsync(new byte[3]), [At("""{"err":null,"logs":["a"],"unitsConsumed":150}""")]),
        ["requestAirdrop"] = (rpc => rpc.RequestAirdropAsync(Account, 1), [$"\"{Signature}\""]),
    };

    private static string Info => $$"""{"lamports":1,"owner":"{{Hash}}","data":["AQID","base64"],"executable":false,"rentEpoch":18446744073709551615}""";

    public static TheoryData<string> Methods => [.. Calls.Keys];

    [Theory]
    [MemberData(nameof(Methods))]
    public void Answers(string method)
    {
        var (call, results) = Calls[method];
        Fuzz.Parser([.. results.Select(result => Answer($"\"result\":{result}"))], input => Ask(call, input), Refusals, iterations: 600);
    }

    /// <summary>Errors are answers, too: each is one of Solana's exceptions, which the seeds show with its code.</summary>
    [Fact]
    public void Errors() => Fuzz.Parser(
        [
            Answer("""
                "error":{"code":-32002,"message":"Simulation failed","data":{"err":"BlockhashNotFound","logs":["a"],"accounts":null}}
                """),
            Answer("""
                "error":{"code":-32005,"message":"Node is behind","data":{"numSlotsBehind":42}}
                """),
            Answer("\"error\":null,\"result\":\"x\""),
        ],
        input =>
        {
            try
            {
                return Ask(rpc => rpc.SendTransactionAsync(new byte[3]), input);
            }
            catch (RpcErrorException error) when (error.Code is -32002 or -32005)
            {
                return input;
            }
        },
        Refusals);

    [Theory]
    [InlineData("""{"code":-32005,"message":"Node is behind","data":{"numSlotsBehind":42}}""")]
    [InlineData("""{"code":-32002,"message":"Simulation failed","data":{"err":"BlockhashNotFound","logs":["a",null]}}""")]
    [InlineData("""{"code":1e9}""")]
    [InlineData("""{"code":"x","message":"y"}""")]
    [InlineData("""{"code":1.5,"message":"y"}""")]
    [InlineData("""{"message":"no code"}""")]
    [InlineData("""{"code":-32002,"message":"\ud800","data":{"err":"\ud800","logs":["\ud800"]}}""")]
    [InlineData("""{"code":-32002,"message":1,"data":{"err":{},"logs":[1]}}""")]
    public void An_error_of_any_form_is_an_exception_of_Solana(string error) =>
        Assert.IsType<SolanaException>(
            Record.Exception(() => Ask(rpc => rpc.SendTransactionAsync(new byte[3]), Answer($"\"error\":{error}"))), exactMatch: false);

    private static string At(string value) => $$"""{"context":{"slot":9,"apiVersion":"2.1.0"},"value":{{value}}}""";

    private static byte[] Answer(string member) => Encoding.UTF8.GetBytes($$"""{"jsonrpc":"2.0",{{member}},"id":1}""");

    private static byte[] Ask(Func<IRpcClient, Task> call, byte[] answer)
    {
        using var http = new HttpClient(new OneAnswer(answer));
        call(new RpcClient(http, new Uri("http://127.0.0.1:1"))).GetAwaiter().GetResult();
        return answer;
    }

    private sealed class OneAnswer(byte[] body) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent(body) });
    }
}
