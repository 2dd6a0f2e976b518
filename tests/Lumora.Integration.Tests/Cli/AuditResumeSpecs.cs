using System.Text.Json.Nodes;
using Lumora.Chain.Notes;
using Lumora.Cli.Audit;
using Lumora.Cli.Verify;
using Lumora.Domain.Ledger;
using Lumora.Domain.Merkle;

namespace Lumora.Integration.Tests.Cli;

public sealed class AuditResumeSpecs
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_audit_that_goes_on_after_each_entry_says_the_same_as_one_that_began_at_the_first()
    {
        var network = new ForgedNetwork();
        using var log = new ForgedLog();
        for (var i = 0; i < network.Count; i++)
        {
            network.WriteTo(log, i, 1);
            await log.PublishAsync();
            Assert.Equal(0, (await AuditAsync(log, "--state", State(log))).ExitCode);
        }

        var (resumed, full) = (await ReportAsync(log, "--state", State(log)), await ReportAsync(log));
        Assert.Equal(network.Count, (long)resumed["resumedFrom"]!);
        Assert.Equal(Comparable(full), Comparable(resumed));
    }

    [Fact]
    public async Task A_long_log_is_gone_on_with_across_tiles()
    {
        using var log = new ForgedLog();
        log.Add("ledger/main", 1, new AccountOpened("a1", ChartOfAccounts.Emission, ChartOfAccounts.Lmr, null));
        log.Add("ledger/main", 2, new AccountOpened("a2", ChartOfAccounts.Rewards, ChartOfAccounts.Lmr, 0));
        foreach (var size in new[] { 100, 256, 257, 511, 1_200 })
        {
            while (log.Count < size)
                log.Add("ledger/main", log.Count + 1, new TransactionPosted(
                    $"t{log.Count}", "test", [new Posting(ChartOfAccounts.Emission, ChartOfAccounts.Rewards, new Domain.Kernel.Amount(1))]));
            await log.PublishAsync();
            (await AuditAsync(log, "--state", State(log))).Must(0, "Clean", $"{size} entries");
        }

        Assert.Equal(Comparable(await ReportAsync(log)), Comparable(await ReportAsync(log, "--state", State(log))));
    }

    [Fact]
    public async Task An_audit_that_was_broken_off_is_gone_on_with_and_says_the_same_as_a_whole_one()
    {
        using var log = await PublishedAsync(1, 2_048);
        await using var server = await ForgedServer.StartAsync();
        server.Log = log;
        var bundles = await BreakOffAsync(server, log, 6);
        bundles.Clear();
        var report = Path.Combine(log.Folder, "report.json");
        (await FromServerAsync(server, log, "--report", report)).Must(0, "Clean", "2048 entries");
        Assert.Equal(["005", "006", "007"], bundles);
        var resumed = JsonNode.Parse(await File.ReadAllTextAsync(report, Ct))!;
        Assert.Equal(1_280, (long)resumed["resumedFrom"]!);
        Assert.False(File.Exists(Path.Combine(State(log), "audit.part")));
        // What it leaves behind is that of a whole one.
        Grow(log, 2_100);
        await log.PublishAsync();
        Assert.Equal(Comparable(await ReportAsync(log)), Comparable(await ReportAsync(log, "--state", State(log))));
    }

    [Fact]
    public async Task What_a_broken_off_audit_has_seen_is_held_against_what_the_log_shows_later()
    {
        using var log = await PublishedAsync(1, 2_048);
        await using var server = await ForgedServer.StartAsync();
        server.Log = log;
        await BreakOffAsync(server, log, 6);
        using var other = new ForgedLog { Seed = 2 };
        other.AddFrom(log, 700);
        Grow(other, 2_500);
        await other.PublishAsync();
        server.Log = other;
        (await FromServerAsync(server, log)).Must(1, "WRONG", "checkpoint of 2048 entries", "another history");
    }

    /// <summary>Audits from a server that is gone after <paramref name="count"/> bundles; answers those that are asked for, then and later.</summary>
    private static async Task<List<string>> BreakOffAsync(ForgedServer server, ForgedLog log, int count)
    {
        var bundles = new List<string>();
        var isBreaking = true;
        server.Instead = path =>
        {
            if (path.StartsWith("tile/entries/", StringComparison.Ordinal))
                bundles.Add(path["tile/entries/".Length..]);
            if (isBreaking && bundles.Count == count)
                server.Hiccups = int.MaxValue;
            return null;
        };
        (await FromServerAsync(server, log, "--keep-every", "0")).Must(2, "lumora audit:");
        (server.Hiccups, isBreaking) = (0, false);
        return bundles;
    }

    private static Task<Said> FromServerAsync(ForgedServer server, ForgedLog log, params string[] more) => LoggedHost.RunAsync(
        AuditCommand.Create(), ["--server", server.Address, "--key", log.Key, "--state", State(log), "--evidence", log.Folder, .. more]);

    [Fact]
    public async Task What_comes_after_a_clean_audit_is_judged_with_what_was_folded_before()
    {
        using var log = new ForgedLog();
        log.Add("ledger/main", 1, new AccountOpened("a1", ChartOfAccounts.Emission, ChartOfAccounts.Lmr, null));
        log.Add("ledger/main", 2, new AccountOpened("a2", ChartOfAccounts.Rewards, ChartOfAccounts.Lmr, 0));
        log.Add("ledger/main", 3, Transfer("t1", ChartOfAccounts.Emission, ChartOfAccounts.Rewards, 5));
        await log.PublishAsync();
        Assert.Equal(0, (await AuditAsync(log, "--state", State(log))).ExitCode);
        log.Add("ledger/main", 4, Transfer("t1", ChartOfAccounts.Emission, ChartOfAccounts.Rewards, 5));
        await log.PublishAsync();
        (await AuditAsync(log, "--state", State(log))).Must(1, "WRONG", "entry 3", "second outcome for the key t1");
        // A finding is found again: only what is clean is kept.
        (await AuditAsync(log, "--state", State(log))).Must(1, "WRONG", "entry 3", "second outcome for the key t1");
    }

    [Fact]
    public async Task A_damaged_state_and_that_of_another_log_are_refused_with_what_to_do()
    {
        using var log = await PublishedAsync(1, 10);
        await AuditAsync(log, "--state", State(log));
        var file = Path.Combine(State(log), "audit.state");
        var length = (int)new FileInfo(file).Length;
        foreach (var at in new[] { 0, 30, length / 2, length - 1 })
        {
            LoggedHost.Flip(file, at);
            (await AuditAsync(log, "--state", State(log))).Must(2, file, "damaged", "Delete it");
            LoggedHost.Flip(file, at);
        }

        var whole = await File.ReadAllBytesAsync(file, Ct);
        await File.WriteAllBytesAsync(file, whole[..(length / 2)], Ct);
        (await AuditAsync(log, "--state", State(log))).Must(2, "damaged");
        await File.WriteAllBytesAsync(file, whole, Ct);
        (await AuditAsync(log, "--state", State(log), "--shard", "other")).Must(2, "is of the log main");
        (await AuditAsync(log, "--state", State(log), "--epoch-seconds", "60")).Must(2, "--epoch-seconds");
        Assert.Equal(0, (await AuditAsync(log, "--state", State(log))).ExitCode);
    }

    [Theory]
    [InlineData(300, 300)]
    [InlineData(256, 300)]
    [InlineData(300, 700)]
    public async Task A_second_history_is_found_by_the_earlier_checkpoint_and_the_evidence_convinces_others(int first, int second)
    {
        using var before = await PublishedAsync(1, first);
        Assert.Equal(0, (await AuditAsync(before, "--state", State(before))).ExitCode);
        // The operator takes another turn after 100 entries, with the same key.
        using var after = new ForgedLog { Seed = 2 };
        after.AddFrom(before, 100);
        Grow(after, second);
        await after.PublishAsync();
        var evidence = Path.Combine(before.Folder, "evidence");
        var said = await AuditAsync(after, "--state", State(before), "--evidence", evidence);
        said.Must(1, "WRONG", $"checkpoint of {first} entries", "another history");
        var file = Assert.Single(Directory.GetFiles(evidence));
        said.Must(1, "EVIDENCE", file);

        (await VerifyAsync(file, after.Key)).Must(0, "proven offline", "conflict_shown", "the log has signed");
        (await VerifyAsync(file, after.Key)).Must(0, "Shown.");
        const string other = "lumora.example/ledger+e3e22f24+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
        (await VerifyAsync(file, other)).Must(1, "WRONG", "No known key");
        var json = JsonNode.Parse(await File.ReadAllTextAsync(file, Ct))!;
        json["second"]!["note"] = json["first"]!["note"]!.GetValue<string>();
        await File.WriteAllTextAsync(file, json.ToJsonString(), Ct);
        (await VerifyAsync(file, after.Key)).Must(1, "Not shown.");
    }

    [Fact]
    public async Task Notes_of_one_history_are_no_evidence_of_a_fork()
    {
        using var before = await PublishedAsync(1, 300);
        await AuditAsync(before, "--state", State(before));
        using var after = new ForgedLog { Seed = 2 };
        after.AddFrom(before, 100);
        Grow(after, 700);
        await after.PublishAsync();
        var evidence = Path.Combine(before.Folder, "evidence");
        await AuditAsync(after, "--state", State(before), "--evidence", evidence);
        var file = Assert.Single(Directory.GetFiles(evidence));
        // The first note is replaced by that of the honest beginning of the second history.
        using var honest = new ForgedLog();
        honest.AddFrom(after, 300);
        await honest.PublishAsync();
        var json = JsonNode.Parse(await File.ReadAllTextAsync(file, Ct))!;
        json["first"]!["note"] = System.Text.Encoding.UTF8.GetString(honest.Sign(honest.Published().ToText()));
        await File.WriteAllTextAsync(file, json.ToJsonString(), Ct);
        (await VerifyAsync(file, after.Key)).Must(1, "WRONG", "there is no fork");
    }

    /// <summary>Before, in and after the overlap of two keys: one state goes on, with both keys or with the one that signs.</summary>
    [Fact]
    public async Task An_audit_goes_on_while_the_logs_key_is_replaced()
    {
        using var log = await PublishedAsync(1, 100);
        string[] old = ["--key", log.Key], next = ["--key", ForgedLog.NextKey];
        (await AuditWithAsync(log, old)).Must(0, "Clean", "100 entries");
        log.Replace(overlap: true);
        Grow(log, 200);
        await log.PublishAsync();
        // The state of the first audit is of a checkpoint that the next key alone has not signed.
        (await AuditWithAsync(log, next)).Must(2, "is of the log main with the key", log.Key);
        var both = await AuditWithAsync(log, [.. old, .. next]);
        both.Must(0, "Clean", "200 entries");
        both.Must(0, "proven offline", "log_key", log.Key);
        both.Must(0, "proven offline", "log_key", ForgedLog.NextKey);
        log.Replace(overlap: false);
        Grow(log, 300);
        await log.PublishAsync();
        (await AuditWithAsync(log, old)).Must(1, "WRONG", "No known key has signed");
        (await AuditWithAsync(log, next)).Must(0, "Clean", "300 entries");
        (await AuditWithAsync(log, next)).Must(0, "extends_earlier", "300 entries");
    }

    /// <summary>The note before was signed by the old key, the forked one by the new key: the evidence needs both.</summary>
    [Fact]
    public async Task A_fork_across_a_change_of_keys_is_shown_with_both_keys()
    {
        using var before = await PublishedAsync(1, 300);
        await AuditAsync(before, "--state", State(before));
        using var after = new ForgedLog { Seed = 2 };
        after.AddFrom(before, 100);
        Grow(after, 300);
        after.Replace(overlap: false);
        await after.PublishAsync();
        var evidence = Path.Combine(before.Folder, "evidence");
        string[] both = ["--key", before.Key, "--key", ForgedLog.NextKey];
        (await LoggedHost.RunAsync(AuditCommand.Create(), ["--folder", Path.Combine(after.Folder, "log"), .. both, "--state", State(before), "--evidence", evidence]))
            .Must(1, "WRONG", "checkpoint of 300 entries", "another history");
        var file = Assert.Single(Directory.GetFiles(evidence));
        (await LoggedHost.RunAsync(VerifyCommand.Create(), ["--evidence", file, .. both])).Must(0, "Shown.");
        (await VerifyAsync(file, ForgedLog.NextKey)).Must(1, "Not shown.");
        Assert.Contains($"{before.Key}\n{ForgedLog.NextKey}", JsonNode.Parse(await File.ReadAllTextAsync(file, Ct))!["key"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_log_that_was_set_back_is_found()
    {
        using var log = await PublishedAsync(1, 300);
        await AuditAsync(log, "--state", State(log));
        using var old = new ForgedLog();
        old.AddFrom(log, 200);
        await old.PublishAsync();
        log.Replace(old.Published().ToText());
        (await AuditAsync(log, "--state", State(log))).Must(1, "WRONG", "checkpoint of 300 entries", "set back");
    }

    [Fact]
    public async Task A_rewritten_entry_yields_evidence_that_holds_without_the_log()
    {
        using var log = await PublishedAsync(1, 300);
        LoggedHost.Flip(Path.Combine(log.Folder, "log", "tile/entries/000"), 60);
        var evidence = Path.Combine(log.Folder, "evidence");
        (await AuditAsync(log, "--evidence", evidence)).Must(1, "EVIDENCE", "rewritten-entry-0.json");
        var file = Path.Combine(evidence, "rewritten-entry-0.json");
        (await VerifyAsync(file, log.Key)).Must(0, "conflict_shown", "the tree of 300 entries that the log has signed");
        var json = JsonNode.Parse(await File.ReadAllTextAsync(file, Ct))!;
        json["entry"]!["index"] = 1;
        await File.WriteAllTextAsync(file, json.ToJsonString(), Ct);
        (await VerifyAsync(file, log.Key)).Must(1, "Not shown.");
        await File.WriteAllTextAsync(file, "{}", Ct);
        (await VerifyAsync(file, log.Key)).Must(2, "no evidence");
    }

    [Fact]
    public async Task Two_roots_for_one_size_are_a_fork_without_any_tile()
    {
        using var log = await PublishedAsync(1, 300);
        await AuditAsync(log, "--state", State(log));
        log.Replace(new Checkpoint(log.Published().Origin, 300, MerkleHash.OfLeaf("another history"u8)).ToText());
        var evidence = Path.Combine(log.Folder, "evidence");
        (await AuditAsync(log, "--state", State(log), "--evidence", evidence)).Must(1, "WRONG", "a fork");
        (await VerifyAsync(Assert.Single(Directory.GetFiles(evidence)), log.Key)).Must(0, "two trees of 300 entries");
    }

    private static string State(ForgedLog log) => Path.Combine(log.Folder, "state");

    private static async Task<ForgedLog> PublishedAsync(int seed, int size)
    {
        var log = new ForgedLog { Seed = seed };
        Grow(log, size);
        await log.PublishAsync();
        return log;
    }

    private static void Grow(ForgedLog log, int size)
    {
        while (log.Count < size)
            log.Add($"node/{log.Seed}_{log.Count}", 1, new AccountFrozen("k", "c", "LMR", $"{log.Seed}"));
    }

    private static TransactionPosted Transfer(string id, string from, string to, long units) =>
        new(id, "test", [new Posting(from, to, new Domain.Kernel.Amount(units))]);

    private static Task<Said> AuditAsync(ForgedLog log, params string[] more) => LoggedHost.RunAsync(
        AuditCommand.Create(), ["--folder", Path.Combine(log.Folder, "log"), "--key", log.Key, .. more]);

    private static Task<Said> AuditWithAsync(ForgedLog log, string[] keys) => LoggedHost.RunAsync(
        AuditCommand.Create(), ["--folder", Path.Combine(log.Folder, "log"), "--state", State(log), .. keys]);

    private static Task<Said> VerifyAsync(string file, string key) =>
        LoggedHost.RunAsync(VerifyCommand.Create(), "--evidence", file, "--key", key);

    private static async Task<JsonNode> ReportAsync(ForgedLog log, params string[] more)
    {
        var file = Path.Combine(log.Folder, "report.json");
        Assert.Equal(0, (await AuditAsync(log, [.. more, "--report", file])).ExitCode);
        return JsonNode.Parse(await File.ReadAllTextAsync(file, Ct))!;
    }

    private static string Comparable(JsonNode report)
    {
        foreach (var name in new[] { "startedAt", "seconds", "resumedFrom" })
            report.AsObject().Remove(name);
        var claims = report["claims"]!.AsArray();
        if (claims.FirstOrDefault(claim => (string?)claim!["name"] == "extends_earlier") is { } earlier)
            claims.Remove(earlier);
        return report.ToJsonString();
    }
}
