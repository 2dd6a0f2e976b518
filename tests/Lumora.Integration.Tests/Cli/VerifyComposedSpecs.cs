using Lumora.Chain.Solana;
using Lumora.Chain.Verification;
using Lumora.Cli.Audit;
using Lumora.Cli.Trust;
using Lumora.Cli.Verify;
using Lumora.Integration.Tests.Anchoring;

namespace Lumora.Integration.Tests.Cli;

/// <summary><c>lumora verify</c> of composed proofs, of a host with a region shard and a local Solana.</summary>
public sealed class VerifyComposedSpecs(RegionShardSpecs.Fixture fixture) : IClassFixture<RegionShardSpecs.Fixture>, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lumora-composed-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Main => fixture.Log("main").Key.ToString();

    private string Eu => fixture.Log("eu").Key.ToString();

    private string Rpc => fixture.App.Get<SolanaConnection>().Current!.Servers[0].NodeAddress.AbsoluteUri;

    private string Payer => KeypairFile.Load(Path.Combine(fixture.App.Home, "keys", "solana-anchor.json")).PublicKey.Key;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Each_claim_is_said_and_only_the_finality_of_the_transaction_needs_the_chain()
    {
        var (id, file, proof) = await SavedAsync("claims");
        var said = await VerifyAsync(file, "--key", Main, "--key", Eu);
        said.Must(0, "proven offline", "log_key", Main);
        said.Must(0, "proven offline", "log_key", Eu);
        said.Must(0, "proven offline", "checkpoint_signed", fixture.Log("eu").Key.Name);
        said.Must(0, "proven offline", "entry_in_tree");
        said.Must(0, "proven offline", "event_readable", id.ToString());
        said.Must(0, "proven offline", "global_signed", fixture.Log("main").Key.Name);
        said.Must(0, "proven offline", "checkpoint_recorded", "checkpoint/eu");
        said.Must(0, "proven offline", "transaction_signed", proof.Anchor!.Signature, "nobody has named");
        said.Must(0, "needs the chain", "anchored", proof.Anchor.GenesisHash);
        said.Must(0, "Holds.");

        (await VerifyAsync(file, "--key", Main, "--key", Eu, "--anchor", Payer)).Must(0, "transaction_signed", "as named");
        (await VerifyAsync(file, "--key", Main, "--key", Eu, "--rpc", Rpc)).Must(0, "proven on chain", "anchored", proof.Anchor.Signature);
    }

    [Fact]
    public async Task The_anchors_and_the_regions_checkpoints_in_the_global_log_of_a_running_host_are_proven_by_an_audit()
    {
        await SavedAsync("audited");
        string[] main = ["--server", fixture.App.Address.AbsoluteUri, "--key", Main];
        var said = await LoggedHost.RunAsync(AuditCommand.Create(), [.. main, "--key", Eu, "--anchor", Payer, "--rpc", Rpc]);
        said.Must(0, "proven offline", "anchors_archived", Payer, "sizes and slots rise");
        said.Must(0, "proven offline", "checkpoints_recorded", "of 1 regions", "signed by it");
        said.Must(0, "proven on chain", "anchored");
        (await LoggedHost.RunAsync(AuditCommand.Create(), main)).Must(0, "not proven", "checkpoints_recorded", "eu (");
    }

    [Fact]
    public async Task A_policy_file_or_a_trust_file_names_both_logs()
    {
        var (_, file, proof) = await SavedAsync("pinned");
        var policy = Path.Combine(_folder, "policy");
        await File.WriteAllTextAsync(policy, $"log {Main}\nlog {Eu}\nquorum none\n", Ct);
        (await VerifyAsync(file, "--policy", policy)).Must(0, "not proven", "witnessed", "asks for no witness");
        (await VerifyAsync(file, "--policy", policy)).Must(0, "Holds.");

        var trust = Path.Combine(_folder, "lumora.trust");
        var made = await LoggedHost.RunAsync(
            TrustCommand.Create(), "make", "--home", fixture.App.Home, "--out", trust, "--genesis", proof.Anchor!.GenesisHash);
        var signer = made.Output.Split("--trust-key: ")[1].Trim();
        var said = await VerifyAsync(file, "--trust", trust, "--trust-key", signer);
        said.Must(0, "proven offline", "trust_file", signer);
        said.Must(0, "transaction_signed", "as named");
        (await VerifyAsync(file, "--trust", trust, "--trust-key", signer, "--genesis", Payer)).Must(1, "WRONG", "anchor: it is on the cluster");
        (await VerifyAsync(file, "--trust", trust, "--key", Main)).Must(2, "not both");
    }

    [Fact]
    public async Task A_changed_file_is_refused_with_its_reason_and_its_part()
    {
        var (_, file, proof) = await SavedAsync("changed");
        string[] keys = ["--key", Main, "--key", Eu];
        foreach (var (reason, changed) in new (string, ComposedProof)[]
        {
            ("region: The inclusion path", proof with { Region = proof.Region with { Leaf = proof.Region.Leaf.Replace("changed", "changes", StringComparison.Ordinal) } }),
            ("global: The inclusion path", proof with { Global = proof.Global with { Leaf = proof.Global.Leaf.Replace("\"shard\":\"main\"", "\"shard\":\"mine\"", StringComparison.Ordinal) } }),
            ("global: both halves are of one log", proof with { Global = proof.Region }),
            ("anchor: its transaction is", proof with { Anchor = proof.Anchor! with { Signature = "1" + proof.Anchor.Signature[1..] } }),
            ("policy: ", proof with { Policy = "quorum none\n" }),
        })
        {
            await File.WriteAllBytesAsync(file, changed.ToBytes(), Ct);
            var said = await VerifyAsync(file, keys);
            said.Must(1, "WRONG", file, reason);
            said.Must(1, "not proven", "composed_proof");
            said.Must(1, "Does not hold.");
        }

        // What no signature covers is the chain's to say.
        var anchor = proof.Anchor!;
        foreach (var (what, other) in new (string, AnchorEvidence)[]
        {
            ("slot", anchor with { Slot = anchor.Slot + 1 }),
            ("block ", anchor with { Blockhash = anchor.GenesisHash }),
            ("block time", anchor with { BlockTime = "2001-02-03T04:05:06.000000Z" }),
        })
        {
            await File.WriteAllBytesAsync(file, (proof with { Anchor = other }).ToBytes(), Ct);
            (await VerifyAsync(file, keys)).Must(0, "needs the chain", "anchored");
            (await VerifyAsync(file, [.. keys, "--rpc", Rpc])).Must(1, "WRONG", $"it says {what}", "the chain says");
        }

        await File.WriteAllTextAsync(file, "{", Ct);
        (await VerifyAsync(file, keys)).Must(1, "WRONG", file);
    }

    [Fact]
    public async Task Keys_that_are_missing_or_of_others_prove_nothing()
    {
        var (_, file, _) = await SavedAsync("keys");
        (await VerifyAsync(file)).Must(2, "the keys of both logs are not known");
        (await VerifyAsync(file, "--key", Main)).Must(1, "WRONG", "region: No known key has signed");
        (await VerifyAsync(file, "--key", Eu)).Must(1, "WRONG", "global: No known key has signed");
        (await VerifyAsync(file, "--key", Main, "--key", Eu, "--anchor", fixture.App.Get<SolanaConnection>().Current!.GenesisHash))
            .Must(1, "WRONG", "anchor: its transaction is paid for by");
    }

    [Fact]
    public async Task Of_a_regions_event_on_a_server_the_composed_proof_is_fetched_and_saved()
    {
        var (id, _, _) = await SavedAsync("online");
        string[] online = ["--server", fixture.App.Address.AbsoluteUri.TrimEnd('/'), "--shard", "eu", "--event", id.ToString()];
        var said = await LoggedHost.RunAsync(VerifyCommand.Create(), [.. online, "--key", Main, "--key", Eu, "--save", _folder]);
        said.Must(0, "proven offline", "checkpoint_recorded");
        said.Must(0, "Saved.", $"{id}.composed-proof.json");
        (await VerifyAsync(Path.Combine(_folder, $"{id}.composed-proof.json"), "--key", Path.Combine(_folder, "logs.vkey"))).Must(0, "Holds.");
        // Without keys the two logs name their own, and the report says what that is worth.
        var unpinned = await LoggedHost.RunAsync(VerifyCommand.Create(), online);
        unpinned.Must(0, "not proven", "log_key", Main);
        unpinned.Must(0, "not proven", "log_key", Eu);
    }

    private async Task<(Guid Id, string File, ComposedProof Proof)> SavedAsync(string name)
    {
        var (id, bytes) = await RegionShardSpecs.AnchoredProofAsync(fixture.App, name);
        var file = Path.Combine(_folder, $"{name}.json");
        await File.WriteAllBytesAsync(file, bytes, Ct);
        return (id, file, ComposedProof.Parse(bytes));
    }

    private static Task<Said> VerifyAsync(string file, params string[] more) => LoggedHost.RunAsync(VerifyCommand.Create(), [file, .. more]);
}
