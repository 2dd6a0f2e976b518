using Lumora.Chain.Witnesses;

namespace Lumora.Chain.Witnessing;

/// <summary>Who must cosign a checkpoint before it is published; bound to <c>Log:Witness:…</c>.</summary>
public sealed class WitnessOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Log:Witness";

    /// <summary>Path of a C2SP tlog-policy file, in which each witness that is to be asked has its address; unset: no witnesses.</summary>
    public string? Policy { get; set; }

    /// <summary>How long one witness may take, in milliseconds, 50 to 60,000. Default 2,000.</summary>
    public int TimeoutMs { get; set; } = 2_000;

    /// <summary>The longest pause before a witness that failed is asked again, in milliseconds, 100 to 600,000. Default 10,000.</summary>
    public int RetryMsMax { get; set; } = 10_000;

    /// <summary>How long a checkpoint with its quorum waits for the other witnesses, in milliseconds, 0 to 10,000. Default 100.</summary>
    public int GraceMs { get; set; } = 100;

    /// <summary>Reads the policy file; null without one.</summary>
    /// <exception cref="FormatException">It is no policy; the message names the line.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public WitnessPolicy? ReadPolicy() =>
        string.IsNullOrWhiteSpace(Policy) ? null : WitnessPolicy.Parse(File.ReadAllBytes(Policy));

    /// <summary>What is wrong with the settings, naming the key; null when nothing is.</summary>
    public string? Fault()
    {
        if (TimeoutMs is < 50 or > 60_000)
            return "Log:Witness:TimeoutMs must be 50 to 60000.";
        if (RetryMsMax is < 100 or > 600_000)
            return "Log:Witness:RetryMsMax must be 100 to 600000.";
        if (GraceMs is < 0 or > 10_000)
            return "Log:Witness:GraceMs must be 0 to 10000.";
        try
        {
            // A quorum that nobody can be asked for would never be met.
            return ReadPolicy() is { } policy
                && !policy.IsQuorumMet(policy.Witnesses.Where(witness => witness.Url is not null).Select(witness => witness.Name))
                ? $"Log:Witness:Policy {Policy}: the quorum needs witnesses that have no address in it."
                : null;
        }
        catch (Exception exception) when (exception is FormatException or IOException or UnauthorizedAccessException)
        {
            return $"Log:Witness:Policy {Policy}: {exception.Message}";
        }
    }
}
