using Lumora.Chain.Notes;
using Lumora.Cli.Audit;
using Lumora.Cli.Monitor;
using Lumora.Cli.Trust;
using Lumora.Cli.Verify;

namespace Lumora.Integration.Tests.Cli;

public sealed class TrustSpecs(LoggedHost host) : IClassFixture<LoggedHost>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_trust_file_of_the_hosts_home_takes_the_place_of_the_key_in_every_command()
    {
        var (file, signer) = await MakeAsync();
        var show = await LoggedHost.RunAsync(TrustCommand.Create(), "show", file);
        show.Must(0, "log", host.Key);
        (await CheckAsync(file, signer)).Must(0, "proven offline", "log_key", "names the key of the file");

        string[] trust = ["--server", host.Server, "--trust", file, "--trust-key", signer];
        var audit = await LoggedHost.RunAsync(AuditCommand.Create(), trust);
        audit.Must(0, "proven offline", "trust_file", signer);
        audit.Must(0, "proven offline", "log_key", host.Key);
        var id = await host.EventAtAsync(3);
        (await LoggedHost.RunAsync(VerifyCommand.Create(), [.. trust, "--event", id.ToString()])).Must(0, "proven offline", "trust_file");
        (await LoggedHost.RunAsync(MonitorCommand.Create(), [.. trust, "--once", "--state", host.NewFolder()])).Must(0, "checkpoint");
    }

    [Fact]
    public async Task A_trust_file_whose_signer_is_not_pinned_is_no_proof_and_the_report_says_so()
    {
        var (file, _) = await MakeAsync();
        (await LoggedHost.RunAsync(AuditCommand.Create(), "--server", host.Server, "--trust", file)).Must(0, "not proven", "trust_file", "--trust-key");
    }

    [Fact]
    public async Task A_trust_file_may_name_keys_that_were_replaced_and_all_of_them_count()
    {
        using var earlier = new NoteSigner(host.Log.Key.Name, SignatureKind.Ed25519, [.. Enumerable.Repeat((byte)5, 32)]);
        var known = Path.Combine(host.App.Home, "keys", "log-main.earlier.vkey");
        await File.WriteAllTextAsync(known, $"{earlier.Verifier}\n", Ct);
        try
        {
            var (without, _) = await MakeAsync();
            Assert.DoesNotContain(earlier.Verifier.ToString(), await File.ReadAllTextAsync(without, Ct), StringComparison.Ordinal);
            var (file, signer) = await MakeAsync("--with-earlier-keys");
            (await LoggedHost.RunAsync(TrustCommand.Create(), "show", file)).Must(0, "log", earlier.Verifier.ToString());
            (await CheckAsync(file, signer)).Must(0, "proven offline", "log_key");
            var audit = await LoggedHost.RunAsync(AuditCommand.Create(), "--server", host.Server, "--trust", file, "--trust-key", signer);
            audit.Must(0, "proven offline", "log_key", host.Key);
            audit.Must(0, "proven offline", "log_key", earlier.Verifier.ToString());
        }
        finally
        {
            File.Delete(known);
        }
    }

    [Fact]
    public async Task A_changed_trust_file_is_refused()
    {
        var (file, signer) = await MakeAsync();
        var whole = await File.ReadAllTextAsync(file, Ct);
        foreach (var (from, to) in new[] { ("\"epochSeconds\":86400", "\"epochSeconds\":86401"), ("\"name\":\"main\"", "\"name\":\"mine\""), ("\"format\"", " \"format\"") })
        {
            Assert.Contains(from, whole, StringComparison.Ordinal);
            await File.WriteAllTextAsync(file, whole.Replace(from, to, StringComparison.Ordinal), Ct);
            (await LoggedHost.RunAsync(AuditCommand.Create(), "--server", host.Server, "--trust", file, "--trust-key", signer)).Must(2, file);
            Assert.NotEqual(0, (await CheckAsync(file, signer)).ExitCode);
        }

        await File.WriteAllTextAsync(file, whole, Ct);
        (await CheckAsync(file, signer)).Must(0, "Holds.");
        const string other = "lumora.example/ledger+e3e22f24+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
        (await CheckAsync(file, other)).Must(1, "WRONG", "signature");
        (await LoggedHost.RunAsync(AuditCommand.Create(), "--server", host.Server, "--trust", file, "--trust-key", other)).Must(2, "is not signed by");
        (await LoggedHost.RunAsync(AuditCommand.Create(), "--server", host.Server, "--trust", file, "--key", host.Key)).Must(2, "--key or --trust");
        (await LoggedHost.RunAsync(AuditCommand.Create(), "--server", host.Server, "--trust", file, "--shard", "eu")).Must(2, "names no shard eu");
    }

    [Fact]
    public async Task The_signing_key_is_its_owners_alone_and_stays_the_same()
    {
        var (_, first) = await MakeAsync();
        var (_, second) = await MakeAsync();
        Assert.Equal(first, second);
        Assert.EndsWith("/trust", VerifierKey.Parse(first).Name, StringComparison.Ordinal);
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no file modes.");
#pragma warning disable CA1416 // Skipped above.
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(host.App.Home, "keys", "trust.key")));
#pragma warning restore CA1416
    }

    [Fact]
    public async Task The_policys_quorum_is_asked_for_in_audit_verify_and_monitor()
    {
        using var witness = new NoteSigner("witness.example/w1", SignatureKind.CosignatureV1, [.. Enumerable.Repeat((byte)9, 32)]);
        var policy = Path.Combine(host.NewFolder(), "policy");
        await File.WriteAllTextAsync(policy, $"log {host.Key}\nwitness w1 {witness.Verifier}\nquorum w1\n", Ct);
        var (file, signer) = await MakeAsync("--policy", policy);
        string[] trust = ["--trust", file, "--trust-key", signer];
        var copy = host.CopyOfLog();
        (await LoggedHost.RunAsync(AuditCommand.Create(), ["--folder", copy, .. trust])).Must(1, "WRONG", "checkpoint", "quorum w1 is not met");
        (await LoggedHost.RunAsync(VerifyCommand.Create(), ["--server", host.Server, "--event", (await host.EventAtAsync(1)).ToString(), .. trust]))
            .Must(1, "WRONG", "quorum w1 is not met");
        (await LoggedHost.RunAsync(MonitorCommand.Create(), ["--server", host.Server, "--once", "--state", host.NewFolder(), .. trust]))
            .Must(1, "ALARM", "not_witnessed");

        var checkpoint = Path.Combine(copy, "checkpoint");
        var note = SignedNote.Parse(await File.ReadAllBytesAsync(checkpoint, Ct));
        await File.WriteAllBytesAsync(checkpoint, note.With(witness.Cosign(note.Text, DateTimeOffset.UtcNow)).ToBytes(), Ct);
        (await LoggedHost.RunAsync(AuditCommand.Create(), ["--folder", copy, .. trust])).Must(0, "proven offline", "witnessed", "w1 at");
    }

    [Fact]
    public async Task A_home_without_a_log_makes_no_trust_file() => (await LoggedHost.RunAsync(
        TrustCommand.Create(), "make", "--home", host.NewFolder(), "--out", Path.Combine(host.NewFolder(), "t"))).Must(2, "holds no published log");

    private async Task<(string File, string Signer)> MakeAsync(params string[] more)
    {
        var file = Path.Combine(host.NewFolder(), "lumora.trust");
        var said = await LoggedHost.RunAsync(
            TrustCommand.Create(), ["make", "--home", host.App.Home, "--out", file, "--epoch-seconds", "86400", .. more]);
        said.Must(0, "Written", file);
        return (file, said.Output.Split("--trust-key: ")[1].Trim());
    }

    private Task<Said> CheckAsync(string file, string signer) =>
        LoggedHost.RunAsync(TrustCommand.Create(), "check", file, "--trust-key", signer, "--server", host.Server);
}
