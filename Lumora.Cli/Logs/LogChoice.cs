using System.CommandLine;
using System.Text;
using Lumora.Chain.Notes;
using Lumora.Cli.Reports;
using Lumora.Cli.Trust;
using Lumora.Projections.Hosting;

namespace Lumora.Cli.Logs;

/// <summary>The options that say which log, shared by the commands.</summary>
internal sealed class LogChoice
{
    private const string TokenVariable = "LUMORA_TOKEN";

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

    /// <summary><c>--key VKEY</c>, once or several times.</summary>
    public Option<string[]> Key { get; } = new("--key")
    {
        Description = "The log's key: a C2SP vkey (name+id+key), or a file that holds vkeys, one a line. May be given several times: both keys while one is being replaced, and earlier ones for what they have anchored. Without it the log's own word is taken, and the report says so.",
        HelpName = "VKEY|FILE",
    };

    /// <summary><c>--token JWT</c>.</summary>
    public Option<string?> Token { get; } = new("--token")
    {
        Description = $"An access token, or a file that holds one and is its owner's alone (mode 0600). Default: {TokenVariable}. Of anybody who is signed in: audit compares the network's balances and the caller's own. With the role auditor: where the log's entries are not public. On the command line others on this machine can see it.",
        HelpName = "FILE|JWT",
    };

    /// <summary>Reads <c>--server</c>.</summary>
    public static Uri Address(string text, string option) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            ? uri
            : throw new UnableException($"{option} \"{text}\" is no http or https address.");

    /// <summary>The access token that the caller gave, or null.</summary>
    /// <exception cref="UnableException">The file that was named is others' to read, or holds none.</exception>
    public string? TokenOf(ParseResult parsed)
    {
        var given = parsed.GetValue(Token) ?? Environment.GetEnvironmentVariable(TokenVariable);
        if (string.IsNullOrEmpty(given))
            return null;
        try
        {
            var token = File.Exists(given) ? Encoding.UTF8.GetString(SecretFile.Read(given)).Trim() : given;
            // What is no token would not even make a header.
            return token.Length > 0 && token.All(c => c is > ' ' and <= '~') ? token : throw new UnableException("--token: that is no access token.");
        }
        catch (InvalidOperationException exception)
        {
            throw new UnableException($"--token: {exception.Message}", exception);
        }
    }

    /// <summary>Whether the caller brought keys.</summary>
    public bool IsKeyGiven(ParseResult parsed) => parsed.GetValue(Key) is { Length: > 0 };

    /// <summary>The keys of the one log that is meant: those that the caller gave, those of the trust file, or else the log's own.</summary>
    public async Task<TrustedKey> KeyAsync(
        ParseResult parsed, ILogSource? source, CancellationToken cancellationToken, ChosenTrust? trust = null)
    {
        var shard = parsed.GetValue(Shard) ?? "main";
        if (IsKeyGiven(parsed))
            return trust is null
                ? new TrustedKey(OfShard(await GivenAsync(parsed, cancellationToken), shard, "--key"), IsPinned: true)
                : throw new UnableException("give --key or --trust, not both.");
        if (trust is not null)
            return new TrustedKey(trust.File.KeysOf(shard), IsPinned: true, trust);
        if (source is not null && await OwnAsync(source, cancellationToken) is { } own)
            return new TrustedKey(own, IsPinned: false);
        throw new UnableException("the log's key is not known: give --key with the vkey that the operator published (GET /log/<shard>/key).");
    }

    /// <summary>All keys that the caller gave, whatever logs they are of.</summary>
    public async Task<IReadOnlyList<VerifierKey>> GivenAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var keys = new List<VerifierKey>();
        foreach (var given in parsed.GetValue(Key) ?? [])
            keys.AddRange(Lines(File.Exists(given) ? await File.ReadAllTextAsync(given, cancellationToken) : given, "--key"));
        return [.. keys.Distinct()];
    }

    /// <summary>The keys that a log names itself, or null when it names none.</summary>
    public static async Task<IReadOnlyList<VerifierKey>?> OwnAsync(ILogSource source, CancellationToken cancellationToken)
    {
        foreach (var path in (string[])["keys", "key"])
            if (await source.ReadAsync(path, cancellationToken) is { } own)
                return Lines(Encoding.UTF8.GetString(own), $"{source.Name}/{path}");
        return null;
    }

    /// <summary>Of the keys of several logs, those of one: a log's name ends with its shard.</summary>
    /// <exception cref="UnableException">None are, or those of two.</exception>
    public static IReadOnlyList<VerifierKey> OfShard(IReadOnlyList<VerifierKey> keys, string shard, string option)
    {
        var names = keys.Select(key => key.Name).Distinct(StringComparer.Ordinal).ToList();
        if (names.Count == 1)
            return keys;
        var own = keys.Where(key => key.Name.EndsWith($"/{shard}", StringComparison.Ordinal)).ToList();
        return own.Select(key => key.Name).Distinct(StringComparer.Ordinal).Count() == 1
            ? own
            : throw new UnableException($"{option}: of the keys of {string.Join(", ", names)}, those of one log must be of the shard {shard}.");
    }

    /// <summary>Keys by the shard that their names end with.</summary>
    public static ILookup<string, VerifierKey> ByShard(IEnumerable<VerifierKey> keys) =>
        keys.ToLookup(key => key.Name[(key.Name.LastIndexOf('/') + 1)..], StringComparer.Ordinal);

    /// <summary>A vkey, or that in a file.</summary>
    public static async Task<VerifierKey> ReadKeyAsync(string given, string option, CancellationToken cancellationToken) =>
        Parse(File.Exists(given) ? await File.ReadAllTextAsync(given, cancellationToken) : given, option);

    private static List<VerifierKey> Lines(string text, string where)
    {
        var lines = text.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0).ToList();
        return lines.Count > 0 ? [.. lines.Select(line => Parse(line, where))] : [Parse(text, where)];
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
