using System.CommandLine;
using System.Text.Json;
using Lumora.Chain.Blobs;
using Lumora.Chain.Notes;
using Lumora.Chain.Solana.Programs;
using Lumora.Chain.Witnesses;
using Lumora.Chain.Witnessing;
using Lumora.Cli.Monitor;
using Lumora.Cli.Verify;
using Lumora.Domain.Ledger;
using Lumora.Domain.Merkle;
using Lumora.Integration.Tests.Anchoring;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Integration.Tests.Log;
using Lumora.Integration.Tests.Solana;

namespace Lumora.Integration.Tests.Cli;

public sealed class MonitorSpecs(LocalSolana solana) : IAsyncLifetime, IClassFixture<LocalSolana>
{
    private readonly ForgedLog _log = new();
    private readonly ForgedLog _other = new() { Seed = 2 };
    private ForgedServer _server = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string State => Path.Combine(_log.Folder, "state");

    public async ValueTask InitializeAsync()
    {
        Grow(_log, 300);
        await _log.PublishAsync();
        _other.AddFrom(_log, 200);
        Grow(_other, 500);
        await _other.PublishAsync();
        _server = await ForgedServer.StartAsync();
        _server.Log = _log;
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _log.Dispose();
        _other.Dispose();
    }

    [Fact]
    public async Task A_log_that_grows_is_followed_and_what_was_seen_is_kept_across_restarts()
    {
        (await OnceAsync()).Must(0, "ok", "checkpoint", "300 entries", "first");
        (await OnceAsync()).Must(0, "resumed", "300 entries");
        Grow(_log, 700);
        await _log.PublishAsync();
        (await OnceAsync()).Must(0, "ok", "checkpoint", "700 entries", "extends 300");
        (await OnceAsync()).Must(0, "resumed", "700 entries");
    }

    [Fact]
    public async Task A_log_is_followed_across_a_change_of_its_key()
    {
        var old = _log.Key;
        (await OnceAsync()).Must(0, "checkpoint", "300 entries");
        _log.Replace(overlap: true);
        Grow(_log, 400);
        await _log.PublishAsync();
        // Whoever knows the old key alone hears that another one signs under the log's name.
        (await OnceAsync()).Must(1, "ALARM", "unknown_key");
        (await WithKeysAsync(old, ForgedLog.NextKey)).Must(0, "resumed", "400 entries");
        _log.Replace(overlap: false);
        Grow(_log, 500);
        await _log.PublishAsync();
        (await WithKeysAsync(ForgedLog.NextKey)).Must(0, "checkpoint", "500 entries", "extends 400");
    }

    [Fact]
    public async Task A_fork_that_a_server_shows_is_an_alarm_with_evidence_that_convinces_others()
    {
        await OnceAsync();
        _server.Log = _other;
        var said = await OnceAsync();
        said.Must(1, "ALARM", "fork", "evidence: ");
        var file = Assert.Single(Directory.GetFiles(State, "fork-*.json"));
        (await LoggedHost.RunAsync(VerifyCommand.Create(), "--evidence", file, "--key", _log.Key)).Must(0, "Shown.");
        // The fork is not taken for the log: it is found again, and the first history is still the right one.
        (await OnceAsync()).Must(1, "ALARM", "fork");
        _server.Log = _log;
        Assert.Equal(0, (await OnceAsync()).ExitCode);
    }

    [Fact]
    public async Task Whoever_follows_ends_at_the_first_alarm_and_says_it_as_JSON()
    {
        await OnceAsync();
        _server.Log = _other;
        var said = await RunAsync("--until-alarm", "--interval", "0.1", "--json");
        Assert.Equal(1, said.ExitCode);
        var lines = said.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        var alarm = Assert.Single(lines, line => line.GetProperty("level").GetString() == "alarm");
        Assert.Equal("fork", alarm.GetProperty("code").GetString());
        Assert.True(File.Exists(alarm.GetProperty("evidence").GetString()));
    }

    [Fact]
    public async Task A_log_that_was_set_back_or_lost_its_checkpoint_is_an_alarm()
    {
        await OnceAsync();
        using var old = new ForgedLog();
        old.AddFrom(_log, 257);
        await old.PublishAsync();
        var whole = _log.Published();
        _log.Replace(old.Published().ToText());
        (await OnceAsync()).Must(1, "ALARM", "set_back", "257 entries after one of 300");
        File.Delete(Path.Combine(_log.Folder, "log", "checkpoint"));
        (await OnceAsync()).Must(1, "ALARM", "checkpoint_gone");
        _log.Replace(whole.ToText());
        Assert.Equal(0, (await OnceAsync()).ExitCode);
    }

