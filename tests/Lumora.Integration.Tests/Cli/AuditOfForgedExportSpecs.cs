using Lumora.Cli.Audit;
using Lumora.Domain.Ledger;
using Microsoft.AspNetCore.Http;

namespace Lumora.Integration.Tests.Cli;

/// <summary>A good log whose server gives other lines to whoever replays its events from <c>/v1/events</c>.</summary>
public sealed class AuditOfForgedExportSpecs
{
    private const int Entries = 300;

    [Fact]
    public async Task The_lines_of_the_entries_are_the_export_and_more_lines_came_later() =>
        (await AuditAsync(lines => [.. lines, "{}"u8.ToArray()])).Must(0, "proven offline", "export_same");

    [Fact]
    public async Task An_export_that_ends_early_is_found() =>
        (await AuditAsync(lines => [.. lines.Take(280)])).Must(1, "WRONG", "entry 280:", "/v1/events ends in front of it");

    [Fact]
    public async Task A_last_line_that_is_cut_off_is_found() =>
        (await AuditAsync(lines => lines, ending: "")).Must(1, "WRONG", "entry 299:", "/v1/events ends in front of it");

    [Fact]
    public async Task A_line_that_has_no_end_is_found() =>
        (await AuditAsync(lines => [.. lines.Take(7), new byte[70_000]])).Must(1, "WRONG", "entry 7:", "is longer than 65535 bytes");

    [Fact]
    public async Task A_changed_line_and_a_line_that_is_missing_are_found()
    {
        (await AuditAsync(lines => [.. lines.Take(7), [.. lines[7], (byte)' '], .. lines.Skip(8)]))
            .Must(1, "WRONG", "entry 7:", "its line in /v1/events is not the entry in the bundle");
        var said = await AuditAsync(lines => [.. lines.Take(7), .. lines.Skip(8)]);
        said.Must(1, "WRONG", "entry 26:", "its line in /v1/events is not the entry in the bundle");
        Assert.DoesNotContain("entry 27:", said.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_that_is_lost_is_made_again_where_it_was()
    {
        var asked = new List<long>();
        var said = await AuditAsync(async (lines, from, context) =>
        {
            asked.Add(from);
            await WriteAsync(context, lines.Skip((int)from).Take(asked.Count < 3 ? 100 : Entries), "\n");
            await context.Response.Body.FlushAsync(TestContext.Current.CancellationToken);
            if (asked.Count == 3)
                return;
            // What was sent arrives first.
            await Task.Delay(300, TestContext.Current.CancellationToken);
            context.Abort();
        });
        said.Must(0, "proven offline", "export_same");
        Assert.Equal(3, asked.Count);
        Assert.Equal(0, asked[0]);
    }

    [Fact]
    public async Task Lines_of_a_bundle_that_is_missing_are_passed_over()
    {
        var said = await AuditAsync(lines => lines, log => File.Delete(Path.Combine(log.Folder, "log", "tile", "entries", "000")));
        said.Must(1, "WRONG", "tile/entries/000", "is missing");
        Assert.DoesNotContain("/v1/events is not", said.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_without_an_export_is_no_finding() =>
        (await AuditAsync((_, _, context) =>
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        })).Must(0, "not proven", "export_same", "no export here");

    private static Task<Said> AuditAsync(
        Func<IReadOnlyList<byte[]>, IReadOnlyList<byte[]>> forge, Action<ForgedLog>? damage = null, string ending = "\n") =>
        AuditAsync((lines, from, context) => WriteAsync(context, forge(lines).Skip((int)from), ending), damage);

    private static async Task<Said> AuditAsync(
        Func<IReadOnlyList<byte[]>, long, HttpContext, Task> export, Action<ForgedLog>? damage = null)
    {
        using var log = new ForgedLog();
        log.Add("ledger/main", 1, new AccountOpened("a1", ChartOfAccounts.Emission, ChartOfAccounts.Lmr, null));
        while (log.Count < Entries)
            log.Add("ledger/main", log.Count + 1, new AccountOpened($"a{log.Count + 1}", $"clearing/shard{log.Count}", ChartOfAccounts.Lmr, null));
        await log.PublishAsync();
        damage?.Invoke(log);
        await using var server = await ForgedServer.StartAsync();
        (server.Log, server.Export) = (log, (from, context) => export([.. log.Entries], from, context));
        return await LoggedHost.RunAsync(AuditCommand.Create(), "--server", server.Address, "--key", log.Key);
    }

    private static async Task WriteAsync(HttpContext context, IEnumerable<byte[]> lines, string ending)
    {
        var all = lines.ToList();
        for (var i = 0; i < all.Count; i++)
        {
            await context.Response.Body.WriteAsync(all[i], context.RequestAborted);
            await context.Response.WriteAsync(i < all.Count - 1 ? "\n" : ending, context.RequestAborted);
        }
    }
}
