using Lumora.Domain.Kernel;
using Lumora.Domain.Tasks;
using Lumora.Node.Fetching;
using Lumora.Node.Leasing;
using Lumora.Node.Limits;

namespace Lumora.Node;

/// <summary>
/// A provider's node: asks the gateway for work, does it, hands it in, until it is stopped. Opens no port. Runs in a
/// process of its own (<c>lumora-node run</c>) or inside of another.
/// </summary>
/// <param name="options">The owner's choices.</param>
/// <param name="clock">The machine's clock by default.</param>
/// <param name="output">Also gets the lines of the owner's log.</param>
public sealed class NodeAgent(NodeOptions options, TimeProvider? clock = null, TextWriter? output = null)
{
    private static readonly TimeSpan IdlePause = TimeSpan.FromSeconds(1);

    private readonly TimeProvider _clock = clock ?? TimeProvider.System;

    /// <summary>Where the owner's log of <paramref name="home"/> is: JSON lines.</summary>
    public static string LogPath(string home) => Path.Combine(home, "log.jsonl");

    /// <summary>
    /// Works until <paramref name="stopping"/> fires and the lease in work has ended or <see cref="NodeOptions.DrainTimeout"/>
    /// is over; an unfinished lease is taken up by the next start. Ends without an exception.
    /// </summary>
    /// <exception cref="ArgumentException">The options do not hold.</exception>
    /// <exception cref="IOException">The home cannot be written, or another agent works in it.</exception>
    public async Task RunAsync(CancellationToken stopping)
    {
        if (options.Problem() is { } problem)
            throw new ArgumentException(problem, nameof(stopping));
        Directory.CreateDirectory(options.Home);
        await using var only = Lock();
        var log = new OwnerLog(LogPath(options.Home), _clock, output);
        using var gateway = new Gateway(options, log, _clock);
        using var sites = GuardedHttp.Create(options);
        var budget = new ByteBudget(
            Path.Combine(options.Home, "usage.json"), options.DailyBytesMax, options.BytesPerSecondMax, _clock);
        var folder = new LeaseFolder(Path.Combine(options.Home, "lease"));
        var fetcher = new PageFetcher(sites, new RobotsCache(sites, _clock), new HostPacer(_clock), budget, options, _clock);
        var runner = new LeaseRunner(options.Key, gateway, fetcher, folder, budget, log, _clock);

        using var abort = new CancellationTokenSource();
        await using var drain = stopping.Register(() => abort.CancelAfter(options.DrainTimeout));
        log.Write("started", ("nodeId", options.Key.NodeId), ("server", options.Server.AbsoluteUri));
        try
        {
            await WorkAsync(gateway, runner, folder, budget, log, stopping, abort.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Stopping is how an agent ends.
        }

        log.Write("stopped");
    }

    /// <summary>What the network knows about this node: its state, its limits and why its last results were refused.</summary>
    /// <exception cref="IOException">The gateway will not say.</exception>
    public async Task<NodeSelf> SelfAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(options.Home);
        using var gateway = new Gateway(options, new OwnerLog(LogPath(options.Home), _clock, output), _clock);
        try
        {
            return await gateway.SelfAsync(cancellationToken);
        }
        catch (GatewayRefusedException refused)
        {
            throw new IOException(refused.Message, refused);
        }
    }

    private async Task WorkAsync(
        Gateway gateway, LeaseRunner runner, LeaseFolder folder, ByteBudget budget, OwnerLog log,
        CancellationToken stopping, CancellationToken abort)
    {
        if (folder.Find() is { } left)
        {
            log.Write("lease_resumed", ("leaseId", left.Lease.LeaseId));
            await runner.RunAsync(left, abort);
        }

        var backoff = new Backoff(options.BackoffMin, options.BackoffMax, _clock);
        while (!stopping.IsCancellationRequested)
        {
            if (budget.Left == 0)
            {
                log.Write("daily_cap_reached", ("resumesIn", budget.UntilTomorrow.ToString("c")));
                await Task.Delay(budget.UntilTomorrow, _clock, stopping);
                continue;
            }

            var asked = _clock.GetTimestamp();
            try
            {
                if (await gateway.LeaseAsync(stopping) is { } lease)
                    await StartAsync(lease, runner, folder, log, abort);
                else if (_clock.GetElapsedTime(asked) < IdlePause)
                    await Task.Delay(options.BackoffMin, _clock, stopping);
                backoff.Reset();
            }
            catch (GatewayRefusedException refused)
            {
                log.Write("no_work", ("reason", refused.Message));
                await backoff.WaitAsync(null, stopping);
            }
            catch (System.Text.Json.JsonException broken)
            {
                log.Write("no_work", ("reason", $"The gateway's answer is no lease: {broken.Message}"));
                await backoff.WaitAsync(null, stopping);
            }
        }
    }

    private async Task StartAsync(Lease lease, LeaseRunner runner, LeaseFolder folder, OwnerLog log, CancellationToken abort)
    {
        log.Write(
            "lease_taken", ("leaseId", lease.LeaseId), ("collectionId", lease.CollectionId),
            ("urls", lease.Urls.Count), ("deadline", lease.Deadline));
        var work = new LeaseInWork(lease, _clock.Now());
        folder.Begin(work);
        await runner.RunAsync(work, abort);
    }

    /// <summary>Held while the agent runs: two agents would fetch one lease twice.</summary>
    private FileStream Lock()
    {
        var path = Path.Combine(options.Home, "agent.lock");
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException fault)
        {
            throw new IOException($"Another agent works in {options.Home}, or the folder cannot be written.", fault);
        }
    }
}
