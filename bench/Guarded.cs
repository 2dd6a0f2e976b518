using Lumora.Api.Operations;
using Npgsql;

namespace Lumora.Bench;

/// <summary>Turns what ends a run into an exit code and a line.</summary>
internal static class Guarded
{
    private const int Failed = 1;
    private const int Unable = 2;

    /// <summary>0 when <paramref name="run"/> says true, 1 when it does not or the measured work was wrong, 2 when it could not be made.</summary>
    public static async Task<int> RunAsync(string command, TextWriter error, Func<Task<bool>> run, CancellationToken ct)
    {
        try
        {
            return await run() ? 0 : Failed;
        }
        catch (BenchException exception)
        {
            await error.WriteLineAsync($"bench {command}: {exception.Message}");
            return Failed;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            await error.WriteLineAsync($"bench {command}: stopped by a signal; what was measured so far is not summed up.");
            return Unable;
        }
        catch (Exception exception) when (exception is StartupException or NpgsqlException or IOException)
        {
            await error.WriteLineAsync($"bench {command}: {exception.Message}");
            return Unable;
        }
    }
}
