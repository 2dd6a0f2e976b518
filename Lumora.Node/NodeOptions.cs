using Lumora.Node.Keys;

namespace Lumora.Node;

/// <summary>What the owner of a node decides. All limits are the owner's own; the network's may be tighter.</summary>
public sealed record NodeOptions
{
    /// <summary>The gateway: https, or http on the machine itself or with <see cref="AllowPlainHttp"/>.</summary>
    public required Uri Server { get; init; }

    /// <summary>The node's key.</summary>
    public required NodeKey Key { get; init; }

    /// <summary>Folder of this node's state and log; one agent at a time.</summary>
    public required string Home { get; init; }

    /// <summary>Development only: pages on the machine's own loopback address may be fetched.</summary>
    public bool AllowLoopback { get; init; }

    /// <summary>The gateway may be reached over http elsewhere than on the machine itself.</summary>
    public bool AllowPlainHttp { get; init; }

    /// <summary>Bytes fetched in a second, on average over a page; null: no limit.</summary>
    public long? BytesPerSecondMax { get; init; }

    /// <summary>Bytes fetched in one UTC day; null: no limit.</summary>
    public long? DailyBytesMax { get; init; }

    /// <summary>Whom a site's operator can turn to, in the user agent; default: the gateway's address.</summary>
    public string? Contact { get; init; }

    /// <summary>Least pause between two requests to one host; a longer crawl delay of the site wins. Default 1 s.</summary>
    public TimeSpan HostDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest time of one page, redirects and all. Default 30 s.</summary>
    public TimeSpan PageTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a lease may go on after the agent was told to stop; what is not done then waits for the next start. Default 20 s.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long the gateway may hold a request for work, in seconds. Default 25.</summary>
    public int WaitSeconds { get; init; } = 25;

    /// <summary>First upper bound of the pause after a failed request; it doubles to <see cref="BackoffMax"/>. Default 0.5 s.</summary>
    public TimeSpan BackoffMin { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Last upper bound of the pause after a failed request. Default 60 s.</summary>
    public TimeSpan BackoffMax { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Bytes of one uploaded chunk, at most 4 MiB. Default 1 MiB.</summary>
    public int ChunkBytes { get; init; } = 1024 * 1024;

    /// <summary><c>LumoraNode/version (+contact)</c>.</summary>
    internal string UserAgent => $"{ProductToken}/{Version} (+{Contact ?? Server.GetLeftPart(UriPartial.Authority)})";

    /// <summary>The name that robots.txt files know the agent by.</summary>
    internal const string ProductToken = "LumoraNode";

    private static string Version => typeof(NodeOptions).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    /// <summary>Null when the options hold; else what is wrong, for people.</summary>
    public string? Problem()
    {
        if (!Server.IsAbsoluteUri || (Server.Scheme != Uri.UriSchemeHttps && Server.Scheme != Uri.UriSchemeHttp))
            return "The server is an http or https address.";
        if (Server.Scheme == Uri.UriSchemeHttp && !AllowPlainHttp && !Server.IsLoopback)
            return "The server is not on this machine: use https, or allow plain http.";
        if (BytesPerSecondMax is < 1024)
            return "The rate limit is at least 1,024 bytes a second.";
        if (DailyBytesMax is < 0)
            return "The daily cap is not negative.";
        if (ChunkBytes is < 1 or > Domain.Tasks.NodeProtocol.ChunkBytesMax)
            return "A chunk has 1 byte to 4 MiB.";
        if (WaitSeconds is < 0 or > Domain.Tasks.NodeProtocol.WaitSecondsMax)
            return $"The wait for work is 0 to {Domain.Tasks.NodeProtocol.WaitSecondsMax} seconds.";
        return Contact?.AsSpan().ContainsAny("()\r\n") == true ? "The contact has no brackets or line ends." : null;
    }
}
