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

    /// <summary>Opens the token, and on a local chain makes what is missing.</summary>
    public static async Task<LmrToken> OpenAsync(SolanaCluster cluster, LumoraHome home, CancellationToken ct)
    {
        var mint = KeypairFile.LoadOrCreate(Path.Combine(home.Keys, "solana-mint.json"));
        var treasury = KeypairFile.LoadOrCreate(Path.Combine(home.Keys, "solana-treasury.json"));
        var faucet = cluster.IsLocal ? KeypairFile.LoadOrCreate(Path.Combine(home.Keys, "solana-faucet.json")) : null;
        var token = new LmrToken(mint.PublicKey, treasury.PublicKey, faucet);
        if (faucet is not null)
            await token.MakeAsync(cluster, mint, treasury.PublicKey, faucet, ct);
        return token;
    }

    /// <summary>Pays LMR from the faucet into the treasury with a participant's code: a deposit like any other.</summary>
    public async Task<string> PayAsync(SolanaCluster cluster, ulong amount, string code, CancellationToken ct)
    {
        var faucet = Faucet ?? throw new InvalidOperationException("There is no faucet on this chain.");
        var source = AssociatedTokenAccountProgram.DeriveAssociatedTokenAccount(faucet.PublicKey, Mint);
        var latest = await cluster.AnyAsync(server => server.GetLatestBlockhashAsync(Commitment.Confirmed, ct));
        var transaction = new TransactionBuilder()
            .SetFeePayer(faucet.PublicKey)
            .SetRecentBlockHash(latest.Value.Blockhash)
            .AddInstruction(MemoProgram.NewMemo(code, faucet.PublicKey))
            .AddInstruction(TokenProgram.TransferChecked(
                source, TreasuryAccount, amount, Decimals, faucet.PublicKey, Mint))
            .Build(faucet).Serialize();
        return await cluster.AnyAsync(server => server.SendTransactionAsync(transaction, ct: ct));
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
    }
}