    [Fact]
    public async Task New_entries_that_are_not_those_of_the_tree_are_an_alarm_with_evidence()
    {
        await OnceAsync();
        Grow(_log, 700);
        await _log.PublishAsync();
        LoggedHost.Flip(Path.Combine(_log.Folder, "log", "tile/entries/001"), (256 - 44) * 100);
        var said = await OnceAsync();
        said.Must(1, "ALARM", "tree_broken");
        if (Directory.GetFiles(State, "rewritten-entry-*.json") is [var file])
            (await LoggedHost.RunAsync(VerifyCommand.Create(), "--evidence", file, "--key", _log.Key)).Must(0, "Shown.");
    }

    [Fact]
    public async Task A_rewrite_of_what_was_seen_before_is_found_by_the_samples()
    {
        await OnceAsync();
        // Every entry is another one: whichever is read again shows it.
        var bundles = new ForgedLog { Seed = 3 };
        Grow(bundles, 300);
        await bundles.PublishAsync();
        foreach (var name in new[] { "000", "001.p/44" })
            File.Copy(Path.Combine(bundles.Folder, "log", "tile/entries", name), Path.Combine(_log.Folder, "log", "tile/entries", name), overwrite: true);
        bundles.Dispose();
        (await OnceAsync()).Must(1, "ALARM", "rewritten_entry", "evidence: ");
    }

    [Fact]
    public async Task An_old_bundle_that_is_gone_or_cut_is_found_by_the_samples()
    {
        await OnceAsync();
        var bundle = Path.Combine(_log.Folder, "log", "tile/entries/000");
        var bytes = await File.ReadAllBytesAsync(bundle, Ct);
        File.Delete(bundle);
        (await RunAsync("--until-alarm", "--interval", "0.1")).Must(1, "ALARM", "tree_broken", "tile/entries/000");
        await File.WriteAllBytesAsync(bundle, bytes.AsMemory(0, 1_000), Ct);
        (await RunAsync("--until-alarm", "--interval", "0.1")).Must(1, "ALARM", "tree_broken", "tile/entries/000");
        await File.WriteAllBytesAsync(bundle, bytes, Ct);
        (await OnceAsync()).Must(0, "resumed");
    }

    [Fact]
    public async Task A_tile_that_is_cut_when_the_log_has_grown_is_an_alarm_and_no_end()
    {
        await OnceAsync();
        Grow(_log, 700);
        await _log.PublishAsync();
        await File.WriteAllBytesAsync(Path.Combine(_log.Folder, "log", "tile/0/001"), new byte[32], Ct);
        (await RunAsync("--until-alarm", "--interval", "0.1")).Must(1, "ALARM", "tree_broken");
        (await OnceAsync()).Must(1, "ALARM", "tree_broken");
    }

    [Fact]
    public async Task Extension_lines_a_bad_signature_and_another_key_of_the_logs_name_are_alarms()
    {
        await OnceAsync();
        var checkpoint = _log.Published();
        _log.Replace(checkpoint.ToText() + "an extension\n");
        (await OnceAsync()).Must(1, "ALARM", "extension_lines");

        var text = checkpoint.ToText();
        var file = Path.Combine(_log.Folder, "log", "checkpoint");
        using var stranger = new NoteSigner(checkpoint.Origin, SignatureKind.Ed25519, [.. Enumerable.Repeat((byte)7, 32)]);
        using var witness = new NoteSigner("witness.example", SignatureKind.CosignatureV1, [.. Enumerable.Repeat((byte)8, 32)]);
        var signed = SignedNote.Parse(_log.Sign(text));
        await File.WriteAllBytesAsync(file, signed.With(stranger.Sign(text)).ToBytes(), Ct);
        (await OnceAsync()).Must(1, "ALARM", "unknown_key", checkpoint.Origin);
        await File.WriteAllBytesAsync(file, signed.With(witness.Cosign(text, DateTimeOffset.UtcNow)).ToBytes(), Ct);
        (await OnceAsync()).Must(0, "notice", "unknown_key", "witness.example");
        await File.WriteAllBytesAsync(file, new SignedNote(text, [stranger.Sign(text)]).ToBytes(), Ct);
        (await OnceAsync()).Must(1, "ALARM", "bad_checkpoint");
    }

    [Fact]
    public async Task A_log_that_refuses_to_sign_is_an_alarm_and_one_that_waits_is_after_its_time()
    {
        _server.Trouble = "log_refused: shard main: the lock is ahead";
        (await OnceAsync()).Must(1, "ALARM", "stalled", "log_refused");
        _server.Trouble = "log_not_sequenced: events of shard main wait to be logged";
        (await OnceAsync()).Must(0, "notice", "waiting", "log_not_sequenced");
        (await RunAsync("--until-alarm", "--interval", "0.1", "--stall", "0.3")).Must(1, "ALARM", "stalled", "log_not_sequenced");
    }

