using System.Security.Cryptography;
using Lumora.Chain.Cryptography;
using Lumora.Domain.Cryptography;

namespace Lumora.Domain.Tests.Cryptography;

public sealed class HttpMessageSignatureTests
{
    private static readonly Curve25519 Curve = new();

    /// <summary>The key <c>test-key-ed25519</c> of RFC 9421 appendix B.1.4.</summary>
    private static readonly byte[] RfcSeed = Convert.FromBase64String("n4Ni+HpISpVObnQMW0wOhCKROaIKqKtW/2ZYb2p9KcU=");

    private static readonly byte[] RfcKey = Convert.FromBase64String("JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=");

    /// <summary>The request of appendix B.2.</summary>
    private static readonly SignableRequest RfcRequest = new(
        "POST", "example.com", "/foo", "?param=Value&Pet=dog", new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["date"] = "Tue, 20 Apr 2021 02:07:55 GMT",
            ["content-type"] = "application/json",
            ["content-length"] = "18",
        });

    private const string RfcInput =
        "sig-b26=(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \"content-length\")" +
        ";created=1618884473;keyid=\"test-key-ed25519\"";

    private const string RfcSignature =
        "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:";

    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);

    [Fact]
    public void The_Ed25519_example_of_the_RFC_is_made_and_verified()
    {
        var fields = HttpMessageSignature.Sign(
            RfcRequest,
            new SignatureParameters(
                ["date", "@method", "@path", "@authority", "content-type", "content-length"],
                1618884473, null, null, "test-key-ed25519"),
            RfcSeed,
            Curve,
            "sig-b26");
        Assert.Equal(new SignatureFields(RfcInput, RfcSignature), fields);
        var verified = HttpMessageSignature.Verify(
            RfcRequest, fields, id => id == "test-key-ed25519" ? RfcKey : null, Curve);
        Assert.Equal(1618884473, verified.Value!.CreatedAt);
        Assert.Equal(RfcKey, Curve.Ed25519PublicKey(RfcSeed));
    }

    [Theory]
    [InlineData("method")]
    [InlineData("authority")]
    [InlineData("path")]
    [InlineData("query")]
    [InlineData("digest")]
    [InlineData("offset")]
    public void Any_change_of_a_signed_request_is_noticed(string what)
    {
        var (request, fields) = Signed(Chunk());
        Assert.NotNull(Verify(request, fields).Value);
        var changed = what switch
        {
            "method" => request with { Method = "POST" },
            "authority" => request with { Authority = "evil.example" },
            "path" => request with { Path = "/v1/nodes/leases/lease_2/result" },
            "query" => request with { Query = "?a=1" },
            "digest" => With(request, ContentDigest.FieldName, ContentDigest.Of("other"u8)),
            _ => With(request, NodeRequest.UploadOffsetField, "8"),
        };
        Assert.Equal("signature_wrong", Verify(changed, fields).Rejection!.Code);
    }

    [Fact]
    public void A_field_added_after_signing_is_noticed()
    {
        var (request, fields) = Signed(new SignableRequest("PUT", "h", "/p", "", new Dictionary<string, string>(StringComparer.Ordinal)));
        var added = With(request, NodeRequest.UploadOffsetField, "8");
        Assert.Equal("signature_incomplete", Verify(added, fields).Rejection!.Code);
    }

    [Theory]
    [InlineData(-61, "signature_expired")]
    [InlineData(-60, null)]
    [InlineData(60, null)]
    [InlineData(61, "signature_expired")]
    public void A_signature_holds_for_a_minute_either_way(int seconds, string? code)
    {
        var (request, fields) = Signed(Chunk(), Now.AddSeconds(seconds));
        Assert.Equal(code, Verify(request, fields).Rejection?.Code);
    }

    [Fact]
    public void A_signature_past_its_own_expiry_is_refused()
    {
        var request = Chunk();
        var created = Now.ToUnixTimeSeconds() - 10;
        var fields = HttpMessageSignature.Sign(
            request,
            new SignatureParameters(NodeRequest.Components(request), created, created + 5, new string('n', 16), "test"),
            RfcSeed,
            Curve);
        Assert.Equal("signature_expired", Verify(request, fields).Rejection!.Code);
    }

    [Fact]
    public void A_short_nonce_is_refused()
    {
        var (request, fields) = Signed(Chunk(), nonce: "short");
        Assert.Equal("signature_incomplete", Verify(request, fields).Rejection!.Code);
    }

    [Fact]
    public void Another_key_is_refused()
    {
        var (request, fields) = Signed(Chunk());
        var other = Curve.Ed25519PublicKey(RandomNumberGenerator.GetBytes(32));
        Assert.Equal("signature_wrong", NodeRequest.Verify(request, fields, Now, _ => other, Curve).Rejection!.Code);
        Assert.Equal("signature_key", NodeRequest.Verify(request, fields, Now, _ => null, Curve).Rejection!.Code);
        Assert.Equal("signature_wrong", NodeRequest.Verify(request, fields, Now, _ => new byte[3], Curve).Rejection!.Code);
    }

    [Theory]
    [InlineData("")]
    [InlineData("lumora")]
    [InlineData("lumora=()")]
    [InlineData("lumora=(\"@method\")")]
    [InlineData("lumora=(\"@method\");created=1")]
    [InlineData("lumora=(\"@method\");keyid=\"k\"")]
    [InlineData("lumora=(\"@method\");created=-1;keyid=\"k\"")]
    [InlineData("lumora=(\"@method\");created=1;keyid=k")]
    [InlineData("lumora=(\"@method\");created=1;keyid=\"k\";created=2")]
    [InlineData("lumora=(\"@method\");created=1;keyid=\"k\";alg=\"hmac-sha256\"")]
    [InlineData("lumora=(\"@method\");created=1;keyid=\"k\";tag=\"x\"")]
    [InlineData("lumora=(\"@method\" \"@method\");created=1;keyid=\"k\"")]
    [InlineData("lumora=(\"@method\";req);created=1;keyid=\"k\"")]
    [InlineData("lumora=(\"@method\") ;created=1;keyid=\"k\"")]
    [InlineData("lumora=(\"x-missing\");created=1;keyid=\"k\"")]
    [InlineData("lumora=(\"@method\");created=1;keyid=\"k\", other=(\"@method\");created=1;keyid=\"k\"")]
    public void What_is_not_one_plain_signature_is_malformed(string input)
    {
        var fields = new SignatureFields(input, "lumora=:" + Convert.ToBase64String(new byte[64]) + ":");
        Assert.Equal("signature_malformed", Verify(Chunk(), fields).Rejection!.Code);
    }

    [Theory]
    [InlineData("")]
    [InlineData("lumora=:")]
    [InlineData("lumora=::")]
    [InlineData("lumora=:AAAA:")]
    [InlineData("other=:AAAA:")]
    public void A_signature_that_is_no_64_bytes_is_malformed(string signature)
    {
        var (request, fields) = Signed(Chunk());
        Assert.Equal("signature_malformed", Verify(request, fields with { Signature = signature }).Rejection!.Code);
    }

    [Fact]
    public void A_content_digest_fits_its_content_only()
    {
        var hash = SHA256.HashData("{\"hello\": \"world\"}\n"u8);
        Assert.Equal("sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:", ContentDigest.OfHash(hash));
        Assert.True(ContentDigest.Matches(ContentDigest.OfHash(hash), hash));
        Assert.True(ContentDigest.Matches("sha-512=:AAAA:, " + ContentDigest.OfHash(hash), hash));
        Assert.False(ContentDigest.Matches(ContentDigest.Of("other"u8), hash));
        Assert.False(ContentDigest.Matches("sha-256=::", hash));
        Assert.False(ContentDigest.Matches("sha-256=:", hash));
        Assert.False(ContentDigest.Matches("sha-512=:AAAA:", hash));
        Assert.False(ContentDigest.Matches("sha-256=:" + new string('A', 4000) + ":", hash));
    }

    private static SignableRequest Chunk() => new(
        "PUT", "127.0.0.1:5080", "/v1/nodes/leases/lease_1/result", "", new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [ContentDigest.FieldName] = ContentDigest.Of("chunk"u8),
            [NodeRequest.UploadOffsetField] = "0",
        });

    private static SignableRequest With(SignableRequest request, string field, string value) =>
        request with { Fields = new Dictionary<string, string>(request.Fields, StringComparer.Ordinal) { [field] = value } };

    private static (SignableRequest Request, SignatureFields Fields) Signed(
        SignableRequest request, DateTimeOffset? at = null, string nonce = "0123456789abcdef") =>
        (request, NodeRequest.Sign(request, "test", at ?? Now, nonce, RfcSeed, Curve));

    private static Lumora.Domain.Kernel.Result<SignatureParameters> Verify(SignableRequest request, SignatureFields fields) =>
        NodeRequest.Verify(request, fields, Now, _ => RfcKey, Curve);
}
