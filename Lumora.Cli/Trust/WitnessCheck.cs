using Lumora.Chain.Verification;
using Lumora.Chain.Witnesses;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;

namespace Lumora.Cli.Trust;

/// <summary>Holds a checkpoint's cosignatures against the policy that the caller brought.</summary>
internal static class WitnessCheck
{
    /// <summary>The claim that this checks.</summary>
    public const string Claim = "witnessed";

    /// <summary>How well <paramref name="note"/> is witnessed, and what is wrong; both null when no policy is known.</summary>
    public static (Claim? Claim, Finding? Finding) Check(byte[] note, TrustedKey key, string where)
    {
        if (key.Policy is not { } policy)
            return (null, null);
        if (!policy.NeedsCosignatures)
            return (new Claim(Claim, Standing.NotProven, "the policy asks for no witness"), null);
        try
        {
            var witnessed = PolicyVerifier.Verify(note, policy, key.Keys);
            var names = string.Join(", ", witnessed.Cosignatures.Select(one => $"{one.Witness.Name} at {one.At.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z"));
            return witnessed.IsQuorumMet
                ? (new Claim(Claim, Standing.ProvenOffline, $"cosigned by {names}: the policy's quorum {policy.Quorum} is met"), null)
                : Not($"the policy's quorum {policy.Quorum} is not met: cosigned by {(names.Length == 0 ? "nobody it names" : names)}");
        }
        catch (Exception exception) when (exception is VerificationException or FormatException)
        {
            return Not(exception.Message);
        }

        (Claim, Finding) Not(string what) => (new Claim(Claim, Standing.NotProven, "1 finding"), new Finding(Claim, where, what));
    }
}