    [Fact]
    public async Task A_log_without_new_checkpoints_is_an_alarm_when_it_was_said_how_long_it_may_be_quiet()
    {
        await OnceAsync();
        (await RunAsync("--until-alarm", "--interval", "0.1", "--age-max", "0.2")).Must(1, "ALARM", "old");
    }

    [Fact]
    public async Task Anchors_are_followed_one_that_is_late_or_of_another_history_is_an_alarm()
    {
        var payer = await solana.FundedWalletAsync(Ct);
        string[] chain = ["--rpc", solana.Rpc.NodeAddress.AbsoluteUri, "--anchor", payer.PublicKey.ToString()];
        Assert.Equal(0, (await OnceAsync(chain)).ExitCode);
        (await RunAsync(["--until-alarm", "--interval", "0.1", "--anchor-late", "0.2", .. chain])).Must(1, "ALARM", "anchor_late");

        var note = _log.Sign(_log.Published().ToText());
        await solana.SendAsync(payer, [MemoProgram.NewMemo(note, payer.PublicKey)], Ct);
        (await OnceAsync([.. chain, "--anchor-late", "0.2"])).Must(0, "ok", "anchor", "300 entries are anchored");

        var forged = _log.Sign(new Checkpoint(_log.Published().Origin, 250, MerkleHash.OfLeaf("another history"u8)).ToText());
        var signature = await solana.SendAsync(payer, [MemoProgram.NewMemo(forged, payer.PublicKey)], Ct);
        (await OnceAsync(chain)).Must(1, "ALARM", "fork", signature, "evidence: ");
        var hidden = _log.Sign(new Checkpoint(_log.Published().Origin, 900, MerkleHash.OfLeaf("not shown"u8)).ToText());
        await solana.SendAsync(payer, [MemoProgram.NewMemo(hidden, payer.PublicKey)], Ct);
        (await OnceAsync(chain)).Must(1, "ALARM", "behind_anchor", "900 entries");
        (await OnceAsync([.. chain, "--genesis", "11111111111111111111111111111111"])).Must(2, "serves the cluster", "pinned is");
    }

    /// <summary>The policy asks for no quorum: what the witnesses have seen counts all the same.</summary>
    [Fact]
    public async Task What_a_witness_has_cosigned_is_held_against_what_the_log_shows()
    {
        await using var witness = new RunningWitness([VerifierKey.Parse(_log.Key)]);
        await witness.StartAsync();
        var policy = Path.Combine(_log.Folder, "policy");
        await File.WriteAllTextAsync(policy, (await File.ReadAllTextAsync(witness.PolicyFile, Ct)).Replace("quorum w1", "quorum none", StringComparison.Ordinal), Ct);
        (await OnceAsync("--policy", policy)).Must(0, "notice", "witness", "shows no checkpoint of this log");
        await CosignAsync(witness, _log);
        (await OnceAsync("--policy", policy)).Must(0, "resumed");

        // The witness sees more than everybody else, for a while.
        Grow(_log, 400);
        var shown = await File.ReadAllBytesAsync(Path.Combine(_log.Folder, "log", "checkpoint"), Ct);
        await _log.PublishAsync();
        await CosignAsync(witness, _log);
        _server.Instead = path => path == "checkpoint" ? shown : null;
        (await OnceAsync("--policy", policy)).Must(0, "resumed");
        (await RunAsync("--until-alarm", "--interval", "0.1", "--stall", "0.3", "--policy", policy)).Must(1, "ALARM", "behind_witness", "400 entries");
        _server.Instead = null;
        (await OnceAsync("--policy", policy)).Must(0, "checkpoint", "400 entries");
        await witness.StopAsync();
        (await OnceAsync("--policy", policy)).Must(0, "notice", "witness", "cannot be asked");
    }

    [Fact]
    public async Task A_history_that_was_shown_to_a_witness_alone_is_a_fork_with_evidence()
    {
        await using var witness = new RunningWitness([VerifierKey.Parse(_log.Key)]);
        await witness.StartAsync();
        await CosignAsync(witness, _other);
        Grow(_log, 700);
        await _log.PublishAsync();
        var said = await OnceAsync("--policy", witness.PolicyFile);
        said.Must(1, "ALARM", "fork", "witness w1", "evidence: ");
        var evidence = said.Output[(said.Output.IndexOf("evidence: ", StringComparison.Ordinal) + "evidence: ".Length)..].Split('\n')[0].Trim();
        (await LoggedHost.RunAsync(VerifyCommand.Create(), "--evidence", evidence, "--key", _log.Key)).Must(0, "Shown.");
    }

