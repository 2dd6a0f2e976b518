using System.Text.Json;

namespace Lumora.Chain.Solana.Rpc;

/// <summary>Anything that keeps an RPC call from its answer.</summary>
public abstract class SolanaException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// No usable answer: connection, time limit, HTTP error, garbage. Whether a sent transaction was taken is unknown;
/// sending the same bytes again is safe.
/// </summary>
public sealed class RpcUnavailableException(string message, Exception? inner = null) : SolanaException(message, inner);

/// <summary>The server answered with a JSON-RPC error.</summary>
public class RpcErrorException(int code, string message, JsonElement? data = null) : SolanaException(message)
{
    /// <summary>The preflight simulation failed; <see cref="TransactionRefusedException"/> carries why.</summary>
    public const int PreflightFailure = -32002;

    /// <summary>The server is behind or unhealthy.</summary>
    public const int NodeUnhealthy = -32005;

    /// <summary>The server has not reached the slot asked for yet.</summary>
    public const int MinContextSlotNotReached = -32016;

    /// <summary>The JSON-RPC code.</summary>
    public int Code { get; } = code;

    /// <summary>The error's data, where there is some.</summary>
    public JsonElement? Details { get; } = data;
}

/// <summary>A transaction was refused before it entered the network; nothing has happened.</summary>
public sealed class TransactionRefusedException(string message, string reason, IReadOnlyList<string> logs)
    : RpcErrorException(PreflightFailure, message)
{
    /// <summary>The error in Solana's JSON, for example <c>"BlockhashNotFound"</c>.</summary>
    public string Reason { get; } = reason;

    /// <summary>What the programs logged.</summary>
    public IReadOnlyList<string> Logs { get; } = logs;

    /// <summary>The blockhash is too old or unknown.</summary>
    public bool IsBlockhashNotFound => Reason.Contains("BlockhashNotFound", StringComparison.Ordinal);

    /// <summary>The same transaction is on the chain already.</summary>
    public bool IsAlreadyProcessed => Reason.Contains("AlreadyProcessed", StringComparison.Ordinal);
}
