using System.CommandLine;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Programs;
using Lumora.Chain.Solana.Rpc;
using Lumora.Cli.Reports;
using Lumora.Cli.Trust;

namespace Lumora.Cli.Logs;

/// <summary>The options that say where Solana is asked, shared by the commands.</summary>
internal sealed class ChainChoice
{
    /// <summary><c>--rpc URL</c>.</summary>
    public Option<string?> Rpc { get; } = new("--rpc")
    {
        Description = "A Solana RPC server of your choice. Without it, what needs the chain is left open and the report says so.",
        HelpName = "URL",
    };

    /// <summary><c>--anchor ADDRESS</c>.</summary>
    public Option<string?> Anchor { get; } = new("--anchor")
    {
        Description = "The address that pays for the log's anchors. Without it all memos that the RPC server knows are looked through, and an audit takes whoever the log names.",
        HelpName = "ADDRESS",
    };

    /// <summary><c>--genesis HASH</c>.</summary>
    public Option<string?> Genesis { get; } = new("--genesis")
    {
        Description = "The genesis hash of the cluster that anchors stand on: a server of another one is refused.",
        HelpName = "HASH",
    };

    /// <summary>Who pays for anchors, as the caller or the trust file says, or null.</summary>
    /// <exception cref="UnableException">It is no address.</exception>
    public PublicKey? PayerOf(ParseResult parsed, TrustFile? trust)
    {
        if ((parsed.GetValue(Anchor) ?? trust?.Body.Anchor) is not { } anchor)
            return null;
        return PublicKey.TryParse(anchor, out var address) ? address : throw new UnableException($"--anchor \"{anchor}\" is no Solana address.");
    }

    /// <summary>The cluster that anchors stand on, as the caller or the trust file says, or null.</summary>
    public string? GenesisOf(ParseResult parsed, TrustFile? trust) => parsed.GetValue(Genesis) ?? trust?.Body.Genesis;

    /// <summary>The chain that the caller chose, or null.</summary>
    /// <exception cref="UnableException">It is another cluster than the pinned one.</exception>
    public async Task<ChainServer?> OpenAsync(ParseResult parsed, CancellationToken cancellationToken, TrustFile? trust = null)
    {
        if (parsed.GetValue(Rpc) is not { } text)
            return null;
        var payer = PayerOf(parsed, trust);
        var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
        try
        {
            var rpc = new RpcClient(http, LogChoice.Address(text, "--rpc"));
            var genesis = await rpc.GetGenesisHashAsync(cancellationToken);
            if (GenesisOf(parsed, trust) is { } pinned && pinned != genesis)
                throw new UnableException($"{rpc.NodeAddress.Authority} serves the cluster {genesis}, pinned is {pinned}: the log's anchors stand there.");
            return new ChainServer(http, rpc, payer ?? MemoProgram.ProgramId, payer is not null, genesis);
        }
        catch
        {
            http.Dispose();
            throw;
        }
    }
}

/// <summary>Solana behind one RPC server, which is believed about what is finalized and about nothing else.</summary>
/// <param name="Http">Its connections.</param>
/// <param name="Rpc">The server.</param>
/// <param name="Address">Whose transactions are looked through.</param>
/// <param name="IsAddressGiven">The caller named the address; false when it stands for all memos.</param>
/// <param name="GenesisHash">The cluster that it serves.</param>
internal sealed record ChainServer(HttpClient Http, IRpcClient Rpc, PublicKey Address, bool IsAddressGiven, string GenesisHash) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => Http.Dispose();
}
