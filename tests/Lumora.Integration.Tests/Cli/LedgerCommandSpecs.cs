using System.Diagnostics;
using System.Text.Json;
using Lumora.Integration.Tests.Ledger.Verification;
using Lumora.Projections.Ledger;

namespace Lumora.Integration.Tests.Cli;

/// <summary>The real program, as a process of its own.</summary>
public sealed class LedgerCommandSpecs(SampleLedger sample) : IClassFixture<SampleLedger>
{
    [Fact]
    public async Task Verify_says_what_is_wrong_with_code_1_and_ndjson_and_rebuild_mends_it()
    {
        var file = Path.Combine(Path.GetTempPath(), $"lumora-findings-{Guid.NewGuid():N}.ndjson");
        try
        {
            (await RunAsync("verify-ledger", "--database", sample.Harness.ConnectionString)).Must(0, "Clean", "events replayed");
            await sample.Harness.ExecuteAsync("update ledger_account set balance = balance + 1 where number in (2, 3)");
            var said = await RunAsync("verify-ledger", "--database", sample.Harness.ConnectionString, "--json", file);
            said.Must(1, "WRONG", LedgerFindingCodes.SumNotZero, "expected 0, found 2");
            said.Must(1, "3 findings");
            var findings = (await File.ReadAllLinesAsync(file, TestContext.Current.CancellationToken))
                .Select(line => JsonDocument.Parse(line).RootElement).ToList();
            Assert.Equal(
                [LedgerFindingCodes.AccountDiffers, LedgerFindingCodes.AccountDiffers, LedgerFindingCodes.SumNotZero],
                findings.Select(finding => finding.GetProperty("code").GetString()));
            Assert.Equal("2", findings[0].GetProperty("where").GetString());
            Assert.NotEqual(findings[0].GetProperty("expected").GetString(), findings[0].GetProperty("actual").GetString());

            (await RunAsync("rebuild-ledger", "--database", sample.Harness.ConnectionString)).Must(0, "Rebuilt");
            (await RunAsync("verify-ledger", "--database", sample.Harness.ConnectionString)).Must(0, "Clean");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task What_cannot_be_verified_ends_with_code_2_and_says_what_to_do()
    {
        var home = Path.Combine(Path.GetTempPath(), "lumora-no-such-home");
        (await RunAsync("verify-ledger", "--home", home)).Must(2, home, "start the host", "--database");
        (await RunAsync("verify-ledger", "--database", sample.Harness.ConnectionString, "--shard", "elsewhere")).Must(2, "ledger/elsewhere", "main");
        (await RunAsync("verify-ledger", "--database", "Host=127.0.0.1;Port=1")).Must(2, "cannot be opened");
        (await RunAsync("verify-ledger", "--no-such-option")).Must(2, "--no-such-option");
        (await RunAsync("rebuild-ledger", "--help")).Must(0, "under the fence");
    }

    private static async Task<Said> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "lumora.dll"), .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return new Said(process.ExitCode, await output, await error);
    }
}
