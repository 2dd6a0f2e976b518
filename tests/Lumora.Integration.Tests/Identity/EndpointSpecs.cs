using Lumora.Integration.Tests.Infrastructure;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;

namespace Lumora.Integration.Tests.Identity;

public sealed class EndpointSpecs(AppFixture fixture) : IClassFixture<AppFixture>
{
    /// <summary>The fallback would refuse a stranger anyway; but who may call is a decision, so it is written down.</summary>
    [Fact]
    public void Every_endpoint_declares_who_may_call_it()
    {
        var endpoints = fixture.App.Get<EndpointDataSource>().Endpoints;
        Assert.NotEmpty(endpoints);
        var silent = endpoints
            .Where(endpoint => endpoint.Metadata.GetMetadata<IAuthorizeData>() is null
                && endpoint.Metadata.GetMetadata<AuthorizationPolicy>() is null
                && endpoint.Metadata.GetMetadata<IAllowAnonymous>() is null)
            .Select(endpoint => endpoint.DisplayName);
        Assert.Empty(silent);
    }
}
