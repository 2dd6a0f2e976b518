using System.Text;
using System.Text.Json.Nodes;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Programs;
using Lumora.Chain.Solana.Rpc;
using Lumora.Cli.Audit;
using Lumora.Cli.Verify;
using Lumora.Domain.Merkle;
using Lumora.Integration.Tests.Anchoring;
using Lumora.Integration.Tests.Solana;
using Lumora.Projections.EventStore;

namespace Lumora.Integration.Tests.Cli;

public sealed class VerifySpecs(LoggedHost host, LocalSolana solana) : IClassFixture<LoggedHost>, IClassFixture<LocalSolana>
{
    [Fact]
    public async Task An_event_of_the_host_is_verified_and_the_saved_files_hold_without_any_network()
    {
        var (folder, id) = await SavedAsync(270);
        var said = await OfflineAsync(folder, id);
        said.Must(0, "proven offline", "entry_in_tree", "entry 270 ");
        said.Must(0, "proven offline", "checkpoint_signed");
        said.Must(0, "proven offline", "event_readable", id.ToString(), "transaction_posted");
        said.Must(0, "needs the chain", "anchored");
        said.Must(0, "Holds.");
    }

    [Fact]
    public async Task A_changed_leaf_path_or_checkpoint_is_refused_with_its_name()
    {
        var (folder, id) = await SavedAsync(5);
        var (leaf, proof) = (Path.Combine(folder, $"{id}.leaf.json"), Path.Combine(folder, $"{id}.tlog-proof"));

        LoggedHost.Flip(leaf, 60);
        (await OfflineAsync(folder, id)).Must(1, "WRONG", leaf, "leads to the root");
        LoggedHost.Flip(leaf, 60);

        var text = await File.ReadAllTextAsync(proof, TestContext.Current.CancellationToken);
        // A letter of the first hash whose neighbour is a letter of base64, too: another hash, no misspelled one.
        var path = text.IndexOf('\n', text.IndexOf("index ", StringComparison.Ordinal)) + 1;
        while (!char.IsAsciiLetterOrDigit((char)(text[path] ^ 1)))
            path++;
        LoggedHost.Flip(proof, path);
        (await OfflineAsync(folder, id)).Must(1, "WRONG", "entry 5, ", "leads to the root");
        LoggedHost.Flip(proof, path);

        var checkpoint = Encoding.UTF8.GetByteCount(text[..(text.IndexOf("\n\n", StringComparison.Ordinal) + 2)]);
        LoggedHost.Flip(proof, checkpoint + 2);
        (await OfflineAsync(folder, id)).Must(1, "WRONG", $"checkpoint in {proof}", "signature");
        LoggedHost.Flip(proof, checkpoint + 2);

        LoggedHost.Flip(proof, 0);
        (await OfflineAsync(folder, id)).Must(1, "WRONG", proof, "c2sp.org/tlog-proof@v1");
        LoggedHost.Flip(proof, 0);
        (await OfflineAsync(folder, id)).Must(0, "Holds.");
    }

    [Fact]
    public async Task A_bundle_that_differs_from_the_tree_is_found_online()
    {
        var id = await host.EventAtAsync(0);
        var file = host.Log.Blobs.FileOf("tile/entries/000");
        LoggedHost.Flip(file, 60);
        try
        {
            (await OnlineAsync(id)).Must(1, "WRONG", "entry 0 of tile/entries/000", "leads to the root");
        }
        finally
        {
            LoggedHost.Flip(file, 60);
        }
    }

    [Fact]
    public async Task An_event_that_is_not_in_the_log_does_not_hold()
    {
        var id = Guid.NewGuid();
        (await OnlineAsync(id)).Must(1, "WRONG", $"event {id}", "not in the log");
    }

    [Fact]
    public async Task What_keeps_verify_from_its_work_is_said_with_exit_code_2()
    {
        (await LoggedHost.RunAsync(VerifyCommand.Create())).Must(2, "--leaf FILE");
        (await LoggedHost.RunAsync(VerifyCommand.Create(), "nothing.tlog-proof", "--leaf", "nothing", "--key", host.Key)).Must(2, "nothing.tlog-proof");
        (await LoggedHost.RunAsync(VerifyCommand.Create(), "--server", host.Server, "--event", "x")).Must(2, "--event");
    }

