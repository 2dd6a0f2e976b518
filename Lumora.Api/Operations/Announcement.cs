using System.Diagnostics;
using Lumora.Projections.EventStore;
using Lumora.Projections.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Lumora.Api.Operations;

/// <summary>Tells the person at the terminal, once the host serves, where everything is.</summary>
internal sealed partial class Announcement(
    IServer server, LumoraHome home, ShardSessions sessions, IHostApplicationLifetime lifetime,
    ILogger<Announcement> logger) : IHostedService
{
    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStarted.Register(Announce);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void Announce()
    {
        using var process = Process.GetCurrentProcess();
        var seconds = (DateTime.Now - process.StartTime).TotalSeconds;
        var url = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? "(no address)";
        Ready(seconds, url, home.Path);
        Addresses($"{url}/graphql", $"{url}/log/{sessions.ShardOf(ShardRole.Global)}/checkpoint", $"{url}/readyz");
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Ready after {Seconds:F1} s at {Url}; state in {Home}")]
    private partial void Ready(double seconds, string url, string home);

    [LoggerMessage(
        Level = LogLevel.Information, Message = "GraphQL {GraphQL}  log {Checkpoint}  readiness {Readiness}")]
    private partial void Addresses(string graphQL, string checkpoint, string readiness);
}
