using System.Text.Json;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Resilience.Tests.Infrastructure;

namespace Lumora.Resilience.Tests.Journey;

/// <summary>
/// The demo's whole journey on a host that is killed with −9 at random moments. <c>LUMORA_LONG=1</c> kills 20 times.
/// </summary>
public sealed class KilledJourneySpecs : IAsyncLifetime
{
    // The long form has more pages, so that the journey lasts as long as the kills do.
    private static readonly int Pages = LongForm.IsAsked ? 240 : 40;

    private readonly HomeFolder _home = new();
    private readonly string _site = Directory.CreateTempSubdirectory("lumora-site-").FullName;
    private readonly Uri _address = HostProcess.FreeAddress();

    public async ValueTask InitializeAsync()
    {
        for (var page = 0; page < Pages; page++)
        {
            await File.WriteAllTextAsync(
                Path.Combine(_site, $"page-{page:D3}.html"),
                $"<html><head><title>Page {page} &amp; more</title></head><body><h1>Heading {page}</h1>"
                + $"<p>{string.Join(' ', Enumerable.Repeat($"paragraph {page}", 200))}</p></body></html>");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _home.DisposeAsync();
        Directory.Delete(_site, recursive: true);
    }

    [Fact]
    public async Task It_completes_loses_and_doubles_no_money_and_leaves_a_log_that_an_auditor_finds_whole()
    {
        var random = LongForm.NewRandom();
        var host = await StartAsync();
        try
        {
            // The chain is there before the first kill, so that the kills hit the journey and not npm.
            await ChainAsync(host);
            var demo = CommandLine.RunAsync(
                _home.Path, "demo", "--site", _site, "--server", _address.AbsoluteUri, "--pages", $"{Pages}",
                "--patience", "180");
            var kills = 0;
            for (; kills < (LongForm.IsAsked ? 20 : 3) && !demo.IsCompleted; kills++)
            {
                // The moment is what this test varies; nothing is waited for.
                await Task.WhenAny(demo, Task.Delay(random.Next(500, 9_000), TestContext.Current.CancellationToken));
                await host.KillAsync();
                await host.DisposeAsync();
                host = await StartAsync();
            }

            var (exitCode, story) = await demo;
            TestContext.Current.TestOutputHelper!.WriteLine($"{kills} kills\n{story}");
            Assert.True(exitCode == 0, story);

            // The auditor recomputes the log, the ledger and the anchors from what is published.
            var (auditCode, audit) = await CommandLine.RunAsync(
                _home.Path, "audit", "--server", _address.AbsoluteUri, "--rpc", await ChainAsync(host));
            Assert.True(auditCode == 0, audit);

            // One faucet transfer, one purchase, one release: whatever was sent twice was done once.
            Assert.Equal(1, await CountAsync(host, "deposit_credited"));
            Assert.Equal(1, await CountAsync(host, "dataset_purchased"));
            Assert.Equal(1, await CountAsync(host, "purchase_released"));
            Assert.Equal(1, await CountAsync(host, "epoch_paid"));
        }
        finally
        {
            await host.DisposeAsync();
        }
    }

    private async Task<HostProcess> StartAsync()
    {
        var host = HostProcess.Launch(
            _address, _home.Path, "--Solana:Embedded", "true", "--Solana:SlotMs", "100",
            "--Solana:DevstackFolder", Path.Combine(Path.GetTempPath(), "lumora-test-devstack"));
        await host.ReadyAsync();
        return host;
    }

    private static Task<string> ChainAsync(HostProcess host) => Patience.ForAsync(async () =>
        JsonSerializer.Deserialize<JsonElement>(await host.Client.GetStringAsync("/readyz", TestContext.Current.CancellationToken))
            .GetProperty("checks").GetProperty("solana").TryGetProperty("data", out var data)
            ? data.GetProperty("endpoint").GetString()
            : null);

    private static async Task<int> CountAsync(HostProcess host, string type)
    {
        var events = await host.Client.GetStringAsync("/v1/events");
        return events.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Count(line => JsonSerializer.Deserialize<JsonElement>(line).GetProperty("type").GetString() == type);
    }
}
