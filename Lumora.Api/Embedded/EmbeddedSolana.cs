using System.Text.Json;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Rpc;
using Lumora.Projections.Hosting;
using Microsoft.Extensions.Options;

namespace Lumora.Api.Embedded;

/// <summary>
/// Connects the host to Solana: to the configured servers, or to a local one that it installs, starts, watches and
/// stops. None of this holds up the host: without a chain, anchors and payouts wait and <c>/readyz</c> says why.
/// </summary>
internal sealed partial class EmbeddedSolana(
    SolanaConnection connection, IOptions<SolanaOptions> options, LumoraHome home, IHttpClientFactory http,
    ILogger<EmbeddedSolana> logger) : BackgroundService
{
    /// <summary>Name of the HTTP client for RPC calls.</summary>
    public const string HttpClientName = "solana";

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryAfterMissingNode = TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The rest of the host starts while this waits for files and processes.
        await Task.Yield();
        try
        {
            if (options.Value.Servers.Count > 0)
                await ConnectAsync(options.Value.Servers, isLocal: false, stoppingToken);
            else if (options.Value.Embedded)
                await KeepRunningAsync(stoppingToken);
            else
                connection.Disconnected("switched off: Solana:Endpoints is empty and Solana:Embedded is false");
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            connection.Disconnected("stopped");
        }
    }

    private async Task KeepRunningAsync(CancellationToken ct)
    {
        while (true)
        {
            var pause = RetryAfter;
            try
            {
                await RunOnceAsync(ct);
            }
            catch (InvalidOperationException fault)
            {
                LogFault(fault.Message);
                connection.Disconnected(fault.Message);
                pause = await AttachAsync(ct) ? TimeSpan.Zero
                    : fault.InnerException is System.ComponentModel.Win32Exception ? RetryAfterMissingNode : RetryAfter;
            }

            await Task.Delay(pause, ct);
        }
    }

    /// <summary>One life of the child.</summary>
    private async Task RunOnceAsync(CancellationToken ct)
    {
        var package = await InstallAsync(ct);
        await using var devstack = await DevstackProcess.StartAsync(
            package, State, options.Value, line => LogLine(line), ct);
        LogStarted(devstack.Port, devstack.Id);
        await ConnectAsync([Local(devstack.Port)], isLocal: true, ct);
        await devstack.WaitForExitAsync(ct);
        throw new InvalidOperationException("The local Solana ended; it is started again.");
    }

    private string State => home.Folder("solana");

    private async Task<string> InstallAsync(CancellationToken ct)
    {
        var folder = Path.Combine(
            options.Value.DevstackFolder ?? home.Folder("devstack"), DevstackFiles.VersionOf("."));
        Directory.CreateDirectory(folder);
        using var turn = await TakeTurnAsync(Path.Combine(folder, "install.lock"), ct);
        if (!Directory.Exists(Path.Combine(folder, "node_modules")))
        {
            connection.Disconnected("installing the local Solana (npm ci)");
            LogInstalling(folder);
            DevstackFiles.Copy(".", folder);
        }

        await DevstackFiles.NpmInstallAsync(folder, line => LogLine(line), ct);
        return folder;
    }

    /// <summary>One installs, the others wait: several hosts may share a folder of packages.</summary>
    private static async Task<FileStream> TakeTurnAsync(string file, CancellationToken ct)
    {
        while (true)
        {
            try
            {
                return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), ct);
            }
        }
    }

    /// <summary>
    /// Uses the devstack that holds the state folder, when one does: another host's, or a child whose host has just
    /// died and which ends in a moment. True once it is gone again.
    /// </summary>
    private async Task<bool> AttachAsync(CancellationToken ct)
    {
        var file = Path.Combine(State, "devstack.json");
        if (!File.Exists(file) || !File.Exists(Path.Combine(State, "lock")))
            return false;
        var port = JsonDocument.Parse(await File.ReadAllTextAsync(file, ct)).RootElement.GetProperty("port").GetInt32();
        var server = Client(Local(port));
        var attached = false;
        try
        {
            var cluster = await SolanaCluster.ConnectAsync([server], options.Value.GenesisHash, isLocal: true, ct);
            LogAttached(port);
            connection.Connected(cluster);
            attached = true;
            while (await server.GetHealthAsync(ct))
                await Task.Delay(RetryAfter, ct);
        }
        catch (SolanaException fault)
        {
            connection.Disconnected(attached ? "the local Solana of another host has ended" : fault.Message);
        }

        return attached;
    }

    private async Task ConnectAsync(IReadOnlyList<Uri> servers, bool isLocal, CancellationToken ct)
    {
        var clients = servers.Select(IRpcClient (server) => Client(server)).ToList();
        while (true)
        {
            try
            {
                var cluster = await SolanaCluster.ConnectAsync(clients, options.Value.GenesisHash, isLocal, ct);
                LogConnected(cluster.GenesisHash);
                connection.Connected(cluster);
                return;
            }
            catch (SolanaException fault)
            {
                LogFault(fault.Message);
                connection.Disconnected(fault.Message);
                await Task.Delay(RetryAfter, ct);
            }
        }
    }

    private RpcClient Client(Uri server) =>
        new(http.CreateClient(HttpClientName), server, TimeSpan.FromSeconds(options.Value.TimeoutSeconds));

    private static Uri Local(int port) => new($"http://127.0.0.1:{port}");

    [LoggerMessage(Level = LogLevel.Information, Message = "Installing the local Solana in {Folder} (npm ci, once)")]
    private partial void LogInstalling(string folder);

    [LoggerMessage(Level = LogLevel.Information, Message = "Local Solana at http://127.0.0.1:{Port}, process {ProcessId}")]
    private partial void LogStarted(int port, int processId);

    [LoggerMessage(Level = LogLevel.Information, Message = "Using the local Solana that runs at port {Port} already")]
    private partial void LogAttached(int port);

    [LoggerMessage(Level = LogLevel.Information, Message = "Solana cluster {GenesisHash}")]
    private partial void LogConnected(string genesisHash);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Solana: {Reason}")]
    private partial void LogFault(string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Solana: {Line}")]
    private partial void LogLine(string line);
}
