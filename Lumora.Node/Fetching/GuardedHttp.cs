using System.Net;
using System.Net.Sockets;
using Lumora.Domain.Tasks;

namespace Lumora.Node.Fetching;

/// <summary>A name has no address that the node may connect to. Nothing was sent.</summary>
internal sealed class AddressNotPublicException(string host)
    : Exception($"{host} has no public address, so it is not fetched.");

/// <summary>
/// HTTP to strangers' sites. The check stands where the connection is made: the address that was checked is the
/// address that is connected to, so a name cannot change its answer in between (DNS rebinding), and every redirect
/// passes it again. No proxy, no cookies, no automatic redirects.
/// </summary>
internal static class GuardedHttp
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    /// <summary>A client whose every connection is checked.</summary>
    internal static HttpClient Create(NodeOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.All,
            ConnectCallback = (context, cancellationToken) =>
                ConnectAsync(context.DnsEndPoint, options.AllowLoopback, cancellationToken),
            ConnectTimeout = ConnectTimeout,
            MaxConnectionsPerServer = 1,
            MaxResponseHeadersLength = 64,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            UseCookies = false,
            UseProxy = false,
        };
        var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.TryAddWithoutValidation("User-Agent", options.UserAgent);
        client.DefaultRequestHeaders.TryAddWithoutValidation("Accept", "text/html, application/xhtml+xml;q=0.9, */*;q=0.1");
        return client;
    }

    private static async ValueTask<Stream> ConnectAsync(
        DnsEndPoint target, bool allowLoopback, CancellationToken cancellationToken)
    {
        var addresses = IPAddress.TryParse(target.Host, out var literal)
            ? [literal]
            : await Dns.GetHostAddressesAsync(target.Host, cancellationToken);
        var permitted = addresses.Where(address => PublicAddress.MayConnect(address, allowLoopback)).ToArray();
        if (permitted.Length == 0)
            throw new AddressNotPublicException(target.Host);

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(permitted, target.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
