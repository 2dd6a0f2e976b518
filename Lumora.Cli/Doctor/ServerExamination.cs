using System.Text.Json;

namespace Lumora.Cli.Doctor;

/// <summary>Asks a running host how it is (<c>/healthz</c>, <c>/readyz</c>).</summary>
internal static class ServerExamination
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Examines the host at <paramref name="server"/>; the first diagnosis fails when nobody answers.</summary>
    public static async Task<IReadOnlyList<Diagnosis>> ExamineAsync(Uri server, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { BaseAddress = server, Timeout = Patience };
        try
        {
            using var alive = await http.GetAsync(new Uri("/healthz", UriKind.Relative), cancellationToken);
            if (!alive.IsSuccessStatusCode)
                return [new Diagnosis("server", Health.Fail, $"{server}healthz answered {(int)alive.StatusCode}", "is this address a Lumora host?")];
            using var ready = await http.GetAsync(new Uri("/readyz", UriKind.Relative), cancellationToken);
            using var report = await JsonDocument.ParseAsync(await ready.Content.ReadAsStreamAsync(cancellationToken), cancellationToken: cancellationToken);
            return [new Diagnosis("server", Health.Ok, $"{server} answers"), .. Checks(report.RootElement)];
        }
        catch (HttpRequestException exception)
        {
            return [new Diagnosis("server", Health.Fail, $"{server} does not answer: {exception.Message}", "start the host (dotnet run --project Lumora.Api), or give its address with --server")];
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return [new Diagnosis("server", Health.Fail, $"{server} does not answer within {Patience.TotalSeconds:0} s", "look at the host's log; a first start installs its database and may take minutes")];
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return [new Diagnosis("server", Health.Fail, $"{server}readyz is no health report", "is this address a Lumora host?")];
        }
    }

    private static List<Diagnosis> Checks(JsonElement report)
    {
        var diagnoses = new List<Diagnosis>();
        foreach (var check in report.GetProperty("checks").EnumerateObject())
        {
            var detail = check.Value.TryGetProperty("detail", out var text) ? text.GetString() : null;
            var health = check.Value.GetProperty("status").GetString() switch
            {
                "healthy" => Health.Ok,
                "degraded" => Health.Warn,
                _ => Health.Fail,
            };
            diagnoses.Add(new Diagnosis(
                check.Name, health, (detail ?? (health == Health.Ok ? "the host says that it is well" : "the host says that it is not well")) + Endpoint(check.Value),
                health == Health.Ok ? null : RemedyOf(check.Name)));
        }

        if (diagnoses.All(diagnosis => diagnosis.Area != "database"))
            diagnoses.Add(new Diagnosis("database", Health.Warn, "the host does not report on its database", "the host is older than this command"));
        return diagnoses;
    }

    /// <summary>The chain's check names the RPC server, which <c>--rpc</c> of the other commands takes.</summary>
    private static string Endpoint(JsonElement check) =>
        check.TryGetProperty("data", out var data) && data.ValueKind == JsonValueKind.Object && data.TryGetProperty("endpoint", out var endpoint)
            ? $" at {endpoint.GetString()}"
            : "";

    private static string RemedyOf(string check) => check switch
    {
        "database" => "is PostgreSQL running, and does ConnectionStrings:Lumora name it? The host's log says more",
        "solana" => "set Solana:Endpoints, or install Node 20 or newer for the local Solana; anchors and payouts wait until then",
        "log" => "the host's own log says why it does not sign",
        _ => "the host's own log says more",
    };
}
