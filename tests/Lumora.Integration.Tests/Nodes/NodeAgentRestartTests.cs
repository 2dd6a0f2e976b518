using Lumora.Domain.Tasks;
using Lumora.Integration.Tests.Infrastructure;

namespace Lumora.Integration.Tests.Nodes;

public sealed class NodeAgentRestartTests : IAsyncLifetime
{
    private readonly AgentHome _home = new();
    private TestSite _site = null!;
    private TestGateway _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        _site = await TestSite.StartAsync();
        _gateway = await TestGateway.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _site.DisposeAsync();
        _home.Dispose();
    }

    [Fact]
    public async Task A_restart_goes_on_with_the_page_that_was_not_finished()
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var release = false;
        _site.Html("/1", "<h1>1</h1>").Html("/3", "<h1>3</h1>").Page("/2", async context =>
        {
            reached.TrySetResult();
            if (!Volatile.Read(ref release))
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
            context.Response.ContentType = "text/html";
            await context.Response.Body.WriteAsync("<h1>2</h1>"u8.ToArray(), context.RequestAborted);
        });
        var lease = _gateway.Offer(_site, [_site.Url("/1"), _site.Url("/2"), _site.Url("/3")]);
        await using (var first = _home.Start(_gateway, options => options with { DrainTimeout = TimeSpan.Zero }))
        {
            await reached.Task.WaitAsync(Patience.Time, TestContext.Current.CancellationToken);
        }

        // As if the process had died in the middle of a record and of a progress line.
        File.AppendAllText(Path.Combine(_home.Path, "lease", "records.ndjson"), "{\"torn");
        File.AppendAllText(Path.Combine(_home.Path, "lease", "pages.jsonl"), "{\"torn");
        Volatile.Write(ref release, true);
        await using var second = _home.Start(_gateway);
        var result = await _gateway.ResultAsync(lease);

        Assert.Equal(WorkStatus.Complete, result.Receipt.Status);
        var titles = (await _gateway.RecordsAsync(lease)).Select(record => record.GetProperty("title").GetString()!);
        Assert.Equal("1,2,3", string.Join(',', titles));
        Assert.Equal(1, _site.Count("/1"));
        Assert.Equal(2, _site.Count("/2"));
    }

    [Fact]
    public async Task An_upload_goes_on_where_it_stopped_and_the_receipt_is_never_signed_twice()
    {
        _site.Html("/1", "<h1>" + new string('x', 20_000) + "</h1>");
        var puts = 0;
        var stuck = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _gateway.Fault = request =>
        {
            if (request.Method != "PUT" || ++puts <= 2)
                return null;
            stuck.TrySetResult();
            return 503;
        };
        var lease = _gateway.Offer(_site, [_site.Url("/1")]);
        await using (var first = _home.Start(
            _gateway, options => options with { DrainTimeout = TimeSpan.Zero, ChunkBytes = 4096 }))
        {
            await stuck.Task.WaitAsync(Patience.Time, TestContext.Current.CancellationToken);
        }

        Assert.Equal(8192, _gateway.Ciphertext(lease).Length);
        var signed = File.ReadAllText(Path.Combine(_home.Path, "lease", "result.json"));
        var offsets = new List<string>();
        _gateway.Fault = request =>
        {
            if (request.Method == "PUT")
                offsets.Add(request.Headers["Upload-Offset"].ToString());
            return null;
        };
        await using var second = _home.Start(_gateway, options => options with { ChunkBytes = 4096 });
        var result = await _gateway.ResultAsync(lease);

        Assert.Equal("8192", offsets[0]);
        Assert.Equal(1, _site.Count("/1"));
        Assert.Contains(result.Receipt.Sig!.Replace("+", "\\u002B", StringComparison.Ordinal), signed, StringComparison.Ordinal);
        Assert.Single(await _gateway.RecordsAsync(lease));
    }

    [Fact]
    public async Task A_stop_lets_the_lease_in_work_end()
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _site.Page("/1", async context =>
        {
            reached.TrySetResult();
            await release.Task;
            context.Response.ContentType = "text/html";
            await context.Response.Body.WriteAsync("<h1>1</h1>"u8.ToArray(), context.RequestAborted);
        });
        var lease = _gateway.Offer(_site, [_site.Url("/1")]);
        await using var agent = _home.Start(_gateway);
        await reached.Task.WaitAsync(Patience.Time, TestContext.Current.CancellationToken);
        var stopped = agent.StopAsync();
        release.SetResult();
        await stopped;

        Assert.True(_gateway.IsCompleted(lease));
    }

    [Fact]
    public async Task The_daily_cap_ends_the_work_and_survives_a_restart()
    {
        _site.Html("/1", "<h1>" + new string('x', 900) + "</h1>").Html("/2", "<h1>" + new string('x', 900) + "</h1>");
        var lease = _gateway.Offer(_site, [_site.Url("/1"), _site.Url("/2")]);
        await using (var first = _home.Start(_gateway, options => options with { DailyBytesMax = 1000 }))
        {
            var result = await _gateway.ResultAsync(lease);
            Assert.Equal([PageOutcome.Fetched, PageOutcome.NotAttempted], result.Pages.Select(page => page.Outcome));
        }

        var output = new SignalWriter("daily_cap_reached");
        var next = _gateway.Offer(_site, [_site.Url("/2")]);
        await using var second = _home.Start(_gateway, options => options with { DailyBytesMax = 1000 }, output);
        await output.Seen.WaitAsync(Patience.Time, TestContext.Current.CancellationToken);

        Assert.False(_gateway.IsCompleted(next));
    }

    [Fact]
    public async Task A_lease_that_cannot_be_done_is_given_back_with_the_reason()
    {
        var lease = _gateway.Offer(_site, [_site.Url("/1")], lease => lease with
        {
            Rules = [new ExtractionRule("title", "h1[")],
        });
        await using var agent = _home.Start(_gateway);

        var refusal = await _gateway.RefusalAsync(lease);

        Assert.Equal(RefusalReason.Unsupported, refusal.Reason);
        Assert.Contains("h1[", refusal.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_owner_can_ask_why_results_were_refused()
    {
        _gateway.Self = new NodeSelf(
            _home.Key.NodeId, "active", new NodeLimits(DailyBytesMax: 5), [new RefusedResult("lease_x", "wrong_root", "why", DateTimeOffset.UnixEpoch)]);
        var agent = new Lumora.Node.NodeAgent(new Lumora.Node.NodeOptions
        {
            Server = _gateway.Address,
            Key = _home.Key,
            Home = _home.Path,
        });

        var self = await agent.SelfAsync(TestContext.Current.CancellationToken);
        Assert.Equal("wrong_root", Assert.Single(self.LastRefused).Code);
        Assert.Equal(5, self.Limits.DailyBytesMax);

        _gateway.Fault = _ => 403;
        await Assert.ThrowsAsync<IOException>(() => agent.SelfAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Two_agents_do_not_share_a_home()
    {
        await using var first = _home.Start(_gateway);
        var lease = _gateway.Offer(_site, [_site.Url("/1")]);
        await _gateway.ResultAsync(lease);
        var second = _home.Start(_gateway);

        await Assert.ThrowsAsync<IOException>(second.StopAsync);
    }
}
