using System.Text;
using Lumora.Chain.Notes;
using Lumora.Chain.Solana.Rpc;
using Lumora.Chain.Verification;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;

namespace Lumora.Cli.Trust;

/// <summary>Holds a trust file against its signer's key, a server and a cluster.</summary>
internal sealed class TrustCheck(TrustFile trust)
{
    /// <summary>What holds and how well.</summary>
    public List<Claim> Claims { get; } = [];

    /// <summary>What does not hold.</summary>
    public List<Finding> Findings { get; } = [];

    /// <summary>Who signed it.</summary>
    public void Signature(VerifierKey signer)
    {
        try
        {
            trust.Verify(signer);
            Claims.Add(new Claim("trust_file", Standing.ProvenOffline, $"signed by {signer}"));
        }
        catch (VerificationException exception)
        {
            Claims.Add(new Claim("trust_file", Standing.NotProven, "does not hold"));
            Findings.Add(new Finding("trust_file", "signature", exception.Message));
        }
    }

    /// <summary>Whether the server's logs sign with the keys of the file.</summary>
    public async Task ServerAsync(Uri server, CancellationToken cancellationToken)
    {
        foreach (var shard in trust.Body.Shards)
        {
            using var source = new ServerLog(server, shard.Name, token: null);
            var own = await source.ReadAsync("key", cancellationToken) is { } key ? Encoding.UTF8.GetString(key).Trim() : "no key";
            if (shard.Keys.Contains(own, StringComparer.Ordinal))
                Claims.Add(new Claim("log_key", Standing.ProvenOffline, $"{source.Name} names the key of the file"));
            else
                Findings.Add(new Finding("log_key", source.Name, $"it names {own}, the file {string.Join(" and ", shard.Keys)}"));
        }
    }

    /// <summary>Whether the RPC server serves the cluster of the file.</summary>
    public async Task ClusterAsync(IRpcClient rpc, CancellationToken cancellationToken)
    {
        var genesis = await rpc.GetGenesisHashAsync(cancellationToken);
        if (genesis == trust.Body.Genesis)
            Claims.Add(new Claim("cluster", Standing.ProvenOnChain, $"{rpc.NodeAddress.Authority} serves the cluster {genesis}"));
        else
            Findings.Add(new Finding("cluster", rpc.NodeAddress.Authority, $"it serves {genesis}, the file names {trust.Body.Genesis ?? "no cluster"}"));
    }
}
