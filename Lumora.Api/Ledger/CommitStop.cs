using Lumora.Api.Operations;
using Lumora.Projections.Ledger;

namespace Lumora.Api.Ledger;

/// <summary>Where a development host's ledger stands still (<c>Lumora:Development:LedgerStop</c>).</summary>
internal sealed class CommitStopOptions
{
    public const string Section = "Lumora:Development:LedgerStop";

    /// <summary>The point of a commit; unset = it never stops.</summary>
    public CommitPoint? Point { get; set; }

    /// <summary>It stops while this file is there; unset = at the first commit, for good.</summary>
    public string? WhenFile { get; set; }
}

/// <summary>
/// Makes a development host's ledger stand still at a point of a commit, with a line in its log, until the host ends or is told to
/// go on: whoever tests crashes kills the process, or its database, exactly there.
/// </summary>
internal sealed partial class CommitStop(CommitStopOptions options, ILogger<CommitStop> logger) : ILedgerProbe
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);

    /// <summary>Registers it where the configuration asks for it.</summary>
    /// <exception cref="StartupException">It is asked for and this is no development host.</exception>
    public static void AddTo(WebApplicationBuilder builder)
    {
        var options = builder.Configuration.GetSection(CommitStopOptions.Section).Get<CommitStopOptions>();
        if (options?.Point is null)
            return;
        if (!builder.Environment.IsDevelopment())
            throw new StartupException($"{CommitStopOptions.Section} stops the ledger: remove it, or run in Development.");
        builder.Services.AddSingleton(options).AddSingleton<ILedgerProbe, CommitStop>();
    }

    /// <inheritdoc/>
    public async ValueTask ReachedAsync(CommitPoint point, int backend, CancellationToken ct)
    {
        if (point != options.Point || (options.WhenFile is { } file && !File.Exists(file)))
            return;
        LogStopped(point);
        do
            await Task.Delay(LookEvery, ct);
        while (options.WhenFile is null || File.Exists(options.WhenFile));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The ledger stands still at {Point}.")]
    private partial void LogStopped(CommitPoint point);
}
