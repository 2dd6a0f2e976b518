using Lumora.Chain.Notes;
using Lumora.Chain.Witnesses;
using Lumora.Cli.Reports;
using Lumora.Cli.Trust;

namespace Lumora.Cli.Logs;

/// <summary>A log's keys and where they came from: one, or several while it is being replaced and for what an earlier one has signed.</summary>
/// <param name="Keys">The keys; a signature by any of them will do.</param>
/// <param name="IsPinned">The caller brought them; false when the log itself named them.</param>
/// <param name="Trust">The trust file that they stand in, or null.</param>
internal sealed record TrustedKey(IReadOnlyList<VerifierKey> Keys, bool IsPinned, ChosenTrust? Trust = null)
{
    private readonly WitnessPolicy? _policy;

    /// <summary>Whose cosignatures are wanted, or null: that of the trust file, unless another was given.</summary>
    public WitnessPolicy? Policy
    {
        get => _policy ?? Trust?.File.Policy;
        init => _policy = value;
    }

    /// <summary>The key that stands for all of them where one is named: the first.</summary>
    public VerifierKey Key => Keys[0];

    /// <summary>The claims that whoever published is who we think.</summary>
    public IEnumerable<Claim> Claims => Trust is null ? Keys.Select(ClaimOf) : Keys.Select(ClaimOf).Prepend(Trust.Claim);

    /// <summary>The keys, as messages name them.</summary>
    public string Names => string.Join(" or ", Keys);

    private Claim ClaimOf(VerifierKey key) => Trust is not null
        ? new Claim("log_key", Trust.Claim.Standing, $"the key {key} stands in the trust file")
        : IsPinned
        ? new Claim("log_key", Standing.ProvenOffline, $"the key {key} was given")
        : new Claim(
            "log_key", Standing.NotProven,
            $"the log names its own key {key}: compare it with one from elsewhere and give it with --key");
}
