using Lumora.Node.Limits;
using Microsoft.Extensions.Time.Testing;

namespace Lumora.Integration.Tests.Nodes;

public sealed class ByteBudgetTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lumora-budget-").FullName;
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 1, 31, 23, 0, 0, TimeSpan.Zero));

    private string File => Path.Combine(_folder, "usage.json");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_days_bytes_survive_a_restart_and_end_with_the_day()
    {
        var budget = new ByteBudget(File, 1000, null, _clock);
        await budget.SpendAsync(400, TestContext.Current.CancellationToken);
        budget.Save();

        var restarted = new ByteBudget(File, 1000, null, _clock);
        Assert.Equal(600, restarted.Left);
        restarted.CloseDay();
        Assert.Equal(0, new ByteBudget(File, 1000, null, _clock).Left);
        Assert.Equal(TimeSpan.FromHours(1), restarted.UntilTomorrow);

        _clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(1000, restarted.Left);
    }

    [Fact]
    public void The_rate_is_kept_by_waiting()
    {
        var budget = new ByteBudget(File, null, 1000, _clock);
        var spent = budget.SpendAsync(2500, TestContext.Current.CancellationToken);

        _clock.Advance(TimeSpan.FromMilliseconds(2499));
        Assert.False(spent.IsCompleted);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(spent.IsCompleted);
    }

    [Fact]
    public void A_torn_file_counts_as_none()
    {
        System.IO.File.WriteAllText(File, "{\"date\":");
        Assert.Equal(1000, new ByteBudget(File, 1000, null, _clock).Left);
    }
}
