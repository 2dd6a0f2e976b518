using System.Net;
using System.Net.Sockets;

namespace Lumora.Domain.Tasks;

/// <summary>
/// Which addresses lie on the public internet. A node is asked by strangers to fetch: an address inside its owner's
/// network must never be reached. Source: IANA's registries of special-purpose IPv4 and IPv6 addresses; what is not
/// globally reachable there is not public here, and neither is what only wraps another address.
/// </summary>
public static class PublicAddress
{
    private static readonly IPNetwork[] NotPublicV4 = Parse(
        "0.0.0.0/8",          // this network (RFC 791)
        "10.0.0.0/8",         // private (RFC 1918)
        "100.64.0.0/10",      // carrier-grade NAT (RFC 6598), also 100.100.100.200, a cloud's metadata
        "127.0.0.0/8",        // loopback (RFC 1122)
        "169.254.0.0/16",     // link-local (RFC 3927), also 169.254.169.254, the metadata of most clouds
        "172.16.0.0/12",      // private (RFC 1918)
        "192.0.0.0/24",       // protocol assignments (RFC 6890), also 192.0.0.192, a cloud's metadata
        "192.0.2.0/24",       // documentation (RFC 5737)
        "192.88.99.0/24",     // 6to4 relays, deprecated (RFC 7526)
        "192.168.0.0/16",     // private (RFC 1918)
        "198.18.0.0/15",      // benchmarks (RFC 2544)
        "198.51.100.0/24",    // documentation (RFC 5737)
        "203.0.113.0/24",     // documentation (RFC 5737)
        "224.0.0.0/4",        // multicast (RFC 5771)
        "240.0.0.0/4",        // reserved and broadcast (RFC 1112, RFC 919)
        "168.63.129.16/32");  // a public range's one address that is a cloud's internal service

    // Only 2000::/3 is given out for the public internet (RFC 4291, IANA); these parts of it are not.
    private static readonly IPNetwork GlobalUnicastV6 = IPNetwork.Parse("2000::/3");

    private static readonly IPNetwork[] NotPublicV6 = Parse(
        "2001::/23",          // protocol assignments, Teredo, ORCHID (RFC 2928, 4380, 7343)
        "2001:db8::/32",      // documentation (RFC 3849)
        "2002::/16",          // 6to4: wraps an IPv4 address (RFC 3056)
        "3fff::/20");         // documentation (RFC 9637)

    /// <summary>True when <paramref name="address"/> is on the public internet.</summary>
    public static bool IsPublic(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        return address.AddressFamily switch
        {
            AddressFamily.InterNetwork => !NotPublicV4.Any(network => network.Contains(address)),
            AddressFamily.InterNetworkV6 => GlobalUnicastV6.Contains(address)
                && address.ScopeId == 0
                && !NotPublicV6.Any(network => network.Contains(address)),
            _ => false,
        };
    }

    /// <summary>True when a node may connect: public, or the machine itself where its owner allowed that for development.</summary>
    public static bool MayConnect(IPAddress address, bool allowLoopback) =>
        IsPublic(address) || (allowLoopback && IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address));

    private static IPNetwork[] Parse(params ReadOnlySpan<string> networks)
    {
        var parsed = new IPNetwork[networks.Length];
        for (var i = 0; i < networks.Length; i++)
            parsed[i] = IPNetwork.Parse(networks[i]);
        return parsed;
    }
}
