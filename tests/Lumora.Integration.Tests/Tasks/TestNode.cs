using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Lumora.Chain.Cryptography;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Kernel;
using Lumora.Domain.Merkle;
using Lumora.Domain.Nodes;
using Lumora.Domain.Tasks;

namespace Lumora.Integration.Tests.Tasks;

/// <summary>A node by the book, driven step by step: it invents the pages that it should have fetched.</summary>
public sealed record TestNode : IDisposable
{
    private static readonly Curve25519 Curve = new();
    private readonly byte[] _seed = RandomNumberGenerator.GetBytes(32);
    private readonly TimeProvider _clock;

    public TestNode(Uri address, TimeProvider clock)
    {
        _clock = clock;
        var signing = new NodeSigningHandler(_seed, Curve, clock) { InnerHandler = new SocketsHttpHandler() };
        Id = signing.NodeId;
        Http = new HttpClient(signing) { BaseAddress = address };
    }

    public string Id { get; }

    public string Owner { get; init; } = "";

    public HttpClient Http { get; }

    public string Proof(string participantId) =>
        Convert.ToBase64String(Curve.Ed25519Sign(_seed, NodeOwnership.SignedBytes(participantId)));

    public Task<HttpResponseMessage> AskAsync(int waitSeconds) =>
        Http.PostAsync(NodeProtocol.LeasesPath, Json(new LeaseRequest(waitSeconds)));

    public async Task<Lease> LeaseAsync()
    {
        using var response = await AskAsync(waitSeconds: 10);
        Assert.Equal(System.Net.HttpStatusCode.OK, response.StatusCode);
        return (await response.Content.ReadFromJsonAsync<Lease>(WireJson.Messages))!;
    }

    /// <summary>One record per page, encrypted to the lease's recipient, with a signed receipt.</summary>
    public async Task<(byte[] Ciphertext, TaskResult Result)> WorkAsync(
        Lease lease, int bodyBytes = 5_000, string field = "title")
    {
        var lines = lease.Urls.Select(url => CanonicalJson.Serialize(new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["url"] = url,
            ["fetchedAt"] = _clock.Now().ToWire(),
            [field] = $"Title of {url}",
        })).ToList();
        using var plaintext = new MemoryStream([.. lines.SelectMany(line => line.Append((byte)'\n'))]);
        using var ciphertext = new MemoryStream();
        await AgeEncryptor.EncryptAsync(
            plaintext, ciphertext, [AgeRecipient.Parse(lease.Recipient)], Curve, RandomNumberGenerator.Fill);
        var root = CompactRange.RootOf(lines.Select(line => new ReadOnlyMemory<byte>(line))).ToString();
        var now = _clock.Now();
        var pages = lease.Urls.Select(url => new PageResult(
            url, url, 200, bodyBytes, new string('a', 64), 1, now, now, PageOutcome.Fetched)).ToList();
        var unsigned = new TaskResult(
            lease.LeaseId, root, lines.Count, ciphertext.Length,
            Convert.ToHexStringLower(SHA256.HashData(ciphertext.ToArray())), pages,
            new Dictionary<string, int>(StringComparer.Ordinal),
            new WorkReceipt(
                lease.LeaseId, Id, 1, pages.Sum(page => page.BodyBytes), ciphertext.Length, root, WorkStatus.Complete,
                now.ToUnixTimeMilliseconds(), now.ToUnixTimeMilliseconds()));
        return (ciphertext.ToArray(), Sign(unsigned));
    }

    public TaskResult Sign(TaskResult result) => result with
    {
        Receipt = result.Receipt with
        {
            Sig = Convert.ToBase64String(Curve.Ed25519Sign(_seed, result.Receipt.SigningBytes())),
        },
    };

    public async Task<HttpResponseMessage> UploadAsync(string leaseId, byte[] chunk, long offset = 0)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, NodeProtocol.ResultPath(leaseId))
        {
            Content = new ByteArrayContent(chunk),
        };
        request.Headers.Add(NodeProtocol.UploadOffsetHeader, $"{offset}");
        return await Http.SendAsync(request);
    }

    public Task<HttpResponseMessage> CompleteAsync(TaskResult result) =>
        Http.PostAsync(NodeProtocol.CompletePath(result.LeaseId), Json(result));

    /// <summary>Delivers the whole of <paramref name="lease"/>.</summary>
    public async Task DeliverAsync(Lease lease, int bodyBytes = 5_000)
    {
        var (ciphertext, result) = await WorkAsync(lease, bodyBytes);
        using var uploaded = await UploadAsync(lease.LeaseId, ciphertext);
        Assert.Equal(System.Net.HttpStatusCode.NoContent, uploaded.StatusCode);
        using var completed = await CompleteAsync(result);
        Assert.Equal(System.Net.HttpStatusCode.OK, completed.StatusCode);
    }

    public async Task<NodeSelf> SelfAsync() =>
        (await Http.GetFromJsonAsync<NodeSelf>(NodeProtocol.SelfPath, WireJson.Messages))!;

    public static async Task<string> CodeOf(HttpResponseMessage response)
    {
        using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return problem.RootElement.GetProperty("code").GetString()!;
    }

    public void Dispose() => Http.Dispose();

    private static StringContent Json<T>(T message) =>
        new(JsonSerializer.Serialize(message, WireJson.Messages), Encoding.UTF8, "application/json");
}
