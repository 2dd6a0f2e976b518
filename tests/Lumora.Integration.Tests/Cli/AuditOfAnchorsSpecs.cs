using System.Text.Json.Nodes;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Programs;
using Lumora.Chain.Solana.Rpc;
using Lumora.Cli.Audit;
using Lumora.Domain.Anchoring;
using Lumora.Domain.Ledger;
using Lumora.Domain.Merkle;
using Lumora.Integration.Tests.Anchoring;
using Lumora.Integration.Tests.Solana;

namespace Lumora.Integration.Tests.Cli;

/// <summary>What the chain holds of a log against what the log shows, and what an audit keeps when one of the two is troubled.</summary>
public sealed class AuditOfAnchorsSpecs(LocalSolana solana) : IAsyncLifetime, IClassFixture<LocalSolana>
{
    private readonly ForgedLog _log = new();
    private ForgedServer _server = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Rpc => solana.Rpc.NodeAddress.AbsoluteUri;

    private string CheckpointFile => Path.Combine(_log.Folder, "log", LogPublisher.CheckpointPath);

    public async ValueTask InitializeAsync()
    {
        Grow(300);
        await _log.PublishAsync();
        _server = await ForgedServer.StartAsync();
        _server.Log = _log;
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _log.Dispose();
    }

    [Fact]
    public async Task A_log_that_shows_less_than_it_has_anchored_is_found()
    {
        var (address, _) = await AnchorAsync(await File.ReadAllBytesAsync(CheckpointFile, Ct));
        (await AuditAsync("--rpc", Rpc, "--anchor", address)).Must(0, "proven on chain", "anchored", "covers 300 of 300");
        var hidden = _log.Sign(new Checkpoint(_log.Published().Origin, 900, MerkleHash.OfLeaf("not shown"u8)).ToText());
        var (other, signature) = await AnchorAsync(hidden);
        (await AuditAsync("--rpc", Rpc, "--anchor", other))
            .Must(1, "WRONG", signature, "it anchors a checkpoint of 900 entries, the log shows 300");
        // A copy may be older than what was anchored since.
        (await LoggedHost.RunAsync(
                AuditCommand.Create(), "--folder", Path.Combine(_log.Folder, "log"), "--key", _log.Key, "--rpc", Rpc, "--anchor", other))
            .Must(0, "not proven", "anchored", "1 newer ones cover more than this copy");
    }

    [Fact]
    public async Task A_log_that_grew_while_it_was_audited_is_held_against_what_was_anchored_meanwhile()
    {
        var before = await File.ReadAllBytesAsync(CheckpointFile, Ct);
        Grow(400);
        await _log.PublishAsync();
        var (address, signature) = await AnchorAsync(await File.ReadAllBytesAsync(CheckpointFile, Ct));
        ShowFirst(before);
        (await AuditAsync("--rpc", Rpc, "--anchor", address)).Must(0, "proven on chain", "anchored", signature);

        // The log goes on with another history than the one that it showed first.
        using var fork = new ForgedLog { Seed = 2 };
        Grow(400, fork);
        await fork.PublishAsync();
        _server.Log = fork;
        (address, _) = await AnchorAsync(await File.ReadAllBytesAsync(Path.Combine(fork.Folder, "log", LogPublisher.CheckpointPath), Ct));
        ShowFirst(before);
        (await AuditAsync("--rpc", Rpc, "--anchor", address)).Must(1, "WRONG", "checkpoint", "another history now");
    }

