using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Programs;
using Lumora.Chain.Solana.Rpc;
using Lumora.Projections.Hosting;

namespace Lumora.Chain.Deposits;

/// <summary>
/// The LMR token of this installation: mint, treasury and its token account. On a local chain it is made at the first
/// start; elsewhere <c>Solana:Mint</c> names it.
/// </summary>
public sealed class LmrToken
{
    /// <summary>Decimals of LMR.</summary>
    public const byte Decimals = 9;

    private const ulong FaucetSupply = 1_000_000_000_000_000_000;
    private const ulong LamportsOfAirdrop = 100_000_000_000;

    // Offset of the decimals in a mint: an optional authority (4 + 32 bytes) and the supply (8) come first.
    private const int MintDecimalsOffset = 44;
    private static readonly TimeSpan PollPause = TimeSpan.FromMilliseconds(50);

    private LmrToken(PublicKey mint, PublicKey treasury, Keypair? faucet)
    {
        (Mint, Faucet) = (mint, faucet);
        TreasuryAccount = AssociatedTokenAccountProgram.DeriveAssociatedTokenAccount(treasury, mint);
    }

    /// <summary>The mint.</summary>
    public PublicKey Mint { get; }

    /// <summary>The treasury's token account, where deposits arrive.</summary>
    public PublicKey TreasuryAccount { get; }

    /// <summary>The wallet that the development faucet pays from; null where there is none.</summary>
    public Keypair? Faucet { get; }

    /// <summary>Opens the token; on a local chain makes what is missing, elsewhere checks the mint.</summary>
    /// <exception cref="WrongMintException">There is no such mint, or it is none for LMR.</exception>
    public static async Task<LmrToken> OpenAsync(
        SolanaCluster cluster, string? mintAddress, LumoraHome home, CancellationToken ct)
    {
        var treasury = KeypairFile.LoadOrCreate(Path.Combine(home.Keys, "solana-treasury.json"));
        if (!cluster.IsLocal)
            return new LmrToken(await CheckMintAsync(cluster, mintAddress, ct), treasury.PublicKey, faucet: null);
        var mint = KeypairFile.LoadOrCreate(Path.Combine(home.Keys, "solana-mint.json"));
        var faucet = KeypairFile.LoadOrCreate(Path.Combine(home.Keys, "solana-faucet.json"));
        var token = new LmrToken(mint.PublicKey, treasury.PublicKey, faucet);
        await token.MakeAsync(cluster, mint, treasury.PublicKey, faucet, ct);
        return token;
    }

    /// <summary>
    /// Signs a transfer of LMR from the faucet into the treasury with a participant's code: a deposit like any other.
    /// </summary>
    public Transaction SignFaucetTransfer(ulong amount, string code, string blockhash)
    {
        var faucet = Faucet ?? throw new InvalidOperationException("There is no faucet on this chain.");
        var source = AssociatedTokenAccountProgram.DeriveAssociatedTokenAccount(faucet.PublicKey, Mint);
        var transfer = TokenProgram.TransferChecked(
            source, TreasuryAccount, amount, Decimals, faucet.PublicKey, Mint);
        // A reference as Solana Pay adds it: without one, two equal transfers in one block would be one transaction.
        var reference = AccountMeta.ReadOnly(Keypair.Generate().PublicKey);
        return new TransactionBuilder()
            .SetFeePayer(faucet.PublicKey)
            .SetRecentBlockHash(blockhash)
            .AddInstruction(MemoProgram.NewMemo(code, faucet.PublicKey))
            .AddInstruction(transfer with { Keys = [.. transfer.Keys, reference] })
            .Build(faucet);
    }

    private static async Task<PublicKey> CheckMintAsync(SolanaCluster cluster, string? address, CancellationToken ct)
    {
        if (string.IsNullOrEmpty(address))
            throw new WrongMintException("Solana:Mint names no token.");
        var mint = new PublicKey(address);
        var account = (await cluster.AnyAsync(server => server.GetAccountInfoAsync(mint, Commitment.Finalized, ct))).Value;
        return account is { Data.Length: TokenProgram.MintAccountBytes }
            && account.Owner == TokenProgram.ProgramId && account.Data[MintDecimalsOffset] == Decimals
            ? mint
            : throw new WrongMintException($"Solana:Mint {address} is no mint of the SPL Token program with 9 decimals.");
    }

    private async Task MakeAsync(
        SolanaCluster cluster, Keypair mint, PublicKey treasury, Keypair faucet, CancellationToken ct)
    {
        var server = cluster.Servers[0];
        if ((await server.GetAccountInfoAsync(Mint, Commitment.Confirmed, ct)).Value is not null)
            return;
        await server.RequestAirdropAsync(faucet.PublicKey, LamportsOfAirdrop, ct);
        var rent = await server.GetMinimumBalanceForRentExemptionAsync(TokenProgram.MintAccountBytes, ct);
        var latest = await server.GetLatestBlockhashAsync(Commitment.Confirmed, ct);
        var payer = faucet.PublicKey;
        var source = AssociatedTokenAccountProgram.DeriveAssociatedTokenAccount(payer, Mint);
        var transaction = new TransactionBuilder()
            .SetFeePayer(payer)
            .SetRecentBlockHash(latest.Value.Blockhash)
            .AddInstruction(SystemProgram.CreateAccount(
                payer, Mint, rent, TokenProgram.MintAccountBytes, TokenProgram.ProgramId))
            .AddInstruction(TokenProgram.InitializeMint(Mint, Decimals, payer))
            .AddInstruction(AssociatedTokenAccountProgram.CreateIdempotent(payer, treasury, Mint))
            .AddInstruction(AssociatedTokenAccountProgram.CreateIdempotent(payer, payer, Mint))
            .AddInstruction(TokenProgram.MintTo(Mint, source, FaucetSupply, payer))
            .Build(faucet, mint);
        await server.SendTransactionAsync(transaction.Serialize(), preflightCommitment: Commitment.Processed, ct: ct);
        await WaitForMintAsync(server, latest.Value.Blockhash, ct);
    }

    // A token that is given out is there: the faucet's first transfer would be refused otherwise.
    private async Task WaitForMintAsync(IRpcClient server, string blockhash, CancellationToken ct)
    {
        while ((await server.GetAccountInfoAsync(Mint, Commitment.Confirmed, ct)).Value is null)
        {
            if (!await server.IsBlockhashValidAsync(blockhash, Commitment.Processed, ct))
                throw new RpcUnavailableException("The transaction that makes the token was lost; it is made again.");
            await Task.Delay(PollPause, ct);
        }
    }
}

/// <summary>The setting <c>Solana:Mint</c> does not name the LMR token; deposits wait.</summary>
public sealed class WrongMintException(string message) : SolanaException(message);
