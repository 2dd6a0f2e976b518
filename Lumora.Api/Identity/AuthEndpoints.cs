using System.Text.Json;
using Lumora.Domain.Kernel;

namespace Lumora.Api.Identity;

/// <summary><c>/v1/auth</c>: nonce, sign-in, refresh, sign-out.</summary>
internal static class AuthEndpoints
{
    private const int BodyLengthMax = 16 * 1024;

    public static void Map(RouteGroupBuilder group)
    {
        group.MapPost("/nonce", (SignIn signIn) => Answer(signIn.Nonce()));
        group.MapPost("/sign-in", (HttpRequest request, SignIn signIn, CancellationToken cancellationToken) =>
            HandleAsync<SignInRequest>(request, signIn.WithWalletAsync, cancellationToken));
        group.MapPost("/refresh", (HttpRequest request, SignIn signIn, CancellationToken cancellationToken) =>
            HandleAsync<RefreshRequest>(request, signIn.WithRefreshTokenAsync, cancellationToken));
        group.MapPost("/sign-out", async (HttpRequest request, SignIn signIn, CancellationToken cancellationToken) =>
        {
            var body = await ReadAsync<RefreshRequest>(request, cancellationToken);
            if (body.Rejection is { } refusal)
                return AuthProblems.From(refusal);
            await signIn.SignOutAsync(body.Value!, cancellationToken);
            return Results.NoContent();
        });
    }

    private static async Task<IResult> HandleAsync<T>(
        HttpRequest request, Func<T, CancellationToken, Task<Result<SignedIn>>> handle, CancellationToken cancellationToken)
    {
        var body = await ReadAsync<T>(request, cancellationToken);
        if (body.Rejection is { } malformed)
            return AuthProblems.From(malformed);
        var result = await handle(body.Value!, cancellationToken);
        return result.Rejection is { } refusal ? AuthProblems.From(refusal) : Answer(result.Value!);
    }

    private static async Task<Result<T>> ReadAsync<T>(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.ContentLength is null or > BodyLengthMax)
            return new Rejection("body_too_large", $"Send a JSON object of at most {BodyLengthMax} bytes, with its Content-Length.");
        try
        {
            return await JsonSerializer.DeserializeAsync<T>(request.Body, WireJson.Messages, cancellationToken) is { } body
                ? body
                : new Rejection("body_malformed", "The body is null; a JSON object is expected.");
        }
        catch (JsonException fault)
        {
            return new Rejection("body_malformed", $"The body is not the expected JSON, at {fault.Path ?? "$"}.");
        }
    }

    /// <summary>Tokens and nonces must not rest in any cache.</summary>
    private static Uncached<T> Answer<T>(T answer) => new Uncached<T>(answer);

    private sealed class Uncached<T>(T answer) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.Headers.CacheControl = "no-store";
            return httpContext.Response.WriteAsJsonAsync(answer, WireJson.Messages, httpContext.RequestAborted);
        }
    }
}
