using Lumora.Resilience.Tests.Infrastructure;
using Npgsql;

namespace Lumora.Resilience.Tests.Hosting;

public sealed class HostLifetimeSpecs : IAsyncLifetime
{
    private readonly HomeFolder _home = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _home.DisposeAsync();

    [Fact]
    public async Task After_SIGTERM_the_host_ends_with_0_and_no_process_that_it_started_is_left()
    {
        await using var host = await HostProcess.StartAsync(_home.Path);
        Assert.NotEmpty(_home.Processes());

        await host.StopAsync();

        Assert.Empty(_home.Processes());
    }

    [Fact]
    public async Task After_kill_9_the_next_start_serves_again_and_stops_cleanly()
    {
        await using (var killed = await HostProcess.StartAsync(_home.Path))
            await killed.KillAsync();

        await using var next = await HostProcess.StartAsync(_home.Path);
        await next.StopAsync();

        Assert.Empty(_home.Processes());
    }

    [Theory]
    [InlineData(300)]
    [InlineData(900)]
    [InlineData(1_800)]
    public async Task A_host_killed_in_the_middle_of_its_first_start_does_not_block_the_next(int afterMs)
    {
        await using (var killed = HostProcess.Launch(_home.Path))
        {
            await Task.Delay(afterMs, TestContext.Current.CancellationToken);
            await killed.KillAsync();
        }

        await using var next = await HostProcess.StartAsync(_home.Path);
        await next.StopAsync();
    }

    [Fact]
    public async Task A_killed_database_recovers_with_the_next_start()
    {
        await using (var host = await HostProcess.StartAsync(_home.Path))
        {
            var postmaster = _home.Processes().Single(line => line.Contains("-D", StringComparison.Ordinal));
            using var kill = System.Diagnostics.Process.Start("kill", ["-KILL", postmaster.Split(':')[0]]);
            await host.KillAsync();
        }

        await using var next = await HostProcess.StartAsync(_home.Path);
        await next.StopAsync();
    }

    [Fact]
    public async Task A_killed_database_is_started_again_under_the_host_that_lives_on()
    {
        await using var host = await HostProcess.StartAsync(_home.Path);
        await _home.KillDatabaseAsync();

        await host.PrintedAsync("PostgreSQL runs again");
        await host.ReadyAsync();
        await host.StopAsync();
        Assert.Empty(_home.Processes());
    }

    [Fact]
    public async Task A_second_host_on_the_same_folder_shares_the_database_and_outlives_the_first()
    {
        await using var first = await HostProcess.StartAsync(_home.Path);
        await using var second = await HostProcess.StartAsync(_home.Path);

        await first.StopAsync();
        await second.ReadyAsync();

        await second.StopAsync();
        Assert.Empty(_home.Processes());
    }

    [Fact]
    public async Task A_database_that_does_not_answer_is_named_in_one_line_and_ends_the_host_with_1()
    {
        var unreachable = new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = 9,
            Username = "nobody",
            Password = "secret-word",
            Database = "none",
            Timeout = 2,
        };
        await using var host = HostProcess.Launch(
            _home.Path, "--ConnectionStrings:Lumora", unreachable.ConnectionString);

        Assert.Equal(1, await host.ExitedAsync());
        Assert.Contains("ConnectionStrings:Lumora", host.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-word", host.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_witness_policy_that_is_none_is_named_with_its_line_and_ends_the_host_with_1()
    {
        Directory.CreateDirectory(_home.Path);
        var policy = Path.Combine(_home.Path, "policy");
        await File.WriteAllTextAsync(policy, "# nobody\nquorum w1\n", TestContext.Current.CancellationToken);
        await using var host = HostProcess.Launch(_home.Path, "--Log:Witness:Policy", policy);

        Assert.Equal(1, await host.ExitedAsync());
        Assert.Contains("line 2: no witness and no group w1", host.Output, StringComparison.Ordinal);
    }
}
