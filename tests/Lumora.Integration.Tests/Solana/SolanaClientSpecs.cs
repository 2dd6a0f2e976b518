using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Programs;
using Lumora.Chain.Solana.Rpc;
using Lumora.Integration.Tests.Infrastructure;

namespace Lumora.Integration.Tests.Solana;

public sealed class SolanaClientSpecs(LocalSolana solana) : IClassFixture<LocalSolana>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_memo_is_finalized_and_read_back_by_instruction_data()
    {
        var wallet = await solana.FundedWalletAsync(Ct);
        var signature = await solana.SendAsync(wallet, [MemoProgram.NewMemo("lumora", wallet.PublicKey)], Ct);

        var found = await solana.Rpc.GetTransactionAsync(signature, Commitment.Finalized, Ct);
        Assert.NotNull(found);
        var transaction = Transaction.Deserialize(found.Raw);
        Assert.True(transaction.SignaturesVerify());
        Assert.Equal("lumora", Encoding.UTF8.GetString(Assert.Single(transaction.DataFor(MemoProgram.ProgramId))));
        var block = await solana.Rpc.GetBlockAsync(found.Slot, ct: Ct);
        Assert.Contains(signature, block!.Signatures);
        var status = (await solana.Rpc.GetSignatureStatusesAsync([signature], ct: Ct)).Value[0];
        Assert.Equal((found.Slot, Commitment.Finalized, null), (status!.Slot, status.Commitment, status.Error));
        Assert.Equal(signature, (await solana.Rpc.GetSignaturesForAddressAsync(wallet.PublicKey, limit: 1, ct: Ct))[0].Signature);
    }

    [Fact]
    public async Task Tokens_are_minted_and_transferred()
    {
        var (wallet, mint) = (await solana.FundedWalletAsync(Ct), Keypair.Generate());
        var recipient = Keypair.Generate().PublicKey;
        var rent = await solana.Rpc.GetMinimumBalanceForRentExemptionAsync(TokenProgram.MintAccountBytes, Ct);
        var source = AssociatedTokenAccountProgram.DeriveAssociatedTokenAccount(wallet.PublicKey, mint.PublicKey);
        var target = AssociatedTokenAccountProgram.DeriveAssociatedTokenAccount(recipient, mint.PublicKey);
        await solana.SendAsync(
            wallet,
            [
                SystemProgram.CreateAccount(
                    wallet.PublicKey, mint.PublicKey, rent, TokenProgram.MintAccountBytes, TokenProgram.ProgramId),
                TokenProgram.InitializeMint(mint.PublicKey, 9, wallet.PublicKey),
                AssociatedTokenAccountProgram.CreateIdempotent(wallet.PublicKey, wallet.PublicKey, mint.PublicKey),
                AssociatedTokenAccountProgram.CreateIdempotent(wallet.PublicKey, recipient, mint.PublicKey),
                TokenProgram.MintTo(mint.PublicKey, source, 10_000_000_000, wallet.PublicKey),
                TokenProgram.TransferChecked(source, target, 2_500_000_000, 9, wallet.PublicKey, mint.PublicKey),
            ],
            Ct,
            mint);

        var balance = await solana.Rpc.GetTokenAccountBalanceAsync(target, ct: Ct);
        Assert.Equal(new TokenBalance(2_500_000_000, 9), balance.Value);
        var owned = await solana.Rpc.GetTokenAccountsByOwnerAsync(recipient, mint.PublicKey, ct: Ct);
        Assert.Equal(target, Assert.Single(owned.Value).PublicKey);
    }

    [Fact]
    public async Task A_refused_transaction_says_why()
    {
        var poor = Keypair.Generate();
        var blockhash = (await solana.Rpc.GetLatestBlockhashAsync(ct: Ct)).Value.Blockhash;
        var stale = new TransactionBuilder().SetFeePayer(poor.PublicKey).SetRecentBlockHash(poor.PublicKey.Key)
            .AddInstruction(MemoProgram.NewMemo("late")).Build(poor).Serialize();
        var refused = await Assert.ThrowsAsync<TransactionRefusedException>(
            () => solana.Rpc.SendTransactionAsync(stale, ct: Ct));
        Assert.True(refused.IsBlockhashNotFound);
        var broke = new TransactionBuilder().SetFeePayer(poor.PublicKey).SetRecentBlockHash(blockhash)
            .AddInstruction(MemoProgram.NewMemo("broke")).Build(poor).Serialize();
        refused = await Assert.ThrowsAsync<TransactionRefusedException>(
            () => solana.Rpc.SendTransactionAsync(broke, ct: Ct));
        Assert.Contains("AccountNotFound", refused.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_a_typed_error()
    {
        using var http = new HttpClient();
        var nobody = new RpcClient(http, new Uri("http://127.0.0.1:1"), TimeSpan.FromSeconds(2));
        await Assert.ThrowsAsync<RpcUnavailableException>(() => nobody.GetSlotAsync(ct: Ct));
        await Assert.ThrowsAsync<WrongClusterException>(
            () => SolanaCluster.ConnectAsync([solana.Rpc], Keypair.Generate().PublicKey.Key, isLocal: true, Ct));
    }

    [Fact]
    public async Task A_local_Solana_that_is_killed_comes_back_with_the_same_genesis_and_history()
    {
        await using var own = new LocalSolana();
        await own.InitializeAsync();
        var wallet = await own.FundedWalletAsync(Ct);
        var signature = await own.SendAsync(wallet, [MemoProgram.NewMemo("before the crash")], Ct);
        var cluster = own.Connection.Current!;

        var facts = JsonDocument.Parse(File.ReadAllText(Path.Combine(own.Home, "solana", "devstack.json"))).RootElement;
        using (var child = Process.GetProcessById(facts.GetProperty("pid").GetInt32()))
        {
            child.Kill();
            await child.WaitForExitAsync(Ct);
        }

        var next = await Patience.ForAsync(() => own.Connection.Current is { } current && current != cluster ? current : null);
        Assert.Equal(cluster.GenesisHash, next.GenesisHash);
        Assert.NotNull(await own.Rpc.GetTransactionAsync(signature, Commitment.Confirmed, Ct));

        await own.StopAsync();
        Assert.False(File.Exists(Path.Combine(own.Home, "solana", "lock")), "the child has ended in order");
        await own.StartAsync();
        Assert.Equal(cluster.GenesisHash, own.Connection.Current!.GenesisHash);
    }
}
