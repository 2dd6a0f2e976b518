using System.Security.Cryptography;
using Lumora.Chain.Notes;
using Lumora.Projections.Hosting;

namespace Lumora.Chain.Log;

/// <summary>Settings of the transparency log, under <c>Log</c>.</summary>
public sealed class LogOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Log";

    /// <summary>
    /// <c>Log:Origin</c>: the operator's domain, the first part of every log's name; without it
    /// <c>lumora.invalid/&lt;installation id&gt;</c>. It must never change once a checkpoint is published.
    /// </summary>
    public string? Origin { get; set; }

    /// <summary><c>Log:Access</c>: <c>public</c>, or <c>auditors</c> when bundles and export need that role.</summary>
    public LogAccess Access { get; set; } = LogAccess.Public;

    /// <summary>
    /// <c>Log:KeyOverlap</c>: every checkpoint is signed with the next key too, <c>keys/log-&lt;shard&gt;.next.key</c>, which is made when it is
    /// not there. How keys are replaced: docs/log.md. Default false.
    /// </summary>
    public bool KeyOverlap { get; set; }
}

/// <summary>Who may read entries and export. Checkpoints, hash tiles and proofs are always public.</summary>
public enum LogAccess
{
    /// <summary>Everybody.</summary>
    Public,

    /// <summary>Who has the role auditor.</summary>
    Auditors,
}

/// <summary>The signing keys of the logs: one Ed25519 seed for each shard, under the home's <c>keys</c>.</summary>
public static class LogKeys
{
    private const int SeedBytes = 32;
    private const int InstallationIdBytes = 8;

    /// <summary>The signer of <paramref name="shard"/>'s log; its key is made at the first start.</summary>
    public static LogSigner Open(LumoraHome home, LogOptions options, string shard)
    {
        var origin = $"{Origin(home, options)}/{shard}";
        var current = Read(home, $"log-{shard}.key", origin);
        return new LogSigner(current, options.KeyOverlap ? Read(home, $"log-{shard}.next.key", origin) : null);
    }

    private static NoteSigner Read(LumoraHome home, string name, string origin)
    {
        var file = Path.Combine(home.Keys, name);
        var seed = SecretFile.ReadOrCreate(file, () => RandomNumberGenerator.GetBytes(SeedBytes));
        if (seed.Length != SeedBytes)
            throw new InvalidOperationException($"The log key file {file} does not hold {SeedBytes} bytes.");
        return new NoteSigner(origin, SignatureKind.Ed25519, seed);
    }

    private static string Origin(LumoraHome home, LogOptions options)
    {
        if (options.Origin is { Length: > 0 } origin)
        {
            return VerifierKey.IsName(origin) && !origin.EndsWith('/') && !origin.Contains("://", StringComparison.Ordinal)
                ? origin
                : throw new InvalidOperationException(
                    $"Log:Origin \"{origin}\" is no log name: give a domain, with a path if you like, without https:// and spaces.");
        }

        var id = SecretFile.ReadOrCreate(
            Path.Combine(home.Path, "installation-id"),
            () => System.Text.Encoding.ASCII.GetBytes(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(InstallationIdBytes))));
        return $"lumora.invalid/{System.Text.Encoding.ASCII.GetString(id).Trim()}";
    }
}
