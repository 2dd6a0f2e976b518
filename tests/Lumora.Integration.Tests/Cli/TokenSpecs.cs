using System.Diagnostics;
using Lumora.Cli.Audit;

namespace Lumora.Integration.Tests.Cli;

/// <summary>Where an access token may stand; what a host says to it is for the specs of audits.</summary>
public sealed class TokenSpecs
{
    private const string Nobody = "http://127.0.0.1:9";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_no_token_is_refused()
    {
        using var empty = new TokenFile("");
        foreach (var none in (string[])["no token", empty.Path])
            (await LoggedHost.RunAsync(AuditCommand.Create(), "--server", Nobody, "--token", none)).Must(2, "--token", "no access token");
    }

    [Fact]
    public async Task A_file_that_others_could_read_is_refused_with_what_to_do()
    {
        if (OperatingSystem.IsWindows())
            return;
        using var token = new TokenFile("abc");
        File.SetUnixFileMode(token.Path, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        (await LoggedHost.RunAsync(AuditCommand.Create(), "--server", Nobody, "--token", token.Path)).Must(2, "--token", $"chmod 600 {token.Path}");
    }

    /// <summary>In a process of its own: the environment is that of all tests.</summary>
    [Fact]
    public async Task The_environment_stands_in_for_the_option_and_the_option_goes_before_it()
    {
        using var token = new TokenFile("abc");
        (await RunAsync("no token", "audit", "--server", Nobody)).Must(2, "--token", "no access token");
        (await RunAsync("no token", "audit", "--server", Nobody, "--token", token.Path)).Must(2, "cannot be read");
        (await RunAsync(token.Path, "audit", "--server", Nobody)).Must(2, "cannot be read");
        (await RunAsync("", "audit", "--help")).Must(0, "LUMORA_TOKEN");
    }

    private static async Task<Said> RunAsync(string environment, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "lumora.dll"), .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["LUMORA_TOKEN"] = environment;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(Ct);
        var error = process.StandardError.ReadToEndAsync(Ct);
        await process.WaitForExitAsync(Ct);
        return new Said(process.ExitCode, await output, await error);
    }
}
