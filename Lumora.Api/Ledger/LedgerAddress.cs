using System.Net;
using Lumora.Projections.Ledger;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;

namespace Lumora.Api.Ledger;

/// <summary>
/// <c>Lumora:Ledger:ForwardAddress</c>, or the first plain address that the server listens on, with loopback for "every
/// interface".
/// </summary>
internal sealed class LedgerAddress(IServer server, IOptions<LedgerOptions> options) : ILedgerAddress
{
    private static readonly string[] Everywhere = ["*", "+", "0.0.0.0", "[::]"];

    /// <inheritdoc/>
    public string? Current => options.Value.ForwardAddress ?? OfServer(
        server.Features.Get<IServerAddressesFeature>()?.Addresses ?? []);

    /// <summary>The address among those of a server.</summary>
    internal static string? OfServer(ICollection<string> addresses)
    {
        var first = addresses.FirstOrDefault(address => address.StartsWith("http://", StringComparison.OrdinalIgnoreCase))
            ?? addresses.FirstOrDefault();
        if (first is null)
            return null;
        var address = BindingAddress.Parse(first);
        var host = Everywhere.Contains(address.Host, StringComparer.Ordinal) ? IPAddress.Loopback.ToString() : address.Host;
        return FormattableString.Invariant($"{address.Scheme}://{host}:{address.Port}");
    }
}
