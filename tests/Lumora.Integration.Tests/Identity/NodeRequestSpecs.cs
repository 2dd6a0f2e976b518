using System.Net;
using System.Text;
using Lumora.Chain.Cryptography;
using Lumora.Domain.Cryptography;

namespace Lumora.Integration.Tests.Identity;

public sealed class NodeRequestSpecs(IdentityFixture fixture) : IClassFixture<IdentityFixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/probe/node")]
    [InlineData("/probe/node?a=1&b=%20x%2Fy&c=")]
    public async Task A_signed_request_is_known_and_its_body_can_still_be_read(string path)
    {
        using var client = Client();
        using var content = new StringContent("hello");
        using var response = await client.PutAsync(path, content, Ct);
        Assert.Equal($"{IdentityFixture.NodeId} hello", await response.Content.ReadAsStringAsync(Ct));
        Assert.Equal($"{IdentityFixture.NodeId} ", await client.GetStringAsync(path, Ct));
    }

    [Fact]
    public async Task A_large_chunk_is_signed_whole_and_a_larger_one_is_refused()
    {
        using var client = Client();
        using var chunk = new StringContent(new string('x', 4 * 1024 * 1024));
        using var taken = await client.PutAsync("/probe/node", chunk, Ct);
        Assert.Equal(HttpStatusCode.OK, taken.StatusCode);
        using var large = new StringContent(new string('x', 6 * 1024 * 1024));
        using var refused = await client.PutAsync("/probe/node", large, Ct);
        await SignInSpecs.AssertRefusedAsync(refused, HttpStatusCode.RequestEntityTooLarge, "body_too_large");
    }

    [Fact]
    public async Task The_same_signed_request_counts_once()
    {
        using var client = Client(new Tamper((request, again) =>
        {
            if (!again)
                return;
            request.Headers.Remove("signature-input");
            request.Headers.Remove("signature");
            request.Headers.TryAddWithoutValidation("signature-input", Tamper.First!.Input);
            request.Headers.TryAddWithoutValidation("signature", Tamper.First.Signature);
        }));
        using var first = await client.GetAsync("/probe/node", Ct);
        using var second = await client.GetAsync("/probe/node", Ct);
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        await SignInSpecs.AssertRefusedAsync(second, HttpStatusCode.Unauthorized, "signature_replayed");
    }

    [Fact]
    public async Task A_body_changed_on_the_way_is_noticed()
    {
        using var client = Client(new Tamper((request, _) =>
        {
            var digest = request.Content!.Headers.GetValues("content-digest").Single();
            request.Content = new StringContent("jello");
            request.Content.Headers.TryAddWithoutValidation("content-digest", digest);
        }));
        using var content = new StringContent("hello");
        using var response = await client.PutAsync("/probe/node", content, Ct);
        await SignInSpecs.AssertRefusedAsync(response, HttpStatusCode.Unauthorized, "digest_wrong");
    }

    [Fact]
    public async Task A_body_slipped_under_a_signature_without_digest_is_noticed()
    {
        using var client = Client(new Tamper((request, _) => request.Content = new StringContent("surprise")));
        using var request = new HttpRequestMessage(HttpMethod.Put, "/probe/node");
        using var response = await client.SendAsync(request, Ct);
        await SignInSpecs.AssertRefusedAsync(response, HttpStatusCode.Unauthorized, "digest_missing");
    }

    [Fact]
    public async Task An_unknown_node_an_old_signature_and_no_signature_are_told_apart()
    {
        using var stranger = Client(seed: Encoding.ASCII.GetBytes("another node's secret of 32 byte"));
        using var unknown = await stranger.GetAsync("/probe/node", Ct);
        await SignInSpecs.AssertRefusedAsync(unknown, HttpStatusCode.Unauthorized, "unknown_node");

        using var late = Client(clock: new Behind());
        using var expired = await late.GetAsync("/probe/node", Ct);
        await SignInSpecs.AssertRefusedAsync(expired, HttpStatusCode.Unauthorized, "signature_expired");

        using var plain = fixture.App.CreateClient();
        using var missing = await plain.GetAsync("/probe/node", Ct);
        await SignInSpecs.AssertRefusedAsync(missing, HttpStatusCode.Unauthorized, "signature_missing");
    }

    [Fact]
    public async Task A_node_is_no_steward()
    {
        using var client = Client();
        using var response = await client.GetAsync("/probe/steward", Ct);
        await SignInSpecs.AssertRefusedAsync(response, HttpStatusCode.Forbidden, "forbidden");
    }

    private HttpClient Client(DelegatingHandler? network = null, byte[]? seed = null, TimeProvider? clock = null)
    {
        var wire = network ?? new Tamper((_, _) => { });
        wire.InnerHandler = new SocketsHttpHandler();
        return new HttpClient(new NodeSigningHandler(seed ?? IdentityFixture.NodeSeed, new Curve25519(), clock ?? TimeProvider.System)
        {
            InnerHandler = wire,
        })
        { BaseAddress = fixture.App.Address };
    }

    private sealed class Behind : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UtcNow.AddMinutes(-2);
    }

    /// <summary>Somebody on the wire, after the request was signed.</summary>
    private sealed class Tamper(Action<HttpRequestMessage, bool> change) : DelegatingHandler
    {
        public static SignatureFields? First { get; private set; }

        private bool _again;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (!_again)
                First = new SignatureFields(
                    request.Headers.GetValues("signature-input").Single(), request.Headers.GetValues("signature").Single());
            change(request, _again);
            _again = true;
            return base.SendAsync(request, cancellationToken);
        }
    }
}
