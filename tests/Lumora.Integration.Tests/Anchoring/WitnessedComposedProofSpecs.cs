using Lumora.Chain.Verification;
using Lumora.Chain.Witnesses;
using Lumora.Cli.Verify;
using Lumora.Integration.Tests.Cli;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Integration.Tests.Log;
using Lumora.Integration.Tests.Solana;

namespace Lumora.Integration.Tests.Anchoring;

/// <summary>A host with a region shard whose checkpoints need a witness: its composed proofs meet the quorum under the anchor too.</summary>
public sealed class WitnessedComposedProofSpecs(TestDatabases databases)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_composed_proof_names_the_hosts_policy_and_meets_its_quorum_under_the_anchored_checkpoint()
    {
        var home = Path.Combine(Path.GetTempPath(), $"lumora-witnessed-region-{Guid.NewGuid():N}");
        await using var witness = new RunningWitness(home, ["main", "eu"]);
        await witness.StartAsync();
        try
        {
            var settings = new Dictionary<string, string>(LocalSolana.Settings!, StringComparer.Ordinal);
            foreach (var (key, value) in witness.Settings)
                settings[key] = value;
            settings["Lumora:Regions:eu"] = await databases.CreateEmptyAsync();
            settings["Anchoring:IntervalMs"] = "200";
            settings["Anchoring:PollMs"] = "25";
            await using var app = new LumoraApp(await databases.CreateAsync(), home, settings);
            await app.StartAsync();
            var (_, bytes) = await RegionShardSpecs.AnchoredProofAsync(app, "witnessed");
            var proof = ComposedProof.Parse(bytes);
            var policy = WitnessPolicy.Parse(System.Text.Encoding.UTF8.GetBytes(proof.Policy));
            Assert.Equal("w1", policy.Quorum);
            Assert.Null(Assert.Single(policy.Witnesses).Url);
            var verified = ComposedProofVerifier.Verify(bytes, policy);
            Assert.NotNull(proof.Anchor);
            Assert.True(verified.Global.Checkpoint.IsQuorumMet);
            Assert.True(verified.Region.Checkpoint.IsQuorumMet);

            var file = Path.Combine(home, "proof.json");
            await File.WriteAllBytesAsync(file, bytes, Ct);
            (await VerifyAsync(file, "--policy", witness.PolicyFile)).Must(0, "proven offline", "witnessed", "quorum w1 is met");
            (await VerifyAsync(file, "--policy", witness.PolicyFile)).Must(0, "proven offline", "region_witnessed");
            // Whoever knows the logs alone is told what the file names, and what that is worth.
            string[] keys = [.. policy.LogKeys.SelectMany(key => (string[])["--key", key.ToString()])];
            (await VerifyAsync(file, keys)).Must(0, "not proven", "witnessed", "--policy");

            // The same proof without the cosignatures holds in all but the quorum.
            var bare = proof with { Global = proof.Global with { Proof = Uncosigned(proof.Global.Proof) } };
            await File.WriteAllBytesAsync(file, bare.ToBytes(), Ct);
            (await VerifyAsync(file, keys)).Must(0, "Holds.");
            (await VerifyAsync(file, "--policy", witness.PolicyFile)).Must(1, "WRONG", "the policy's quorum w1 is not met");
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    /// <summary>The proof without its last signature line.</summary>
    private static string Uncosigned(string proof) => proof[..(proof[..^1].LastIndexOf('\n') + 1)];

    private static Task<Said> VerifyAsync(string file, params string[] more) => LoggedHost.RunAsync(VerifyCommand.Create(), [file, .. more]);
}
