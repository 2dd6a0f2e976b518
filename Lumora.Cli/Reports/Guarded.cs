using System.CommandLine;
using Lumora.Chain.Solana.Rpc;
using Lumora.Chain.Verification;

namespace Lumora.Cli.Reports;

/// <summary>Runs a command's work and turns what keeps it from working into a message and an exit code.</summary>
internal static class Guarded
{
    public static async Task<int> RunAsync(ParseResult parsed, Func<TextWriter, Task<int>> work)
    {
        var streams = parsed.InvocationConfiguration;
        try
        {
            return await work(streams.Output);
        }
        catch (Exception exception) when (exception is UnableException or HttpRequestException or IOException
            or UnauthorizedAccessException or SolanaException or VerificationException)
        {
            await streams.Error.WriteLineAsync($"lumora {parsed.CommandResult.Command.Name}: {exception.Message}");
            return ExitCodes.Unable;
        }
    }
}
