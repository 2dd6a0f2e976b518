using System.CommandLine;
using Lumora.Chain.Witnesses;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;

namespace Lumora.Cli.Trust;

/// <summary>The option <c>--policy</c>: keys of logs, witnesses and a quorum in the field's own file.</summary>
internal sealed class PinnedPolicy
{
    /// <summary><c>--policy FILE</c>.</summary>
    public Option<string?> Policy { get; } = new("--policy")
    {
        Description = "A C2SP tlog-policy file: the keys of the logs, and whose cosignatures are wanted. Beside --key, its witnesses alone.",
        HelpName = "FILE",
    };

    /// <summary>All keys that the caller has pinned, of whatever logs, with the policy; null when there are none.</summary>
    /// <exception cref="UnableException">A key or the policy cannot be read, or two ways were chosen.</exception>
    public async Task<TrustedKey?> KeysAsync(ParseResult parsed, LogChoice log, ChosenTrust? trust, CancellationToken cancellationToken)
    {
        var policy = await ReadAsync(parsed, cancellationToken);
        var given = await log.GivenAsync(parsed, cancellationToken);
        if (trust is not null)
            return given.Count == 0 && policy is null
                ? new TrustedKey(trust.File.Keys, IsPinned: true, trust)
                : throw new UnableException("give --trust, or --key and --policy, not both.");
        var keys = given.Count > 0 ? given : policy?.LogKeys ?? [];
        return keys.Count > 0
            ? new TrustedKey(keys, IsPinned: true) { Policy = policy }
            : policy is null ? null : throw new UnableException("--policy: it lists no log; give the logs' keys with --key.");
    }

    /// <summary>The keys of the one log that is meant, as <see cref="LogChoice.KeyAsync"/> finds them or the policy lists them.</summary>
    public async Task<TrustedKey> OfLogAsync(
        ParseResult parsed, LogChoice log, ILogSource? source, ChosenTrust? trust, CancellationToken cancellationToken)
    {
        var policy = await ReadAsync(parsed, cancellationToken);
        if (policy is not null && trust is not null)
            throw new UnableException("give --trust or --policy, not both.");
        return policy is { Logs.Count: > 0 } && !log.IsKeyGiven(parsed)
            ? new TrustedKey(LogChoice.OfShard(policy.LogKeys, parsed.GetValue(log.Shard)!, "--policy"), IsPinned: true) { Policy = policy }
            : await log.KeyAsync(parsed, source, cancellationToken, trust) with { Policy = policy };
    }

    private async Task<WitnessPolicy?> ReadAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        if (parsed.GetValue(Policy) is not { } file)
            return null;
        try
        {
            return WitnessPolicy.Parse(await File.ReadAllBytesAsync(file, cancellationToken));
        }
        catch (FormatException exception)
        {
            throw new UnableException($"--policy {file}: {exception.Message}", exception);
        }
    }
}
