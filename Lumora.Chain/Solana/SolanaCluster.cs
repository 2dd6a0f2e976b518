using Lumora.Chain.Solana.Rpc;

namespace Lumora.Chain.Solana;

/// <summary>One cluster behind several RPC servers, none of which is trusted alone.</summary>
public sealed class SolanaCluster
{
    private SolanaCluster(IReadOnlyList<IRpcClient> servers, string genesisHash, bool isLocal) =>
        (Servers, GenesisHash, IsLocal) = (servers, genesisHash, isLocal);

    /// <summary>The servers, in the order of preference.</summary>
    public IReadOnlyList<IRpcClient> Servers { get; }

    /// <summary>The cluster's identity.</summary>
    public string GenesisHash { get; }

    /// <summary>True for the host's own local Solana, where lamports cost nothing.</summary>
    public bool IsLocal { get; }

    /// <summary>Checks that every server that answers serves the same, expected cluster.</summary>
    /// <exception cref="WrongClusterException">A server serves another cluster.</exception>
    /// <exception cref="RpcUnavailableException">No server answers.</exception>
    public static async Task<SolanaCluster> ConnectAsync(
        IReadOnlyList<IRpcClient> servers, string? expectedGenesisHash, bool isLocal, CancellationToken ct)
    {
        var cluster = new SolanaCluster(servers, "", isLocal);
        var answers = await cluster.AllAsync(server => server.GetGenesisHashAsync(ct));
        var hashes = answers.Distinct(StringComparer.Ordinal).ToList();
        if (expectedGenesisHash is not null && hashes.Find(hash => hash != expectedGenesisHash) is { } other)
            throw new WrongClusterException(expectedGenesisHash, other);
        return hashes.Count == 1
            ? new SolanaCluster(servers, hashes[0], isLocal)
            : throw new WrongClusterException(hashes[0], hashes[1]);
    }

    /// <summary>Asks the servers in turn until one answers.</summary>
    public async Task<T> AnyAsync<T>(Func<IRpcClient, Task<T>> call)
    {
        RpcUnavailableException? fault = null;
        foreach (var server in Servers)
        {
            try
            {
                return await call(server);
            }
            catch (RpcUnavailableException unavailable)
            {
                fault = unavailable;
            }
        }

        throw fault ?? new RpcUnavailableException("No Solana server is configured.");
    }

    /// <summary>The answers of all servers that answer; throws when none does.</summary>
    public async Task<IReadOnlyList<T>> AllAsync<T>(Func<IRpcClient, Task<T>> call)
    {
        var answers = new List<T>();
        Exception? fault = null;
        foreach (var pending in Servers.Select(call).ToList())
        {
            try
            {
                answers.Add(await pending);
            }
            catch (SolanaException unavailable)
            {
                fault = unavailable;
            }
        }

        return answers.Count > 0
            ? answers
            : throw new RpcUnavailableException($"No Solana server answers: {fault?.Message}", fault);
    }

    /// <summary>The answer that more than half of all servers give; throws when there is none.</summary>
    public async Task<T> QuorumAsync<T>(Func<IRpcClient, Task<T>> call)
    {
        var answers = await AllAsync(call);
        var agreed = answers.GroupBy(answer => answer).MaxBy(group => group.Count())!;
        return agreed.Count() * 2 > Servers.Count
            ? agreed.Key
            : throw new RpcUnavailableException(
                $"The Solana servers disagree: {agreed.Count()} of {Servers.Count} give the most frequent answer.");
    }
}

/// <summary>A server serves a cluster other than the one expected: nothing may be written there.</summary>
public sealed class WrongClusterException(string expected, string actual)
    : SolanaException($"The Solana server serves the cluster with genesis {actual}, not {expected}.");
