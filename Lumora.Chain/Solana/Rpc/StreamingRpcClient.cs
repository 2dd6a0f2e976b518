using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Lumora.Chain.Solana.Rpc;

/// <summary>A new slot.</summary>
/// <param name="Slot">The slot.</param>
/// <param name="Parent">Its parent.</param>
/// <param name="Root">The newest finalized slot.</param>
public sealed record SlotInfo(ulong Slot, ulong Parent, ulong Root);

/// <summary>What the programs of a transaction logged.</summary>
/// <param name="Signature">Base58.</param>
/// <param name="Error">Solana's JSON of the failure; null on success.</param>
/// <param name="Logs">The lines.</param>
public sealed record TransactionLogs(string Signature, string? Error, IReadOnlyList<string> Logs);

/// <summary>
/// Solana's WebSocket subscriptions. Each has a connection of its own and ends with
/// <see cref="RpcUnavailableException"/> when that breaks: notifications are a hint to look, never the record.
/// </summary>
/// <param name="address">A ws or wss address.</param>
public sealed class StreamingRpcClient(Uri address)
{
    private const int MessageBytesMax = 16 * 1024 * 1024;
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(10);

    /// <summary>Every new slot (slotSubscribe).</summary>
    public IAsyncEnumerable<SlotInfo> SlotsAsync(CancellationToken ct = default) =>
        SubscribeAsync("slotSubscribe", [], result => new SlotInfo(
            result.GetProperty("slot").GetUInt64(), result.GetProperty("parent").GetUInt64(),
            result.GetProperty("root").GetUInt64()), ct);

    /// <summary>An account after each change (accountSubscribe).</summary>
    public IAsyncEnumerable<ResponseValue<AccountInfo?>> AccountAsync(
        PublicKey account, Commitment commitment = Commitment.Finalized, CancellationToken ct = default) =>
        SubscribeAsync(
            "accountSubscribe", [account.Key, new { encoding = "base64", commitment = RpcClient.Name(commitment) }],
            result => WithSlot(result, RpcJson.Account), ct);

    /// <summary>Logs of transactions that mention an address (logsSubscribe).</summary>
    public IAsyncEnumerable<ResponseValue<TransactionLogs>> LogsAsync(
        PublicKey mentions, Commitment commitment = Commitment.Finalized, CancellationToken ct = default) =>
        SubscribeAsync(
            "logsSubscribe",
            [new { mentions = new[] { mentions.Key } }, new { commitment = RpcClient.Name(commitment) }],
            result => WithSlot(result, value => new TransactionLogs(
                value.GetProperty("signature").GetString()!, RpcJson.Error(value), RpcJson.Strings(value, "logs"))),
            ct);

    /// <summary>Waits until a transaction reaches a commitment; the value is its error or null (signatureSubscribe).</summary>
    public async Task<ResponseValue<string?>> SignatureAsync(
        string signature, Commitment commitment = Commitment.Finalized, CancellationToken ct = default)
    {
        var notifications = SubscribeAsync(
            "signatureSubscribe", [signature, new { commitment = RpcClient.Name(commitment) }],
            result => WithSlot(result, RpcJson.Error), ct);
        await foreach (var notification in notifications.WithCancellation(ct))
            return notification;
        throw new RpcUnavailableException($"The subscription at {address.Authority} ended.");
    }

    private static ResponseValue<T> WithSlot<T>(JsonElement result, Func<JsonElement, T> read) =>
        new(result.GetProperty("context").GetProperty("slot").GetUInt64(), read(result.GetProperty("value")));

    private async IAsyncEnumerable<T> SubscribeAsync<T>(
        string method, object[] parameters, Func<JsonElement, T> read, [EnumeratorCancellation] CancellationToken ct)
    {
        using var socket = new ClientWebSocket();
        await ConnectAsync(socket, ct);
        var request = JsonSerializer.SerializeToUtf8Bytes(new { jsonrpc = "2.0", id = 1, method, @params = parameters });
        await socket.SendAsync(request, WebSocketMessageType.Text, endOfMessage: true, ct);
        while (await ReceiveAsync(socket, ct) is { } message)
        {
            using (message)
            {
                if (Read(message.RootElement, method, read) is { } notification)
                    yield return notification.Value;
            }
        }

        throw new RpcUnavailableException($"The subscription at {address.Authority} ended.");
    }

    /// <summary>What a message notifies of; null when it is none, as the first one, which confirms the subscription.</summary>
    private Notification<T>? Read<T>(JsonElement message, string method, Func<JsonElement, T> read)
    {
        try
        {
            if (message.TryGetProperty("error", out var error))
                throw RpcTransport.ToException(error);
            return message.TryGetProperty("params", out var notification) ? new Notification<T>(read(notification.GetProperty("result"))) : null;
        }
        catch (Exception fault) when (RpcJson.IsOfOtherForm(fault))
        {
            throw new RpcUnavailableException($"{address.Authority} sent to {method} what has no form that it has: {fault.Message}", fault);
        }
    }

    private async Task ConnectAsync(ClientWebSocket socket, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(ConnectLimit);
        try
        {
            await socket.ConnectAsync(address, limit.Token);
        }
        catch (Exception fault) when (fault is WebSocketException or OperationCanceledException && !ct.IsCancellationRequested)
        {
            throw new RpcUnavailableException($"No connection to {address.Authority}: {fault.Message}", fault);
        }
    }

    /// <summary>The next message; null when the connection ends.</summary>
    private async Task<JsonDocument?> ReceiveAsync(ClientWebSocket socket, CancellationToken ct)
    {
        using var message = new MemoryStream();
        var buffer = new byte[16 * 1024];
        try
        {
            ValueWebSocketReceiveResult part;
            do
            {
                part = await socket.ReceiveAsync(buffer.AsMemory(), ct);
                if (part.MessageType == WebSocketMessageType.Close || message.Length + part.Count > MessageBytesMax)
                    return null;
                message.Write(buffer, 0, part.Count);
            }
            while (!part.EndOfMessage);
            return JsonDocument.Parse(message.ToArray());
        }
        catch (Exception fault) when (fault is WebSocketException or JsonException)
        {
            throw new RpcUnavailableException($"The subscription at {address.Authority} broke: {fault.Message}", fault);
        }
    }

    private sealed record Notification<T>(T Value);
}
