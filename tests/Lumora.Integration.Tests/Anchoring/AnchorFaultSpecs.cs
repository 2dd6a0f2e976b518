using Lumora.Chain.Solana;
using Lumora.Domain.Anchoring;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Integration.Tests.Solana;

namespace Lumora.Integration.Tests.Anchoring;

/// <summary>Every fault that the local Solana can order, against the host as users run it.</summary>
public sealed class AnchorFaultSpecs(AnchorFaultSpecs.Fixture fixture) : IClassFixture<AnchorFaultSpecs.Fixture>, IAsyncLifetime
{
    private const int Always = 100_000;

    private readonly AnchorWatch _watch = new(fixture.App, () => fixture.App.Get<SolanaConnection>().Current!.Servers[0]);

    // Each test begins with an anchored log and no fault.
    public async ValueTask InitializeAsync()
    {
        await fixture.App.Get<SolanaConnection>().WaitAsync(TestContext.Current.CancellationToken);
        await _watch.FinalizedAsync(await _watch.AppendAsync("before"));
    }

    public async ValueTask DisposeAsync() => await _watch.FaultAsync(new { kind = "clear" });

    [Fact]
    public async Task Dropped_a_transaction_is_sent_again_with_the_same_bytes()
    {
        await _watch.FaultAsync(new { kind = "drop", method = "sendTransaction", count = 2 });
        var anchor = await _watch.FinalizedAsync(await _watch.AppendAsync("drop"));
        var steps = await _watch.AssertSoundAsync(anchor);
        Assert.Equal(1, anchor.Attempts);
        Assert.Single(steps.OfType<AnchorSubmitted>());
    }

    [Fact]
    public async Task Delayed_past_the_time_limit_a_transaction_lands_once()
    {
        await _watch.FaultAsync(new { kind = "delay", method = "sendTransaction", ms = 1_500, count = 2 });
        var anchor = await _watch.FinalizedAsync(await _watch.AppendAsync("delay"));
        await _watch.AssertSoundAsync(anchor);
        Assert.Equal(1, anchor.Attempts);
    }

    [Fact]
    public async Task Duplicated_a_transaction_lands_once()
    {
        await _watch.FaultAsync(new { kind = "duplicate", method = "sendTransaction", count = 1 });
        var anchor = await _watch.FinalizedAsync(await _watch.AppendAsync("duplicate"));
        await _watch.AssertSoundAsync(anchor);
        Assert.Equal(1, anchor.Attempts);
    }

    [Fact]
    public async Task Expired_a_transaction_is_replaced_by_one_with_the_same_memo_and_only_then()
    {
        await _watch.FaultAsync(new { kind = "drop", method = "sendTransaction", count = Always });
        var size = await _watch.AppendAsync("expire");
        var lost = await _watch.UntilAsync(anchor => anchor.Size >= size && anchor.Stage == AnchorStage.Submitted);
        await _watch.FaultAsync(new { kind = "expire" });
        await _watch.UntilAsync(anchor => anchor.Size == lost.Size && anchor.Attempts >= 2);
        await _watch.FaultAsync(new { kind = "clear" });
        var anchor = await _watch.FinalizedAsync(lost.Size);
        var steps = await _watch.AssertSoundAsync(anchor);
        Assert.Equal(lost.Memo, anchor.Memo);
        Assert.Contains(steps, step => step is AnchorExpired expired && expired.Signature == lost.Signature);
    }

    [Theory]
    [InlineData("getLatestBlockhash", 200)]
    [InlineData("sendTransaction", 200)]
    [InlineData("sendTransaction", 503)]
    [InlineData("getSignatureStatuses", 429)]
    [InlineData("getTransaction", 500)]
    public async Task Answered_with_errors_an_anchor_goes_on_when_they_end(string method, int status)
    {
        await _watch.FaultAsync(new { kind = "error", method, status, code = -32005, message = "ordered", count = 3 });
        var anchor = await _watch.FinalizedAsync(await _watch.AppendAsync("error"));
        await _watch.AssertSoundAsync(anchor);
        Assert.Equal(1, anchor.Attempts);
    }

    [Fact]
    public async Task Taken_back_by_a_reorg_a_transaction_lands_again()
    {
        var size = await _watch.AppendAsync("reorg");
        var seen = await _watch.UntilAsync(anchor =>
            anchor.Size >= size && anchor.Stage is AnchorStage.Processed or AnchorStage.Confirmed);
        await _watch.FaultAsync(new { kind = "reorg", slots = 100 });
        var anchor = await _watch.FinalizedAsync(seen.Size);
        var steps = await _watch.AssertSoundAsync(anchor);
        Assert.Contains(steps, step => step is AnchorRolledBack);
    }

    /// <summary>A host with its own local Solana, whose finality takes long enough to be disturbed.</summary>
    public sealed class Fixture(TestDatabases databases) : AppFixture(databases)
    {
        protected override IReadOnlyDictionary<string, string> Settings { get; } =
            new Dictionary<string, string>(LocalSolana.Settings!, StringComparer.Ordinal)
            {
                ["Solana:FinalitySlots"] = "60",
                ["Solana:TimeoutSeconds"] = "1",
                ["Anchoring:IntervalMs"] = "100",
                ["Anchoring:PollMs"] = "20",
            };
    }
}
