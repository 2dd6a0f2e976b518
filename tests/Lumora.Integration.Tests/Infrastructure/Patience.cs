using System.Runtime.CompilerServices;

namespace Lumora.Integration.Tests.Infrastructure;

/// <summary>
/// Waiting for what must come. The limit is far beyond what it takes on a machine that does five other things, so it ends
/// tests that would wait for ever and measures nothing.
/// </summary>
internal static class Patience
{
    /// <summary>How long to wait.</summary>
    public static readonly TimeSpan Time = TimeSpan.FromMinutes(3);

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(20);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Asks until there is an answer.</summary>
    /// <exception cref="TimeoutException">There was none in <see cref="Time"/>; names what was asked.</exception>
    public static async Task<T> ForAsync<T>(Func<Task<T?>> askAsync, [CallerArgumentExpression(nameof(askAsync))] string asked = "")
        where T : class
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        limit.CancelAfter(Time);
        try
        {
            while (true)
            {
                if (await askAsync().WaitAsync(limit.Token) is { } answer)
                    return answer;
                await Task.Delay(s_pause, limit.Token);
            }
        }
        catch (OperationCanceledException late) when (limit.IsCancellationRequested && !Ct.IsCancellationRequested)
        {
            throw new TimeoutException($"Not within {Time}: {asked}", late);
        }
    }

    /// <inheritdoc cref="ForAsync{T}(Func{Task{T}}, string)"/>
    public static Task<T> ForAsync<T>(Func<T?> ask, [CallerArgumentExpression(nameof(ask))] string asked = "")
        where T : class =>
        ForAsync(() => Task.FromResult(ask()), asked);

    /// <summary>Looks until it holds.</summary>
    /// <exception cref="TimeoutException">It did not in <see cref="Time"/>; names what was looked at.</exception>
    public static Task UntilAsync(Func<Task<bool>> holdsAsync, [CallerArgumentExpression(nameof(holdsAsync))] string what = "") =>
        ForAsync(async () => await holdsAsync() ? what : null, what);

    /// <inheritdoc cref="UntilAsync(Func{Task{bool}}, string)"/>
    public static Task UntilAsync(Func<bool> holds, [CallerArgumentExpression(nameof(holds))] string what = "") =>
        ForAsync(() => holds() ? what : null, what);
}
