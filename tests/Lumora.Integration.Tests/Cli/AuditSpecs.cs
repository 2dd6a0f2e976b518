using System.Text.Json;
using Lumora.Chain.Tiles;
using Lumora.Cli.Audit;

namespace Lumora.Integration.Tests.Cli;

public sealed class AuditSpecs(LoggedHost host) : IClassFixture<LoggedHost>
{
    [Fact]
    public async Task A_whole_log_is_clean_and_the_report_says_what_is_proven_and_what_is_not()
    {
        var file = Path.Combine(host.NewFolder(), "report.json");
        var said = await LoggedHost.RunAsync(AuditCommand.Create(), "--server", host.Server, "--key", host.Key, "--report", file);
        said.Must(0, "Clean", $"{host.Size} entries");
        said.Must(0, "needs the chain", "anchored");

        using var report = JsonDocument.Parse(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken));
        Assert.Equal("lumora-audit/1", report.RootElement.GetProperty("format").GetString());
        Assert.Equal("clean", report.RootElement.GetProperty("result").GetString());
        var claims = report.RootElement.GetProperty("claims").EnumerateArray().ToDictionary(
            claim => claim.GetProperty("name").GetString()!, claim => claim.GetProperty("standing").GetString()!);
        foreach (var name in new[] { "log_key", "checkpoint_signed", "tree_whole", "entries_valid", "streams_whole", "ledger_balanced", "export_same" })
            Assert.Equal("proven_offline", claims[name]);
        Assert.Equal("needs_chain", claims["anchored"]);
        Assert.Equal(307, report.RootElement.GetProperty("counts").GetProperty("ledgerEvents").GetInt64());
    }

    [Fact]
    public async Task A_key_that_only_the_server_names_is_no_proof_and_the_report_says_so()
    {
        var said = await LoggedHost.RunAsync(AuditCommand.Create(), "--server", host.Server);
        said.Must(0, "not proven", "log_key", "--key");
    }

    [Fact]
    public async Task A_copy_in_a_folder_is_audited_without_any_server()
    {
        var said = await LoggedHost.RunAsync(AuditCommand.Create(), "--folder", host.CopyOfLog(), "--key", host.Key);
        said.Must(0, "proven offline", "tree_whole");
        said.Must(0, "not proven", "export_same");
    }

    [Theory]
    [InlineData("tile/entries/000", 60, "entry 0: ", "its bytes in the bundle and its hash in tile/0/000 differ")]
    [InlineData("tile/entries/000", 0, "tile/entries/000: ", "of the bundle")]
    [InlineData("tile/0/000", 33, "entry 1: ", "its hash in tile/0/000 differ")]
    [InlineData("tile/1/000.p/1", 5, "tile/1/000.p/1: ", "hash 0 is")]
    [InlineData("checkpoint", 3, "checkpoint: ", "")]
    [InlineData("checkpoint", 60, "checkpoint: ", "")]
    [InlineData("checkpoint", -4, "checkpoint: ", "")]
    public async Task One_changed_byte_is_found_and_named(string path, int at, string where, string what)
    {
        var copy = host.CopyOfLog();
        var file = Path.Combine(copy, path);
        LoggedHost.Flip(file, at < 0 ? (int)new FileInfo(file).Length + at : at);
        var said = await LoggedHost.RunAsync(AuditCommand.Create(), "--folder", copy, "--key", host.Key);
        said.Must(1, "WRONG", where, what);
    }

    [Fact]
    public async Task One_changed_byte_in_the_newest_partial_tile_is_found_and_named()
    {
        var copy = host.CopyOfLog();
        var tile = TileId.At(0, host.Size / TileId.WidthMax, host.Size)!.Value;
        LoggedHost.Flip(Path.Combine(copy, tile.Path), 32 * 3);
        var said = await LoggedHost.RunAsync(AuditCommand.Create(), "--folder", copy, "--key", host.Key);
        said.Must(1, "WRONG", $"entry {tile.FirstLeaf + 3}: ", tile.Path);
        // What was computed from bytes that the checkpoint does not cover is not called proven.
        said.Must(1, "not proven", "ledger_balanced", "not those that the checkpoint covers");
    }

    [Fact]
    public async Task A_bundle_that_a_server_has_changed_is_found_over_HTTP()
    {
        var file = host.Log.Blobs.FileOf("tile/entries/000");
        LoggedHost.Flip(file, 60);
        try
        {
            var said = await LoggedHost.RunAsync(AuditCommand.Create(), "--server", host.Server, "--key", host.Key);
            said.Must(1, "WRONG", "entry 0: ", "tile/0/000");
        }
        finally
        {
            LoggedHost.Flip(file, 60);
        }
    }

    [Fact]
    public async Task An_export_that_differs_from_the_bundles_is_found_by_the_entry()
    {
        const string change = "update log_leaves set bytes = set_byte(bytes, 10, get_byte(bytes, 10) # 1) where leaf_index = 7 returning leaf_index";
        await host.QueryAsync<long>(change);
        try
        {
            var said = await LoggedHost.RunAsync(AuditCommand.Create(), "--server", host.Server, "--key", host.Key);
            said.Must(1, "WRONG", "entry 7: ", "/v1/events");
        }
        finally
        {
            await host.QueryAsync<long>(change);
        }
    }

    [Fact]
    public async Task A_log_of_another_key_is_not_taken()
    {
        const string other = "lumora.example/ledger+e3e22f24+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
        var said = await LoggedHost.RunAsync(AuditCommand.Create(), "--server", host.Server, "--key", other);
        said.Must(1, "WRONG", "checkpoint: ", "No known key");
    }

    [Fact]
    public async Task A_missing_tile_is_found_and_named()
    {
        var copy = host.CopyOfLog();
        File.Delete(Path.Combine(copy, "tile/0/000"));
        var said = await LoggedHost.RunAsync(AuditCommand.Create(), "--folder", copy, "--key", host.Key);
        said.Must(1, "WRONG", "tile/0/000: ", "missing");
    }

    [Fact]
    public async Task What_keeps_the_audit_from_its_work_is_said_with_exit_code_2()
    {
        (await LoggedHost.RunAsync(AuditCommand.Create())).Must(2, "--server URL or --folder DIR");
        (await LoggedHost.RunAsync(AuditCommand.Create(), "--server", "nowhere")).Must(2, "\"nowhere\" is no http");
        (await LoggedHost.RunAsync(AuditCommand.Create(), "--server", "http://127.0.0.1:1")).Must(2, "http://127.0.0.1:1/log/main/key", "cannot be read");
        (await LoggedHost.RunAsync(AuditCommand.Create(), "--folder", host.NewFolder(), "--key", host.Key)).Must(2, "holds no log of main");
        (await LoggedHost.RunAsync(AuditCommand.Create(), "--folder", host.CopyOfLog())).Must(2, "give --key");
        (await LoggedHost.RunAsync(AuditCommand.Create(), "--server", host.Server, "--key", "nonsense")).Must(2, "--key: ");
    }
}