    [Fact]
    public async Task An_anchor_that_nobody_has_is_found_unless_the_server_has_forgotten_that_time()
    {
        // Other tests anchor logs of the same key.
        var anchors = new ForgedAnchors(_log) { Payer = Keypair.Generate() };
        await anchors.AnchorAsync();
        await _log.PublishAsync();
        var own = anchors.Address;
        (await AuditAsync("--rpc", Rpc, "--anchor", own)).Must(1, "WRONG", $"entry {_log.Count - 1}", "has no such transaction");
        await using var pruned = await FaultyServer.StartAsync(solana.Rpc.NodeAddress);
        pruned.Lie = (method, result) => method == "getFirstAvailableBlock" ? 5_000 : result;
        (await AuditAsync("--rpc", pruned.Address.AbsoluteUri, "--anchor", own)).Must(0, "not proven", "anchored", "ask a server that keeps the whole history");
    }

    [Theory]
    [InlineData(0, 0, "")]
    [InlineData(1, 0, "stands in slot")]
    [InlineData(0, 1, "stands in slot")]
    public async Task A_slot_and_a_block_time_that_are_not_those_of_the_chain_are_found(int slots, int seconds, string what)
    {
        var (address, signature) = await AnchorAsync(await File.ReadAllBytesAsync(CheckpointFile, Ct));
        var record = (await solana.Rpc.GetTransactionAsync(signature, Commitment.Finalized, Ct))!;
        var anchors = new ForgedAnchors(_log);
        anchors.Change<AnchorPrepared>(e => e with { Payer = address });
        anchors.Tell(
            await solana.Rpc.GetGenesisHashAsync(Ct), Transaction.Deserialize(record.Raw), (long)record.Slot + slots, record.BlockTime!.Value.AddSeconds(seconds));
        await _log.PublishAsync();
        var said = await AuditAsync("--rpc", Rpc, "--anchor", address);
        if (what.Length > 0)
            said.Must(1, "WRONG", $"entry {_log.Count - 1}", signature, what);
        else
            said.Must(0, "proven on chain", "anchored", signature);
    }

    [Fact]
    public async Task A_chain_server_that_is_down_costs_the_comparison_with_the_chain_alone()
    {
        var report = Path.Combine(_log.Folder, "report.json");
        var said = await AuditAsync("--rpc", "http://127.0.0.1:9", "--report", report);
        said.Must(2, "proven offline", "tree_whole");
        said.Must(2, "not proven", "anchored", "could not be compared");
        Assert.Equal("unable", (string?)JsonNode.Parse(await File.ReadAllTextAsync(report, Ct))!["result"]);
    }

    [Fact]
    public async Task A_server_that_stumbles_is_asked_again()
    {
        _server.Hiccups = 3;
        (await AuditAsync()).Must(0, "Clean");
        _server.Hiccups = 4;
        (await AuditAsync()).Must(2, "answered 503");
    }

    [Fact]
    public async Task A_GraphQL_that_fails_takes_nothing_from_what_the_files_prove()
    {
        _server.Answer = "nonsense";
        var said = await AuditAsync();
        said.Must(2, "proven offline", "tree_whole");
        said.Must(2, "not proven", "aggregates_same", "could not be compared");
    }

    private void ShowFirst(byte[] checkpoint)
    {
        var isFirst = true;
        _server.Instead = path =>
        {
            if (path != LogPublisher.CheckpointPath || !isFirst)
                return null;
            isFirst = false;
            return checkpoint;
        };
    }

    private void Grow(int size, ForgedLog? log = null)
    {
        log ??= _log;
        while (log.Count < size)
            log.Add($"node/{log.Seed}_{log.Count}", 1, new AccountFrozen("k", "c", "LMR", $"{log.Seed}"));
    }

    private async Task<(string Address, string Signature)> AnchorAsync(byte[] note)
    {
        var payer = await solana.FundedWalletAsync(Ct);
        return (payer.PublicKey.ToString(), await solana.SendAsync(payer, [MemoProgram.NewMemo(note, payer.PublicKey)], Ct));
    }

    private Task<Said> AuditAsync(params string[] more) =>
        LoggedHost.RunAsync(AuditCommand.Create(), ["--server", _server.Address, "--key", _log.Key, "--evidence", _log.Folder, .. more]);
}
