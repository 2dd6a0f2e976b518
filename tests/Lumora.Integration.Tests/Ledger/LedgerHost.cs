using Lumora.Api.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Lumora.Integration.Tests.Ledger;

/// <summary>
/// One of several hosts as the ledger sees it: writer or forwarder over the database of a <see cref="LedgerHarness"/>,
/// with its door on a real loopback port and the life of a hosted service. It can be frozen, and killed.
/// </summary>
internal sealed class LedgerHost : ILedgerProbe, IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly TaskCompletionSource _inCommit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _looks;
    private TaskCompletionSource? _commits;
    private bool _killed;

    private LedgerHost(LedgerHarness harness, LedgerOptions options, TimeProvider clock)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddMetrics();
        builder.Services.AddSingleton(harness.Sessions);
        builder.Services.AddSingleton(Options.Create(options));
        builder.Services.AddSingleton(clock);
        builder.Services.AddSingleton<ILedgerProbe>(this);
        builder.Services.AddSingleton<LedgerMetrics>();
        builder.Services.AddSingleton<ILedgerAddress, LedgerAddress>();
        builder.Services.AddSingleton<Ledgers>();
        builder.Services.AddHostedService(services => services.GetRequiredService<Ledgers>());
        _app = builder.Build();
        LedgerForwarding.Map(_app);
        Ledgers = _app.Services.GetRequiredService<Ledgers>();
    }

    /// <summary>
    /// A lease that a machine which does five other things cannot let run out by standing still, and callers who wait as long
    /// as a request may: what a test asserts of terms and unknown outcomes is of its own doing.
    /// </summary>
    public static LedgerOptions Unhurried(Action<LedgerOptions>? change = null)
    {
        var options = new LedgerOptions { LeaseTime = TimeSpan.FromSeconds(6), ForwardTimeLimit = TimeSpan.FromMinutes(1) };
        change?.Invoke(options);
        return options;
    }

    public Ledgers Ledgers { get; }

    public ILedger Ledger => Ledgers.For(ShardRole.Global);

    public LedgerStanding Standing => Ledgers.Standings[0];

    public Uri Address => new(_app.Urls.First());

    /// <summary>Ends when a commit of this host stands still.</summary>
    public Task InCommit => _inCommit.Task.WaitAsync(Patience.Time, TestContext.Current.CancellationToken);

    public static async Task<LedgerHost> StartAsync(
        LedgerHarness harness, LedgerOptions? options = null, TimeProvider? clock = null)
    {
        var host = new LedgerHost(harness, options ?? Unhurried(), clock ?? TimeProvider.System);
        await host._app.StartAsync(TestContext.Current.CancellationToken);
        return host;
    }

    /// <summary>Begins to start one whose first commit stands still until <see cref="Thaw"/>.</summary>
    public static (LedgerHost Host, Task Started) StartWithSlowCommit(LedgerHarness harness)
    {
        var host = new LedgerHost(harness, Unhurried(), TimeProvider.System)
        {
            _commits = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously),
        };
        return (host, host._app.StartAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>Its next look at the lease does not happen before <see cref="Thaw"/>, nor, if asked, its next commit.</summary>
    public void Freeze(bool inCommit)
    {
        _looks = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _commits = inCommit ? new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously) : null;
    }

    /// <summary>Its next commit does not happen before <see cref="Thaw"/>; it keeps its lease.</summary>
    public void FreezeCommits() => _commits = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Thaw()
    {
        _looks?.TrySetResult();
        _commits?.TrySetResult();
    }

    /// <summary>As kill −9: nobody is told, nothing is given back, nobody listens any more.</summary>
    public async Task KillAsync()
    {
        _killed = true;
        await Ledgers.DisposeAsync();
        await _app.DisposeAsync();
    }

    /// <summary>As Ctrl-C.</summary>
    public Task StopAsync() => _app.StopAsync(TestContext.Current.CancellationToken);

    public async ValueTask LookingAsync(CancellationToken ct)
    {
        if (_looks is { } looks)
            await looks.Task.WaitAsync(ct);
    }

    public async ValueTask ReachedAsync(CommitPoint point, int backend, CancellationToken ct)
    {
        if (point != CommitPoint.BeforeAppend || _commits is not { } commits)
            return;
        _inCommit.TrySetResult();
        await commits.Task.WaitAsync(ct);
    }

    public async ValueTask DisposeAsync()
    {
        if (_killed)
            return;
        Thaw();
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
    }
}
