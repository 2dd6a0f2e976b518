namespace Lumora.Chain.Solana.Rpc;

/// <summary>
/// Solana's JSON-RPC over HTTP. Every call has a time limit and throws <see cref="RpcUnavailableException"/> or
/// <see cref="RpcErrorException"/>. Slots and heights are block counts, amounts are base units.
/// </summary>
public interface IRpcClient
{
    /// <summary>The server's address.</summary>
    Uri NodeAddress { get; }

    /// <summary>True when the server says that it is healthy; false when it answers that it is not.</summary>
    Task<bool> GetHealthAsync(CancellationToken ct = default);

    /// <summary>The server's software version.</summary>
    Task<string> GetVersionAsync(CancellationToken ct = default);

    /// <summary>The cluster's identity (base58).</summary>
    Task<string> GetGenesisHashAsync(CancellationToken ct = default);

    /// <summary>The newest slot.</summary>
    Task<ulong> GetSlotAsync(Commitment commitment = Commitment.Finalized, CancellationToken ct = default);

    /// <summary>The oldest slot whose block the server still has; 0 when it has the whole history.</summary>
    Task<ulong> GetFirstAvailableBlockAsync(CancellationToken ct = default);

    /// <summary>The newest block height.</summary>
    Task<ulong> GetBlockHeightAsync(Commitment commitment = Commitment.Finalized, CancellationToken ct = default);

    /// <summary>A block; null when its slot was skipped.</summary>
    Task<BlockInfo?> GetBlockAsync(
        ulong slot, Commitment commitment = Commitment.Finalized, CancellationToken ct = default);

    /// <summary>Slots with blocks, both ends included.</summary>
    Task<IReadOnlyList<ulong>> GetBlocksAsync(
        ulong start, ulong end, Commitment commitment = Commitment.Finalized, CancellationToken ct = default);

    /// <summary>A block's time; null when it is not known.</summary>
    Task<DateTimeOffset?> GetBlockTimeAsync(ulong slot, CancellationToken ct = default);

    /// <summary>Priority fees paid lately by transactions that write to the accounts.</summary>
    Task<IReadOnlyList<PrioritizationFee>> GetRecentPrioritizationFeesAsync(
        IReadOnlyList<PublicKey> accounts, CancellationToken ct = default);

    /// <summary>A blockhash for new transactions.</summary>
    Task<ResponseValue<LatestBlockhash>> GetLatestBlockhashAsync(
        Commitment commitment = Commitment.Finalized, CancellationToken ct = default);

    /// <summary>Whether a blockhash is still accepted.</summary>
    Task<bool> IsBlockhashValidAsync(
        string blockhash, Commitment commitment = Commitment.Finalized, CancellationToken ct = default);

    /// <summary>Lamports that make an account of that size free of rent.</summary>
    Task<ulong> GetMinimumBalanceForRentExemptionAsync(int dataLength, CancellationToken ct = default);

    /// <summary>Balance in lamports; 0 when there is no account.</summary>
    Task<ResponseValue<ulong>> GetBalanceAsync(
        PublicKey account, Commitment commitment = Commitment.Finalized, CancellationToken ct = default);

    /// <summary>An account, or null.</summary>
    Task<ResponseValue<AccountInfo?>> GetAccountInfoAsync(
        PublicKey account, Commitment commitment = Commitment.Finalized, CancellationToken ct = default);

    /// <summary>Up to 100 accounts, null where there is none.</summary>
    Task<ResponseValue<IReadOnlyList<AccountInfo?>>> GetMultipleAccountsAsync(
        IReadOnlyList<PublicKey> accounts, Commitment commitment = Commitment.Finalized, CancellationToken ct = default);

    /// <summary>Tokens in a token account.</summary>
    Task<ResponseValue<TokenBalance>> GetTokenAccountBalanceAsync(
        PublicKey tokenAccount, Commitment commitment = Commitment.Finalized, CancellationToken ct = default);

    /// <summary>Token accounts of an owner for a mint.</summary>
    Task<ResponseValue<IReadOnlyList<KeyedAccount>>> GetTokenAccountsByOwnerAsync(
        PublicKey owner, PublicKey mint, Commitment commitment = Commitment.Finalized, CancellationToken ct = default);

    /// <summary>Transactions that name an address, newest first, older than <paramref name="before"/>, newer than
    /// <paramref name="until"/>, at most <paramref name="limit"/> (1 to 1,000).</summary>
    Task<IReadOnlyList<SignatureInfo>> GetSignaturesForAddressAsync(
        PublicKey account, int limit = 1000, string? before = null, string? until = null,
        Commitment commitment = Commitment.Finalized, CancellationToken ct = default);

    /// <summary>Where up to 256 transactions stand; null for one that is not known.</summary>
    Task<ResponseValue<IReadOnlyList<SignatureStatus?>>> GetSignatureStatusesAsync(
        IReadOnlyList<string> signatures, bool searchTransactionHistory = false, CancellationToken ct = default);

    /// <summary>A transaction; null when it is not known at that commitment (confirmed or finalized).</summary>
    Task<TransactionRecord?> GetTransactionAsync(
        string signature, Commitment commitment = Commitment.Finalized, CancellationToken ct = default);

    /// <summary>Sends a signed transaction and returns its signature; it has not landed yet.</summary>
    Task<string> SendTransactionAsync(
        ReadOnlyMemory<byte> transaction, bool skipPreflight = false,
        Commitment preflightCommitment = Commitment.Confirmed, CancellationToken ct = default);

    /// <summary>Runs a transaction without effect.</summary>
    Task<ResponseValue<SimulationResult>> SimulateTransactionAsync(
        ReadOnlyMemory<byte> transaction, Commitment commitment = Commitment.Confirmed, CancellationToken ct = default);

    /// <summary>Asks a test cluster for lamports and returns the signature.</summary>
    Task<string> RequestAirdropAsync(PublicKey recipient, ulong lamports, CancellationToken ct = default);
}
