using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Lumora.Chain.Cryptography;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Kernel;
using Lumora.Domain.Tasks;
using Lumora.Integration.Tests.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using SimpleBase;

namespace Lumora.Integration.Tests.Nodes;

/// <summary>A gateway that speaks the node protocol over real HTTP, checks every signature and decrypts what it gets.</summary>
internal sealed class TestGateway : IAsyncDisposable
{
    private readonly Curve25519 _curve = new();
    private readonly byte[] _seed = RandomNumberGenerator.GetBytes(32);
    private readonly AgeIdentity _identity = AgeIdentity.Generate(RandomNumberGenerator.Fill);
    private readonly ConcurrentQueue<Lease> _leases = new();
    private readonly ConcurrentDictionary<string, MemoryStream> _uploads = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TaskCompletionSource<TaskResult>> _results = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TaskCompletionSource<LeaseRefusal>> _refusals = new(StringComparer.Ordinal);
    private readonly WebApplication _app;

    private TestGateway()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.Run(ServeAsync);
    }

    internal Uri Address => new(_app.Urls.First());

    internal string Recipient => _identity.Recipient(_curve).Text;

    /// <summary>Asked before each request is served; an answer other than null is the status to fail with.</summary>
    internal Func<HttpRequest, int?> Fault { get; set; } = _ => null;

    internal NodeSelf Self { get; set; } = new("", "active", new NodeLimits(), []);

    internal ConcurrentQueue<string> Faults { get; } = new();

    internal static async Task<TestGateway> StartAsync()
    {
        var gateway = new TestGateway();
        await gateway._app.StartAsync();
        return gateway;
    }

    internal Lease Offer(TestSite site, IReadOnlyList<string> urls, Func<Lease, Lease>? change = null)
    {
        var lease = new Lease(
            TypeId.Format("lease", Guid.NewGuid()), TypeId.Format("task", Guid.NewGuid()), TypeId.Format("collection", Guid.NewGuid()),
            1, DateTimeOffset.UtcNow.AddMinutes(5), urls, [site.Address.Authority],
            [new ExtractionRule("title", "h1", Required: true), new ExtractionRule("body", "p")],
            64 * 1024, 100, Recipient, Redact: true);
        lease = change?.Invoke(lease) ?? lease;
        _results[lease.LeaseId] = new TaskCompletionSource<TaskResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        _refusals[lease.LeaseId] = new TaskCompletionSource<LeaseRefusal>(TaskCreationOptions.RunContinuationsAsynchronously);
        _leases.Enqueue(lease);
        return lease;
    }

    internal Task<TaskResult> ResultAsync(Lease lease) => _results[lease.LeaseId].Task.WaitAsync(Patience.Time);

    internal Task<LeaseRefusal> RefusalAsync(Lease lease) => _refusals[lease.LeaseId].Task.WaitAsync(Patience.Time);

    internal bool IsCompleted(Lease lease) => _results[lease.LeaseId].Task.IsCompleted;

    internal byte[] Ciphertext(Lease lease) => _uploads[lease.LeaseId].ToArray();

    internal async Task<byte[]> PlaintextAsync(Lease lease)
    {
        using var plaintext = new MemoryStream();
        using var ciphertext = new MemoryStream(Ciphertext(lease));
        await AgeDecryptor.DecryptAsync(ciphertext, plaintext, [_identity], _curve);
        return plaintext.ToArray();
    }

    internal async Task<List<JsonElement>> RecordsAsync(Lease lease)
    {
        using var plaintext = new MemoryStream(await PlaintextAsync(lease));
        return [.. ContentRoot.Lines(plaintext).Select(line => JsonSerializer.Deserialize<JsonElement>(line))];
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task ServeAsync(HttpContext context)
    {
        using var buffer = new MemoryStream();
        await context.Request.Body.CopyToAsync(buffer, context.RequestAborted);
        var body = buffer.ToArray();
        if (Unsigned(context.Request, body) is { } fault)
        {
            Faults.Enqueue(fault);
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }

        if (Fault(context.Request) is { } status)
        {
            context.Response.StatusCode = status;
            return;
        }

        var parts = context.Request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries);
        await (parts switch
        {
            ["v1", "nodes", "leases"] => LeaseAsync(context),
            ["v1", "nodes", "self"] => context.Response.WriteAsJsonAsync(Self, WireJson.Messages, context.RequestAborted),
            _ => LeaseCallAsync(context, parts[3], parts[4], body),
        });
    }

    private async Task LeaseAsync(HttpContext context)
    {
        if (_leases.TryDequeue(out var lease))
            await context.Response.WriteAsJsonAsync(lease, WireJson.Messages, context.RequestAborted);
        else
            context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task LeaseCallAsync(HttpContext context, string leaseId, string call, byte[] body)
    {
        var upload = _uploads.GetOrAdd(leaseId, _ => new MemoryStream());
        switch (call)
        {
            case "result":
                if (HttpMethods.IsPut(context.Request.Method))
                {
                    var offset = long.Parse(context.Request.Headers["Upload-Offset"].ToString(), CultureInfo.InvariantCulture);
                    if (offset == upload.Length)
                        upload.Write(body);
                    else
                        context.Response.StatusCode = StatusCodes.Status409Conflict;
                }

                context.Response.Headers["Upload-Offset"] = upload.Length.ToString(CultureInfo.InvariantCulture);
                if (context.Response.StatusCode == StatusCodes.Status200OK)
                    context.Response.StatusCode = StatusCodes.Status204NoContent;
                break;
            case "complete":
                var result = JsonSerializer.Deserialize<TaskResult>(body, WireJson.Messages)!;
                var answer = new ReceiptCountersigned(result.Receipt, Base58.Bitcoin.Encode(_curve.Ed25519PublicKey(_seed)));
                answer = answer with { Sig = Convert.ToBase64String(_curve.Ed25519Sign(_seed, answer.SigningBytes())) };
                await context.Response.WriteAsJsonAsync(answer, WireJson.Messages, context.RequestAborted);
                await context.Response.CompleteAsync();
                _results[leaseId].TrySetResult(result);
                break;
            case "refuse":
                context.Response.StatusCode = StatusCodes.Status204NoContent;
                _refusals[leaseId].TrySetResult(JsonSerializer.Deserialize<LeaseRefusal>(body, WireJson.Messages)!);
                break;
        }
    }

    private string? Unsigned(HttpRequest request, byte[] body)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in (string[])[ContentDigest.FieldName, NodeRequest.UploadOffsetField])
        {
            if (request.Headers.TryGetValue(name, out var value))
                fields[name] = value.ToString();
        }

        if (body.Length > 0 && fields.GetValueOrDefault(ContentDigest.FieldName) != ContentDigest.Of(body))
            return "digest";
        var signable = new SignableRequest(
            request.Method, request.Host.Value!, request.Path.Value!, request.QueryString.Value ?? "", fields);
        var signature = new SignatureFields(
            request.Headers[HttpMessageSignature.InputField].ToString(), request.Headers[HttpMessageSignature.SignatureField].ToString());
        return NodeRequest.Verify(
            signable, signature, DateTimeOffset.UtcNow, id => Base58.Bitcoin.Decode(id), _curve).Rejection?.Code;
    }
}
