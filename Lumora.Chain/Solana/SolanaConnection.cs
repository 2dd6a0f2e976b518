namespace Lumora.Chain.Solana;

/// <summary>
/// The host's one connection to Solana. It may come late (a local Solana is being installed) or go and come back
/// under another address: workers ask for it each time and wait where there is none.
/// </summary>
public sealed class SolanaConnection
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The cluster; null while there is none.</summary>
    public SolanaCluster? Current { get; private set; }

    /// <summary>For people: how things stand.</summary>
    public string Status { get; private set; } = "not started";

    /// <summary>Announces a cluster.</summary>
    public void Connected(SolanaCluster cluster) => Set(cluster, $"connected to {cluster.GenesisHash}");

    /// <summary>Announces that there is none, and why.</summary>
    public void Disconnected(string reason) => Set(null, reason);

    /// <summary>The cluster, as soon as there is one.</summary>
    public async Task<SolanaCluster> WaitAsync(CancellationToken ct)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (Current is { } cluster)
                    return cluster;
                changed = _changed.Task;
            }

            await changed.WaitAsync(ct);
        }
    }

    private void Set(SolanaCluster? cluster, string status)
    {
        lock (_lock)
        {
            (Current, Status) = (cluster, status);
            _changed.SetResult();
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
