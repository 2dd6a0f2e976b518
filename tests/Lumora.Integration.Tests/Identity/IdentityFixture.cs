using Lumora.Api.Identity;
using Lumora.Chain.Cryptography;
using Lumora.Integration.Tests.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using SimpleBase;

namespace Lumora.Integration.Tests.Identity;

/// <summary>A host with one steward, one registered node, and an endpoint of each kind beside its own.</summary>
public sealed class IdentityFixture(TestDatabases databases) : IAsyncLifetime
{
    public static readonly TestWallet Steward = new();
    public static readonly byte[] NodeSeed = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];
    public static readonly string NodeId = Base58.Bitcoin.Encode(new Curve25519().Ed25519PublicKey(NodeSeed));

    public LumoraApp App { get; private set; } = null!;

    /// <summary>Where a test that needs a host of its own gets a database.</summary>
    public TestDatabases Databases => databases;

    public async ValueTask InitializeAsync()
    {
        App = new LumoraApp(
            await databases.CreateAsync(),
            settings: new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["Lumora:Stewards:0"] = Steward.Address,
                ["Lumora:Identity:AttemptsPerMinute"] = "1000",
            },
            services: services => services
                .AddSingleton<INodeDirectory, OneNode>()
                .AddSingleton<IStartupFilter, ProbeEndpoints>());
        await App.StartAsync();
    }

    public ValueTask DisposeAsync() => App.DisposeAsync();

    private sealed class OneNode : INodeDirectory
    {
        public ValueTask<bool> IsRegisteredAsync(string nodeId, CancellationToken cancellationToken) => new(nodeId == NodeId);
    }

    /// <summary>One endpoint that says nothing, one for stewards, one for nodes.</summary>
    private sealed class ProbeEndpoints : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            next(app);
            app.UseEndpoints(endpoints =>
            {
                endpoints.MapGet("/probe/undeclared", (HttpContext context) => context.User.ToActor().Id);
                endpoints.MapGet("/probe/steward", (HttpContext context) => context.User.ToActor().Id)
                    .RequireAuthorization(Policies.Steward);
                endpoints.Map("/probe/node", async (HttpContext context) =>
                {
                    using var reader = new StreamReader(context.Request.Body);
                    return $"{context.User.ToActor().NodeId()} {await reader.ReadToEndAsync(context.RequestAborted)}";
                }).RequireAuthorization(Policies.Node);
            });
        };
    }
}
