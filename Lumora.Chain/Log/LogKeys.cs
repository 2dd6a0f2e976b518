using System.Globalization;
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
    private const int InstallationIdBytes = 8;
    private const string KnownSuffix = ".vkey";

    /// <summary>The signer of <paramref name="shard"/>'s log; its key is made at the first start.</summary>
    public static LogSigner Open(LumoraHome home, LogOptions options, string shard)
    {
        var origin = $"{Origin(home, options)}/{shard}";
        var current = Read(home, $"log-{shard}.key", origin);
        var next = options.KeyOverlap ? Read(home, $"log-{shard}.next.key", origin) : null;
        Remember(home, shard, current.Verifier);
        if (next is not null)
            Remember(home, shard, next.Verifier);
        return new LogSigner(current, next, Known(home.Path, shard, origin));
    }

    /// <summary>
    /// The keys that have signed the log <paramref name="origin"/> of <paramref name="shard"/> so far, of the home in the folder
    /// <paramref name="home"/>: each is a file <c>keys/log-&lt;shard&gt;.&lt;key id&gt;.vkey</c>.
    /// </summary>
    /// <exception cref="InvalidOperationException">A file holds no vkey.</exception>
    public static IReadOnlyList<VerifierKey> Known(string home, string shard, string origin)
    {
        var folder = Path.Combine(home, "keys");
        var files = Directory.Exists(folder) ? Directory.GetFiles(folder, $"log-{shard}.*{KnownSuffix}") : [];
        return [.. files.Order(StringComparer.Ordinal).Select(Parse).Where(key => key.Name == origin)];

        static VerifierKey Parse(string file)
        {
            try
            {
                return VerifierKey.Parse(File.ReadAllText(file).Trim());
            }
            catch (FormatException exception)
            {
                throw new InvalidOperationException($"{file} holds no log key: {exception.Message}", exception);
            }
        }
    }

    // Public, but in the keys' folder and with their mode: whoever keeps the keys keeps these with them.
    private static void Remember(LumoraHome home, string shard, VerifierKey key)
    {
        var file = Path.Combine(home.Keys, string.Create(CultureInfo.InvariantCulture, $"log-{shard}.{key.Id:x8}{KnownSuffix}"));
        try
        {
            if (!File.Exists(file))
                SecretFile.TryCreate(file, System.Text.Encoding.UTF8.GetBytes($"{key}\n"));
        }
        catch (UnauthorizedAccessException)
        {
            // A folder of keys that the host may only read: whoever replaces the key there puts the old one's file beside it.
        }
        catch (IOException) when (!File.Exists(file))
        {
            // The same, of a file system that is mounted for reading.
        }
    }

    private static NoteSigner Read(LumoraHome home, string name, string origin)
    {
        return new NoteSigner(origin, SignatureKind.Ed25519, NoteSeed.ReadOrCreate(Path.Combine(home.Keys, name)));
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
