using Lumora.Chain.Notes;
using Lumora.Chain.Solana;
using Lumora.Cli.Logs;

namespace Lumora.Cli.Audit;

/// <summary>What is audited, with what, and where an earlier audit left off.</summary>
/// <param name="Source">The log.</param>
/// <param name="Shard">Its shard.</param>
/// <param name="Key">Its keys.</param>
/// <param name="Chain">Where anchors are looked for, or null.</param>
/// <param name="Epochs">How long an epoch is.</param>
/// <param name="StateFolder">Where the state of the last clean audit lies, or null.</param>
/// <param name="SignedIn">A token was given.</param>
internal sealed record AuditSubject(
    ILogSource Source, string Shard, TrustedKey Key, ChainServer? Chain, EpochLength Epochs, string? StateFolder, bool SignedIn)
{
    /// <summary>How often an audit that is not over keeps what it has come to; 0: with every bundle.</summary>
    public TimeSpan KeepEvery { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The keys that the caller has pinned, by the shard whose log they sign.</summary>
    public ILookup<string, VerifierKey> Regions { get; init; } = LogChoice.ByShard([]);

    /// <summary>The address that must have paid for anchors, or null where none is pinned.</summary>
    public PublicKey? Payer { get; init; }

    /// <summary>The genesis hash of the cluster that anchors stand on, or null where none is pinned.</summary>
    public string? Genesis { get; init; }

    /// <summary>Why the chain that the caller chose cannot be asked, or null.</summary>
    public Exception? ChainFault { get; init; }
}
