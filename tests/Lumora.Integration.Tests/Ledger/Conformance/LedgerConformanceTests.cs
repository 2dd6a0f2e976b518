using System.Diagnostics;
using System.Globalization;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;

namespace Lumora.Integration.Tests.Ledger.Conformance;

/// <summary>
/// The whole host against the naive ledger: random clients over HTTP, rounds of requests that are in flight at once,
/// commits that get lost. Whatever the clients got has to fit some order. <c>LUMORA_LONG=1</c> runs five minutes.
/// </summary>
public sealed class LedgerConformanceTests(TestDatabases databases)
{
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("LUMORA_LONG") == "1";

    // On a busy machine the time alone would say little.
    private const int RoundsMin = 60;

    /// <summary>Seeds whose runs have failed once; they run first.</summary>
    private static readonly int[] KeptSeeds = [749947036];

    [Fact]
    public async Task Every_answer_fits_some_order_of_the_requests_in_flight_though_commits_get_lost()
    {
        var watch = Stopwatch.StartNew();
        foreach (var seed in KeptSeeds)
            await RunAsync(seed, TimeSpan.FromSeconds(3));
        do
            await RunAsync(Random.Shared.Next(), TimeSpan.FromSeconds(IsLong ? 30 : 4));
        while (IsLong && watch.Elapsed < TimeSpan.FromMinutes(5));
    }

    /// <summary>The canaries: were these not found, the test above would be worth nothing.</summary>
    [Theory]
    [InlineData("forgets freezes")]
    [InlineData("loses a unit")]
    [InlineData("takes a conflict for a replay")]
    public async Task A_wrong_model_is_found_out(string fault)
    {
        NaiveSubmit wrong = fault switch
        {
            "forgets freezes" => (ledger, request, now) => request.Command is FreezeAccount freeze
                ? OrderSearch.Plain(ledger, request with { Command = new ChangeFloor(freeze.Code, "LMR", 0, "x") }, now)
                : OrderSearch.Plain(ledger, request, now),
            "loses a unit" => (ledger, request, now) => request.Command is PostTransaction { Postings: [{ Amount.Units: > 20 } first, ..] } post
                && OrderSearch.Plain(ledger.Clone(), request, now).Code == "ok"
                    ? OrderSearch.Plain(ledger, request with
                    {
                        Command = post with { Postings = [first with { Amount = first.Amount - new Amount(1) }, .. post.Postings.Skip(1)] },
                    }, now)
                    : OrderSearch.Plain(ledger, request, now),
            _ => (ledger, request, now) => OrderSearch.Plain(ledger, request, now) is { Code: not LedgerCodes.IdempotencyConflict } answer
                ? answer
                : ("ok", true),
        };
        await using var run = await ConformanceRun.StartAsync(databases, 7, wrong);
        await Assert.ThrowsAsync<NonconformingException>(async () =>
        {
            for (var round = 0; round < 400; round++)
                await run.RoundAsync(faults: false);
            await run.EndAsync();
        });
    }

    [Fact]
    public async Task One_posting_that_nobody_asked_for_is_found_out()
    {
        await using var run = await ConformanceRun.StartAsync(databases, 7, OrderSearch.Plain);
        for (var round = 0; round < 5; round++)
            await run.RoundAsync(faults: false);
        await run.EndAsync();
        await run.Ledger.AskAsync(LedgerHarness.Request("injected", LedgerHarness.Pay(ChartOfAccounts.Emission, run.AnyAccount, 1)));
        await Assert.ThrowsAsync<NonconformingException>(run.EndAsync);
        await Assert.ThrowsAsync<NonconformingException>(async () =>
        {
            for (var round = 0; round < 50; round++)
                await run.RoundAsync(faults: false);
        });
    }

    private async Task RunAsync(int seed, TimeSpan time)
    {
        var output = TestContext.Current.TestOutputHelper!;
        try
        {
            await using var run = await ConformanceRun.StartAsync(databases, seed, OrderSearch.Plain);
            var (watch, rounds) = (Stopwatch.StartNew(), 0);
            for (; watch.Elapsed < time || rounds < RoundsMin; rounds++)
                await run.RoundAsync(faults: rounds % 3 == 2);
            await run.EndAsync();
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"seed {seed}: {rounds} rounds, {run.Seen.Values.Sum()} answers\n  {string.Join(", ", run.Seen.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key} {p.Value}"))}\n  {string.Join(", ", run.Probe.Faults.Select(p => $"{p.Key} {p.Value}"))}"));
        }
        catch (Exception fault)
        {
            throw new InvalidOperationException(
                string.Create(CultureInfo.InvariantCulture, $"Seed {seed} fails: put it into {nameof(KeptSeeds)}."), fault);
        }
    }
}
