using System.Globalization;
using System.Text;
using Lumora.Chain.Notes;

namespace Lumora.Chain.Witnesses;

/// <summary>A log that a policy accepts.</summary>
/// <param name="Key">Its key; the key's name is the origin of its checkpoints.</param>
/// <param name="Url">Where it is, or null.</param>
public sealed record PolicyLog(VerifierKey Key, Uri? Url);

/// <summary>A witness of a policy.</summary>
/// <param name="Name">What the policy calls it; no other place knows this name.</param>
/// <param name="Key">Its key: Ed25519 (cosignature/v1) or ML-DSA-44 (subtree/v1).</param>
/// <param name="Url">Where checkpoints are submitted to it (tlog-witness: the submission prefix), or null.</param>
public sealed record PolicyWitness(string Name, VerifierKey Key, Uri? Url);

/// <summary>Witnesses or groups, of which some are enough.</summary>
/// <param name="Name">What the policy calls it.</param>
/// <param name="Threshold">How many members must have witnessed, 1 to their number.</param>
/// <param name="Members">Names of witnesses and of groups that are defined before it.</param>
public sealed record PolicyGroup(string Name, int Threshold, IReadOnlyList<string> Members);

/// <summary>
/// Which logs are known and whose cosignatures make their checkpoints valid: a C2SP tlog-policy file. What the file says
/// is in one place only here, so that host, witness, auditor and offline verifier cannot read it differently.
/// </summary>
public sealed class WitnessPolicy
{
    /// <summary>The name that asks for no cosignature at all.</summary>
    public const string None = "none";

    /// <summary>The longest file that is read: room for as many witnesses as are read, with keys of ML-DSA-44 (1,752 characters each).</summary>
    public const int BytesMax = 524_288;

    /// <summary>Logs, witnesses and groups that are read, of each; the specification asks for 32 at least.</summary>
    public const int EntriesMax = 128;

    private readonly Dictionary<string, PolicyGroup> _groups;

    internal WitnessPolicy(
        IReadOnlyList<PolicyLog> logs, IReadOnlyList<PolicyWitness> witnesses, IReadOnlyList<PolicyGroup> groups, string quorum)
    {
        (Logs, Witnesses, Groups, Quorum) = (logs, witnesses, groups, quorum);
        _groups = groups.ToDictionary(group => group.Name, StringComparer.Ordinal);
    }

    /// <summary>The logs, in the order of the file.</summary>
    public IReadOnlyList<PolicyLog> Logs { get; }

    /// <summary>The witnesses, in the order of the file.</summary>
    public IReadOnlyList<PolicyWitness> Witnesses { get; }

    /// <summary>The groups, in the order of the file: each names only what stands before it.</summary>
    public IReadOnlyList<PolicyGroup> Groups { get; }

    /// <summary>The witness or group that must have witnessed a checkpoint; <see cref="None"/>: nobody.</summary>
    public string Quorum { get; }

    /// <summary>False for <c>quorum none</c>.</summary>
    public bool NeedsCosignatures => Quorum != None;

    /// <summary>The keys of the logs.</summary>
    public IReadOnlyList<VerifierKey> LogKeys => [.. Logs.Select(log => log.Key)];

    /// <summary>The keys of the witnesses.</summary>
    public IReadOnlyList<VerifierKey> WitnessKeys => [.. Witnesses.Select(witness => witness.Key)];

    /// <summary>A policy that knows <paramref name="logs"/> and asks for no cosignature.</summary>
    public static WitnessPolicy OfLogs(IEnumerable<VerifierKey> logs) => new([.. logs.Select(key => new PolicyLog(key, Url: null))], [], [], None);

    /// <summary>This policy's witnesses and quorum for <paramref name="logs"/>, without the addresses of any.</summary>
    public WitnessPolicy For(IEnumerable<VerifierKey> logs) => new(
        [.. logs.Select(key => new PolicyLog(key, Url: null))], [.. Witnesses.Select(witness => witness with { Url = null })], Groups, Quorum);

    /// <summary>Reads a policy file.</summary>
    /// <exception cref="FormatException">It is none; the message names the line.</exception>
    public static WitnessPolicy Parse(ReadOnlySpan<byte> bytes) => PolicyReader.Read(bytes);

    /// <summary>Whether a checkpoint that <paramref name="witnesses"/> (names of this policy) have cosigned is valid.</summary>
    public bool IsQuorumMet(IEnumerable<string> witnesses)
    {
        var cosigned = witnesses.Where(name => !_groups.ContainsKey(name)).ToHashSet(StringComparer.Ordinal);
        return !NeedsCosignatures || HasWitnessed(Quorum, cosigned);
    }

    /// <summary>The policy as a file, in one spelling and without comments.</summary>
    public string ToText()
    {
        var text = new StringBuilder();
        foreach (var log in Logs)
            text.Append(CultureInfo.InvariantCulture, $"log {log.Key}{Suffix(log.Url)}\n");
        foreach (var witness in Witnesses)
            text.Append(CultureInfo.InvariantCulture, $"witness {witness.Name} {witness.Key}{Suffix(witness.Url)}\n");
        foreach (var group in Groups)
            text.Append(CultureInfo.InvariantCulture, $"group {group.Name} {group.Threshold} {string.Join(' ', group.Members)}\n");
        return text.Append(CultureInfo.InvariantCulture, $"quorum {Quorum}\n").ToString();
    }

    // The depth is bounded: a group names only groups before it.
    private bool HasWitnessed(string name, HashSet<string> cosigned) =>
        _groups.TryGetValue(name, out var group)
            ? group.Members.Count(member => HasWitnessed(member, cosigned)) >= group.Threshold
            : cosigned.Contains(name);

    private static string Suffix(Uri? url) => url is null ? "" : $" {url.OriginalString}";
}
