using Lumora.Chain.Deposits;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Rpc;
using Lumora.Domain.Deposits;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Integration.Tests.Solana;
using Lumora.Projections.Deposits;
using Lumora.Projections.EventStore;
using Lumora.Projections.Hosting;
using Lumora.Projections.Ledger;

namespace Lumora.Integration.Tests.Deposits;

public sealed class DepositSpecs(DepositSpecs.Fixture fixture) : IClassFixture<DepositSpecs.Fixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_finalized_transfer_with_a_code_is_credited_once_and_one_without_is_parked()
    {
        var cluster = await fixture.App.Get<SolanaConnection>().WaitAsync(Ct);
        var token = await TokenAsync();
        var sessions = fixture.App.Get<ShardSessions>();
        const string Participant = "participant_3zzzzzzzzzzzzzzzzzzzzzzzzz";
        var code = await DepositCode.ForAsync(sessions, Participant, Ct);
        Assert.Equal(code, await DepositCode.ForAsync(sessions, Participant, Ct));

        var unknown = await PayAsync(cluster, token, 7, "who am I");
        var known = await PayAsync(cluster, token, 2_500_000_000, code);

        var credited = Assert.IsType<DepositCredited>(await DepositAsync(known));
        Assert.Equal((Participant, 2_500_000_000), (credited.ParticipantId, credited.Amount.Units));
        Assert.Equal(2_500_000_000, await BalanceAsync(Participant));
        Assert.Equal("unknown_code", Assert.IsType<DepositUnattributed>(await DepositAsync(unknown)).Reason);
        await using var command = sessions.DataSource(ShardRole.Global).CreateCommand(
            $"select count(*) from mt_events where stream_id like 'deposit/{known}/%' and type = 'deposit_credited'");
        Assert.Equal(1L, await command.ExecuteScalarAsync(Ct));
        Assert.NotEqual(code, await DepositCode.ForAsync(sessions, Participant, Ct));
    }

    [Fact]
    public async Task The_smallest_and_a_huge_amount_are_credited_exactly_and_nothing_is_no_deposit()
    {
        var cluster = await fixture.App.Get<SolanaConnection>().WaitAsync(Ct);
        var token = await TokenAsync();
        const string Participant = "participant_4zzzzzzzzzzzzzzzzzzzzzzzzz";
        const long Huge = 900_000_000_000_000_001;
        var code = await DepositCode.ForAsync(fixture.App.Get<ShardSessions>(), Participant, Ct);
        var nothing = await PayAsync(cluster, token, 0, code);
        await PayAsync(cluster, token, 1, code);
        Assert.IsType<DepositCredited>(await DepositAsync(await PayAsync(cluster, token, (ulong)Huge, code)));

        Assert.Equal(Huge + 1, await BalanceAsync(Participant));
        await using var query = fixture.App.Get<ShardSessions>().Query(ShardRole.Global);
        Assert.Empty(await query.Events.FetchStreamAsync(DepositState.StreamOf(nothing, 1), token: Ct));
    }

    [Fact]
    public async Task What_the_ledger_cannot_take_is_parked_and_holds_up_nobody()
    {
        var cluster = await fixture.App.Get<SolanaConnection>().WaitAsync(Ct);
        var token = await TokenAsync();
        var sessions = fixture.App.Get<ShardSessions>();
        const string Rich = "participant_5zzzzzzzzzzzzzzzzzzzzzzzzz";
        const string Other = "participant_6zzzzzzzzzzzzzzzzzzzzzzzzz";
        var account = ChartOfAccounts.Available(Rich);
        var ledger = fixture.App.Get<ILedgers>().For(ShardRole.Global);
        await ledger.SubmitAsync(new LedgerRequest(Actor.System("test"), "open", new OpenAccount(account)), Ct);
        var posting = new Posting(ChartOfAccounts.Emission, account, new Amount(long.MaxValue));
        Assert.IsType<LedgerOutcome.Posted>(await ledger.SubmitAsync(
            new LedgerRequest(Actor.System("test"), "fill", new PostTransaction("test", [posting])), Ct));

        var parked = await PayAsync(cluster, token, 1, await DepositCode.ForAsync(sessions, Rich, Ct));
        var credited = await PayAsync(cluster, token, 1, await DepositCode.ForAsync(sessions, Other, Ct));
        Assert.Equal("overflow", Assert.IsType<DepositUnattributed>(await DepositAsync(parked)).Reason);
        Assert.IsType<DepositCredited>(await DepositAsync(credited));
        Assert.Equal(long.MaxValue, await BalanceAsync(Rich));
    }

    [Fact]
    public async Task On_a_cluster_that_is_not_our_own_the_token_is_the_one_of_the_settings_and_there_is_no_faucet()
    {
        var home = fixture.App.Get<LumoraHome>();
        var own = await TokenAsync();
        var servers = (await fixture.App.Get<SolanaConnection>().WaitAsync(Ct)).Servers;
        var cluster = await SolanaCluster.ConnectAsync(servers, expectedGenesisHash: null, isLocal: false, Ct);

        // Elsewhere only what is finalized counts.
        await Patience.UntilAsync(async () => (await servers[0].GetAccountInfoAsync(own.Mint, Commitment.Finalized, Ct)).Value is not null);

        var token = await LmrToken.OpenAsync(cluster, own.Mint.Key, home, Ct);
        Assert.Equal((own.Mint, own.TreasuryAccount, null), (token.Mint, token.TreasuryAccount, token.Faucet));
        foreach (var other in (string?[])[null, own.TreasuryAccount.Key, Keypair.Generate().PublicKey.Key])
            await Assert.ThrowsAsync<WrongMintException>(() => LmrToken.OpenAsync(cluster, other, home, Ct));
        Assert.Contains("Solana:Mint", new SolanaOptions { Mint = own.Mint.Key }.Fault(), StringComparison.Ordinal);
        Assert.Contains(
            "Solana:Mint", new SolanaOptions { Endpoints = "http://127.0.0.1:1", Mint = "no address" }.Fault(),
            StringComparison.Ordinal);
    }

    private async Task<long> BalanceAsync(string participant) =>
        (await fixture.App.Get<LedgerQueries>().AccountAsync(
            ShardRole.Global, ChartOfAccounts.Available(participant), ChartOfAccounts.Lmr, Ct))?.Balance ?? 0;

    private Task<LmrToken> TokenAsync() => Patience.ForAsync(() => fixture.App.Get<DepositWatcher>().Token);

    private static async Task<string> PayAsync(SolanaCluster cluster, LmrToken token, ulong amount, string code)
    {
        var latest = await cluster.Servers[0].GetLatestBlockhashAsync(Commitment.Confirmed, Ct);
        var transfer = token.SignFaucetTransfer(amount, code, latest.Value.Blockhash);
        return await cluster.Servers[0].SendTransactionAsync(transfer.Serialize(), ct: Ct);
    }

    private Task<object> DepositAsync(string signature) => Patience.ForAsync(async () =>
    {
        await using var query = fixture.App.Get<ShardSessions>().Query(ShardRole.Global);
        return await query.Events.FetchStreamAsync(DepositState.StreamOf(signature, 1), token: Ct) is [var first, ..] ? first.Data : null;
    });

    /// <summary>A host with its own local Solana.</summary>
    public sealed class Fixture(TestDatabases databases) : AppFixture(databases)
    {
        protected override IReadOnlyDictionary<string, string> Settings { get; } =
            LocalSolana.Settings.ToDictionary(pair => pair.Key, pair => pair.Value!, StringComparer.Ordinal);
    }
}
