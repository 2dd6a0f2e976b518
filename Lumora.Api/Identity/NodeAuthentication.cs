using System.Security.Cryptography;
using System.Text.Encodings.Web;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Kernel;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace Lumora.Api.Identity;

/// <summary>
/// Knows a node by the signature of its request (RFC 9421; <see cref="NodeRequest"/>). The body is read only after the
/// signature over its digest has held and the node is known, and is there to be read again.
/// </summary>
internal sealed class NodeAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory logging,
    UrlEncoder encoder,
    INodeDirectory nodes,
    ReplayGuard replays,
    ICurve25519 curve,
    TimeProvider clock) : AuthenticationHandler<AuthenticationSchemeOptions>(options, logging, encoder)
{
    public const string SchemeName = "Node";

    /// <summary>Bodies beyond this many bytes are refused: a chunk is at most 4 MiB.</summary>
    public const int BodyLengthMax = 5 * 1024 * 1024;

    private const int BodyInMemoryMax = 256 * 1024;
    private Rejection? _refusal;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var fields = new SignatureFields(
            Request.Headers[HttpMessageSignature.InputField].ToString(),
            Request.Headers[HttpMessageSignature.SignatureField].ToString());
        if (fields.Input.Length == 0)
            return AuthenticateResult.NoResult();

        var request = Signable();
        var verified = NodeRequest.Verify(request, fields, clock.GetUtcNow(), Wallet.Decode, curve);
        if (verified.Value is not { } parameters)
            return Refuse(verified.Rejection!);
        if (!await nodes.IsRegisteredAsync(parameters.KeyId, Context.RequestAborted))
            return Refuse(new Rejection("unknown_node", "No provider has registered this node."));
        if (await RefusalOfBodyAsync(request) is { } refusal)
            return Refuse(refusal);
        return replays.Remember(parameters.KeyId, parameters.Nonce!) switch
        {
            ReplayGuard.Outcome.Fresh => AuthenticateResult.Success(new AuthenticationTicket(
                Actors.Principal(Actors.NodePrefix + parameters.KeyId, Roles.Node, SchemeName), SchemeName)),
            ReplayGuard.Outcome.Replayed => Refuse(new Rejection("signature_replayed", "This signature was used before; sign each request anew.")),
            _ => Refuse(new Rejection("busy", "This node sends too many requests; wait a minute.")),
        };
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties) => AuthProblems.ChallengeAsync(
        Context, "Signature", _refusal ?? new Rejection("signature_missing", "Sign this request with the node's key (RFC 9421)."));

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => AuthProblems.ForbidAsync(Context);

    private AuthenticateResult Refuse(Rejection rejection)
    {
        _refusal = rejection;
        return AuthenticateResult.Fail(rejection.Code);
    }

    private SignableRequest Signable()
    {
        // The target as it came, before any decoding: the node signed those characters.
        var target = Context.Features.Get<IHttpRequestFeature>()?.RawTarget;
        if (string.IsNullOrEmpty(target) || target[0] != '/')
            target = Request.PathBase.ToUriComponent() + Request.Path.ToUriComponent() + Request.QueryString.ToUriComponent();
        var question = target.IndexOf('?', StringComparison.Ordinal);
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, values) in Request.Headers)
            fields[name.ToLowerInvariant()] = string.Join(", ", values.Select(value => value?.Trim()));
        var host = Request.Host.Value?.ToLowerInvariant() ?? "";
        var ordinaryPort = Request.IsHttps ? ":443" : ":80";
        return new SignableRequest(
            Request.Method,
            host.EndsWith(ordinaryPort, StringComparison.Ordinal) ? host[..^ordinaryPort.Length] : host,
            question < 0 ? target : target[..question],
            question < 0 ? "" : target[question..],
            fields);
    }

    private async Task<Rejection?> RefusalOfBodyAsync(SignableRequest request)
    {
        var detection = Context.Features.Get<IHttpRequestBodyDetectionFeature>();
        if (!request.Fields.TryGetValue(ContentDigest.FieldName, out var digest))
        {
            return detection is { CanHaveBody: false } || Request.ContentLength == 0
                ? null
                : new Rejection("digest_missing", "A request with a body needs a signed Content-Digest with sha-256 (RFC 9530).");
        }

        if (Request.ContentLength > BodyLengthMax)
            return TooLarge();
        Request.EnableBuffering(BodyInMemoryMax, BodyLengthMax);
        try
        {
            var hash = await SHA256.HashDataAsync(Request.Body, Context.RequestAborted);
            Request.Body.Position = 0;
            return ContentDigest.Matches(digest, hash)
                ? null
                : new Rejection("digest_wrong", "The body does not have the SHA-256 that Content-Digest names.");
        }
        catch (IOException) when (!Context.RequestAborted.IsCancellationRequested)
        {
            return TooLarge();
        }
    }

    private static Rejection TooLarge() => new("body_too_large", $"A signed body has at most {BodyLengthMax} bytes.");
}
