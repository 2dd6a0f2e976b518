using System.CommandLine;
using Lumora.Chain.Verification;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;

namespace Lumora.Cli.Trust;

/// <summary>A trust file that a command works with.</summary>
/// <param name="File">The file.</param>
/// <param name="Claim">How well it is known whose it is.</param>
internal sealed record ChosenTrust(TrustFile File, Claim Claim);

/// <summary>The options that name a trust file, shared by the commands.</summary>
internal sealed class TrustChoice
{
    private const string ClaimName = "trust_file";

    /// <summary><c>--trust FILE</c>.</summary>
    public Option<string?> Trust { get; } = new("--trust")
    {
        Description = "The operator's trust file: takes the place of --key, --anchor, --genesis and --epoch-seconds.",
        HelpName = "FILE",
    };

    /// <summary><c>--trust-key VKEY</c>.</summary>
    public Option<string?> TrustKey { get; } = new("--trust-key")
    {
        Description = "The key that signs trust files, a vkey or a file that holds one. Without it the file's own word is taken, and the report says so.",
        HelpName = "VKEY|FILE",
    };

    /// <summary>Reads the file that the caller named and checks its signature; null when none was.</summary>
    /// <exception cref="UnableException">It cannot be read, or another key has signed it.</exception>
    public async Task<ChosenTrust?> ReadAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        if (parsed.GetValue(Trust) is not { } path)
            return parsed.GetValue(TrustKey) is null ? null : throw new UnableException("--trust-key needs --trust FILE.");
        var file = await ReadAsync(path, cancellationToken);
        if (parsed.GetValue(TrustKey) is not { } given)
            return new ChosenTrust(file, new Claim(
                ClaimName, Standing.NotProven, $"{path} says that it is of {file.Note.Signatures[0].KeyName}: compare its key with one from elsewhere and give it with --trust-key"));
        var key = await LogChoice.ReadKeyAsync(given, "--trust-key", cancellationToken);
        try
        {
            file.Verify(key);
        }
        catch (VerificationException exception)
        {
            throw new UnableException($"{path} is not signed by {key}: {exception.Message}", exception);
        }

        return new ChosenTrust(file, new Claim(ClaimName, Standing.ProvenOffline, $"{path}, signed by {key}"));
    }

    /// <summary>Reads a trust file.</summary>
    /// <exception cref="UnableException">It is none.</exception>
    public static async Task<TrustFile> ReadAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            return TrustFile.Parse(await File.ReadAllBytesAsync(path, cancellationToken));
        }
        catch (FormatException exception)
        {
            throw new UnableException($"{path}: {exception.Message}", exception);
        }
    }
}