    [Fact]
    public async Task The_checkpoint_is_found_in_a_finalized_memo_and_a_fork_there_is_named()
    {
        var none = TestContext.Current.CancellationToken;
        var id = await host.EventAtAsync(100);
        var rpc = solana.Rpc.NodeAddress.AbsoluteUri;
        (await OnlineAsync(id, "--rpc", rpc)).Must(1, "not proven", "anchored", "no finalized memo");

        var payer = await solana.FundedWalletAsync(none);
        var note = (await host.Log.Blobs.ReadAsync(LogPublisher.CheckpointPath, none))!;
        var signature = await solana.SendAsync(payer, [MemoProgram.NewMemo(note, payer.PublicKey)], none);
        var folder = host.NewFolder();
        (await OnlineAsync(id, "--rpc", rpc, "--anchor", payer.PublicKey.ToString(), "--save", folder))
            .Must(0, "proven on chain", "anchored", signature);
        (await OfflineAsync(folder, id, "--rpc", rpc)).Must(0, "proven on chain", signature);
        (await LoggedHost.RunAsync(AuditCommand.Create(), "--server", host.Server, "--key", host.Key, "--rpc", rpc))
            .Must(0, "proven on chain", "anchored", signature);

        // The operator signs a second history with the log's own key.
        using var signer = new NoteSigner(
            host.Log.Key.Name, SignatureKind.Ed25519, await File.ReadAllBytesAsync(Path.Combine(host.App.Home, "keys", $"log-{ShardMap.DefaultShard}.key"), none));
        var fork = new Checkpoint(host.Log.Key.Name, host.Size, MerkleHash.OfLeaf("another history"u8)).ToText();
        var forked = await solana.SendAsync(
            payer, [MemoProgram.NewMemo(new SignedNote(fork, [signer.Sign(fork)]).ToBytes(), payer.PublicKey)], none);
        (await LoggedHost.RunAsync(AuditCommand.Create(), "--server", host.Server, "--key", host.Key, "--rpc", rpc))
            .Must(1, "WRONG", $"transaction {forked}", "another history");
        (await OnlineAsync(id, "--rpc", rpc)).Must(1, "WRONG", $"transaction {forked}", "fork");
    }

    /// <summary>Whoever copies an old checkpoint into a memo that names the address of the anchors hides nothing behind it.</summary>
    [Fact]
    public async Task Old_checkpoints_that_strangers_copy_do_not_end_the_search()
    {
        var none = TestContext.Current.CancellationToken;
        // Other tests look for what this one writes.
        await using var own = new LocalSolana();
        await own.StartAsync();
        var (payer, stranger) = (await own.FundedWalletAsync(none), await own.FundedWalletAsync(none));
        var signature = await own.SendAsync(
            payer, [MemoProgram.NewMemo((await host.Log.Blobs.ReadAsync(LogPublisher.CheckpointPath, none))!, payer.PublicKey)], none);
        using var signer = new NoteSigner(
            host.Log.Key.Name, SignatureKind.Ed25519, await File.ReadAllBytesAsync(Path.Combine(host.App.Home, "keys", $"log-{ShardMap.DefaultShard}.key"), none));
        var old = new Checkpoint(host.Log.Key.Name, 1, MerkleHash.OfLeaf("the first"u8)).ToText();
        for (var copy = 0; copy < 20; copy++)
            await own.SendAsync(
                stranger,
                [
                    MemoProgram.NewMemo(new SignedNote(old, [signer.Sign(old)]).ToBytes(), stranger.PublicKey),
                    SystemProgram.Transfer(stranger.PublicKey, payer.PublicKey, 1_000 + (ulong)copy),
                ],
                none);
        (await OnlineAsync(await host.EventAtAsync(100), "--rpc", own.Rpc.NodeAddress.AbsoluteUri, "--anchor", payer.PublicKey.ToString()))
            .Must(0, "proven on chain", "anchored", signature);
    }

