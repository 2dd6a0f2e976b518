using System.Text.Json;

namespace Lumora.Chain.Solana.Rpc;

/// <summary>Solana's JSON-RPC over HTTP at one server.</summary>
/// <param name="http">Its connections; not disposed here.</param>
/// <param name="address">The server. Its path may hold an access key and is not shown in errors.</param>
/// <param name="timeout">Limit of one call; 10 s when null.</param>
public sealed class RpcClient(HttpClient http, Uri address, TimeSpan? timeout = null) : IRpcClient
{
    private const int SlotSkipped = -32007;
    private const int LongTermStorageSlotSkipped = -32009;

    private readonly RpcTransport _rpc = new(http, address, timeout ?? TimeSpan.FromSeconds(10));

    /// <inheritdoc/>
    public Uri NodeAddress => _rpc.Address;

    /// <inheritdoc/>
    public async Task<bool> GetHealthAsync(CancellationToken ct = default)
    {
        try
        {
            return await Call("getHealth", answer => answer.GetString() == "ok", ct);
        }
        catch (RpcErrorException fault) when (fault.Code == RpcErrorException.NodeUnhealthy)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public async Task<string> GetVersionAsync(CancellationToken ct = default) =>
        await Call("getVersion", answer => Text(answer.GetProperty("solana-core")), ct);

    /// <inheritdoc/>
    public async Task<string> GetGenesisHashAsync(CancellationToken ct = default) =>
        await Call("getGenesisHash", Text, ct);

    /// <inheritdoc/>
    public async Task<ulong> GetSlotAsync(Commitment commitment = Commitment.Finalized, CancellationToken ct = default) =>
        await Call("getSlot", answer => answer.GetUInt64(), ct, At(commitment));

    /// <inheritdoc/>
    public async Task<ulong> GetFirstAvailableBlockAsync(CancellationToken ct = default) =>
        await Call("getFirstAvailableBlock", answer => answer.GetUInt64(), ct);

    /// <inheritdoc/>
    public async Task<ulong> GetBlockHeightAsync(
        Commitment commitment = Commitment.Finalized, CancellationToken ct = default) =>
        await Call("getBlockHeight", answer => answer.GetUInt64(), ct, At(commitment));

    /// <inheritdoc/>
    public async Task<BlockInfo?> GetBlockAsync(
        ulong slot, Commitment commitment = Commitment.Finalized, CancellationToken ct = default)
    {
        try
        {
            return await Call("getBlock", Block, ct, slot, new
            {
                commitment = Name(commitment),
                transactionDetails = "signatures",
                rewards = false,
                maxSupportedTransactionVersion = 0,
            });
        }
        catch (RpcErrorException fault) when (fault.Code is SlotSkipped or LongTermStorageSlotSkipped)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ulong>> GetBlocksAsync(
        ulong start, ulong end, Commitment commitment = Commitment.Finalized, CancellationToken ct = default) =>
        await Call<IReadOnlyList<ulong>>(
            "getBlocks", answer => [.. answer.EnumerateArray().Select(slot => slot.GetUInt64())], ct, start, end, At(commitment));

    /// <inheritdoc/>
    public async Task<DateTimeOffset?> GetBlockTimeAsync(ulong slot, CancellationToken ct = default) =>
        await Call<DateTimeOffset?>(
            "getBlockTime", time => time.ValueKind == JsonValueKind.Null ? null : DateTimeOffset.FromUnixTimeSeconds(time.GetInt64()), ct, slot);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<PrioritizationFee>> GetRecentPrioritizationFeesAsync(
        IReadOnlyList<PublicKey> accounts, CancellationToken ct = default) =>
        await Call<IReadOnlyList<PrioritizationFee>>(
            "getRecentPrioritizationFees",
            answer =>
            [
                .. answer.EnumerateArray().Select(fee => new PrioritizationFee(
                    fee.GetProperty("slot").GetUInt64(), fee.GetProperty("prioritizationFee").GetUInt64())),
            ],
            ct, accounts.Select(key => key.Key));

    /// <inheritdoc/>
    public async Task<ResponseValue<LatestBlockhash>> GetLatestBlockhashAsync(
        Commitment commitment = Commitment.Finalized, CancellationToken ct = default) =>
        await Call("getLatestBlockhash", WithSlot(value => new LatestBlockhash(
            Text(value.GetProperty("blockhash")), value.GetProperty("lastValidBlockHeight").GetUInt64())), ct, At(commitment));

    /// <inheritdoc/>
    public async Task<bool> IsBlockhashValidAsync(
        string blockhash, Commitment commitment = Commitment.Finalized, CancellationToken ct = default) =>
        await Call("isBlockhashValid", answer => answer.GetProperty("value").GetBoolean(), ct, blockhash, At(commitment));

    /// <inheritdoc/>
    public async Task<ulong> GetMinimumBalanceForRentExemptionAsync(int dataLength, CancellationToken ct = default) =>
        await Call("getMinimumBalanceForRentExemption", answer => answer.GetUInt64(), ct, dataLength);

    /// <inheritdoc/>
    public async Task<ResponseValue<ulong>> GetBalanceAsync(
        PublicKey account, Commitment commitment = Commitment.Finalized, CancellationToken ct = default) =>
        await Call("getBalance", WithSlot(value => value.GetUInt64()), ct, account.Key, At(commitment));

    /// <inheritdoc/>
    public async Task<ResponseValue<AccountInfo?>> GetAccountInfoAsync(
        PublicKey account, Commitment commitment = Commitment.Finalized, CancellationToken ct = default) =>
        await Call("getAccountInfo", WithSlot(RpcJson.Account), ct, account.Key, Base64At(commitment));

    /// <inheritdoc/>
    public async Task<ResponseValue<IReadOnlyList<AccountInfo?>>> GetMultipleAccountsAsync(
        IReadOnlyList<PublicKey> accounts, Commitment commitment = Commitment.Finalized,
        CancellationToken ct = default) =>
        await Call(
            "getMultipleAccounts", WithSlot<IReadOnlyList<AccountInfo?>>(value => [.. value.EnumerateArray().Select(RpcJson.Account)]),
            ct, accounts.Select(key => key.Key), Base64At(commitment));

    /// <inheritdoc/>
    public async Task<ResponseValue<TokenBalance>> GetTokenAccountBalanceAsync(
        PublicKey tokenAccount, Commitment commitment = Commitment.Finalized, CancellationToken ct = default) =>
        await Call("getTokenAccountBalance", WithSlot(RpcJson.Tokens), ct, tokenAccount.Key, At(commitment));

    /// <inheritdoc/>
    public async Task<ResponseValue<IReadOnlyList<KeyedAccount>>> GetTokenAccountsByOwnerAsync(
        PublicKey owner, PublicKey mint, Commitment commitment = Commitment.Finalized, CancellationToken ct = default) =>
        await Call(
            "getTokenAccountsByOwner",
            WithSlot<IReadOnlyList<KeyedAccount>>(value =>
            [
                .. value.EnumerateArray().Select(item => new KeyedAccount(
                    new PublicKey(Text(item.GetProperty("pubkey"))),
                    RpcJson.Account(item.GetProperty("account")) ?? throw new FormatException("an account is null"))),
            ]),
            ct, owner.Key, new { mint = mint.Key }, Base64At(commitment));

    /// <inheritdoc/>
    public async Task<IReadOnlyList<SignatureInfo>> GetSignaturesForAddressAsync(
        PublicKey account, int limit = 1000, string? before = null, string? until = null,
        Commitment commitment = Commitment.Finalized, CancellationToken ct = default)
    {
        var options = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["limit"] = limit,
            ["commitment"] = Name(commitment),
        };
        if (before is not null)
            options["before"] = before;
        if (until is not null)
            options["until"] = until;
        return await Call<IReadOnlyList<SignatureInfo>>("getSignaturesForAddress", Page, ct, account.Key, options);

        List<SignatureInfo> Page(JsonElement answer)
        {
            List<SignatureInfo> rows =
            [
                .. answer.EnumerateArray().Select(row => new SignatureInfo(
                    Text(row.GetProperty("signature")), row.GetProperty("slot").GetUInt64(),
                    RpcJson.Time(row, "blockTime"), RpcJson.Error(row))),
            ];
            // Whoever goes on from page to page would go on for ever with a server that passes over what it is asked.
            return rows.Count <= limit && rows.TrueForAll(row => row.Signature != before && row.Signature != until)
                ? rows
                : throw new FormatException("other rows than those that were asked for");
        }
    }

    /// <inheritdoc/>
    public async Task<ResponseValue<IReadOnlyList<SignatureStatus?>>> GetSignatureStatusesAsync(
        IReadOnlyList<string> signatures, bool searchTransactionHistory = false, CancellationToken ct = default) =>
        await Call(
            "getSignatureStatuses", WithSlot<IReadOnlyList<SignatureStatus?>>(value => [.. value.EnumerateArray().Select(Status)]),
            ct, signatures, new { searchTransactionHistory });

    /// <inheritdoc/>
    public async Task<TransactionRecord?> GetTransactionAsync(
        string signature, Commitment commitment = Commitment.Finalized, CancellationToken ct = default) =>
        await Call("getTransaction", Record, ct, signature, new
        {
            encoding = "base64",
            commitment = Name(commitment),
            maxSupportedTransactionVersion = 0,
        });

    /// <inheritdoc/>
    public async Task<string> SendTransactionAsync(
        ReadOnlyMemory<byte> transaction, bool skipPreflight = false,
        Commitment preflightCommitment = Commitment.Confirmed, CancellationToken ct = default) =>
        await Call("sendTransaction", Text, ct, Convert.ToBase64String(transaction.Span), new
        {
            encoding = "base64",
            skipPreflight,
            preflightCommitment = Name(preflightCommitment),
        });

    /// <inheritdoc/>
    public async Task<ResponseValue<SimulationResult>> SimulateTransactionAsync(
        ReadOnlyMemory<byte> transaction, Commitment commitment = Commitment.Confirmed, CancellationToken ct = default) =>
        await Call(
            "simulateTransaction",
            WithSlot(value => new SimulationResult(
                RpcJson.Error(value), RpcJson.Strings(value, "logs"),
                value.TryGetProperty("unitsConsumed", out var units) && units.ValueKind == JsonValueKind.Number
                    ? units.GetUInt64()
                    : 0)),
            ct, Convert.ToBase64String(transaction.Span), Base64At(commitment));

    /// <inheritdoc/>
    public async Task<string> RequestAirdropAsync(
        PublicKey recipient, ulong lamports, CancellationToken ct = default) =>
        await Call("requestAirdrop", Text, ct, recipient.Key, lamports);

    internal static string Name(Commitment commitment) => commitment switch
    {
        Commitment.Processed => "processed",
        Commitment.Confirmed => "confirmed",
        _ => "finalized",
    };

    private static object At(Commitment commitment) => new { commitment = Name(commitment) };

    private static object Base64At(Commitment commitment) =>
        new { encoding = "base64", commitment = Name(commitment) };

    private static Func<JsonElement, ResponseValue<T>> WithSlot<T>(Func<JsonElement, T> read) => answer =>
        new(answer.GetProperty("context").GetProperty("slot").GetUInt64(), read(answer.GetProperty("value")));

    private static string Text(JsonElement value) => value.GetString() ?? throw new FormatException("null where text belongs");

    private static BlockInfo? Block(JsonElement block)
    {
        if (block.ValueKind == JsonValueKind.Null)
            return null;
        var height = block.GetProperty("blockHeight");
        return new BlockInfo(
            Text(block.GetProperty("blockhash")), Text(block.GetProperty("previousBlockhash")),
            block.GetProperty("parentSlot").GetUInt64(),
            height.ValueKind == JsonValueKind.Null ? null : height.GetUInt64(),
            RpcJson.Time(block, "blockTime"), RpcJson.Strings(block, "signatures"));
    }

    private static TransactionRecord? Record(JsonElement found)
    {
        if (found.ValueKind == JsonValueKind.Null)
            return null;
        var meta = found.GetProperty("meta");
        return new TransactionRecord(
            found.GetProperty("slot").GetUInt64(), RpcJson.Time(found, "blockTime"),
            found.GetProperty("transaction")[0].GetBytesFromBase64(), RpcJson.Error(meta),
            RpcJson.Strings(meta, "logMessages"));
    }

    private static SignatureStatus? Status(JsonElement value) => value.ValueKind == JsonValueKind.Null
        ? null
        : new SignatureStatus(
            value.GetProperty("slot").GetUInt64(),
            value.GetProperty("confirmationStatus").GetString() switch
            {
                "finalized" => Commitment.Finalized,
                "confirmed" => Commitment.Confirmed,
                _ => Commitment.Processed,
            },
            RpcJson.Error(value));

    private async Task<T> Call<T>(string method, Func<JsonElement, T> read, CancellationToken ct, params object?[] parameters)
    {
        var answer = await _rpc.CallAsync(method, parameters, ct);
        try
        {
            return read(answer);
        }
        catch (Exception exception) when (RpcJson.IsOfOtherForm(exception))
        {
            throw new RpcUnavailableException($"{NodeAddress.Authority} answered {method} in no form that it has: {exception.Message}", exception);
        }
    }
}