    private static async Task CosignAsync(RunningWitness witness, ForgedLog log)
    {
        var policy = WitnessPolicy.Parse(await File.ReadAllBytesAsync(witness.PolicyFile, Ct));
        using var http = new HttpClient();
        var note = await File.ReadAllBytesAsync(Path.Combine(log.Folder, "log", "checkpoint"), Ct);
        await new WitnessClient(http, Assert.Single(policy.Witnesses)).CosignAsync(
            log.Published(), note, new BlobTiles(new FolderBlobStore(Path.Combine(log.Folder, "log"))), Ct);
    }

    [Fact]
    public async Task Transactions_of_others_are_looked_at_once()
    {
        var payer = await solana.FundedWalletAsync(Ct);
        await solana.SendAsync(payer, [MemoProgram.NewMemo("another's"u8.ToArray(), payer.PublicKey)], Ct);
        await using var server = await FaultyServer.StartAsync(solana.Rpc.NodeAddress);
        string[] chain = ["--rpc", server.Address.AbsoluteUri, "--anchor", payer.PublicKey.ToString()];
        (await OnceAsync(chain)).Must(0, "ok");
        Assert.Contains("getTransaction", server.Asked);
        server.Heal();
        (await OnceAsync(chain)).Must(0, "resumed");
        Assert.DoesNotContain("getTransaction", server.Asked);
    }

    [Fact]
    public async Task A_chain_server_that_fails_is_an_alarm_after_its_time_and_what_was_seen_of_the_log_is_kept()
    {
        await using var server = await FaultyServer.StartAsync(solana.Rpc.NodeAddress);
        server.Lie = (method, result) => method == "getSignaturesForAddress" ? "no list" : result;
        (await RunAsync("--until-alarm", "--interval", "0.1", "--stall", "0.3", "--rpc", server.Address.AbsoluteUri))
            .Must(1, "ALARM", "chain_unreachable");
        (await OnceAsync()).Must(0, "resumed", "300 entries");
    }

    [Fact]
    public async Task A_signal_ends_it_cleanly_and_what_it_saw_is_kept()
    {
        using var stop = new CancellationTokenSource();
        using var output = new StringWriter();
        var run = MonitorCommand.Create().Parse(Arguments("--interval", "0.1")).InvokeAsync(
            new InvocationConfiguration { Output = output, Error = output }, stop.Token);
        await Patience.UntilAsync(() => File.Exists(Path.Combine(State, "monitor.json")));
        await stop.CancelAsync();
        Assert.Equal(0, await run);
        Assert.Contains("stopped", output.ToString(), StringComparison.Ordinal);
        (await OnceAsync()).Must(0, "resumed", "300 entries");
    }

    [Fact]
    public async Task A_state_that_is_damaged_or_of_another_log_is_refused()
    {
        await OnceAsync();
        var file = Path.Combine(State, "monitor.json");
        var text = await File.ReadAllTextAsync(file, Ct);
        await File.WriteAllTextAsync(file, text.Replace("300\\n", "301\\n", StringComparison.Ordinal), Ct);
        (await OnceAsync()).Must(2, file, "damaged", "Delete it");
        await File.WriteAllTextAsync(file, text[..^20], Ct);
        (await OnceAsync()).Must(2, "damaged");
        await File.WriteAllTextAsync(file, text, Ct);
        (await OnceAsync("--shard", "other")).Must(2, "is of the log main");
        (await RunAsync("--interval", "0")).Must(1, "--interval must be");
    }

    private static void Grow(ForgedLog log, int size)
    {
        while (log.Count < size)
            log.Add($"node/{log.Seed}_{log.Count}", 1, new AccountFrozen("k", "c", "LMR", $"{log.Seed}"));
    }

    private Task<Said> WithKeysAsync(params string[] keys) => LoggedHost.RunAsync(
        MonitorCommand.Create(), ["--once", "--server", _server.Address, "--state", State, .. keys.SelectMany(key => (string[])["--key", key])]);

    private Task<Said> OnceAsync(params string[] more) => RunAsync(["--once", .. more]);

    private Task<Said> RunAsync(params string[] more) => LoggedHost.RunAsync(MonitorCommand.Create(), Arguments(more));

    private string[] Arguments(params string[] more) => ["--server", _server.Address, "--key", _log.Key, "--state", State, .. more];
}
