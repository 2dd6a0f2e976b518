using System.Runtime.ExceptionServices;
using Lumora.Chain.Solana.Rpc;

namespace Lumora.Chain.Solana;

/// <summary>
/// One cluster behind several RPC servers, none of which is trusted alone. A server that has failed shows its genesis hash
/// again before it is used, for another may stand at its address now.
/// </summary>
public sealed class SolanaCluster
{
    private readonly ServerStanding[] _standings;

    private SolanaCluster(IReadOnlyList<IRpcClient> servers, string genesisHash, bool isLocal)
    {
        (Servers, GenesisHash, IsLocal) = (servers, genesisHash, isLocal);
        _standings = [.. servers.Select(_ => new ServerStanding())];
    }

    /// <summary>The servers, in the order of preference.</summary>
    public IReadOnlyList<IRpcClient> Servers { get; }

    /// <summary>The cluster's identity.</summary>
    public string GenesisHash { get; }

    /// <summary>True for the host's own local Solana, where lamports cost nothing.</summary>
    public bool IsLocal { get; }

    /// <summary>More than half of the servers: 2 of 3, and 2 of 2.</summary>
    public int Quorum => (Servers.Count / 2) + 1;

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

    /// <summary>Asks the servers in turn until one answers; those that failed lately come last.</summary>
    /// <exception cref="SolanaException">None answers; or a server has refused a transaction, which the next would refuse too.</exception>
    public async Task<T> AnyAsync<T>(Func<IRpcClient, Task<T>> call)
    {
        SolanaException? fault = null;
        foreach (var index in Enumerable.Range(0, Servers.Count).OrderBy(index => _standings[index].Rests))
        {
            var answer = await AskAsync(index, call);
            if (answer.Fault is null)
                return answer.Value!;
            fault = answer.Fault;
            if (fault is TransactionRefusedException)
                break;
        }

        ExceptionDispatchInfo.Throw(fault ?? new RpcUnavailableException("No Solana server is configured."));
        throw fault!;
    }

    /// <summary>The answers of all servers that answer; throws when none does.</summary>
    public async Task<IReadOnlyList<T>> AllAsync<T>(Func<IRpcClient, Task<T>> call) => await GatherAsync(call, _ => false);

    /// <summary>The answer that more than half of all servers give; throws when there is none.</summary>
    public async Task<T> QuorumAsync<T>(Func<IRpcClient, Task<T>> call)
    {
        var answers = await GatherAsync(call, given => Most(given).Count >= Quorum);
        var (agreed, count) = Most(answers);
        return count >= Quorum
            ? agreed
            : throw new RpcUnavailableException(
                $"The Solana servers disagree: {count} of {Servers.Count} give the most frequent answer.");
    }

    /// <summary>The largest number that more than half of all servers reach: no server alone moves it up or down.</summary>
    public async Task<ulong> QuorumReachesAsync(Func<IRpcClient, Task<ulong>> call)
    {
        var answers = await MostAsync(call);
        return answers.OrderDescending().ElementAt(Quorum - 1);
    }

    /// <summary>The answers of all servers that answer; throws when these are not more than half of all.</summary>
    public async Task<IReadOnlyList<T>> MostAsync<T>(Func<IRpcClient, Task<T>> call)
    {
        var answers = await AllAsync(call);
        return answers.Count >= Quorum ? answers : throw TooFew(answers.Count);
    }

    /// <summary>
    /// Gives a transaction to every server: one that takes it and loses it delays nothing. Answers as soon as one has taken it.
    /// </summary>
    /// <exception cref="TransactionRefusedException">None took it and one said why.</exception>
    /// <exception cref="RpcUnavailableException">None answers.</exception>
    public async Task<string> SendAsync(ReadOnlyMemory<byte> transaction, CancellationToken ct)
    {
        var faults = new List<SolanaException>();
        await foreach (var asked in Task.WhenEach(Ask(server => server.SendTransactionAsync(transaction, ct: ct))))
        {
            var answer = await asked;
            if (answer.Fault is null)
                return answer.Value!;
            faults.Add(answer.Fault);
        }

        // That it is on the chain already says the most; a blockhash that one server does not know says the least.
        var refusals = faults.OfType<TransactionRefusedException>().ToList();
        ExceptionDispatchInfo.Throw(
            refusals.Find(refusal => refusal.IsAlreadyProcessed) ?? refusals.Find(refusal => !refusal.IsBlockhashNotFound)
            ?? refusals.FirstOrDefault() ?? faults[0]);
        return "";
    }

    internal RpcUnavailableException TooFew(int answers) =>
        new($"Only {answers} of {Servers.Count} Solana servers answer; {Quorum} must agree.");

    private static (T Answer, int Count) Most<T>(IReadOnlyList<T> answers)
    {
        var group = answers.GroupBy(answer => answer).MaxBy(group => group.Count())!;
        return (group.Key, group.Count());
    }

    private async Task<IReadOnlyList<T>> GatherAsync<T>(Func<IRpcClient, Task<T>> call, Func<IReadOnlyList<T>, bool> isEnough)
    {
        var answers = new List<T>();
        SolanaException? fault = null;
        await foreach (var asked in Task.WhenEach(Ask(call)))
        {
            var answer = await asked;
            if (answer.Fault is not null)
                fault = answer.Fault;
            else
                answers.Add(answer.Value!);
            if (answers.Count > 0 && isEnough(answers))
                break;
        }

        return answers.Count > 0
            ? answers
            : throw new RpcUnavailableException($"No Solana server answers: {fault?.Message}", fault);
    }

    /// <summary>Asks all servers at once but those that rest after a failure, unless all do.</summary>
    private List<Task<Answer<T>>> Ask<T>(Func<IRpcClient, Task<T>> call)
    {
        var awake = Enumerable.Range(0, Servers.Count).Where(index => !_standings[index].Rests).ToList();
        return [.. (awake.Count > 0 ? awake : [.. Enumerable.Range(0, Servers.Count)]).Select(index => AskAsync(index, call))];
    }

    private async Task<Answer<T>> AskAsync<T>(int index, Func<IRpcClient, Task<T>> call)
    {
        var (server, standing) = (Servers[index], _standings[index]);
        try
        {
            await ProveAsync(server, standing);
            var value = await call(server);
            standing.Answered();
            return new Answer<T>(value, null);
        }
        catch (SolanaException fault)
        {
            if (fault is RpcUnavailableException or WrongClusterException or RpcErrorException { Code: RpcErrorException.NodeUnhealthy })
                standing.Failed();
            return new Answer<T>(default, fault);
        }
        catch (Exception fault) when (fault is KeyNotFoundException or InvalidOperationException or FormatException
            or ArgumentException or OverflowException or IndexOutOfRangeException)
        {
            // Well-formed JSON of another shape.
            standing.Failed();
            return new Answer<T>(default, new RpcUnavailableException($"An answer of {server.NodeAddress.Authority} cannot be read.", fault));
        }
    }

    private async Task ProveAsync(IRpcClient server, ServerStanding standing)
    {
        if (standing.IsProven || GenesisHash.Length == 0)
            return;
        var hash = await server.GetGenesisHashAsync();
        if (hash != GenesisHash)
            throw new WrongClusterException(GenesisHash, hash);
        standing.Proven();
    }

    private readonly record struct Answer<T>(T? Value, SolanaException? Fault);
}

/// <summary>A server serves a cluster other than the one expected: nothing may be written there.</summary>
public sealed class WrongClusterException(string expected, string actual)
    : SolanaException($"The Solana server serves the cluster with genesis {actual}, not {expected}.");
