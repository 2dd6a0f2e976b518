namespace Lumora.Node.Fetching;

/// <summary>
/// Keeps a pause between two requests to one host (and port). It outlives leases, so that many small leases are as
/// polite as a large one. Used by one fetch at a time.
/// </summary>
internal sealed class HostPacer(TimeProvider clock)
{
    private const int HostsMax = 10_000;

    private readonly Dictionary<string, DateTimeOffset> _next = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Waits for the host's turn and takes it: the next one comes <paramref name="pause"/> later.</summary>
    internal async Task WaitAsync(Uri url, TimeSpan pause, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        if (_next.TryGetValue(url.Authority, out var next) && next > now)
            await Task.Delay(next - now, clock, cancellationToken);
        now = clock.GetUtcNow();
        if (_next.Count >= HostsMax)
            Forget(now);
        _next[url.Authority] = now + pause;
    }

    private void Forget(DateTimeOffset now)
    {
        foreach (var host in _next.Where(pair => pair.Value <= now).Select(pair => pair.Key).ToList())
            _next.Remove(host);
    }
}
