using Lumora.Cli.Doctor;

namespace Lumora.Integration.Tests.Cli;

public sealed class DoctorSpecs(LoggedHost host) : IClassFixture<LoggedHost>
{
    [Fact]
    public async Task A_running_host_passes_and_what_is_missing_is_a_warning_with_a_remedy()
    {
        var said = await RunAsync("--server", host.Server, "--home", host.App.Home);
        said.Must(0, "ok", "configuration", "all for their owner alone");
        said.Must(0, "ok", "server");
        said.Must(0, "ok", "database");
        said.Must(0, "ok", "log", "the signature is good");
        said.Must(0, "ok", "log", "newest entry");
        said.Must(0, "0 failed");
    }

    [Fact]
    public async Task A_key_that_others_may_read_fails_with_the_command_that_mends_it()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no file modes.");
        var home = host.NewFolder();
        var key = Path.Combine(Directory.CreateDirectory(Path.Combine(home, "keys")).FullName, "log-main.key");
        await File.WriteAllBytesAsync(key, new byte[32], TestContext.Current.CancellationToken);
#pragma warning disable CA1416 // Skipped above.
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
#pragma warning restore CA1416
        var said = await RunAsync("--server", host.Server, "--home", home);
        said.Must(1, "FAIL", "configuration", key);
        said.Must(1, "→", $"chmod 600 {key}");
    }

    [Fact]
    public async Task A_host_that_is_not_there_fails_and_the_rest_is_examined_all_the_same()
    {
        var said = await RunAsync("--server", "http://127.0.0.1:1", "--home", host.App.Home);
        said.Must(1, "FAIL", "server", "does not answer");
        said.Must(1, "tools", "node");
    }

    [Fact]
    public async Task A_log_that_signs_with_another_key_than_the_pinned_one_fails()
    {
        const string other = "lumora.example/ledger+e3e22f24+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
        (await RunAsync("--server", host.Server, "--home", host.App.Home, "--key", other)).Must(1, "FAIL", "log", other);
    }

    private static Task<Said> RunAsync(params string[] arguments) => LoggedHost.RunAsync(DoctorCommand.Create(), arguments);
}
