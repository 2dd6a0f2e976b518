using System.Net.Http.Headers;
using Lumora.Api.Identity;
using Lumora.Projections.Participants;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Lumora.Integration.Tests.Infrastructure;

/// <summary>
/// The host as users run it, on a real loopback port, with a database and a state folder of its own. Settings are
/// what <c>--Key value</c> would set; <paramref name="services"/> replaces registrations where a test needs a fault.
/// </summary>
public sealed class LumoraApp(
    string connectionString,
    string? home = null,
    IReadOnlyDictionary<string, string>? settings = null,
    Action<IServiceCollection>? services = null) : WebApplicationFactory<Program>
{
    private readonly bool _ownsHome = home is null;

    /// <summary>The state folder.</summary>
    public string Home { get; } = home ?? Path.Combine(Path.GetTempPath(), $"lumora-home-{Guid.NewGuid():N}");

    /// <summary>Where it listens, for example <c>http://127.0.0.1:41234/</c>.</summary>
    public Uri Address => ClientOptions.BaseAddress;

    /// <summary>Starts the host; safe to call again.</summary>
    public Task StartAsync()
    {
        UseKestrel(port: 0);
        StartServer();
        return Task.CompletedTask;
    }

    /// <summary>A service of the running host.</summary>
    public T Get<T>()
        where T : notnull => Services.GetRequiredService<T>();

    /// <summary>A client of the participant <paramref name="id"/>, with a token of a quarter of an hour ago.</summary>
    public async Task<HttpClient> ExpiredClientAsync(string id, CancellationToken ct)
    {
        var participant = await Get<ParticipantDirectory>().FindAsync(id, ct);
        var (token, _) = Get<AccessTokens>().Issue(participant!, DateTimeOffset.UtcNow.AddMinutes(-16));
        var client = CreateClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (_ownsHome && Directory.Exists(Home))
            Directory.Delete(Home, recursive: true);
    }

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        builder.UseEnvironment("Development");
        builder.UseSetting("ConnectionStrings:Lumora", connectionString);
        builder.UseSetting("Lumora:Home", Home);
        // No chain unless the test brings one: starting it is a matter of its own tests.
        builder.UseSetting("Solana:Embedded", "false");
        // Of a host for itself are 5 s; here several start at once, and their first requests wait for each other's compiler.
        builder.UseSetting("Lumora:GraphQL:Timeout", "00:01:00");
        // Of a host for itself are 1.2 s and 10 s: while several start, one may stand still for longer, and would lose its lease.
        builder.UseSetting("Lumora:Ledger:LeaseTime", "00:00:10");
        builder.UseSetting("Lumora:Ledger:ForwardTimeLimit", "00:01:00");
        foreach (var (key, value) in settings ?? new Dictionary<string, string>())
            builder.UseSetting(key, value);
        if (services is not null)
            builder.ConfigureServices(services);
    }
}
