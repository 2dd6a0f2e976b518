using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Lumora.Chain.Solana;
using Lumora.Domain.Kernel;
using Lumora.Domain.Participants;

namespace Lumora.Cli.Client;

/// <summary>
/// One identity's conversation with a host: signs in with its wallet, asks GraphQL, downloads. A host that is gone
/// for a moment (a restart, a crash) is waited for: every command it sends may be sent again.
/// </summary>
internal sealed class LumoraClient(HttpClient http, Keypair wallet, TimeSpan patience) : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    private string? _token;
    private DateTimeOffset _tokenEnds;

    /// <summary>The id under which events know this identity; set by the first sign-in.</summary>
    public string ParticipantId { get; private set; } = "";

    /// <summary>Asks one GraphQL operation and gives its data.</summary>
    /// <exception cref="LumoraRefusedException">The host answered with errors, or a payload's <c>error</c>.</exception>
    public async Task<JsonElement> AskAsync(string query, object? variables, CancellationToken cancellation)
    {
        var answer = await PatientlyAsync(
            async () =>
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, "/graphql");
                request.Content = JsonContent.Create(new { query, variables });
                request.Headers.Authorization = await AuthorisationAsync(cancellation);
                request.Headers.Accept.ParseAdd("application/graphql-response+json");
                using var response = await SendAsync(request, cancellation);
                return await response.Content.ReadFromJsonAsync<JsonElement>(cancellation);
            },
            cancellation);
        if (answer.TryGetProperty("errors", out var errors) && errors.GetArrayLength() > 0)
            throw LumoraRefusedException.FromGraphQL(errors[0]);
        return answer.GetProperty("data");
    }

    /// <summary>Sends one mutation whose payload has an <c>error</c> field, and gives the payload.</summary>
    public Task<JsonElement> CommandAsync(string field, string query, object input, CancellationToken cancellation) =>
        PatientlyAsync(
            async () =>
            {
                var data = await AskAsync(query, new { input }, cancellation);
                var payload = data.GetProperty(field);
                return payload.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object
                    ? throw LumoraRefusedException.FromPayload(error)
                    : payload;
            },
            cancellation);

    /// <summary>Downloads <paramref name="path"/> to <paramref name="file"/>; a broken download goes on where it stopped.</summary>
    public Task DownloadAsync(string path, string file, CancellationToken cancellation) => PatientlyAsync(
        async () =>
        {
            await using var target = new FileStream(file, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None);
            target.Seek(0, SeekOrigin.End);
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Authorization = await AuthorisationAsync(cancellation);
            if (target.Position > 0)
                request.Headers.Range = new RangeHeaderValue(target.Position, to: null);
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && target.Position > 0)
                return true;
            await ThrowUnlessOkAsync(response, cancellation);
            if (response.StatusCode == HttpStatusCode.OK)
                target.SetLength(0);
            await response.Content.CopyToAsync(target, cancellation);
            return true;
        },
        cancellation);

    /// <summary>Signs in now, so that <see cref="ParticipantId"/> is known.</summary>
    public Task SignInAsync(CancellationToken cancellation) => PatientlyAsync(
        async () => await AuthorisationAsync(cancellation), cancellation);

    /// <inheritdoc/>
    public void Dispose() => http.Dispose();

    private async Task<AuthenticationHeaderValue> AuthorisationAsync(CancellationToken cancellation)
    {
        if (_token is null || _tokenEnds < DateTimeOffset.UtcNow.AddMinutes(1))
            await RenewTokenAsync(cancellation);
        return new AuthenticationHeaderValue("Bearer", _token);
    }

    private async Task RenewTokenAsync(CancellationToken cancellation)
    {
        using var nonceRequest = new HttpRequestMessage(HttpMethod.Post, "/v1/auth/nonce");
        using var nonceAnswer = await SendAsync(nonceRequest, cancellation);
        var nonce = await nonceAnswer.Content.ReadFromJsonAsync<JsonElement>(cancellation);

        var now = DateTimeOffset.UtcNow;
        var domain = nonce.GetProperty("domain").GetString()!;
        var message = new SignInMessage
        {
            Domain = domain,
            Address = wallet.PublicKey.Key,
            Statement = "Sign in to Lumora.",
            Uri = $"{http.BaseAddress!.Scheme}://{domain}/",
            Version = "1",
            ChainId = nonce.GetProperty("chainId").GetString()!,
            Nonce = nonce.GetProperty("nonce").GetString()!,
            IssuedAt = now.ToWire(),
            ExpirationTime = now.AddMinutes(5).ToWire(),
        }.ToString();
        using var signIn = new HttpRequestMessage(HttpMethod.Post, "/v1/auth/sign-in");
        signIn.Content = JsonContent.Create(new
        {
            message,
            signature = Convert.ToBase64String(wallet.Sign(System.Text.Encoding.UTF8.GetBytes(message))),
        });
        // The host wants to know the length beforehand.
        await signIn.Content.LoadIntoBufferAsync(cancellation);
        using var signedIn = await SendAsync(signIn, cancellation);
        var tokens = await signedIn.Content.ReadFromJsonAsync<JsonElement>(cancellation);
        _token = tokens.GetProperty("accessToken").GetString();
        _tokenEnds = tokens.GetProperty("expiresAt").GetDateTimeOffset();
        ParticipantId = tokens.GetProperty("participantId").GetString()!;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        var response = await http.SendAsync(request, cancellation);
        await ThrowUnlessOkAsync(response, cancellation);
        return response;
    }

    private async Task ThrowUnlessOkAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        if (response.IsSuccessStatusCode)
            return;
        var body = await response.Content.ReadAsStringAsync(cancellation);
        if (response.StatusCode == HttpStatusCode.Unauthorized)
            _token = null;
        throw LumoraRefusedException.FromHttp(response.StatusCode, body);
    }

    private async Task<T> PatientlyAsync<T>(Func<Task<T>> attempt, CancellationToken cancellation)
    {
        var end = DateTimeOffset.UtcNow + patience;
        while (true)
        {
            try
            {
                return await attempt();
            }
            catch (Exception fault) when (IsPassing(fault, cancellation) && DateTimeOffset.UtcNow < end)
            {
                await Task.Delay(Pause, cancellation);
            }
        }
    }

    private static bool IsPassing(Exception fault, CancellationToken cancellation) => fault switch
    {
        LumoraRefusedException refused => refused.IsPassing,
        HttpRequestException or IOException => true,
        TaskCanceledException => !cancellation.IsCancellationRequested,
        _ => false,
    };
}
