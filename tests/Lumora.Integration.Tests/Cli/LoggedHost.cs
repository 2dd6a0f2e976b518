using System.CommandLine;
using Lumora.Chain.Log;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;

namespace Lumora.Integration.Tests.Cli;

/// <summary>A host with enough published ledger events for a full tile and an upper level, and what a command said.</summary>
public sealed class LoggedHost(TestDatabases databases) : IAsyncLifetime
{
    private const int Transactions = 300;

    private readonly List<string> _folders = [];

    public LumoraApp App { get; private set; } = null!;

    /// <summary>The host's address without a final slash.</summary>
    public string Server => App.Address.AbsoluteUri.TrimEnd('/');

    public ShardLog Log => App.Get<ShardLogs>().Find(ShardMap.DefaultShard)!;

    public string Key => Log.Key.ToString();

    public long Size => App.Get<ShardLogs>().Latest(ShardMap.DefaultShard)!.Checkpoint.Size;

    public async ValueTask InitializeAsync()
    {
        App = new LumoraApp(await databases.CreateAsync());
        await App.StartAsync();
        var ledger = App.Get<ILedgers>().For(ShardRole.Global);
        var outcomes = await Task.WhenAll(Enumerable.Range(1, Transactions).Select(i => ledger.SubmitAsync(
            new LedgerRequest(
                Actor.System("test"), $"emission-{i}",
                new PostTransaction("emission", [new Posting(ChartOfAccounts.Emission, ChartOfAccounts.Rewards, new Amount(i))])),
            CancellationToken.None)));
        Assert.All(outcomes, outcome => Assert.IsType<LedgerOutcome.Posted>(outcome));
        using var limit = new CancellationTokenSource(Patience.Time);
        await App.Get<ShardLogs>().WaitForLargerAsync(ShardMap.DefaultShard, await EventsAsync() - 1, limit.Token);
    }

    /// <summary>A copy of the log's files that a test may spoil.</summary>
    public string CopyOfLog()
    {
        var copy = NewFolder();
        var source = Path.Combine(App.Home, "log", ShardMap.DefaultShard);
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(copy, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        return copy;
    }

    public string NewFolder()
    {
        var folder = Path.Combine(Path.GetTempPath(), $"lumora-cli-{Guid.NewGuid():N}");
        Directory.CreateDirectory(folder);
        _folders.Add(folder);
        return folder;
    }

    /// <summary>The id of the event at <paramref name="index"/> of the log.</summary>
    public async Task<Guid> EventAtAsync(long index) => await QueryAsync<Guid>($"select event_id from log_leaves where leaf_index = {index}");

    public async Task<T> QueryAsync<T>(string sql)
    {
        await using var command = App.Get<ShardSessions>().DataSource(ShardRole.Global).CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Changes one byte of a file.</summary>
    public static void Flip(string file, int at)
    {
        var bytes = File.ReadAllBytes(file);
        bytes[at] ^= 1;
        File.WriteAllBytes(file, bytes);
    }

    public static async Task<Said> RunAsync(Command command, params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await command.Parse(arguments).InvokeAsync(
            new InvocationConfiguration { Output = output, Error = error }, TestContext.Current.CancellationToken);
        return new Said(code, output.ToString(), error.ToString());
    }

    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        foreach (var folder in _folders)
            Directory.Delete(folder, recursive: true);
    }

    private Task<long> EventsAsync() => QueryAsync<long>("select count(*) from mt_events");
}

/// <summary>What a command answered.</summary>
public sealed record Said(int ExitCode, string Output, string Error)
{
    public override string ToString() => $"exit {ExitCode}\n{Output}{Error}";

    /// <summary>Asserts the exit code and that one line holds all of <paramref name="parts"/>.</summary>
    public void Must(int exitCode, params string[] parts)
    {
        Assert.True(ExitCode == exitCode, ToString());
        Assert.True(
            $"{Output}{Error}".Split('\n').Any(line => parts.All(part => line.Contains(part, StringComparison.Ordinal))), ToString());
    }

    /// <summary>Asserts that <paramref name="part"/> was not said.</summary>
    public void MustNot(string part) => Assert.False($"{Output}{Error}".Contains(part, StringComparison.Ordinal), ToString());
}
