using System.Text.Json;

namespace Lumora.Chain.Solana.Rpc;

/// <summary>A value and the slot at which it was true.</summary>
/// <param name="Slot">Slot of the answer.</param>
/// <param name="Value">The value.</param>
public sealed record ResponseValue<T>(ulong Slot, T Value);

/// <summary>A blockhash and how long it lives.</summary>
/// <param name="Blockhash">Base58.</param>
/// <param name="LastValidBlockHeight">Last block height that accepts it.</param>
public sealed record LatestBlockhash(string Blockhash, ulong LastValidBlockHeight);

/// <summary>An account.</summary>
/// <param name="Lamports">Balance in lamports.</param>
/// <param name="Owner">Program that owns it.</param>
/// <param name="Data">Its bytes.</param>
/// <param name="Executable">It is a program.</param>
public sealed record AccountInfo(ulong Lamports, PublicKey Owner, byte[] Data, bool Executable);

/// <summary>An account with its address.</summary>
/// <param name="PublicKey">The address.</param>
/// <param name="Account">The account.</param>
public sealed record KeyedAccount(PublicKey PublicKey, AccountInfo Account);

/// <summary>An amount of tokens.</summary>
/// <param name="Amount">Base units.</param>
/// <param name="Decimals">Decimals of the mint.</param>
public sealed record TokenBalance(ulong Amount, int Decimals);

/// <summary>Where a transaction stands.</summary>
/// <param name="Slot">Slot of its block.</param>
/// <param name="Commitment">How sure it is.</param>
/// <param name="Error">Solana's JSON of the failure; null on success.</param>
public sealed record SignatureStatus(ulong Slot, Commitment Commitment, string? Error);

/// <summary>A row of an address's history.</summary>
/// <param name="Signature">Base58.</param>
/// <param name="Slot">Slot of its block.</param>
/// <param name="BlockTime">Time of the block, where known.</param>
/// <param name="Error">Solana's JSON of the failure; null on success.</param>
public sealed record SignatureInfo(string Signature, ulong Slot, DateTimeOffset? BlockTime, string? Error);

/// <summary>A transaction read back.</summary>
/// <param name="Slot">Slot of its block.</param>
/// <param name="BlockTime">Time of the block, where known.</param>
/// <param name="Raw">Wire bytes.</param>
/// <param name="Error">Solana's JSON of the failure; null on success.</param>
/// <param name="Logs">What the programs logged.</param>
public sealed record TransactionRecord(
    ulong Slot, DateTimeOffset? BlockTime, byte[] Raw, string? Error, IReadOnlyList<string> Logs);

/// <summary>A block without its transactions' bodies.</summary>
/// <param name="Blockhash">Base58.</param>
/// <param name="PreviousBlockhash">Base58 of the parent's.</param>
/// <param name="ParentSlot">Slot of the parent.</param>
/// <param name="BlockHeight">Height, where known.</param>
/// <param name="BlockTime">Time, where known.</param>
/// <param name="Signatures">Its transactions, in order.</param>
public sealed record BlockInfo(
    string Blockhash, string PreviousBlockhash, ulong ParentSlot, ulong? BlockHeight, DateTimeOffset? BlockTime,
    IReadOnlyList<string> Signatures);

/// <summary>What a simulation says.</summary>
/// <param name="Error">Solana's JSON of the failure; null on success.</param>
/// <param name="Logs">What the programs logged.</param>
/// <param name="UnitsConsumed">Compute units.</param>
public sealed record SimulationResult(string? Error, IReadOnlyList<string> Logs, ulong UnitsConsumed);

/// <summary>A priority fee that was paid lately.</summary>
/// <param name="Slot">Slot.</param>
/// <param name="MicroLamports">Millionths of a lamport a compute unit.</param>
public sealed record PrioritizationFee(ulong Slot, ulong MicroLamports);

/// <summary>Reading of answers.</summary>
internal static class RpcJson
{
    /// <summary>True of what readers of JSON throw at a value of another form than they expect: the server's fault.</summary>
    public static bool IsOfOtherForm(Exception exception) => exception is InvalidOperationException or KeyNotFoundException or FormatException
        or IndexOutOfRangeException or ArgumentException or OverflowException;

    public static DateTimeOffset? Time(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
            ? DateTimeOffset.FromUnixTimeSeconds(value.GetInt64())
            : null;

    public static string? Error(JsonElement parent) =>
        parent.TryGetProperty("err", out var value) && value.ValueKind != JsonValueKind.Null ? value.GetRawText() : null;

    public static IReadOnlyList<string> Strings(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Select(item => item.GetString() ?? "")]
            : [];

    public static AccountInfo? Account(JsonElement value) => value.ValueKind == JsonValueKind.Null
        ? null
        : new AccountInfo(
            value.GetProperty("lamports").GetUInt64(), new PublicKey(value.GetProperty("owner").GetString()!),
            value.GetProperty("data")[0].GetBytesFromBase64(), value.GetProperty("executable").GetBoolean());

    public static TokenBalance Tokens(JsonElement value) => new(
        ulong.Parse(value.GetProperty("amount").GetString()!, System.Globalization.CultureInfo.InvariantCulture),
        value.GetProperty("decimals").GetInt32());
}
