using Lumora.Domain.Participants;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;

namespace Lumora.Api.Identity;

/// <summary>
/// Under which domains people sign in here: what is configured, else the addresses on which this host listens. Never a
/// request's Host header: whoever sends a stolen message also writes that header.
/// </summary>
internal sealed class SignInDomains(IServer server, IOptions<IdentityOptions> options)
{
    /// <summary>The policy; known once the server listens.</summary>
    public SignInPolicy Policy => field ??= new SignInPolicy(
        options.Value.Domains.Count > 0 ? options.Value.Domains : Listening(), options.Value.ChainId);

    private List<string> Listening()
    {
        var addresses = server.Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
        var domains = new List<string>();
        foreach (var address in addresses.Select(BindingAddress.Parse))
        {
            var port = address.Port is 80 or 443 ? "" : $":{address.Port}";
            var wildcard = address.Host is "*" or "+" or "0.0.0.0" or "[::]";
            if (!wildcard)
                domains.Add(address.Host + port);
            if (wildcard || address.Host is "127.0.0.1" or "[::1]" or "localhost")
                domains.AddRange([$"127.0.0.1{port}", $"localhost{port}"]);
        }

        return domains.Count > 0
            ? [.. domains.Distinct(StringComparer.OrdinalIgnoreCase)]
            : throw new InvalidOperationException($"Set {IdentityOptions.Section}:Domains: the server names no address.");
    }
}
