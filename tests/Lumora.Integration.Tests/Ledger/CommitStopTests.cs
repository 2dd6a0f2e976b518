using Lumora.Api.Ledger;
using Lumora.Api.Operations;
using Lumora.Projections.Ledger;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lumora.Integration.Tests.Ledger;

/// <summary>Who may have a ledger that stands still; that it does, <c>LedgerKillSpecs</c> shows.</summary>
public sealed class CommitStopTests
{
    [Fact]
    public void A_development_host_that_is_asked_to_has_one()
    {
        var builder = Builder(Environments.Development, "AfterAppend");
        CommitStop.AddTo(builder);
        using var services = builder.Services.BuildServiceProvider();
        Assert.IsType<CommitStop>(services.GetRequiredService<ILedgerProbe>());
    }

    [Theory]
    [InlineData("Development")]
    [InlineData("Production")]
    public void A_host_that_is_not_asked_to_has_none(string environment)
    {
        var builder = Builder(environment, point: null);
        CommitStop.AddTo(builder);
        Assert.DoesNotContain(builder.Services, service => service.ServiceType == typeof(ILedgerProbe));
    }

    [Theory]
    [InlineData("Production")]
    [InlineData("Staging")]
    public void Any_other_host_does_not_start_with_one(string environment) =>
        Assert.Throws<StartupException>(() => CommitStop.AddTo(Builder(environment, "BeforeAppend")));

    private static WebApplicationBuilder Builder(string environment, string? point)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = environment });
        builder.Configuration.AddInMemoryCollection([new($"{CommitStopOptions.Section}:Point", point)]);
        return builder;
    }
}