    [Fact]
    public async Task An_anchor_that_an_earlier_key_has_signed_counts_for_whoever_brings_both_keys()
    {
        var none = TestContext.Current.CancellationToken;
        using var earlier = new NoteSigner(host.Log.Key.Name, SignatureKind.Ed25519, [.. Enumerable.Repeat((byte)7, 32)]);
        var payer = await solana.FundedWalletAsync(none);
        var text = SignedNote.Parse((await host.Log.Blobs.ReadAsync(LogPublisher.CheckpointPath, none))!).Text;
        var note = new SignedNote(text, [earlier.Sign(text)]).ToBytes();
        var signature = await solana.SendAsync(payer, [MemoProgram.NewMemo(note, payer.PublicKey)], none);
        string[] chain = ["--rpc", solana.Rpc.NodeAddress.AbsoluteUri, "--anchor", payer.PublicKey.ToString()];
        string[] both = ["--key", earlier.Verifier.ToString()];
        (await AuditAsync(chain)).Must(0, "not proven", "anchored", "no finalized memo");
        (await AuditAsync([.. chain, .. both])).Must(0, "proven on chain", "anchored", signature);
        var id = await host.EventAtAsync(7);
        (await OnlineAsync(id, chain)).Must(1, "not proven", "anchored", "no finalized memo");
        (await OnlineAsync(id, [.. chain, .. both])).Must(0, "proven on chain", "anchored", signature);

        Task<Said> AuditAsync(params string[] more) =>
            LoggedHost.RunAsync(AuditCommand.Create(), ["--server", host.Server, "--key", host.Key, .. more]);
    }

    [Fact]
    public async Task A_chain_server_that_fails_or_lies_takes_nothing_from_the_rest_of_an_audit()
    {
        var none = TestContext.Current.CancellationToken;
        // Other tests look for what this one writes.
        await using var own = new LocalSolana();
        await own.StartAsync();
        var payer = await own.FundedWalletAsync(none);
        var note = (await host.Log.Blobs.ReadAsync(LogPublisher.CheckpointPath, none))!;
        var signature = await own.SendAsync(payer, [MemoProgram.NewMemo(note, payer.PublicKey)], none);
        await using var server = await FaultyServer.StartAsync(own.Rpc.NodeAddress);
        var report = Path.Combine(host.NewFolder(), "report.json");
        string[] audit =
        [
            "--server", host.Server, "--key", host.Key, "--rpc", server.Address.AbsoluteUri, "--anchor", payer.PublicKey.ToString(), "--report", report,
        ];

        server.Lie = (method, result) => method == "getSignaturesForAddress" ? "no list" : result;
        await UnableAsync();
        var blockhash = await own.Rpc.GetLatestBlockhashAsync(Commitment.Confirmed, none);
        var other = new TransactionBuilder().SetFeePayer(payer.PublicKey).SetRecentBlockHash(blockhash.Value.Blockhash)
            .AddInstruction(MemoProgram.NewMemo(note, payer.PublicKey)).Build([payer]).Serialize();
        server.Lie = (method, result) =>
        {
            if (method == "getTransaction" && result is JsonObject transaction)
                transaction["transaction"] = new JsonArray(Convert.ToBase64String(other), "base64");
            return result;
        };
        await UnableAsync();
        server.Heal();
        (await LoggedHost.RunAsync(AuditCommand.Create(), audit)).Must(0, "proven on chain", "anchored", signature);
        Assert.Contains("\"result\": \"clean\"", await File.ReadAllTextAsync(report, none), StringComparison.Ordinal);

        async Task UnableAsync()
        {
            var said = await LoggedHost.RunAsync(AuditCommand.Create(), audit);
            said.Must(2, "not proven", "anchored", "could not be compared");
            said.Must(2, "proven offline", "checkpoint_signed");
            said.Must(2, "No findings");
            Assert.Contains("\"result\": \"unable\"", await File.ReadAllTextAsync(report, none), StringComparison.Ordinal);
        }

    }

    private async Task<(string Folder, Guid Id)> SavedAsync(long index)
    {
        var (folder, id) = (host.NewFolder(), await host.EventAtAsync(index));
        (await OnlineAsync(id, "--save", folder)).Must(0, "Holds.");
        return (folder, id);
    }

    private Task<Said> OnlineAsync(Guid id, params string[] more) => LoggedHost.RunAsync(
        VerifyCommand.Create(), ["--server", host.Server, "--event", id.ToString(), "--key", host.Key, .. more]);

    private static Task<Said> OfflineAsync(string folder, Guid id, params string[] more) => LoggedHost.RunAsync(
        VerifyCommand.Create(),
        [Path.Combine(folder, $"{id}.tlog-proof"), "--leaf", Path.Combine(folder, $"{id}.leaf.json"), "--key", Path.Combine(folder, "log.vkey"), .. more]);
}
