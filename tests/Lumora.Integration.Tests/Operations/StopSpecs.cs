using Lumora.Api.Operations;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Lumora.Integration.Tests.Operations;

/// <summary>How a host that is asked to stop ends: what was cut off is no fault of it, what failed is one.</summary>
public sealed class StopSpecs
{
    private static readonly Exception s_cut = new OperationCanceledException("cut off");
    private static readonly Exception s_fault = new InvalidOperationException("failed");

    [Fact]
    public async Task A_host_of_which_one_part_was_cut_off_has_stopped_as_asked() => Assert.Equal(0, await StopAsync(s_cut));

    [Fact]
    public async Task A_host_of_which_several_parts_were_cut_off_has_stopped_as_asked() => Assert.Equal(0, await StopAsync(s_cut, s_cut));

    [Fact]
    public async Task A_part_that_fails_while_the_host_stops_is_a_fault() =>
        Assert.Same(s_fault, await Assert.ThrowsAsync<InvalidOperationException>(() => StopAsync(s_fault)));

    [Fact]
    public async Task A_fault_among_parts_that_were_cut_off_is_a_fault() =>
        await Assert.ThrowsAsync<AggregateException>(() => StopAsync(s_cut, s_fault));

    [Fact]
    public async Task A_start_that_is_cut_off_is_no_stop() =>
        Assert.Same(s_cut, await Assert.ThrowsAsync<OperationCanceledException>(() => ServeAsync(new Part(Start: s_cut, Stop: null))));

    private static Task<int> StopAsync(params Exception[] faults) =>
        ServeAsync([.. faults.Select(fault => new Part(Start: null, fault))]);

    /// <summary>Serves with these parts, and is asked to stop as soon as it runs.</summary>
    private static async Task<int> ServeAsync(params Part[] parts)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration["urls"] = "http://127.0.0.1:0";
        foreach (var part in parts)
            builder.Services.AddSingleton<IHostedService>(part);
        await using var app = builder.Build();
        app.Lifetime.ApplicationStarted.Register(app.Lifetime.StopApplication);
        return await HostCommand.ServeAsync(app, []);
    }

    /// <summary>A part of a host that starts and stops with these faults.</summary>
    private sealed record Part(Exception? Start, Exception? Stop) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Start is null ? Task.CompletedTask : Task.FromException(Start);

        public Task StopAsync(CancellationToken cancellationToken) => Stop is null ? Task.CompletedTask : Task.FromException(Stop);
    }
}
