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
            return (await Call("getHealth", ct)).GetString() == "ok";
        }
        catch (RpcErrorException fault) when (fault.Code == RpcErrorException.NodeUnhealthy)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public async Task<string> GetVersionAsync(CancellationToken ct = default) =>
        (await Call("getVersion", ct)).GetProperty("solana-core").GetString()!;

    /// <inheritdoc/>
    public async Task<string> GetGenesisHashAsync(CancellationToken ct = default) =>
        (await Call("getGenesisHash", ct)).GetString()!;

    /// <inheritdoc/>
    public async Task<ulong> GetSlotAsync(Commitment commitment = Commitment.Finalized, CancellationToken ct = default) =>
        (await Call("getSlot", ct, At(commitment))).GetUInt64();

    /// <inheritdoc/>
    public async Task<ulong> GetBlockHeightAsync(
        Commitment commitment = Commitment.Finalized, CancellationToken ct = default) =>
        (await Call("getBlockHeight", ct, At(commitment))).GetUInt64();

    /// <inheritdoc/>
    public async Task<BlockInfo?> GetBlockAsync(
        ulong slot, Commitment commitment = Commitment.Finalized, CancellationToken ct = default)
    {
        try
        {
            var block = await Call("getBlock", ct, slot, new
            {
                commitment = Name(commitment),
                transactionDetails = "signatures",
                rewards = false,
                maxSupportedTransactionVersion = 0,
            });
            if (block.ValueKind == JsonValueKind.Null)
                return null;
            var height = block.GetProperty("blockHeight");
            return new BlockInfo(
                block.GetProperty("blockhash").GetString()!, block.GetProperty("previousBlockhash").GetString()!,
                block.GetProperty("parentSlot").GetUInt64(),
                height.ValueKind == JsonValueKind.Null ? null : height.GetUInt64(),
                RpcJson.Time(block, "blockTime"), RpcJson.Strings(block, "signatures"));
        }
        catch (RpcErrorException fault) when (fault.Code is SlotSkipped or LongTermStorageSlotSkipped)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ulong>> GetBlocksAsync(
        ulong start, ulong end, Commitment commitment = Commitment.Finalized, CancellationToken ct = default) =>
        [.. (await Call("getBlocks", ct, start, end, At(commitment))).EnumerateArray().Select(slot => slot.GetUInt64())];

    /// <inheritdoc/>
    public async Task<DateTimeOffset?> GetBlockTimeAsync(ulong slot, CancellationToken ct = default)
    {
        var time = await Call("getBlockTime", ct, slot);
        return time.ValueKind == JsonValueKind.Null ? null : DateTimeOffset.FromUnixTimeSeconds(time.GetInt64());
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<PrioritizationFee>> GetRecentPrioritizationFeesAsync(
        IReadOnlyList<PublicKey> accounts, CancellationToken ct = default) =>
    [
        .. (await Call("getRecentPrioritizationFees", ct, accounts.Select(key => key.Key))).EnumerateArray()
            .Select(fee => new PrioritizationFee(
                fee.GetProperty("slot").GetUInt64(), fee.GetProperty("prioritizationFee").GetUInt64())),
    ];

    /// <inheritdoc/>
    public async Task<ResponseValue<LatestBlockhash>> GetLatestBlockhashAsync(
        Commitment commitment = Commitment.Finalized, CancellationToken ct = default) =>
        WithSlot(await Call("getLatestBlockhash", ct, At(commitment)), value => new LatestBlockhash(
            value.GetProperty("blockhash").GetString()!, value.GetProperty("lastValidBlockHeight").GetUInt64()));

    /// <inheritdoc/>
    public async Task<bool> IsBlockhashValidAsync(
        string blockhash, Commitment commitment = Commitment.Finalized, CancellationToken ct = default) =>
        (await Call("isBlockhashValid", ct, blockhash, At(commitment))).GetProperty("value").GetBoolean();

    /// <inheritdoc/>
    public async Task<ulong> GetMinimumBalanceForRentExemptionAsync(int dataLength, CancellationToken ct = default) =>
        (await Call("getMinimumBalanceForRentExemption", ct, dataLength)).GetUInt64();

    /// <inheritdoc/>
    public async Task<ResponseValue<ulong>> GetBalanceAsync(
        PublicKey account, Commitment commitment = Commitment.Finalized, CancellationToken ct = default) =>
        WithSlot(await Call("getBalance", ct, account.Key, At(commitment)), value => value.GetUInt64());

    /// <inheritdoc/>
    public async Task<ResponseValue<AccountInfo?>> GetAccountInfoAsync(
        PublicKey account, Commitment commitment = Commitment.Finalized, CancellationToken ct = default) =>
        WithSlot(await Call("getAccountInfo", ct, account.Key, Base64At(commitment)), RpcJson.Account);

    /// <inheritdoc/>
    public async Task<ResponseValue<IReadOnlyList<AccountInfo?>>> GetMultipleAccountsAsync(
        IReadOnlyList<PublicKey> accounts, Commitment commitment = Commitment.Finalized,
        CancellationToken ct = default) =>
        WithSlot<IReadOnlyList<AccountInfo?>>(
            await Call("getMultipleAccounts", ct, accounts.Select(key => key.Key), Base64At(commitment)),
            value => [.. value.EnumerateArray().Select(RpcJson.Account)]);

    /// <inheritdoc/>
    public async Task<ResponseValue<TokenBalance>> GetTokenAccountBalanceAsync(
        PublicKey tokenAccount, Commitment commitment = Commitment.Finalized, CancellationToken ct = default) =>
        WithSlot(await Call("getTokenAccountBalance", ct, tokenAccount.Key, At(commitment)), RpcJson.Tokens);

    /// <inheritdoc/>
    public async Task<ResponseValue<IReadOnlyList<KeyedAccount>>> GetTokenAccountsByOwnerAsync(
        PublicKey owner, PublicKey mint, Commitment commitment = Commitment.Finalized, CancellationToken ct = default) =>
        WithSlot<IReadOnlyList<KeyedAccount>>(
            await Call("getTokenAccountsByOwner", ct, owner.Key, new { mint = mint.Key }, Base64At(commitment)),
            value =>
            [
                .. value.EnumerateArray().Select(item => new KeyedAccount(
                    new PublicKey(item.GetProperty("pubkey").GetString()!),
                    RpcJson.Account(item.GetProperty("account"))!)),
            ]);

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
        var rows = await Call("getSignaturesForAddress", ct, account.Key, options);
        return
        [
            .. rows.EnumerateArray().Select(row => new SignatureInfo(
                row.GetProperty("signature").GetString()!, row.GetProperty("slot").GetUInt64(),
                RpcJson.Time(row, "blockTime"), RpcJson.Error(row))),
        ];
    }

    /// <inheritdoc/>
    public async Task<ResponseValue<IReadOnlyList<SignatureStatus?>>> GetSignatureStatusesAsync(
        IReadOnlyList<string> signatures, bool searchTransactionHistory = false, CancellationToken ct = default) =>
        WithSlot<IReadOnlyList<SignatureStatus?>>(
            await Call("getSignatureStatuses", ct, signatures, new { searchTransactionHistory }),
            value => [.. value.EnumerateArray().Select(Status)]);

    /// <inheritdoc/>
    public async Task<TransactionRecord?> GetTransactionAsync(
        string signature, Commitment commitment = Commitment.Finalized, CancellationToken ct = default)
    {
        var found = await Call("getTransaction", ct, signature, new
        {
            encoding = "base64",
            commitment = Name(commitment),
            maxSupportedTransactionVersion = 0,
        });
        if (found.ValueKind == JsonValueKind.Null)
            return null;
        var meta = found.GetProperty("meta");
        return new TransactionRecord(
            found.GetProperty("slot").GetUInt64(), RpcJson.Time(found, "blockTime"),
            found.GetProperty("transaction")[0].GetBytesFromBase64(), RpcJson.Error(meta),
            RpcJson.Strings(meta, "logMessages"));
    }

    /// <inheritdoc/>
    public async Task<string> SendTransactionAsync(
        ReadOnlyMemory<byte> transaction, bool skipPreflight = false,
        Commitment preflightCommitment = Commitment.Confirmed, CancellationToken ct = default) =>
        (await Call("sendTransaction", ct, Convert.ToBase64String(transaction.Span), new
        {
            encoding = "base64",
            skipPreflight,
            preflightCommitment = Name(preflightCommitment),
        })).GetString()!;

    /// <inheritdoc/>
    public async Task<ResponseValue<SimulationResult>> SimulateTransactionAsync(
        ReadOnlyMemory<byte> transaction, Commitment commitment = Commitment.Confirmed, CancellationToken ct = default) =>
        WithSlot(
            await Call("simulateTransaction", ct, Convert.ToBase64String(transaction.Span), Base64At(commitment)),
            value => new SimulationResult(
                RpcJson.Error(value), RpcJson.Strings(value, "logs"),
                value.TryGetProperty("unitsConsumed", out var units) && units.ValueKind == JsonValueKind.Number
                    ? units.GetUInt64()
                    : 0));

    /// <inheritdoc/>
    public async Task<string> RequestAirdropAsync(
        PublicKey recipient, ulong lamports, CancellationToken ct = default) =>
        (await Call("requestAirdrop", ct, recipient.Key, lamports)).GetString()!;

    internal static string Name(Commitment commitment) => commitment switch
    {
        Commitment.Processed => "processed",
        Commitment.Confirmed => "confirmed",
        _ => "finalized",
    };

    private static object At(Commitment commitment) => new { commitment = Name(commitment) };

    private static object Base64At(Commitment commitment) =>
        new { encoding = "base64", commitment = Name(commitment) };

    private static ResponseValue<T> WithSlot<T>(JsonElement answer, Func<JsonElement, T> read) =>
        new(answer.GetProperty("context").GetProperty("slot").GetUInt64(), read(answer.GetProperty("value")));

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

    private Task<JsonElement> Call(string method, CancellationToken ct, params object?[] parameters) =>
        _rpc.CallAsync(method, parameters, ct);
}
