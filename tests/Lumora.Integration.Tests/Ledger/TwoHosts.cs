using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.Ledger;

namespace Lumora.Integration.Tests.Ledger;

/// <summary>Two hosts over one ledger of its own.</summary>
/// <param name="Harness">The ledger; it has to verify at the end.</param>
/// <param name="First">Started first, so it writes.</param>
/// <param name="Second">Forwards to the first.</param>
internal sealed record TwoHosts(LedgerHarness Harness, LedgerHost First, LedgerHost Second) : IAsyncDisposable
{
    public static async Task<TwoHosts> StartAsync(
        TestDatabases databases, LedgerOptions? options = null, TimeProvider? firstClock = null, TimeProvider? secondClock = null)
    {
        var harness = await LedgerHarness.StartAsync(databases);
        var first = await LedgerHost.StartAsync(harness, options, firstClock);
        return new TwoHosts(harness, first, await LedgerHost.StartAsync(harness, options, secondClock));
    }

    public async ValueTask DisposeAsync()
    {
        await Second.DisposeAsync();
        await First.DisposeAsync();
        await Harness.DisposeAsync();
    }
}
