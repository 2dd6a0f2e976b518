using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Rpc;

namespace Lumora.Chain.Tests.Fuzzing;

/// <summary>Fuzzer of what a server notifies of over a WebSocket: a subscription gives it out or ends by one of Solana's exceptions.</summary>
public sealed class StreamFuzzTests : IDisposable
{
    private const string Hash = "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG";

    private readonly HttpListener _listener = new();
    private readonly Uri _address;

    public StreamFuzzTests()
    {
        var port = FreePort();
        _address = new Uri(string.Create(CultureInfo.InvariantCulture, $"ws://127.0.0.1:{port}/"));
        _listener.Prefixes.Add(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/"));
        _listener.Start();
    }

    public void Dispose() => _listener.Close();

    [Theory]
    [InlineData("slots", """{"slot":9,"parent":8,"root":1}""")]
    [InlineData("account", $$"""{"context":{"slot":9},"value":{"lamports":1,"owner":"{{Hash}}","data":["AQID","base64"],"executable":false} }""")]
    [InlineData("logs", """{"context":{"slot":9},"value":{"signature":"x","err":null,"logs":["a"]} }""")]
    [InlineData("signature", """{"context":{"slot":9},"value":{"err":null} }""")]
    public void Notifications(string kind, string result)
    {
        // One connection at a time: the next message is for whoever connects next.
        var turn = new Lock();
        Fuzz.Parser(
            [Encoding.UTF8.GetBytes($$"""{"jsonrpc":"2.0","method":"notification","params":{"subscription":1,"result":{{result}} } }""")],
            input =>
            {
                lock (turn)
                    return ExchangeAsync(kind, input).GetAwaiter().GetResult();
            },
            [typeof(RpcUnavailableException), typeof(RpcErrorException)], iterations: 150, allocatedPerByte: 400);
    }

    private async Task<byte[]> ExchangeAsync(string kind, byte[] message)
    {
        var serving = ServeAsync(message);
        try
        {
            await TakeAsync(new StreamingRpcClient(_address), kind);
            return message;
        }
        finally
        {
            await serving;
        }
    }

    private static async Task TakeAsync(StreamingRpcClient client, string kind)
    {
        var ct = TestContext.Current.CancellationToken;
        switch (kind)
        {
            case "slots":
                await FirstAsync(client.SlotsAsync(ct));
                break;
            case "account":
                await FirstAsync(client.AccountAsync(new PublicKey(Hash), ct: ct));
                break;
            case "logs":
                await FirstAsync(client.LogsAsync(new PublicKey(Hash), ct: ct));
                break;
            default:
                await client.SignatureAsync("x", ct: ct);
                break;
        }
    }

    private static async Task FirstAsync<T>(IAsyncEnumerable<T> notifications)
    {
        await foreach (var _ in notifications)
            return;
        throw new RpcUnavailableException("It ended.");
    }

    /// <summary>Confirms the subscription, sends the message and hangs up.</summary>
    private async Task ServeAsync(byte[] message)
    {
        var ct = TestContext.Current.CancellationToken;
        using var socket = (await (await _listener.GetContextAsync()).AcceptWebSocketAsync(null)).WebSocket;
        try
        {
            await socket.ReceiveAsync(new byte[4_096], ct);
            await socket.SendAsync("""{"jsonrpc":"2.0","result":1,"id":1}"""u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, ct);
            await socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, ct);
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, ct);
        }
        catch (Exception gone) when (gone is WebSocketException or HttpListenerException or IOException or ObjectDisposedException)
        {
            // Who asked has what it wanted.
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
