using System.Diagnostics;
using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using Lumora.Resilience.Tests.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

[assembly: HostingStartup(typeof(LedgerDoor))]

namespace Lumora.Resilience.Tests.Infrastructure;

/// <summary>
/// Lets a test be a caller inside a host process: what comes to <see cref="Path"/> is submitted to the host's own
/// <see cref="ILedgers"/>, as its slices do. The host is the real one; ASP.NET Core adds this to it from outside.
/// </summary>
public sealed class LedgerDoor : IHostingStartup, IStartupFilter
{
    private const string Path = "/test/ledger";

    /// <summary>Makes the host of <paramref name="start"/> load this assembly.</summary>
    public static void AddTo(ProcessStartInfo start)
    {
        var name = typeof(LedgerDoor).Assembly.GetName().Name!;
        start.Environment["ASPNETCORE_HOSTINGSTARTUPASSEMBLIES"] = name;
        foreach (var argument in (string[])["exec", "--depsfile", $"{name}.deps.json", "--runtimeconfig", "Lumora.Api.runtimeconfig.json"])
            start.ArgumentList.Add(argument);
    }

    /// <summary>Submits inside a host; null when its ledger says that the outcome is unknown.</summary>
    /// <exception cref="HttpRequestException">The host is gone.</exception>
    /// <exception cref="IOException">The host went while it answered.</exception>
    public static async Task<LedgerOutcome?> AskAsync(HttpClient host, LedgerRequest request, CancellationToken ct)
    {
        using var content = new ByteArrayContent(LedgerWire.Encode([request]));
        using var response = await host.PostAsync(Path, content, ct);
        response.EnsureSuccessStatusCode();
        return LedgerWire.DecodeOutcomes(await response.Content.ReadAsByteArrayAsync(ct))?.Single();
    }

    /// <summary>Submits what has to take effect.</summary>
    public static async Task PostAsync(HttpClient host, LedgerRequest request, CancellationToken ct) =>
        Assert.IsType<LedgerOutcome.Posted>(await AskAsync(host, request, ct));

    public void Configure(IWebHostBuilder builder) =>
        builder.ConfigureServices(services => services.AddSingleton<IStartupFilter>(this));

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Map(Path, door => door.Run(AnswerAsync));
        next(app);
    };

    private static async Task AnswerAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        var request = LedgerWire.DecodeRequests(body.ToArray())[0];
        IReadOnlyList<LedgerOutcome>? outcomes = null;
        try
        {
            var ledger = http.RequestServices.GetRequiredService<ILedgers>().For(ShardRole.Global);
            outcomes = [await ledger.SubmitAsync(request, http.RequestAborted)];
        }
        catch (LedgerUnavailableException)
        {
            // Unknown.
        }

        await http.Response.BodyWriter.WriteAsync(LedgerWire.Encode(outcomes), http.RequestAborted);
    }
}
