using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using Lumora.Api.Identity;
using Lumora.Chain.Cryptography;
using Lumora.Domain.Kernel;
using Lumora.Domain.Participants;
using SimpleBase;

namespace Lumora.Integration.Tests.Infrastructure;

/// <summary>A wallet that signs in as a person's would.</summary>
public sealed class TestWallet
{
    private readonly Curve25519 _curve = new();
    private readonly byte[] _seed = RandomNumberGenerator.GetBytes(32);

    /// <summary>Base58 of the address.</summary>
    public string Address => Base58.Bitcoin.Encode(_curve.Ed25519PublicKey(_seed));

    /// <summary>Base58 of the signature over <paramref name="text"/>.</summary>
    public string Sign(string text) => Base58.Bitcoin.Encode(_curve.Ed25519Sign(_seed, Encoding.UTF8.GetBytes(text)));

    /// <summary>A good message for a nonce of the server's.</summary>
    public SignInMessage Message(NonceAnswer nonce, DateTimeOffset? now = null)
    {
        var issued = now ?? DateTimeOffset.UtcNow;
        return new SignInMessage
        {
            Domain = nonce.Domain,
            Address = Address,
            Statement = "Sign in to Lumora.",
            Uri = $"http://{nonce.Domain}/",
            Version = "1",
            ChainId = nonce.ChainId,
            Nonce = nonce.Nonce,
            IssuedAt = issued.ToWire(),
            ExpirationTime = issued.AddMinutes(5).ToWire(),
        };
    }

    /// <summary>Signs in; the answer's access token is then the default of <paramref name="client"/>.</summary>
    public async Task<SignedIn> SignInAsync(HttpClient client, CancellationToken cancellationToken)
    {
        var text = Message(await NonceAsync(client, cancellationToken)).ToString();
        using var response = await PostAsync(client, text, Sign(text), cancellationToken);
        response.EnsureSuccessStatusCode();
        var signedIn = (await response.Content.ReadFromJsonAsync<SignedIn>(WireJson.Messages, cancellationToken))!;
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", signedIn.AccessToken);
        return signedIn;
    }

    public static async Task<NonceAnswer> NonceAsync(HttpClient client, CancellationToken cancellationToken)
    {
        using var response = await client.PostAsync("/v1/auth/nonce", null, cancellationToken);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<NonceAnswer>(WireJson.Messages, cancellationToken))!;
    }

    public static Task<HttpResponseMessage> PostAsync(
        HttpClient client, string message, string signature, CancellationToken cancellationToken) =>
        PostJsonAsync(client, "/v1/auth/sign-in", new SignInRequest(message, signature), cancellationToken);

    public static async Task<HttpResponseMessage> PostJsonAsync<T>(
        HttpClient client, string path, T body, CancellationToken cancellationToken)
    {
        using var content = JsonContent.Create(body, options: WireJson.Messages);
        await content.LoadIntoBufferAsync(cancellationToken);
        return await client.PostAsync(path, content, cancellationToken);
    }
}
