using System.CommandLine;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Verification;
using Lumora.Chain.Witnesses;
using Lumora.Cli.Reports;
using Lumora.Cli.Trust;

namespace Lumora.Cli.Logs;

/// <summary>A log's key and where it came from.</summary>
/// <param name="Key">The key.</param>
/// <param name="IsPinned">The caller brought it; false when the log itself named it.</param>
/// <param name="Trust">The trust file that it stands in, or null.</param>
internal sealed record TrustedKey(VerifierKey Key, bool IsPinned, ChosenTrust? Trust = null)
{
    /// <summary>Whose cosignatures are wanted, or null.</summary>
    public WitnessPolicy? Policy => Trust?.File.Policy;

    /// <summary>The claims that whoever published is who we think.</summary>
    public IEnumerable<Claim> Claims => Trust is null ? [Claim] : [Trust.Claim, Claim];

    /// <summary>The claim that whoever published is who we think.</summary>
    public Claim Claim => Trust is not null
        ? new Claim("log_key", Trust.Claim.Standing, $"the key {Key} stands in the trust file")
        : IsPinned
        ? new Claim("log_key", Standing.ProvenOffline, $"the key {Key} was given")
        : new Claim(
            "log_key", Standing.NotProven,
            $"the log names its own key {Key}: compare it with one from elsewhere and give it with --key");
}

/// <summary>The options that say which log, shared by the commands.</summary>
internal sealed class LogChoice
{
    /// <summary><c>--server URL</c>.</summary>
    public Option<string?> Server { get; } = new("--server")
    {
        Description = "The host's address, for example http://127.0.0.1:5080.",
        HelpName = "URL",
    };

    /// <summary><c>--shard NAME</c>.</summary>
    public Option<string> Shard { get; } = new("--shard")
    {
        Description = "The shard whose log is meant.",
        HelpName = "NAME",
        DefaultValueFactory = _ => "main",
    };

    /// <summary><c>--key VKEY</c>.</summary>
    public Option<string?> Key { get; } = new("--key")
    {
        Description = "The log's key: a C2SP vkey (name+id+key), or a file that holds one. Without it the log's own word is taken, and the report says so.",
        HelpName = "VKEY|FILE",
    };

    /// <summary><c>--token JWT</c>.</summary>
    public Option<string?> Token { get; } = new("--token")
    {
        Description = "An access token with the role auditor, where the log's entries are not public.",
        HelpName = "JWT",
    };

    /// <summary>Reads <c>--server</c>.</summary>
    public static Uri Address(string text, string option) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            ? uri
            : throw new UnableException($"{option} \"{text}\" is no http or https address.");

    /// <summary>The key that the caller gave, that of the trust file, or else the log's own.</summary>
    public async Task<TrustedKey> KeyAsync(
        ParseResult parsed, ILogSource? source, CancellationToken cancellationToken, ChosenTrust? trust = null)
    {
        if (parsed.GetValue(Key) is { } given)
            return trust is null
                ? new TrustedKey(await ReadKeyAsync(given, "--key", cancellationToken), IsPinned: true)
                : throw new UnableException("give --key or --trust, not both.");
        if (trust is not null)
            return new TrustedKey(await SignerAsync(trust.File.KeysOf(parsed.GetValue(Shard) ?? "main"), source, cancellationToken), IsPinned: true, trust);
        if (source is not null && await source.ReadAsync("key", cancellationToken) is { } own)
            return new TrustedKey(Parse(System.Text.Encoding.UTF8.GetString(own), $"{source.Name}/key"), IsPinned: false);
        throw new UnableException("the log's key is not known: give --key with the vkey that the operator published (GET /log/<shard>/key).");
    }

    /// <summary>A vkey, or that in a file.</summary>
    public static async Task<VerifierKey> ReadKeyAsync(string given, string option, CancellationToken cancellationToken) =>
        Parse(File.Exists(given) ? await File.ReadAllTextAsync(given, cancellationToken) : given, option);

    /// <summary>While a key is being replaced there are two: that which has signed the log's newest checkpoint.</summary>
    private static async Task<VerifierKey> SignerAsync(
        IReadOnlyList<VerifierKey> keys, ILogSource? source, CancellationToken cancellationToken)
    {
        if (keys.Count == 1 || source is null || await source.ReadAsync(LogPublisher.CheckpointPath, cancellationToken) is not { } note)
            return keys[0];
        foreach (var key in keys)
        {
            try
            {
                NoteVerifier.VerifyCheckpoint(note, key);
                return key;
            }
            catch (Exception exception) when (exception is VerificationException or FormatException)
            {
                // The next one may have; if none has, the audit says so of the first.
            }
        }

        return keys[0];
    }

    private static VerifierKey Parse(string text, string where)
    {
        try
        {
            return VerifierKey.Parse(text.Trim());
        }
        catch (FormatException exception)
        {
            throw new UnableException($"{where}: {exception.Message}", exception);
        }
    }
}
